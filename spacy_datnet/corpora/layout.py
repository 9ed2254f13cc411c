"""The first pass over a column file: its encoding, its columns, and whether it has documents."""

from collections import Counter

from ..errors import Errors
from .columns import SPACE, TAB, Layout, read_blocks, resolve_column, split_fields
from .encodings import AUTO, resolve_encoding
from .files import Location
from .problems import CorpusError

DELIMITERS = (AUTO, TAB, SPACE)


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
    token_index = resolve_column(location, token_column, width)
    tag_index = resolve_column(location, tag_column, width)
    if token_index == tag_index:
        raise CorpusError(Errors.DN210.format(path=location, column=token_index + 1, width=width))
    return Layout(found, delimiter, width, token_index, tag_index, has_documents)
