"""Confidences that can be taken at their word: a temperature fitted to annotated sentences.

A network that learns long from few sentences is surer than it is right. Dividing all scores of its decoder by a
temperature changes how sure it is, and no label (Guo et al. 2017, "On Calibration of Modern Neural Networks").
"""

from collections.abc import Callable

import numpy as np

# a tenth apart: closer ones can't be told apart by the entities of some hundred sentences
TEMPERATURES = tuple(float(np.exp(step / 10)) for step in range(-7, 17))


def fit_temperature(log_probabilities: Callable[[float], np.ndarray], right: np.ndarray) -> float:
    """Find the temperature, from 0.5 to 5, under which probabilities say best which predictions are right.

    It minimises the mean cross-entropy of `right` under the probabilities. As in Platt scaling, right ones count as
    slightly less than right and wrong ones as slightly less than wrong, so that a few predictions, all of them right,
    are no reason to be certain.

    log_probabilities (Callable): Gives the log-probability of each prediction under a temperature: (predictions,).
    right (ndarray): (predictions,) bool.
    RETURNS (float): The temperature, 1.0 without predictions.
    """
    if not len(right):
        return 1.0
    n_right = right.sum()
    wanted = np.where(right, (n_right + 1) / (n_right + 2), 1 / (len(right) - n_right + 2))

    def cross_entropy(temperature: float) -> float:
        p = np.exp(log_probabilities(temperature)).clip(1e-6, 1 - 1e-6)
        return float(-(wanted * np.log(p) + (1 - wanted) * np.log1p(-p)).mean())

    return min(TEMPERATURES, key=cross_entropy)
