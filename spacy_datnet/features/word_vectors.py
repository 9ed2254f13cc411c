"""Static word vectors as word features: fixed, and never saved with the model."""

import warnings
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import cast

import numpy as np
from spacy import util
from spacy.strings import get_string_id
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vectors import Vectors
from spacy.vocab import Vocab
from thinc.api import Model, get_current_ops
from thinc.types import Floats2d, Ints1d

from ..errors import Errors, Warnings

Words = Model[list[Doc], list[Floats2d]]
# the share of known words below which vectors are probably of another language
ENOUGH = 0.5


@registry.architectures("spacy-datnet.WordVectors.v1")
def build_WordVectors(vectors: str | None = None) -> Words:
    """Build a layer that looks up fixed word vectors.

    A word is looked up as it is written, then in lower case; a word without a vector gets zeros.

    vectors (Optional[str]): Path or package of a pipeline that holds the vectors, such as the output of
        `spacy init vectors`. Defaults to the vectors of the pipeline that the component is in.
    RETURNS (Model): The layer.
    """
    # not in attrs, which are saved and would replace what the config says
    return Model(
        "word_vectors",
        partial(forward, source=vectors),
        init=partial(init, source=vectors),
        dims={"nO": None},
        attrs={"static": True},
    )


def init(model: Words, X: list[Doc] | None = None, Y: None = None, *, source: str | None) -> None:
    """Read the width off the vectors, and warn if they know few of the words."""
    if not X:
        return
    vectors = vectors_for(source, X[0].vocab)
    model.set_dim("nO", vectors.shape[1], force=True)
    tokens = [token for doc in X for token in doc]
    # one word stands in for examples where there are none
    if vectors.mode == "default" and len(tokens) > 1:
        known = sum(row_of(token.orth, vectors, X[0].vocab) >= 0 for token in tokens) / len(tokens)
        if known < ENOUGH:
            warnings.warn(Warnings.DN052.format(percent=round(100 * known), where=where(source)), stacklevel=2)


def where(source: str | None) -> str:
    """Name the place of the vectors in a message."""
    return "the pipeline" if source is None else f"'{source}'"


def vectors_for(source: str | None, vocab: Vocab) -> Vectors:
    """Find the vectors that a layer looks up. Raises DN004 if there are none, DN074 if they are not numbers."""
    vectors = vocab.vectors if source is None else load_vectors(source)
    if vectors.shape[1] == 0 or (vectors.mode == "default" and vectors.n_keys == 0):
        raise ValueError(Errors.DN004.format(where=where(source)))
    if vectors.data.dtype.kind not in "fiu":
        raise ValueError(Errors.DN074.format(where=where(source), dtype=vectors.data.dtype))
    return vectors


def load_vectors(name: str) -> Vectors:
    """Load the vectors of a pipeline, once per process and version of the file.

    name (str): Path or package name.
    RETURNS (Vectors): The vectors, on the current device.
    """
    file = Path(name) / "vocab" / "vectors"
    return _load_vectors(name, file.stat().st_mtime_ns if file.exists() else 0, get_current_ops().name)


@lru_cache(maxsize=4)
def _load_vectors(name: str, version: int, ops: str) -> Vectors:
    try:
        nlp = util.load_model(name, exclude=["lookups"])
    except OSError as error:
        raise ValueError(Errors.DN005.format(name=name, error=error)) from error
    nlp.vocab.vectors.to_ops(get_current_ops())
    return nlp.vocab.vectors


def forward(model: Words, docs: list[Doc], is_train: bool, *, source: str | None) -> tuple[list[Floats2d], Callable]:
    """Look up the words of docs; there is nothing to backpropagate to."""

    def backprop(d_features: list[Floats2d]) -> list[Doc]:
        return []

    if not docs:
        return [], backprop
    vocab = docs[0].vocab
    vectors = vectors_for(source, vocab)
    lengths = [len(doc) for doc in docs]
    orths = np.concatenate([doc.to_array("ORTH") for doc in docs])
    forms, index = np.unique(orths, return_inverse=True)
    table = cast(Floats2d, look_up(vectors, forms, vocab).astype("float32", copy=False))
    if not model.ops.xp.isfinite(table).all():
        wrong = next(i for i, row in enumerate(table) if not model.ops.xp.isfinite(row).all())
        raise ValueError(Errors.DN075.format(word=vocab.strings[int(forms[wrong])], where=where(source)))
    features = table[model.ops.asarray1i(cast(Ints1d, index))]  # (tokens, width)
    return model.ops.unflatten(features, model.ops.asarray1i(lengths)), backprop


def look_up(vectors: Vectors, forms: np.ndarray, vocab: Vocab) -> Floats2d:
    """Look up words: (words,) hashes -> (words, width), zeros where there is no vector."""
    if vectors.mode != "default":  # floret builds a vector for any word from its parts
        return vectors.get_batch([vocab.strings[orth] for orth in forms.tolist()])
    rows = np.array([row_of(orth, vectors, vocab) for orth in forms.tolist()], dtype=np.int64)
    table = vectors.data[rows]
    table[rows < 0] = 0.0
    return table


def row_of(orth: int, vectors: Vectors, vocab: Vocab) -> int:
    """Find the row of a word as it is written, else in lower case, else -1."""
    row = vectors.key2row.get(orth)
    if row is None:
        row = vectors.key2row.get(get_string_id(vocab.strings[orth].lower()), -1)
    return row
