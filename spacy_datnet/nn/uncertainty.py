"""How unsure a CRF is: exact probabilities of its best path, of tags and of spans."""

from typing import NamedTuple

import torch
from torch import Tensor

from . import crf
from .decoders import Decoder
from .sentences import Sentences
from .tags import BEGIN, INSIDE, LAST, UNIT

# tokens of the longest spans whose probabilities are wanted
LONGEST = 8


class Uncertainty(NamedTuple):
    """What is known of a batch of sentences, under the temperature of the probabilities."""

    path: Tensor  # (batch,): log P(best path)
    marginal: Tensor  # (tokens,): P(tag of the best path)
    entropy: Tensor  # (tokens,): entropy of the tag, in nats
    spans: Tensor | None  # (LONGEST, tokens, labels): P(span that begins at the token and has 1, 2 ... tokens)


def examine(decoder: Decoder, states: Tensor, sentences: Sentences, n_labels: int) -> Uncertainty:
    """Find out how unsure a decoder is of sentences.

    states (Tensor): (tokens, width).
    sentences (Sentences): Where they lie.
    n_labels (int): The labels of spans, whose tags are BILUO; 0 if tokens are labelled one by one.
    RETURNS (Uncertainty): How unsure.
    """
    lengths = sentences.lengths
    emissions = sentences.pad(decoder.emit(states)) / decoder.temperature
    scores = crf.Scores(*(score / decoder.temperature for score in decoder.scores()))
    tags = crf.viterbi(emissions, lengths, scores)
    posterior = crf.forward_backward(emissions, lengths, scores)
    best = crf.path_score(emissions.double(), lengths, crf.Scores(*(score.double() for score in scores)), tags)
    spans = None
    if n_labels:
        likely = _spans(posterior, scores.transitions.double().exp(), n_labels)
        spans = torch.stack([sentences.unpad(part) for part in likely])
    return Uncertainty(
        best - posterior.log_partition,
        sentences.unpad(posterior.unary.gather(2, tags[..., None])[..., 0]),
        sentences.unpad(torch.special.entr(posterior.unary).sum(2)),
        spans,
    )


def _spans(posterior: crf.Posterior, weights: Tensor, n_labels: int) -> list[Tensor]:
    """Follow each span from its first token on: for each length, (batch, tokens, labels)."""
    begin, inside, last, unit = (1 + 4 * torch.arange(n_labels) + action for action in (BEGIN, INSIDE, LAST, UNIT))
    arriving, following = (part.transpose(0, 1) for part in (posterior.arriving, posterior.following))

    def step(before: Tensor, after: Tensor) -> Tensor:
        """P(tag at the next token | tag at this one): (batch, tokens, labels), 0 at the last token."""
        share = torch.zeros_like(arriving[..., after])
        share[:, :-1] = arriving[:, 1:, after] / following[:, :-1, before].clamp(min=crf.TINY)
        return share * weights[before, after]

    goes_on, ends, open_ = step(inside, inside), step(inside, last), posterior.unary[..., begin]
    likely = [posterior.unary[..., unit], open_ * step(begin, last)]
    open_ = open_ * step(begin, inside)
    for ahead in range(1, LONGEST - 1):  # from the first token of the span to the one before its last
        likely.append(open_ * _ahead(ends, ahead))
        open_ = open_ * _ahead(goes_on, ahead)
    return likely


def _ahead(values: Tensor, by: int) -> Tensor:
    """Take what stands so many tokens further on, 0 behind the end: (batch, tokens, labels)."""
    shifted = torch.zeros_like(values)
    shifted[:, : max(values.shape[1] - by, 0)] = values[:, by:]
    return shifted
