"""Column files: one token per line, an empty line after each sentence.

Any number of columns is fine, separated by single tabs (spaces around them are padding) or by runs of spaces and tabs.
A line that begins a document (-DOCSTART-, whatever its columns) is never a token. A line that begins with # before the
first token of a sentence is a comment if it is no row of the table; otherwise # begins a token, as in tweets.
CoNLL-2012 begins documents with #begin document, and has eleven columns and others whose number changes. Tags may be
brackets as in OntoNotes, (PERSON* *).
"""

from collections.abc import Iterable, Iterator

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
from .blocks import (
    BEGIN,
    COMMENT,
    DOCUMENT,
    LINE_END,
    NEW_DOCUMENT,
    SPACE,
    TAB,
    Block,
    find_table,
    read_blocks,
    split_fields,
)
from .layout import Rows, find_tags, from_brackets, is_bracketed, is_running, language_prefixes, take, without_prefix

DELIMITERS = (AUTO, TAB, SPACE)

_N_FIXED, _WORD, _ENTITY = 11, 3, 10  # of CoNLL-2012
_NO_TAG = "_"  # of a token; a missing tag of entities is a hyphen


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
        self.is_2012 = next(content.lines(), ("", 0, ""))[2].startswith(BEGIN)
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
        width, token_column = self.width, self.token_column
        ragged = problems.error(Errors.DN208, width=width, delimiter=self.delimiter)
        nameless = problems.error(Errors.DN217)
        comments = problems.warning(Warnings.DN273)
        opens = True
        for block, n_comments, rows in self._tables():
            opens = opens or block.is_first or bool(block.opener) or not self.has_documents
            for i, row in enumerate(block.rows[:n_comments]):
                comments.add(block.line + i, row.strip()[:60], block.path)
                opens = opens or bool(NEW_DOCUMENT.match(row))
            start = block.line + n_comments
            if [row for row in rows if len(row) != width]:
                for i, fields in enumerate(rows):
                    if len(fields) != width:
                        text = block.rows[n_comments + i].rstrip(LINE_END)
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
                yield f"{DOCUMENT}\tO\n\n"
            for words, tags in tagged_sentences([doc]):
                rows = zip(words, tags, strict=True)
                yield "".join(f"{' '.join(word.split())}\t{tag}\n" for word, tag in rows) + "\n"

    def _tables(self) -> Iterator[tuple[Block, int, Rows]]:
        """Yield each sentence, the number of comments before it, and the fields of its lines."""
        delimiter = self.delimiter
        for block in read_blocks(self.content):
            rows, n_comments = [split_fields(row, delimiter) for row in block.rows], 0
            if block.rows[0].startswith(COMMENT):
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
        if not row[0].startswith(COMMENT):
            return False
        return len(row) != self.width or any(
            parse_tag(row[column]) is None for kind, column in self.tag_columns.items() if kind not in ATTRIBUTES
        )

    def _tags(self, kind: str, column: int, rows: Rows) -> list[str]:
        tags = [row[column] for row in rows]
        return ["" if tag == _NO_TAG else tag for tag in tags] if kind in ATTRIBUTES else tags
