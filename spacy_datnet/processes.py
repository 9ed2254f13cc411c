"""Processes that work for another: how they are started, kept busy, and end with it."""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from multiprocessing.connection import wait
from typing import Any, TypeVar

# a server that is forked has no threads and no GPU yet, unlike the process that watches
START = "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"

Task = TypeVar("Task")


def schedule(
    tasks: Iterable[Task], workers: int, start: Callable[[Task], Any], ready: Callable[[list[Any]], Iterable[Any]]
) -> Iterator[tuple[Task, Any]]:
    """Have so many tasks at work at once, and yield each with its handle when it ends.

    tasks (Iterable): The tasks.
    workers (int): How many at once.
    start (Callable): Begins a task and gives its handle.
    ready (Callable): Waits until some handles are ready, and gives these.
    YIELDS (Tuple[Any, Any]): The task and its handle.
    """
    waiting = iter(tasks)
    active: dict[Any, Task] = {}
    while True:
        while len(active) < workers and (task := next(waiting, None)) is not None:
            active[start(task)] = task
        if not active:
            return
        for handle in ready(list(active)):
            yield active.pop(handle), handle


def watch_parent() -> None:
    """Let this process end when the one that started it is gone, even if that was killed."""
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    if (parent := multiprocessing.parent_process()) is not None:
        wait([parent.sentinel])
        os._exit(1)
