"""How much the annotation of a sentence is worth, per token of it: the strategies.

A strategy is a function of a sentence's `DocUncertainty` to a score; a higher one is annotated sooner. Register another
one in a file of `--code`, or of your package, as `@strategies("name")`.
"""

from collections.abc import Callable

import catalogue
import numpy as np

from ..pipeline.uncertainty import DocUncertainty

Strategy = Callable[[DocUncertainty], float]

RANDOM = "random"  # which asks for no score
strategies = catalogue.create("spacy_datnet", "strategies", entry_points=True)


@strategies("least-confidence")
def least_confidence(unsure: DocUncertainty) -> float:
    """Minus the log-probability of the best tags, per word."""
    return -unsure.path / len(unsure.marginal)


@strategies("lowest-token")
def lowest_token(unsure: DocUncertainty) -> float:
    """The probability that the least sure tag is wrong (LTP)."""
    return float(1.0 - unsure.marginal.min())


@strategies("token-entropy")
def token_entropy(unsure: DocUncertainty) -> float:
    """The mean entropy of the tags."""
    return float(unsure.entropy.mean())


@strategies("span-entropy")
def span_entropy(unsure: DocUncertainty) -> float:
    """The entropies of whether each possible span is there, per word."""
    p = np.array([span[3] for span in unsure.spans]).clip(1e-9, 1 - 1e-9)
    return float(-(p * np.log(p) + (1 - p) * np.log1p(-p)).sum() / len(unsure.marginal))


STRATEGIES = (RANDOM, *strategies.get_all())
