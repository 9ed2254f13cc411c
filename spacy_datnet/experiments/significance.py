"""Is one model better than another on the same sentences? Scores from counts, and approximate randomisation."""

from collections.abc import Sequence, Set
from typing import NamedTuple

import numpy as np
from spacy.tokens import Doc, Span

# the shuffles that are held in memory at a time, in sentences
CHUNK = 4_000_000
Item = tuple[int, int, str]  # start and end, label


class Difference(NamedTuple):
    """How far apart two models are.

    points (float): The score of the first less that of the second, in percent.
    p (float): The share of random exchanges of their outputs that leave them as far apart or further.
    """

    points: float
    p: float


def items_of(part: Span, score: str) -> dict[Item, Span]:
    """List what is annotated in a part of a doc, by start and end token and label: spans, or tokens with a tag.

    part (Span): The part; `doc[:]` is all of it.
    score (str): What it is about: "ents_f", "spans_KEY_f", "tag_acc" or "pos_acc".
    """
    doc = part.doc
    if score.endswith("_acc"):
        attribute = f"{score.removesuffix('_acc')}_"
        tags = [(token.i, getattr(token, attribute)) for token in part]
        return {(i, i + 1, tag): doc[i : i + 1] for i, tag in tags if tag}
    spans = doc.ents if score == "ents_f" else doc.spans.get(score.removeprefix("spans_").removesuffix("_f"), ())
    inside = [span for span in spans if part.start <= span.start and span.end <= part.end]
    return {(span.start, span.end, span.label_): span for span in inside}


def count(gold: Set[Item], found: Set[Item], score: str) -> tuple[int, int, int]:
    """Count what a score is made of: correct items, predicted ones and annotated ones. Of tags, what is predicted where
    there is no gold tag does not count."""
    return len(gold & found), len(gold if score.endswith("_acc") else found), len(gold)


def counts_of(gold: Doc, predicted: Doc, score: str) -> tuple[int, int, int]:
    """Count what a score is made of in a sentence and the same tokens as predicted, see `count`."""
    return count(items_of(gold[:], score).keys(), items_of(predicted[:], score).keys(), score)


def f_score(counts: np.ndarray) -> np.ndarray:
    """Compute F1, in percent, which for tags is the accuracy.

    counts (ndarray): (..., 3), sums of `counts_of`.
    RETURNS (ndarray): (...); 0 where nothing is annotated and nothing predicted.
    """
    correct, predicted, annotated = np.moveaxis(np.asarray(counts, dtype=float), -1, 0)
    return 200 * correct / np.maximum(predicted + annotated, 1.0)


def approximate_randomisation(
    first: Sequence | np.ndarray, second: Sequence | np.ndarray, *, samples: int = 10_000, seed: int = 0
) -> Difference:
    """Test whether two models differ on the same sentences (Noreen 1989; Yeh 2000), two-sided.

    The outputs of each sentence are exchanged at random; where there is no difference between the models, that is
    as likely to make them differ by as much as they do. With several seeds, give the counts of each sentence summed
    over them: the outputs of a sentence are much alike in all seeds, and must change sides together.

    `scipy.stats.permutation_test` would gather the counts of all sentences again for each exchange. Since F1 comes from
    sums, a product of the exchanges with the sentences that differ is enough, which is much faster; and its two-sided
    p is twice the smaller tail, not the share of differences that are as large.

    first (ndarray): (sentences, 3), see `counts_of`.
    second (ndarray): The same sentences.
    samples (int): Number of exchanges. Defaults to 10,000.
    seed (int): Seed of the exchanges. Defaults to 0.
    RETURNS (Difference): The difference and its p-value, at least 1 / (samples + 1).
    """
    first, second = np.asarray(first, dtype=np.int64), np.asarray(second, dtype=np.int64)
    observed = f_score(first.sum(0)) - f_score(second.sum(0))
    # only these sentences change anything
    differs = (first != second).any(1)
    total = first.sum(0) + second.sum(0)
    fixed, change = first[~differs].sum(0), second[differs] - first[differs]
    base = fixed + first[differs].sum(0)
    rng = np.random.default_rng(seed)
    extreme, left = 0, samples
    while left:
        size = min(left, max(1, CHUNK // max(1, len(change))))
        exchanged = rng.integers(0, 2, size=(size, len(change)), dtype=np.int8).astype(np.float32)
        one = base + exchanged @ change.astype(np.float32)
        extreme += int((np.abs(f_score(one) - f_score(total - one)) >= abs(observed) - 1e-9).sum())
        left -= size
    return Difference(float(observed), (extreme + 1) / (samples + 1))
