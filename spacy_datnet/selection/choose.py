"""Choosing: the best sentences up to a budget of tokens, that differ from each other."""

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import Errors
from .candidates import Candidate, SelectionError
from .strategies import RANDOM, strategies

# the best so many times as much as the budget are what is chosen from for diversity
POOL = 5
# of the words of two sentences; what is more alike is the same once more
ALIKE = 0.8

Chosen = list[tuple[Candidate, float]]


def choose(
    candidates: Sequence[Candidate],
    budget: int,
    *,
    strategy: str,
    seed: int = 0,
    diverse: bool = True,
    cost: Callable[[Candidate], int] = len,
) -> Chosen:
    """Choose sentences to annotate.

    candidates (Sequence[Candidate]): The sentences.
    budget (int): How many tokens may be annotated; the last sentence may exceed it.
    strategy (str): What decides, see `strategies`.
    seed (int): Of the random choice, and of the order of what is scored the same.
    diverse (bool): Whether to take, of the best, those that lie farthest from those that are taken already (k-centre).
    cost (Callable): How many tokens of a sentence are to be annotated.
    RETURNS (list): The sentences with their scores, what is to be annotated first comes first.
    """
    random = np.random.default_rng(seed)
    scores = random.random(len(candidates))
    if strategy != RANDOM:
        if strategy not in strategies:
            known = ", ".join((RANDOM, *strategies.get_all()))
            raise SelectionError(Errors.DN361.format(strategy=strategy, known=known))
        score, unsure = strategies.get(strategy), [one.uncertainty for one in candidates]
        if any(one is None for one in unsure):
            raise SelectionError(Errors.DN362.format(strategy=strategy))
        scores = np.array([score(one) for one in unsure if one is not None])
    order = np.lexsort((random.random(len(scores)), -scores))
    order = order[[cost(candidates[i]) > 0 for i in order]] if len(order) else order
    if diverse and strategy != RANDOM:
        costs = np.cumsum([cost(candidates[i]) for i in order])
        order = _spread(order[: np.searchsorted(costs, POOL * budget) + 1], candidates)
    chosen: Chosen = []
    words: list[frozenset[str]] = []
    spent = 0
    for i in order:
        own = frozenset(candidates[i].key)
        if spent >= budget:
            break
        if any(len(own & other) >= ALIKE * len(own | other) for other in words):
            continue
        words.append(own)
        chosen.append((candidates[i], float(scores[i])))
        spent += cost(candidates[i])
    return chosen


def _spread(order: np.ndarray, candidates: Sequence[Candidate]) -> np.ndarray:
    """Order so that each is the farthest from all before it: greedy k-centre, from the first on."""
    vectors = np.array([candidates[i].vector for i in order])
    if vectors.size == 0:
        return order
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True).clip(min=1e-9)
    distance = np.full(len(order), np.inf)
    spread = [0]
    for _ in range(len(order) - 1):
        np.minimum(distance, 1.0 - vectors @ vectors[spread[-1]], out=distance)
        distance[spread[-1]] = -np.inf
        spread.append(int(distance.argmax()))
    return order[spread]
