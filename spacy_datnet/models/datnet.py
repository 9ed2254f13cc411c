"""The model of all components: features of docs, then the network, behind one Thinc node."""

from collections.abc import Callable, Iterable, Iterator
from functools import partial
from itertools import accumulate, pairwise
from typing import NamedTuple, cast

import numpy as np
import torch
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model

from ..errors import Errors
from ..features.layout import PADDED_TOKENS
from ..features.word_vectors import Words
from ..nn.context import plain_torch
from ..nn.datnet import TRANSFERS, DATNet, Sizes
from ..nn.tags import MISSING
from ..resources import TARGET
from .batch import Batch, Encoded, Featurizer, build_features, encode_by_length
from .parts import CharacterFactory, DecoderFactory, EncoderFactory, at_least
from .shim import NetworkShim, shim_of


class Prediction(NamedTuple):
    """The tags of one doc, and the log-probabilities that `nn.crf.Decoded` explains."""

    tags: np.ndarray  # (tokens,), int64; MISSING for white space, which adds nothing to the log-probabilities
    marginal: np.ndarray | None  # (tokens,)
    conditional: np.ndarray | None  # (tokens,)

    def log_probabilities(self, items: Iterable[tuple[int, int]]) -> list[float]:
        """Sum up the log-probabilities of the tags of some items: the chain rule.

        items (Iterable[Tuple[int, int]]): Start and end of each; the end is exclusive.
        RETURNS (List[float]): One for each; only where confidence was wanted.
        """
        marginal, conditional = cast(np.ndarray, self.marginal), cast(np.ndarray, self.conditional)
        return [float(marginal[start] + conditional[start + 1 : end].sum()) for start, end in items]


# of the tags of all tokens that are decoded at once
MOST_SCORES = 2**20
DATNetModel = Model[list[Doc], list[Prediction]]
# starts (tags,), transitions (tags, tags) and ends (tags,) that are legal, bool
Legality = tuple[np.ndarray, np.ndarray, np.ndarray]


@registry.architectures("spacy-datnet.DATNet.v1")
def build_DATNet(
    tok2vec: Words,
    encoder: EncoderFactory,
    decoder: DecoderFactory,
    characters: CharacterFactory | None = None,
    source_tok2vec: Words | None = None,
    transfer: str = "full",
    share_decoder: bool = False,
    attention_width: int = 100,
    grad_clip: float = 5.0,
) -> DATNetModel:
    """Build a DATNet model.

    tok2vec (Model[List[Doc], List[Floats2d]]): Word features: `spacy-datnet.WordVectors.v1` or any tok2vec or listener.
    encoder (Callable): Encoder of sentences, such as `spacy-datnet.BiLSTM.v1`; used once, or thrice with private parts.
    decoder (Callable): Decoder, such as `spacy-datnet.CRF.v1`, one per resource.
    characters (Optional[Callable]): Character encoder, such as `spacy-datnet.CharCNN.v1`. None for none.
    source_tok2vec (Optional[Model[List[Doc], List[Floats2d]]]): Word features of the source where they differ, such as
        the vectors of another language. Only for training.
    transfer (str): "none": target only. "full": one encoder for both resources (DATNet-F). "part": a shared encoder and
        a private one per resource (DATNet-P).
    share_decoder (bool): Whether both resources share one decoder; their label sets must agree.
    attention_width (int): Hidden width of the attention in the resource discriminator.
    grad_clip (float): Largest norm of all gradients of an update together; 0.0 for no limit.
    RETURNS (Model[List[Doc], List[Prediction]]): The model. It predicts; `pipeline.base` trains it.
    """
    if transfer not in TRANSFERS:
        raise ValueError(Errors.DN007.format(transfer=transfer, known=", ".join(TRANSFERS)))
    at_least(1, attention_width=attention_width)
    at_least(0.0, grad_clip=grad_clip)
    make = partial(
        DATNet,
        transfer=transfer,
        characters=characters,
        encoder=encoder,
        decoder=decoder,
        share_decoder=share_decoder,
        attention_width=attention_width,
    )
    features = build_features(tok2vec, source_tok2vec, spell=characters is not None)
    return Model(
        "datnet",
        forward,
        init=init,
        layers=[features],
        refs={"tok2vec": tok2vec, "features": features},
        shims=[NetworkShim(make, Sizes, grad_clip=grad_clip)],
        attrs={"transfer": transfer, "share_decoder": share_decoder},
    )


