"""Linear-chain conditional random field as batched tensor code.

Forward and backward probabilities are computed in scaled probability space and float64: the inner step is then one
small matrix product instead of a logsumexp over (batch, tags, tags). Emissions are shifted by their maximum at each
token and floored `FLOOR` below it, so that no step can underflow.

Shapes: `batch` sentences, `tokens` of the longest one, `tags` of the decoder. A forbidden start, transition or end has
the score -inf.
"""

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from .moves import Moves, as_tensor, moves_of
from .sentences import mask_of
from .viterbi import best_paths

# exp(-300) is 1e-130: far below what a posterior can show, far above the smallest float64 (1e-308). Only where every
# legal tag of a token is more than 300 below an illegal one are probabilities wrong, and where what comes before and
# what comes behind a token contradict each other by more than 700 with no legal way between them
FLOOR = -300.0
MISSING = -1
TINY = torch.finfo(torch.float64).tiny


def on_host(*tensors: Tensor) -> list[Any]:
    """Give NumPy and arrays of tensors that are on the CPU, else PyTorch and the tensors: both know the same calls.

    What is computed at each token are a few numbers, of which the call is what costs, and NumPy's cost half as much.
    """
    if all(tensor.device.type == "cpu" for tensor in tensors):
        return [np, *(tensor.detach().numpy() for tensor in tensors)]
    return [torch, *tensors]


class Scores(NamedTuple):
    """The scores of a path's start, of its transitions (from row to column) and of its end."""

    start: Tensor  # (tags,)
    transitions: Tensor  # (tags, tags)
    end: Tensor  # (tags,)


class Posterior(NamedTuple):
    """What forward-backward knows about each sentence, in float64.

    A sentence without any path has a `log_partition` of -inf and zeros elsewhere.
    """

    log_partition: Tensor  # (batch,)
    unary: Tensor  # (batch, tokens, tags): P(tag at token)
    leaving: Tensor  # (tokens, batch, tags): forward probability, scaled so that `transitions` gives probabilities
    arriving: Tensor  # (tokens, batch, tags): scaled backward probability, the token's emission included
    following: Tensor  # (tokens, batch, tags): scaled backward probability behind the token
    moves: Moves

    def transitions(self, weight: Tensor | None = None) -> Tensor:
        """Compute the expected number of uses of each transition over the batch: (tags, tags).

        weight (Optional[Tensor]): (batch,), how much each sentence counts. Defaults to 1.
        """
        leaving = self.leaving[:-1] if weight is None else self.leaving[:-1] * weight[:, None]
        tags = self.unary.shape[2]
        return self.moves.count(leaving.reshape(-1, tags), self.arriving[1:].reshape(-1, tags))


class Decoded(NamedTuple):
    """The best path of each sentence and how sure the model is of it.

    By the chain rule, P(tags i..j) = exp(marginal[i] + conditional[i + 1] + ... + conditional[j]).
    """

    tags: Tensor  # (batch, tokens), int64, 0 behind the end of a sentence
    marginal: Tensor | None  # (batch, tokens): log P(tag)
    conditional: Tensor | None  # (batch, tokens): log P(tag | tag before it); row 0 has no meaning


