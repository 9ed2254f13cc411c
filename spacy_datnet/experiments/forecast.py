"""What more annotated sentences would bring: a learning curve continued."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

# the share of future runs that shall lie in the interval
LEVEL = 0.9
LEAST_SIZES = 3


class Forecast(NamedTuple):
    """A score that is expected, and the interval that a new run lies in, in percent."""

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
        from scipy.stats import linregress

        # an error of zero has no logarithm
        self.x, y = np.log(np.asarray(sentences, dtype=float)), np.log(np.maximum(100.0 - np.asarray(scores), 0.01))
        self.line = linregress(self.x, y)
        self.freedom = len(self.x) - 2

    def at(self, sentences: float) -> Forecast:
        """Expect a score for a number of sentences, with the prediction interval of a new run at `LEVEL`."""
        from scipy.stats import t

        new, squares = np.log(sentences), ((self.x - self.x.mean()) ** 2).sum()
        # of the slope, times this, is that of a new run: its own noise, that of the mean, and that of the slope
        width = self.line.stderr * np.sqrt(squares * (1 + 1 / len(self.x)) + (new - self.x.mean()) ** 2)
        width *= t.ppf((1 + LEVEL) / 2, self.freedom)
        expected = self.line.intercept + self.line.slope * new
        score, high, low = (float(100 - np.exp(expected + sign * width)) for sign in (0, -1, 1))
        return Forecast(score, max(low, 0.0), high)


def learning_curve(sentences: Sequence[int], scores: Sequence[float]) -> LearningCurve | None:
    """Fit a learning curve; None with fewer than three sizes beside zero, or if more data makes the score no better."""
    pairs = [(count, score) for count, score in zip(sentences, scores, strict=True) if count]
    if len({count for count, _ in pairs}) < LEAST_SIZES:
        return None
    curve = LearningCurve(*zip(*pairs, strict=True))
    return curve if curve.line.slope < 0 else None
