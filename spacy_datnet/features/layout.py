"""How the flat tokens of docs lie in sentences, and how their words are spelled: index work in NumPy.

A doc whose sentences are annotated is cut into them, because a network that learnt sentences reads sentences best;
any other doc is one sentence. Tokens of white space are left out: corpora have none, raw text has a line break here and
there, and what is labelled should not depend on it. Docs without words have no sentences.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from spacy.attrs import IS_SPACE, SENT_START
from spacy.tokens import Doc

MAX_CHARACTERS = 24
# sentences are predicted in groups of so many padded tokens: enough to fill matrix products, little enough for a cache
PADDED_TOKENS = 8192


@dataclass(frozen=True)
class Layout:
    """How the flat tokens of a batch lie in its sentences.

    lengths (ndarray): (sentences,), words of each sentence, none of them 0.
    docs (ndarray): (sentences,), the doc of each sentence.
    words (ndarray): (words,), the flat token of each word, in the order of the docs.
    """

    lengths: np.ndarray
    docs: np.ndarray
    words: np.ndarray

    @classmethod
    def of(cls, docs: Sequence[Doc]) -> "Layout":
        """Lay out the sentences of docs."""
        nothing = np.zeros(0, dtype=np.int64)
        lengths, owners, words, first = [nothing], [nothing], [nothing], 0
        for i, doc in enumerate(docs):
            places = np.flatnonzero(doc.to_array(IS_SPACE) == 0)
            counts = np.array([len(places)])
            if doc.has_annotation("SENT_START"):
                counts = np.bincount(np.cumsum(doc.to_array(SENT_START) == 1)[places])
            counts = counts[counts > 0]
            lengths.append(counts)
            owners.append(np.full(len(counts), i))
            words.append(first + places)
            first += len(doc)
        return cls(*(np.concatenate(parts) for parts in (lengths, owners, words)))

    @cached_property
    def starts(self) -> np.ndarray:
        """(sentences,), the number of each sentence's first word."""
        return np.cumsum(self.lengths) - self.lengths

    def tokens(self, sentences: np.ndarray) -> np.ndarray:
        """Find the flat tokens of sentences, one sentence after the other: (their words,)."""
        lengths = self.lengths[sentences]
        shift = self.starts[sentences] - (np.cumsum(lengths) - lengths)
        return self.words[np.arange(lengths.sum()) + np.repeat(shift, lengths)]

    def by_length(self, padded_tokens: int = PADDED_TOKENS) -> Iterator[np.ndarray]:
        """Sort the sentences by length and yield them in groups of at most so many tokens, padding counted."""
        return group_by_length(self.lengths, padded_tokens)

    def texts(self, docs: Sequence[Doc]) -> list[tuple[str, ...]]:
        """Collect the words of each sentence of the docs that were laid out."""
        flat = [token.text for doc in docs for token in doc]
        texts = [flat[word] for word in self.words.tolist()]
        return [tuple(texts[start : start + n]) for start, n in zip(self.starts, self.lengths, strict=True)]


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