def forward_backward(
    emissions: Tensor,
    lengths: Tensor,
    scores: Scores,
    allowed: Tensor | None = None,
    usable: Tensor | None = None,
) -> Posterior:
    """Compute the exact posterior over all paths that are legal and allowed. No autograd.

    emissions (Tensor): (batch, tokens, tags).
    lengths (Tensor): (batch,), each at least 1.
    allowed (Optional[Tensor]): (batch, tokens, tags) bool; the other tags get probability zero.
    usable (Optional[Tensor]): (batch,) bool; the other sentences get zeros like those without any path.
    RETURNS (Posterior): The posterior.
    """
    batch, tokens, _ = emissions.shape
    start, transitions, end = (score.detach().double().exp() for score in scores)
    moves = moves_of(transitions)
    logits = emissions.detach().double()
    if allowed is not None:
        logits = logits.masked_fill(~allowed, -torch.inf)
    logits = logits.transpose(0, 1)  # (tokens, batch, tags)
    peak = logits.amax(2, keepdim=True).clamp_(min=torch.finfo(torch.float64).min)  # (tokens, batch, 1)
    weight = (logits - peak).clamp_(min=FLOOR).exp_()  # (tokens, batch, tags)
    if allowed is not None:
        weight *= allowed.transpose(0, 1)
    back, rows = (torch.arange(n, device=lengths.device) for n in (tokens, batch))
    parts = weight, peak, mask_of(lengths, tokens).T, back.flip(0), rows, lengths, start, end
    xp, weight, peak, mask, back, rows, lengths, start, end = on_host(*parts)

    # one loop for both directions: from the first token on, and from the end of the longest sentence back; a shorter
    # sentence joins the latter at its own last token, all is zero for it until then
    weights = xp.stack([weight, weight[back]], 1)  # (tokens, 2, batch, tags)
    entering = xp.zeros_like(weights)
    entering[0, 0] = start
    entering[tokens - lengths, 1, rows] = end
    states: list[Any] = []
    totals = []
    ones = xp.ones_like(weights[0, 0, :1].T)  # (tags, 1)
    for enter, emission in zip(entering, weights, strict=True):
        if states:
            moves.add(enter, states[-1])
        state = enter * emission  # (2, batch, tags)
        total = state @ ones
        total += TINY
        state /= total
        states.append(state)
        totals.append(total[0, :, 0])
    both = xp.stack(states)
    alpha, arriving, following = both[:, 0], both[back, 1], entering[back, 1]
    unary = alpha * following  # (tokens, batch, tags)
    meeting = unary.sum(2)  # (tokens, batch)
    log_scale = xp.where(mask, xp.log(xp.stack(totals)) + peak[..., 0], 0.0)  # (tokens, batch)
    with np.errstate(divide="ignore"):
        log_partition = log_scale.sum(0) + xp.log(meeting[lengths - 1, rows])
    possible = xp.isfinite(log_partition)
    if usable is not None:
        possible &= on_host(usable)[1]
    share = xp.where(mask & possible, 1.0 / (meeting + TINY), 0.0)[..., None]
    unary *= share
    found = log_partition, unary.swapaxes(0, 1), alpha * share, arriving, following
    return Posterior._make([*map(as_tensor, found), moves])


def path_score(emissions: Tensor, lengths: Tensor, scores: Scores, tags: Tensor) -> Tensor:
    """Score one path per sentence.

    tags (Tensor): (batch, tokens), int64; any value behind the end of a sentence.
    RETURNS (Tensor): (batch,), -inf for an illegal path.
    """
    mask = mask_of(lengths, tags.shape[1])
    tags = tags.clamp(min=0)
    local = emissions.gather(2, tags[..., None])[..., 0]  # (batch, tokens)
    moves = scores.transitions[tags[:, :-1], tags[:, 1:]]  # (batch, tokens - 1)
    final = tags.gather(1, lengths[:, None] - 1)[:, 0]  # (batch,)
    local = torch.where(mask, local, 0.0).sum(1) + torch.where(mask[:, 1:], moves, 0.0).sum(1)
    return local + scores.start[tags[:, 0]] + scores.end[final]


class _NegativeLogLikelihood(torch.autograd.Function):
    """Minus log P(annotation) of each sentence. Its gradient is expected minus gold counts."""

    @staticmethod
    def forward(ctx, emissions, lengths, tags, complete, *scores):
        scores = Scores(*(score.double() for score in scores))
        n_tags = emissions.shape[2]
        gold = None
        if complete:
            # float64, because the loss is the difference of two large numbers
            log_gold = path_score(emissions.double(), lengths, scores, tags)
        else:
            index = tags[..., None]
            allowed = (index == MISSING) | (index == torch.arange(n_tags, device=tags.device))
            gold = forward_backward(emissions, lengths, scores, allowed)
            log_gold = gold.log_partition
        usable = log_gold != -torch.inf  # an annotation that no legal path can have teaches nothing
        free = forward_backward(emissions, lengths, scores, usable=usable)
        if gold is None:
            known = torch.where(mask_of(lengths, tags.shape[1]) & usable[:, None], tags, n_tags)
            unary = free.unary.new_zeros(*tags.shape, n_tags + 1).scatter_(2, known[..., None], 1.0)[..., :n_tags]
        else:
            unary = gold.unary
        ctx.save_for_backward(lengths, tags, usable, (free.unary - unary).to(emissions.dtype))
        ctx.posteriors = free, gold
        return torch.where(usable, free.log_partition - log_gold, 0.0).to(emissions.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, d_loss):
        lengths, tags, usable, unary = ctx.saved_tensors
        free, gold = ctx.posteriors
        emissions = unary * d_loss[:, None, None]  # (batch, tokens, tags)
        weight = torch.where(usable, d_loss.double(), 0.0)
        expected = free.transitions(weight)
        found = _count_transitions(lengths, tags, weight, len(expected)) if gold is None else gold.transitions(weight)
        rows = torch.arange(len(lengths), device=lengths.device)
        start, end = emissions[:, 0].sum(0), emissions[rows, lengths - 1].sum(0)
        return emissions, None, None, None, start, (expected - found).to(emissions.dtype), end


