"""The formats of a corpus: which one a file is in, named by the user or found in the file.

A new format is a file with a subclass of `Format`, and a place in `KNOWN`.
"""

from collections.abc import Iterable
from pathlib import PurePosixPath

from ...errors import Errors
from ...kinds import is_kind
from ..content import Content, Location
from ..encodings import AUTO
from ..problems import CorpusError
from .base import Format, Options
from .brackets import Brackets
from .brat import Brat
from .columns import Columns
from .conllu import Conllu
from .csv import Csv
from .doccano import Doccano
from .hf import HuggingFace
from .jsons import SUFFIXES as JSON_SUFFIXES
from .jsons import read_json
from .labelstudio import LabelStudio
from .prodigy import Prodigy
from .spacy import DocBinFormat
from .webanno import WebAnno

# in the order in which a file is tried; the last takes what no other does
_TOOLS = (HuggingFace, Brat, WebAnno, LabelStudio, Doccano, Prodigy)
_TABLES = (Conllu, Brackets, Csv, Columns)
KNOWN: tuple[type[Format], ...] = (DocBinFormat, *_TOOLS, *_TABLES)

FORMATS = (AUTO, Columns.name, *(one.name for one in (*_TABLES[:-1], *_TOOLS, DocBinFormat)))
# what can be written, by the names of `convert --to`
WRITERS: dict[str, type[Format]] = {
    "prodigy": Prodigy,
    "doccano": Doccano,
    "labelstudio": LabelStudio,
    "brat": Brat,
    "webanno": WebAnno,
    "hf": HuggingFace,
    "csv": Csv,
    "conll": Columns,
}

# endings of names that say no more than the format
SUFFIXES = (".conll", ".txt", ".tsv", *JSON_SUFFIXES, *(suffix for one in KNOWN for suffix in one.suffixes))


def find_format(location: Location, options: Options) -> Format:
    """Read the files of a corpus and find out what they hold.

    location (Location): The corpus.
    options (Options): How to read it, as far as the user says so.
    RETURNS (Format): How to read it.
    """
    if options.format not in FORMATS:
        raise CorpusError(Errors.DN238.format(format=options.format, known=", ".join(FORMATS)))
    content = Content(location, options.encoding)
    return _choose(content, options)(content, options)


def _choose(content: Content, options: Options) -> type[Format]:
    if options.format != AUTO:
        return next(one for one in KNOWN if one.name == options.format)
    suffix = PurePosixPath(str(content.location)).suffix
    for one in KNOWN[:-1]:
        is_possible = one.takes_columns or not options.names_columns
        is_possible &= one.takes_delimiter or options.delimiter == AUTO
        is_possible &= one.takes_annotation_columns or not options.has_columns
        if is_possible and (suffix in one.suffixes or one.recognises(content)):
            return one
    if suffix in JSON_SUFFIXES:
        raw = next(read_json(content), None)
        keys = ", ".join(map(str, raw[2])) if raw and isinstance(raw[2], dict) else "none"
        raise CorpusError(Errors.DN269.format(path=content.location, keys=keys[:200]))
    return KNOWN[-1]


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
