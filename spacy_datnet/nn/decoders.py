"""From the states of an encoder to tags: a CRF, or independent softmaxes under the same legality constraints."""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from . import crf
from .sentences import Sentences


class Soft(NamedTuple):
    """How far the tags of sentences are from a distribution over all paths, in expected counts.

    The cross-entropy between the distribution and a decoder is the loss of the tags and the score of this difference,
    which is linear. So its gradient is the decoder's expected counts minus those of the distribution.
    """

    unary: Tensor  # (tokens, tags): 1 for the tag that a token has, minus the probability of each
    moves: Tensor  # (2, moves), int64: tags, and the tags behind them
    weights: Tensor  # (moves,): how often the tags of all sentences make the move, minus how often that is expected


class Decoder(nn.Module):
    """A linear layer that emits tag scores, and which tag sequences are legal.

    input_width (int): Width of the encoder's states.
    n_tags (int): Number of tags.
    """

    legal_start: Tensor
    legal_transitions: Tensor
    legal_end: Tensor
    temperature: Tensor

    def __init__(self, input_width: int, n_tags: int):
        super().__init__()
        self.emit = nn.Linear(input_width, n_tags)
        for name, shape in zip(crf.Scores._fields, ((n_tags,), (n_tags, n_tags), (n_tags,)), strict=True):
            self.register_buffer(f"legal_{name}", torch.ones(shape, dtype=torch.bool))
        # of the probabilities, fitted after the training; the loss does not know it
        self.register_buffer("temperature", torch.ones(()))

    def constrain(self, start: Tensor, transitions: Tensor, end: Tensor) -> None:
        """Say which starts, transitions and ends are legal: bool tensors (tags,), (tags, tags), (tags,)."""
        self.legal_start.copy_(start)
        self.legal_transitions.copy_(transitions)
        self.legal_end.copy_(end)

    def legal(self, start: Tensor, transitions: Tensor, end: Tensor) -> crf.Scores:
        """Put -inf where scores are of what is illegal."""
        return crf.Scores(
            torch.where(self.legal_start, start, -torch.inf),
            torch.where(self.legal_transitions, transitions, -torch.inf),
            torch.where(self.legal_end, end, -torch.inf),
        )

    def scores(self) -> crf.Scores:
        """Give the scores of starts, transitions and ends, -inf for an illegal one."""
        raise NotImplementedError

    def loss(self, states: Tensor, sentences: Sentences, tags: Tensor, complete: bool) -> Tensor:
        """Compute the loss of annotated sentences.

        states (Tensor): (tokens, input_width).
        sentences (Sentences): Where they lie.
        tags (Tensor): (tokens,), `crf.MISSING` for an unknown tag.
        complete (bool): Whether no tag is missing.
        RETURNS (Tensor): (batch,), in nats.
        """
        raise NotImplementedError

    def soften(self, states: Tensor, sentences: Sentences, soft: Soft) -> Tensor:
        """Sum up what is to be added to the losses of tags to learn from a distribution; see `Soft` and `loss`."""
        # float64, because it is the difference of two large numbers; what is illegal has no counts
        start, moves, end = (score.double().nan_to_num(neginf=0.0) for score in self.scores())
        unary = soft.unary.double()
        last = sentences.lengths.cumsum(0) - 1
        local = (unary * self.emit(states).double()).sum()
        borders = (unary[last - sentences.lengths + 1] @ start).sum() + (unary[last] @ end).sum()
        return (local + borders + soft.weights.double() @ moves[soft.moves[0], soft.moves[1]]).to(states.dtype)

    def posterior(self, states: Tensor, sentences: Sentences, allowed: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Compute the probability of each tag, (tokens, tags), and of how often each move is made: (batch, tags, tags).

        They are those under the temperature, see `decode` for the arguments.
        """
        emissions = sentences.pad(self.emit(states)) / self.temperature
        scores = crf.Scores(*(score / self.temperature for score in self.scores()))
        allowed = None if allowed is None else sentences.pad(allowed)
        posterior = crf.forward_backward(emissions, sentences.lengths, scores, allowed)
        moves = torch.einsum("tbi,tbj->bij", posterior.leaving[:-1], posterior.arriving[1:])
        return sentences.unpad(posterior.unary), moves * posterior.moves.weights

    def decode(
        self,
        states: Tensor,
        sentences: Sentences,
        allowed: Tensor | None = None,
        confidence: bool = True,
        tags: Tensor | None = None,
    ) -> crf.Decoded:
        """Find the best legal path of each sentence, see `crf.decode`.

        states (Tensor): (tokens, input_width).
        sentences (Sentences): Where they lie.
        allowed (Optional[Tensor]): (tokens, tags) bool, the tags that each token may have.
        confidence (bool): Whether posterior probabilities are wanted.
        tags (Optional[Tensor]): (tokens,), the best paths, if they are known.
        RETURNS (Decoded): Tags and log-probabilities, each (tokens,).
        """
        emissions = sentences.pad(self.emit(states))
        allowed, tags = (part if part is None else sentences.pad(part) for part in (allowed, tags))
        decoded = crf.decode(emissions, sentences.lengths, self.scores(), allowed, confidence, self.temperature, tags)
        marginal, conditional = (part if part is None else sentences.unpad(part) for part in decoded[1:])
        return crf.Decoded(sentences.unpad(decoded.tags), marginal, conditional)


class CRF(Decoder):
    """A linear-chain CRF: tags depend on their neighbours."""

    def __init__(self, input_width: int, n_tags: int):
        super().__init__(input_width, n_tags)
        self.start = nn.Parameter(torch.zeros(n_tags))
        self.transitions = nn.Parameter(torch.zeros(n_tags, n_tags))
        self.end = nn.Parameter(torch.zeros(n_tags))

    def scores(self) -> crf.Scores:  # noqa: D102
        return self.legal(self.start, self.transitions, self.end)

    def loss(self, states: Tensor, sentences: Sentences, tags: Tensor, complete: bool) -> Tensor:  # noqa: D102
        emissions, tags = sentences.pad(self.emit(states)), sentences.pad(tags)
        return crf.negative_log_likelihood(emissions, sentences.lengths, tags, self.scores(), complete)


class Softmax(Decoder):
    """One softmax per token for training; decoding still finds the best legal path."""

    def scores(self) -> crf.Scores:  # noqa: D102
        zero = self.emit.weight.new_zeros(())
        return self.legal(zero, zero, zero)

    def loss(self, states: Tensor, sentences: Sentences, tags: Tensor, complete: bool) -> Tensor:  # noqa: D102
        of_token = cross_entropy(self.emit(states), tags, ignore_index=crf.MISSING, reduction="none")
        return of_token.new_zeros(len(sentences)).index_add(0, sentences.of_token, of_token)
