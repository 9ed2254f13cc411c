"""Callbacks of the training loop."""

from collections.abc import Callable
from functools import partial

from spacy.language import Language
from spacy.util import registry

from ..errors import Errors


@registry.callbacks("spacy-datnet.epoch_decay.v1")
def configure_epoch_decay(rate: float = 0.05) -> Callable[[Language, dict[str, int]], None]:
    """Configure a learning rate that decays from epoch to epoch: beta_t = beta_0 / (1 + rate * t).

    Use it as `[training.before_update]`; beta_0 is the rate of `[training.optimizer]`. It holds for the components of
    this package. A schedule of Thinc counts steps, which is why this is a callback.

    rate (float): The paper's rho. Defaults to 0.05.
    RETURNS (Callable): The callback.
    """
    if rate < 0.0:
        raise ValueError(Errors.DN103.format(name="rate", value=rate))
    return partial(scale_learn_rates, rate)


def scale_learn_rates(rate: float, nlp: Language, info: dict[str, int]) -> None:
    """Set the scale of the learning rate for the epoch in `info` on every component that has one."""
    for _, pipe in nlp.pipeline:
        if hasattr(pipe, "learn_rate_scale"):
            pipe.learn_rate_scale = 1.0 / (1.0 + rate * info["epoch"])
