"""The kinds of annotation that a component learns from: entities, groups of spans, tags of tokens."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, Generic, TypeVar

import numpy as np
import torch
from spacy.attrs import ENT_IOB, IS_SPACE, ORTH
from spacy.parts_of_speech import IDS as UPOS
from spacy.tokens import Doc, Span
from spacy.training import Example

from ..errors import Errors
from ..kinds import ATTRIBUTES, ENTS, group_of
from ..models.batch import Features
from ..nn.objective import Gold
from ..nn.tags import MISSING, OUTSIDE, SpanTags, TagSet, TokenTags
from ..resources import TARGET, resource_of
from .posteriors import posterior_of, soften

IOB_MISSING = 0


TagSetT = TypeVar("TagSetT", SpanTags, TokenTags)


class Annotation(ABC, Generic[TagSetT]):
    """One kind of annotation: what its labels and tags are, and how they are read off a doc."""

    @abstractmethod
    def tag_set(self, labels: tuple[str, ...]) -> TagSetT:
        """Number the tags of labels."""

    @abstractmethod
    def labels_of(self, doc: Doc) -> Iterable[str]:
        """Yield the labels of a doc, but not those of white space, which is never labelled."""

    @abstractmethod
    def gold_tags(self, example: Example, tag_set: TagSetT) -> np.ndarray:
        """Number the tags of an example's reference on the tokens of its predicted doc: (tokens,), int64.

        `MISSING` is where there is no annotation, no alignment or a label that the tag set does not have.
        """

    def check_label(self, label: str) -> None:
        """Raise an error if docs can't have a label."""
        if not isinstance(label, str):
            raise ValueError(Errors.DN009.format(label=label))


class Tags(Annotation[TokenTags]):
    """A tag of each token. An empty one is a missing one.

    attribute (str): "tag" for `token.tag_`, any tags; "pos" for `token.pos_`, those of Universal Dependencies.
    """

    def __init__(self, attribute: str):
        """Raise an error if it is another attribute."""
        if attribute not in ATTRIBUTES:
            raise ValueError(Errors.DN021.format(attribute=attribute, known=", ".join(ATTRIBUTES)))
        self.attribute = attribute

    def check_label(self, label: str) -> None:
        """Raise an error if the attribute can't take a label."""
        super().check_label(label)
        if not label or (self.attribute == "pos" and label not in UPOS):
            possible = ", ".join(filter(None, UPOS)) if self.attribute == "pos" else "any tag that is not empty"
            raise ValueError(Errors.DN022.format(label=label, attribute=self.attribute, possible=possible))

    def tag_set(self, labels: tuple[str, ...]) -> TokenTags:
        """Number the labels."""
        return TokenTags(labels)

    def labels_of(self, doc: Doc) -> Iterable[str]:
        """Yield the tags of the tokens that have one."""
        return (tag for tag, token in zip(self.tags_of(doc), doc, strict=True) if tag and not token.is_space)

    def gold_tags(self, example: Example, tag_set: TokenTags) -> np.ndarray:
        """Number the tags."""
        if have_same_tokens(example):
            return tag_set.from_names(self.tags_of(example.reference))
        return tag_set.from_names(example.get_aligned(self.attribute.upper(), as_string=True))

    def tags_of(self, doc: Doc) -> list[str]:
        """List the tags of all tokens, "" for none."""
        return [getattr(token, f"{self.attribute}_") for token in doc]


class SpanAnnotation(Annotation[SpanTags]):
    """Spans that do not overlap, as BILUO tags. A subclass says where they are."""

    @abstractmethod
    def spans_of(self, doc: Doc) -> list[Span]:
        """List the spans of a doc."""

    @abstractmethod
    def is_annotated(self, doc: Doc) -> np.ndarray:
        """Tell for which tokens it is known whether they are in a span: (tokens,) bool."""

    def tag_set(self, labels: tuple[str, ...]) -> SpanTags:
        """Number the BILUO tags of span labels."""
        return SpanTags(labels)

    def labels_of(self, doc: Doc) -> Iterable[str]:
        """Yield the labels of the spans."""
        return (span.label_ for span in self.spans_of(doc) if not span.text.isspace())

    def gold_tags(self, example: Example, tag_set: SpanTags) -> np.ndarray:
        """Number the BILUO tags of the spans."""
        spans, annotated = self.spans_of(example.reference), self.is_annotated(example.reference)
        outside = annotated.copy()
        for span in spans:
            outside[span.start : span.end] = False
        if not have_same_tokens(example):
            outside = align_outside(example, outside, is_annotated=bool(annotated.any()))
            spans = example.get_aligned_spans_y2x(spans)
        is_word = ~example.predicted.to_array(IS_SPACE).astype(bool)
        known = [(*within(span, is_word), span.label_) for span in spans if span.label_ in tag_set.labels]
        tags = tag_set.encode(len(outside), known)
        tags[(tags == OUTSIDE) & ~outside] = MISSING
        return tags


