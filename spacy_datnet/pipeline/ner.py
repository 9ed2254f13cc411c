"""`datnet_ner`: named entities."""

from collections.abc import Callable, Iterable

import numpy as np
from spacy.attrs import ENT_IOB, ENT_TYPE, ORTH
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Config

from ..models.datnet import DATNetModel, Prediction
from ..nn.objective import Objective
from ..tagging import MISSING, OUTSIDE, SpanTags
from .base import DATNetPipe

DEFAULT_CONFIG = """
[datnet_ner]
confidence = true
scorer = {"@scorers": "spacy.ner_scorer.v1"}

[datnet_ner.loss]
@losses = "spacy-datnet.DualAdversarialLoss.v1"

[datnet_ner.model]
@architectures = "spacy-datnet.DATNet.v1"
transfer = "full"

[datnet_ner.model.tok2vec]
@architectures = "spacy.MultiHashEmbed.v2"
width = 100
attrs = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
rows = [5000, 1000, 2500, 2500]
include_static_vectors = false

[datnet_ner.model.characters]
@architectures = "spacy-datnet.CharCNN.v1"

[datnet_ner.model.encoder]
@architectures = "spacy-datnet.BiLSTM.v1"

[datnet_ner.model.decoder]
@architectures = "spacy-datnet.CRF.v1"
"""

IOB_MISSING, IOB_BEGIN = 0, 3

# with the module and not with a component: an unpickled component was never constructed
if not Span.has_extension("confidence"):
    Span.set_extension("confidence", default=None)


@Language.factory(
    "datnet_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config=Config().from_str(DEFAULT_CONFIG)["datnet_ner"],
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_datnet_ner(
    nlp: Language,
    name: str,
    model: DATNetModel,
    loss: Objective,
    confidence: bool,
    scorer: Callable | None,
) -> "DATNetNER":
    """Create a named entity recognizer that learns from a source and a target corpus.

    model (Model[List[Doc], List[Prediction]]): The model, see `spacy-datnet.DATNet.v1`.
    loss (Objective): The training objective, see `spacy-datnet.DualAdversarialLoss.v1`.
    confidence (bool): Whether to set `ent._.confidence`, the posterior probability of each predicted entity.
    scorer (Optional[Callable]): The scoring method.
    """
    return DATNetNER(nlp.vocab, model, name, loss=loss, confidence=confidence, scorer=scorer)


class DATNetNER(DATNetPipe):
    """Set `doc.ents`, and `ent._.confidence` on each entity that it predicts.

    Entities and blocked spans that are set before the component runs stay as they are, and the best path around them
    is found. `ent._.confidence` is the exact probability of the span and its label under the CRF, None for an entity
    that was there before.
    """

    def tag_set(self, labels: tuple[str, ...]) -> SpanTags:
        """Number the BILUO tags of entity labels."""
        return SpanTags(labels)

    def labels_of(self, doc: Doc) -> Iterable[str]:
        """Yield the labels of the entities."""
        return (ent.label_ for ent in doc.ents)

    def gold_tags(self, example: Example, tag_set: SpanTags) -> np.ndarray:
        """Number the BILUO tags of the entities; `MISSING` where there is no annotation or no alignment."""
        reference = example.reference
        orths = reference.to_array(ORTH)
        if not np.array_equal(orths, example.predicted.to_array(ORTH)):
            return tag_set.from_names(example.get_aligned_ner())
        known = [ent for ent in reference.ents if ent.label_ in tag_set.labels]
        tags = tag_set.encode(len(reference), [(e.start, e.end, e.label_) for e in known])
        iob, label = reference.to_array([ENT_IOB, ENT_TYPE]).T
        tags[iob == IOB_MISSING] = MISSING
        tags[(label != 0) & (tags == OUTSIDE)] = MISSING  # a label that the tag set does not have
        return tags

    def allowed_tags(self, docs: list[Doc]) -> np.ndarray | None:
        """Let tokens of entities that are set have only the tags of these, and blocked tokens only O."""
        preset = [preset_tokens(doc) for doc in docs]
        if not any(tokens.any() for tokens in preset):
            return None
        tag_set = self.tag_set(self.labels)
        allowed = np.ones((sum(len(doc) for doc in docs), len(tag_set)), dtype=bool)
        allowed[np.concatenate(preset)] = np.arange(len(tag_set)) == OUTSIDE
        return allowed

    def set_annotations(self, docs: Iterable[Doc], predictions: list[Prediction]) -> None:
        """Set the entities of docs.

        docs (Iterable[Doc]): The docs.
        predictions (List[Prediction]): What `predict` gave for them.
        """
        tag_set = self.tag_set(self.labels)
        for doc, prediction in zip(docs, predictions, strict=True):
            ents = [Span(doc, start, end, label=label) for start, end, label in tag_set.decode(prediction.tags)]
            blocked = preset_tokens(doc) & (doc.to_array(ENT_TYPE) == 0)
            doc.set_ents(
                [*doc.ents, *ents],
                blocked=[doc[i : i + 1] for i in np.flatnonzero(blocked)],
                default="outside",
            )
            if prediction.marginal is not None:
                for ent, p in zip(ents, span_probabilities(ents, prediction), strict=True):
                    ent._.confidence = p


def preset_tokens(doc: Doc) -> np.ndarray:
    """Mark the tokens of entities that are set and those that are blocked: (tokens,) bool."""
    iob, label = doc.to_array([ENT_IOB, ENT_TYPE]).reshape(-1, 2).T
    return (label != 0) | (iob == IOB_BEGIN)


def span_probabilities(spans: list[Span], prediction: Prediction) -> list[float]:
    """Compute the posterior probability of predicted spans: by the chain rule along their tags.

    RETURNS (List[float]): Between 0 and 1.
    """
    marginal, conditional = prediction.marginal, prediction.conditional
    return [
        min(1.0, float(np.exp(marginal[span.start] + conditional[span.start + 1 : span.end].sum()))) for span in spans
    ]
