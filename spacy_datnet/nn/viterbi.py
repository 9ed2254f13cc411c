"""One step of the Viterbi algorithm: for each tag the best tag before it, exact in both variants.

Shapes: `batch` sentences, `tags` of the decoder.
"""

import torch
from torch import Tensor

# entries of a tensor (batch, tags before, tags) that are made at once
ENTRIES = 2**22
# of a score: what rounding may do to the comparison of two sums
SLACK = 1e-3


def split_legal(legal: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Find the block of legal transitions: tags from which the same may follow as from most, and what may follow.

    legal (Tensor): (tags, tags) bool, from row to column.
    RETURNS (Tuple): The numbers of the tags before, those after, and the other legal transitions, (tags, tags) bool.
    """
    pattern = legal[legal.sum(1).argmax()]
    is_before = (legal == pattern).all(1)
    return is_before.nonzero()[:, 0], pattern.nonzero()[:, 0], legal & ~is_before[:, None]


class DenseStep:
    """Compare all transitions.

    transitions (Tensor): (tags, tags), from row to column, -inf for illegal ones.
    """

    def __init__(self, transitions: Tensor):
        self.reverse = transitions.T.contiguous()  # (to, from): the maximum runs over the last dimension

    def __call__(self, best: Tensor) -> tuple[Tensor, Tensor]:
        """Find the best score before each tag, and the tag that it comes from: (batch, tags) each.

        best (Tensor): (batch, tags), the score of the best path that ends in each tag.
        """
        value, origin = (best[:, None, :] + self.reverse).max(2)
        return value, origin


class PrunedStep:
    """Compare the transitions that can be the best ones, for decoders with many tags.

    Tags from which the same ones may follow, such as all that end a span, are compared as one block. In that, a tag
    whose path is worse than the best one by more than transitions can make good is left out. The few other legal
    transitions, as within a span, are listed.

    transitions (Tensor): (tags, tags), from row to column, -inf for illegal ones.
    """

    def __init__(self, transitions: Tensor):
        self.before, self.after, rest = split_legal(torch.isfinite(transitions))
        self.block = transitions[self.before][:, self.after]  # (before, after)
        self.gain = (self.block - self.block.amin(0)).amax(1)  # (before,)
        # the rest: for each tag the others that may come before it, as many places as the most of them need
        width = int(rest.sum(0).max())
        _, self.others = rest.T.int().topk(width, dim=1)  # (tags, width)
        self.other_scores = transitions.T.gather(1, self.others)  # -inf in places of no use

    def __call__(self, best: Tensor) -> tuple[Tensor, Tensor]:
        """Find the best score before each tag, and the tag that it comes from, see `DenseStep`."""
        value, origin = torch.full_like(best, -torch.inf), torch.zeros_like(best, dtype=torch.int64)
        if self.others.shape[1]:
            value, place = (best[:, self.others] + self.other_scores).max(2)  # (batch, tags)
            origin = self.others.expand(len(best), -1, -1).gather(2, place[..., None])[..., 0]
        candidates = best[:, self.before]
        hopeful = candidates > candidates.amax(1, keepdim=True) - self.gain - SLACK
        _, chosen = candidates.topk(max(1, int(hopeful.sum(1).max())), dim=1)
        chosen = chosen.sort(1).values  # of equals the first is taken, whatever else is in the batch
        found, source = self._best_of(candidates, chosen)
        better = found > value[:, self.after]
        value[:, self.after] = torch.where(better, found, value[:, self.after])
        origin[:, self.after] = torch.where(better, self.before[source], origin[:, self.after])
        return value, origin

    def _best_of(self, candidates: Tensor, chosen: Tensor) -> tuple[Tensor, Tensor]:
        """Find the best of the chosen tags before each tag of the block: (batch, after) scores and places."""
        size = max(1, ENTRIES // (len(candidates) * len(self.after)))
        value = candidates.new_full((len(candidates), len(self.after)), -torch.inf)
        source = torch.zeros_like(value, dtype=torch.int64)
        for part in chosen.split(size, 1):
            scores = candidates.gather(1, part)[..., None] + self.block[part]  # (batch, part, after)
            found, place = scores.max(1)
            source = torch.where(found > value, part.gather(1, place), source)
            value = torch.maximum(found, value)
        return value, source
