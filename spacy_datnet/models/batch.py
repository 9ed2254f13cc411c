"""From docs to the tensors that the network reads.

Features are computed for the flat tokens of the docs, then collected for as many sentences at a time as the network
shall see.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import torch
from spacy.tokens import Doc
from thinc.api import Model
from thinc.util import torch2xp, xp2torch

from ..errors import Errors
from ..features.layout import PADDED_TOKENS, Layout, Spelling
from ..features.word_vectors import Words
from ..nn.datnet_encoder import DATNetEncoder, Inputs
from ..nn.sentences import Sentences
from ..resources import SOURCE


@dataclass(frozen=True)
class Batch:
    """Docs and the resource of each.

    docs (list): The docs, at least one of them with a token.
    is_source (Optional[ndarray]): (docs,) bool; None if all are target docs.
    """

    docs: list[Doc]
    is_source: np.ndarray | None = None


@dataclass(frozen=True)
class Features:
    """The features of the flat tokens of a batch.

    layout (Layout): Their sentences.
    words (Tensor): (tokens, width).
    is_source (ndarray): (sentences,) bool.
    spelling (Spelling | None): The characters of each distinct word form.
    forms (Optional[ndarray]): (tokens,), the form of each token.
    """

    layout: Layout
    words: torch.Tensor
    is_source: np.ndarray
    spelling: Spelling | None
    forms: np.ndarray | None

    def to(self, device: torch.device) -> "Features":
        """Move the words to a device, that of the network; the rest is on the host until it is collected."""
        return replace(self, words=self.words.to(device))

    def sentences_of(self, resource: str) -> np.ndarray:
        """Find the sentences of a resource."""
        return np.flatnonzero(self.is_source == (resource == SOURCE))

    def inputs(self, sentences: np.ndarray, own_forms: bool = False) -> Inputs:
        """Collect the features of some sentences.

        sentences (ndarray): The sentences, those of the source first.
        own_forms (bool): Whether each sentence gets its own copy of a word form, so that its characters can be
            perturbed on their own; otherwise the sentences share equal forms.
        RETURNS (Inputs): What the network reads. The words are a leaf, whose gradient `spread` puts back.
        """
        device = self.words.device
        tokens, lengths = self.layout.tokens(sentences), self.layout.lengths[sentences]
        characters = form_lengths = forms = owners = None
        if self.spelling is not None and self.forms is not None:
            of_token = np.repeat(np.arange(len(lengths)), lengths) if own_forms else None
            spelled = _spell(self.spelling, self.forms[tokens], of_token)
            characters, form_lengths, forms, owners = (torch.from_numpy(array).to(device) for array in spelled)
        return Inputs(
            words=self.words[torch.from_numpy(tokens).to(device)],
            sentences=Sentences(torch.from_numpy(lengths), device),
            n_source=int(self.is_source[sentences].sum()),
            characters=characters,
            form_lengths=form_lengths,
            forms=forms,
            owners=owners if own_forms else None,
        )

    def spread(self, gradient: torch.Tensor, sentences: np.ndarray) -> torch.Tensor:
        """Put the gradient of some sentences' words back on all tokens: (their tokens, width) -> (tokens, width)."""
        tokens = torch.from_numpy(self.layout.tokens(sentences)).to(gradient.device)
        return torch.zeros_like(self.words).index_copy_(0, tokens, gradient)

    def everything(self) -> Inputs:
        """Give the features of all tokens, which are in no sentences, with each word form once."""
        characters = form_lengths = forms = None
        if self.spelling is not None and self.forms is not None:
            arrays = self.spelling.characters, self.spelling.lengths, self.forms
            characters, form_lengths, forms = (torch.from_numpy(array).to(self.words.device) for array in arrays)
        return Inputs(
            self.words, Sentences(torch.zeros(0, device="cpu"), self.words.device), 0, characters, form_lengths, forms
        )


class Encoded(NamedTuple):
    """Target sentences of like length, as the decoder sees them."""

    tokens: np.ndarray  # which of all docs' tokens they have, one sentence after the other
    sentences: Sentences
    states: torch.Tensor  # (tokens, width)


def encode_by_length(network: DATNetEncoder, features: Features, padded: int = PADDED_TOKENS) -> Iterator[Encoded]:
    """Run the encoders over target sentences, in groups of like length.

    network (DATNetEncoder): The network, called without gradients.
    features (Features): The features of the batch.
    padded (int): Tokens in a group at most, padding counted.
    """
    inputs = features.everything()
    flat = torch.cat(network.features(inputs, inputs.words, network.embed_characters(inputs)), 1)
    for chosen in features.layout.by_length(padded):
        tokens, lengths = features.layout.tokens(chosen), torch.from_numpy(features.layout.lengths[chosen])
        group = Inputs(flat[torch.from_numpy(tokens).to(flat.device)], Sentences(lengths, flat.device), 0)
        yield Encoded(tokens, group.sentences, network.contexts((group.words,), group).full)


