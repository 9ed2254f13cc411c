"""The worst small change of an input, for adversarial training."""

import torch
from torch import Tensor

TINY = 1e-30
# of a word's features on the average: what the norms of perturbations, and learning rates, are meant for
LENGTH = 6.0


def perturbation(gradient: Tensor, epsilon: Tensor, sentence: Tensor) -> Tensor:
    """Compute eta = epsilon * g / ||g||, one norm per sentence.

    Miyato, Dai and Goodfellow (2017), Adversarial Training Methods for Semi-Supervised Text Classification.

    gradient (Tensor): (rows, ...), the gradient of the loss.
    epsilon (Tensor): (sentences,), the norm that each sentence's perturbation shall have.
    sentence (Tensor): (rows,), int64, the sentence that a row belongs to.
    RETURNS (Tensor): Shape of the gradient. Zero for a sentence without any gradient.
    """
    # scaled by the sentence's largest value first: the square of a small gradient is no float32
    rows = gradient.abs().flatten(1).amax(1)  # (rows,)
    largest = torch.zeros_like(epsilon).scatter_reduce_(0, sentence, rows, "amax").clamp_(min=TINY)  # (sentences,)
    gradient = gradient / largest[sentence].view(-1, *[1] * (gradient.dim() - 1))
    square = gradient.flatten(1).square().sum(1)  # (rows,)
    norm = torch.zeros_like(epsilon).index_add_(0, sentence, square).sqrt()  # (sentences,)
    factor = epsilon / norm.clamp(min=TINY)
    return gradient * factor[sentence].view(-1, *[1] * (gradient.dim() - 1))
