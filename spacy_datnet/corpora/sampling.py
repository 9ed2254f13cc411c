"""Which sentences are in a sample: the one random choice behind every low-resource corpus."""

import random

from ..errors import Errors
from .problems import CorpusError


def sample_sentences(
    n_available: int,
    *,
    count: int | None = None,
    ratio: float | None = None,
    seed: int,
) -> list[int]:
    """Choose sentences at random.

    Samples of the same sentences under the same seed are nested: the smaller is part of the larger.

    n_available (int): The number of sentences to choose from.
    count (Optional[int]): How many to choose, or
    ratio (Optional[float]): which share of them to choose, rounded, but at least one.
    seed (int): The seed of the choice.
    RETURNS (list): The numbers of the sentences, from 0, sorted.
    """
    if (count is None) == (ratio is None):
        raise CorpusError(Errors.DN223.format(count=count, ratio=ratio))
    if ratio is not None:
        if not 0 < ratio <= 1:
            raise CorpusError(Errors.DN224.format(value=ratio))
        count = max(1, round(ratio * n_available))
    if count < 1:
        raise CorpusError(Errors.DN224.format(value=count))
    if count > n_available:
        raise CorpusError(Errors.DN225.format(count=count, available=n_available))
    order = list(range(n_available))
    random.Random(seed).shuffle(order)
    return sorted(order[:count])
