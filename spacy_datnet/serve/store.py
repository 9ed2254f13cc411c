"""The queue of texts to annotate, and the answers to them in an SQLite file beside it."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from statistics import median
from threading import Lock
from typing import Annotated, Any, Literal, NamedTuple, cast

from pydantic import (
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from spacy.util import filter_spans

from ..corpora import CorpusError, read_raw
from ..errors import Errors

# one row for each change, so that nothing is overwritten; the last is what holds
SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT, version INTEGER, answer TEXT, spans TEXT, seconds REAL, at TEXT DEFAULT CURRENT_TIMESTAMP,
    PRIMARY KEY (key, version)
);
CREATE TABLE IF NOT EXISTS about (name TEXT PRIMARY KEY, value TEXT);
"""
SAVE = """
INSERT INTO answers (key, version, answer, spans, seconds)
SELECT :key, :version + 1, :answer, :spans, :seconds
WHERE :version = (SELECT coalesce(max(version), 0) FROM answers WHERE key = :key)
"""


class Borders(BaseModel):
    """Where something begins and ends, in code points."""

    start: int = Field(ge=0)
    end: int


class Span(Borders):
    """A span of a text with its label, and how sure a pipeline is of it."""

    label: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
    score: float | None = Field(None, validation_alias=AliasChoices("score", "confidence"))


class Task(BaseModel):
    """A text of the queue. What else its record says is kept.

    asked (Optional[List[int]]): The numbers of the tokens that are to be annotated, if not all are.
    """

    model_config = ConfigDict(extra="allow")

    text: str = Field(min_length=1)
    tokens: list[Borders] | None = None
    spans: list[Span] | None = None
    asked: list[int] | None = None
    meta: dict[str, Any] = {}

    @field_validator("tokens", "spans")
    @classmethod
    def _fits(cls, borders: list[Any] | None, info: ValidationInfo) -> list[Any] | None:
        text = info.data.get("text", "")
        for one in borders or ():
            if not one.start < one.end <= len(text):
                raise ValueError(f"{one.start} to {one.end} is no part of a text of {len(text)} code points")
        return borders


class Answer(BaseModel):
    """What an annotator says of a text.

    version (int): The version of the answer that it replaces; 0 if there is none.
    answer (Optional[str]): None takes an answer back.
    spans (List[Span]): What is annotated.
    seconds (float): How long it took.
    """

    version: int
    answer: Literal["accept", "reject", "ignore"] | None
    spans: list[Span]
    seconds: float = 0.0


class Saved(NamedTuple):
    """The newest answer to a text."""

    version: int = 0
    answer: str | None = None
    spans: str | None = None
    seconds: float = 0.0


class Queue:
    """Texts to annotate, and the answers to them: each is on the disk before `save` returns.

    path (Path): JSON lines as `suggest` and Prodigy write them, or other raw text: see `corpora.raw`.
    """

    def __init__(self, path: Path):
        self.path = path
        self.file = path.with_suffix(".answers.sqlite")
        self.tasks = list(_read(path))
        if not self.tasks:
            raise CorpusError(Errors.DN372.format(path=path))
        # a queue that is written anew, in another order or longer, finds its answers again
        seen: Counter[str] = Counter()
        self.keys = []
        for task in self.tasks:
            digest = sha256(task.text.encode()).hexdigest()
            self.keys.append(f"{digest}.{seen[digest]}")
            seen[digest] += 1
        self._lock = Lock()
        try:
            self._database = sqlite3.connect(self.file, timeout=30, isolation_level=None, check_same_thread=False)
            self._database.execute("PRAGMA journal_mode=WAL")
            self._database.execute("PRAGMA synchronous=FULL")
            self._database.executescript(SCHEMA)
            self.saved()
        except sqlite3.Error as error:
            raise CorpusError(Errors.DN373.format(path=self.file, reason=error)) from error

    def remember(self, name: str, value: str) -> str:
        """Keep a value with the answers, unless there is one of that name; give the one that is there."""
        with self._lock:
            self._database.execute("INSERT OR IGNORE INTO about VALUES (?, ?)", (name, value))
            return self._database.execute("SELECT value FROM about WHERE name = ?", (name,)).fetchone()[0]

    def saved(self) -> dict[str, Saved]:
        """Read the newest answer to each text, by the keys of the texts."""
        newest = "SELECT key, max(version), answer, spans, seconds FROM answers GROUP BY key ORDER BY rowid"
        with self._lock:
            return {key: Saved(*row) for key, *row in self._database.execute(newest)}

    def save(self, number: int, answer: Answer) -> bool:
        """Save an answer; tell whether that was possible, and not someone has answered since.

        number (int): The number of the text.
        answer (Answer): The answer.
        """
        Task(text=self.tasks[number].text, spans=answer.spans)
        spans = _without_overlaps(answer.spans)
        row = {
            "key": self.keys[number],
            "version": answer.version,
            "answer": answer.answer,
            "spans": json.dumps([one.model_dump(exclude_none=True) for one in spans], ensure_ascii=False),
            "seconds": answer.seconds,
        }
        with self._lock:
            return self._database.execute(SAVE, row).rowcount == 1

    def progress(self) -> dict[str, Any]:
        """Count the answers of each kind, and estimate the seconds that the rest will take."""
        saved = self.saved()
        answered = [one for key in self.keys if (one := saved.get(key)) and one.answer]
        n_open = len(self.tasks) - len(answered)
        timed = [one.seconds for one in answered if one.seconds]
        left = n_open * median(timed) if timed else None
        return {
            "total": len(self.tasks),
            "open": n_open,
            "seconds": left,
            **Counter(str(one.answer) for one in answered),
        }

    def next_open(self, after: int) -> int | None:
        """Find the next text without an answer, from the beginning again if there is none behind."""
        saved = self.saved()
        numbers = [*range(after + 1, len(self.tasks)), *range(min(after + 1, len(self.tasks)))]
        return next((one for one in numbers if not saved.get(self.keys[one], Saved()).answer), None)


def _read(path: Path) -> Iterator[Task]:
    for raw in read_raw([path]):
        try:
            task = Task.model_validate({**raw.meta, "text": raw.text})
        except ValidationError as error:
            first = error.errors()[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
            raise CorpusError(Errors.DN371.format(place=raw.place, reason=reason)) from error
        if task.spans is not None:
            task.spans = _without_overlaps(task.spans)
        yield task


def _without_overlaps(spans: list[Span]) -> list[Span]:
    """Keep the longest of spans that overlap: spaCy's rule, which asks for no more than their borders."""
    return list(cast(Any, filter_spans)(spans))
