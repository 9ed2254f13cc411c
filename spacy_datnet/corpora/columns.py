"""Column files: one token per line, an empty line after each sentence.

Any number of columns is fine, separated by single tabs (spaces around them are padding) or by runs
of spaces and tabs. A line that begins a document (-DOCSTART-, whatever its columns) is never a
token. There are no comment lines in this format: a line that begins with # is a token.

The layout is found in a first pass over all lines, `detect_layout`; `read_sentences` reads with it.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from ..errors import Errors
from .encodings import AUTO, Encoding, resolve_encoding
from .files import Location, read_lines
from .problems import CorpusError, Occurrences

TAB, SPACE = "tab", "space"
DELIMITERS = (AUTO, TAB, SPACE)

_DOCUMENT = "-DOCSTART-"
_LINE_END = "\r\n"
_BLANK = " \t" + _LINE_END
_NO_BLANKS = re.compile("[^ \t]+")  # str.split would also split at no-break spaces


class Sentence(NamedTuple):
    """A sentence as it stands in a corpus, whatever the format of the file.

    words (list): The tokens.
    tags (list): One tag per token, as the file writes it.
    line (int): Where the sentence begins: the line of its first token. The token with the index i
        stands on line + i.
    opens_document (bool): Whether a new document begins here.
    """

    words: list[str]
    tags: list[str]
    line: int
    opens_document: bool


class Block(NamedTuple):
    """The lines of one sentence as they stand in the file.

    rows (list): The lines, with their ends.
    line (int): The number of the first line.
    opener (str): The -DOCSTART- line before it, or nothing.
    is_first (bool): Whether this is the first sentence of the file.
    """

    rows: list[str]
    line: int
    opener: str
    is_first: bool


@dataclass(frozen=True)
class Layout:
    """How a column file is to be read.

    encoding (Encoding): The encoding.
    delimiter (str): What separates the columns: "tab" or "space".
    width (int): The number of columns.
    token_column (int): The index of the column with the tokens.
    tag_column (int): The index of the column with the tags.
    has_documents (bool): Whether there are -DOCSTART- lines. If not, each sentence is a document.
    """

    encoding: Encoding
    delimiter: str
    width: int
    token_column: int
    tag_column: int
    has_documents: bool

    def to_sentence(self, block: Block, rows: list[list[str]]) -> Sentence:
        """Make a sentence of a block.

        block (Block): The block.
        rows (list): The fields of its lines.
        RETURNS (Sentence): The sentence.
        """
        return Sentence(
            words=[row[self.token_column] for row in rows],
            tags=[row[self.tag_column] for row in rows],
            line=block.line,
            opens_document=block.is_first or bool(block.opener) or not self.has_documents,
        )


def detect_layout(
    location: Location,
    *,
    encoding: str = AUTO,
    delimiter: str = AUTO,
    token_column: int = 1,
    tag_column: int = -1,
) -> Layout:
    """Find out how a column file is to be read, from all of its lines.

    location (Location): The file.
    encoding (str): The name of its encoding, or "auto".
    delimiter (str): What separates the columns: "tab", "space" or "auto".
    token_column (int): The column with the tokens, counted from 1, or from the end with -1.
    tag_column (int): The column with the tags, counted likewise.
    RETURNS (Layout): The layout; its width is that of most lines.
    """
    if delimiter not in DELIMITERS:
        raise CorpusError(Errors.DN230.format(delimiter=delimiter, known=", ".join(DELIMITERS)))
    found = resolve_encoding(location, encoding)
    widths: dict[str, Counter[int]] = {TAB: Counter(), SPACE: Counter()}
    has_documents = False
    for block in read_blocks(location, found.name):
        has_documents = has_documents or bool(block.opener)
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
    tag_index = _resolve_column(location, tag_column, width)
    if token_index == tag_index:
        raise CorpusError(Errors.DN210.format(path=location, column=token_index + 1, width=width))
    return Layout(found, delimiter, width, token_index, tag_index, has_documents)


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
    start, opener, is_first = 0, "", True
    for number, line in read_lines(location, encoding):
        is_blank = not line.strip(_BLANK)
        is_opener = _DOCUMENT in line and _opens_document(line)
        if not is_blank and not is_opener:
            if not rows:
                start = number
            rows.append(line)
            continue
        if rows:
            yield Block(rows, start, opener, is_first)
            rows, opener, is_first = [], "", False
        if is_opener:
            opener = line
    if rows:
        yield Block(rows, start, opener, is_first)


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


def read_sentences(location: Location, layout: Layout) -> Iterator[Sentence]:
    """Read the sentences of a column file.

    location (Location): The file.
    layout (Layout): How to read it, from `detect_layout`.
    YIELDS (Sentence): The sentences.
    """
    for block in read_blocks(location, layout.encoding.name):
        rows = [split_fields(row, layout.delimiter) for row in block.rows]
        ragged = Occurrences()
        note_ragged(ragged, block, rows, layout.width)
        if ragged:
            raise CorpusError(ragged_message(location, layout, ragged))
        yield layout.to_sentence(block, rows)


def note_ragged(ragged: Occurrences, block: Block, rows: list[list[str]], width: int) -> None:
    """Note the lines of a sentence with too few or too many columns.

    ragged (Occurrences): Where to note them.
    block (Block): The sentence.
    rows (list): The fields of its lines.
    width (int): The number of columns that a line should have.
    """
    for i, row in enumerate(rows):
        if len(row) != width:
            text = block.rows[i].rstrip(_LINE_END)
            ragged.add(block.line + i, f"{len(row)} columns: {text!r}")


def ragged_message(location: Location, layout: Layout, ragged: Occurrences) -> str:
    """Say which lines have too few or too many columns.

    location (Location): The file.
    layout (Layout): How it was read.
    ragged (Occurrences): The lines.
    RETURNS (str): The message.
    """
    return Errors.DN208.format(
        path=location,
        count=ragged.count,
        width=layout.width,
        places=ragged,
        delimiter=layout.delimiter,
    )
