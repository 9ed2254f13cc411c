"""The tags of entities and other spans: what they say, and which tagging scheme a file is written in.

All schemes mark the tokens of an entity with a prefix and a label. They differ in the prefixes:

- IOB1: I, and B only where an entity comes directly after another entity;
- IOB2: B for the first token, I for the others;
- BIOES: B, I, E (last token) and S (only token). BILUO and BMEWO are the same under other letters;
- IO: no prefix at all, or always I; entities that touch are one if their label is the same.

`decode` reads them all alike. `SchemeEvidence` gathers what all tags of a file tell, to find slips and mixtures.
"""

from collections.abc import Iterable
from functools import cache
from typing import NamedTuple

from ..errors import Errors
from .encodings import AUTO
from .problems import N_PLACES, CorpusError, Occurrences
from .sentences import MISSING, OUTSIDE, Sentence

IOB1 = "iob1"
IOB2 = "iob2"
BIOES = "bioes"
IO = "io"
NO_ENTITIES = "none"
SCHEMES = (AUTO, IOB1, IOB2, BIOES, IO)

BEGIN, INSIDE, LAST, UNIT = "B", "I", "L", "U"

_ACTIONS = {
    "B": BEGIN,
    "I": INSIDE,
    "M": INSIDE,
    "E": LAST,
    "L": LAST,
    "S": UNIT,
    "U": UNIT,
    "W": UNIT,
}
_LETTERS = {
    IOB1: {BEGIN: "I", INSIDE: "I", LAST: "I", UNIT: "I"},
    IOB2: {BEGIN: "B", INSIDE: "I", LAST: "I", UNIT: "B"},
    BIOES: {BEGIN: "B", INSIDE: "I", LAST: "E", UNIT: "S"},
}

# In a clean file a few tags may break the scheme: one in a hundred, and a single one in a small
# file if it is still one against ten.
_TOLERANCE, _MIN_MAJORITY = 100, 10

Span = tuple[int, int, str]


@cache
def parse_tag(tag: str) -> tuple[str, str] | None:
    """Split a tag into what it does and its label.

    tag (str): The tag as the file writes it.
    RETURNS (Optional[tuple]): The action (B, I, L or U whatever the file's letters; O; or - for a
        missing annotation) and the label; None if this is not an entity tag.
    """
    if tag in (OUTSIDE, MISSING):
        return tag, ""
    prefix, _, label = tag.partition("-")
    action = _ACTIONS.get(prefix)
    return (action, label) if action and label else None


def add_prefixes(tags: list[str]) -> list[str]:
    """Write tags of IO, which are labels without prefix, as those of IOB1."""
    return [f"{INSIDE}-{tag}" if tag and parse_tag(tag) is None else tag for tag in tags]


def decode(tags: Iterable[str]) -> list[Span]:
    """Read the entities off the tags of one sentence.

    The same reading serves every scheme: an entity begins at B, at a one-token tag, and at any
    other tag that does not go on with the entity before it.

    tags (Iterable): Tags of any scheme.
    RETURNS (list): (start, end, label) each, the end exclusive.
    """
    spans = []
    start, open_label = 0, ""
    i = -1
    for i, tag in enumerate(tags):
        parsed = parse_tag(tag)
        if parsed is None:
            raise CorpusError(Errors.DN211.format(tag=tag))
        action, label = parsed
        if action in (INSIDE, LAST) and label == open_label:
            if action == LAST:
                spans.append((start, i + 1, label))
                open_label = ""
            continue
        if open_label:
            spans.append((start, i, open_label))
        if action in (LAST, UNIT):
            spans.append((i, i + 1, label))
        start, open_label = i, label if action in (BEGIN, INSIDE) else ""
    if open_label:
        spans.append((start, i + 1, open_label))
    return spans


def encode(length: int, spans: Iterable[Span], scheme: str) -> list[str]:
    """Write entities as tags: the inverse of `decode`.

    length (int): Number of tokens.
    spans (Iterable): (start, end, label) each, sorted and not overlapping.
    scheme (str): "iob1", "iob2" or "bioes".
    RETURNS (list): One tag per token.
    """
    tags = [OUTSIDE] * length
    letters = _LETTERS[scheme]
    last_end, last_label = 0, ""
    for start, end, label in spans:
        for i in range(start + 1, end - 1):
            tags[i] = f"{letters[INSIDE]}-{label}"
        tags[end - 1] = f"{letters[LAST]}-{label}"
        first = letters[BEGIN if end - start > 1 else UNIT]
        if scheme == IOB1 and (last_end, last_label) == (start, label):
            first = "B"
        tags[start] = f"{first}-{label}"
        last_end, last_label = end, label
    return tags


