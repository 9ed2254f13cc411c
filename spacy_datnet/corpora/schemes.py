"""Entity tags and spans.

All schemes mark the tokens of an entity with a prefix and a label. They differ in the prefixes:

- IOB1: I, and B only where an entity comes directly after another entity;
- IOB2: B for the first token, I for the others;
- BIOES: B, I, E (last token) and S (only token). BILUO and BMEWO are the same under other letters.
"""

from collections.abc import Iterable
from functools import cache

from ..errors import Errors
from .problems import CorpusError

IOB1 = "iob1"
IOB2 = "iob2"
BIOES = "bioes"

OUTSIDE = "O"
MISSING = "-"
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