def network_of(model: DATNetModel) -> DATNet:
    """Give the network of a model. Raises DN002 before it is built."""
    return cast(DATNet, shim_of(model).network)


def init(model: DATNetModel, X: Batch | None = None, Y: dict[str, Legality] | None = None) -> None:
    """Build the network: the width of the words comes from X, the tags of each resource from Y."""
    features: Featurizer = model.get_ref("features")
    features.initialize(X=X)
    if X is None or Y is None:
        return
    if model.attrs["transfer"] == "none":
        Y = {TARGET: Y[TARGET]}
    tags = {resource: len(start) for resource, (start, _, _) in Y.items()}
    shim_of(model).build(Sizes(words=features.get_dim("nO"), tags=tags))
    for resource, legality in Y.items():
        network_of(model).decoder(resource).constrain(*(torch.from_numpy(part) for part in legality))


def forward(model: DATNetModel, docs: list[Doc], is_train: bool) -> tuple[list[Prediction], Callable]:
    """Predict; training needs the annotation and runs through `update` of the components."""
    if is_train:
        raise NotImplementedError(Errors.DN008)
    return predict(model, docs), lambda d_predictions: docs


def predict(
    model: DATNetModel,
    docs: list[Doc],
    *,
    allowed: np.ndarray | None = None,
    confidence: bool = False,
) -> list[Prediction]:
    """Label target docs, in groups of sentences of like length.

    allowed (Optional[ndarray]): (tokens of all docs, tags) bool, the tags that each token may have.
    confidence (bool): Whether posterior probabilities are wanted.
    RETURNS (List[Prediction]): One per doc, also for an empty one.
    """
    with plain_torch(shim_of(model).device, grad=False):
        return decode(model, docs, encode(model, docs), allowed=allowed, confidence=confidence)


def encode(model: DATNetModel, docs: list[Doc]) -> Iterator[Encoded]:
    """Run the encoders over the sentences of target docs, in groups of like length; within `plain_torch`."""
    if any(len(doc) for doc in docs):
        network = network_of(model)
        features = model.get_ref("features").predict(Batch(docs)).to(shim_of(model).device)
        yield from encode_by_length(network, features, min(PADDED_TOKENS, MOST_SCORES // network.sizes.tags[TARGET]))


def decode(
    model: DATNetModel,
    docs: list[Doc],
    encoded: Iterable[Encoded],
    *,
    allowed: np.ndarray | None = None,
    confidence: bool = False,
    known: np.ndarray | None = None,
) -> list[Prediction]:
    """Label target docs whose sentences are encoded; see `predict`. Within `plain_torch`.

    known (Optional[ndarray]): (tokens of all docs,), what was predicted before, if only probabilities are wanted anew.
    """
    if not docs:
        return []
    decoder = network_of(model).decoder(TARGET)
    borders = list(accumulate((len(doc) for doc in docs), initial=0))
    tags = np.full(borders[-1], MISSING)
    logs = np.zeros((2, len(tags)), dtype=np.float32)
    for tokens, sentences, states in encoded:
        may, path = (
            None if flat is None else torch.from_numpy(flat[tokens]).to(states.device) for flat in (allowed, known)
        )
        decoded = decoder.decode(states, sentences, may, confidence, path)
        tags[tokens] = decoded.tags.cpu().numpy()
        if decoded.marginal is not None and decoded.conditional is not None:
            logs[:, tokens] = torch.stack([decoded.marginal, decoded.conditional]).cpu().numpy()
    if not confidence:
        return [Prediction(tags[a:b], None, None) for a, b in pairwise(borders)]
    return [Prediction(tags[a:b], *logs[:, a:b]) for a, b in pairwise(borders)]


def drop_source(model: DATNetModel) -> None:
    """Make a model target-only: predictions stay the same, all that only training needs is gone."""
    features = model.get_ref("features")
    for layer in features.layers[1:]:
        features.layers.remove(layer)
    network_of(model).drop_source()
