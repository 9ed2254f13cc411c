"""Spans of a text, and which characters their offsets mean."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import accumulate, pairwise
from typing import NamedTuple

Widths = Callable[[str], Iterator[int]]


def _utf16(text: str) -> Iterator[int]:
    return (1 + (char > "\uffff") for char in text)


def _lines_as_one(widths: Widths) -> Widths:
    """Count a line end of two characters as one, as programs do that read a file in text mode."""
    return lambda text: (
        0 if pair == ("\r", "\n") else width for width, pair in zip(widths(text), pairwise(f"{text} "), strict=True)
    )


UNITS: Mapping[str, Widths] = {
    "code points": lambda text: (1 for _ in text),
    "UTF-16": _utf16,
    "bytes of UTF-8": lambda text: (len(char.encode("utf-8", "surrogatepass")) for char in text),
    "code points, line ends as one": _lines_as_one(lambda text: (1 for _ in text)),
    "UTF-16, line ends as one": _lines_as_one(_utf16),
}
CODE_POINTS = next(iter(UNITS))


class Mark(NamedTuple):
    """A span of a text as a tool writes it.

    start (int): Where it begins, in the unit of the tool.
    end (int): Where it ends, exclusive.
    label (str): Its label; nothing if it is only known that something is there.
    text (str): What it says its text is, if it does.
    line (int): The number of its line, if it has one of its own.
    """

    start: int
    end: int
    label: str
    text: str = ""
    line: int = 0


def is_plain(text: str) -> bool:
    """Tell whether all units are the same in a text."""
    return text.isascii() and "\r\n" not in text


class Places:
    """Where the offsets of a text are.

    text (str): The text.
    unit (str): What the offsets count.
    """

    def __init__(self, text: str, unit: str):
        self.text = text
        self.offsets = None
        if unit != CODE_POINTS and not is_plain(text):
            # of two characters at the same offset, the first
            offsets = list(accumulate(UNITS[unit](text), initial=0))
            self.offsets = {offset: i for i, offset in reversed(list(enumerate(offsets)))}

    def at(self, offset: int) -> int | None:
        """Tell which code point is at an offset; None if it is within one, or outside of the text."""
        if self.offsets is not None:
            return self.offsets.get(offset)
        return offset if 0 <= offset <= len(self.text) else None

    def borders(self, tokens: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
        """Find the tokens; none if they are not one after the other within the text."""
        found, last = [], 0
        for token in tokens:
            start, end = map(self.at, token)
            if start is None or end is None or not last <= start < end:
                return []
            found.append((start, end))
            last = end
        return found

    def fit(self, start: int, end: int, text: str) -> bool:
        """Tell whether a span has the text that it should have, or at least begins and ends as words do."""
        first, last = self.at(start), self.at(end)
        if first is None or last is None or first >= last:
            return False
        found = self.text[first:last]
        if text:
            return found == text
        is_whole = found == found.strip()
        before, after = self.text[first - 1 : first], self.text[last : last + 1]
        return (
            is_whole
            and not (before + found[0]).isalnum() * bool(before)
            and not (found[-1] + after).isalnum() * bool(after)
        )

    def find(self, mark: Mark) -> tuple[int, int, bool] | None:
        """Find a span: the code points at its start and its end, and whether that is elsewhere than it says."""
        start, end = self.at(mark.start), self.at(mark.end)
        if start is not None and end is not None and start < end:
            fits = not mark.text or self.text[start:end].split() == mark.text.split()
            if fits:
                return start, end, False
        if mark.text.strip() and self.text.count(mark.text) == 1:
            start = self.text.index(mark.text)
            return start, start + len(mark.text), True
        return None
