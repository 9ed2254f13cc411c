""".spacy files, or folders of them: Docs turned back into sentences, with the annotation that each Doc has."""

from collections.abc import Iterable, Iterator

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ...errors import Errors, Warnings
from ...kinds import ATTRIBUTES, ENTS, GROUP, POS, TAG
from ..content import Content
from ..docbin import SUFFIX, entity_tag, is_docbin, read_docbin, sentence_spans
from ..problems import Problems
from ..sentences import OUTSIDE, Sentence
from .base import Format, Options


class DocBinFormat(Format):
    """How .spacy files are to be read.

    The tags of entities and other spans are IOB2. The line of a token is the number of its sentence, from 1. Spans of
    a group that overlap or have no label can't be tags: the group of that Doc is left out. That is an error if the
    group was named; otherwise it may be that of another component, which can use such spans.
    """

    name = "spacy"
    title = ".spacy files"
    suffixes = (SUFFIX,)
    unit = "sentence"
    is_text = False
    has_documents = True

    def __init__(self, content: Content, options: Options):
        super().__init__(content, options)
        self.kinds = tuple(options.annotations)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Tell by the names."""
        return is_docbin(content.location)

    def where(self, kind: str) -> str:
        """Say where an annotation stands."""
        return "the Docs"

    def read(self, problems: Problems) -> Iterator[Sentence]:
        """Read the sentences of each Doc; note spans that can't be tags or go on across sentences."""
        return self.sentences(read_docbin(self.content.location, Vocab()), problems)

    def sentences(self, docs: Iterable[Doc], problems: Problems) -> Iterator[Sentence]:
        """Turn Docs into sentences: see `read`."""
        number = 0
        for doc in docs:
            spans = sentence_spans(doc)
            layers = dict(self._layers(doc, spans, number + 1, problems))
            for span in spans:
                number += 1
                sentence = Sentence(
                    words=[token.text for token in span],
                    layers={kind: tags[span.start : span.end] for kind, tags in layers.items()},
                    lines=[number] * len(span),
                    opens_document=span.start == 0,
                    spaces=None if doc.has_unknown_spaces else [bool(token.whitespace_) for token in span],
                )
                for kind, tags in sentence.layers.items():
                    if kind not in ATTRIBUTES and tags[0].startswith("I-"):
                        cut = problems.warning(Warnings.DN259, kind=kind)
                        sentence.note(cut, 0, f"{sentence.words[0]} {tags[0]}")
                yield sentence

    def _layers(
        self, doc: Doc, sentences: list[Span], number: int, problems: Problems
    ) -> Iterator[tuple[str, list[str]]]:
        """Yield the tags of each kind of annotation that a Doc has."""
        if self._wants(ENTS) and doc.has_annotation("ENT_IOB"):
            yield ENTS, [entity_tag(token) for token in doc]
        if self._wants(TAG) and doc.has_annotation("TAG"):
            yield TAG, [token.tag_ for token in doc]
        if self._wants(POS) and doc.has_annotation("POS"):
            yield POS, [token.pos_ for token in doc]
        for key, group in doc.spans.items():
            kind = f"{GROUP}{key}"
            if not self._wants(kind):
                continue
            tags, is_sound = [OUTSIDE] * len(doc), True
            for span in filter(len, group):
                if span.label_ and all(tag == OUTSIDE for tag in tags[span.start : span.end]):
                    tags[span.start : span.end] = [f"B-{span.label_}"] + [f"I-{span.label_}"] * (len(span) - 1)
                    continue
                is_sound = False
                # an error, unless the group is there by chance
                note = problems.error if self.kinds else problems.warning
                found = note(Errors.DN245, kind=kind) if span.label_ else note(Errors.DN246, kind=kind)
                found.add(number + sum(one.end <= span.start for one in sentences), span.text)
            if is_sound:
                yield kind, tags

    def _wants(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds
