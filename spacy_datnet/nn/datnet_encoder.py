"""The encoder of DATNet: words and characters -> shared and private states."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from .encoders import CharCNN, Encoder, drop
from .sentences import Sentences


@dataclass(frozen=True)
class EncoderSizes:
    """What the data decides about the shape of an encoder.

    words (int): Width of the word features.
    """

    words: int


@dataclass(frozen=True)
class Inputs:
    """The features of one batch: the sentences of the source, then those of the target.

    words (Tensor): (tokens, word_width).
    sentences (Sentences): Where the sentences lie in the row of tokens.
    n_source (int): How many of the sentences are from the source.
    characters (Optional[Tensor]): (characters,), int64, the code points of the distinct word forms one after the
        other, with borders of 0 before, between and after them.
    form_lengths (Optional[Tensor]): (forms,), int64, characters of each form.
    forms (Optional[Tensor]): (tokens,), int64, the form of each token.
    owners (Optional[Tensor]): (characters,), int64, the sentence of each character, if each sentence has its own forms.
    """

    words: Tensor
    sentences: Sentences
    n_source: int
    characters: Tensor | None = None
    form_lengths: Tensor | None = None
    forms: Tensor | None = None
    owners: Tensor | None = None

    @cached_property
    def resources(self) -> dict[str, Sentences]:
        """The sentences of each resource that has any."""
        parts = zip(("source", "target"), self.sentences.split(self.n_source), strict=True)
        return {resource: sentences for resource, sentences in parts if len(sentences)}

    @cached_property
    def is_source(self) -> Tensor:
        """(batch,) bool, the sentences that are from the source."""
        return torch.arange(len(self.sentences), device=self.words.device) < self.n_source

    def split(self, values: Tensor) -> dict[str, Tensor]:
        """Divide values of tokens, (tokens, ...), by resource."""
        parts = values.split([sentences.tokens for sentences in self.resources.values()])
        return dict(zip(self.resources, parts, strict=True))


class States(NamedTuple):
    """What the encoders say: the shared part, and all that the decoder sees."""

    shared: Tensor  # (tokens, shared_width)
    full: Tensor  # (tokens, width)


class DATNetEncoder(nn.Module):
    """Character CNN and word features -> a shared encoder, and a private one per resource beside it.

    sizes (EncoderSizes): Shapes that the data decides.
    private (Iterable[str]): The resources that have a private encoder.
    characters (Optional[Callable]): Makes the character encoder, None for none.
    encoder (Callable): Makes an encoder from its input width.
    """

    def __init__(
        self,
        sizes: EncoderSizes,
        *,
        private: Iterable[str],
        characters: Callable[[], CharCNN] | None,
        encoder: Callable[[int], Encoder],
    ):
        super().__init__()
        self.sizes = sizes
        self.characters = characters() if characters is not None else None
        width = sizes.words + (self.characters.width if self.characters is not None else 0)
        self.shared = encoder(width)
        self.private = nn.ModuleDict({resource: encoder(width) for resource in sorted(private)})
        self.width = self.shared.width * (2 if self.private else 1)

    def embed_characters(self, inputs: Inputs) -> Tensor | None:
        """Look up the characters: (characters, embedding_width), None without a character encoder."""
        if self.characters is None or inputs.characters is None:
            return None
        return self.characters.embed(inputs.characters)

    def features(
        self, inputs: Inputs, words: Tensor, characters: Tensor | None, dropout: float = 0.0
    ) -> tuple[Tensor, ...]:
        """Compute what the encoders of sentences read, side by side: of each part, (tokens, ...); see `encode`."""
        if self.characters is None or inputs.forms is None:
            return (drop(words, dropout),)
        encoded = self.characters(characters, inputs.form_lengths)  # (forms, filters)
        return drop(embedding(inputs.forms, encoded), dropout), drop(words, dropout)

    def contexts(self, features: tuple[Tensor, ...], inputs: Inputs, dropout: float = 0.0) -> States:
        """Encode sentences from the features of their tokens; see `encode`."""
        shared = drop(self.shared(features, inputs.sentences), dropout)
        if not self.private:
            return States(shared, shared)
        split = [inputs.split(part) for part in features]
        parts = [
            self.private[resource](tuple(part[resource] for part in split), sentences)
            for resource, sentences in inputs.resources.items()
        ]
        return States(shared, torch.cat([shared, drop(torch.cat(parts), dropout)], 1))

    def encode(self, inputs: Inputs, words: Tensor, characters: Tensor | None, dropout: float = 0.0) -> States:
        """Encode sentences from word features and embedded characters, which a perturbation may have changed.

        words (Tensor): (tokens, word_width).
        characters (Optional[Tensor]): (characters, embedding_width).
        dropout (float): Rate on the features and on the states.
        RETURNS (States): The states.
        """
        return self.contexts(self.features(inputs, words, characters, dropout), inputs, dropout)

    def forward(self, inputs: Inputs, dropout: float = 0.0) -> Tensor:
        """Compute the states that a decoder sees: (tokens, width)."""
        return self.encode(inputs, inputs.words, self.embed_characters(inputs), dropout).full
