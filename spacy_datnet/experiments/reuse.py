"""Runs that another grid has done already: many grids have the full model among their variants."""

import shutil
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import Errors
from ._problems import ExperimentError
from .engines import MODELS, UNFINISHED
from .manifest import NAME, Manifest
from .runs import Run


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
    done: defaultdict[str, list[tuple[Path, dict[str, Any]]]] = defaultdict(list)
    for other in _folders_of_runs(places):
        if other.resolve() != folder.resolve():
            for key, record in Manifest(other).latest().items():
                done[key].append((other / key, record))
    for run in runs:
        found = [pair for pair in done[run.key] if _is_usable(*pair, run, with_models=with_models)]
        if not found:
            continue
        kept, record = found[0]
        final, unfinished = folder / run.key, folder / f"{run.key}{UNFINISHED}"
        for leftover in (unfinished, final):  # of a process that was killed before the record was written
            shutil.rmtree(leftover, ignore_errors=True)
        shutil.copytree(kept, unfinished, ignore=None if with_models else shutil.ignore_patterns(MODELS))
        unfinished.rename(final)
        yield run, record


def _is_usable(kept: Path, record: dict[str, Any], run: Run, *, with_models: bool) -> bool:
    """Tell whether the folder that a run of the same key left can stand for a run."""
    if record.get("error") or _unseen(record.get("overrides", {}), run) != _unseen(run.overrides, run):
        return False
    return kept.is_dir() and (not with_models or (kept / MODELS).is_dir())


def _folders_of_runs(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if not place.is_dir():
            raise ExperimentError(Errors.DN313.format(folder=place))
        yield from sorted(path.parent for path in [*place.glob(NAME), *place.glob(f"*/{NAME}")])


def _unseen(overrides: dict[str, Any], run: Run) -> dict[str, Any]:
    """Pick the files that are not there: a key knows them by what the grid calls them, maybe another elsewhere."""
    return {name: value for name, value in overrides.items() if name.startswith("paths.") and name not in run.files}
