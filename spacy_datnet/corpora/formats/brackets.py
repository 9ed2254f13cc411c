"""Bracketed trees as in the Penn Treebank: the words and their part-of-speech tags.

Traces (-NONE-) are left out. The tags of brackets, -LRB- and -RRB-, become ( and ). The words stay as they are: -LRB-,
-RCB-, 1\\/2. The chunks of CoNLL-2000 do it the same way.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import Errors
from ...kinds import ATTRIBUTES, TAG
from ..content import Content
from ..problems import Occurrences, Problems
from ..sentences import Sentence
from .base import Format, Options

_PIECES = re.compile(r"[()]|[^()\s]+")
_TRACE = "-NONE-"
_TAGS = {"-LRB-": "(", "-RRB-": ")"}


class Brackets(Format):
    """How bracketed trees are to be read. The trees of each file are a document, if there are several."""

    name = "brackets"
    title = "bracketed trees"
    suffixes = (".mrg", ".ptb")

    def __init__(self, content: Content, options: Options):
        super().__init__(content, options)
        for kind in options.annotations:
            if kind not in ATTRIBUTES:
                raise self.refuse(kind, ATTRIBUTES)
        self.kinds = tuple(options.annotations) or (TAG,)
        self.has_documents = any(file.name for file in content.files)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Tell whether there is a tree before anything that is none."""
        for _, _, line in content.lines():
            if line.strip():
                if not line.lstrip().startswith("("):
                    return False
                break
        problems = Problems()
        return next(cls(content, Options()).read(problems), None) is not None and not problems.errors

    def where(self, kind: str) -> str:
        """Say where the tags stand."""
        return "the labels above the words"

    def read(self, problems: Problems) -> Iterator[Sentence]:
        """Read the trees; after one that is broken, go on with the next that begins at the begin of a line."""
        broken = problems.error(Errors.DN235)
        tree, path, opens, skips = _Tree(), "", True, False
        for name, number, line in self.content.lines():
            if number == 1:
                tree.note_unclosed(broken, path)
                tree, path, opens, skips = _Tree(), name, True, False
            skips = skips and not line.startswith("(")
            if skips:
                continue
            for match in _PIECES.finditer(line):
                try:
                    tree.take(match[0], number)
                except _Misplaced as error:
                    broken.add(number, f"{match[0]!r} {error}", path)
                    tree, skips = _Tree(), True
                    break
                if not tree.open and tree.leaves:
                    lines, tags, words = map(list, zip(*tree.leaves, strict=True))
                    opens = opens or not self.has_documents
                    yield Sentence(words, dict.fromkeys(self.kinds, tags), lines, opens, path)
                    tree, opens = _Tree(), False
        tree.note_unclosed(broken, path)


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


class _Tree:
    """A tree as far as it was read: the brackets that are open, and line, tag and word of the leaves."""

    def __init__(self) -> None:
        self.open: list[_Node] = []
        self.leaves: list[tuple[int, str, str]] = []

    def take(self, piece: str, number: int) -> None:
        """Go on with the next bracket or word."""
        top = self.open[-1] if self.open else None
        if piece == "(":
            if top is not None:
                if top.word:
                    raise _Misplaced(f"follows the word {top.word}")
                if not top.label and len(self.open) > 1:
                    raise _Misplaced(
                        f"opens a bracket without label in the tree that began in line {self.open[0].line}"
                    )
                top.has_children = True
            self.open.append(_Node(number))
        elif top is None:
            raise _Misplaced("is outside of a tree")
        elif piece == ")":
            self._close(self.open.pop())
        elif not top.label and not top.has_children:
            top.label = piece
        elif top.word or top.has_children:
            raise _Misplaced("is a word without a tag")
        else:
            top.word = piece

    def _close(self, node: _Node) -> None:
        if not node.word and not node.has_children:
            raise _Misplaced(f"closes a bracket of line {node.line} with no word in it")
        if node.word and not self.open:
            raise _Misplaced(f"leaves the word {node.word} outside of a tree")
        if node.word and node.label != _TRACE:
            self.leaves.append((node.line, _TAGS.get(node.label, node.label), node.word))

    def note_unclosed(self, broken: Occurrences, path: str) -> None:
        """Note that the file ends before the tree does."""
        if self.open:
            root = self.open[0]
            broken.add(root.line, f"the tree that begins with ({root.label} is not closed", path)
