"""How far confidences can be trusted: reliability bins and the expected calibration error."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from .predictions import Sentence, sentences_of_variant
from .results import Results

BINS = 10


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


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> pd.DataFrame | None:
    """Compare confidence and accuracy in bins of the same width.

    confidence (ndarray): (predictions,), between 0 and 1.
    right (ndarray): (predictions,) bool.
    bins (int): How many bins.
    RETURNS (Optional[DataFrame]): The bins that have predictions, the lowest first: their mean confidence, their
        accuracy and their count; None without predictions.
    """
    if not len(confidence):
        return None
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    table = pd.DataFrame({"confidence": confidence, "accuracy": right, "count": 1}).groupby(which)
    return table.agg({"confidence": "mean", "accuracy": "mean", "count": "sum"})


def calibration_error(bins: pd.DataFrame) -> float:
    """Compute the expected calibration error (Naeini et al. 2015; Guo et al. 2017), between 0 and 1: the mean distance
    of confidence and accuracy of the bins, weighted by their predictions."""
    return float(np.average((bins["confidence"] - bins["accuracy"]).abs(), weights=bins["count"]))


def reliability_of(results: Results, corpora: str, variant: str, size: str) -> pd.DataFrame | None:
    """Compare confidence and accuracy of a variant at one size, over the test sentences of all seeds."""
    return reliability(*confidences(sentences_of_variant(results, corpora, variant, size)))
