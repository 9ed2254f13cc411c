"""Vectors of words that a table lacks, out of character n-grams.

The vectors of n-grams are learnt from the words of a table by ridge regression: a word is the mean of all words, and
the sum of its n-grams over the root of their number. They are rows of the table itself, behind those of its words,
under keys that no text has, and go wherever it goes.
"""

import warnings
from collections import Counter
from collections.abc import Sequence

import numpy as np
import torch
from spacy.strings import get_string_id
from spacy.vectors import Vectors
from thinc.types import Floats1d

# before each n-gram; alone it is the key of the mean of all words
MARK = "\ufdd0"
MEAN = get_string_id(MARK)
SHORTEST, LONGEST = 2, 4
# so many n-grams are learnt, the most frequent ones of so many words
MOST, LEARNT = 8_000, 100_000
PENALTY = 0.3


def ngrams_of(word: str) -> list[str]:
    """List the distinct n-grams of a word, its borders included, as keys of a table."""
    text = f"<{word}>"
    sizes = range(SHORTEST, LONGEST + 1)
    return list(dict.fromkeys(MARK + text[start : start + n] for n in sizes for start in range(len(text) - n + 1)))


def add_ngrams(words: Sequence[str], vectors: np.ndarray) -> tuple[list[str], np.ndarray]:
    """Learn the vectors of n-grams and put them behind those of words.

    words (Sequence[str]): The words, the most frequent ones first.
    vectors (ndarray): (words, width).
    RETURNS (Tuple[List[str], ndarray]): The keys and vectors of words and n-grams.
    """
    grams = [ngrams_of(word) for word in words[:LEARNT]]
    counts = Counter(gram for known in grams for gram in known)
    column = {gram: i for i, (gram, _) in enumerate(counts.most_common(MOST))}
    places = [(i, column[gram]) for i, known in enumerate(grams) for gram in known if gram in column]
    # of sparse matrices, with the words as rows and the n-grams as columns
    rows, columns = torch.tensor(places).reshape(-1, 2).T
    shares = torch.bincount(rows, minlength=len(grams))[rows].rsqrt()
    targets = torch.from_numpy(vectors[:LEARNT].astype("float32"))
    mean = targets.mean(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch says that sparse matrices are new
        has = torch.sparse_coo_tensor(torch.stack([rows, columns]), shares, (len(grams), len(column))).coalesce()
        square = torch.sparse.mm(has.T, has).to_dense() + PENALTY * torch.eye(len(column))
    learnt = torch.cholesky_solve(has.T @ (targets - mean), torch.linalg.cholesky(square))
    return [*words, MARK, *column], np.concatenate([vectors, mean[None].numpy(), learnt.numpy()]).astype("float32")


def count_words(vectors: Vectors) -> int:
    """Count the rows of words, which come before those of n-grams."""
    return vectors.key2row.get(MEAN, len(vectors.data))


def guess(word: str, vectors: Vectors) -> Floats1d:
    """Make the vector of a word that a table with n-grams lacks."""
    rows = [row for key in ngrams_of(word) if (row := vectors.key2row.get(get_string_id(key))) is not None]
    return vectors.data[vectors.key2row[MEAN]] + (vectors.data[rows].sum(0) / len(rows) ** 0.5 if rows else 0)
