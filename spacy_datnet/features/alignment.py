"""Two tables of word vectors in one space: told apart from two that are not, and brought there by a rotation."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from spacy.vectors import Vectors

from ..errors import Errors
from .ngrams import count_words
from .word_vectors import load_vectors

# how much nearer a word must be to its partner than to other words, in a common space
ALIGNED = 0.25
# fewer pairs tell nothing
FEWEST = 20
COMPARED = 500
# one pair of so many is kept to judge by
HELD_OUT = 5


def are_aligned(one: np.ndarray, other: np.ndarray) -> bool | None:
    """Tell whether two tables are in one space: words that mean the same, such as names and numbers, lie together then.

    one (ndarray): (pairs, width), a vector of each pair.
    other (ndarray): (pairs, width), its partner's.
    RETURNS (Optional[bool]): None if there are too few pairs to tell.
    """
    if one.shape[1] != other.shape[1]:
        return False
    count = min(len(one), COMPARED)
    if count < FEWEST:
        return None
    a, b = (_unit(vectors[:count] - vectors[:count].mean(0)) for vectors in (one, other))
    cosines = a @ b.T
    same = float(np.diag(cosines).mean())
    others = float((cosines.sum() - np.trace(cosines)) / (cosines.size - count))
    return same - others >= ALIGNED


def rotation(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Find the rotation that brings the second of two tables into the space of the first: orthogonal Procrustes.

    Some pairs are held out, and tell whether it did.

    one (ndarray): (pairs, width), a vector of each pair.
    other (ndarray): (pairs, width), its partner's.
    RETURNS (ndarray): (width, width). Raises DN115 if the widths differ or there are too few pairs, DN116 if the tables
        do not fit.
    """
    pairs, width = other.shape
    if one.shape[1] != width or pairs < HELD_OUT * FEWEST:
        raise ValueError(Errors.DN115.format(one=one.shape[1], other=width, pairs=pairs, fewest=HELD_OUT * FEWEST))
    held = np.arange(pairs) % HELD_OUT == 0
    left, _, right = np.linalg.svd(_unit(other[~held]).T @ _unit(one[~held]))
    found = left @ right
    if not are_aligned(one[held], other[held] @ found):
        raise ValueError(Errors.DN116.format(pairs=pairs))
    return found.astype("float32")


def common_words(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """List the words that are in both tables and mean something, in the order of the first."""
    known = set(other)
    return [word for word in one if word in known and any(map(str.isalnum, word))]


def turn(one: str, other: str, dictionary: Path | None = None) -> tuple[list[str], np.ndarray, int]:
    """Turn a table into the space of another one.

    one (str): The table that stays: path or package of a pipeline with vectors.
    other (str): The table to turn.
    dictionary (Optional[Path]): A file with a word of each table in a line. Defaults to words that are in both.
    RETURNS (Tuple[List[str], ndarray, int]): The words of the second, their turned vectors, and the number of pairs.
        Raises DN115 to DN118 if it can't be done.
    """
    kept, turned = (_rows_of(load_vectors(place), place) for place in (one, other))
    if dictionary is None:
        pairs = [(word, word) for word in common_words(kept, turned)]
    else:
        lines = (line.split() for line in dictionary.read_text(encoding="utf8").splitlines())
        pairs = [(line[0], line[1]) for line in lines if len(line) == 2 and line[0] in kept and line[1] in turned]
    a = np.array([kept[word] for word, _ in pairs]).reshape(len(pairs), _width(kept))
    b = np.array([turned[word] for _, word in pairs]).reshape(len(pairs), _width(turned))
    return list(turned), np.stack(list(turned.values())) @ rotation(a, b), len(pairs)


def _rows_of(vectors: Vectors, place: str) -> dict[str, np.ndarray]:
    if vectors.mode != "default" or not vectors.n_keys:
        raise ValueError(Errors.DN118.format(place=place))
    known = sorted((row, key) for key, row in vectors.key2row.items() if row < count_words(vectors))
    return {vectors.strings[key]: vectors.data[row] for row, key in known}


def _width(rows: dict[str, np.ndarray]) -> int:
    return len(next(iter(rows.values())))


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
