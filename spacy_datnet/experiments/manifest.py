"""The manifest of a grid: one line of JSON per run, never half-written."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..errors import Errors
from ._problems import ExperimentError

NAME = "manifest.jsonl"
LOCK = ".lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from doing runs in a folder. The lock ends with the process, however that ends.

    folder (Path): The folder; it is made if it is not there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ExperimentError(Errors.DN312.format(folder=folder)) from error
    try:
        yield
    finally:
        lock.release()


class Manifest:
    """The records of the runs in a folder.

    folder (Path): The folder; it is made if it is not there.
    """

    def __init__(self, folder: Path):
        """Open the manifest of a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.path = folder / NAME

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the records in the order of writing. A run that was repeated has several."""
        if not self.path.exists():
            return
        with self.path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return  # the machine stopped while it was written; `add` will replace it
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise ExperimentError(Errors.DN305.format(path=self.path, line=number)) from error

    def latest(self) -> dict[str, dict[str, Any]]:
        """Collect the last record of each run, by its key."""
        return {record["key"]: record for record in self.records()}

    def add(self, record: dict[str, Any]) -> None:
        """Write a record to the end, and to the disk."""
        line = json.dumps(record, ensure_ascii=False) + "\n"
        with self.path.open("ab+") as file:
            end = file.seek(0, os.SEEK_END)
            if end:
                file.seek(end - 1)
                if file.read(1) != b"\n":
                    self._cut(file)
            file.write(line.encode("utf8"))
            file.flush()
            os.fsync(file.fileno())

    def _cut(self, file: Any) -> None:
        """Remove a line that was not finished."""
        file.seek(0)
        file.truncate(file.read().rfind(b"\n") + 1)
        file.seek(0, os.SEEK_END)
