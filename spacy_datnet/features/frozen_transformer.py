"""A frozen transformer as word features, with an optional store on disk."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry
from tqdm import tqdm

from ..errors import Errors, Warnings
from .checkpoint import import_transformers
from .checkpoint_shim import CheckpointShim, checkpoint_shim
from .layout import Layout
from .sentence_vectors import build_sentence_vectors, collect, sample
from .store import FeatureStore, Rows, Sentence, open_store
from .word_vectors import Words, set_scale

PRECISIONS = ("float16", "float32")


@dataclass(frozen=True)
class Settings:
    """What of a checkpoint's hidden states is wanted, and where they are kept."""

    layers: tuple[int, ...]
    precision: str
    cache: Path | None


@registry.architectures("spacy-datnet.FrozenTransformer.v1")
def build_FrozenTransformer(
    name: str,
    layers: list[int] | None = None,
    cache: Path | None = None,
    precision: str = "float16",
    save_checkpoint: bool = True,
) -> Words:
    """Build a layer that reads sentences with a pre-trained transformer, which is never changed.

    The vector of a word is the mean of some layers' hidden states, averaged over its pieces. Words are given to the
    tokenizer of the checkpoint one by one, so that spaces between them do not matter.

    name (str): The folder of a checkpoint, or its name on the hub of Hugging Face.
    layers (Optional[List[int]]): The layers, from 1; negative numbers count from the last. Defaults to the last one.
    cache (Optional[Path]): Where vectors are kept that `spacy-datnet.compute_features.v1` computed. Defaults to None:
        they are computed every time.
    precision (str): "float16" or "float32", what the vectors are rounded to, in the cache and without one. Defaults to
        "float16", which takes 2 bytes for each number.
    save_checkpoint (bool): Whether the checkpoint is saved with the pipeline. Otherwise a saved pipeline needs `name`
        to load. Defaults to True.
    RETURNS (Model): The layer.
    """
    import_transformers()
    if precision not in PRECISIONS:
        raise ValueError(Errors.DN031.format(precision=precision, known=", ".join(PRECISIONS)))
    settings = Settings(tuple(layers or (-1,)), precision, None if cache is None else Path(cache))
    return build_sentence_vectors(
        "frozen_transformer",
        partial(init, settings=settings),
        partial(stores_of, settings=settings),
        partial(encode, settings=settings),
        shims=[CheckpointShim(name, save=save_checkpoint)],
        **({} if cache is None else {"fill_store": partial(fill_store, settings=settings)}),
    )


def init(model: Words, X: list[Doc] | None = None, Y: None = None, *, settings: Settings) -> None:
    """Load the checkpoint, see whether it has the layers, and read off the length of their vectors."""
    shim = checkpoint_shim(model)
    depth = shim.checkpoint.depth
    for layer in settings.layers:
        if layer == 0 or abs(layer) > depth:
            raise ValueError(Errors.DN030.format(layer=layer, name=shim.name, depth=depth))
    model.set_dim("nO", shim.checkpoint.width, force=True)
    if X:
        stores, read = partial(stores_of, settings=settings), partial(encode, settings=settings)
        set_scale(model, np.concatenate([*collect(model, sample(X), False, stores=stores, encode=read).values()]))


def stores_of(model: Words, settings: Settings) -> list[FeatureStore]:
    """Open the store of the layer's vectors, if it has one."""
    if settings.cache is None:
        return []
    checkpoint = checkpoint_shim(model).checkpoint
    layers = tuple(layer % (checkpoint.depth + 1) for layer in settings.layers)
    origin = {"checkpoint": checkpoint.fingerprint, "layers": layers, "precision": settings.precision, "version": 2}
    return [open_store(settings.cache, **origin)]


def encode(model: Words, sentences: Sequence[Sentence], is_train: bool, *, settings: Settings) -> Rows:
    """Read sentences with the transformer."""
    if is_train and settings.cache is not None:
        warnings.warn(Warnings.DN055.format(folder=settings.cache), stacklevel=2)
    shim = checkpoint_shim(model)
    largest = np.finfo(settings.precision).max
    for i, vectors in shim.checkpoint.encode(sentences, settings.layers):
        if not (np.abs(vectors) <= largest).all():  # also if they are not numbers
            raise ValueError(Errors.DN043.format(name=shim.name, precision=settings.precision))
        yield sentences[i], vectors.astype(settings.precision)


def fill_store(model: Words, docs: Sequence[Doc], *, settings: Settings) -> int:
    """Compute and keep the vectors of docs that the layer's store does not have.

    model (Model): The layer, initialised, with a store.
    docs (Sequence[Doc]): The docs.
    RETURNS (int): The number of sentences that were computed.
    """

    def compute(missing: Sequence[Sentence]) -> Rows:
        rows = encode(model, missing, False, settings=settings)
        return tqdm(rows, total=len(missing), disable=None, unit="sentence", desc="Features")

    (store,) = stores_of(model, settings)
    return store.fill(Layout.of(docs).texts(docs), compute)
