"""Vectors of sentences on disk: computed once, read by every training that needs them.

A cache is a folder of shards. A shard is a folder with the vectors of some sentences and a table of what they are; it
gets its name when it is complete and never changes afterwards, so that any number of processes can read while one
writes. Vectors are memory-mapped: what a process holds is the table, about 200 bytes for a sentence.
"""

import contextlib
import hashlib
import shutil
import uuid
import warnings
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
import srsly

from ..errors import Errors, Warnings

try:
    import fcntl
except ImportError:  # no such locks on Windows: two processes may compute the same, and both results are right
    fcntl = None

INFO, LOCK, VECTORS, TABLE = "info.json", ".lock", "vectors.npy", "sentences.npy"
SHARD, UNFINISHED = "shard-", ".unfinished-"
# vectors of so many words are kept in memory before they are written
SHARD_WORDS = 32768
ROW = np.dtype([("key", "S32"), ("start", np.int64), ("length", np.int32), ("checksum", np.uint32)])

UNREADABLE = (OSError, ValueError, EOFError)


def key_of(words: Sequence[str]) -> bytes:
    """Sum up the words of a sentence."""
    # with their lengths, or a border within a word would look like one between words
    text = "".join(f"{len(word)}:{word}" for word in words)
    return hashlib.blake2b(text.encode("utf8", "surrogatepass"), digest_size=16).hexdigest().encode()


@lru_cache(maxsize=8)
def open_cache(folder: str, **origin: Any) -> "FeatureCache":
    """Open a cache, once per process; see `FeatureCache`."""
    return FeatureCache(Path(folder), origin)


class FeatureCache:
    """The vectors of sentences that one encoder gave.

    folder (Path): The folder of all caches.
    origin (Dict[str, Any]): What the vectors depend on, such as the fingerprint of a checkpoint. Other vectors lie in
        another folder.
    """

    def __init__(self, folder: Path, origin: dict[str, Any]):
        self.origin = {name: list(value) if isinstance(value, tuple) else value for name, value in origin.items()}
        digest = hashlib.blake2b(srsly.json_dumps(self.origin, sort_keys=True).encode(), digest_size=8).hexdigest()
        self.folder = folder / digest
        self._shards: dict[str, np.ndarray] = {}
        self._table: dict[bytes, tuple[str, int, int, int]] = {}
        if (self.folder / INFO).exists() and srsly.read_json(self.folder / INFO) != self.origin:
            raise ValueError(Errors.DN032.format(folder=self.folder))
        self.refresh()

    def __len__(self) -> int:
        return len(self._table)

    def get(self, words: Sequence[str]) -> np.ndarray | None:
        """Look up the vectors of a sentence.

        words (Sequence[str]): The sentence.
        RETURNS (Optional[ndarray]): (words, width). None if they are not there, or damaged.
        """
        key = key_of(words)
        if key not in self._table:
            return None
        name, start, length, checksum = self._table[key]
        vectors = self._shards[name][start : start + length]
        if crc32(np.ascontiguousarray(vectors).data) != checksum or length != len(words):
            warnings.warn(Warnings.DN056.format(path=self.folder / name), stacklevel=2)
            del self._table[key]
            return None
        return vectors

    def refresh(self) -> None:
        """Find what was written or removed since, by whatever process."""
        for name in [name for name in self._shards if not (self.folder / name).exists()]:
            self._forget(name)
        for path in sorted(self.folder.glob(f"{SHARD}*")):
            if path.name not in self._shards:
                try:
                    self._open(path)
                except PermissionError:
                    warnings.warn(Warnings.DN062.format(path=path), stacklevel=2)
                except UNREADABLE:
                    warnings.warn(Warnings.DN056.format(path=path), stacklevel=2)

    def _open(self, path: Path) -> None:
        table, vectors = np.load(path / TABLE), np.load(path / VECTORS, mmap_mode="r")
        if table.dtype != ROW or vectors.ndim != 2:
            raise ValueError
        self._shards[path.name] = vectors
        for key, start, length, checksum in table.tolist():
            self._table[key] = (path.name, start, length, checksum)

    def _forget(self, name: str) -> None:
        del self._shards[name]
        self._table = {key: row for key, row in self._table.items() if row[0] != name}

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """Be the only process that writes; another one waits, and then finds what this one wrote.

        What a killed process left and what is damaged is removed.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / LOCK, "w") as lock:
            if fcntl is not None:
                fcntl.flock(lock, fcntl.LOCK_EX)  # ends with the process, however that ends
            if not (self.folder / INFO).exists():
                temporary = self.folder / f"{UNFINISHED}{INFO}"
                srsly.write_json(temporary, self.origin)
                temporary.replace(self.folder / INFO)
            if fcntl is not None:
                for leftover in self.folder.glob(f"{UNFINISHED}*"):
                    shutil.rmtree(leftover)
            self._remove_damaged()
            self.refresh()
            yield

    def _remove_damaged(self) -> None:
        for path in self.folder.glob(f"{SHARD}*"):
            if not self._is_sound(path):
                warnings.warn(Warnings.DN056.format(path=path), stacklevel=3)
                shutil.rmtree(path)

    @staticmethod
    def _is_sound(path: Path) -> bool:
        try:
            table, vectors = np.load(path / TABLE), np.load(path / VECTORS, mmap_mode="r")
            return table.dtype == ROW and all(
                crc32(np.ascontiguousarray(vectors[start : start + length]).data) == checksum
                for _, start, length, checksum in table.tolist()
            )
        except PermissionError:
            return True  # another user's, as far as can be told
        except UNREADABLE:
            return False

    def write(self, sentences: Iterable[tuple[Sequence[str], np.ndarray]]) -> None:
        """Write the vectors of sentences, shard by shard.

        sentences (Iterable[Tuple[Sequence[str], ndarray]]): The words and the vectors, (words, width).
        """
        keys, parts, words_so_far = [], [], 0
        for words, vectors in sentences:
            keys.append(key_of(words))
            parts.append(np.ascontiguousarray(vectors))
            words_so_far += len(words)
            if words_so_far >= SHARD_WORDS:
                self._write_shard(keys, parts)
                keys, parts, words_so_far = [], [], 0
        if keys:
            self._write_shard(keys, parts)

    def _write_shard(self, keys: list[bytes], parts: list[np.ndarray]) -> None:
        lengths = np.array([len(part) for part in parts])
        table = np.zeros(len(keys), ROW)
        table["key"], table["length"], table["start"] = keys, lengths, np.cumsum(lengths) - lengths
        table["checksum"] = [crc32(part.data) for part in parts]
        # not by tempfile, whose folders only their owner may read
        temporary = self.folder / f"{UNFINISHED}{uuid.uuid4().hex}"
        temporary.mkdir()
        try:
            np.save(temporary / VECTORS, np.concatenate(parts))
            np.save(temporary / TABLE, table)
            # the name of a shard says what is in it, so that two processes can't write the same twice
            final = self.folder / f"{SHARD}{hashlib.blake2b(b''.join(sorted(keys)), digest_size=16).hexdigest()}"
            if not final.exists():
                temporary.rename(final)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
        self.refresh()
