"""Tables with a header, separated by commas, semicolons, tabs or bars: a token per line, or a sentence per line.

The header says what the columns are, under any of several usual names. Where a token has a line, a sentence begins
where the number of the sentence changes (as in `ner_dataset.csv`, where only the first token of a sentence has one) and
after an empty line. Where a sentence has a line, its tags are separated by spaces or commas, or are a Python list.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator
from itertools import groupby, islice

from spacy.tokens import Doc

from ...errors import Errors
from ...kinds import ATTRIBUTES, ENTS, POS, TAG
from ..content import Content
from ..docbin import tagged_sentences
from ..encodings import AUTO
from ..problems import CorpusError, Problems
from ..sentences import Sentence
from .base import Format, Options

_SEPARATORS = ",;\t|"
_TOKENS = {"word", "words", "token", "tokens", "form", "sentence", "text"}
_TAGS = {"tag", "tags", "ner", "ner_tag", "ner_tags", "ner tag", "label", "labels", "word_labels", "entity", "entities"}
_TAGS |= {"iob", "iob2", "bio", "ne", "ner_label", "ne-coarse-lit", "named_entity", "entity_tag"}
_POS = {"pos", "postag", "pos_tag", "pos_tags", "upos", "xpos"}
_SENTENCES = {"sentence #", "sentence", "sentence_id", "sentence_idx", "sent_id", "sent", "sentence id", "sid"}
_SENTENCES |= {"sentence_number", "sentence_num", "sentenceid", "sent_idx"}
_LIST = re.compile(r"'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"")
_SAMPLE = 200

Row = tuple[str, int, list[str]]  # the file, the number of the line, and the fields


class Csv(Format):
    """How a table with a header is to be read.

    separator (str): What separates the fields.
    token_column (int): The index of the column with the tokens.
    sentence_column (Optional[int]): That of the column which tells sentences apart.
    tag_columns (dict): That of the tags of each kind of annotation.
    is_wide (bool): Whether each line is a sentence.
    """

    name = "csv"
    title = "CSV"
    takes_columns = takes_annotation_columns = True

    def __init__(self, content: Content, options: Options):
        super().__init__(content, options)
        if options.delimiter != AUTO:
            raise CorpusError(Errors.DN239.format(path=content.location, format=self.title))
        self.separator = _separator(content) or ","
        header = next(self._rows(), None)
        if header is None:
            raise CorpusError(Errors.DN207.format(path=content.location, reason="there is no header"))
        self.header = [name.strip().strip("\"'").casefold() for name in header[2]]
        self.sentence_column = self._find(_SENTENCES)
        tokens = self._find(_TOKENS - {"sentence"})
        if tokens is None:
            tokens = self._find(_TOKENS)
        if tokens == self.sentence_column:
            self.sentence_column = None
        names = {ENTS: _TAGS, TAG: _POS, POS: _POS}
        self.token_column = self._index(options.token_column, tokens)
        self.tag_columns = {
            kind: self._index(column or options.tag_column, self._find(names.get(kind, _TAGS)))
            for kind, column in (options.annotations or {ENTS: None}).items()
        }
        self.kinds = tuple(self.tag_columns)
        if self.token_column in self.tag_columns.values():
            column, width = self.token_column + 1, len(self.header)
            raise CorpusError(Errors.DN210.format(path=content.location, column=column, width=width))
        sample = [fields for _, _, fields in islice(self._rows(), 1, _SAMPLE) if len(fields) == len(self.header)]
        splits = [self._split(fields) for fields in sample]
        n_wide = sum(split is not None and len(split[0]) > 1 for split in splits)
        self.is_wide = n_wide >= max(1, sum(split is None for split in splits))

    def _find(self, names: set[str]) -> int | None:
        """Find the column with one of some names; of several, the last."""
        return next((i for i in reversed(range(len(self.header))) if self.header[i] in names), None)

    def _index(self, column: int | None, found: int | None) -> int:
        """Turn the number of a column, as users count, into its index; if it isn't named, take what was found."""
        width = len(self.header)
        if column is not None:
            if column == 0 or abs(column) > width:
                raise CorpusError(Errors.DN209.format(path=self.content.location, column=column, width=width))
            return column - 1 if column > 0 else width + column
        if found is None:
            header = ", ".join(f"{i} {name}" for i, name in enumerate(self.header, start=1))
            raise CorpusError(Errors.DN265.format(path=self.content.location, header=header[:300]))
        return found

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Tell whether the first line is a header with usual names, or all lines have the same number of commas."""
        return _separator(content) is not None

    def where(self, kind: str) -> str:
        """Say which column an annotation is in."""
        column = self.tag_columns[kind]
        return f"column {column + 1}, {self.header[column]!r} (--tag-column, --annotation {kind}=COLUMN)"

    @property
    def summary(self) -> tuple[str, str]:
        """The columns, for a table."""
        tags = ", ".join(f"{kind} in {self.header[column]!r}" for kind, column in self.tag_columns.items())
        unit = "sentence" if self.is_wide else "token"
        return "Format", f"CSV, a {unit} per line; tokens in {self.header[self.token_column]!r}, {tags}"

    @classmethod
    def dump(cls, docs: Iterable[Doc], has_documents: bool) -> Iterator[str]:
        """Write a token per line, the tags in IOB2; what is not annotated has a hyphen. See `Format.dump`."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["sentence_id", "token", "ner_tag"])
        for number, (words, tags) in enumerate(tagged_sentences(docs), start=1):
            writer.writerows((number, *row) for row in zip(words, tags, strict=True))
            yield file.getvalue()
            file.seek(file.truncate(0))
        yield file.getvalue()

    def _rows(self) -> Iterator[Row]:
        """Yield the fields of each line; an empty line has none."""
        for path, lines in groupby(self.content.lines(), key=lambda line: line[0]):
            reader = csv.reader((line for _, _, line in lines), delimiter=self.separator)
            try:
                for fields in reader:
                    yield path, reader.line_num, fields
            except csv.Error as error:
                name = f"{path or self.content.location}, line {reader.line_num}"
                raise CorpusError(Errors.DN202.format(path=name, reason=error)) from error

    def _split(self, fields: list[str]) -> tuple[list[str], dict[str, list[str]]] | None:
        """Split a line that is a sentence; None if it is not one."""
        words = _as_list(fields[self.token_column], None)
        layers = {kind: _as_list(fields[column], len(words)) for kind, column in self.tag_columns.items()}
        return (words, layers) if words and all(len(tags) == len(words) for tags in layers.values()) else None

    def read(self, problems: Problems) -> Iterator[Sentence]:
        """Read the sentences; note lines with too few or too many fields, or no token."""
        width, separator = len(self.header), repr(self.separator)
        ragged = problems.error(Errors.DN266, width=width, separator=separator)
        nameless = problems.error(Errors.DN217)
        for rows in self._sentences():
            is_sound = True
            for name, number, fields in rows:
                if len(fields) != width:
                    ragged.add(number, f"{len(fields)} fields: {separator.join(fields)[:60]!r}", name)
                    is_sound = False
                elif not fields[self.token_column].strip():
                    nameless.add(number, repr(self.separator.join(fields))[:60], name)
                    is_sound = False
            if not is_sound:
                continue
            name, number, fields = rows[0]
            if self.is_wide:
                split = self._split(fields)
                if split is None:
                    n_words = len(_as_list(fields[self.token_column], None))
                    ragged.add(number, f"{n_words} tokens with other numbers of tags", name)
                    continue
                words, layers = split
                lines = [number] * len(words)
            else:
                words = [fields[self.token_column].strip() for _, _, fields in rows]
                layers = {
                    kind: [fields[column].strip() for _, _, fields in rows] for kind, column in self.tag_columns.items()
                }
                lines = [number for _, number, _ in rows]
            for kind in ATTRIBUTES:
                if kind in layers:
                    layers[kind] = ["" if tag == "_" else tag for tag in layers[kind]]
            yield Sentence(words, layers, lines, True, name)

    def _sentences(self) -> Iterator[list[Row]]:
        """Yield the lines of each sentence, without headers."""
        rows: list[Row] = []
        current, last_path = "", None
        for path, number, fields in self._rows():
            is_header = path != last_path
            is_empty = not any(map(str.strip, fields)) or (len(fields) == 1 and fields[0].startswith("#"))
            identity = ""
            if self.sentence_column is not None and len(fields) == len(self.header):
                identity = fields[self.sentence_column].strip()
            if rows and (is_header or is_empty or self.is_wide or identity not in ("", current)):
                yield rows
                rows = []
            last_path, current = path, identity or current
            if not (is_header or is_empty):
                rows.append((path, number, fields))
        if rows:
            yield rows


def _as_list(text: str, length: int | None) -> list[str]:
    """Read a list that stands in one field: of Python, or separated by commas or spaces."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        quoted = [one or other for one, other in _LIST.findall(text)]
        if quoted or text == "[]":
            return quoted
    words = text.split()
    if length is not None and len(words) != length and text.count(",") == length - 1:
        return [one.strip() for one in text.split(",")]
    return words


def _separator(content: Content) -> str | None:
    """Find out what separates the fields, if this looks like such a table."""
    lines = [line.rstrip("\r\n") for _, _, line in islice(content.lines(), _SAMPLE)]
    lines = [line for line in lines if line.strip()]
    if not lines:
        return None
    for separator in _SEPARATORS:
        names = {name.strip().strip("\"'").casefold() for name in lines[0].split(separator)}
        if len(names) > 1 and names & _TOKENS and names & (_TAGS | _POS):
            return separator
    commas = [line.count(",") for line in lines]
    has_blanks = any("\t" in line or " " in line for line in lines[1:])
    return "," if min(commas) > 0 and len(set(commas)) == 1 and len(lines) > 1 and not has_blanks else None
