"""Linear-chain conditional random field as batched tensor code.

Forward and backward probabilities are computed in scaled probability space and float64: the inner step is then one
small matrix product instead of a logsumexp over (batch, tags, tags). Emissions are shifted by their maximum at each
token and floored `FLOOR` below it, so that no step can underflow.

Shapes: `batch` sentences, `tokens` of the longest one, `tags` of the decoder. A forbidden start, transition or end has
the score -inf.
"""

from typing import NamedTuple

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn.functional import one_hot

from .sentences import mask_of

# exp(-300) is 1e-130: far below what a posterior can show, far above the smallest float64 (1e-308). Only where every
# legal tag of a token is more than 300 below an illegal one are probabilities wrong
FLOOR = -300.0
MISSING = -1
TINY = torch.finfo(torch.float64).tiny


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
    pairs: Tensor  # (tags, tags): expected number of uses of each transition, over the batch
    backward: Tensor  # (tokens, batch, tags): unary divided by the scaled forward probability
    arriving: Tensor  # (tokens, batch, tags): what a transition into the tag is multiplied with


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
    batch, tokens, tags = emissions.shape
    start, transitions, end = (score.detach().double().exp() for score in scores)
    logits = emissions.detach().double()
    if allowed is not None:
        logits = logits.masked_fill(~allowed, -torch.inf)
    logits = logits.transpose(0, 1)  # (tokens, batch, tags)
    peak = logits.amax(2, keepdim=True).clamp(min=torch.finfo(torch.float64).min)  # (tokens, batch, 1)
    weight = (logits - peak).clamp_(min=FLOOR).exp_()  # (tokens, batch, tags)
    if allowed is not None:
        weight *= allowed.transpose(0, 1)
    mask = mask_of(lengths, tokens).transpose(0, 1)  # (tokens, batch)
    last, rows = lengths - 1, torch.arange(batch, device=lengths.device)

    alpha, scale = torch.empty_like(weight), weight.new_empty(tokens, batch)
    state = start * weight[0]  # (batch, tags)
    for t in range(tokens):
        if t > 0:
            state = (alpha[t - 1] @ transitions).mul_(weight[t])
        torch.sum(state, 1, out=scale[t])
        torch.div(state, scale[t].clamp(min=TINY)[:, None], out=alpha[t])
    closing = alpha[last, rows] @ end  # (batch,)
    log_scale = torch.where(mask, scale.log() + peak[..., 0], 0.0)  # (tokens, batch)
    log_partition = log_scale.sum(0) + closing.log()
    possible = torch.isfinite(log_partition)
    if usable is not None:
        possible &= usable

    arriving = weight.div_(scale.clamp(min=TINY)[..., None])
    arriving *= (mask & possible)[..., None]
    beta = torch.zeros_like(weight)
    beta[last, rows] = torch.where(possible[:, None], end / closing.clamp(min=TINY)[:, None], 0.0)
    reverse = transitions.T.contiguous()
    for t in range(tokens - 2, -1, -1):
        beta[t].addmm_(arriving[t + 1] * beta[t + 1], reverse)
    incoming = (arriving[1:] * beta[1:]).reshape(-1, tags)
    pairs = (alpha[:-1].reshape(-1, tags).T @ incoming).mul_(transitions)
    return Posterior(log_partition, (alpha * beta).transpose(0, 1), pairs, beta, arriving)


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
    """Minus log P(annotation), summed over the batch. Its gradient is expected minus gold counts."""

    @staticmethod
    def forward(ctx, emissions, lengths, tags, complete, *scores):
        scores = Scores(*scores)
        n_tags = emissions.shape[2]
        if complete:
            # float64, because the loss is the difference of two large numbers
            exact = Scores(*(score.double() for score in scores))
            log_gold = path_score(emissions.double(), lengths, exact, tags)
        else:
            index = tags[..., None]
            allowed = (index == MISSING) | (index == torch.arange(n_tags, device=tags.device))
            gold = forward_backward(emissions, lengths, scores, allowed)
            log_gold = gold.log_partition
        usable = log_gold != -torch.inf  # an annotation that no legal path can have teaches nothing
        free = forward_backward(emissions, lengths, scores, usable=usable)
        loss = torch.where(usable, free.log_partition - log_gold, 0.0).sum()
        if complete:
            unary, pairs = _counts(tags, mask_of(lengths, tags.shape[1]) & usable[:, None], n_tags)
        else:
            unary, pairs = gold.unary, gold.pairs
        unary = free.unary - unary  # (batch, tokens, tags)
        rows = torch.arange(len(lengths), device=lengths.device)
        grads = (unary, unary[:, 0].sum(0), free.pairs - pairs, unary[rows, lengths - 1].sum(0))
        ctx.save_for_backward(*(grad.to(emissions.dtype) for grad in grads))
        return loss.to(emissions.dtype)

    @staticmethod
    @once_differentiable
    def backward(ctx, d_loss):
        emissions, start, transitions, end = (d_loss * grad for grad in ctx.saved_tensors)
        return emissions, None, None, None, start, transitions, end


