"""What more annotated sentences would bring: a learning curve continued."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from ._extra import needs_report_extra

# the share of future runs that shall lie in the interval
LEVEL = 0.9
LEAST_SIZES = 3


class Forecast(NamedTuple):
    """A score that is expected, in percent.

    score (float): The expected score.
    low (float): The lower end of the interval that a new run lies in.
    high (float): The upper end.
    """

    score: float
    low: float
    high: float


class LearningCurve:
    """The power law error = a n^b (Hestness et al. 2017), a straight line between logarithms, fitted by least squares.

    It has no floor: it goes on to an error of zero, however slowly, so that it is rather too hopeful far out.

    sentences (Sequence[int]): The number of sentences of each run.
    scores (Sequence[float]): The score of each, in percent.
    """

    def __init__(self, sentences: Sequence[int], scores: Sequence[float]):
        # an error of zero has no logarithm
        self.x, y = np.log(np.asarray(sentences, dtype=float)), np.log(np.maximum(100.0 - np.asarray(scores), 0.01))
        self.slope, self.intercept = np.polyfit(self.x, y, 1)
        residuals = y - self.intercept - self.slope * self.x
        self.freedom = len(self.x) - 2
        self.noise = float(np.sqrt((residuals**2).sum() / self.freedom))

    @needs_report_extra
    def at(self, sentences: float) -> Forecast:
        """Expect a score for a number of sentences, with the prediction interval of a new run at `LEVEL`."""
        from scipy.stats import t

        distance = np.log(sentences) - self.x.mean()
        width = self.noise * np.sqrt(1 + 1 / len(self.x) + distance**2 / ((self.x - self.x.mean()) ** 2).sum())
        width *= t.ppf((1 + LEVEL) / 2, self.freedom)
        expected = self.intercept + self.slope * np.log(sentences)
        score, high, low = (float(100 - np.exp(expected + sign * width)) for sign in (0, -1, 1))
        return Forecast(score, max(low, 0.0), high)


def learning_curve(sentences: Sequence[int], scores: Sequence[float]) -> LearningCurve | None:
    """Fit a learning curve; None if there are fewer than three sizes, or if more data makes the score no better."""
    if len(set(sentences)) < LEAST_SIZES:
        return None
    curve = LearningCurve(sentences, scores)
    return curve if curve.slope < 0 else None
