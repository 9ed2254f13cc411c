"""What a folder of runs holds: the grid that was asked for, and its manifest, one line of JSON per run."""

import json
import lzma
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import srsly
from filelock import FileLock, Timeout
from pydantic import BaseModel, ConfigDict, Field, FiniteFloat, PlainValidator, ValidationError, model_validator

from ..corpora.files import replacing
from ..errors import Errors
from ._problems import ExperimentError, about, problems
from .grid import Grid
from .runs import Size

NAME = "manifest.jsonl"
GRID = "grid.json"
LOCK = ".lock"


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


class GridRun(BaseModel):
    """A run as grid.json has it."""

    key: str
    corpora: str
    variant: str
    size: Size
    seed: int
    test: str


class GridJson(BaseModel):
    """What grid.json holds, see `write_grid`."""

    title: str
    command: str
    current: str
    paper: list[tuple[str, str, Size, FiniteFloat]]
    runs: list[GridRun] = Field(min_length=1)


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
    """The records of the runs in a folder: manifest.jsonl, and before it, if there is one, a packed
    manifest.jsonl.xz, to which nothing is added.

    folder (Path): The folder; it is made when something is added.
    """

    def __init__(self, folder: Path):
        """Open the manifest of a folder."""
        self.folder = folder
        self.path = folder / NAME

    def lines(self) -> Iterator[tuple[Path, int, dict[str, Any]]]:
        """Yield each record with its file and line, in the order of writing. A run that was repeated has several."""
        for path, opener in ((self.path.with_name(f"{NAME}.xz"), lzma.open), (self.path, open)):
            if path.exists():
                yield from ((path, number, record) for number, record in _read(path, opener))

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
        self.folder.mkdir(parents=True, exist_ok=True)
        with about(self.path), self.path.open("ab+") as file:
            file.seek(0)
            file.truncate(file.read().rfind(b"\n") + 1)  # a line that was not finished makes room
            file.write(json.dumps(record, ensure_ascii=False).encode("utf8") + b"\n")
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


def write_grid(folder: Path, grid: Grid, command: str) -> None:
    """Write down what a folder of runs is for.

    folder (Path): The folder.
    grid (Grid): The grid that is run.
    command (str): How it was started.
    """
    records = Manifest(folder).latest()
    names = ("corpora", "variant", "size", "seed")
    runs = [
        {"key": run.key_in(records), **{name: getattr(run, name) for name in names}, "test": str(run.test)}
        for run in grid.runs
    ]
    paper = [
        [corpora, variant, size, value]
        for corpora, variants in grid.paper.items()
        for variant, sizes in variants.items()
        for size, value in sizes.items()
    ]
    content = {"title": grid.title, "command": command, "current": os.getcwd(), "paper": paper, "runs": runs}
    with replacing(folder / GRID) as file:
        file.write(srsly.json_dumps(content).encode("utf8"))


def read_grid_json(folder: Path) -> GridJson:
    """Read what `write_grid` wrote."""
    path = folder / GRID
    if not path.is_file():
        raise ExperimentError(Errors.DN309.format(folder=folder))
    try:
        return GridJson.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        reason = problems(error, "the grid") if isinstance(error, ValidationError) else error
        raise ExperimentError(Errors.DN316.format(path=path, problems=reason)) from error