def _counts(tags: Tensor, mask: Tensor, n_tags: int) -> tuple[Tensor, Tensor]:
    """Count the tags, (batch, tokens, tags), and the transitions, (tags, tags), of known paths."""
    unary = one_hot(torch.where(mask, tags, n_tags), n_tags + 1)[..., :n_tags]
    moves = tags[:, :-1] * n_tags + tags[:, 1:]  # (batch, tokens - 1)
    moves = torch.where(mask[:, 1:], moves, n_tags * n_tags).flatten()
    pairs = torch.bincount(moves, minlength=n_tags * n_tags + 1)[:-1]
    return unary.double(), pairs.view(n_tags, n_tags).double()


def negative_log_likelihood(emissions: Tensor, lengths: Tensor, tags: Tensor, scores: Scores, complete: bool) -> Tensor:
    """Compute the loss of annotated sentences, differentiable in the emissions and the scores.

    emissions (Tensor): (batch, tokens, tags).
    lengths (Tensor): (batch,), each at least 1.
    tags (Tensor): (batch, tokens), int64; `MISSING` where the annotation is unknown, which means any tag.
    complete (bool): Whether no tag is missing, which saves half of the work.
    RETURNS (Tensor): Minus log P(annotation) in nats, summed over the batch.
    """
    return _NegativeLogLikelihood.apply(emissions, lengths, tags, complete, *scores)


def viterbi(emissions: Tensor, lengths: Tensor, scores: Scores, allowed: Tensor | None = None) -> Tensor:
    """Find the best legal and allowed path of each sentence.

    RETURNS (Tensor): (batch, tokens), int64, 0 behind the end of a sentence.
    """
    batch, tokens, _ = emissions.shape
    if allowed is not None:
        emissions = emissions.masked_fill(~allowed, -torch.inf)
    logits = emissions.transpose(0, 1)
    reverse = scores.transitions.T.contiguous()  # (to, from): the maximum runs over the last dimension
    last = lengths - 1
    best, back = scores.start + logits[0], []  # (batch, tags)
    for t in range(1, tokens):
        value, origin = (best[:, None, :] + reverse).max(2)  # (batch, tags)
        best = torch.where((t <= last)[:, None], value + logits[t], best)
        back.append(origin)
    final = (best + scores.end).argmax(1)  # (batch,)
    path = torch.zeros(tokens, batch, dtype=torch.int64, device=emissions.device)
    tag = final
    for t in range(tokens - 1, -1, -1):
        if t < tokens - 1:
            tag = torch.where(t >= last, final, back[t].gather(1, tag[:, None])[:, 0])
        path[t] = tag
    return path.T * mask_of(lengths, tokens)


def decode(
    emissions: Tensor,
    lengths: Tensor,
    scores: Scores,
    allowed: Tensor | None = None,
    confidence: bool = True,
) -> Decoded:
    """Find the best paths and, if asked, their posterior probabilities.

    confidence (bool): Whether to run forward-backward for the probabilities.
    RETURNS (Decoded): Paths and log-probabilities in the dtype of the emissions.
    """
    tags = viterbi(emissions, lengths, scores, allowed)
    if not confidence:
        return Decoded(tags, None, None)
    posterior = forward_backward(emissions, lengths, scores, allowed)
    index = tags[..., None]

    def along_path(values: Tensor) -> Tensor:
        return values.gather(2, index)[..., 0]

    beta = along_path(posterior.backward.transpose(0, 1))  # (batch, tokens)
    arriving = along_path(posterior.arriving.transpose(0, 1))
    step = scores.transitions.double()[tags[:, :-1], tags[:, 1:]]  # (batch, tokens - 1)
    conditional = torch.zeros_like(beta)
    conditional[:, 1:] = step + (arriving * beta)[:, 1:].log() - beta[:, :-1].log()
    marginal = along_path(posterior.unary).log()
    return Decoded(tags, marginal.to(emissions.dtype), conditional.to(emissions.dtype))
