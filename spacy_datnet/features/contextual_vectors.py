"""Vectors in context that some encoder outside of spaCy gave, as word features: from files, and from a function."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry

from ..errors import Errors
from .corpus_arrays import CorpusArrays, load_arrays
from .sentence_vectors import beginning, build_sentence_vectors, finite, sample
from .store import Rows, Sentence
from .word_vectors import Words, set_scale

# the words of some sentences -> an array for each, (words, width)
Encoder = Callable[[list[list[str]]], Sequence[np.ndarray]]
Files = tuple[tuple[str, str], ...]


@registry.architectures("spacy-datnet.ContextualVectors.v1")
def build_ContextualVectors(
    corpora: list[Path] | None = None, arrays: list[Path] | None = None, encoder: Encoder | None = None
) -> Words:
    """Build a layer that gives the vectors of another encoder, which it does not train.

    The vectors of the corpora are read from files; an .npy is memory-mapped. Sentences are told apart by their words,
    so that a corpus may be shuffled, sampled and cut into sentences; what is in no file is given to the function.

    corpora (Optional[List[Path]]): .spacy files. Defaults to none.
    arrays (Optional[List[Path]]): A file for each: .npy with a row for each token of the corpus, or .npz as
        `numpy.savez(file, *arrays)` writes it, with an array for each doc that has tokens. Defaults to none.
    encoder (Optional[Callable[[List[List[str]]], List[ndarray]]]): Gives an array, (words, width), for each sentence.
        Defaults to None: then only sentences of the corpora can be read.
    RETURNS (Model): The layer.
    """
    corpora, arrays = corpora or [], arrays or []
    if len(corpora) != len(arrays):
        raise ValueError(Errors.DN033.format(corpora=len(corpora), arrays=len(arrays)))
    files = tuple((str(corpus), str(array)) for corpus, array in zip(corpora, arrays, strict=True))
    return build_sentence_vectors(
        "contextual_vectors",
        partial(init, files=files, encoder=encoder),
        partial(stores_of, files=files),
        partial(encode, encoder=encoder),
    )


def init(model: Words, X: list[Doc] | None = None, Y: None = None, *, files: Files, encoder: Encoder | None) -> None:
    """Check the files, and read width and length off them or off what the function gives."""
    if not X:
        return
    width = None
    for pair in files:
        width = load_arrays(*pair).check_width(width)
    if files:
        vectors = load_arrays(*files[0]).beginning()
    else:
        vectors = np.concatenate([rows for _, rows in call(encoder, sample(X), None)])
    model.set_dim("nO", vectors.shape[1], force=True)
    set_scale(model, vectors)


def stores_of(model: Words, files: Files) -> list[CorpusArrays]:
    """Open the files that are there: a pipeline that was moved has the function alone."""
    known = [load_arrays(*pair) for pair in files if all(Path(path).exists() for path in pair)]
    for arrays in known:
        arrays.check_width(model.get_dim("nO"))
    return known


def encode(model: Words, sentences: Sequence[Sentence], is_train: bool, *, encoder: Encoder | None) -> Rows:
    """Give sentences that are in no file to the function."""
    return call(encoder, sentences, model.get_dim("nO"))


def call(encoder: Encoder | None, sentences: Sequence[Sentence], width: int | None) -> Rows:
    """Call the function and check what comes back; a width of None is any."""
    if encoder is None:
        raise ValueError(Errors.DN036.format(text=beginning(sentences[0])))
    found = encoder([list(sentence) for sentence in sentences])
    if len(found) != len(sentences):
        raise ValueError(Errors.DN037.format(found=len(found), expected=len(sentences)))
    for sentence, vectors in zip(sentences, found, strict=True):
        shape = np.shape(vectors)
        if len(shape) != 2 or shape[0] != len(sentence) or width not in (None, shape[1]):
            expected = f"({len(sentence)}, {'width' if width is None else width})"
            raise ValueError(Errors.DN038.format(text=beginning(sentence), shape=shape, expected=expected))
        yield sentence, finite(np.asarray(vectors), sentence, "The encoder of ContextualVectors")
