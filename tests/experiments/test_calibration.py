"""Confidence against accuracy: by hand, and against scikit-learn."""

import numpy as np
import pytest
from sklearn.calibration import calibration_curve
from synthetic import make_results

from spacy_datnet.experiments.predictions import (
    Sentence,
    calibration_error,
    reliability,
    reliability_of,
    sentences_of_variant,
)


def test_by_hand():
    # 0.5 belongs to the bin above it, 1.0 to the last one
    found = reliability(np.array([0.41, 0.49, 0.5, 0.55, 1.0]), np.array([True, False, True, True, True]))
    expected = [[0.45, 0.5, 2], [0.525, 1.0, 2], [1.0, 1.0, 1]]
    np.testing.assert_allclose(found[["confidence", "accuracy", "count"]], expected)
    assert calibration_error(found) == pytest.approx((2 * 0.05 + 2 * 0.475 + 0) / 5)


def test_bins_are_those_of_scikit_learn():
    rng = np.random.default_rng(0)
    sure = rng.random(500)
    right = rng.random(500) < sure**2
    found = reliability(sure, right)
    accuracy, confidence = calibration_curve(right, sure, n_bins=10)
    assert found["accuracy"].tolist() == pytest.approx(accuracy)
    assert found["confidence"].tolist() == pytest.approx(confidence)


def test_without_predictions_there_is_nothing():
    assert reliability(np.array([]), np.array([], dtype=bool)) is None


def test_only_predictions_with_a_confidence_count():
    sentence = Sentence(["a", "b", "c"], [True] * 3, {(0, 1, "A")}, {(0, 1, "A"): 0.75, (1, 2, "A"): None})
    assert reliability_of([sentence]).values.tolist() == [[0.75, 1.0, 1.0]]
    assert reliability_of([]) is None


@pytest.mark.parametrize("task", ["ner", "tagger", "chunker"])
def test_confidences_of_runs_are_found(task, tmp_path):
    """Each prediction was given the share of right labels as its confidence, see `synthetic`."""
    variants = {"base": (False, lambda n, seed: 0.65)}
    results = make_results(tmp_path, variants, task=task, sizes=(10,), seeds=(0, 1))
    (one,) = reliability_of(sentences_of_variant(results, "es", "base", "10")).itertuples()
    count = one[3]  # after the number of the bin; tuples have a method of the column's name
    assert one.confidence == pytest.approx(0.65)
    if task == "tagger":  # half of the words have an easy tag
        assert count == 2 * 60 * 4 and one.accuracy == pytest.approx((1 + 0.65) / 2, abs=0.05)
    else:
        right, predicted, _ = np.sum([record.counts.sum(0) for record in results.done["record"]], 0)
        assert count == predicted and one.accuracy == pytest.approx(right / count)
