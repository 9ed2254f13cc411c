"""How far confidences can be trusted: reliability bins and the expected calibration error."""

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from .grid import Size
from .predictions import Sentence, sentences_of_variant
from .results import Results

BINS = 10


class Bin(NamedTuple):
    """The predictions whose confidence lies between two borders.

    confidence (float): Their mean confidence.
    accuracy (float): The share of them that is right.
    count (int): How many there are.
    """

    confidence: float
    accuracy: float
    count: int


class Reliability(NamedTuple):
    """Confidence against accuracy.

    bins (List[Bin]): The bins that have predictions, the lowest first.
    ece (float): The expected calibration error (Naeini et al. 2015; Guo et al. 2017): the mean distance of confidence
        and accuracy of the bins, weighted by their predictions; between 0 and 1.
    """

    bins: list[Bin]
    ece: float


def confidences(sentences: Iterable[Sentence]) -> tuple[np.ndarray, np.ndarray]:
    """Collect the predictions that have a confidence: (predictions,) confidences and whether each is right."""
    pairs = [
        (confidence, item in sentence.gold)
        for sentence in sentences
        for item, confidence in sentence.found.items()
        if confidence is not None
    ]
    sure, right = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(sure, dtype=float), np.array(right, dtype=bool)


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> Reliability | None:
    """Compare confidence and accuracy in bins of the same width.

    confidence (ndarray): (predictions,), between 0 and 1.
    right (ndarray): (predictions,) bool.
    bins (int): How many bins.
    RETURNS (Optional[Reliability]): None without predictions.
    """
    if not len(confidence):
        return None
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    found = [
        Bin(float(confidence[which == i].mean()), float(right[which == i].mean()), int((which == i).sum()))
        for i in np.unique(which)
    ]
    ece = sum(one.count * abs(one.confidence - one.accuracy) for one in found) / len(confidence)
    return Reliability(found, ece)


def reliability_of(results: Results, corpora: str, variant: str, size: Size) -> Reliability | None:
    """Compare confidence and accuracy of a variant at one size, over the test sentences of all seeds."""
    return reliability(*confidences(sentences_of_variant(results, corpora, variant, size)))
