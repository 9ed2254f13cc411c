"""The manifest of a grid: one line of JSON per run, never half-written."""

import gzip
import json
import lzma
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PlainValidator, ValidationError, model_validator

from ..errors import Errors
from ._problems import ExperimentError, about, problems
from .runs import Size

NAME = "manifest.jsonl"
LOCK = ".lock"
OPENERS = {"": open, ".xz": lzma.open, ".gz": gzip.open}


def _counts(value: Any) -> np.ndarray:
    counts = np.asarray(value)
    if counts.ndim != 2 or counts.shape[1] != 3 or counts.dtype.kind != "i" or counts.min() < 0:
        raise ValueError("should be three counts per sentence: correct, predicted and annotated ones")
    return counts


class Step(BaseModel):
    """An evaluation during training."""

    step: int
    losses: dict[str, dict[str, float | None]]


class Record(BaseModel):
    """A run that failed, and what is known of all."""

    model_config = ConfigDict(extra="allow", arbitrary_types_allowed=True)
    key: str
    corpora: str
    variant: str
    size: Size
    seed: int
    error: str | None


class Done(Record):
    """A run that ended well, see `training.execute`."""

    error: None
    score: Annotated[str, Field(pattern="^(ents_f|tag_acc|pos_acc|spans_.+_f)$")]
    dev: dict[str, Any]
    test: dict[str, Any]
    counts: Annotated[np.ndarray, PlainValidator(_counts)]
    curve: list[Step]
    steps: int
    best_step: int
    ids: list[int]
    seconds: FiniteFloat
    peak_mb: int | None
    versions: dict[str, str]

    @model_validator(mode="after")
    def _has_its_score(self) -> "Done":
        for part in (self.dev, self.test):
            value = part.get(self.score)
            if not isinstance(value, (int, float)) or not 0 <= value <= 1:
                raise ValueError(f"{self.score} should be between 0 and 1 in dev and test")
        return self


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes from doing runs in a folder, which is made if it is not there. The lock ends with the
    process, however that ends."""
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(folder / LOCK, timeout=0):
            yield
    except Timeout as error:
        raise ExperimentError(Errors.DN312.format(folder=folder)) from error


class Manifest:
    """The records of the runs in a folder: manifest.jsonl, and before it, if there is one, a packed manifest.jsonl.xz
    or .gz, to which nothing is added.

    folder (Path): The folder; it is made when something is added.
    """

    def __init__(self, folder: Path):
        """Open the manifest of a folder."""
        self.folder = folder
        self.path = folder / NAME

    def lines(self) -> Iterator[tuple[Path, int, dict[str, Any]]]:
        """Yield each record with its file and line, in the order of writing. A run that was repeated has several."""
        for suffix in (".xz", ".gz", ""):
            path = self.path.with_name(f"{NAME}{suffix}")
            if path.exists():
                yield from ((path, number, record) for number, record in _read(path, OPENERS[suffix]))

    def records(self) -> Iterator[dict[str, Any]]:
        """Yield the records in the order of writing."""
        return (record for *_, record in self.lines())

    def latest(self) -> dict[str, dict[str, Any]]:
        """Collect the last record of each run, by its key."""
        return {record["key"]: record for record in self.records()}

    def checked(self) -> dict[str, Record]:
        """Collect the last record of each run, by its key, and look whether it is what it should be."""
        latest = {record["key"]: (path, line, record) for path, line, record in self.lines()}
        found: dict[str, Record] = {}
        for key, (path, line, record) in latest.items():
            try:
                found[key] = (Record if record.get("error") else Done).model_validate(record)
            except ValidationError as error:
                reason = problems(error, "the record")
                raise ExperimentError(Errors.DN315.format(path=path, line=line, problems=reason)) from error
        return found

    def add(self, record: dict[str, Any]) -> None:
        """Write a record to the end, and to the disk."""
        line = json.dumps(record, ensure_ascii=False) + "\n"
        with about(self.path):
            self.folder.mkdir(parents=True, exist_ok=True)
            self._append(line.encode("utf8"))

    def _append(self, line: bytes) -> None:
        with self.path.open("ab+") as file:
            # a line that was not finished makes room
            file.seek(0)
            whole = file.read().rfind(b"\n") + 1
            file.truncate(whole)
            file.seek(whole)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())


def _read(path: Path, opener: Any) -> Iterator[tuple[int, dict[str, Any]]]:
    number = 0
    try:
        with opener(path, "rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.endswith(b"\n"):
                    return  # the machine stopped while it was written; `add` will replace it
                record = json.loads(line)
                if not isinstance(record, dict) or not isinstance(record.get("key"), str):
                    raise ValueError("no record of a run")
                yield number, record
    except (OSError, EOFError, ValueError, lzma.LZMAError, RecursionError) as error:
        raise ExperimentError(Errors.DN305.format(path=path, line=number, reason=error)) from error
