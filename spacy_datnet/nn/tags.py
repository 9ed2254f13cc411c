"""From labels to tags, which decoders predict: numbering, legality, encoding and decoding as array code.

Tokens that are labelled one by one have one tag per label. Spans have BILUO tags: a scheme over labels L1..Ln numbers
its tags O = 0 and, for label i from 0, B = 1 + 4i, I = 2 + 4i, L = 3 + 4i, U = 4 + 4i.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .crf import MISSING

OUTSIDE = 0
BEGIN, INSIDE, LAST, UNIT = range(4)
_ACTIONS = "BILU"


@dataclass(frozen=True)
class SpanTags:
    """The BILUO tags of a set of span labels.

    labels (tuple): The labels, in the order that numbers them.
    """

    labels: tuple[str, ...]

    def __len__(self) -> int:
        return 1 + 4 * len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The tags as text, in the order of their numbers."""
        return ("O", *(f"{action}-{label}" for label in self.labels for action in _ACTIONS))

    def legal(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tell which starts (tags,), transitions (tags, tags) and ends (tags,) are legal, as bool arrays."""
        tags = np.arange(len(self))
        label = np.where(tags == OUTSIDE, -1, (tags - 1) // 4)
        action = np.where(tags == OUTSIDE, -1, (tags - 1) % 4)
        opens = (action == BEGIN) | (action == INSIDE)  # a span goes on after it
        continues = (action == INSIDE) | (action == LAST)  # a span goes on before it
        within = opens[:, None] & continues[None, :] & (label[:, None] == label[None, :])
        between = ~opens[:, None] & ~continues[None, :]
        return ~continues, within | between, ~opens

    def encode(self, length: int, spans: Sequence[tuple[int, int, str]]) -> np.ndarray:
        """Number the tags of non-overlapping spans.

        length (int): Number of tokens.
        spans (Sequence): (start, end, label) each, end exclusive; the label is one of the scheme's.
        RETURNS (ndarray): (length,), int64.
        """
        tags = np.zeros(length, dtype=np.int64)
        for start, end, label in spans:
            first = 1 + 4 * self.labels.index(label)
            if end - start == 1:
                tags[start] = first + UNIT
            else:
                tags[start:end] = first + INSIDE
                tags[start], tags[end - 1] = first + BEGIN, first + LAST
        return tags

    def decode(self, tags: np.ndarray) -> list[tuple[int, int, str]]:
        """Read the spans off a legal sequence of tags: the inverse of `encode`."""
        return [(start, end, self.labels[(int(tags[start]) - 1) // 4]) for start, end in self.items(tags)]

    def items(self, tags: np.ndarray) -> list[tuple[int, int]]:
        """Find the start and the end of what a legal sequence of tags labels: of each span, the end exclusive.

        A token without a tag, `MISSING`, is where the tokens around it are.
        """
        action = np.where(tags <= OUTSIDE, -1, (tags - 1) % 4)
        starts = np.flatnonzero((action == BEGIN) | (action == UNIT))
        ends = np.flatnonzero((action == LAST) | (action == UNIT)) + 1
        return list(zip(starts.tolist(), ends.tolist(), strict=True))

    def from_names(self, names: Sequence[str | None]) -> np.ndarray:
        """Number tags given as text; None or a label that the scheme does not have is MISSING."""
        number: dict[str | None, int] = {name: i for i, name in enumerate(self.names)}
        return np.array([number.get(name, MISSING) for name in names], dtype=np.int64)


@dataclass(frozen=True)
class TokenTags:
    """The tags of tokens that are labelled one by one: each label is a tag, and any may follow any.

    labels (tuple): The labels, in the order that numbers them.
    """

    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def names(self) -> tuple[str, ...]:
        """The tags as text, in the order of their numbers."""
        return self.labels

    def legal(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Tell which starts (tags,), transitions (tags, tags) and ends (tags,) are legal: all, as bool arrays."""
        size = len(self)
        return np.ones(size, dtype=bool), np.ones((size, size), dtype=bool), np.ones(size, dtype=bool)

    def items(self, tags: np.ndarray) -> list[tuple[int, int]]:
        """Find the start and the end of what a sequence of tags labels: of each token with a tag, the end exclusive."""
        return [(i, i + 1) for i in np.flatnonzero(tags != MISSING).tolist()]

    def from_names(self, names: Sequence[str | None]) -> np.ndarray:
        """Number tags given as text; None or a tag that is not among the labels is MISSING."""
        return np.array([self._number.get(name, MISSING) for name in names], dtype=np.int64)

    @cached_property
    def _number(self) -> dict[str | None, int]:
        return {label: i for i, label in enumerate(self.labels)}


TagSet = SpanTags | TokenTags
