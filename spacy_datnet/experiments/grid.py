"""A grid of trainings: every combination of corpora, variants, target sizes and seeds, read from a YAML file."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import srsly
from spacy.util import load_config

from ..errors import Errors
from ._problems import ExperimentError

ALL = "all"
Size = int | float | str
Overrides = dict[str, Any]

REQUIRED = ("corpora", "variants", "sizes", "seeds")
OPTIONAL = ("title", "overrides", "overrides_by_size", "paper")
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
    """

    corpora: str
    variant: str
    size: Size
    seed: int
    config: Path
    overrides: Overrides
    test: Path

    @property
    def name(self) -> str:
        """Say which run it is, for people."""
        return f"{self.corpora} {self.variant} {self.size} seed {self.seed}"

    @property
    def key(self) -> str:
        """Sum up all that decides about the result, so that a changed run is another one: 16 hex digits."""
        facts = {
            "config": self.config.read_text(encoding="utf8"),
            "overrides": self.overrides,
            "test": str(self.test),
            "size": self.size,
            "seed": self.seed,
        }
        return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Grid:
    """The runs of a grid, in the order of the file: all corpora, for each its variants, sizes and seeds.

    title (str): What the grid is about.
    runs (List[Run]): The runs.
    paper (Dict[str, Dict[Size, float]]): The paper's numbers, in percent, by variant and size; may be empty.
    """

    title: str
    runs: list[Run]
    paper: dict[str, dict[Size, float]]


def read_grid(path: Path) -> Grid:
    """Read a grid from a YAML file. Paths in it are looked up from the current folder, as those of a config are.

    corpora: by name, the paths `train`, `dev` and `test`, what else the configs have in [paths], and settings of all
        runs on these corpora by their dotted names, such as nlp.lang.
    variants: by name, a `config` and possibly `overrides`, which replace settings.
    sizes: counts of target sentences, shares between 0 and 1, or "all"; 0 is zero-shot transfer.
    seeds: integers.
    overrides (optional): settings of all runs. The overrides of a variant go before these.
    overrides_by_size (optional): settings by size; also possible in a variant. They go before all others.
    paper (optional): by variant and size, the numbers to show beside.
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
        if not Path(variant["config"]).is_file():
            raise ExperimentError(Errors.DN303.format(path=path, config=variant["config"], folder=Path.cwd()))
    for size in content["sizes"]:
        if not is_size(size):
            raise ExperimentError(Errors.DN304.format(path=path, size=size))
    return Grid(content.get("title", path.stem), list(_runs(content)), content.get("paper", {}))


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


def _runs(content: dict[str, Any]) -> Iterator[Run]:
    paths_of = {name: load_config(variant["config"])["paths"] for name, variant in content["variants"].items()}
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
                    yield Run(corpora, name, size, seed, Path(variant["config"]), overrides, Path(paths["test"]))


def limit(size: Size) -> Overrides:
    """Set how many target sentences the reader gives."""
    return {
        "corpora.train.target_count": size if isinstance(size, int) else None,
        "corpora.train.target_ratio": size if isinstance(size, float) else None,
    }
