"""The encoder alone, as a tok2vec for the components of spaCy: features of docs, then the encoder."""

from collections.abc import Callable
from functools import partial
from typing import cast

import numpy as np
import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d, Ints1d
from thinc.util import torch2xp, xp2torch

from ..errors import Errors
from ..features.word_vectors import Words
from ..nn.context import plain_torch
from ..nn.datnet_encoder import DATNetEncoder, EncoderSizes
from ..resources import TARGET
from .batch import Batch, Features, Featurizer, build_features, encode_by_length, is_static
from .datnet import DATNetModel, network_of
from .parts import CharacterFactory, EncoderFactory, at_least
from .shim import NetworkShim, shim_of

Tok2VecModel = Model[list[Doc], list[Floats2d]]


@registry.architectures("spacy-datnet.DATNetEncoder.v1")
def build_DATNetEncoder(
    tok2vec: Words,
    encoder: EncoderFactory,
    characters: CharacterFactory | None = None,
    private: bool = False,
    width: int | None = None,
) -> Tok2VecModel:
    """Build the encoder of DATNet as a tok2vec, for any component that takes one.

    A doc whose sentences are annotated is encoded sentence by sentence, any other one as a whole.

    tok2vec (Model[List[Doc], List[Floats2d]]): Word features: `spacy-datnet.WordVectors.v1` or any tok2vec or listener.
    encoder (Callable): Encoder of sentences, such as `spacy-datnet.BiLSTM.v1`.
    characters (Optional[Callable]): Character encoder, such as `spacy-datnet.CharCNN.v1`. Defaults to None for none.
    private (bool): Whether a second encoder stands beside the first, outputs concatenated: in DATNet-P the first one is
        shared and the second one the target's own. Defaults to False.
    width (Optional[int]): Width of the output, for listeners to refer to; it must be what the encoder gives. Defaults
        to just that.
    RETURNS (Model[List[Doc], List[Floats2d]]): The layer: one array per doc, (tokens, width).
    """
    if width is not None:
        at_least(1, width=width)
    make = partial(
        DATNetEncoder,
        private=(TARGET,) if private else (),
        characters=characters,
        encoder=encoder,
    )
    # no refs: Model.copy, by which listeners are replaced, would lose them
    return Model(
        "datnet_encoder",
        forward,
        init=partial(init, width=width),
        layers=[build_features(tok2vec, None, spell=characters is not None)],
        # the optimizers of spaCy's components clip gradients
        shims=[NetworkShim(make, EncoderSizes, grad_clip=0.0)],
        dims={"nO": width},
        attrs={"dropout_rate": 0.0},
    )


def init(model: Tok2VecModel, X: list[Doc] | None = None, Y: None = None, *, width: int | None) -> None:
    """Build the network: the width of the words comes from X."""
    if X is None:
        return
    features: Featurizer = model.layers[0]
    features.initialize(X=Batch(X))
    shim = shim_of(model)
    shim.build(EncoderSizes(words=features.get_dim("nO")))
    found = shim.network.width
    if width not in (None, found):
        raise ValueError(Errors.DN024.format(width=width, found=found))
    model.set_dim("nO", found, force=True)


def forward(model: Tok2VecModel, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Callable]:
    """Encode docs."""
    shim, featurizer = shim_of(model), model.layers[0]
    network = shim.network
    lengths = np.array([len(doc) for doc in docs], dtype=np.int32)
    if not lengths.any():
        return [model.ops.alloc2f(0, network.width) for _ in docs], no_backprop
    with plain_torch(shim.device, grad=is_train):
        features, backprop_features = featurizer(Batch(docs), is_train)
        features = features.to(shim.device)
        if not is_train:
            return unflatten(model, predict(network, features), lengths), no_backprop
        everything = np.arange(len(features.layout.lengths))
        if not len(everything):
            return [model.ops.alloc2f(len(doc), network.width) for doc in docs], no_backprop
        inputs = features.inputs(everything)
        inputs.words.requires_grad_(not is_static(featurizer))
        states = network(inputs, model.attrs["dropout_rate"])  # (words, width)
        words = torch.from_numpy(features.layout.tokens(everything)).to(states.device)
        flat = states.new_zeros(len(features.words), network.width)  # white space gets zeros
        flat = flat.index_copy(0, words, states)

    def backprop(d_states: list[Floats2d]) -> list[Doc]:
        with plain_torch(shim.device, grad=True):
            flat.backward(xp2torch(model.ops.xp.concatenate(d_states), device=flat.device))
        if inputs.words.grad is not None:
            backprop_features(features.spread(inputs.words.grad, everything))
        return docs

    return unflatten(model, flat, lengths), backprop


def unflatten(model: Tok2VecModel, states: torch.Tensor, lengths: np.ndarray) -> list[Floats2d]:
    """Divide the states of flat tokens by doc, as arrays of Thinc."""
    return model.ops.unflatten(cast(Floats2d, torch2xp(states)), cast(Ints1d, lengths))


def no_backprop(d_states: list[Floats2d]) -> list[Doc]:
    """Do nothing: there is no gradient of a prediction, nor of no tokens."""
    return []


def predict(network: DATNetEncoder, features: Features) -> torch.Tensor:
    """Encode the flat tokens of a batch, in groups of sentences of like length: (tokens, width)."""
    states = features.words.new_zeros(len(features.words), network.width)
    for tokens, _, found in encode_by_length(network, features):
        states[torch.from_numpy(tokens).to(states.device)] = found
    return states


def load_encoder(model: Tok2VecModel, trained: DATNetModel) -> None:
    """Copy the word features and the target's encoders of a trained DATNet of the same settings.

    model (Model[List[Doc], List[Floats2d]]): The encoder, changed in place.
    trained (Model[List[Doc], List[Prediction]]): The DATNet.
    """
    features, shim, source = model.layers[0], shim_of(model), network_of(trained)
    features.layers[0].from_bytes(trained.get_ref("tok2vec").to_bytes())
    features.set_dim("nO", source.sizes.words)
    shim.build(EncoderSizes(words=source.sizes.words))
    weights = source.state_dict()
    shim.network.load_state_dict({name: weights[name] for name in shim.network.state_dict()})
    model.set_dim("nO", shim.network.width, force=True)
