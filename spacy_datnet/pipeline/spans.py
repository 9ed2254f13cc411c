"""What components share that set spans, and the probabilities of spans."""

from collections.abc import Iterable

import numpy as np
from spacy.tokens import Doc, Span

from ..models.datnet import Prediction
from ..resources import TARGET
from .base import DATNetPipe


class SpanPipe(DATNetPipe):
    """A component that labels spans which do not overlap.

    A subclass says where they go.
    """

    def set_spans(self, doc: Doc, spans: list[Span], probabilities: list[float] | None) -> None:
        """Write predicted spans to a doc.

        doc (Doc): The doc.
        spans (List[Span]): The spans.
        probabilities (Optional[List[float]]): The posterior probability of each, if confidences are wanted.
        """
        raise NotImplementedError

    def set_annotations(self, docs: Iterable[Doc], predictions: list[Prediction]) -> None:
        """Set the spans of docs.

        docs (Iterable[Doc]): The docs.
        predictions (List[Prediction]): What `predict` gave for them.
        """
        tag_set = self.tag_set_of(TARGET)
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