class Verdict(NamedTuple):
    """How the tags of a file are to be read.

    scheme (str): "iob1", "iob2", "bioes", or "none" if there are no entities.
    repaired (Occurrences): Tags that break the scheme and are read as the beginning of an entity.
    error (str): Why the file can't be read, or nothing.
    """

    scheme: str
    repaired: Occurrences
    error: str = ""


class SchemeEvidence:
    """What the tags of a file say about its scheme. Add all sentences, then call `verdict`.

    keep (int): The number of places to remember of each kind.
    """

    def __init__(self, keep: int = N_PLACES):
        self.inside_starts = Occurrences(keep)  # I or L with nothing to go on with
        self.free_begins = Occurrences(keep)  # B where no entity comes directly before
        self.closings = Occurrences(keep)  # L or U, which only BIOES has
        self.unclosed = Occurrences(keep)  # the last token of an entity without L or U
        self.prefixes: set[str] = set()

    def add(self, sentence: Sentence, kind: str) -> None:
        """Take account of one sentence.

        sentence (Sentence): The sentence.
        kind (str): Which of its annotations, made of entity tags.
        """
        tags = sentence.layers[kind]
        if tags.count(OUTSIDE) == len(tags):
            return
        last_action, last_label = OUTSIDE, ""
        for i, tag in enumerate(tags):
            action, label = parse_tag(tag) or (OUTSIDE, "")
            is_open = last_action in (BEGIN, INSIDE)
            goes_on = is_open and action in (INSIDE, LAST) and label == last_label
            if is_open and not goes_on:
                _note(self.unclosed, sentence, kind, i - 1)
            if action in (INSIDE, LAST) and not goes_on:
                _note(self.inside_starts, sentence, kind, i)
            elif action == BEGIN and last_action in (OUTSIDE, MISSING):
                _note(self.free_begins, sentence, kind, i)
            if action in (LAST, UNIT):
                _note(self.closings, sentence, kind, i)
            if label:
                self.prefixes.add(tag[0])
            last_action, last_label = action, label
        if last_action in (BEGIN, INSIDE):
            _note(self.unclosed, sentence, kind, len(tags) - 1)

    def verdict(self, path: str, named: str = AUTO) -> Verdict:
        """Weigh the evidence.

        path (str): The name of the file, for messages.
        named (str): The scheme if it is known, or "auto".
        RETURNS (Verdict): The scheme, what is to be repaired, and what is wrong.
        """
        if named not in SCHEMES:
            raise CorpusError(Errors.DN227.format(scheme=named, known=", ".join(SCHEMES)))
        if named == BIOES or (named == AUTO and self.closings):
            return self._verdict_bioes(path, named)
        return self._verdict_iob(path, named)

    def _verdict_bioes(self, path: str, named: str) -> Verdict:
        broken = self.inside_starts.merge(self.unclosed)
        error = ""
        if named == AUTO and broken.count > self.closings.count:
            error = Errors.DN214.format(
                path=path, closings=self.closings.count, broken=broken.count, places=self.closings
            )
        elif broken:
            error = Errors.DN215.format(path=path, count=broken.count, places=broken)
        return Verdict(BIOES, Occurrences(), error)

    def _verdict_iob(self, path: str, named: str) -> Verdict:
        n_begins, n_starts = self.free_begins.count, self.inside_starts.count
        if named != AUTO:
            scheme = named
        elif not n_begins and not n_starts:
            scheme = NO_ENTITIES
        else:
            scheme = IOB1 if n_starts > n_begins else IOB2
        repaired = self.free_begins if scheme == IOB1 else self.inside_starts
        if scheme == IO:
            repaired = Occurrences()
        error = ""
        if named != AUTO and self.closings:
            error = Errors.DN216.format(path=path, count=self.closings.count, scheme=named, places=self.closings)
        elif named == AUTO and _is_mixture(repaired.count, n_begins + n_starts):
            error = Errors.DN213.format(path=path, iob1=n_starts, iob2=n_begins, places=repaired)
        return Verdict(scheme, repaired, error)


def _note(occurrences: Occurrences, sentence: Sentence, kind: str, i: int) -> None:
    sentence.note(occurrences, i, f"{sentence.words[i]} {sentence.layers[kind][i]}")


def _is_mixture(n_breaking: int, n_telling: int) -> bool:
    """Tell whether the tags that break the scheme are too many to be slips."""
    tolerated = max(1, n_telling // _TOLERANCE)
    return n_breaking > tolerated or n_breaking * _MIN_MAJORITY > n_telling - n_breaking
