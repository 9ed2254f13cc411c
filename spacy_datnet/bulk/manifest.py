"""The manifest of a bulk annotation: what it was begun with, and a line on each shard that is done."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from ..corpora import replacing
from ..errors import Errors

NAME, LOCK = "manifest.ndjson", ".lock"
REJECTED = ".rejected.ndjson"
N_SHOWN = 3


class BulkError(ValueError):
    """Documents can't be annotated as asked."""


class Manifest:
    """The manifest in the folder of the shards.

    folder (Path): The folder.
    done (dict): The line on each shard that is done, by its number.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.path = folder / NAME
        self.done: dict[int, dict[str, Any]] = {}

    @contextmanager
    def open(self, start: dict[str, str], restart: bool) -> Iterator[None]:
        """Begin, or go on with what was begun in the same way; no other process can meanwhile.

        start (dict): What makes it the same: a checksum of each thing by its name.
        restart (bool): Whether to remove what was done, and begin anew.
        """
        if self.folder.is_file() or (not self.path.exists() and any(self.folder.glob("[!.]*"))):
            raise BulkError(Errors.DN345.format(folder=self.folder))
        self.folder.mkdir(parents=True, exist_ok=True)
        try:
            with FileLock(self.folder / LOCK, timeout=0):
                if restart:
                    self._clear()
                if self.path.exists():
                    self._go_on(start)
                else:
                    with replacing(self.path) as file:
                        file.write(_line(start))
                yield
        except Timeout as error:
            raise BulkError(Errors.DN346.format(folder=self.folder)) from error

    def add(self, record: dict[str, Any]) -> None:
        """Write down that a shard is done."""
        with self.path.open("ab") as file:
            file.write(_line(record))
        self.done[record["shard"]] = record

    def _go_on(self, start: dict[str, str]) -> None:
        lines = self.path.read_bytes().splitlines(keepends=True)
        if lines and not lines[-1].endswith(b"\n"):  # the end came while it was written
            with replacing(self.path) as file:
                file.writelines(lines := lines[:-1])
        try:
            before, *records = map(json.loads, lines)
            changes = sorted(name for name in {*before, *start} if before.get(name) != start.get(name))
            for record in records:
                path = self.folder / record["file"]
                if path.exists() and path.stat().st_size == record["bytes"]:
                    self.done[record["shard"]] = record
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise BulkError(Errors.DN347.format(path=self.path, reason=error)) from error
        if changes:
            more = f" and {len(changes) - N_SHOWN} more" if len(changes) > N_SHOWN else ""
            raise BulkError(Errors.DN348.format(folder=self.folder, changes=", ".join(changes[:N_SHOWN]) + more))
        for leftover in self.folder.glob(".*.tmp"):
            leftover.unlink()

    def _clear(self) -> None:
        for path in [*self.folder.glob("[0-9]*.*"), *self.folder.glob(".*.tmp"), self.path]:
            path.unlink(missing_ok=True)


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False).encode("utf8") + b"\n"
