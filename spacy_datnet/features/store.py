"""Vectors of sentences on disk: computed once, read by every training that needs them.

A store is a folder of shards and an index. A shard is a safetensors file with the vectors of some sentences and a table
of them; it gets its name when it is complete and never changes afterwards. The index, an SQLite database, says where
the vectors of a sentence are. It is made from the shards, so that a damaged one is made anew. Any number of processes
can read while one writes; what they hold in memory does not grow with the store.
"""

import contextlib
import json
import os
import sqlite3
import uuid
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol
from zlib import crc32

import numpy as np
from filelock import FileLock
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from ..errors import Errors, Warnings

Sentence = tuple[str, ...]
# sentences and their vectors, (words, width)
Rows = Iterable[tuple[Sentence, np.ndarray]]

INDEX, LOCK, SHARD, UNFINISHED = "index.sqlite", ".lock", "shard-", ".unfinished-"
VECTORS, KEYS, LENGTHS, CHECKSUMS = "vectors", "keys", "lengths", "checksums"
# vectors of so many words are kept in memory before they are written
SHARD_WORDS = 32768
# sentences are looked up in groups of so many
LOOKED_UP = 1024
KEY_BYTES = 16
TABLE = "sentences (key BLOB PRIMARY KEY, shard TEXT, start INTEGER, length INTEGER, checksum INTEGER) WITHOUT ROWID"

FAILURES = (OSError, SafetensorError, sqlite3.Error)
# what wrong numbers and names in a table lead to besides
DAMAGE = (*FAILURES, ValueError, TypeError, OverflowError)


