"""CoNLL-U: the format of Universal Dependencies, ten columns and comments.

Tokens are the syntactic words. A multiword token gives the words in its range their spaces: none between them, and
after the last one that of the multiword token. Empty nodes are left out, and so are all comments but `# newdoc`.
CoNLL-U Plus names its columns (`# global.columns`): those that CoNLL-U lacks are read as if they stood in MISC.
Entities stand in MISC where a treebank has them, as in `name=B-PER` (NorNE, DaNE and others, under various names).
"""

import re
from collections.abc import Iterator

from ...errors import Errors
from ...kinds import ENTS, POS, TAG
from ..content import Content
from ..problems import CorpusError, Occurrences, Problems
from ..sentences import MISSING, OUTSIDE, Sentence
from .base import Format, Options
from .blocks import NEW_DOCUMENT
from .misc import Attribute, attributes_of, note_attributes

_WIDTH = 10
_ID, _FORM, _UPOS, _XPOS, _MISC = 0, 1, 3, 4, 9
_COLUMNS = {POS: _UPOS, TAG: _XPOS, ENTS: _MISC}
_NAMES = {_UPOS: "UPOS, the 4th column", _XPOS: "XPOS, the 5th column"}
_ENTITY = "Entity"  # of CorefUD, which brackets mentions
_NONE = "_"
_HEADER = re.compile(r"#\s*global\.columns\s*=\s*(.+)")
_STANDARD = ("ID", "FORM", "LEMMA", "UPOS", "XPOS", "FEATS", "HEAD", "DEPREL", "DEPS", "MISC")
_NO_SPACE = "SpaceAfter=No"
_WORD_ID = re.compile(r"[1-9][0-9]{0,8}")
_RANGE_ID = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_EMPTY_ID = re.compile(r"[0-9]+\.[1-9][0-9]*")

Row = tuple[int, list[str]]  # the number of the line, and its fields


