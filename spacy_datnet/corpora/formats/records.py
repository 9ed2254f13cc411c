"""Texts with character offsets, as annotation tools write them: verified, repaired, and laid over tokens.

Each record is a document; nobody knows where its sentences begin. What is done to spans is said with the record:

- The unit of the offsets is that which fits the texts of the whole corpus: code points, UTF-16 or bytes of UTF-8,
  and line ends as one character or two.
- A span whose text is stored elsewhere is moved there, if it occurs once. White space around a span is no part of it.
- Of spans that overlap, the longest is kept, of those the first.
- A span that cuts tokens becomes missing annotation of these tokens, and never outside.
- A record with a span that fits nowhere is left out.
"""

from abc import abstractmethod
from bisect import bisect_left
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, NamedTuple

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import get_lang_class

from ...errors import Errors, Warnings
from ...kinds import ENTS, group_of
from ..content import Content
from ..problems import CorpusError, Occurrences, Problems
from ..sentences import MISSING, OUTSIDE, Sentence
from .base import Format, Options
from .places import CODE_POINTS, UNITS, Mark, Places, is_plain


class Record(NamedTuple):
    """A text with its annotation.

    number (int): The number of the line or record.
    path (str): The file, if there are several.
    text (str): The text.
    marks (Optional[list]): The spans; None if the text is not annotated.
    tokens (Optional[list]): Start and end of the tokens, in the unit of the tool; None if it has none.
    meta (Optional[dict]): All that the tool says beside them. None if this is one sentence.
    opens (bool): Whether a document begins here.
    """

    number: int
    path: str
    text: str
    marks: list[Mark] | None
    tokens: list[tuple[int, int]] | None
    meta: dict[str, Any] | None
    opens: bool = True


_Placed = tuple[int, int, str, int]  # start, end and label, and the number of the line


