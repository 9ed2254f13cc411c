"""The formats of a corpus: which one a file is in, named by the user or found in the file."""

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from ..errors import Errors
from ..kinds import is_kind
from .brackets import SUFFIXES as BRACKET_SUFFIXES
from .brackets import detect_brackets, is_bracketed
from .columns import detect_layout
from .conllu import SUFFIX as CONLLU_SUFFIX
from .conllu import detect_conllu, is_conllu
from .encodings import AUTO, Encoding, resolve_encoding
from .files import Location
from .problems import CorpusError
from .sentences import Format

COLUMNS, CONLLU, BRACKETS = "columns", "conllu", "brackets"
FORMATS = (AUTO, COLUMNS, CONLLU, BRACKETS)

_FIRST_COLUMN, _LAST_COLUMN = 1, -1


def find_format(
    location: Location,
    *,
    format: str = AUTO,
    annotations: Mapping[str, int | None] | None = None,
    encoding: str = AUTO,
    delimiter: str = AUTO,
    token_column: int = _FIRST_COLUMN,
    tag_column: int = _LAST_COLUMN,
) -> Format:
    """Find out how a corpus is to be read.

    location (Location): The corpus.
    format (str): "columns", "conllu", "brackets" or "auto". Whoever names the separator or the column of the tokens or
        the tags means a column file.
    annotations (Optional[Mapping]): The kinds of annotation to read, and in a column file the column of each, None for
        that of the tags; in CoNLL-U it is the 4th or 5th, None for that which the kind usually has.
    encoding (str): The name of the encoding, or "auto".
    delimiter (str): What separates the columns of a column file: "tab", "space" or "auto".
    token_column (int): The column with the tokens, counted from 1, or from the end with -1.
    tag_column (int): The column with the tags, counted likewise.
    RETURNS (Format): How to read it.
    """
    if format not in FORMATS:
        raise CorpusError(Errors.DN238.format(format=format, known=", ".join(FORMATS)))
    annotations = annotations or {}
    columns = {"delimiter": delimiter, "token_column": token_column, "tag_column": tag_column}
    names_columns = delimiter != AUTO or (token_column, tag_column) != (_FIRST_COLUMN, _LAST_COLUMN)
    has_columns = any(column is not None for column in annotations.values())
    found = resolve_encoding(location, encoding)
    detected = format == AUTO
    if detected:
        format = COLUMNS if names_columns else _detect_format(location, found)
        if has_columns and format == BRACKETS:
            format = COLUMNS
    if format == COLUMNS:
        return detect_layout(location, found, annotations=annotations, detected=detected, **columns)
    if names_columns or (has_columns and format == BRACKETS):
        raise CorpusError(Errors.DN239.format(path=location, format=format))
    if format == CONLLU:
        return detect_conllu(location, found, annotations=annotations, detected=detected)
    return detect_brackets(location, found, kinds=tuple(annotations), detected=detected)


def _detect_format(location: Location, encoding: Encoding) -> str:
    suffix = PurePosixPath(str(location)).suffix
    if suffix == CONLLU_SUFFIX or is_conllu(location, encoding.name):
        return CONLLU
    if suffix in BRACKET_SUFFIXES or is_bracketed(location, encoding):
        return BRACKETS
    return COLUMNS


def parse_annotations(names: Iterable[str]) -> dict[str, int | None]:
    """Read the kinds of annotation that a user names.

    names (Iterable): Names like "tag", or with a column "tag=2".
    RETURNS (dict): The column of each kind, None if it is not named.
    """
    annotations: dict[str, int | None] = {}
    for name in names:
        kind, equals, column = name.rpartition("=") if "=" in name else (name, "", "")
        if kind in annotations:
            raise CorpusError(Errors.DN247.format(option="--annotation", kind=kind))
        try:
            annotations[kind] = int(column) if equals else None
        except ValueError as error:
            raise CorpusError(Errors.DN240.format(name=name)) from error
        if not is_kind(kind) or annotations[kind] == 0:
            raise CorpusError(Errors.DN240.format(name=name))
    return annotations
