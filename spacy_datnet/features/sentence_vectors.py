"""What the layers do alike whose word features depend on the sentence: docs -> sentences -> vectors -> docs."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
from spacy.tokens import Doc
from thinc.api import Model
from thinc.types import Floats2d

from .layout import Layout

Sentence = tuple[str, ...]
# the vectors of distinct sentences, in any order
Encode = Callable[[Sequence[Sentence]], Iterable[tuple[Sentence, np.ndarray]]]


def encode_docs(model: Model, docs: list[Doc], encode: Encode) -> tuple[list[Floats2d], Callable]:
    """Compute the features of docs, each distinct sentence once; there is nothing to backpropagate to.

    A doc whose sentences are annotated is read sentence by sentence, any other one as a whole. White space gets zeros.

    model (Model): The layer, which knows its width.
    docs (List[Doc]): The docs.
    encode (Callable): Gives the vectors of sentences.
    RETURNS (Tuple[List[Floats2d], Callable]): The features of each doc, and a backprop that does nothing.
    """

    def backprop(d_features: list[Floats2d]) -> list[Doc]:
        return []

    layout = Layout.of(docs)
    sentences = layout.texts(docs)
    vectors = dict(encode(list(dict.fromkeys(sentences))))
    lengths = [len(doc) for doc in docs]
    flat = np.zeros((sum(lengths), model.get_dim("nO")), dtype=np.float32)
    if sentences:
        flat[layout.words] = np.concatenate([vectors[sentence] for sentence in sentences])
    return model.ops.unflatten(model.ops.asarray2f(flat), model.ops.asarray1i(lengths)), backprop
