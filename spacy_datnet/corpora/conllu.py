"""CoNLL-U: the format of Universal Dependencies, ten columns and comments.

Tokens are the syntactic words. A multiword token gives the words in its range their spaces: none between them, and
after the last one that of the multiword token. Empty nodes are left out, and so are all comments but `# newdoc`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..errors import Errors
from ..kinds import POS, TAG
from .encodings import Encoding
from .files import Location, read_lines
from .problems import N_PLACES, CorpusError, Occurrences
from .sentences import Format, Reading, Sentence

SUFFIX = ".conllu"

_WIDTH = 10
_ID, _FORM, _UPOS, _XPOS, _MISC = 0, 1, 3, 4, 9
_COLUMNS = {POS: _UPOS, TAG: _XPOS}
_NAMES = {_UPOS: "UPOS, the 4th column", _XPOS: "XPOS, the 5th column"}
_NONE = "_"
_NO_SPACE = "SpaceAfter=No"
_NEW_DOCUMENT = re.compile(r"#\s*newdoc\b")
_WORD_ID = re.compile(r"[1-9][0-9]*")
_RANGE_ID = re.compile(r"([1-9][0-9]*)-([1-9][0-9]*)")
_EMPTY_ID = re.compile(r"[0-9]+\.[1-9][0-9]*")

Row = tuple[int, list[str]]  # the number of the line, and its fields


@dataclass(frozen=True)
class Conllu(Format):
    """How a CoNLL-U file is to be read, beside what `Format` says.

    columns (dict): The index of each kind's column.
    has_spaces (bool): Whether it says where there are no spaces. If not, nothing is known about spaces.
    """

    columns: dict[str, int]
    has_spaces: bool

    def read(self, location: Location, keep: int = N_PLACES) -> "ConlluReading":
        """Begin to read a CoNLL-U file; see `Format.read`."""
        return ConlluReading(location, self, keep)

    def where(self, kind: str) -> str:
        """Say which column an annotation is in."""
        return _NAMES[self.columns[kind]]

    @property
    def summary(self) -> tuple[str, str]:
        """The format, for a table."""
        return "Format", f"CoNLL-U ({'detected' if self.detected else 'as named'})"


def is_conllu(location: Location, encoding: str) -> bool:
    """Tell whether the first sentence of a file is one of CoNLL-U.

    location (Location): The file.
    encoding (str): The name of its encoding.
    RETURNS (bool): Whether it has ten columns, separated by tabs, of which the first counts.
    """
    last = 0
    for _, _, line in read_lines(location, encoding):
        if line.startswith("#") and not last:
            continue
        fields = split_row(line)
        if not line.strip():
            if last:
                return True
        elif len(fields) != _WIDTH:
            return False
        elif fields[_ID] == str(last + 1):
            last += 1
        elif not (_RANGE_ID.fullmatch(fields[_ID]) or _EMPTY_ID.fullmatch(fields[_ID])):
            return False
    return last > 0


def detect_conllu(
    location: Location,
    encoding: Encoding,
    *,
    annotations: Mapping[str, int | None] | None = None,
    detected: bool = False,
) -> Conllu:
    """Find out how a CoNLL-U file is to be read, from all of its lines.

    location (Location): The file.
    encoding (Encoding): Its encoding.
    annotations (Optional[Mapping]): The kinds of annotation to read, "pos" and "tag", and the column of each, from 1:
        the 4th or the 5th, None for the usual one. If not given, the kinds that the file has.
    detected (bool): Whether it was detected that this is a CoNLL-U file.
    RETURNS (Conllu): How to read it.
    """
    columns = {}
    for kind, column in (annotations or {}).items():
        if kind not in _COLUMNS:
            known = ", ".join(_COLUMNS)
            raise CorpusError(Errors.DN233.format(path=location, format="CoNLL-U", kind=kind, known=known))
        columns[kind] = _COLUMNS[kind] if column is None else column - 1
        if columns[kind] not in _NAMES:
            known = " and ".join(_NAMES.values())
            raise CorpusError(Errors.DN263.format(path=location, column=column, kind=kind, known=known))
    given, has_documents, has_spaces, n_rows = set(), False, False, 0
    for path, _, line in read_lines(location, encoding.name):
        if line.startswith("#"):
            has_documents = has_documents or bool(path or _NEW_DOCUMENT.match(line))
            continue
        fields = split_row(line)
        n_rows += bool(line.strip())
        if len(fields) == _WIDTH:
            given.update(kind for kind, column in _COLUMNS.items() if fields[column] != _NONE)
            has_spaces = has_spaces or _says_no_space(fields)
            has_documents = has_documents or bool(path)
    if not n_rows:
        raise CorpusError(Errors.DN207.format(path=location, reason="there is no line with a token"))
    columns = columns or {kind: column for kind, column in _COLUMNS.items() if kind in given} or {POS: _UPOS}
    return Conllu(
        encoding=encoding,
        kinds=tuple(columns),
        has_documents=has_documents,
        detected=detected,
        columns=columns,
        has_spaces=has_spaces,
    )


def document_comment(rows: list[str]) -> str:
    """Find the comment that says that a document begins with a sentence.

    rows (list): The lines of the sentence.
    RETURNS (str): The line, or nothing.
    """
    return next((row for row in rows if _NEW_DOCUMENT.match(row)), "")


def split_row(line: str) -> list[str]:
    """Split a line into its columns."""
    return line.rstrip("\r\n").split("\t")


def _says_no_space(fields: list[str]) -> bool:
    return _NO_SPACE in fields[_MISC].split("|")


class ConlluReading(Reading):
    """A pass over a CoNLL-U file.

    location (Location): The file.
    format (Conllu): How to read it.
    keep (int): How many places a message names.
    """

    def __init__(self, location: Location, format: Conllu, keep: int):
        self.location = location
        self.format = format
        self.broken = Occurrences(keep)

    def __iter__(self) -> Iterator[Sentence]:
        opens = True
        for path, is_first, opener, rows in self._blocks():
            opens = opens or is_first or opener or not self.format.has_documents
            n_broken = self.broken.count
            words = self._words(path, rows)
            if self.broken.count == n_broken and words:
                yield self._sentence(path, opens, rows, words)
                opens = False

    def _blocks(self) -> Iterator[tuple[str, bool, bool, list[Row]]]:
        """Yield the rows of each sentence, the file, and whether a file or a document begins there."""
        path, is_first, opener = "", True, False
        rows: list[Row] = []
        for name, number, line in read_lines(self.location, self.format.encoding.name):
            ends = number == 1 or not line.strip()
            if ends and rows:
                yield path, is_first, opener, rows
                rows, is_first, opener = [], False, False
            if number == 1:
                path, is_first, opener = name, True, False
            if line.startswith("#"):
                opener = opener or bool(_NEW_DOCUMENT.match(line))
            elif line.strip():
                rows.append((number, split_row(line)))
        if rows:
            yield path, is_first, opener, rows

    def _words(self, path: str, rows: list[Row]) -> list[Row]:
        """Pick the rows of words, and note what is wrong with any row."""
        words: list[Row] = []
        end = 0  # of the last multiword token
        for number, fields in rows:
            reason = ""
            if len(fields) != _WIDTH:
                reason = f"{len(fields)} columns, not {_WIDTH}"
            elif not fields[_FORM].strip():
                reason = "no form"
            elif _WORD_ID.fullmatch(fields[_ID]):
                if fields[_ID] != str(len(words) + 1):
                    reason = f"ID {fields[_ID]}, not {len(words) + 1}"
                words.append((number, fields))
            elif match := _RANGE_ID.fullmatch(fields[_ID]):
                first, last = map(int, match.groups())
                if first != len(words) + 1 or first <= end or last < first:
                    reason = f"ID {fields[_ID]} after word {len(words)}"
                end = last
            elif not _EMPTY_ID.fullmatch(fields[_ID]):
                reason = f"ID {fields[_ID]!r}"
            if reason:
                text = "\t".join(fields)
                self.broken.add(number, f"{reason}: {text!r}", path)
                return []  # what follows would only count wrong
        if end > len(words):
            number, fields = rows[-1]
            self.broken.add(number, f"the sentence ends before word {end} of a multiword token: {fields[_FORM]}", path)
        return words

    def _sentence(self, path: str, opens: bool, rows: list[Row], words: list[Row]) -> Sentence:
        layers = {
            kind: ["" if fields[column] == _NONE else fields[column] for _, fields in words]
            for kind, column in self.format.columns.items()
        }
        spaces = None
        if self.format.has_spaces:
            spaces = [not _says_no_space(fields) for _, fields in words]
            for _, fields in rows:
                if match := _RANGE_ID.fullmatch(fields[_ID]):
                    first, last = map(int, match.groups())
                    spaces[first - 1 : last] = [False] * (last - first) + [not _says_no_space(fields)]
        return Sentence(
            words=[fields[_FORM] for _, fields in words],
            layers=layers,
            lines=[number for number, _ in words],
            opens_document=opens,
            path=path,
            spaces=spaces,
        )

    def errors(self) -> Iterator[str]:
        """Say which lines are not those of a CoNLL-U sentence."""
        if self.broken:
            yield Errors.DN234.format(path=self.location, count=self.broken.count, places=self.broken)