def within(span: Span, is_word: np.ndarray) -> tuple[int, int]:
    """Find start and end of a span without white space at its borders; one of white space alone stays."""
    words = span.start + np.flatnonzero(is_word[span.start : span.end])
    return (int(words[0]), int(words[-1]) + 1) if len(words) else (span.start, span.end)


class Entities(SpanAnnotation):
    """The named entities, `doc.ents`. Tokens may be annotated as in none, or not annotated."""

    def spans_of(self, doc: Doc) -> list[Span]:
        """List the entities of a doc."""
        return list(doc.ents)

    def is_annotated(self, doc: Doc) -> np.ndarray:
        """Tell which tokens are in an entity, blocked, or annotated as being in none: (tokens,) bool."""
        return doc.to_array(ENT_IOB) != IOB_MISSING


class Spans(SpanAnnotation):
    """The spans of a group of `doc.spans`. A doc without the group is not annotated; an empty group is no spans.

    key (str): The key of the group.
    """

    def __init__(self, key: str):
        """Name the group."""
        self.key = key

    def spans_of(self, doc: Doc) -> list[Span]:
        """List the spans of the group; raise an error if they overlap."""
        spans = sorted(span for span in doc.spans.get(self.key, ()) if len(span))
        for first, second in pairwise(spans):
            if second.start < first.end:
                raise ValueError(
                    Errors.DN023.format(key=self.key, first=first.text, second=second.text, text=doc[:10].text)
                )
        return spans

    def is_annotated(self, doc: Doc) -> np.ndarray:
        """Tell whether the doc has the group, for each token: (tokens,) bool."""
        return np.full(len(doc), self.key in doc.spans)


def annotation_of(name: str) -> Annotation[Any]:
    """Find the kind of annotation by its name in a config: "ents", "tag", "pos" or "spans:KEY"."""
    if name == ENTS:
        return Entities()
    if (key := group_of(name)) is not None:
        return Spans(key)
    if name in ATTRIBUTES:
        return Tags(name)
    raise ValueError(Errors.DN026.format(name=name))


def have_same_tokens(example: Example) -> bool:
    """Tell whether the docs of an example are tokenized alike, so that nothing needs to be aligned."""
    return np.array_equal(example.reference.to_array(ORTH), example.predicted.to_array(ORTH))


def align_outside(example: Example, outside: np.ndarray, *, is_annotated: bool) -> np.ndarray:
    """Tell which tokens of the predicted doc are outside of spans: those that only meet reference tokens which are.

    outside (ndarray): (reference tokens,) bool.
    is_annotated (bool): Whether white space that the reference does not have is outside, too.
    RETURNS (ndarray): (predicted tokens,) bool.
    """
    aligned = example.alignment.x2y
    return np.array(
        [outside[aligned[i]].all() if length else is_annotated for i, length in enumerate(aligned.lengths)], dtype=bool
    )


def collect_gold(
    examples: list[Example],
    features: Features,
    annotations: Mapping[str, Annotation[Any]],
    tag_sets: Mapping[str, TagSet],
    zero_shot: bool,
) -> dict[str, Gold]:
    """Collect the annotation that each decoder learns from.

    examples (List[Example]): The examples of a batch.
    features (Features): Their features.
    annotations (Mapping[str, Annotation[Any]]): The kind of annotation of each resource.
    tag_sets (Mapping[str, TagSet]): The tags of each resource's decoder.
    zero_shot (bool): Whether the target's decoder learns from source examples.
    RETURNS (Dict[str, Gold]): By resource; one without any known tag is left out.
    """
    gold = {}
    own = [resource_of(example) for example in examples]
    roles = [TARGET] * len(own) if zero_shot else own
    for resource, tag_set in tag_sets.items():
        sentences = features.sentences_of(resource)
        if not len(sentences):
            continue
        flat = [
            annotations[kind].gold_tags(example, tag_set)
            if role == resource
            else np.full(len(example.predicted), MISSING)
            for example, kind, role in zip(examples, own, roles, strict=True)
        ]
        starts, _, ends = tag_set.legal()
        tags = np.concatenate(flat)[features.layout.tokens(sentences)]
        # an entity across the border of sentences can't be learnt from
        lengths = features.layout.lengths[sentences]
        ends_at = np.cumsum(lengths) - 1
        first, last = tags[ends_at - lengths + 1], tags[ends_at]
        broken = ((first >= 0) & ~starts[first]) | ((last >= 0) & ~ends[last])
        tags[np.repeat(broken, lengths)] = MISSING
        known = tags != MISSING
        if known.any():
            carried = [
                posterior if role == resource and posterior and have_same_tokens(example) else None
                for example, role in zip(examples, roles, strict=True)
                for posterior in [posterior_of(example.reference)]
            ]
            soft = soften(carried, features, sentences, tags, tag_set)
            gold[resource] = Gold(torch.from_numpy(tags).to(features.words.device), bool(known.all()), soft)
    return gold
