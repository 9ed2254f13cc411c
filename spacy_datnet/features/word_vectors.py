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
from thinc.util import get_array_module

from ..errors import Errors, Warnings
from .ngrams import MEAN, count_words, guess

Words = Model[list[Doc], list[Floats2d]]
# the share of known words below which vectors are probably of another language
ENOUGH = 0.5
# the mean length of a word's features, which `nn.perturbation` knows as well
LENGTH = 6.0
# the length of vectors is read off so many of a table
MEASURED = 100_000


@registry.architectures("spacy-datnet.WordVectors.v1")
def build_WordVectors(vectors: str | None = None) -> Words:
    """Build a layer that looks up fixed word vectors.

    A word is looked up as it is written, then in lower case. Any other word gets a vector from its n-grams if the table
    is of `spacy-datnet vectors`, else zeros. Vectors are brought to one mean length, which `initialize` reads off the
    table.

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
        attrs={"static": True, "scale": 1.0},
    )


def init(model: Words, X: list[Doc] | None = None, Y: None = None, *, source: str | None) -> None:
    """Read width and length off the vectors, and warn if they know few of the words."""
    if not X:
        return
    vectors = vectors_for(source, X[0].vocab)
    model.set_dim("nO", vectors.shape[1], force=True)
    tokens = [token for doc in X for token in doc]
    if vectors.mode == "default":  # not those of the words, which would be few
        count = count_words(vectors)
        set_scale(model, vectors.data[: count : max(1, count // MEASURED)])
    else:
        forms = np.unique(np.concatenate([doc.to_array("ORTH") for doc in X]))
        set_scale(model, look_up(vectors, forms, X[0].vocab))
    # one word stands in for examples where there are none
    if vectors.mode == "default" and len(tokens) > 1:
        known = sum(row_of(token.orth, vectors, X[0].vocab) >= 0 for token in tokens) / len(tokens)
        if known < ENOUGH:
            warnings.warn(Warnings.DN052.format(percent=round(100 * known), where=where(source)), stacklevel=2)


def set_scale(model: Words, vectors: np.ndarray | Floats2d) -> None:
    """Set the factor that brings the features of a layer to the mean length that all settings are meant for.

    model (Model): The layer, whose attribute `scale` is saved with it.
    vectors (Union[ndarray, Floats2d]): Some of its vectors; zeros don't count, nor what is no number.
    """
    xp = get_array_module(vectors)
    lengths = xp.sqrt(xp.einsum("ij,ij->i", vectors, vectors, dtype="float64"))
    lengths = lengths[(lengths > 0) & xp.isfinite(lengths)]
    model.attrs["scale"] = LENGTH / float(lengths.mean()) if len(lengths) else 1.0


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
    table = table * model.attrs["scale"]
    features = table[model.ops.asarray1i(cast(Ints1d, index))]  # (tokens, width)
    return model.ops.unflatten(features, model.ops.asarray1i(lengths)), backprop


def look_up(vectors: Vectors, forms: np.ndarray, vocab: Vocab, *, known_only: bool = False) -> Floats2d:
    """Look up words: (words,) hashes -> (words, width), zeros for words without a vector and without n-grams."""
    if vectors.mode != "default":  # floret builds a vector for any word from its parts
        return vectors.get_batch([vocab.strings[orth] for orth in forms.tolist()])
    rows = np.array([row_of(orth, vectors, vocab) for orth in forms.tolist()], dtype=np.int64)
    table = vectors.data[rows]
    table[rows < 0] = 0.0
    if MEAN in vectors.key2row and not known_only:
        for i in np.flatnonzero(rows < 0).tolist():
            table[i] = guess(vocab.strings[int(forms[i])], vectors)
    return table


def row_of(orth: int, vectors: Vectors, vocab: Vocab) -> int:
    """Find the row of a word as it is written, else in lower case, else -1."""
    row = vectors.key2row.get(orth)
    if row is None:
        row = vectors.key2row.get(get_string_id(vocab.strings[orth].lower()), -1)
    return row
