"""Vectors of sentences on disk: computed once, read by every training that needs them.

A store is an SQLite database for each origin of vectors. Any number of processes can read while one writes; what they
hold in memory does not grow with the store, and what a killed process had committed is there.
"""

import contextlib
import json
import os
import sqlite3
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

import numpy as np
from filelock import FileLock

from ..errors import Errors, Warnings

Sentence = tuple[str, ...]
# sentences and their vectors, (words, width)
Rows = Iterable[tuple[Sentence, np.ndarray]]

# vectors of so many words are committed together
COMMITTED = 32768
# sentences are looked up in groups of so many
LOOKED_UP = 256
KEY_BYTES = 16
SENTENCES = "sentences (key BLOB PRIMARY KEY, vectors BLOB, checksum INTEGER) WITHOUT ROWID"
FAILURES = (OSError, sqlite3.Error)
# the last where names of tables have wrong bytes
DAMAGE = (sqlite3.Error, UnicodeDecodeError)


class Store(Protocol):
    """What has the vectors of some sentences."""

    def find(self, sentences: Sequence[Sentence]) -> Rows:
        """Yield those of the sentences that are there, with their vectors."""


def key_of(words: Sequence[str]) -> bytes:
    """Sum up the words of a sentence."""
    # with their lengths, or a border within a word would look like one between words
    text = "".join(f"{len(word)}:{word}" for word in words)
    return blake2b(text.encode("utf8", "surrogatepass"), digest_size=KEY_BYTES).digest()


@lru_cache(maxsize=8)
def open_store(folder: Path, **origin: Any) -> "FeatureStore":
    """Open a store, once per process; see `FeatureStore`."""
    return FeatureStore(folder, origin)


class FeatureStore:
    """The vectors of sentences that one encoder gave.

    folder (Path): The folder of all stores.
    origin (Dict[str, Any]): What the vectors depend on, such as the fingerprint of a checkpoint, and their `precision`.
        Other vectors are kept in another folder.
    """

    def __init__(self, folder: Path, origin: dict[str, Any]):
        self.origin = json.dumps(origin, sort_keys=True)
        self.folder = folder / blake2b(self.origin.encode(), digest_size=8).hexdigest()
        self.path = self.folder / "features.sqlite"
        self._dtype = np.dtype(origin["precision"])
        self._is_damaged = False

    def __len__(self) -> int:
        (count,) = self._select("SELECT count(*) FROM sentences", [()])
        return 0 if count is None else count[0]

    def find(self, sentences: Sequence[Sentence]) -> Rows:
        """Yield those of the sentences that are there and sound, with their vectors."""
        for start in range(0, len(sentences), LOOKED_UP):
            keys = {key_of(sentence): sentence for sentence in sentences[start : start + LOOKED_UP]}
            found = self._select("SELECT vectors, checksum FROM sentences WHERE key = ?", [(key,) for key in keys])
            for (key, sentence), row in zip(keys.items(), found, strict=True):
                if row is None:
                    continue
                if isinstance(row[0], bytes) and crc32(key + row[0]) == row[1]:
                    yield sentence, np.frombuffer(row[0], self._dtype).reshape(len(sentence), -1)
                else:
                    warnings.warn(Warnings.DN056.format(path=self.path), stacklevel=2)

    def missing(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """List the sentences that are not there, each once."""
        found = {sentence for sentence, _ in self.find(sentences)}
        return [sentence for sentence in dict.fromkeys(sentences) if sentence not in found]

    def fill(self, sentences: Sequence[Sentence], encode: Callable[[Sequence[Sentence]], Rows]) -> int:
        """Compute and keep the vectors of sentences that are not there.

        sentences (Sequence[Tuple[str, ...]]): The sentences.
        encode (Callable): Gives the vectors of sentences, in any order.
        RETURNS (int): The number of sentences that were computed.
        """
        # what needs nothing waits for nobody, and a store that others keep may be read-only
        if not self.missing(sentences):
            return 0
        with self.writing():
            if missing := self.missing(sentences):
                self.write(encode(missing))
        return len(missing)

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only process that writes; another one waits, and then finds what this one wrote."""
        lock = FileLock(self.folder / ".lock")  # ends with the process, however that ends
        with self._telling():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            with self._telling():
                if self._is_damaged and not self._is_sound():
                    for path in self.folder.glob(f"{self.path.name}*"):  # with its journal
                        path.unlink()
                self._is_damaged = False
                if not self.path.exists():
                    self._make()
            yield
        finally:
            lock.release()

    def _make(self) -> None:
        new = self.folder / ".new"  # nobody reads what is half made
        with self._database(new, "rwc") as database:
            database.execute(f"CREATE TABLE IF NOT EXISTS {SENTENCES}")
            database.execute("CREATE TABLE IF NOT EXISTS origin (text TEXT PRIMARY KEY)")
            database.execute("INSERT OR IGNORE INTO origin VALUES (?)", [self.origin])
        new.replace(self.path)

    def _is_sound(self) -> bool:
        try:
            with self._database(self.path, "rw") as database:
                database.execute("SELECT key, vectors, checksum, text FROM sentences, origin")
                return database.execute("PRAGMA quick_check").fetchone() == ("ok",)
        except DAMAGE:
            return False

    def write(self, rows: Rows) -> None:
        """Write the vectors of sentences as the only process that does."""
        waiting, words = [], 0
        for sentence, vectors in rows:
            key, data = key_of(sentence), np.ascontiguousarray(vectors, self._dtype).tobytes()
            waiting.append((key, data, crc32(key + data)))
            words += len(sentence)
            if words >= COMMITTED:
                self._commit(waiting)
                waiting, words = [], 0
        self._commit(waiting)

    def _commit(self, rows: list[tuple[bytes, bytes, int]]) -> None:
        with self._telling(), self._database(self.path, "rw") as database:
            database.executemany("INSERT OR REPLACE INTO sentences VALUES (?, ?, ?)", rows)

    def _select(self, query: str, arguments: Sequence[tuple]) -> list[tuple | None]:
        """Ask for one row for each of some arguments; there is none if the store can't be read."""
        if self.path.exists():
            try:
                with self._database(self.path, "rw") as database:
                    if database.execute("SELECT text FROM origin").fetchall() != [(self.origin,)]:
                        raise ValueError(Errors.DN032.format(folder=self.folder))
                    return [database.execute(query, one).fetchone() for one in arguments]
            except DAMAGE:
                self._is_damaged = os.access(self.path, os.R_OK)
                hidden, damaged = Warnings.DN062.format(path=self.path), Warnings.DN056.format(path=self.path)
                warnings.warn(damaged if self._is_damaged else hidden, stacklevel=2)
        return [None] * len(arguments)

    @contextlib.contextmanager
    def _database(self, path: Path, mode: str) -> Iterator[sqlite3.Connection]:
        """Open the database for one transaction: a connection must not outlive a fork or change its thread."""
        database = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", timeout=60, uri=True)
        with contextlib.closing(database), database:
            yield database

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Say that the store can't be written."""
        try:
            yield
        except FAILURES as error:
            raise OSError(Errors.DN071.format(folder=self.folder, reason=error)) from error
