"""`datnet_ner`: named entities."""

from collections.abc import Callable
from typing import Any

import numpy as np
from spacy.attrs import ENT_IOB, ENT_TYPE, IS_SPACE
from spacy.language import Language
from spacy.tokens import Doc, Span

from ..models.datnet import DATNetModel
from ..nn.objective import Objective
from ..nn.tags import OUTSIDE
from ..resources import TARGET
from .annotations import Entities
from .defaults import default_config
from .extensions import ENT_CONFIDENCE, register_extension
from .spans import SpanPipe

IOB_BEGIN = 3


@Language.factory(
    "datnet_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    default_config=default_config(scorer={"@scorers": "spacy.ner_scorer.v1"}),
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def make_datnet_ner(
    nlp: Language,
    name: str,
    model: DATNetModel,
    loss: Objective,
    source_annotation: str | None,
    confidence: bool,
    scorer: Callable | None,
) -> "DATNetNER":
    """Create a named entity recognizer that learns from a source and a target corpus.

    model (Model[List[Doc], List[Prediction]]): The model, see `spacy-datnet.DATNet.v1`.
    loss (Objective): The training objective, see `spacy-datnet.DualAdversarialLoss.v1`.
    source_annotation (Optional[str]): What the source is annotated with, if not with the same: "ents", "tag", "pos", or
        "spans:KEY" for the group KEY of `doc.spans`.
    confidence (bool): Whether to set `ent._.confidence`, the posterior probability of each predicted entity.
    scorer (Optional[Callable]): The scoring method.
    """
    shared = {"source_annotation": source_annotation, "loss": loss, "confidence": confidence, "scorer": scorer}
    return DATNetNER(nlp.vocab, model, name, **shared)


class DATNetNER(SpanPipe):
    """Set `doc.ents`, and `ent._.confidence` on each entity that it predicts.

    Entities and blocked spans that are set before the component runs stay as they are, and the best path around them
    is found. `ent._.confidence` is the exact probability of the span and its label under the CRF, None for an entity
    that was there before, or that something after the component sets or labels otherwise.
    """

    score_name = "ents_f"

    def __init__(self, *args: Any, **kwargs: Any):
        """Create a named entity recognizer; see `make_datnet_ner` for the settings."""
        super().__init__(*args, annotation=Entities(), **kwargs)
        register_extension(Span, ENT_CONFIDENCE)

    def allowed_tags(self, docs: list[Doc]) -> np.ndarray | None:
        """Let tokens of entities that are set have only the tags of these, and blocked tokens only O."""
        preset = [preset_tokens(doc) for doc in docs]
        if not any(tokens.any() for tokens in preset):
            return None
        tag_set = self.tag_set_of(TARGET)
        flat = np.concatenate(preset)
        allowed = np.ones((len(flat), len(tag_set)), dtype=bool)
        allowed[flat] = np.arange(len(tag_set)) == OUTSIDE
        # the network does not see white space, so the word behind it must not go on with an entity
        is_word = np.concatenate([~doc.to_array(IS_SPACE).astype(bool) for doc in docs])
        words, starts = np.flatnonzero(is_word), tag_set.legal()[0]
        behind = np.searchsorted(words, np.flatnonzero(flat & ~is_word))
        allowed[words[behind[behind < len(words)]]] &= starts
        return allowed

    def set_spans(self, doc: Doc, spans: list[Span], probabilities: list[float] | None) -> None:
        """Add entities to those that are set, and set their confidence."""
        blocked = preset_tokens(doc) & (doc.to_array(ENT_TYPE) == 0)
        doc.set_ents(
            [*doc.ents, *spans],
            blocked=[doc[i : i + 1] for i in np.flatnonzero(blocked)],
            default="outside",
        )
        if probabilities is not None:
            register_extension(Span, ENT_CONFIDENCE)
            for ent, p in zip(spans, probabilities, strict=True):
                ent._.set(ENT_CONFIDENCE, p)


def preset_tokens(doc: Doc) -> np.ndarray:
    """Mark the tokens of entities that are set and those that are blocked: (tokens,) bool."""
    iob, label = doc.to_array([ENT_IOB, ENT_TYPE]).reshape(-1, 2).T
    return (label != 0) | (iob == IOB_BEGIN)
