"""Who does the runs: processes of this machine, or the workers of a Ray cluster."""

import multiprocessing
import os
import shutil
import signal
import traceback
from collections.abc import Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from ..errors import Errors
from ..processes import START, schedule, watch_parent
from ._problems import ExperimentError
from .runs import Run

UNFINISHED = ".unfinished"
MODELS = "models"
# how a training ends that was told to, and has saved its state
INTERRUPTED = (128 + signal.SIGINT, 128 + signal.SIGTERM)
# how often Ray begins a run again whose worker has died
RETRIES = 2

Outcome = tuple[Run, dict[str, Any]]


def work(run: Run, folder: Path, settings: dict[str, Any], keep_models: bool) -> dict[str, Any]:
    """Do a run in a folder that has its final name only when all is there; what an interrupted one left goes on.

    run (Run): What to do.
    folder (Path): The folder of all runs; that of this one is called by its key.
    settings (Dict[str, Any]): Settings of `execute`.
    keep_models (bool): Whether the trained models stay.
    RETURNS (Dict[str, Any]): The record. If the run failed, its `error` says why.
    """
    # spaCy and torch, which the process that watches the others does not need
    from .training import execute

    final, unfinished = folder / run.key, folder / f"{run.key}{UNFINISHED}"
    try:
        unfinished.mkdir(parents=True, exist_ok=True)
        record = execute(run, unfinished, **settings)
    except (Exception, SystemExit) as error:
        if isinstance(error, SystemExit) and error.code in INTERRUPTED:
            raise
        return failure(run, f"{type(error).__name__}: {error}", traceback.format_exc())
    if not keep_models:
        shutil.rmtree(unfinished / MODELS)
    shutil.rmtree(final, ignore_errors=True)
    unfinished.rename(final)
    return record


def failure(run: Run, error: str, details: str = "") -> dict[str, Any]:
    """Make the record of a run that failed."""
    return {**run.facts(), "error": error, "traceback": details}


def run_here(
    runs: list[Run], folder: Path, *, settings: dict[str, Any], keep_models: bool, **others: Any
) -> Iterator[Outcome]:
    """Do runs in this process, one after the other, and show their training; see `run_locally`."""
    for run in runs:
        yield run, work(run, folder, {**settings, "show": True}, keep_models)


def run_locally(
    runs: list[Run], folder: Path, *, workers: int, settings: dict[str, Any], keep_models: bool
) -> Iterator[Outcome]:
    """Do runs in processes of this machine, one new process each: its memory is its own, and so is its end.

    Process pools of the libraries give a worker's memory back only when it retires, and lose the other runs, or wait
    for ever, when a worker is killed. Where processes can be forked, spaCy and torch are imported once for all.

    runs (List[Run]): The runs.
    folder (Path): The folder of all runs.
    workers (int): How many at once.
    settings (Dict[str, Any]): Settings of `execute`.
    keep_models (bool): Whether the trained models stay.
    YIELDS (Tuple[Run, Dict[str, Any]]): Each run with its record, in the order in which they end.
    """
    context: Any = multiprocessing.get_context(START)
    if START == "forkserver":
        context.set_forkserver_preload(["spacy_datnet.experiments.training"])
    processes: dict[Connection, Any] = {}

    def start(run: Run) -> Connection:
        receiver, sender = context.Pipe(duplex=False)
        process = context.Process(target=_work_and_send, args=(sender, run, folder, settings, keep_models))
        process.start()
        sender.close()  # so that the end of the process is the end of the connection
        processes[receiver] = process
        return receiver

    def result(run: Run, receiver: Connection) -> dict[str, Any]:
        process = processes.pop(receiver)
        with receiver:
            try:
                return receiver.recv()
            except EOFError:
                process.join()
                return failure(run, Errors.DN306.format(code=process.exitcode))
            finally:
                process.join()

    try:
        for run, receiver in schedule(runs, workers, start, wait):
            yield run, result(run, receiver)
    finally:
        # a training saves its state after the step it is in
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            process.join()


def _work_and_send(connection: Connection, *args: Any) -> None:
    # an interrupt from the keyboard goes to all processes; the one that watches ends the others
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    watch_parent()
    connection.send(work(*args))


def run_on_ray(
    runs: list[Run],
    folder: Path,
    *,
    workers: int,
    settings: dict[str, Any],
    keep_models: bool,
    address: str | None = None,
) -> Iterator[Outcome]:
    """Do runs on a Ray cluster, each in a process of its own. A run whose worker dies is begun again, twice at most.

    Nothing but the run and its record goes through Ray: a worker opens configs and corpora by their paths, and writes
    what it makes to the folder. On a cluster of several machines, the current folder must be one that all of them
    have, and spacy-datnet must be installed on each. A run takes as many processors as it has threads.

    address (Optional[str]): The address of a cluster. Defaults to one that is started on this machine and ends with
        the runs. The other arguments are those of `run_locally`.
    """
    try:
        import ray
    except ImportError as error:
        raise ExperimentError(Errors.DN307) from error
    processors = {"num_cpus": workers * settings["threads"]} if address is None else {}
    ray.init(address=address, log_to_driver=False, include_dashboard=False if address is None else None, **processors)
    needs = {"num_cpus": settings["threads"], "num_gpus": int(settings["use_gpu"] >= 0)}
    # max_calls: a new process for each run, so that its memory is its own
    task = ray.remote(max_calls=1, max_retries=RETRIES, **needs)(_work_in)

    def result(run: Run, reference: Any) -> dict[str, Any]:
        try:
            return ray.get(reference)
        except ray.exceptions.RayError as error:
            return failure(run, f"{type(error).__name__}: {error}")

    try:
        start = lambda run: task.remote(Path.cwd(), run, folder, settings, keep_models)  # noqa: E731
        for run, reference in schedule(runs, workers, start, lambda active: ray.wait(active)[0]):
            yield run, result(run, reference)
    finally:
        ray.shutdown()


def _work_in(current: Path, *args: Any) -> dict[str, Any]:
    os.chdir(current)
    return work(*args)


def remove_unfinished(folder: Path, runs: list[Run]) -> None:
    """Remove what other runs than these left that were killed."""
    for leftover in folder.glob(f"*{UNFINISHED}"):
        if leftover.name not in {f"{run.key}{UNFINISHED}" for run in runs}:
            shutil.rmtree(leftover)
