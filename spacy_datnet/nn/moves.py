"""The transitions of a CRF in probability space: one matrix, or one block of it and the few that are legal beside it.

Of the BILUO tags of many labels, a quarter of all transitions is a block (from all tags that end a span to all that
begin one) and nearly all others are illegal.

Shapes: `batch` sentences, `tags` of the decoder.
"""

from typing import Any

import torch
from torch import Tensor

from .viterbi import split_legal

# tags from which on the block is worth its trouble
MANY_TAGS = 128


def as_tensor(values: Any) -> Tensor:
    """Give the tensor that shares memory with an array; a tensor stays as it is."""
    # not torch.as_tensor, which would move it to the default device that another library may have set
    return values if isinstance(values, Tensor) else torch.from_numpy(values)


class Moves:
    """All transitions as one matrix.

    weights (Tensor): (tags, tags), from row to column, zero for illegal ones.
    """

    def __init__(self, weights: Tensor):
        self.weights = weights
        both = torch.stack([weights, weights.T])  # (2, tags, tags)
        self.both = both.numpy() if weights.device.type == "cpu" else both

    def add(self, entering: Any, before: Any) -> None:
        """Add what goes on from one step to the next, forward and backward.

        entering (Tensor): (2, batch, tags), added to in place; an array if it is on the CPU.
        before (Tensor): (2, batch, tags), the step before, of the same kind.
        """
        entering += before @ self.both

    def count(self, leaving: Tensor, arriving: Tensor) -> Tensor:
        """Sum up the uses of each transition: (rows, tags) twice -> (tags, tags)."""
        return (leaving.T @ arriving).mul_(self.weights)


class SparseMoves(Moves):
    """A block of transitions, and the few others one by one.

    weights (Tensor): (tags, tags), from row to column, zero for illegal ones.
    """

    def __init__(self, weights: Tensor):
        self.weights = weights
        self.before, self.after, rest = split_legal(weights > 0)
        self.block = weights[self.before][:, self.after]  # (before, after)
        self.sources, self.targets = rest.nonzero().T
        self.others = weights[self.sources, self.targets]

    def add(self, entering: Tensor, before: Tensor) -> None:
        """Add what goes on from one step to the next, see `Moves`."""
        entering, before = as_tensor(entering), as_tensor(before)
        forward, backward = before
        entering[0].index_add_(1, self.after, forward[:, self.before] @ self.block)
        entering[1].index_add_(1, self.before, backward[:, self.after] @ self.block.T)
        entering[0].index_add_(1, self.targets, forward[:, self.sources] * self.others)
        entering[1].index_add_(1, self.sources, backward[:, self.targets] * self.others)

    def count(self, leaving: Tensor, arriving: Tensor) -> Tensor:
        """Sum up the uses of each transition, see `Moves`."""
        counts = torch.zeros_like(self.weights)
        block = leaving[:, self.before].T @ arriving[:, self.after]
        counts[self.before[:, None], self.after] = block.mul_(self.block)
        others = (leaving[:, self.sources] * arriving[:, self.targets]).sum(0)
        counts[self.sources, self.targets] = others * self.others
        return counts


def moves_of(weights: Tensor) -> Moves:
    """Choose how to keep transitions: the block, if there are many tags and most transitions are illegal."""
    if len(weights) < MANY_TAGS or int((weights > 0).sum()) > weights.numel() // 2:
        return Moves(weights)
    return SparseMoves(weights)
