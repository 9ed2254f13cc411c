"""A run of a grid, and by what it is known: its settings, and the content of the files that it reads."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from spacy.util import dot_to_object, load_config
from thinc.api import Config

Size = int | float | str
Overrides = dict[str, Any]

# what runs write to, and is no part of what they are given
CACHES = ("paths.features",)
CHUNK = 2**20


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
        comment in the config, an override with what the config has anyway.
        """
        return self._sum_up({**self.written, **self.files})

    @cached_property
    def key_by_names(self) -> str:
        """Sum up the same with the names of files instead of their content, as records of 0.1.0 have it."""
        return self._sum_up(self.written)

    def _sum_up(self, files: dict[str, str]) -> str:
        settings = _settings(self.config, self.config.stat().st_mtime_ns)
        facts = {
            "config": settings,
            "overrides": {
                name: files.get(name, value)
                for name, value in self.overrides.items()
                if name in files or not _has(settings, name, value)
            },
            "test": files["test"],
            "size": self.size,
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]

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


def label(size: Size) -> str:
    """Write a size so that one sentence, "1", and all of them, "1.0", stay apart."""
    return str(size)


def digest(path: Path) -> str:
    """Sum up the content of a file, or of all files in a folder with their names."""
    if path.is_dir():
        parts = [
            (part.relative_to(path).as_posix(), digest(part)) for part in sorted(path.rglob("*")) if part.is_file()
        ]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()
    stat = path.stat()
    return _digest(path.resolve(), stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _settings(config: Path, changed: int) -> Config:
    return load_config(config)


@lru_cache(maxsize=4096)
def _digest(path: Path, size: int, changed: int) -> str:
    found = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            found.update(chunk)
    return found.hexdigest()


def _has(config: Config, name: str, value: Any) -> bool:
    """Tell whether a config has a value at a dotted name."""
    try:
        return dot_to_object(config, name) == value
    except KeyError:
        return False
