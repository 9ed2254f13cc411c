"""The resource discriminator: gradient reversal, self-attention pooling, one logit per sentence; and its losses."""

import torch
from torch import Tensor, nn
from torch.nn.functional import softplus

from .sentences import Sentences


class _GradientReversal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, states, strength):
        ctx.strength = strength
        return states.view_as(states)

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None


def reverse_gradient(states: Tensor, strength: float) -> Tensor:
    """Give the states back unchanged, and their gradient multiplied by `-strength`.

    Ganin and Lempitsky (2015), Unsupervised Domain Adaptation by Backpropagation.
    """
    return _GradientReversal.apply(states, strength)


class Discriminator(nn.Module):
    """Tell from the shared states of a sentence whether it comes from the source.

    input_width (int): Width of the shared states.
    hidden (int): Width of the attention's hidden layer.
    """

    def __init__(self, input_width: int, *, hidden: int):
        super().__init__()
        self.attention = nn.Linear(input_width, hidden)
        self.query = nn.Linear(hidden, 1, bias=False)
        self.output = nn.Linear(input_width, 1)

    def attend(self, states: Tensor, sentences: Sentences) -> Tensor:
        """Compute the attention of each sentence over its own tokens: (batch, longest), zero behind its end.

        states (Tensor): (tokens, input_width).
        sentences (Sentences): Where they lie.
        """
        energy = self.query(torch.tanh(self.attention(states)))[:, 0]  # (tokens,)
        return sentences.pad(energy, fill=-torch.inf).softmax(1)

    def pool(self, states: Tensor, sentences: Sentences) -> Tensor:
        """Pool the states of each sentence by its attention: (batch, input_width)."""
        return (self.attend(states, sentences)[:, None] @ sentences.pad(states))[:, 0]

    def forward(self, states: Tensor, sentences: Sentences, reversal: float = 1.0) -> Tensor:
        """Compute the logit of r, the probability of the source, behind a gradient reversal: (batch,)."""
        states = reverse_gradient(states, reversal)
        # the same as the output of the pooled states, as both are linear: but pools one number of a token, not a row
        values = sentences.pad(states @ self.output.weight[0])  # (batch, longest)
        return (self.attend(states, sentences) * values).sum(1) + self.output.bias


def generalized_resource_loss(logits: Tensor, is_source: Tensor, *, alpha: float, gamma: float) -> Tensor:
    """GRAD, the generalized resource-adversarial discriminator loss, Eq. 1 of the paper.

    -sum_i { I[i in S] alpha (1 - r_i)^gamma log r_i + I[i in T] (1 - alpha) r_i^gamma log(1 - r_i) }

    logits (Tensor): (batch,), r = sigmoid(logits) is the probability of the source.
    is_source (Tensor): (batch,) bool.
    alpha (float): Weight of source sentences, 1 - alpha of target sentences.
    gamma (float): How much sentences that are told easily count less.
    RETURNS (Tensor): A scalar, in nats, summed over the batch.
    """
    # one sign flip makes both terms the same: p is the probability of the wrong answer
    wrong = torch.where(is_source, -logits, logits)
    weight = torch.where(is_source, alpha, 1.0 - alpha).to(logits.dtype)
    focus = (gamma * -softplus(-wrong)).exp() if gamma else 1.0  # p^gamma
    return (weight * focus * softplus(wrong)).sum()


def adversarial_loss(logits: Tensor, is_source: Tensor) -> Tensor:
    """Plain adversarial discriminator: the cross-entropy of the resource, in nats, summed over the batch."""
    return softplus(torch.where(is_source, -logits, logits)).sum()
