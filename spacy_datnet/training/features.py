"""Word features that are computed before a training begins."""

import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Model

from ..errors import Warnings
from ..resources import RESOURCES, SOURCE, TARGET, resource_of
from .callbacks import corpora_of


@registry.callbacks("spacy-datnet.compute_features.v1")
def configure_compute_features() -> Callable[[Language], None]:
    """Configure the computation of the features that a frozen transformer keeps, before the training begins.

    Use it as `[initialize.after_init]`. The sentences of the training and of the dev corpus that the cache of a
    `spacy-datnet.FrozenTransformer.v1` does not have are computed; other components and layers are left alone. Of
    several processes with one cache, one computes and the others wait.

    RETURNS (Callable): The callback.
    """
    return compute_features_of_corpora


def compute_features_of_corpora(nlp: Language) -> None:
    """Compute what the training and dev corpora of a pipeline's config need.

    Which sentences a layer reads may be said by components before it. Those that the training does not change set them
    here, too: in docs of the training where they are among the `annotating_components`, in docs of the dev set always.
    """
    if not fills_of(nlp):
        return
    training = nlp.config.interpolate()["training"]
    # not `nlp.pipeline`: while a pipeline is initialised, spaCy disables what is frozen or sourced
    stable = [
        name
        for name, pipe in nlp.components
        if name in training["frozen_components"] or not getattr(pipe, "is_trainable", False)
    ]
    annotating = [name for name in stable if name in training["annotating_components"]]
    corpora = (
        ("train_corpus", annotating, resource_of),
        ("dev_corpus", stable, lambda example: TARGET),  # what is predicted is read as the target, whatever it is
    )
    for corpus_name, names, resource_read in corpora:
        try:
            (corpus,) = corpora_of(nlp, corpus_name)
            examples = list(corpus(nlp))
        except (ValueError, OSError) as error:  # such as where a trained pipeline, elsewhere, is initialised again
            warnings.warn(Warnings.DN063.format(name=corpus_name, reason=error), stacklevel=2)
            continue
        for resource in RESOURCES:
            docs: Iterable[Doc] = (example.predicted for example in examples if resource_read(example) == resource)
            for name in names:
                pipe = nlp.get_pipe(name)
                docs = pipe.pipe(docs) if hasattr(pipe, "pipe") else map(pipe, docs)
            compute_features(nlp, docs, resource)


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
    models = [getattr(pipe, "model", None) for _, pipe in nlp.components]
    return [
        partial(node.attrs["fill_store"], node)
        for model in models
        if isinstance(model, Model)
        for layer in _layers_that_read(model, resource)
        for node in layer.walk()
        if "fill_store" in node.attrs
    ]


def _layers_that_read(model: Model, resource: str | None) -> Sequence[Model]:
    if not model.has_ref("features"):
        return [model]
    layers = model.get_ref("features").layers
    if resource is None or len(layers) == 1:
        return layers
    target, source = layers
    return [source if resource == SOURCE else target]
