"""Column files: one token per line, an empty line after each sentence.

Any number of columns is fine, separated by single tabs (spaces around them are padding) or by runs of spaces and tabs.
A line that begins a document (-DOCSTART-, whatever its columns) is never a token. A line that begins with # before the
first token of a sentence is a comment if it is no row of the table; otherwise # begins a token, as in tweets.
CoNLL-2012 begins documents with #begin document, and has eleven columns and others whose number changes. Tags may be
brackets as in OntoNotes, (PERSON* *).
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from spacy.tokens import Doc

from ...errors import Errors, Warnings
from ...kinds import ATTRIBUTES, ENTS
from ..content import Content
from ..docbin import tagged_sentences
from ..encodings import AUTO
from ..problems import CorpusError, Problems
from ..schemes import IO, parse_tag
from ..sentences import Sentence
from .base import Format, Options
from .layout import Rows, find_tags, from_brackets, is_bracketed, is_running, language_prefixes, take, without_prefix

TAB, SPACE = "tab", "space"
DELIMITERS = (AUTO, TAB, SPACE)

_DOCUMENT = "-DOCSTART-"
_COMMENT = "#"
_NEW_DOCUMENT = re.compile(r"#\s*newdoc\b")
_BEGIN, _END, _N_FIXED, _WORD, _ENTITY = "#begin document", "#end document", 11, 3, 10  # of CoNLL-2012
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
    prefixes (list): The language codes before the tokens, which are taken off.
    """

    name = "columns"
    title = "columns"
    takes_columns = takes_annotation_columns = takes_delimiter = True

    def __init__(self, content: Content, options: Options):
        super().__init__(content, options)
        if options.delimiter not in DELIMITERS:
            raise CorpusError(Errors.DN230.format(delimiter=options.delimiter, known=", ".join(DELIMITERS)))
        path = content.location
        self.delimiter, self.width, self.has_documents = find_table(content, options.delimiter)
        self.is_2012 = next(content.lines(), ("", 0, ""))[2].startswith(_BEGIN)
        if self.is_2012:
            self.delimiter, self.width = SPACE, _N_FIXED
        self.tag_columns: dict[str, int] = {}
        self.bracketed: list[int] = []
        # tags are looked at only after their column is found: until then, a comment is a line of another width
        sample = list(
            take((rows for _, _, rows in self._tables() if all(len(row) == self.width for row in rows)), 50_000)
        )
        self.bracketed = [i for i in range(self.width) if is_bracketed([row[i] for rows in sample for row in rows])]
        sample = list(map(self._without_brackets, sample))
        self._notes: list[str] = []
        self.token_column = self._find_tokens(sample, options)
        words = [[row[self.token_column] for row in rows] for rows in sample]
        self.prefixes = [] if options.keep_prefixes else language_prefixes(words)
        if self.prefixes:
            self._notes.append(Warnings.DN270.format(path=path, prefixes=", ".join(self.prefixes), example=words[0][0]))
        self.tag_columns = {
            kind: self._find_tags(sample, options)
            if (kind, column) == (ENTS, None)
            else self._index(column or options.tag_column or -1)
            for kind, column in (options.annotations or {ENTS: None}).items()
        }
        self.kinds = tuple(self.tag_columns)
        if self.token_column in self.tag_columns.values():
            raise CorpusError(Errors.DN210.format(path=path, column=self.token_column + 1, width=self.width))

    def _index(self, column: int) -> int:
        """Turn the number of a column, as users count, into its index."""
        if column == 0 or abs(column) > self.width:
            raise CorpusError(Errors.DN209.format(path=self.content.location, column=column, width=self.width))
        return column - 1 if column > 0 else self.width + column

    def _find_tokens(self, sample: list[Rows], options: Options) -> int:
        if options.token_column is not None:
            return self._index(options.token_column)
        if self.is_2012:
            return _WORD
        if self.width > 2 and is_running([row[0] for row in rows] for rows in sample):
            self._notes.append(Warnings.DN271.format(path=self.content.location))
            return 1
        return 0

    def _find_tags(self, sample: list[Rows], options: Options) -> int:
        if options.tag_column is not None or options.scheme == IO:
            return self._index(-1 if options.tag_column is None else options.tag_column)
        if self.is_2012:
            return _ENTITY
        column, candidates = find_tags(sample, self.token_column, self.width)
        if column != self.width - 1 or len(candidates) > 1:
            others = ", ".join(str(i + 1) for i in range(self.token_column + 1, self.width) if i != column)
            self._notes.append(Warnings.DN272.format(path=self.content.location, column=column + 1, others=others))
        return column

    @property
    def warnings(self) -> list[str]:
        """What was guessed about the encoding and the columns."""
        return [*super().warnings, *self._notes]

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
        """Read the sentences; note lines with too few or too many columns, or no token, and comments."""
        path, width, token_column, delimiter = self.content.location, self.width, self.token_column, self.delimiter
        ragged = problems.error(
            lambda found: Errors.DN208.format(
                path=path, count=found.count, width=width, places=found, delimiter=delimiter
            )
        )
        nameless = problems.error(lambda found: Errors.DN217.format(path=path, count=found.count, places=found))
        comments = problems.warning(lambda found: Warnings.DN273.format(path=path, count=found.count, places=found))
        opens = True
        for block, n_comments, rows in self._tables():
            opens = opens or block.is_first or bool(block.opener) or not self.has_documents
            for i, row in enumerate(block.rows[:n_comments]):
                comments.add(block.line + i, row.strip()[:60], block.path)
                opens = opens or bool(_NEW_DOCUMENT.match(row))
            start = block.line + n_comments
            if [row for row in rows if len(row) != width]:
                for i, fields in enumerate(rows):
                    if len(fields) != width:
                        text = block.rows[n_comments + i].rstrip(_LINE_END)
                        ragged.add(start + i, f"{len(fields)} columns: {text!r}", block.path)
                continue
            words = [row[token_column] for row in rows]
            sentence = Sentence(
                words=list(map(without_prefix, words)) if self.prefixes else words,
                layers={kind: self._tags(kind, column, rows) for kind, column in self.tag_columns.items()},
                lines=range(start, start + len(rows)),
                opens_document=opens,
                path=block.path,
            )
            if all(words):
                yield sentence
                opens = False
                continue
            for i, word in enumerate(words):
                if not word:
                    sentence.note(nameless, i, repr("\t".join(rows[i])))

    @classmethod
    def dump(cls, docs: Iterable[Doc], has_documents: bool) -> Iterator[str]:
        """Write two columns, the tags in IOB2; what is not annotated has a hyphen. See `Format.dump`."""
        for doc in docs:
            if has_documents:
                yield f"{_DOCUMENT}\tO\n\n"
            for words, tags in tagged_sentences([doc]):
                rows = zip(words, tags, strict=True)
                yield "".join(f"{' '.join(word.split())}\t{tag}\n" for word, tag in rows) + "\n"

    def _tables(self) -> Iterator[tuple[Block, int, Rows]]:
        """Yield each sentence, the number of comments before it, and the fields of its lines."""
        delimiter = self.delimiter
        for block in read_blocks(self.content):
            rows, n_comments = [split_fields(row, delimiter) for row in block.rows], 0
            if block.rows[0].startswith(_COMMENT):
                n_comments = next((i for i, row in enumerate(rows) if not self._is_comment(row)), len(rows))
            rows = rows[n_comments:]
            if self.is_2012:
                rows = [row[:_N_FIXED] for row in rows]
            if rows:
                yield block, n_comments, self._without_brackets(rows)

    def _without_brackets(self, rows: Rows) -> Rows:
        """Write the columns of brackets as tags."""
        if not self.bracketed or any(len(row) != self.width for row in rows):
            return rows
        columns = list(map(list, zip(*rows, strict=True)))
        for i in self.bracketed:
            columns[i] = from_brackets(columns[i])
        return list(map(list, zip(*columns, strict=True)))

    def _is_comment(self, row: list[str]) -> bool:
        """Tell whether a line before the first token of a sentence is none itself."""
        if not row[0].startswith(_COMMENT):
            return False
        return len(row) != self.width or any(
            parse_tag(row[column]) is None for kind, column in self.tag_columns.items() if kind not in ATTRIBUTES
        )

    def _tags(self, kind: str, column: int, rows: Rows) -> list[str]:
        tags = [row[column] for row in rows]
        return ["" if tag == _NO_TAG else tag for tag in tags] if kind in ATTRIBUTES else tags


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
        if rows[0].startswith(_COMMENT):
            has_documents = has_documents or any(map(_NEW_DOCUMENT.match, rows))
            start = next((i for i, row in enumerate(rows) if not row.startswith(_COMMENT)), len(rows))
            doubtful.update(len(split_fields(row, delimiter)) for row in rows[:start])
            rows = rows[start:]
        if delimiter == TAB:
            widths.update([row.count("\t") + 1 for row in rows])
        else:
            widths.update([len(split_fields(row, delimiter)) for row in rows])
    return widths or doubtful, has_documents


def is_comment_only(block: Block, delimiter: str, width: int) -> bool:
    """Tell whether there is no token among the lines of a sentence."""
    return all(row.startswith(_COMMENT) and len(split_fields(row, delimiter)) != width for row in block.rows)


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
        is_opener = (_DOCUMENT in line and _opens_document(line)) or line.startswith(_BEGIN)
        if line.strip(_BLANK) and not is_opener and not line.startswith(_END):
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
