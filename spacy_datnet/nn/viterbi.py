"""The Viterbi algorithm: the best path of each sentence.

Shapes: `batch` sentences, `tags` of the decoder.
"""

from typing import Any

import numpy as np
import torch
from torch import Tensor

# entries of a tensor (batch, tags before, tags) that are made at once
ENTRIES = 2**22
# tags from which on transitions that can't be the best are left out
MANY_TAGS = 128
# sentences up to which NumPy, whose calls cost less, is faster than PyTorch
FEW = 8
# tags that are compared at once
FIRST = 8


def split_legal(legal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the block of legal transitions: tags from which the same may follow as from most, and what may follow.

    legal (Tensor): (tags, tags) bool, from row to column.
    RETURNS (Tuple): The numbers of the tags before, those after, and the other legal transitions, (tags, tags) bool.
    """
    pattern = legal[legal.sum(1).argmax()]
    is_before = (legal == pattern).all(1)
    return is_before.nonzero()[:, 0], pattern.nonzero()[:, 0], legal & ~is_before[:, None]


class DenseStep:
    """One step: compare all transitions.

    transitions (Tensor): (tags, tags), from row to column, -inf for illegal ones.
    """

    def __init__(self, transitions: Tensor):
        self.reverse = transitions.T.contiguous()  # (to, from): the maximum runs over the last dimension

    def __call__(self, best: Tensor) -> Tensor:
        """Find the score of the best path that ends before each tag: (batch, tags).

        best (Tensor): (batch, tags), the score of the best path that ends in each tag.
        """
        return (best[:, None, :] + self.reverse).amax(2)


class FewStep:
    """One step for few sentences: compare all transitions, in arrays.

    transitions (Tensor): (tags, tags), from row to column, -inf for illegal ones; on the CPU.
    """

    def __init__(self, transitions: Tensor):
        self.transitions = transitions.numpy()

    def __call__(self, best: np.ndarray) -> np.ndarray:
        """Find the score of the best path that ends before each tag, see `DenseStep`."""
        return (best[:, :, None] + self.transitions).max(1)


class PrunedStep:
    """One step that compares the transitions which can be the best ones, for decoders with many tags.

    Tags from which the same ones may follow, such as all that end a span, are compared as one block: those with the
    best paths first, until no other one can be better before any tag. The few other legal transitions, as within a
    span, are listed.

    transitions (Tensor): (tags, tags), from row to column, -inf for illegal ones.
    """

    def __init__(self, transitions: Tensor):
        self.before, self.after, rest = split_legal(torch.isfinite(transitions))
        self.block = transitions[self.before][:, self.after]  # (before, after)
        self.most = self.block.amax(0)  # (after,)
        # the rest: for each tag the others that may come before it, as many places as the most of them need
        width = int(rest.sum(0).max())
        _, self.others = rest.T.int().topk(width, dim=1)  # (tags, width)
        self.other_scores = transitions.T.gather(1, self.others)  # -inf in places of no use

    def __call__(self, best: Tensor) -> Tensor:
        """Find the score of the best path that ends before each tag, see `DenseStep`."""
        value = torch.full_like(best, -torch.inf)
        if self.others.shape[1]:
            value = (best[:, self.others] + self.other_scores).amax(2)  # (batch, tags)
        value[:, self.after] = torch.maximum(value[:, self.after], self._best_of(best[:, self.before]))
        return value

    def _best_of(self, candidates: Tensor) -> Tensor:
        """Find the best score before each tag of the block: (batch, after)."""
        value = candidates.new_full((len(candidates), len(self.after)), -torch.inf)
        size = max(1, min(FIRST, ENTRIES // value.numel()))
        rows = torch.arange(len(candidates), device=candidates.device)  # the sentences that are not done
        for start in range(0, len(self.before), size):
            top, chosen = candidates[rows].topk(min(start + size, len(self.before)), dim=1)
            scores = top[:, start:, None] + self.block[chosen[:, start:]]  # (rows, part, after)
            value[rows] = found = torch.maximum(value[rows], scores.amax(1))
            rows = rows[(top[:, -1:] + self.most > found).any(1)]
            if not len(rows):
                break
        return value


def best_paths(logits: Tensor, lengths: Tensor, start: Tensor, transitions: Tensor, end: Tensor) -> Tensor:
    """Find the best path of each sentence.

    The way forward keeps no pointers: the way back compares once more, for the tags of the path alone.

    logits (Tensor): (tokens, batch, tags).
    lengths (Tensor): (batch,), each at least 1.
    start, transitions, end (Tensor): The scores of a path, -inf for what is illegal.
    RETURNS (Tensor): (batch, tokens), int64, 0 behind the end of a sentence.
    """
    tokens, batch, tags = logits.shape
    emitted: Any = logits.unbind()
    best = [start + emitted[0]]
    step: Any = DenseStep(transitions) if tags < MANY_TAGS else PrunedStep(transitions)
    if batch <= FEW and tags < MANY_TAGS and logits.device.type == "cpu":
        step, emitted, best = FewStep(transitions), logits.numpy(), [best[0].numpy()]
    for emission in emitted[1:]:
        best.append(step(best[-1]) + emission)
    # in arrays on the host, as each operation is of so few numbers that the call is what costs
    scores = np.stack(best) if isinstance(best[0], np.ndarray) else torch.stack(best).cpu().numpy()
    last = lengths.cpu().numpy() - 1
    follows = torch.cat([transitions.T, end[None]]).cpu().numpy()  # (tags + 1, tags): what a tag, or the end, adds
    path = np.zeros((tokens, batch), dtype=np.int64)
    tag = np.full(batch, tags)
    for t in range(tokens - 1, -1, -1):
        tag = np.where(t <= last, (scores[t] + follows[tag]).argmax(1), tags)
        path[t] = tag
    path[path == tags] = 0
    return torch.from_numpy(path.T).to(logits.device)