def _count_transitions(lengths: Tensor, tags: Tensor, weight: Tensor, n_tags: int) -> Tensor:
    """Count the transitions of known paths, as much as each sentence weighs: (tags, tags)."""
    # not bincount nor a choice by the mask: a GPU would have to tell the host how many there are
    moves = (tags[:, :-1] * n_tags + tags[:, 1:]).clamp(min=0)  # (batch, tokens - 1)
    weights = torch.where(mask_of(lengths, tags.shape[1])[:, 1:], weight[:, None], 0.0)
    counts = weights.new_zeros(n_tags * n_tags).index_add_(0, moves.flatten(), weights.flatten())
    return counts.view(n_tags, n_tags)


def negative_log_likelihood(emissions: Tensor, lengths: Tensor, tags: Tensor, scores: Scores, complete: bool) -> Tensor:
    """Compute the loss of annotated sentences, differentiable in the emissions and the scores.

    emissions (Tensor): (batch, tokens, tags).
    lengths (Tensor): (batch,), each at least 1.
    tags (Tensor): (batch, tokens), int64; `MISSING` where the annotation is unknown, which means any tag.
    complete (bool): Whether no tag is missing, which saves half of the work.
    RETURNS (Tensor): (batch,), minus log P(annotation) in nats.
    """
    return _NegativeLogLikelihood.apply(emissions, lengths, tags, complete, *scores)


def viterbi(emissions: Tensor, lengths: Tensor, scores: Scores, allowed: Tensor | None = None) -> Tensor:
    """Find the best legal and allowed path of each sentence.

    RETURNS (Tensor): (batch, tokens), int64, 0 behind the end of a sentence.
    """
    if allowed is not None:
        emissions = emissions.masked_fill(~allowed, -torch.inf)
    return best_paths(emissions.detach().transpose(0, 1), lengths, *(score.detach() for score in scores))


def decode(
    emissions: Tensor,
    lengths: Tensor,
    scores: Scores,
    allowed: Tensor | None = None,
    confidence: bool = True,
    temperature: Tensor | float = 1.0,
    tags: Tensor | None = None,
) -> Decoded:
    """Find the best paths and, if asked, their posterior probabilities.

    confidence (bool): Whether to run forward-backward for the probabilities.
    temperature (Tensor): All scores are divided by it for the probabilities, which a higher one draws together. The
        best path is the same under any. Defaults to 1.
    tags (Optional[Tensor]): (batch, tokens), the best paths, if they are known; any value after the end of a sentence.
    RETURNS (Decoded): Paths and log-probabilities in the dtype of the emissions.
    """
    if tags is None:
        tags = viterbi(emissions, lengths, scores, allowed)
    if not confidence:
        return Decoded(tags, None, None)
    emissions, scores = emissions / temperature, Scores(*(score / temperature for score in scores))
    posterior = forward_backward(emissions, lengths, scores, allowed)
    at, rows = (torch.arange(n, device=tags.device) for n in reversed(tags.shape))
    parts = posterior.unary, posterior.arriving, posterior.following, scores.transitions.double()
    xp, path, at, rows, unary, arriving, following, transitions = on_host(tags, at, rows[:, None], *parts)
    with np.errstate(divide="ignore", invalid="ignore"):
        marginal = xp.log(unary[rows, at, path])  # (batch, tokens)
        conditional = xp.log(arriving[at, rows, path])
        conditional[:, 1:] += transitions[path[:, :-1], path[:, 1:]] - xp.log(following[at, rows, path])[:, :-1]
    return Decoded(tags, *(as_tensor(part).to(emissions.dtype) for part in (marginal, conditional)))
