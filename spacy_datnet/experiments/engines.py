"""Who does the runs: processes of this machine."""

import multiprocessing
import os
import shutil
import signal
import threading
import traceback
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any

from ..errors import Errors
from .grid import Run

UNFINISHED = ".unfinished"
# a server that is forked has no threads and no GPU yet, unlike the process that watches
START = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def work(run: Run, folder: Path, settings: dict[str, Any], keep_models: bool) -> dict[str, Any]:
    """Do a run in a folder that has its final name only when all is there.

    run (Run): What to do.
    folder (Path): The folder of all runs; that of this one is called by its key.
    settings (Dict[str, Any]): Settings of `execute`.
    keep_models (bool): Whether the trained models stay.
    RETURNS (Dict[str, Any]): The record. If the run failed, its `error` says why.
    """
    # spaCy and torch, which the process that watches the others does not need
    from .results import MODELS
    from .training import execute

    final, unfinished = folder / run.key, folder / f"{run.key}{UNFINISHED}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    try:
        record = execute(run, unfinished, **settings)
    except (Exception, SystemExit) as error:
        return failure(run, f"{type(error).__name__}: {error}", traceback.format_exc())
    if not keep_models:
        shutil.rmtree(unfinished / MODELS)
    shutil.rmtree(final, ignore_errors=True)
    unfinished.rename(final)
    return record


def failure(run: Run, error: str, details: str = "") -> dict[str, Any]:
    """Make the record of a run that failed."""
    return {
        "key": run.key,
        "corpora": run.corpora,
        "variant": run.variant,
        "size": run.size,
        "seed": run.seed,
        "config": str(run.config),
        "overrides": run.overrides,
        "error": error,
        "traceback": details,
    }


def remove_unfinished(folder: Path) -> None:
    """Remove what runs left that were killed."""
    for leftover in folder.glob(f"*{UNFINISHED}"):
        shutil.rmtree(leftover)


def _work_and_send(connection: Connection, *args: Any) -> None:
    # an interrupt from the keyboard goes to all processes; the one that watches ends the others
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    connection.send(work(*args))


def _end_with_parent() -> None:
    """End this process when the one that watches is gone, even if that was killed."""
    wait([multiprocessing.parent_process().sentinel])
    os._exit(1)


def run_locally(
    runs: Iterable[Run], folder: Path, *, workers: int, settings: dict[str, Any], keep_models: bool
) -> Iterator[tuple[Run, dict[str, Any]]]:
    """Do runs in processes of this machine, one new process each: its memory is its own, and so is its end.

    Where processes can be forked, spaCy and torch are imported once for all of them.

    runs (Iterable[Run]): The runs.
    folder (Path): The folder of all runs.
    workers (int): How many at once.
    settings (Dict[str, Any]): Settings of `execute`.
    keep_models (bool): Whether the trained models stay.
    YIELDS (Tuple[Run, Dict[str, Any]]): Each run with its record, in the order in which they end.
    """
    remove_unfinished(folder)
    context = multiprocessing.get_context(START)
    if START == "forkserver":
        context.set_forkserver_preload(["spacy_datnet.experiments.training"])
    waiting = iter(runs)
    active: dict[Connection, tuple[Run, Any]] = {}
    try:
        while True:
            while len(active) < workers and (run := next(waiting, None)) is not None:
                receiver, sender = context.Pipe(duplex=False)
                process = context.Process(target=_work_and_send, args=(sender, run, folder, settings, keep_models))
                process.start()
                sender.close()  # so that the end of the process is the end of the connection
                active[receiver] = run, process
            if not active:
                return
            for receiver in wait(list(active)):
                run, process = active.pop(receiver)
                try:
                    record = receiver.recv()
                except EOFError:
                    process.join()
                    record = failure(run, Errors.DN306.format(code=process.exitcode))
                process.join()
                receiver.close()
                yield run, record
    finally:
        for run, process in active.values():
            process.terminate()
            process.join()
            shutil.rmtree(folder / f"{run.key}{UNFINISHED}", ignore_errors=True)
