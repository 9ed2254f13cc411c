"""Bracketed trees as in the Penn Treebank: the words and their part-of-speech tags.

Traces (-NONE-) are left out. The tags of brackets, -LRB- and -RRB-, become ( and ). The words stay as they are: -LRB-,
-RCB-, 1\\/2. The chunks of CoNLL-2000 do it the same way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ..errors import Errors
from ..kinds import ATTRIBUTES, TAG
from .encodings import Encoding
from .files import Location, read_lines
from .problems import N_PLACES, CorpusError, Occurrences
from .sentences import Format, Reading, Sentence

SUFFIXES = (".mrg", ".ptb")

_PIECES = re.compile(r"[()]|[^()\s]+")
_TRACE = "-NONE-"
_TAGS = {"-LRB-": "(", "-RRB-": ")"}


@dataclass(frozen=True)
class Brackets(Format):
    """How bracketed trees are to be read: as `Format` says."""

    def read(self, location: Location, keep: int = N_PLACES) -> "BracketReading":
        """Begin to read bracketed trees; see `Format.read`."""
        return BracketReading(location, self, keep)

    def where(self, kind: str) -> str:
        """Say where the tags stand."""
        return "the labels above the words"

    @property
    def summary(self) -> tuple[str, str]:
        """The format, for a table."""
        return "Format", f"bracketed trees ({'detected' if self.detected else 'as named'})"


def is_bracketed(location: Location, encoding: Encoding) -> bool:
    """Tell whether a file begins with a bracketed tree.

    location (Location): The file.
    encoding (Encoding): Its encoding.
    RETURNS (bool): Whether there is a tree before anything that is none.
    """
    for _, _, line in read_lines(location, encoding.name):
        if line.strip():
            if not line.lstrip().startswith("("):
                return False
            break
    reading = detect_brackets(location, encoding).read(location)
    return next(iter(reading), None) is not None and not reading.broken


def detect_brackets(
    location: Location, encoding: Encoding, *, kinds: tuple[str, ...] = (), detected: bool = False
) -> Brackets:
    """Find out how bracketed trees are to be read.

    location (Location): The file. The trees of each file are a document, if there are several.
    encoding (Encoding): Its encoding.
    kinds (tuple): The kinds of annotation to read, "tag" or "pos"; if not given, "tag".
    detected (bool): Whether it was detected that this is such a file.
    RETURNS (Brackets): How to read it.
    """
    for kind in kinds:
        if kind not in ATTRIBUTES:
            known = ", ".join(ATTRIBUTES)
            raise CorpusError(Errors.DN233.format(path=location, format="bracketed trees", kind=kind, known=known))
    path, _, _ = next(read_lines(location, encoding.name), ("", 0, ""))
    return Brackets(encoding=encoding, kinds=kinds or (TAG,), has_documents=bool(path), detected=detected)


@dataclass
class _Node:
    """A bracket that is open.

    line (int): Where it was opened.
    label (str): What stands first in it.
    word (str): What stands second, if it is a word.
    has_children (bool): Whether there are brackets in it.
    """

    line: int
    label: str = ""
    word: str = ""
    has_children: bool = False


class _Misplaced(Exception):
    """A bracket or word that can't stand where it does."""


class BracketReading(Reading):
    """A pass over bracketed trees.

    location (Location): The file.
    format (Brackets): How to read it.
    keep (int): How many places a message names.
    """

    def __init__(self, location: Location, format: Brackets, keep: int):
        self.location = location
        self.format = format
        self.broken = Occurrences(keep)
        self._open: list[_Node] = []
        self._leaves: list[tuple[int, str, str]] = []  # line, tag, word

    def __iter__(self) -> Iterator[Sentence]:
        path, opens, skips = "", True, False
        for name, number, line in read_lines(self.location, self.format.encoding.name):
            if number == 1:
                self._note_unclosed(path)
                path, opens, skips = name, True, False
            # after an error the next tree is looked for at the begin of a line
            skips = skips and not line.startswith("(")
            if skips:
                continue
            for match in _PIECES.finditer(line):
                try:
                    self._take(match[0], number)
                except _Misplaced as error:
                    self.broken.add(number, f"{match[0]!r} {error}", path)
                    self._open, self._leaves, skips = [], [], True
                    break
                if not self._open and self._leaves:
                    yield self._sentence(path, opens or not self.format.has_documents)
                    opens = False
        self._note_unclosed(path)

    def _take(self, piece: str, number: int) -> None:
        """Go on with the tree that is open."""
        top = self._open[-1] if self._open else None
        if piece == "(":
            if top is not None:
                if top.word:
                    raise _Misplaced(f"follows the word {top.word}")
                if not top.label and len(self._open) > 1:
                    raise _Misplaced(
                        f"opens a bracket without label in the tree that began in line {self._open[0].line}"
                    )
                top.has_children = True
            self._open.append(_Node(number))
        elif top is None:
            raise _Misplaced("is outside of a tree")
        elif piece == ")":
            self._close(self._open.pop())
        elif not top.label and not top.has_children:
            top.label = piece
        elif top.word or top.has_children:
            raise _Misplaced("is a word without a tag")
        else:
            top.word = piece

    def _close(self, node: _Node) -> None:
        if not node.word and not node.has_children:
            raise _Misplaced(f"closes a bracket of line {node.line} with no word in it")
        if node.word and not self._open:
            raise _Misplaced(f"leaves the word {node.word} outside of a tree")
        if node.word and node.label != _TRACE:
            self._leaves.append((node.line, _TAGS.get(node.label, node.label), node.word))

    def _sentence(self, path: str, opens: bool) -> Sentence:
        lines, tags, words = map(list, zip(*self._leaves, strict=True))
        self._leaves = []
        return Sentence(words, dict.fromkeys(self.format.kinds, tags), lines, opens, path)

    def _note_unclosed(self, path: str) -> None:
        if self._open:
            root = self._open[0]
            self.broken.add(root.line, f"the tree that begins with ({root.label} is not closed", path)
        self._open, self._leaves = [], []

    def errors(self) -> Iterator[str]:
        """Say which brackets do not make a tree."""
        if self.broken:
            yield Errors.DN235.format(path=self.location, count=self.broken.count, places=self.broken)
