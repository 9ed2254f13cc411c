"""The registered training objective."""

import math

from spacy.util import registry

from ..errors import Errors
from ..nn.objective import DISCRIMINATORS, Objective


@registry.losses("spacy-datnet.DualAdversarialLoss.v1")
def configure_DualAdversarialLoss(
    discriminator: str = "grad",
    alpha: float = 0.25,
    gamma: float = 2.0,
    reversal: float = 1.0,
    adversarial_training: bool = True,
    epsilon_source: float = 2.0,
    epsilon_target: float = 2.0,
    epsilon_characters: float = 0.5,
) -> Objective:
    """Configure the dual adversarial objective: resource-adversarial (GRAD) and adversarial training (AT).

    discriminator (str): "grad": the generalized resource-adversarial discriminator. "ad": plain cross-entropy.
        "none": no discriminator. Defaults to "grad".
    alpha (float): Weight of source sentences in GRAD, 1 - alpha of target sentences. Grows with the share of target
        data. Defaults to 0.25.
    gamma (float): GRAD's focus on sentences whose resource is hard to tell; 0.0 for none. Defaults to 2.0.
    reversal (float): Strength of the gradient reversal. Defaults to 1.0.
    adversarial_training (bool): Whether to train on perturbed features too. Defaults to True.
    epsilon_source (float): L2 norm of the perturbation of a source sentence's words, for features of a mean length of
        6: static features are brought to it, and for trained ones the norm follows their length. Defaults to 2.0.
    epsilon_target (float): The same for a target sentence. Defaults to 2.0.
    epsilon_characters (float): The same for the character embeddings of a sentence. Defaults to 0.5.
    RETURNS (Objective): The objective.
    """
    if discriminator not in DISCRIMINATORS:
        known = ", ".join(DISCRIMINATORS)
        raise ValueError(Errors.DN101.format(discriminator=discriminator, known=known))
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(Errors.DN102.format(alpha=alpha))
    for name, value in (
        ("gamma", gamma),
        ("reversal", reversal),
        ("epsilon_source", epsilon_source),
        ("epsilon_target", epsilon_target),
        ("epsilon_characters", epsilon_characters),
    ):
        if not 0.0 <= value < math.inf:
            raise ValueError(Errors.DN103.format(name=name, value=value))
    return Objective(
        discriminator=discriminator,
        alpha=alpha,
        gamma=gamma,
        reversal=reversal,
        adversarial_training=adversarial_training,
        epsilon_source=epsilon_source,
        epsilon_target=epsilon_target,
        epsilon_characters=epsilon_characters,
    )
