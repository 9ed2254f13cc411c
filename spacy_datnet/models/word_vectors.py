"""Static word vectors as word features: fixed, and never saved with the model."""

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from spacy import util
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vectors import Vectors
from spacy.vocab import Vocab
from thinc.api import Model, get_current_ops
from thinc.types import Floats2d

from ..errors import Errors

Words = Model[list[Doc], list[Floats2d]]


@registry.architectures("spacy-datnet.WordVectors.v1")
def build_WordVectors(vectors: str | None = None) -> Words:
    """Build a layer that looks up fixed word vectors.

    A word is looked up as it is written, then in lower case; a word without a vector gets zeros.

    vectors (Optional[str]): Path or package of a pipeline that holds the vectors, such as the output of
        `spacy init vectors`. Defaults to the vectors of the pipeline that the component is in.
    RETURNS (Model): The layer.
    """
    attrs = {"vectors": vectors, "static": True}
    return Model("word_vectors", forward, init=init, dims={"nO": None}, attrs=attrs)


def init(model: Words, X: list[Doc] | None = None, Y: None = None) -> None:
    """Read the width off the vectors."""
    if X:
        model.set_dim("nO", vectors_for(model, X[0].vocab)[0].shape[1], force=True)


def vectors_for(model: Words, vocab: Vocab) -> tuple[Vectors, Vocab]:
    """Find the vectors a layer looks up, and a vocab that knows the words' strings. DN004 if there are none."""
    name = model.attrs["vectors"]
    vectors = vocab.vectors if name is None else load_vectors(name)
    if vectors.shape[1] == 0 or (vectors.mode == "default" and vectors.n_keys == 0):
        where = "the pipeline" if name is None else f"'{name}'"
        raise ValueError(Errors.DN004.format(where=where))
    return vectors, vocab


@lru_cache(maxsize=4)
def load_vectors(name: str) -> Vectors:
    """Load the vectors of a pipeline, once per process.

    name (str): Path or package name.
    RETURNS (Vectors): The vectors, on the current device.
    """
    try:
        nlp = util.load_model(name, exclude=["lookups"])
    except OSError as error:
        raise ValueError(Errors.DN005.format(name=name, error=error)) from error
    nlp.vocab.vectors.to_ops(get_current_ops())
    return nlp.vocab.vectors


def forward(model: Words, docs: list[Doc], is_train: bool) -> tuple[list[Floats2d], Callable]:
    """Look up the words of docs; there is nothing to backpropagate to."""

    def backprop(d_features: list[Floats2d]) -> list[Doc]:
        return []

    if not docs:
        return [], backprop
    vectors, vocab = vectors_for(model, docs[0].vocab)
    lengths = [len(doc) for doc in docs]
    orths = np.concatenate([doc.to_array("ORTH") for doc in docs])
    forms, index = np.unique(orths, return_inverse=True)
    table = look_up(vectors, forms, vocab)
    features = table[model.ops.asarray1i(index)]  # (tokens, width)
    return model.ops.unflatten(features, model.ops.asarray1i(lengths)), backprop


def look_up(vectors: Vectors, forms: np.ndarray, vocab: Vocab) -> Floats2d:
    """Look up words: (words,) hashes -> (words, width), zeros where there is no vector."""
    if vectors.mode != "default":  # floret builds a vector for any word from its parts
        return vectors.get_batch(forms)
    known = vectors.key2row
    rows = np.empty(len(forms), dtype=np.int64)
    for i, orth in enumerate(forms.tolist()):
        row = known.get(orth)
        if row is None:
            row = known.get(get_string_id(vocab.strings[orth].lower()), -1)
        rows[i] = row
    table = vectors.data[rows]
    table[rows < 0] = 0.0
    return table
