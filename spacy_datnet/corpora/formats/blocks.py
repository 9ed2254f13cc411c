"""The lines of a column file: sentences as they stand there, and the fields of a line."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from ...errors import Errors
from ..content import Content
from ..encodings import AUTO
from ..problems import CorpusError

TAB, SPACE = "tab", "space"
DOCUMENT, BEGIN, END = "-DOCSTART-", "#begin document", "#end document"
COMMENT = "#"
NEW_DOCUMENT = re.compile(r"#\s*newdoc\b")

LINE_END = "\r\n"
_BLANK = " \t" + LINE_END
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


def find_table(content: Content, delimiter: str = AUTO) -> tuple[str, int, bool]:
    """Find out what separates the columns of a file, how many most lines have, and whether documents are marked.

    content (Content): The file.
    delimiter (str): What separates the columns, or "auto".
    RETURNS (tuple): The delimiter, the number of columns, and whether there are documents.
    """
    widths, has_documents = _count_widths(content, TAB)
    if not widths:
        raise CorpusError(Errors.DN207.format(path=content.location, reason="there is no line with a token"))
    if delimiter == AUTO:
        delimiter = SPACE if 2 * widths[1] > widths.total() else TAB
    if delimiter == SPACE:
        widths, _ = _count_widths(content, SPACE)
    return delimiter, widths.most_common(1)[0][0], has_documents


def _count_widths(content: Content, delimiter: str) -> tuple[Counter[int], bool]:
    """Count the lines with each number of columns; what may be comments counts only if there is nothing else."""
    has_documents = False
    widths: Counter[int] = Counter()
    doubtful: Counter[int] = Counter()
    for block in read_blocks(content):
        rows, has_documents = block.rows, has_documents or bool(block.opener or block.path)
        if rows[0].startswith(COMMENT):
            has_documents = has_documents or any(map(NEW_DOCUMENT.match, rows))
            start = next((i for i, row in enumerate(rows) if not row.startswith(COMMENT)), len(rows))
            doubtful.update(len(split_fields(row, delimiter)) for row in rows[:start])
            rows = rows[start:]
        if delimiter == TAB:
            widths.update([row.count("\t") + 1 for row in rows])
        else:
            widths.update([len(split_fields(row, delimiter)) for row in rows])
    return widths or doubtful, has_documents


def is_comment_only(block: Block, delimiter: str, width: int) -> bool:
    """Tell whether there is no token among the lines of a sentence."""
    return all(row.startswith(COMMENT) and len(split_fields(row, delimiter)) != width for row in block.rows)


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
        is_opener = (DOCUMENT in line and _opens_document(line)) or line.startswith(BEGIN)
        if line.strip(_BLANK) and not is_opener and not line.startswith(END):
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
    return any(field.startswith(DOCUMENT) for field in split_fields(line, SPACE))


def split_fields(row: str, delimiter: str) -> list[str]:
    """Split a line into its columns.

    row (str): The line, with its end.
    delimiter (str): "tab" or "space".
    RETURNS (list): The fields.
    """
    row = row.rstrip(LINE_END)
    if delimiter == TAB:
        fields = row.split("\t")
        return [field.strip(" ") for field in fields] if " " in row else fields
    return _NO_BLANKS.findall(row)
