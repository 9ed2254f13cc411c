"""The temperature is the one that the outcomes were drawn with."""

import numpy as np
import pytest

from spacy_datnet.pipeline.calibration import fit_temperature, judge


def log_sigmoid(x):
    return -np.logaddexp(0.0, -x)


@pytest.mark.parametrize("temperature", [0.6, 1.0, 2.0, 4.0])
def test_the_temperature_of_the_outcomes_is_found(temperature):
    rng = np.random.default_rng(0)
    scores = rng.normal(1.0, 4.0, size=20_000)
    right = rng.random(20_000) < np.exp(log_sigmoid(scores / temperature))
    found = fit_temperature(lambda value: log_sigmoid(scores / value), right)
    assert found == pytest.approx(temperature, rel=0.13)


def test_a_few_right_predictions_are_no_reason_to_be_certain():
    scores = np.array([3.0, 4.0])
    assert fit_temperature(lambda value: log_sigmoid(scores / value), np.array([True, True])) > 1.0


def test_equal_temperatures_leave_things_as_they_are():
    assert fit_temperature(lambda value: np.full(3, -0.5), np.array([True, False, True])) == 1.0


@pytest.mark.parametrize(
    ("gold", "expected"),
    [
        ([0, 1, 3, 0], [(1, 3, True)]),
        ([0, 1, 5, 0], [(1, 3, False)]),
        ([0, -100, 5, 0], [(1, 3, False)]),  # wrong whatever the other is
        ([0, 1, -100, 0], []),
        ([-100, 1, 3, -100], [(1, 3, True)]),
    ],
)
def test_an_item_is_right_if_all_its_tags_are(gold, expected):
    assert judge(np.array([0, 1, 3, 0]), np.array(gold), [(1, 3)]) == expected
