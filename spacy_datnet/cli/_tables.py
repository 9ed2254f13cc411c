"""The tables that show what is in a corpus."""

from collections.abc import Iterable, Mapping
from typing import Any

from wasabi import table

from ..kinds import ENTS, group_of
from ._app import say

N_LABELS = 50  # of each kind of annotation


def heading(kind: str) -> str:
    """Name a kind of annotation in a table."""
    if kind == ENTS:
        return "Entities"
    key = group_of(kind)
    return f"Tags ({kind})" if key is None else f"Spans ({key})"


def show_table(rows: Mapping[str, str] | Iterable[tuple[str, ...]], **options: Any) -> None:
    """Show a table on stdout, without the spaces that fill its last column: a terminal would wrap them.

    rows (Iterable): The cells of each row, or the names and values of two columns.
    options: See `wasabi.table`.
    """
    text = table(dict(rows) if isinstance(rows, Mapping) else list(rows), **options)
    say("\n".join(line.rstrip() for line in text.split("\n")))
