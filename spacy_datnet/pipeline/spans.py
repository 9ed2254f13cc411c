"""What components share whose annotation is spans: BILUO tags, alignment and probabilities."""

from collections.abc import Iterable

import numpy as np
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..models.datnet import Prediction
from ..tagging import MISSING, OUTSIDE, SpanTags
from .alignment import align_outside, have_same_tokens
from .base import DATNetPipe


class SpanPipe(DATNetPipe):
    """A component that labels spans which do not overlap.

    A subclass says where the spans of a doc are.
    """

    # What a subclass defines

    def spans_of(self, doc: Doc) -> list[Span]:
        """List the annotated spans of a doc; they do not overlap."""
        raise NotImplementedError

    def is_annotated(self, doc: Doc) -> np.ndarray:
        """Tell for which tokens it is known whether they are in a span: (tokens,) bool."""
        raise NotImplementedError

    def set_spans(self, doc: Doc, spans: list[Span], probabilities: list[float] | None) -> None:
        """Write predicted spans to a doc.

        doc (Doc): The doc.
        spans (List[Span]): The spans.
        probabilities (Optional[List[float]]): The posterior probability of each, if confidences are wanted.
        """
        raise NotImplementedError

    # What `DATNetPipe` asks for

    def tag_set(self, labels: tuple[str, ...]) -> SpanTags:
        """Number the BILUO tags of span labels."""
        return SpanTags(labels)

    def labels_of(self, doc: Doc) -> Iterable[str]:
        """Yield the labels of the spans."""
        return (span.label_ for span in self.spans_of(doc))

    def gold_tags(self, example: Example, tag_set: SpanTags) -> np.ndarray:
        """Number the BILUO tags of the spans.

        `MISSING` is where there is no annotation, no alignment or a label that the tag set does not have.
        """
        spans, annotated = self.spans_of(example.reference), self.is_annotated(example.reference)
        outside = annotated.copy()
        for span in spans:
            outside[span.start : span.end] = False
        if not have_same_tokens(example):
            outside = align_outside(example, outside, is_annotated=bool(annotated.any()))
            spans = example.get_aligned_spans_y2x(spans)
        known = [(span.start, span.end, span.label_) for span in spans if span.label_ in tag_set.labels]
        tags = tag_set.encode(len(outside), known)
        tags[(tags == OUTSIDE) & ~outside] = MISSING
        return tags

    def set_annotations(self, docs: Iterable[Doc], predictions: list[Prediction]) -> None:
        """Set the spans of docs.

        docs (Iterable[Doc]): The docs.
        predictions (List[Prediction]): What `predict` gave for them.
        """
        tag_set = self.tag_set(self.labels)
        for doc, prediction in zip(docs, predictions, strict=True):
            spans = [Span(doc, start, end, label=label) for start, end, label in tag_set.decode(prediction.tags)]
            probabilities = None if prediction.marginal is None else span_probabilities(spans, prediction)
            self.set_spans(doc, spans, probabilities)


def span_probabilities(spans: list[Span], prediction: Prediction) -> list[float]:
    """Compute the posterior probability of predicted spans: by the chain rule along their tags.

    RETURNS (List[float]): Between 0 and 1.
    """
    marginal, conditional = prediction.marginal, prediction.conditional
    return [
        min(1.0, float(np.exp(marginal[span.start] + conditional[span.start + 1 : span.end].sum()))) for span in spans
    ]