def _spell(spelling: Spelling, forms: np.ndarray, owners: np.ndarray | None) -> tuple[np.ndarray, ...]:
    """Spell tokens: characters, form lengths, form of each token, owner of each character.

    forms (ndarray): (tokens,), the form of each.
    owners (Optional[ndarray]): (tokens,), the sentence of each, if each sentence has its own forms.
    """
    size = len(spelling.lengths)
    distinct, index = np.unique(forms if owners is None else owners * size + forms, return_inverse=True)
    owner, distinct = np.divmod(distinct, size)
    chosen = spelling.choose(distinct)
    # the border before a form is its own, the last one belongs to the last form
    owner = np.append(np.repeat(owner, chosen.lengths + 1), owner[-1:])
    return chosen.characters, chosen.lengths, index, owner


Featurizer = Model[Batch, Features]


def build_features(tok2vec: Words, source_tok2vec: Words | None, spell: bool) -> Featurizer:
    """Build the layer that computes the features of docs.

    tok2vec (Model[List[Doc], List[Floats2d]]): Word features.
    source_tok2vec (Optional[Model[List[Doc], List[Floats2d]]]): Word features of source docs, if they differ.
    spell (bool): Whether the characters of the words are wanted.
    RETURNS (Model[Batch, Features]): The layer. Its backprop takes the gradient of `Features.words`.
    """
    layers = [tok2vec] if source_tok2vec is None else [tok2vec, source_tok2vec]
    model: Featurizer = Model("features", forward, init=init, layers=layers, dims={"nO": None}, attrs={"spell": spell})
    # a listener hears the whole batch or nothing
    if source_tok2vec is not None and listens(model):
        raise ValueError(Errors.DN018)
    return model


def init(model: Featurizer, X: Batch | None = None, Y: None = None) -> None:
    """Initialise the layers of word features and read their common width off what they give."""
    if X is None:
        return
    widths = []
    for layer, _, docs in _shares(model, X):
        layer.initialize(X=docs)
        widths.append(layer.get_dim("nO") if layer.has_dim("nO") else layer.predict(docs)[0].shape[1])
    if len(set(widths)) > 1:
        raise ValueError(Errors.DN006.format(target=widths[0], source=widths[1]))
    model.set_dim("nO", widths[0], force=True)


def forward(model: Featurizer, batch: Batch, is_train: bool) -> tuple[Features, Callable]:
    """Compute word features and spellings of a batch."""
    layout = Layout.of(batch.docs)
    found, backprop_words = _word_features(model, batch, is_train)
    # where the layers computed them, which in a new thread is not Thinc's default device
    device = torch.device("cpu" if isinstance(found, np.ndarray) else f"cuda:{found.device.id}")
    words = xp2torch(found, device=device)
    # a listener knows before only what its config says
    if model.maybe_get_dim("nO") not in (None, words.shape[1]):
        raise ValueError(Errors.DN048.format(found=words.shape[1], expected=model.get_dim("nO")))
    from_source = np.zeros(len(batch.docs), dtype=bool) if batch.is_source is None else batch.is_source
    spelling = forms = None
    if model.attrs["spell"]:
        orths = np.concatenate([doc.to_array("ORTH") for doc in batch.docs])
        distinct, forms = np.unique(orths, return_inverse=True)
        strings = batch.docs[0].vocab.strings
        spelling = Spelling.of([strings[orth] for orth in distinct.tolist()])
    features = Features(layout, words, from_source[layout.docs], spelling, forms)

    def backprop(d_words: torch.Tensor) -> list[Doc]:
        backprop_words(torch2xp(d_words))
        return batch.docs

    return features, backprop


def is_static(model: Featurizer) -> bool:
    """Tell whether no layer of word features wants a gradient."""
    return all(layer.attrs.get("static", False) for layer in model.layers)


def listens(model: Featurizer) -> bool:
    """Tell whether another component computes the word features."""
    return any(hasattr(node, "upstream_name") for node in model.walk())


def _shares(model: Featurizer, batch: Batch) -> list[tuple[Words, np.ndarray, list[Doc]]]:
    """Say which layer computes the word features of which docs: (layer, indices, docs)."""
    everything = np.arange(len(batch.docs))
    if len(model.layers) == 1 or batch.is_source is None:
        return [(model.layers[0], everything, batch.docs)]
    split = (everything[~batch.is_source], everything[batch.is_source])
    return [
        (layer, chosen, [batch.docs[i] for i in chosen])
        for layer, chosen in zip(model.layers, split, strict=True)
        if len(chosen)
    ]


def _word_features(model: Featurizer, batch: Batch, is_train: bool) -> tuple[Any, Callable]:
    """Compute the word features of the flat tokens: (tokens, width), an array of NumPy or CuPy."""
    features: list = [None] * len(batch.docs)
    callbacks = []
    for layer, chosen, docs in _shares(model, batch):
        found, backprop_layer = layer(docs, is_train)
        callbacks.append((backprop_layer, chosen))
        for i, array in zip(chosen, found, strict=True):
            features[i] = array
    # a listener to a transformer gives an empty doc a width of 0
    features = [array for array, doc in zip(features, batch.docs, strict=True) if len(doc)]
    borders = np.cumsum([0, *(len(doc) for doc in batch.docs)])

    def backprop(d_words: Any) -> None:
        for backprop_layer, chosen in callbacks:
            backprop_layer([d_words[borders[i] : borders[i + 1]] for i in chosen])

    return model.ops.xp.concatenate(features), backprop
