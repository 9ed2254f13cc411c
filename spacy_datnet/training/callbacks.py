"""Callbacks of the initialisation and of the training loop."""

import math
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from spacy.language import Language
from spacy.training import Example
from spacy.util import registry, resolve_dot_names

from ..errors import Errors, Warnings
from ..pipeline.calibration import calibrate


@registry.callbacks("spacy-datnet.epoch_decay.v1")
def configure_epoch_decay(rate: float = 0.05, factor: float = 1.0) -> Callable[[Language, dict[str, int]], None]:
    """Configure a learning rate that decays from epoch to epoch: beta_t = beta_0 / (1 + rate * t).

    Use it as `[training.before_update]`; beta_0 is the rate of `[training.optimizer]`, times `factor`. It holds for the
    components of this package. A schedule of Thinc counts steps, which is why this is a callback.

    rate (float): The paper's rho. Defaults to 0.05.
    factor (float): How many times as fast as the word features below them, such as a transformer, the networks of
        these components learn. Defaults to 1.0.
    RETURNS (Callable): The callback.
    """
    for name, value in (("rate", rate), ("factor", factor)):
        if not 0.0 <= value < math.inf:
            raise ValueError(Errors.DN103.format(name=name, value=value))
    return partial(scale_learn_rates, rate, factor)


def scale_learn_rates(rate: float, factor: float, nlp: Language, info: dict[str, int]) -> None:
    """Set the scale of the learning rate for the epoch in `info` on every component that has one."""
    for _, pipe in nlp.pipeline:
        if hasattr(pipe, "learn_rate_scale") and hasattr(pipe, "learn_rate_factor"):
            pipe.learn_rate_scale = 1.0 / (1.0 + rate * info["epoch"])
            pipe.learn_rate_factor = factor


@registry.callbacks("spacy-datnet.calibrate.v1")
def configure_calibrate() -> Callable[[Language], Language]:
    """Configure confidences that are fitted to the dev corpus before a pipeline is saved.

    Use it as `[training.before_to_disk]`. Scores and labels stay the same; see `pipeline.calibration.calibrate`.

    RETURNS (Callable): The callback.
    """
    return calibrate_on_dev_corpus


def calibrate_on_dev_corpus(nlp: Language) -> Language:
    """Fit the confidences to the dev corpus that a pipeline's config names."""
    try:
        (corpus,) = corpora_of(nlp, "dev_corpus")
        calibrate(nlp, corpus(nlp))
    except ValueError as error:  # what was trained is worth saving all the same
        warnings.warn(Warnings.DN058.format(reason=error), stacklevel=2)
    return nlp


def corpora_of(nlp: Language, *names: str) -> Sequence[Callable[[Language], Iterable[Example]]]:
    """Find the readers that a pipeline's config names in its block [training]."""
    config = nlp.config.interpolate()
    return resolve_dot_names(config, [config["training"][name] for name in names])
