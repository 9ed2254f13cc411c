"""How the flat tokens of docs lie in sentences, and how their words are spelled: index work in NumPy.

A doc whose sentences are annotated is cut into them, because a network that learnt sentences reads sentences best;
any other doc is one sentence. Empty docs have none.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from spacy.attrs import SENT_START
from spacy.tokens import Doc

MAX_CHARACTERS = 24
# sentences are predicted in groups of so many padded tokens: enough to fill matrix products, little enough for a cache
PADDED_TOKENS = 8192


@dataclass(frozen=True)
class Layout:
    """How the flat tokens of a batch lie in its sentences.

    lengths (ndarray): (sentences,), tokens of each sentence, none of them 0.
    docs (ndarray): (sentences,), the doc of each sentence.
    """

    lengths: np.ndarray
    docs: np.ndarray

    @classmethod
    def of(cls, docs: list[Doc]) -> "Layout":
        """Lay out the sentences of docs."""
        lengths, owners = [], []
        for i, doc in enumerate(docs):
            if doc.has_annotation("SENT_START"):
                begins = np.flatnonzero(doc.to_array(SENT_START) == 1)
                borders = np.unique(np.concatenate([[0], begins, [len(doc)]]))
                lengths.extend(np.diff(borders))
                owners.extend([i] * (len(borders) - 1))
            elif len(doc):
                lengths.append(len(doc))
                owners.append(i)
        return cls(np.array(lengths, dtype=np.int64), np.array(owners, dtype=np.int64))

    @cached_property
    def starts(self) -> np.ndarray:
        """(sentences,), the flat index of each sentence's first token."""
        return np.cumsum(self.lengths) - self.lengths

    def tokens(self, sentences: np.ndarray) -> np.ndarray:
        """Find the flat tokens of sentences, one sentence after the other: (their tokens,)."""
        lengths = self.lengths[sentences]
        shift = self.starts[sentences] - (np.cumsum(lengths) - lengths)
        return np.arange(lengths.sum()) + np.repeat(shift, lengths)

    def by_length(self, padded_tokens: int = PADDED_TOKENS) -> Iterator[np.ndarray]:
        """Sort the sentences by length and yield them in groups of at most so many tokens, padding counted."""
        return group_by_length(self.lengths, padded_tokens)

    def words(self, docs: list[Doc]) -> list[tuple[str, ...]]:
        """Collect the words of each sentence of the docs that were laid out."""
        flat = [token.text for doc in docs for token in doc]
        return [tuple(flat[start : start + n]) for start, n in zip(self.starts, self.lengths, strict=True)]


def group_by_length(lengths: np.ndarray, padded: int) -> Iterator[np.ndarray]:
    """Sort rows by length and yield their numbers in groups of at most so many places, padding counted."""
    order = np.argsort(lengths, kind="stable")
    first = 0
    while first < len(order):
        # in this order, a group's last row is its longest
        sizes = lengths[order[first:]] * np.arange(1, len(order) - first + 1)
        count = max(1, int(np.searchsorted(sizes, padded, side="right")))
        yield order[first : first + count]
        first += count


@dataclass(frozen=True)
class Spelling:
    """Word forms as characters.

    characters (ndarray): (characters,), int64, the code points of the forms one after the other, with borders of 0
        around each.
    lengths (ndarray): (forms,), int64, characters of each form without borders.
    """

    characters: np.ndarray
    lengths: np.ndarray

    @classmethod
    def of(cls, words: list[str]) -> "Spelling":
        """Spell words; what is longer than `MAX_CHARACTERS` is cut.

        words (List[str]): The words.
        """
        words = [word[:MAX_CHARACTERS] for word in words]
        text = "\0" + "".join(word + "\0" for word in words)
        points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
        return cls(points.astype(np.int64), np.array([len(word) for word in words], dtype=np.int64))

    def choose(self, forms: np.ndarray) -> "Spelling":
        """Spell some of the forms, in the order given and as often as named."""
        lengths = self.lengths[forms]
        starts = np.cumsum(self.lengths + 1) - self.lengths - 1  # the border before each form
        steps = lengths + 1
        begins = np.cumsum(steps) - steps
        index = np.repeat(starts[forms] - begins, steps) + np.arange(steps.sum())
        return Spelling(np.append(self.characters[index], 0), lengths)