class Conllu(Format):
    """How a CoNLL-U file is to be read; found out from all of its lines.

    columns (dict): The index of each kind's column.
    has_spaces (bool): Whether it says where there are no spaces. If not, nothing is known about spaces.
    """

    name = "conllu"
    title = "CoNLL-U"
    suffixes = (".conllu", ".conllup")
    takes_annotation_columns = True

    def __init__(self, content: Content, options: Options):
        super().__init__(content, options)
        self.columns = dict(self._named_columns(options))
        header = _HEADER.match(next(content.lines(), ("", 0, ""))[2])
        self.header = tuple(header[1].split()) if header else _STANDARD
        self.has_spaces = False
        given: set[str] = set()
        n_rows = 0
        attributes: dict[str, Attribute] = {}
        for path, _, line in content.lines():
            if line.startswith("#"):
                self.has_documents = self.has_documents or bool(path or NEW_DOCUMENT.match(line))
                continue
            fields = self._split(line)
            n_rows += bool(line.strip())
            if len(fields) == _WIDTH:
                given.update(kind for kind in (POS, TAG) if fields[_COLUMNS[kind]] != _NONE)
                if "=" in fields[_MISC] and _WORD_ID.fullmatch(fields[_ID]):
                    note_attributes(fields[_MISC], attributes)
                self.has_spaces = self.has_spaces or _says_no_space(fields)
                self.has_documents = self.has_documents or bool(path)
        if not n_rows:
            raise CorpusError(Errors.DN207.format(path=content.location, reason="there is no line with a token"))
        self.attribute = max(attributes, key=lambda name: attributes[name].n_entities, default="")
        if self.attribute and attributes[self.attribute].n_entities:
            given.add(ENTS)
        if ENTS in self.columns and ENTS not in given:
            raise self.refuse(ENTS, (POS, TAG))
        if not self.columns:
            self.columns = {kind: column for kind, column in _COLUMNS.items() if kind in given} or {POS: _UPOS}
        self.kinds = tuple(self.columns)
        # where outside of entities is said, nothing said is nothing known
        self.default = MISSING if ENTS in given and attributes[self.attribute].tags[OUTSIDE] else OUTSIDE
        self.also = [
            f"{kind} in {self._place(kind)}" for kind in _COLUMNS if kind in given and kind not in self.columns
        ]
        if _ENTITY in attributes and not attributes[_ENTITY].is_tags:
            self.also.append(f"mentions in {_ENTITY}= of MISC, which can't be read")

    def _named_columns(self, options: Options) -> Iterator[tuple[str, int]]:
        for kind, column in options.annotations.items():
            if kind not in _COLUMNS:
                raise self.refuse(kind, tuple(_COLUMNS))
            index = _COLUMNS[kind] if column is None else column - 1
            if index not in _NAMES and (kind, index) != (ENTS, _MISC):
                path, known = self.content.location, " and ".join(_NAMES.values())
                raise CorpusError(Errors.DN263.format(path=path, column=column, kind=kind, known=known))
            yield kind, index

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Tell whether the first sentence has ten columns, separated by tabs, of which the first counts."""
        last = 0
        for _, _, line in content.lines():
            if line.startswith("#") and not last:
                if _HEADER.match(line):
                    return True
                continue
            fields = _split_row(line)
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

    def where(self, kind: str) -> str:
        """Say which column an annotation is in."""
        return self._place(kind)

    def _place(self, kind: str) -> str:
        column = self.columns.get(kind, _COLUMNS[kind])
        if column == _MISC and self.attribute in self.header:
            return f"the column {self.attribute}"
        return f"{self.attribute}= of MISC, the 10th column" if column == _MISC else _NAMES[column]

    def read(self, problems: Problems) -> Iterator[Sentence]:
        """Read the sentences; note lines that are not those of a CoNLL-U sentence."""
        broken = problems.error(Errors.DN234)
        opens = True
        for path, is_first, opener, rows in self._blocks():
            opens = opens or is_first or opener or not self.has_documents
            words = _words(path, rows, broken)
            if words:
                yield self._sentence(path, opens, rows, words)
                opens = False

    def _split(self, line: str) -> list[str]:
        """Split a line into the columns of CoNLL-U; in MISC are those that it lacks."""
        fields = _split_row(line)
        if self.header == _STANDARD:
            return fields
        if len(fields) != len(self.header):
            return fields[: _WIDTH - 1]
        given = dict(zip(self.header, fields, strict=True))
        row = [given.pop(name, _NONE) for name in _STANDARD]
        row[_ID] = row[_ID] if "ID" in self.header else "1"  # and see `_blocks`
        more = [f"{name}={value}" for name, value in given.items() if value != _NONE]
        row[_MISC] = "|".join([*more, *([row[_MISC]] if row[_MISC] != _NONE else [])]) or _NONE
        return row

    def _blocks(self) -> Iterator[tuple[str, bool, bool, list[Row]]]:
        """Yield the rows of each sentence, the file, and whether a file or a document begins there."""
        path, is_first, opener = "", True, False
        rows: list[Row] = []
        for name, number, line in self.content.lines():
            ends = number == 1 or not line.strip()
            if ends and rows:
                yield path, is_first, opener, rows
                rows, is_first, opener = [], False, False
            if number == 1:
                path, is_first, opener = name, True, False
            if line.startswith("#"):
                opener = opener or bool(NEW_DOCUMENT.match(line))
            elif line.strip():
                fields = self._split(line)
                if "ID" not in self.header:
                    fields[_ID] = str(len(rows) + 1)
                rows.append((number, fields))
        if rows:
            yield path, is_first, opener, rows

    def _sentence(self, path: str, opens: bool, rows: list[Row], words: list[Row]) -> Sentence:
        layers = {
            kind: ["" if fields[column] == _NONE else fields[column] for _, fields in words]
            for kind, column in self.columns.items()
        }
        if ENTS in layers and self.columns[ENTS] == _MISC:
            layers[ENTS] = [attributes_of(fields[_MISC]).get(self.attribute, self.default) for _, fields in words]
        spaces = None
        if self.has_spaces:
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


def _words(path: str, rows: list[Row], broken: Occurrences) -> list[Row]:
    """Pick the rows of words; if anything is wrong with any row, note it and give none."""
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
            broken.add(number, f"{reason}: {text!r}", path)
            return []  # what follows would only count wrong
    if end > len(words):
        number, fields = rows[-1]
        broken.add(number, f"the sentence ends before word {end} of a multiword token: {fields[_FORM]}", path)
        return []
    return words


def document_comment(rows: list[str]) -> str:
    """Find the comment that says that a document begins with a sentence.

    rows (list): The lines of the sentence.
    RETURNS (str): The line, or nothing.
    """
    return next((row for row in rows if NEW_DOCUMENT.match(row)), "")


def _split_row(line: str) -> list[str]:
    return line.rstrip("\r\n").split("\t")


def _says_no_space(fields: list[str]) -> bool:
    return _NO_SPACE in fields[_MISC].split("|")