class ForeignStoreError(ValueError):
    """A store is not what its name says."""


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
    origin (Dict[str, Any]): What the vectors depend on, such as the fingerprint of a checkpoint. Other vectors are kept
        in another folder.
    """

    def __init__(self, folder: Path, origin: dict[str, Any]):
        self.origin = json.dumps(origin, sort_keys=True)
        self.folder = folder / blake2b(self.origin.encode(), digest_size=8).hexdigest()
        self._shards: dict[str, Any] = {}  # the vectors in each; None if they can't be read

    def __len__(self) -> int:
        (count,) = self._select("SELECT count(*) FROM sentences", [()])
        return 0 if count is None else count[0]

    def find(self, sentences: Sequence[Sentence]) -> Rows:
        """Yield those of the sentences that are there and sound, with their vectors."""
        for start in range(0, len(sentences), LOOKED_UP):
            chunk = sentences[start : start + LOOKED_UP]
            places = self._select(
                "SELECT shard, start, length, checksum FROM sentences WHERE key = ?", ((key_of(one),) for one in chunk)
            )
            for sentence, place in zip(chunk, places, strict=True):
                vectors = None if place is None else self._vectors(*place)
                if vectors is not None and len(vectors) == len(sentence):
                    yield sentence, vectors

    def missing(self, sentences: Sequence[Sentence]) -> list[Sentence]:
        """List the sentences that are not there, each once."""
        self._shards.clear()  # another process may have replaced what was damaged
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
        """Be the only process that writes; another one waits, and then finds what this one wrote.

        What a killed process left and what is damaged is removed, and the index is made anew.
        """
        lock = FileLock(self.folder / LOCK)  # ends with the process, however that ends
        with self._telling():
            self.folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        try:
            with self._telling():
                for leftover in self.folder.glob(f"{UNFINISHED}*"):
                    leftover.unlink()
                self._shards.clear()
                try:
                    self._make_index()
                except sqlite3.Error:
                    for path in self.folder.glob(f"{INDEX}*"):  # with its journal
                        path.unlink()
                    self._make_index()
            yield
        finally:
            lock.release()

    def write(self, rows: Rows) -> None:
        """Write the vectors of sentences, shard by shard, as the only process that does."""
        sentences, parts, words = [], [], 0
        for sentence, vectors in rows:
            sentences.append(sentence)
            parts.append(np.ascontiguousarray(vectors))
            words += len(sentence)
            if words >= SHARD_WORDS:
                self._write_shard(sentences, parts)
                sentences, parts, words = [], [], 0
        if sentences:
            self._write_shard(sentences, parts)

    def _write_shard(self, sentences: list[Sentence], parts: list[np.ndarray]) -> None:
        keys = b"".join(map(key_of, sentences))
        tensors = {
            VECTORS: np.concatenate(parts),
            KEYS: np.frombuffer(keys, np.uint8).reshape(-1, KEY_BYTES),
            LENGTHS: np.array([len(part) for part in parts]),
            CHECKSUMS: np.array([crc32(part.data) for part in parts]),
        }
        path = self.folder / f"{SHARD}{blake2b(keys, digest_size=KEY_BYTES).hexdigest()}.safetensors"
        # not by safetensors' own `save_file`, whose files only their owner may read
        temporary = self.folder / f"{UNFINISHED}{uuid.uuid4().hex}"
        with self._telling():
            try:
                temporary.write_bytes(save(tensors, {"origin": self.origin}))
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
            with self._index() as index:
                index.executemany("INSERT OR REPLACE INTO sentences VALUES (?, ?, ?, ?, ?)", self._table_of(path))

    def _make_index(self) -> None:
        with self._index("rwc") as index:
            index.execute(f"CREATE TABLE IF NOT EXISTS {TABLE}")
            index.execute("DELETE FROM sentences")
            for path in sorted(self.folder.glob(f"{SHARD}*")):
                index.executemany("INSERT OR REPLACE INTO sentences VALUES (?, ?, ?, ?, ?)", self._sound_table_of(path))

    def _sound_table_of(self, path: Path) -> list[tuple]:
        """Read the table of a shard; a shard that is not sound is removed."""
        try:
            table = self._table_of(path)
            vectors = self._open(path).get_slice(VECTORS)
            if all(crc32(vectors[start : start + n].data) == checksum for _, _, start, n, checksum in table):
                return table
        except ForeignStoreError:
            raise
        except PermissionError:  # another user's, as far as can be told
            return []
        except DAMAGE:
            pass
        warnings.warn(Warnings.DN056.format(path=path), stacklevel=2)
        path.unlink()
        return []

    def _table_of(self, path: Path) -> list[tuple]:
        shard = self._open(path)
        keys, lengths, checksums = (shard.get_tensor(name) for name in (KEYS, LENGTHS, CHECKSUMS))
        starts = np.cumsum(lengths) - lengths
        columns = (starts.tolist(), lengths.tolist(), checksums.tolist())
        return [(key.tobytes(), path.name, *row) for key, *row in zip(keys, *columns, strict=False)]

    def _open(self, path: Path) -> safe_open:
        with path.open("rb"):  # says why a file can't be read
            shard = safe_open(path, "numpy")
        if (shard.metadata() or {}).get("origin") != self.origin:
            raise ForeignStoreError(Errors.DN032.format(folder=self.folder))
        return shard

    def _select(self, query: str, arguments: Iterable[tuple]) -> list[tuple | None]:
        """Ask the index for one row for each of some arguments; it knows none if it can't be read."""
        path, arguments = self.folder / INDEX, list(arguments)
        if os.access(path, os.R_OK):
            try:
                with self._index() as index:
                    return [index.execute(query, one).fetchone() for one in arguments]
            except sqlite3.Error:
                warnings.warn(Warnings.DN056.format(path=path), stacklevel=2)
        return [None] * len(arguments)

    def _vectors(self, name: str, start: int, length: int, checksum: int) -> np.ndarray | None:
        """Read vectors; None if they can't be read or are damaged."""
        path = f"{self.folder}/{name}"
        try:
            if name not in self._shards:
                self._shards[name] = None
                self._shards[name] = self._open(Path(path)).get_slice(VECTORS)
            if (shard := self._shards[name]) is None:
                return None
            vectors = shard[start : start + length]  # of a file that is mapped
            if crc32(vectors.data) == checksum:
                return vectors
            warnings.warn(Warnings.DN056.format(path=path), stacklevel=2)
        except ForeignStoreError:
            raise
        except PermissionError:
            warnings.warn(Warnings.DN062.format(path=path), stacklevel=2)
        except DAMAGE:
            warnings.warn(Warnings.DN056.format(path=path), stacklevel=2)
        return None

    @contextlib.contextmanager
    def _index(self, mode: str = "rw") -> Iterator[sqlite3.Connection]:
        """Open the index for one transaction: a connection must not outlive a fork or change its thread."""
        index = sqlite3.connect(f"{(self.folder / INDEX).absolute().as_uri()}?mode={mode}", timeout=60, uri=True)
        with contextlib.closing(index), index:
            index.execute("BEGIN")
            yield index

    @contextlib.contextmanager
    def _telling(self) -> Iterator[None]:
        """Say that the store can't be written."""
        try:
            yield
        except FAILURES as error:
            raise OSError(Errors.DN071.format(folder=self.folder, reason=error)) from error
