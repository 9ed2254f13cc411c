"""`datnet_chunker`: chunks, or any other spans that do not overlap."""

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span, SpanGroup
from spacy.training import Example

from ..errors import Warnings
from ..models.datnet import DATNetModel
from ..nn.objective import Objective
from .annotations import Spans
from .defaults import default_config
from .extensions import CHUNK_CONFIDENCE, register_extension
from .spans import SpanPipe

KEY = "chunks"


@Language.factory(
    "datnet_chunker",
    assigns=["doc.spans"],
    default_config=default_config(spans_key=KEY, scorer={"@scorers": "spacy.spancat_scorer.v1"}),
    default_score_weights={
        f"spans_{KEY}_f": 1.0,
        f"spans_{KEY}_p": 0.0,
        f"spans_{KEY}_r": 0.0,
        f"spans_{KEY}_per_type": None,
    },
)
def make_datnet_chunker(
    nlp: Language,
    name: str,
    model: DATNetModel,
    loss: Objective,
    source_annotation: str | None,
    spans_key: str,
    confidence: bool,
    scorer: Callable | None,
) -> "DATNetChunker":
    """Create a chunker that learns from a source and a target corpus.

    model (Model[List[Doc], List[Prediction]]): The model, see `spacy-datnet.DATNet.v1`.
    loss (Objective): The training objective, see `spacy-datnet.DualAdversarialLoss.v1`.
    source_annotation (Optional[str]): What the source is annotated with, if not with the same: "ents", "tag", "pos", or
        "spans:KEY" for the group KEY of `doc.spans`.
    spans_key (str): The group of `doc.spans` that the chunks are in, both annotated and predicted ones.
    confidence (bool): Whether to set the posterior probability of each predicted chunk.
    scorer (Optional[Callable]): The scoring method.
    """
    shared = {"source_annotation": source_annotation, "loss": loss, "confidence": confidence, "scorer": scorer}
    return DATNetChunker(nlp.vocab, model, name, spans_key=spans_key, **shared)


class DATNetChunker(SpanPipe):
    """Set `doc.spans["chunks"]`, or the group of another key, and the confidence of each chunk.

    What is in the group before the component runs is replaced. The exact probability of each chunk and its label under
    the CRF is `span._.chunk_confidence`, and is in the `attrs["scores"]` of the group, as with spaCy's `spancat`. Of
    several chunkers in a pipeline only the latter tells the confidences of chunks with the same borders apart.

    A reference doc without the group is not annotated; one whose group is empty has no chunks.
    """

    def __init__(self, *args: Any, spans_key: str, **kwargs: Any):
        """Create a chunker; see `make_datnet_chunker` for the settings."""
        super().__init__(*args, annotation=Spans(spans_key), **kwargs)
        register_extension(Span, CHUNK_CONFIDENCE)
        self.key = spans_key

    @property
    def score_name(self) -> str:  # noqa: D102
        return f"spans_{self.key}_f"

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score examples by the spans of the component's key.

        examples (Iterable[Example]): The examples.
        RETURNS (Dict[str, Any]): What the scorer gives; precision, recall and F are None without annotation.
        """
        examples = list(examples)
        unknown = not any(self.key in example.reference.spans for example in examples)
        if unknown and examples and self.scorer is not None:
            warnings.warn(Warnings.DN054.format(name=self.name, key=self.key), stacklevel=2)
        return super().score(examples, **{"spans_key": self.key, **kwargs})

    def set_spans(self, doc: Doc, spans: list[Span], probabilities: list[float] | None) -> None:
        """Replace the chunks of a doc, and set their confidence."""
        group = SpanGroup(doc, name=self.key, spans=spans)
        doc.spans[self.key] = group
        if probabilities is not None:
            group.attrs["scores"] = np.array(probabilities)
            register_extension(Span, CHUNK_CONFIDENCE)
            for span, p in zip(spans, probabilities, strict=True):
                span._.set(CHUNK_CONFIDENCE, p)
