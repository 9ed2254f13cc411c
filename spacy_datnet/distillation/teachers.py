"""Teachers: pipelines of any kind, and what they say of sentences."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example

from ..corpora import LabelMap
from ..errors import Errors
from ..kinds import ENTS, POS, TAG
from ..nn.tags import MISSING, OUTSIDE, SpanTags, TagSet, TokenTags
from ..pipeline.annotations import Annotation, Tags, annotation_of
from ..pipeline.base import DATNetPipe
from ..pipeline.posteriors import Posterior, predict_posteriors
from ..resources import TARGET
from .sentences import RawSentence

# what is labelled: start and end in a sentence of that number, and the label
Item = tuple[int, int, int, str]


class Teacher:
    """A pipeline that labels sentences.

    place (str): The folder or the name of the pipeline. Raises DN320 if it can't be loaded.
    kind (str): What is to be learnt from it: "ents", "tag", "pos" or "spans:KEY".
    label_map (Optional[LabelMap]): New names of its labels. A label that the map lacks keeps its name.
    """

    def __init__(self, place: str, kind: str, label_map: LabelMap | None = None):
        try:
            self.nlp: Language = spacy.load(place)
        except Exception as error:  # whatever a pipeline may raise as it is loaded
            raise ValueError(Errors.DN320.format(place=place, reason=error)) from error
        self.place = place
        self.kind = kind
        self.annotation: Annotation[Any] = annotation_of(kind)
        self.label_map = label_map
        self.own = self._own()

    def _own(self) -> tuple[str, DATNetPipe] | None:
        """Find the component whose posterior is what the pipeline says: one of this package that has the last word."""
        attribute = {ENTS: "doc.ents", TAG: "token.tag", POS: "token.pos"}.get(self.kind, "doc.spans")
        for name, pipe in reversed(self.nlp.pipeline):
            if isinstance(pipe, DATNetPipe) and _is_same(pipe.annotations[TARGET], self.annotation):
                return name, pipe
            assigns = self.nlp.get_pipe_meta(name).assigns
            if not assigns or attribute in assigns:  # a function of the user's may not say what it sets
                return None
        return None

    def new_name(self, label: str) -> str:
        """Give the name that a label shall have, empty if there shall be none."""
        name = None if self.label_map is None else self.label_map.get(label)
        return label if name is None else name

    def docs_of(self, sentences: Iterable[RawSentence]) -> list[Doc]:
        """Make docs of one sentence each, with the vocabulary of the pipeline."""
        return [
            Doc(self.nlp.vocab, words=words, spaces=spaces, sent_starts=[True, *[False] * (len(words) - 1)])
            for words, spaces in sentences
        ]

    def label(self, sentences: Sequence[RawSentence]) -> list[Posterior]:
        """Say what each sentence has: the exact posterior where it is known, or one sequence of tags, a vote."""
        docs = self.docs_of(sentences)
        if self.own is None:
            return [self._vote(doc) for doc in self.nlp.pipe(docs)]
        name, pipe = self.own
        behind = self.nlp.pipe_names[self.nlp.pipe_names.index(name) :]
        docs = list(self.nlp.pipe(docs, disable=behind))
        posteriors = predict_posteriors(pipe.model, pipe.labels, docs, pipe.allowed_tags(docs))
        return [self._renamed(posterior) for posterior in posteriors]

    def _vote(self, doc: Doc) -> Posterior:
        labels = tuple(sorted(set(self.annotation.labels_of(doc))))
        tag_set = self.annotation.tag_set(labels)
        tags = self.annotation.gold_tags(Example(doc, doc), tag_set)
        if isinstance(tag_set, SpanTags):
            tags[tags == MISSING] = OUTSIDE  # what a teacher does not mention is nothing
        return self._renamed(Posterior.of_tags(labels, tags))

    def _renamed(self, posterior: Posterior) -> Posterior:
        names = {label: self.new_name(label) for label in posterior.labels}
        if all(label == name for label, name in names.items()):
            return posterior
        labels = tuple(sorted(set(names.values()) - {""}))
        tag_set = self.annotation.tag_set(labels)
        unary, moves = posterior.dense(len(tag_set), self._numbers(posterior.labels, names, tag_set))
        return Posterior.of(labels, unary, moves)

    def _numbers(self, labels: Sequence[str], names: Mapping[str, str], tag_set: TagSet) -> np.ndarray:
        """Number tags under new names of their labels; a tag whose label is taken away is `MISSING`, or O."""
        if isinstance(tag_set, TokenTags):
            return tag_set.from_names([names[label] for label in labels])
        spans = [f"{action}-{names[label]}" if names[label] else "O" for label in labels for action in "BILU"]
        return tag_set.from_names(["O", *spans])

    def items(self, sentences: Sequence[RawSentence]) -> set[Item]:
        """Collect what the pipeline predicts, under the new names."""
        return items_of(self.annotation, self.nlp.pipe(self.docs_of(sentences)), self.new_name)


def _is_same(one: Annotation, other: Annotation) -> bool:
    return type(one) is type(other) and vars(one) == vars(other)


def items_of(annotation: Any, docs: Iterable[Doc], name_of: Callable[[str], str] = str) -> set[Item]:
    """Collect what is annotated on docs of one sentence each.

    annotation (Annotation): The kind of annotation.
    docs (Iterable[Doc]): The docs.
    name_of (Callable): Gives the new name of a label, empty for none. Defaults to the label.
    RETURNS (Set[Item]): Of tags, each token is one.
    """
    found = set()
    for number, doc in enumerate(docs):
        if isinstance(annotation, Tags):
            labelled = [(i, i + 1, tag) for i, tag in enumerate(annotation.tags_of(doc))]
        else:
            labelled = [(span.start, span.end, span.label_) for span in annotation.spans_of(doc)]
        found |= {(number, start, end, name) for start, end, label in labelled if label and (name := name_of(label))}
    return found


def f_score(one: set[Item], other: set[Item]) -> float:
    """Compare what two pipelines say of the same sentences: F1, which is the accuracy if every token has a tag."""
    return 2 * len(one & other) / (len(one) + len(other)) if one or other else 1.0


def weights_of(teachers: Sequence[Teacher], sentences: Sequence[RawSentence]) -> list[float]:
    """Weigh teachers: each as much as it agrees with the others on the average (F1), all together 1.

    Two always weigh the same, and so do teachers none of which agrees with any.
    """
    if len(teachers) < 3:
        return [1 / len(teachers)] * len(teachers)
    said = [teacher.items(sentences) for teacher in teachers]
    agreed = np.array([[f_score(one, other) for other in said] for one in said])
    mean = agreed.sum(1) - 1.0
    return (mean / mean.sum()).tolist() if mean.sum() > 0 else [1 / len(mean)] * len(mean)
