"""Column files: one token per line, an empty line after each sentence.

Any number of columns is fine, separated by single tabs (spaces around them are padding) or by runs
of spaces and tabs. A line that begins a document (-DOCSTART-, whatever its columns) is never a
token. There are no comment lines in this format: a line that begins with # is a token.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ...errors import Errors
from ...kinds import ATTRIBUTES, ENTS
from ..content import Content
from ..encodings import AUTO
from ..problems import CorpusError, Problems
from ..sentences import Sentence
from .base import Format, Options

TAB, SPACE = "tab", "space"
DELIMITERS = (AUTO, TAB, SPACE)

_DOCUMENT = "-DOCSTART-"
_NO_TAG = "_"  # of a token; a missing tag of entities is a hyphen
_LINE_END = "\r\n"
_BLANK = " \t" + _LINE_END
_NO_BLANKS = re.compile("[^ \t]+")  # str.split would also split at no-break spaces


class Block(NamedTuple):
    """The lines of one sentence as they stand in the file.

    rows (list): The lines, with their ends.
    line (int): The number of the first line.
    opener (str): The -DOCSTART- line before it, or nothing.
    is_first (bool): Whether this is the first sentence of the file.
    path (str): The file, if there are several.
    """

    rows: list[str]
    line: int
    opener: str
    is_first: bool
    path: str


class Columns(Format):
    """How a column file is to be read; found out from all of its lines.

    delimiter (str): What separates the columns: "tab" or "space".
    width (int): The number of columns, which is that of most lines.
    token_column (int): The index of the column with the tokens.
    tag_columns (dict): The index of the column with the tags of each kind of annotation.
    """

    name = "columns"
    title = "columns"
    takes_columns = takes_annotation_columns = True

    def __init__(self, content: Content, options: Options):
        super().__init__(content, options)
        if options.delimiter not in DELIMITERS:
            raise CorpusError(Errors.DN230.format(delimiter=options.delimiter, known=", ".join(DELIMITERS)))
        widths: Counter[int] = Counter()
        for block in read_blocks(content):
            self.has_documents = self.has_documents or bool(block.opener or block.path)
            widths.update([row.count("\t") + 1 for row in block.rows])
        if not widths:
            raise CorpusError(Errors.DN207.format(path=content.location, reason="there is no line with a token"))
        self.delimiter = options.delimiter
        if self.delimiter == AUTO:
            self.delimiter = SPACE if 2 * widths[1] > widths.total() else TAB
        if self.delimiter == SPACE:
            widths = Counter(len(split_fields(row, SPACE)) for block in read_blocks(content) for row in block.rows)
        self.width = widths.most_common(1)[0][0]
        token_column = 1 if options.token_column is None else options.token_column
        tag_column = -1 if options.tag_column is None else options.tag_column
        self.token_column = self._index(token_column)
        self.tag_columns = {
            kind: self._index(column or tag_column) for kind, column in (options.annotations or {ENTS: None}).items()
        }
        self.kinds = tuple(self.tag_columns)
        if self.token_column in self.tag_columns.values():
            column = self.token_column + 1
            raise CorpusError(Errors.DN210.format(path=content.location, column=column, width=self.width))

    def _index(self, column: int) -> int:
        """Turn the number of a column, as users count, into its index."""
        if column == 0 or abs(column) > self.width:
            raise CorpusError(Errors.DN209.format(path=self.content.location, column=column, width=self.width))
        return column - 1 if column > 0 else self.width + column

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Take whatever no other format takes."""
        return True

    def where(self, kind: str) -> str:
        """Say which column an annotation is in."""
        return f"column {self.tag_columns[kind] + 1} of {self.width} (--tag-column, --annotation {kind}=COLUMN)"

    @property
    def summary(self) -> tuple[str, str]:
        """The columns, for a table."""
        columns = [column + 1 for column in self.tag_columns.values()]
        tags = [f"tags in {columns[0]}"]
        if len(columns) > 1:
            tags = [f"{kind} in {column}" for kind, column in zip(self.kinds, columns, strict=True)]
        return "Columns", (
            f"{self.width}, separated by {self.delimiter}s; tokens in {self.token_column + 1}, {', '.join(tags)}"
        )

    def read(self, problems: Problems) -> Iterator[Sentence]:
        """Read the sentences; note lines with too few or too many columns, or no token."""
        path, width, token_column, delimiter = self.content.location, self.width, self.token_column, self.delimiter
        ragged = problems.error(
            lambda found: Errors.DN208.format(
                path=path, count=found.count, width=width, places=found, delimiter=delimiter
            )
        )
        nameless = problems.error(lambda found: Errors.DN217.format(path=path, count=found.count, places=found))
        for block in read_blocks(self.content):
            rows = [split_fields(row, delimiter) for row in block.rows]
            if [row for row in rows if len(row) != width]:
                for i, row in enumerate(rows):
                    if len(row) != width:
                        text = block.rows[i].rstrip(_LINE_END)
                        ragged.add(block.line + i, f"{len(row)} columns: {text!r}", block.path)
                continue
            sentence = Sentence(
                words=[row[token_column] for row in rows],
                layers={kind: self._tags(kind, column, rows) for kind, column in self.tag_columns.items()},
                lines=range(block.line, block.line + len(rows)),
                opens_document=block.is_first or bool(block.opener) or not self.has_documents,
                path=block.path,
            )
            if all(sentence.words):
                yield sentence
                continue
            for i, word in enumerate(sentence.words):
                if not word:
                    sentence.note(nameless, i, repr("\t".join(rows[i])))

    def _tags(self, kind: str, column: int, rows: list[list[str]]) -> list[str]:
        tags = [row[column] for row in rows]
        return ["" if tag == _NO_TAG else tag for tag in tags] if kind in ATTRIBUTES else tags


def read_blocks(content: Content) -> Iterator[Block]:
    """Read a column file sentence by sentence, without looking into the lines.

    content (Content): The file.
    YIELDS (Block): The sentences.
    """
    rows: list[str] = []
    start, opener, is_first, path = 0, "", True, ""
    for name, number, line in content.lines():
        if number == 1:
            if rows:
                yield Block(rows, start, opener, is_first, path)
            rows, opener, is_first, path = [], "", True, name
        is_opener = _DOCUMENT in line and _opens_document(line)
        if line.strip(_BLANK) and not is_opener:
            if not rows:
                start = number
            rows.append(line)
            continue
        if rows:
            yield Block(rows, start, opener, is_first, path)
            rows, opener, is_first = [], "", False
        if is_opener:
            opener = line
    if rows:
        yield Block(rows, start, opener, is_first, path)


def _opens_document(line: str) -> bool:
    return any(field.startswith(_DOCUMENT) for field in split_fields(line, SPACE))


def split_fields(row: str, delimiter: str) -> list[str]:
    """Split a line into its columns.

    row (str): The line, with its end.
    delimiter (str): "tab" or "space".
    RETURNS (list): The fields.
    """
    row = row.rstrip(_LINE_END)
    if delimiter == TAB:
        fields = row.split("\t")
        return [field.strip(" ") for field in fields] if " " in row else fields
    return _NO_BLANKS.findall(row)
