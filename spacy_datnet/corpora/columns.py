"""Column files: one token per line, an empty line after each sentence.

Any number of columns is fine, separated by single tabs (spaces around them are padding) or by runs
of spaces and tabs. A line that begins a document (-DOCSTART-, whatever its columns) is never a
token. There are no comment lines in this format: a line that begins with # is a token.

The layout is found in a first pass over all lines, `detect_layout`; `Layout.read` reads with it.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import Errors
from ..kinds import ATTRIBUTES, ENTS
from .encodings import AUTO, Encoding
from .files import Location, read_lines
from .problems import N_PLACES, CorpusError, Occurrences
from .sentences import Format, Reading, Sentence

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


@dataclass(frozen=True)
class Layout(Format):
    """How a column file is to be read, beside what `Format` says.

    delimiter (str): What separates the columns: "tab" or "space".
    width (int): The number of columns.
    token_column (int): The index of the column with the tokens.
    tag_columns (dict): The index of the column with the tags of each kind of annotation.
    """

    delimiter: str
    width: int
    token_column: int
    tag_columns: Mapping[str, int]

    def read(self, location: Location, keep: int = N_PLACES) -> "ColumnReading":
        """Begin to read a column file; see `Format.read`."""
        return ColumnReading(location, self, keep)

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

    def to_sentence(self, block: Block, rows: list[list[str]]) -> Sentence:
        """Make a sentence of a block.

        block (Block): The block.
        rows (list): The fields of its lines.
        RETURNS (Sentence): The sentence.
        """
        layers = {kind: [row[column] for row in rows] for kind, column in self.tag_columns.items()}
        for kind in ATTRIBUTES:
            if kind in layers:
                layers[kind] = ["" if tag == _NO_TAG else tag for tag in layers[kind]]
        return Sentence(
            words=[row[self.token_column] for row in rows],
            layers=layers,
            lines=range(block.line, block.line + len(rows)),
            opens_document=block.is_first or bool(block.opener) or not self.has_documents,
            path=block.path,
        )


def detect_layout(
    location: Location,
    encoding: Encoding,
    *,
    annotations: Mapping[str, int | None] | None = None,
    delimiter: str = AUTO,
    token_column: int = 1,
    tag_column: int = -1,
    detected: bool = False,
) -> Layout:
    """Find out how a column file is to be read, from all of its lines.

    location (Location): The file.
    encoding (Encoding): Its encoding.
    annotations (Optional[Mapping]): The kinds of annotation, and the column with the tags of each; without a column,
        they are in tag_column. If not given, the tags are those of entities.
    delimiter (str): What separates the columns: "tab", "space" or "auto".
    token_column (int): The column with the tokens, counted from 1, or from the end with -1.
    tag_column (int): The column with the tags, counted likewise.
    detected (bool): Whether it was detected that this is a column file.
    RETURNS (Layout): The layout; its width is that of most lines.
    """
    if delimiter not in DELIMITERS:
        raise CorpusError(Errors.DN230.format(delimiter=delimiter, known=", ".join(DELIMITERS)))
    widths: dict[str, Counter[int]] = {TAB: Counter(), SPACE: Counter()}
    has_documents = False
    for block in read_blocks(location, encoding.name):
        has_documents = has_documents or bool(block.opener or block.path)
        widths[TAB].update(row.count("\t") + 1 for row in block.rows)
        widths[SPACE].update(len(split_fields(row, SPACE)) for row in block.rows)
    n_rows = widths[TAB].total()
    if not n_rows:
        raise CorpusError(Errors.DN207.format(path=location, reason="there is no line with a token"))
    if delimiter == AUTO:
        n_tabbed = n_rows - widths[TAB][1]
        delimiter = TAB if 2 * n_tabbed >= n_rows else SPACE
    width = widths[delimiter].most_common(1)[0][0]
    token_index = _resolve_column(location, token_column, width)
    tag_columns = {
        kind: _resolve_column(location, column or tag_column, width)
        for kind, column in (annotations or {ENTS: None}).items()
    }
    if token_index in tag_columns.values():
        raise CorpusError(Errors.DN210.format(path=location, column=token_index + 1, width=width))
    return Layout(
        encoding=encoding,
        kinds=tuple(tag_columns),
        has_documents=has_documents,
        detected=detected,
        delimiter=delimiter,
        width=width,
        token_column=token_index,
        tag_columns=tag_columns,
    )


def _resolve_column(path: Location, column: int, width: int) -> int:
    """Turn the number of a column, as users count, into its index.

    path (Location): The file, for messages.
    column (int): The number, from 1; or from the end, -1 for the last.
    width (int): The number of columns.
    RETURNS (int): The index.
    """
    if column == 0 or abs(column) > width:
        raise CorpusError(Errors.DN209.format(path=path, column=column, width=width))
    return column - 1 if column > 0 else width + column


def read_blocks(location: Location, encoding: str) -> Iterator[Block]:
    """Read a column file sentence by sentence, without looking into the lines.

    location (Location): The file.
    encoding (str): The name of its encoding.
    YIELDS (Block): The sentences.
    """
    rows: list[str] = []
    start, opener, is_first, path = 0, "", True, ""
    for name, number, line in read_lines(location, encoding):
        if number == 1:
            if rows:
                yield Block(rows, start, opener, is_first, path)
            rows, opener, is_first, path = [], "", True, name
        is_blank = not line.strip(_BLANK)
        is_opener = _DOCUMENT in line and _opens_document(line)
        if not is_blank and not is_opener:
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
        return [field.strip(" ") for field in row.split("\t")]
    return _NO_BLANKS.findall(row)


class ColumnReading(Reading):
    """A pass over a column file.

    location (Location): The file.
    layout (Layout): How to read it.
    keep (int): How many places a message names.
    """

    def __init__(self, location: Location, layout: Layout, keep: int):
        self.location = location
        self.layout = layout
        self.ragged = Occurrences(keep)
        self.nameless = Occurrences(keep)

    def __iter__(self) -> Iterator[Sentence]:
        layout = self.layout
        for block in read_blocks(self.location, layout.encoding.name):
            rows = [split_fields(row, layout.delimiter) for row in block.rows]
            if any(len(row) != layout.width for row in rows):
                self._note_ragged(block, rows)
                continue
            sentence = layout.to_sentence(block, rows)
            if all(sentence.words):
                yield sentence
                continue
            for i, word in enumerate(sentence.words):
                if not word:
                    sentence.note(self.nameless, i, repr("\t".join(rows[i])))

    def _note_ragged(self, block: Block, rows: list[list[str]]) -> None:
        for i, row in enumerate(rows):
            if len(row) != self.layout.width:
                text = block.rows[i].rstrip(_LINE_END)
                self.ragged.add(block.line + i, f"{len(row)} columns: {text!r}", block.path)

    def errors(self) -> Iterator[str]:
        """Say which lines have too few or too many columns, or no token."""
        if self.ragged:
            yield Errors.DN208.format(
                path=self.location,
                count=self.ragged.count,
                width=self.layout.width,
                places=self.ragged,
                delimiter=self.layout.delimiter,
            )
        if self.nameless:
            yield Errors.DN217.format(path=self.location, count=self.nameless.count, places=self.nameless)
