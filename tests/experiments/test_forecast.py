"""Learning curves: the law is found, and intervals hold what they promise."""

import numpy as np
import pytest
from scipy.stats import linregress, t

from spacy_datnet.experiments.forecast import learning_curve

SIZES = [10, 10, 50, 50, 100, 100, 1000, 1000]


def law(n):
    return 100 - 90 * n**-0.25


def test_a_power_law_is_continued_exactly():
    curve = learning_curve(SIZES, [law(n) for n in SIZES])
    assert curve.at(2000) == pytest.approx((law(2000),) * 3)


def test_the_interval_is_that_of_linear_regression():
    rng = np.random.default_rng(0)
    scores = [law(n) + rng.normal(0, 1) for n in SIZES]
    found = learning_curve(SIZES, scores).at(4000)
    x, y, new = np.log(SIZES), np.log(100 - np.array(scores)), np.log(4000)
    line = linregress(x, y)
    # Var(a + b x) + noise, from the standard errors of the library's slope and intercept
    spread = line.stderr * np.sqrt(((x - x.mean()) ** 2).sum())  # of the residuals
    mean_error = line.stderr * np.sqrt(((x - x.mean()) ** 2).sum() / len(x) + (new - x.mean()) ** 2)
    width = t.ppf(0.95, len(x) - 2) * np.hypot(spread, mean_error)
    middle = line.intercept + line.slope * new
    assert found == pytest.approx((100 - np.exp(middle), 100 - np.exp(middle + width), 100 - np.exp(middle - width)))


def test_nine_of_ten_new_runs_lie_in_the_interval():
    rng = np.random.default_rng(1)

    def run(n):
        return 100 - (100 - law(n)) * np.exp(rng.normal(0, 0.05))

    inside = []
    for _ in range(400):
        low, high = learning_curve(SIZES, [run(n) for n in SIZES]).at(2000)[1:]
        inside.append(low <= run(2000) <= high)
    assert 0.86 < np.mean(inside) < 0.94


@pytest.mark.parametrize(
    ("sizes", "scores"),
    [([10, 10, 100, 100], [20, 21, 40, 41]), ([10, 100, 1000], [50, 50, 40]), ([10], [20])],
    ids=["two sizes", "falling", "one run"],
)
def test_what_is_no_learning_curve_is_not_continued(sizes, scores):
    assert learning_curve(sizes, scores) is None


def test_a_perfect_score_is_no_error():
    assert learning_curve([10, 100, 1000], [90, 99, 100]).at(2000).score <= 100
