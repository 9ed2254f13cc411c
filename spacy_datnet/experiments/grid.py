"""A grid of trainings: every combination of corpora, variants, target sizes and seeds, read from a YAML file."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import srsly
from spacy.util import dot_to_object, is_package, load_config

from ..errors import Errors
from ._problems import ExperimentError

ALL = "all"
Size = int | float | str
Overrides = dict[str, Any]
# by corpora, variant and size
Paper = dict[str, dict[str, dict[Size, float]]]

REQUIRED = ("corpora", "variants", "sizes", "seeds")
OPTIONAL = ("title", "overrides", "overrides_by_size", "paper", "small")
OF_CORPORA = ("train", "dev", "test")
OF_VARIANT = ("config", "overrides", "overrides_by_size")


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
    def key(self) -> str:
        """Sum up all that decides about the result, so that a changed run is another one: 16 hex digits.

        What changes nothing is not counted: a comment in the config, an override with what the config has anyway.
        """
        settings = load_config(self.config)
        facts = {
            "config": settings,
            "overrides": {
                name: self.written.get(name, value)
                for name, value in self.overrides.items()
                if name in self.written or not _has(settings, name, value)
            },
            "test": self.written["test"],
            "size": self.size,
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Grid:
    """The runs of a grid, in the order of the file: all corpora, for each its variants, sizes and seeds.

    title (str): What the grid is about.
    runs (List[Run]): The runs.
    paper (Dict[str, Dict[str, Dict[Size, float]]]): The paper's numbers, in percent, by corpora, variant and size; may
        be empty.
    """

    title: str
    runs: list[Run]
    paper: Paper


def read_grid(path: Path, *, small: bool = False) -> Grid:
    """Read a grid from a YAML file. Paths in it are looked up from the folder that the file is in.

    corpora: by name, the paths `train`, `dev` and `test`, what else the configs have in [paths], and settings of all
        runs on these corpora by their dotted names, such as nlp.lang.
    variants: by name, a `config` and possibly `overrides`, which replace settings.
    sizes: counts of target sentences, shares between 0 and 1, or "all"; 0 is zero-shot transfer.
    seeds: integers.
    overrides (optional): settings of all runs. The overrides of a variant go before these.
    overrides_by_size (optional): settings by size; also possible in a variant. They go before all others.
    paper (optional): by variant and size, the numbers to show beside; with several corpora, by corpora first.
    small (optional): some of the `corpora` and `variants`, by name, and other `sizes` and `seeds`, for a first look.

    path (Path): The file.
    small (bool): Whether to take what `small` says. Defaults to False.
    RETURNS (Grid): The grid.
    """
    try:
        content = srsly.read_yaml(path)
    except (OSError, ValueError) as error:
        raise ExperimentError(Errors.DN301.format(path=path, reason=error)) from error
    check_names(path, "the grid", content, REQUIRED, OPTIONAL)
    for name, paths in content["corpora"].items():
        check_names(path, f"corpora {name}", paths, OF_CORPORA, None)
    for name, variant in content["variants"].items():
        check_names(path, f"variant {name}", variant, OF_VARIANT[:1], OF_VARIANT[1:])
        if not (path.parent / variant["config"]).is_file():
            raise ExperimentError(Errors.DN303.format(path=path, config=variant["config"], folder=path.parent))
    paper = _read_paper(path, content)
    if small:
        content = _make_small(path, content)
    for size in content["sizes"]:
        if not is_size(size):
            raise ExperimentError(Errors.DN304.format(path=path, size=size))
    return Grid(content.get("title", path.stem), list(_runs(content, path.parent)), paper)


def _read_paper(path: Path, content: dict[str, Any]) -> Paper:
    """Read the paper's numbers; without names of corpora they are the same for all."""
    paper = content.get("paper") or {}
    if paper and not any(name in content["corpora"] for name in paper):
        paper = dict.fromkeys(content["corpora"], paper)
    check_known(path, "paper", paper, content["corpora"])
    for corpora, variants in paper.items():
        check_known(path, f"paper, {corpora}", variants, content["variants"])
    return paper


def _make_small(path: Path, content: dict[str, Any]) -> dict[str, Any]:
    """Narrow a grid down to its small form."""
    small = content.get("small")
    check_names(path, "small", small, (), ("corpora", "variants", "sizes", "seeds"))
    chosen = {}
    for block in ("corpora", "variants"):
        check_known(path, f"small, {block}", small.get(block, ()), content[block])
        chosen[block] = {name: content[block][name] for name in small.get(block, content[block])}
    return {**content, **small, **chosen}


def check_known(path: Path, where: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise an error if something is named that the grid does not have."""
    for name in names:
        if name not in known:
            raise ExperimentError(Errors.DN308.format(path=path, where=where, name=name, known=", ".join(known)))


def check_names(
    path: Path, where: str, block: Any, required: tuple[str, ...], optional: tuple[str, ...] | None
) -> None:
    """Raise an error if a block lacks a name or has one that it can't have; `optional` None takes any."""
    if not isinstance(block, Mapping):
        raise ExperimentError(Errors.DN302.format(path=path, where=where, missing="everything", unknown="nothing"))
    missing = [name for name in required if not block.get(name)]
    unknown = [] if optional is None else [name for name in block if name not in required + optional]
    if missing or unknown:
        lacks, has = (", ".join(map(str, names)) or "nothing" for names in (missing, unknown))
        raise ExperimentError(Errors.DN302.format(path=path, where=where, missing=lacks, unknown=has))


def is_size(size: Any) -> bool:
    """Tell whether something is a number of sentences, a share of them, or "all"."""
    if isinstance(size, int):
        return size >= 0 and not isinstance(size, bool)
    return size == ALL or (isinstance(size, float) and 0.0 < size <= 1.0)


def _runs(content: dict[str, Any], folder: Path) -> Iterator[Run]:
    configs = {name: Path(_place(folder, variant["config"])) for name, variant in content["variants"].items()}
    paths_of = {name: load_config(config)["paths"] for name, config in configs.items()}
    for corpora, paths in content["corpora"].items():
        for name, variant in content["variants"].items():
            for size in content["sizes"]:
                for seed in content["seeds"]:
                    overrides = {f"paths.{key}": paths[key] for key in paths_of[name] if key in paths}
                    overrides |= {key: value for key, value in paths.items() if "." in key}
                    for block in (content, variant):
                        overrides |= block.get("overrides") or {}
                    for block in (content, variant):
                        overrides |= (block.get("overrides_by_size") or {}).get(size, {})
                    overrides |= {"system.seed": seed, "corpora.train.seed": seed} | limit(size)
                    written = {key: value for key, value in overrides.items() if key.startswith("paths.") and value}
                    overrides |= {key: _place(folder, value) for key, value in written.items()}
                    test = Path(_place(folder, paths["test"]))
                    written["test"] = paths["test"]
                    yield Run(corpora, name, size, seed, configs[name], overrides, test, written)


def _has(config: Mapping[str, Any], name: str, value: Any) -> bool:
    """Tell whether a config has a value at a dotted name."""
    try:
        return dot_to_object(config, name) == value
    except KeyError:
        return False


def _place(folder: Path, path: str) -> str:
    """Say where a path is for who looks from the current folder; a package, which may hold vectors, has no path."""
    return path if is_package(path) else os.path.normpath(folder / path)


def limit(size: Size) -> Overrides:
    """Set how many target sentences the reader gives."""
    return {
        "corpora.train.target_count": size if isinstance(size, int) else None,
        "corpora.train.target_ratio": size if isinstance(size, float) else None,
    }
