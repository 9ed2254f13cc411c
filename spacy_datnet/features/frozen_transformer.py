"""A frozen transformer as word features, with an optional cache on disk."""

import contextlib
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model
from thinc.types import Floats2d
from tqdm import tqdm

from ..errors import Errors, Warnings
from ..resources import SOURCE
from .checkpoint import CheckpointShim, import_transformers
from .feature_cache import FeatureCache, open_cache
from .layout import Layout
from .sentence_vectors import Sentence, encode_docs
from .word_vectors import Words

PRECISIONS = ("float16", "float32")


@dataclass(frozen=True)
class Settings:
    """What of a checkpoint's hidden states is wanted, and where they are kept."""

    layers: tuple[int, ...]
    precision: str
    cache: str | None


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
    settings = Settings(tuple(layers or (-1,)), precision, None if cache is None else str(cache))
    # settings are not in attrs, which are saved and would replace what the config says
    return Model(
        "frozen_transformer",
        partial(forward, settings=settings),
        init=partial(init, settings=settings),
        shims=[CheckpointShim(name, save=save_checkpoint)],
        dims={"nO": None},
        attrs={"static": True, **({} if cache is None else {"fill_cache": partial(fill_cache, settings=settings)})},
    )


def init(model: Words, X: list[Doc] | None = None, Y: None = None, *, settings: Settings) -> None:
    """Load the checkpoint and see whether it has the layers."""
    checkpoint = model.shims[0].checkpoint
    depth = checkpoint.depth
    for layer in settings.layers:
        if layer == 0 or abs(layer) > depth:
            raise ValueError(Errors.DN030.format(layer=layer, name=model.shims[0].name, depth=depth))
    model.set_dim("nO", checkpoint.width, force=True)


def forward(model: Words, docs: list[Doc], is_train: bool, *, settings: Settings) -> tuple[list[Floats2d], Callable]:
    """Read the sentences of docs, or find them in the cache."""
    return encode_docs(model, docs, partial(find_or_encode, model, settings=settings, expect=is_train))


def find_or_encode(
    model: Words, sentences: Sequence[Sentence], *, settings: Settings, expect: bool
) -> Iterator[tuple[Sentence, np.ndarray]]:
    """Yield the vectors of sentences, from the cache where it has them.

    expect (bool): Whether a sentence that is not in the cache is worth a warning.
    """
    missing, cache = [], None
    # a pipeline goes to others, who may neither have nor see the folder of its training
    with contextlib.suppress(OSError):
        cache = cache_of(model, settings)
    for sentence in sentences:
        vectors = None if cache is None else cache.get(sentence)
        if vectors is None:
            missing.append(sentence)
        else:
            yield sentence, vectors
    if missing and expect and settings.cache is not None:
        warnings.warn(Warnings.DN055.format(folder=settings.cache), stacklevel=2)
    yield from encode(model, missing, settings)


def encode(model: Words, sentences: Sequence[Sentence], settings: Settings) -> Iterator[tuple[Sentence, np.ndarray]]:
    """Read sentences with the transformer."""
    largest = np.finfo(settings.precision).max
    for i, vectors in model.shims[0].checkpoint.encode(sentences, settings.layers):
        if not (np.abs(vectors) <= largest).all():  # also if they are not numbers
            raise ValueError(Errors.DN043.format(name=model.shims[0].name, precision=settings.precision))
        yield sentences[i], vectors.astype(settings.precision)


def cache_of(model: Words, settings: Settings) -> FeatureCache | None:
    """Open the cache of the layer's vectors, if it has one."""
    if settings.cache is None:
        return None
    checkpoint = model.shims[0].checkpoint
    layers = tuple(layer % (checkpoint.depth + 1) for layer in settings.layers)
    return open_cache(
        settings.cache, checkpoint=checkpoint.fingerprint, layers=layers, precision=settings.precision, version=1
    )


def fill_cache(model: Words, docs: Sequence[Doc], *, settings: Settings) -> int:
    """Compute and keep the vectors of docs that the cache does not have.

    model (Model): The layer, initialised, with a cache.
    docs (Sequence[Doc]): The docs.
    RETURNS (int): The number of sentences that were computed.
    """
    cache = cache_of(model, settings)
    sentences = list(dict.fromkeys(Layout.of(docs).texts(docs)))
    cache.refresh()
    # what needs nothing waits for nobody, and a cache that others keep may be read-only
    if all(cache.get(sentence) is not None for sentence in sentences):
        return 0
    with cache.writing():
        missing = [sentence for sentence in sentences if cache.get(sentence) is None]
        rows = encode(model, missing, settings)
        cache.write(tqdm(rows, total=len(missing), disable=None, unit="sentence", desc="Features"))
    return len(missing)


def compute_features(nlp: Language, docs: Iterable[Doc], resource: str | None = None) -> int:
    """Fill the caches of all frozen transformers of a pipeline.

    nlp (Language): The pipeline, initialised.
    docs (Iterable[Doc]): The docs whose features will be needed.
    resource (Optional[str]): "source" or "target", where the docs are of one: word features of the other alone, with a
        `source_tok2vec`, are left out. Defaults to None.
    RETURNS (int): The number of sentences that were computed, by whatever layer.
    """
    fills = fills_of(nlp, resource)
    docs = list(docs) if fills else []
    return sum(fill(docs) for fill in fills)


def fills_of(nlp: Language, resource: str | None = None) -> list[Callable[[Sequence[Doc]], int]]:
    """Find what fills the caches of a pipeline's frozen transformers, see `compute_features`; empty without a cache."""
    # spaCy's lemmatizers have None as a model
    models = [pipe.model for _, pipe in nlp.components if isinstance(getattr(pipe, "model", None), Model)]
    return [
        partial(node.attrs["fill_cache"], node)
        for model in models
        for layer in _layers_that_read(model, resource)
        for node in layer.walk()
        if "fill_cache" in node.attrs
    ]


def _layers_that_read(model: Model, resource: str | None) -> Sequence[Model]:
    if not model.has_ref("features"):
        return [model]
    layers = model.get_ref("features").layers
    if resource is None or len(layers) == 1:
        return layers
    target, source = layers
    return [source if resource == SOURCE else target]
