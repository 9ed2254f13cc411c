"""A grid of trainings: every combination of corpora, variants, target sizes and seeds, read from a YAML file."""

import os
from collections.abc import Iterator, Mapping
from configparser import Error as ConfigParserError
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import srsly
from pydantic import BaseModel, ConfigDict, Field, StrictInt, ValidationError
from spacy.util import is_package, load_config
from thinc.api import Config

from ..errors import Errors
from ._problems import ExperimentError, problems
from .runs import Overrides, Run, Size, label

ALL = "all"
OverridesBySize = dict[Size, Overrides]
# in percent, by corpora, variant and size as `label` writes it
Paper = dict[str, dict[str, dict[str, float]]]


class Strict(BaseModel):
    """A block that has no other names than these."""

    model_config = ConfigDict(extra="forbid")


class Corpora(BaseModel):
    """The corpora of runs, what else the configs have in [paths], and settings by their dotted names."""

    model_config = ConfigDict(extra="allow")
    train: str
    dev: str
    test: str


class Variant(Strict):
    """A config and what replaces its settings."""

    config: str
    overrides: Overrides | None = None
    overrides_by_size: OverridesBySize | None = None


class Small(Strict):
    """Some of a grid, for a first look."""

    corpora: list[str] | None = None
    variants: list[str] | None = None
    sizes: list[Any] | None = Field(None, min_length=1)
    seeds: list[StrictInt] | None = Field(None, min_length=1)


class GridFile(Strict):
    """What `read_grid` reads."""

    title: str | None = None
    corpora: Annotated[dict[str, Corpora], Field(min_length=1)]
    variants: Annotated[dict[str, Variant], Field(min_length=1)]
    sizes: Annotated[list[Any], Field(min_length=1)]
    seeds: Annotated[list[StrictInt], Field(min_length=1)]
    overrides: Overrides | None = None
    overrides_by_size: OverridesBySize | None = None
    paper: dict[str, dict[str, dict[Size, float]]] | None = None
    small: Small | None = None


@dataclass(frozen=True)
class Grid:
    """The runs of a grid, in the order of the file: all corpora, for each its variants, sizes and seeds.

    title (str): What the grid is about.
    runs (List[Run]): The runs.
    paper (Dict[str, Dict[str, Dict[str, float]]]): The paper's numbers, in percent, by corpora, variant and size; may
        be empty.
    """

    title: str
    runs: list[Run]
    paper: Paper


def read_grid(path: Path, *, small: bool = False) -> Grid:
    """Read a grid from a YAML file. Paths in it are looked up from the folder that the file is in.

    corpora: by name, the paths `train`, `dev` and `test`, what else the configs have in [paths], and settings of all
        runs on these corpora by their dotted names, such as nlp.lang; those of a component, if the config has it.
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
    except (OSError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise ExperimentError(Errors.DN301.format(path=path, reason=error)) from error
    try:
        grid = GridFile.model_validate(_paper_by_corpora(content))
    except ValidationError as error:
        raise ExperimentError(Errors.DN302.format(path=path, problems=problems(error, "the grid"))) from error
    for variant in grid.variants.values():
        if not (path.parent / variant.config).is_file():
            raise ExperimentError(Errors.DN303.format(path=path, config=variant.config, folder=path.parent))
    named: list[tuple[str, str, Mapping | None]] = [("corpora", "paper", grid.paper)]
    named += [("variants", f"paper, {corpora}", variants) for corpora, variants in (grid.paper or {}).items()]
    if small:
        if grid.small is None:
            raise ExperimentError(Errors.DN302.format(path=path, problems="in small, missing: everything"))
        chosen = grid.small.model_dump(exclude_none=True)
        named += [(block, f"small, {block}", chosen.get(block)) for block in ("corpora", "variants")]
    for block, where, names in named:
        known = getattr(grid, block)
        for name in names or ():
            if name not in known:
                raise ExperimentError(Errors.DN308.format(path=path, where=where, name=name, known=", ".join(known)))
    if small:
        for block in ("corpora", "variants"):
            if block in chosen:
                chosen[block] = {name: getattr(grid, block)[name] for name in chosen[block]}
        grid = grid.model_copy(update=chosen)
    for size in grid.sizes:
        if not is_size(size):
            raise ExperimentError(Errors.DN304.format(path=path, size=size))
    paper = {
        corpora: {name: {label(size): value for size, value in sizes.items()} for name, sizes in variants.items()}
        for corpora, variants in (grid.paper or {}).items()
    }
    return Grid(grid.title or path.stem, list(_runs(grid, path)), paper)


def _paper_by_corpora(content: Any) -> Any:
    """Put the paper's numbers below each name of corpora: without such they are the same for all."""
    if isinstance(content, dict) and isinstance(paper := content.get("paper"), dict):
        corpora = content.get("corpora")
        if paper and isinstance(corpora, dict) and not any(name in corpora for name in paper):
            return {**content, "paper": dict.fromkeys(corpora, paper)}
    return content


def is_size(size: Any) -> bool:
    """Tell whether something is a number of sentences, a share of them, or "all"."""
    if isinstance(size, int):
        return size >= 0 and not isinstance(size, bool)
    return size == ALL or (isinstance(size, float) and 0.0 < size <= 1.0)


def _runs(grid: GridFile, path: Path) -> Iterator[Run]:
    folder = path.parent
    configs = {name: Path(_place(folder, variant.config)) for name, variant in grid.variants.items()}
    settings = {name: _read_config(path, config) for name, config in configs.items()}
    for corpora, block in grid.corpora.items():
        paths = block.model_dump()
        for name, variant in grid.variants.items():
            for size in grid.sizes:
                for seed in grid.seeds:
                    overrides = {f"paths.{key}": paths[key] for key in settings[name].get("paths", ()) if key in paths}
                    overrides |= {
                        key: paths[key] for key in paths if "." in key and not _is_of_another(settings[name], key)
                    }
                    for part in (grid, variant):
                        overrides |= part.overrides or {}
                    for part in (grid, variant):
                        by_size = {label(key): value for key, value in (part.overrides_by_size or {}).items()}
                        overrides |= by_size.get(label(size), {})
                    overrides |= {"system.seed": seed, "corpora.train.seed": seed} | limit(size)
                    written = {
                        key: value
                        for key, value in overrides.items()
                        if key.startswith("paths.") and value and isinstance(value, str)
                    }
                    overrides |= {key: _place(folder, value) for key, value in written.items()}
                    written["test"] = block.test
                    test = Path(_place(folder, block.test))
                    yield Run(corpora, name, size, seed, configs[name], overrides, test, written)


def _is_of_another(config: Config, name: str) -> bool:
    """Tell whether a setting is one of a component that the pipeline of a config does not have."""
    first, component, *_ = name.split(".")
    return first == "components" and component not in config.get("components", {})


def _read_config(path: Path, config: Path) -> Config:
    try:
        return load_config(config)
    except (OSError, ValueError, KeyError, ConfigParserError) as error:
        raise ExperimentError(Errors.DN314.format(path=path, config=config, reason=error)) from error


def _place(folder: Path, path: str) -> str:
    """Say where a path is for who looks from the current folder; a package, which may hold vectors, has no path."""
    return path if is_package(path) else os.path.normpath(folder / path)


def limit(size: Size) -> Overrides:
    """Set how many target sentences the reader gives."""
    return {
        "corpora.train.target_count": size if isinstance(size, int) else None,
        "corpora.train.target_ratio": size if isinstance(size, float) else None,
    }
