"""Who does the runs: the workers of a Ray cluster."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ..errors import Errors
from ._problems import ExperimentError
from .engines import failure, remove_unfinished, work
from .grid import Run

# how often a run is begun again whose worker has died
RETRIES = 2


def run_on_ray(
    runs: Iterable[Run],
    folder: Path,
    *,
    workers: int,
    settings: dict[str, Any],
    keep_models: bool,
    address: str | None = None,
) -> Iterator[tuple[Run, dict[str, Any]]]:
    """Do runs on a Ray cluster, each in a process of its own. A run whose worker dies is begun again, twice at most.

    Nothing but the run and its record goes through Ray: a worker opens configs and corpora by their paths, and writes
    what it makes to the folder. On a cluster of several machines, the current folder must be one that all of them
    have, and spacy-datnet must be installed on each.

    runs (Iterable[Run]): The runs.
    folder (Path): The folder of all runs.
    workers (int): How many at once.
    settings (Dict[str, Any]): Settings of `execute`. A run takes as many processors of the cluster as it has threads.
    keep_models (bool): Whether the trained models stay.
    address (Optional[str]): The address of a cluster. Defaults to one that is started on this machine and ends with
        the runs.
    YIELDS (Tuple[Run, Dict[str, Any]]): Each run with its record, in the order in which they end.
    """
    try:
        import ray
    except ImportError as error:
        raise ExperimentError(Errors.DN307) from error
    remove_unfinished(folder)
    processors = {"num_cpus": workers * settings["threads"]} if address is None else {}
    ray.init(address=address, log_to_driver=False, include_dashboard=False if address is None else None, **processors)
    try:
        needs = {"num_cpus": settings["threads"], "num_gpus": int(settings["use_gpu"] >= 0)}
        # max_calls: a new process for each run, so that its memory is its own
        task = ray.remote(max_calls=1, max_retries=RETRIES, **needs)(_work_in)
        waiting, active = iter(runs), {}
        while True:
            while len(active) < workers and (run := next(waiting, None)) is not None:
                active[task.remote(Path.cwd(), run, folder, settings, keep_models)] = run
            if not active:
                return
            ready, _ = ray.wait(list(active))
            for reference in ready:
                run = active.pop(reference)
                try:
                    record = ray.get(reference)
                except ray.exceptions.RayError as error:
                    record = failure(run, f"{type(error).__name__}: {error}")
                yield run, record
    finally:
        ray.shutdown()


def _work_in(current: Path, *args: Any) -> dict[str, Any]:
    os.chdir(current)
    return work(*args)
