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
            probabilities = None
            if prediction.marginal is not None:
                logs = prediction.log_probabilities((span.start, span.end) for span in spans)
                probabilities = np.exp(logs).clip(max=1.0).tolist()
            self.set_spans(doc, spans, probabilities)
