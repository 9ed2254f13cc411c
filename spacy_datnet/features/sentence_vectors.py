"""Word features that depend on the sentence: the vectors of a sentence from a store, else from an encoder."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.shims import Shim
from thinc.types import Floats2d

from ..errors import Errors
from .layout import Layout
from .store import Rows, Sentence, Store
from .word_vectors import Words

# the length of vectors is read off so many sentences
SAMPLE = 32
Stores = Callable[[Words], Sequence[Store]]
# the layer, sentences that are in no store, whether it is trained on -> their vectors
Encode = Callable[[Words, Sequence[Sentence], bool], Rows]


def build_sentence_vectors(
    name: str, init: Callable[..., Any], stores: Stores, encode: Encode, *, shims: Sequence[Shim] = (), **attrs: Any
) -> Words:
    """Build a layer that gives vectors of sentences, which are not trained.

    A doc whose sentences are annotated is read sentence by sentence, any other one as a whole. Each distinct sentence
    is looked up or encoded once. White space gets zeros. Vectors are brought to one mean length.

    name (str): The name of the layer.
    init (Callable): Sets its width, and its scale by `set_scale`.
    stores (Callable): Gives the stores that are asked, one after the other.
    encode (Callable): Gives the vectors of sentences that are in none of them.
    shims (Sequence[Shim]): What the layer holds. Defaults to nothing.
    attrs (Any): More attributes of the layer, not its settings: attributes are saved and would replace what a config
        says.
    RETURNS (Model): The layer.
    """
    return Model(
        name,
        partial(forward, stores=stores, encode=encode),
        init=init,
        shims=list(shims),
        dims={"nO": None},
        attrs={"static": True, "scale": 1.0, **attrs},
    )


def forward(
    model: Words, docs: list[Doc], is_train: bool, *, stores: Stores, encode: Encode
) -> tuple[list[Floats2d], Callable]:
    """Compute the features of docs; there is nothing to backpropagate to."""

    def backprop(d_features: list[Floats2d]) -> list[Doc]:
        return []

    layout = Layout.of(docs)
    sentences = layout.texts(docs)
    vectors = collect(model, sentences, is_train, stores=stores, encode=encode)
    lengths = [len(doc) for doc in docs]
    flat = np.zeros((sum(lengths), model.get_dim("nO")), dtype=np.float32)
    if sentences:
        flat[layout.words] = np.concatenate([vectors[sentence] for sentence in sentences])
        flat *= model.attrs["scale"]
    return model.ops.unflatten(model.ops.asarray2f(cast(Floats2d, flat)), model.ops.asarray1i(lengths)), backprop


def collect(
    model: Words, sentences: Sequence[Sentence], is_train: bool, *, stores: Stores, encode: Encode
) -> dict[Sentence, np.ndarray]:
    """Look up the vectors of sentences, and encode each that is in no store once."""
    vectors: dict[Sentence, np.ndarray] = {}
    missing = list(dict.fromkeys(sentences))
    if missing:
        for store in stores(model):
            vectors |= store.find(missing)
            missing = [sentence for sentence in missing if sentence not in vectors]
    if missing:
        vectors |= encode(model, missing, is_train)
    return vectors


def sample(docs: list[Doc]) -> list[Sentence]:
    """Take some sentences of docs, at least one."""
    return Layout.of(docs).texts(docs)[-SAMPLE:] or [("x",)]


def finite(vectors: np.ndarray, words: Sequence[str], where: Path | str) -> np.ndarray:
    """Raise DN047 if vectors are not all numbers: a loss that is none would not say where it comes from."""
    if not np.isfinite(vectors).all():
        raise ValueError(Errors.DN047.format(where=where, text=beginning(words)))
    return vectors


def beginning(words: Sequence[str]) -> str:
    """Write the first words of a sentence for a message."""
    return " ".join(words[:6]) + (" …" if len(words) > 6 else "")
