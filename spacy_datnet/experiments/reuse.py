"""Runs that another grid has done already: many grids have the full model among their variants."""

import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import Errors
from ._problems import ExperimentError
from .engines import UNFINISHED
from .grid import Run
from .manifest import NAME, Manifest
from .results import MODELS


def reuse(
    runs: Iterable[Run], folder: Path, places: Iterable[Path], *, with_models: bool = False
) -> Iterator[tuple[Run, dict[str, Any]]]:
    """Copy from other folders of runs what they have done: the same config, settings, corpora, size and seed.

    runs (Iterable[Run]): The runs that are wanted.
    folder (Path): The folder that they are for.
    places (Iterable[Path]): The other folders, or folders that hold such.
    with_models (bool): Whether only runs will do whose trained models were kept. Defaults to False.
    YIELDS (Tuple[Run, Dict[str, Any]]): Each run that was found, with its record; its folder has been copied.
    """
    done = {}
    for other in _folders_of_runs(places):
        if other.resolve() != folder.resolve():
            done |= {key: (other, record) for key, record in Manifest(other).latest().items() if not record["error"]}
    for run in runs:
        if run.key not in done:
            continue
        other, record = done[run.key]
        kept = other / run.key
        if _paths(record["overrides"]) != _paths(run.overrides) or not kept.is_dir():
            continue
        if with_models and not (kept / MODELS).is_dir():
            continue
        final, unfinished = folder / run.key, folder / f"{run.key}{UNFINISHED}"
        for leftover in (unfinished, final):  # of a process that was killed before the record was written
            shutil.rmtree(leftover, ignore_errors=True)
        shutil.copytree(kept, unfinished, ignore=None if with_models else shutil.ignore_patterns(MODELS))
        unfinished.rename(final)
        yield run, record


def _folders_of_runs(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if not place.is_dir():
            raise ExperimentError(Errors.DN313.format(folder=place))
        yield from sorted(path.parent for path in [*place.glob(NAME), *place.glob(f"*/{NAME}")])


def _paths(overrides: dict[str, Any]) -> dict[str, Any]:
    """Pick the corpora: a key knows them by what the grid calls them, which may be something else elsewhere."""
    return {name: value for name, value in overrides.items() if name.startswith("paths.")}
