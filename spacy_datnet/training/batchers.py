"""Batches with a chosen share of target sentences."""

import math
import random
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from spacy.training import Example
from spacy.util import registry

from ..errors import Errors
from ..resources import SOURCE, resource_of


@registry.batchers("spacy-datnet.mixed_batches.v1")
def configure_mixed_batches(
    size: int = 32, target_share: float | None = None, source_ratio: float = 1.0, pool: int = 16
) -> Callable[[Iterable[Example]], Iterator[list[Example]]]:
    """Configure batches that mix source and target examples, of like length where possible.

    A pass ends when the chosen part of the source has been seen once; the target is repeated, in a new order each
    time, as often as that takes. Without source examples a pass is one over the target.

    size (int): Examples in a batch. Defaults to 32.
    target_share (Optional[float]): Share of a batch that is target examples, between 0 and 1. Defaults to None, which
        grows with the number of target examples: one in a batch for ten, 0.25 for a hundred, 0.5 for a thousand and
        at most 0.6, so that few examples are not repeated until they are known by heart.
    source_ratio (float): Part of the source that one pass uses, another one each time. Defaults to 1.0.
    pool (int): Sentences are sorted by length within so many batches: more mean less padding, fewer batches that are
        more random. A target that is too small to fill a pool is not sorted. Defaults to 16.
    RETURNS (Callable): The batcher.
    """
    if size < 2:
        raise ValueError(Errors.DN104.format(size=size))
    if target_share is not None and not 0.0 < target_share < 1.0:
        raise ValueError(Errors.DN105.format(share=target_share))
    if not 0.0 < source_ratio <= 1.0:
        raise ValueError(Errors.DN106.format(ratio=source_ratio))
    if pool < 1:
        raise ValueError(Errors.DN111.format(pool=pool))

    def batches(examples: Iterable[Example]) -> Iterator[list[Example]]:
        source: list[Example] = []
        target: list[Example] = []
        for example in examples:
            (source if resource_of(example) == SOURCE else target).append(example)
        if not source or not target:
            for pooled in _chunks(_shuffled(source or target), size * pool):
                yield from _shuffled(list(_chunks(_by_length(pooled), size)))
            return
        share = _share_for(len(target)) if target_share is None else target_share
        n_target = min(max(1, round(size * share)), size - 1)
        n_source = size - n_target
        source = _shuffled(source)[: max(1, round(len(source) * source_ratio))]
        companions = _endless(target)
        for pooled in _chunks(source, n_source * pool):
            parts = list(_chunks(_by_length(pooled), n_source))
            others = list(islice(companions, len(parts) * n_target))
            if len(others) <= len(target):
                # sorting a pool that repeats sentences would put the repetitions into one batch
                others = _by_length(others)
            pairs = zip(parts, _chunks(others, n_target), strict=True)
            yield from (part + other for part, other in _shuffled(list(pairs)))

    return batches


def _share_for(n_target: int) -> float:
    # found on the dev set of CoNLL-2002 Spanish at ten, a hundred and a thousand sentences
    return min(0.25 * math.log10(max(n_target, 10) / 10), 0.6)


def _shuffled(items: list) -> list:
    return random.sample(items, len(items))


def _by_length(examples: list[Example]) -> list[Example]:
    return sorted(examples, key=lambda example: len(example.predicted))


def _chunks(items: list, size: int) -> Iterator[list]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _endless(examples: list[Example]) -> Iterator[Example]:
    while True:
        yield from _shuffled(examples)
