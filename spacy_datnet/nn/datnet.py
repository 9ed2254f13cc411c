"""DATNet: character CNN and word features -> shared and private encoders -> a decoder per resource.

`transfer` says how source and target share: "none" (base model, target only), "full" (DATNet-F, one encoder for
both), "part" (DATNet-P, a shared encoder and a private one per resource, outputs concatenated).
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.functional import embedding

from .crf import Decoded
from .decoders import Decoder
from .discriminator import Discriminator
from .encoders import CharCNN, drop
from .sentences import Sentences

TRANSFERS = ("none", "full", "part")


@dataclass(frozen=True)
class Sizes:
    """What the data decides about the shape of the network.

    words (int): Width of the word features.
    tags (dict): Number of tags of each resource; a network without "source" is target-only.
    """

    words: int
    tags: dict[str, int]


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
    characters: Tensor | None
    form_lengths: Tensor | None
    forms: Tensor | None
    owners: Tensor | None

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


class DATNet(nn.Module):
    """The network of the dual adversarial transfer.

    sizes (Sizes): Shapes that the data decides.
    transfer (str): "none", "full" or "part".
    characters (Optional[Callable]): Makes the character encoder, None for none.
    encoder (Callable): Makes an encoder from its input width.
    decoder (Callable): Makes a decoder from its input width and its number of tags.
    share_decoder (bool): Whether source and target, with the same tags, share one decoder.
    attention_width (int): Hidden width of the discriminator's attention.
    """

    def __init__(
        self,
        sizes: Sizes,
        *,
        transfer: str,
        characters: Callable[[], CharCNN] | None,
        encoder: Callable[[int], nn.Module],
        decoder: Callable[[int, int], Decoder],
        share_decoder: bool,
        attention_width: int,
    ):
        super().__init__()
        self.characters = characters() if characters is not None else None
        width = sizes.words + (self.characters.width if self.characters is not None else 0)
        self.shared = encoder(width)
        resources = sorted(sizes.tags)
        self.private = nn.ModuleDict({resource: encoder(width) for resource in resources} if transfer == "part" else {})
        self.width = self.shared.width * (2 if self.private else 1)
        self.decoders = nn.ModuleDict()
        for resource in sorted(resources, reverse=True):  # the target first: it owns a shared decoder
            shared = share_decoder and resource != "target"
            self.decoders[resource] = self.decoders["target"] if shared else decoder(self.width, sizes.tags[resource])
        self.discriminator = Discriminator(self.shared.width, hidden=attention_width) if "source" in resources else None

    def embed_characters(self, inputs: Inputs) -> Tensor | None:
        """Look up the characters: (characters, embedding_width), None without a character encoder."""
        if self.characters is None:
            return None
        return self.characters.embed(inputs.characters)

    def encode(self, inputs: Inputs, words: Tensor, characters: Tensor | None, dropout: float = 0.0) -> States:
        """Encode sentences from word features and embedded characters, which a perturbation may have changed.

        words (Tensor): (tokens, word_width).
        characters (Optional[Tensor]): (characters, embedding_width).
        dropout (float): Rate on the features and on the states.
        RETURNS (States): The states.
        """
        features = (drop(words, dropout),)  # side by side, each (tokens, ...)
        if self.characters is not None:
            encoded = self.characters(characters, inputs.form_lengths)  # (forms, filters)
            features = (drop(embedding(inputs.forms, encoded), dropout), *features)
        shared = drop(self.shared(features, inputs.sentences), dropout)
        if not self.private:
            return States(shared, shared)
        split = [inputs.split(part) for part in features]
        parts = [
            self.private[resource](tuple(part[resource] for part in split), sentences)
            for resource, sentences in inputs.resources.items()
        ]
        return States(shared, torch.cat([shared, drop(torch.cat(parts), dropout)], 1))

    @torch.no_grad()
    def decode(self, inputs: Inputs, allowed: Tensor | None = None, confidence: bool = True) -> Decoded:
        """Label target sentences.

        allowed (Optional[Tensor]): (tokens, tags) bool, the tags that each token may have.
        confidence (bool): Whether posterior probabilities are wanted.
        RETURNS (Decoded): Legal paths: tags and log-probabilities, each (tokens,).
        """
        states = self.encode(inputs, inputs.words, self.embed_characters(inputs))
        return self.decoders["target"].decode(states.full, inputs.sentences, allowed, confidence)

    def drop_source(self) -> None:
        """Remove whatever only training needs: the source's encoder and decoder, and the discriminator."""
        for parts in (self.private, self.decoders):
            if "source" in parts:
                del parts["source"]
        self.discriminator = None