class Records(Format):
    """How records are to be read: see `Record`.

    unit_of_offsets (str): What offsets count.
    """

    unit = "record"
    has_documents = True

    def __init__(self, content: Content, options: Options):
        super().__init__(content, options)
        self.kinds = tuple(options.annotations) or (ENTS,)
        if len(self.kinds) > 1 or not (self.kinds[0] == ENTS or group_of(self.kinds[0])):
            raise self.refuse(", ".join(self.kinds), (ENTS, "spans:KEY"))
        self.lang = options.lang
        self.unit_of_offsets = self._find_unit()

    @abstractmethod
    def records(self, problems: Problems) -> Iterator[Record]:
        """Read the records; note those that are left out, and what is wrong."""

    @cached_property
    def tokenizer(self) -> Callable[[str], Doc]:
        """The tokenizer of the language."""
        try:
            language: type[Language] = get_lang_class(self.lang)
            return language().tokenizer
        except ImportError as error:
            raise CorpusError(Errors.DN222.format(lang=self.lang)) from error

    def where(self, kind: str) -> str:
        """Say where an annotation stands."""
        return "the spans of the records"

    @property
    def warnings(self) -> list[str]:
        """What was guessed about the encoding and the offsets."""
        messages = super().warnings
        if self.unit_of_offsets != CODE_POINTS:
            messages.append(Warnings.DN276.format(path=self.content.location, unit=self.unit_of_offsets))
        return messages

    def _find_unit(self) -> str:
        """Find the unit in which most offsets fit; only texts in which the units differ can tell."""
        fits = dict.fromkeys(UNITS, 0)
        for record in self.records(Problems()):
            if is_plain(record.text):
                continue
            borders = [(start, end, "") for start, end in record.tokens or ()]
            spans = [*borders, *((mark.start, mark.end, mark.text) for mark in record.marks or ())]
            for unit in UNITS:
                places = Places(record.text, unit)
                fits[unit] += sum(places.fit(*span) for span in spans)
        return max(UNITS, key=lambda unit: fits[unit])

    def read(self, problems: Problems) -> Iterator[Sentence]:
        """Read the records; note what is repaired and left out."""
        moved = problems.warning(Warnings.DN277)
        trimmed = problems.warning(Warnings.DN278)
        overlapping = problems.warning(Warnings.DN279)
        cutting = problems.warning(Warnings.DN280)
        unplaced = problems.warning(Warnings.DN281)
        empty = problems.warning(Warnings.DN282)
        for record in self.records(problems):
            places = Places(record.text, self.unit_of_offsets)
            tokens = self._tokens(record, places)
            if not tokens:
                empty.add(record.number, repr(record.text[:30]), record.path)
                continue
            spans: list[_Placed] = []
            is_placed = True
            for mark in record.marks or ():
                span, line = places.find(mark), mark.line or record.number
                if span is None:
                    unplaced.add(line, f"{mark.start} to {mark.end} {mark.label} {mark.text}".strip(), record.path)
                    is_placed = False
                    continue
                start, end, is_moved = span
                text = record.text[start:end]
                if is_moved:
                    moved.add(line, f"{text} {mark.label}", record.path)
                if text != text.strip():
                    trimmed.add(line, f"{text!r} {mark.label}", record.path)
                    start, end = end - len(text.lstrip()), start + len(text.rstrip())
                if start < end:
                    spans.append((start, end, mark.label, line))
            if is_placed:
                spans = _without_overlaps(spans, record, overlapping)
                yield self._sentence(record, tokens, spans, cutting)

    def _tokens(self, record: Record, places: "Places") -> list[tuple[int, int]]:
        """Give the borders of the tokens: those of the record, if they fit the text, or those of the language."""
        borders = places.borders(record.tokens or ())
        if not borders:
            doc = self.tokenizer(record.text)
            return [(token.idx, token.idx + len(token)) for token in doc]
        # what is between tokens, but for one space, must be a token to be kept: white space, as spaCy does it
        tokens: list[tuple[int, int]] = []
        last = 0
        for start, end in [*borders, (len(record.text), len(record.text))]:
            gap = last + (tokens != [] and record.text[last : last + 1] == " ")
            if gap < start:
                tokens.append((gap, start))
            if start < end:
                tokens.append((start, end))
            last = end
        return tokens

    def _sentence(
        self, record: Record, tokens: list[tuple[int, int]], spans: list[_Placed], cutting: Occurrences
    ) -> Sentence:
        text = record.text
        tags = [MISSING if record.marks is None else OUTSIDE] * len(tokens)
        starts, ends = [start for start, _ in tokens], [end for _, end in tokens]
        for start, end, label, line in spans:
            first = bisect_left(ends, start + 1)  # the first token that ends after the start
            last = bisect_left(starts, end)  # the first token that begins at or after the end
            if label and starts[first] == start and ends[last - 1] == end:
                tags[first:last] = [f"B-{label}"] + [f"I-{label}"] * (last - first - 1)
            else:
                if label:
                    cutting.add(line, f"{text[start:end]} {label}", record.path)
                tags[first:last] = [tag if tag not in (OUTSIDE, MISSING) else MISSING for tag in tags[first:last]]
        return Sentence(
            words=[text[start:end] for start, end in tokens],
            layers={self.kinds[0]: tags},
            lines=[record.number] * len(tokens),
            opens_document=record.opens,
            path=record.path,
            spaces=[text[end : end + 1] == " " for end in ends],
            meta=record.meta,
        )


def text_of(doc: Doc) -> str:
    """Give the text of a Doc; where it has no spaces of its own, nothing comes after the last token."""
    return doc.text.rstrip(" ") if doc.has_unknown_spaces else doc.text


def score_of(ent: Span) -> dict[str, float]:
    """Give the confidence of an entity as the field of a record, if there is one."""
    confidence = ent._.confidence if Span.has_extension("confidence") else None
    return {} if confidence is None else {"score": round(float(confidence), 6)}


def _without_overlaps(spans: list[_Placed], record: Record, overlapping: Occurrences) -> list[_Placed]:
    """Keep the longest of spans that overlap, of those the first."""
    kept: list[_Placed] = []
    for span in sorted(spans, key=lambda span: (span[0] - span[1], span[0])):
        start, end, label, line = span
        clashing = [other for other in kept if start < other[1] and other[0] < end]
        if not clashing:
            kept.append(span)
        elif span[:3] not in [other[:3] for other in clashing]:
            overlapping.add(line, f"{record.text[start:end]} {label}", record.path)
    return sorted(kept)
