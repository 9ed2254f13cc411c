"""`datnet_tagger`: part-of-speech tags, or any other tag of each token."""

from collections.abc import Callable, Iterable
from typing import Any, cast

import numpy as np
from spacy.language import Language
from spacy.parts_of_speech import IDS as UPOS
from spacy.scorer import Scorer
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.util import registry
from thinc.types import Ints2d

from ..models.datnet import DATNetModel, Prediction
from ..nn.objective import Objective
from ..nn.tags import MISSING
from ..resources import TARGET
from .annotations import Tags
from .base import DATNetPipe
from .defaults import default_config
from .extensions import TAG_CONFIDENCE, register_extension

# what spaCy's pipelines say of white space
SPACE = {"tag": "_SP", "pos": "SPACE"}


@Language.factory(
    "datnet_tagger",
    assigns=["token.tag", "token.pos"],
    default_config=default_config(
        attribute="tag", overwrite=False, scorer={"@scorers": "spacy-datnet.tagger_scorer.v1"}
    ),
    default_score_weights={"tag_acc": 1.0},
)
def make_datnet_tagger(
    nlp: Language,
    name: str,
    model: DATNetModel,
    loss: Objective,
    source_annotation: str | None,
    attribute: str,
    overwrite: bool,
    confidence: bool,
    scorer: Callable | None,
) -> "DATNetTagger":
    """Create a tagger that learns from a source and a target corpus.

    model (Model[List[Doc], List[Prediction]]): The model, see `spacy-datnet.DATNet.v1`.
    loss (Objective): The training objective, see `spacy-datnet.DualAdversarialLoss.v1`.
    source_annotation (Optional[str]): What the source is annotated with, if not with the same: "ents", "tag", "pos", or
        "spans:KEY" for the group KEY of `doc.spans`.
    attribute (str): "tag" sets `token.tag_`, which takes any tags; "pos" sets `token.pos_`, which takes those of
        Universal Dependencies.
    overwrite (bool): Whether to replace tags that are set before the component runs.
    confidence (bool): Whether to set `token._.tag_confidence` or `token._.pos_confidence`, the posterior probability
        of each predicted tag.
    scorer (Optional[Callable]): The scoring method.
    """
    shared = {"source_annotation": source_annotation, "loss": loss, "confidence": confidence, "scorer": scorer}
    return DATNetTagger(nlp.vocab, model, name, attribute=attribute, overwrite=overwrite, **shared)


@registry.scorers("spacy-datnet.tagger_scorer.v1")
def make_tagger_scorer() -> Callable[..., dict[str, Any]]:
    """Make a scorer of the token attribute that the component sets: `tag_acc` or `pos_acc`."""
    return score_tags


def score_tags(examples: Iterable[Example], *, attribute: str, **kwargs: Any) -> dict[str, Any]:
    """Compute the accuracy of a token attribute; tokens without a gold tag don't count.

    attribute (str): "tag" or "pos".
    RETURNS (Dict[str, Any]): The accuracy, None if there are no gold tags.
    """
    return Scorer.score_token_attr(examples, attribute, **kwargs)


class DATNetTagger(DATNetPipe):
    """Set `token.tag_` or `token.pos_`, and the confidence of each tag that it predicts.

    As with spaCy's tagger, tags that are set before the component runs stay unless `overwrite` is true, and an empty
    tag in the annotation is a missing one. The best path around the tags that are set is found. The confidence is the
    exact marginal probability of the tag under the CRF, NaN for a tag that was there before. White space is no part
    of it: it has no confidence (NaN), its tag is "_SP", its part of speech "SPACE", as in spaCy's pipelines.
    """

    def __init__(self, *args: Any, attribute: str, overwrite: bool, **kwargs: Any):
        """Create a tagger; see `make_datnet_tagger` for the settings."""
        super().__init__(*args, annotation=Tags(attribute), **kwargs)
        self.attribute = attribute
        self.extension = TAG_CONFIDENCE[attribute]
        register_extension(Token, self.extension)
        self.overwrite = overwrite

    @property
    def score_name(self) -> str:  # noqa: D102
        return f"{self.attribute}_acc"

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score examples by the attribute that the component sets.

        examples (Iterable[Example]): The examples.
        RETURNS (Dict[str, Any]): What the scorer gives.
        """
        return super().score(examples, **{"attribute": self.attribute, **kwargs})

    def allowed_tags(self, docs: list[Doc]) -> np.ndarray | None:
        """Let a token whose tag stays have only that, if it is among the labels."""
        if self.overwrite or not any(doc.has_annotation(self.attribute.upper()) for doc in docs):
            return None
        annotation, tag_set = Tags(self.attribute), self.tag_set_of(TARGET)
        preset = tag_set.from_names([tag for doc in docs for tag in annotation.tags_of(doc)])[:, None]  # (tokens, 1)
        return (preset == MISSING) | (preset == np.arange(len(tag_set)))

    def set_annotations(self, docs: Iterable[Doc], predictions: list[Prediction]) -> None:
        """Set the tags of docs.

        docs (Iterable[Doc]): The docs.
        predictions (List[Prediction]): What `predict` gave for them.
        """
        number = UPOS.get if self.attribute == "pos" else self.vocab.strings.add
        # the tag of white space comes last, which is where MISSING points to
        numbers = np.array([number(label) for label in (*self.labels, SPACE[self.attribute])], dtype=np.uint64)
        attribute = self.attribute.upper()
        register_extension(Token, self.extension)
        for doc, prediction in zip(docs, predictions, strict=True):
            before, is_word = doc.to_array(attribute), prediction.tags != MISSING
            chosen = np.ones(len(doc), dtype=bool) if self.overwrite else before == 0
            doc.from_array(attribute, cast(Ints2d, np.where(chosen, numbers[prediction.tags], before)))
            confident = chosen & is_word & (prediction.marginal is not None)
            if prediction.marginal is not None:
                probabilities = np.exp(prediction.marginal).clip(max=1.0).tolist()
                for i in np.flatnonzero(confident).tolist():
                    doc[i]._.set(self.extension, probabilities[i])
            if doc.user_data:  # the confidence of another tag, from an earlier run
                for i in np.flatnonzero(~confident).tolist():
                    cast(dict, doc.user_data).pop(("._.", self.extension, doc[i].idx, None), None)
