"""A run of a grid, and by what it is known: its settings, and the content of the files that it reads."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property, lru_cache
from inspect import signature
from pathlib import Path
from typing import Any

from spacy.language import DEFAULT_CONFIG, Language
from spacy.util import combine_score_weights, load_config, registry

Size = int | float | str
Overrides = dict[str, Any]

# what runs write to, and is no part of what they are given
CACHES = ("paths.features",)
CHUNK = 2**20
# what decides nothing: files have their content instead, and a logger only shows
UNIMPORTANT = ("paths.", "training.logger.")


@dataclass(frozen=True)
class Run:
    """One training and its evaluation.

    corpora (str): The name of the corpora.
    variant (str): The name of the variant.
    size (Union[int, float, str]): Target sentences: a count, a share of the corpus between 0 and 1, or "all".
    seed (int): Seed of the choice of sentences and of the training.
    config (Path): The training config.
    overrides (Dict[str, Any]): Settings that differ from the config's, by their dotted names.
    test (Path): The corpus to evaluate on.
    written (Dict[str, str]): The paths among the overrides, and that of the test corpus, as the grid has them, so that
        a run is known wherever it is started from.
    """

    corpora: str
    variant: str
    size: Size
    seed: int
    config: Path
    overrides: Overrides
    test: Path
    written: dict[str, str]

    @property
    def name(self) -> str:
        """Say which run it is, for people."""
        return f"{self.corpora} {self.variant} {self.size} seed {self.seed}"

    @cached_property
    def files(self) -> dict[str, str]:
        """Sum up the content of the corpora, vectors and whatever else is in [paths], as far as it is there."""
        places = {name: Path(self.overrides.get(name, self.test)) for name in self.written if name not in CACHES}
        return {name: digest(place) for name, place in places.items() if place.exists()}

    @cached_property
    def key(self) -> str:
        """Sum up all that decides about the result, so that a changed run is another one: 16 hex digits.

        A file counts by its content, or by its name while it is not there. What changes nothing is not counted: a
        comment, a setting that has its default anyway, whether a config says so or leaves it out.
        """
        return self._sum_up({**self.written, **self.files})

    @cached_property
    def key_by_names(self) -> str:
        """Sum up the same with the names of files instead of their content, as records of 0.1.0 have it."""
        return self._sum_up(self.written)

    def _sum_up(self, files: dict[str, str]) -> str:
        paths = frozenset((name, name in files) for name in self.overrides if name.startswith("paths."))
        settings, defaults = _settings(self.config, self.config.stat().st_mtime_ns, paths)
        found = {**settings, **self.overrides}
        decisive = {
            name: value
            for name, value in found.items()
            if not name.startswith(UNIMPORTANT) and defaults.get(name) != value
        }
        content = {name: value for name, value in files.items() if name not in CACHES}
        facts = json.dumps([decisive, content], sort_keys=True, default=str)
        return hashlib.sha256(facts.encode()).hexdigest()[:16]

    def key_in(self, records: Mapping[str, Any]) -> str:
        """Give the key under which a folder has the run: one that does not know the content of files will do, if there
        is no other."""
        if self.key not in records and "files" not in records.get(self.key_by_names, {"files": None}):
            return self.key_by_names
        return self.key

    def facts(self) -> dict[str, Any]:
        """List what a record of the run begins with."""
        names = {name: getattr(self, name) for name in ("key", "corpora", "variant", "size", "seed")}
        return {**names, "config": str(self.config), "overrides": self.overrides, "files": self.files}


@lru_cache(maxsize=256)
def _settings(config: Path, changed: int, paths: frozenset[tuple[str, bool]]) -> tuple[dict, dict]:
    """Read the settings of a config, and the defaults of those that have one, both by dotted names. In the place of
    each path of a run is its name."""
    registry._entry_point_factories.get_all()  # what makes an `nlp` know the factories of packages
    named = {path: f"<{path}>" if is_given else None for path, is_given in paths}
    block = DEFAULT_CONFIG.merge(load_config(config, overrides=named, interpolate=False)).interpolate()
    found = list(_walk(block, DEFAULT_CONFIG.interpolate()))
    settings = {name: value for name, value, _ in found if value is not ...}
    defaults = {name: default for name, _, default in found if default is not None}
    components = block.get("components", {}).values()
    known = [one["factory"] for one in components if Language.has_factory(one.get("factory", ""))]
    weights = combine_score_weights([Language.get_factory_meta(name).default_score_weights or {} for name in known])
    defaults |= {f"training.score_weights.{name}": weight for name, weight in weights.items()}
    return settings, defaults


def _walk(block: Mapping, defaults: dict[str, Any], place: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield settings with their defaults, which spaCy, a factory or the signature of a registered function says."""
    with suppress(ValueError):  # nothing is registered under that name: then there are no defaults
        for reference in [name for name in block if name.startswith("@")]:
            parameters = signature(registry.get(reference[1:], block[reference])).parameters.values()
            same = defaults if defaults.get(reference) == block[reference] else {}
            defaults = {one.name: one.default for one in parameters if one.default is not one.empty} | same
        if "factory" in block:
            defaults = Language.get_factory_meta(block["factory"]).default_config or {}
    for name in {**defaults, **block}:
        value, default = block.get(name, ...), defaults.get(name)
        if isinstance(value, Mapping):
            yield from _walk(value, default if isinstance(default, dict) else {}, f"{place}{name}.")
        else:
            yield f"{place}{name}", value, None if isinstance(default, Mapping) else default


def label(size: Size) -> str:
    """Write a size so that one sentence, "1", and all of them, "1.0", stay apart."""
    return str(size)


def digest(path: Path) -> str:
    """Sum up the content of a file, or of all files in a folder with their names."""
    if path.is_dir():
        files = sorted(part for part in path.rglob("*") if part.is_file())
        parts = [(part.relative_to(path).as_posix(), digest(part)) for part in files]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    stat = path.stat()
    return _digest(path.resolve(), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=4096)
def _digest(path: Path, size: int, changed: int) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()
