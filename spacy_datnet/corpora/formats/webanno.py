"""WebAnno TSV 3, as INCEpTION writes it: sentences with their text, and a line per token with a column per feature.

Of several layers, that of named entities is read, or else the first of spans. Tokens are looked up in the text, so that
the offsets, which are those of UTF-16, only tell which part of a token a line is for. A span without a value is known
to be something: its tokens are not annotated.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from spacy.tokens import Doc

from ...errors import Errors
from ..content import Content
from ..docbin import sentence_spans
from ..files import NUMBERED, replacing_folder
from ..problems import Occurrences, Problems
from .base import Options
from .places import CODE_POINTS, UNITS, Mark, Places
from .records import Record, Records, text_of

_UTF16 = "UTF-16"
_FORMAT, _TEXT, _ID, _NONE, _ANY = "#FORMAT=WebAnno TSV 3", "#Text=", "#Sentence.id=", "_", "*"
_LAYER = re.compile(r"#T_(SP|RL|CH)=([^|\s]+)((?:\|[^|\s]*)*)")
_ENTITIES = "de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity"
_HEADER = f"{_FORMAT}.3\n#T_SP={_ENTITIES}|identifier|value\n\n"
_BARE = f"{_FORMAT}.3\n\n"
_ROW = re.compile(r"\d+-\d+(\.\d+)?\t(\d{1,9})-(\d{1,9})\t([^\t]*)\t?(.*)")
_VALUE = re.compile(r"((?:\\.|[^\\|\[])+)(?:\[(\d+)\])?(?:\||$)")
_DOCUMENT = re.compile(r"(\d+)\.\d+")  # in the names of sentences, if a file has several documents
_ESCAPED = re.compile(r"\\(.)")
_CHARS = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "b": "\b"}
_IN_TEXT = str.maketrans({"\\": "\\\\", **{char: f"\\{name}" for name, char in _CHARS.items()}})
_IN_VALUE = _IN_TEXT | str.maketrans({char: f"\\{char}" for char in "[]|_*;"})


class _Row(NamedTuple):
    """The line of a token or of a part of one: its number, its place and text, and the columns of the layers."""

    line: int
    is_part: bool
    start: int
    end: int
    text: str
    columns: list[str]


class WebAnno(Records):
    """How such files are to be read, each a document. Without a layer of spans, they are not annotated.

    layer (str): The name of the layer and of the feature.
    columns (dict): The index of the column of the labels after the token, for each file that has one.
    """

    name = "webanno"
    title = "WebAnno TSV"
    unit = "line"
    keeps_missing = False

    def __init__(self, content: Content, options: Options):
        self.layer = ""
        self.columns: dict[str, int] = {}
        others: list[str] = []
        width: dict[str, int] = {}
        for path, _, line in content.lines():
            if match := _LAYER.match(line):
                features = match[3].split("|")[1:]
                name, first = match[2], width.get(path, 0)
                width[path] = first + max(1, len(features))
                others += [name]
                if match[1] == "SP" and (path not in self.columns or name == _ENTITIES):
                    feature = features.index("value") if "value" in features else 0
                    self.columns[path], self.layer = first + feature, name
        self.also = list(dict.fromkeys(name for name in others if name != self.layer))
        super().__init__(content, options)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Tell by the first line."""
        return next(content.lines(), ("", 0, ""))[2].startswith(_FORMAT)

    def where(self, kind: str) -> str:
        """Say which layer the spans are of."""
        return f"the layer {self.layer}"

    def _find_unit(self) -> str:
        return CODE_POINTS

    def records(self, problems: Problems) -> Iterator[Record]:
        """Read the sentences, with a space between those that don't follow each other at once; note broken lines."""
        broken = problems.error(Errors.DN287)
        last, end = None, 0
        for path, opens, line, text, rows in self._sentences(broken):
            begin = rows[0].start - (len(text) - len(text.lstrip())) if rows else end
            if last is not None:
                yield last._replace(text=f"{last.text} ") if begin > end and not opens else last
            last, end = None, begin + sum(UNITS[_UTF16](text))
            tokens = _tokens(text, rows)
            for row, token in zip(rows, tokens, strict=True):
                if token is None:
                    broken.add(row.line, f"{row.text!r} is not in the text of the sentence", path)
            if None not in tokens:
                found = [(row, token) for row, token in zip(rows, tokens, strict=True) if token is not None]
                marks = _marks(found, self.columns[path]) if path in self.columns else None
                borders = [token for row, token in found if not row.is_part]
                last = Record(line, path, text, marks, borders, None, opens)
        if last is not None:
            yield last

    def _sentences(self, broken: Occurrences) -> Iterator[tuple[str, bool, int, str, list[_Row]]]:
        """Yield the file of each sentence, whether a document begins there, its line, its text and its tokens."""
        texts: list[str] = []
        rows: list[_Row] = []
        start, path, document, opens = 0, "", "", True
        for name, number, line in self.content.lines():
            line = line.rstrip("\r\n")
            is_text = line.startswith(_TEXT)
            if texts and (number == 1 or (line.startswith("#") and not (is_text and not rows))):
                yield path, opens, start, "\n".join(texts), rows
                texts, rows, opens = [], [], False
            if number == 1:
                path, document, opens = name, "", True
            if is_text:
                start = start if texts else number
                texts.append(_unescape(line.removeprefix(_TEXT)))
            elif line.startswith(_ID):
                match = _DOCUMENT.fullmatch(line.removeprefix(_ID))
                opens = opens or (match is not None and match[1] != document)
                document = match[1] if match else document
            elif texts and (match := _ROW.fullmatch(line)):
                part, first, last, token, columns = match.groups()
                rows.append(_Row(number, bool(part), int(first), int(last), _unescape(token), columns.split("\t")))
            elif line.strip() and not line.startswith("#"):
                broken.add(number, repr(line)[:60], name)
        if texts:
            yield path, opens, start, "\n".join(texts), rows

    @classmethod
    def writes_folder(cls, path: Path) -> bool:
        """Unless it is to be called .tsv: see `Format.writes_folder`."""
        return path.suffix != ".tsv"

    @classmethod
    def write(cls, docs: Iterable[Doc], path: Path, has_documents: bool) -> None:
        """Write a numbered file for each Doc, or one with all; see `Format.write`."""
        if not cls.writes_folder(path):
            super().write(docs, path, has_documents)
            return
        with replacing_folder(path) as folder:
            for number, doc in enumerate(docs, start=1):
                header = _HEADER if doc.has_annotation("ENT_IOB") else _BARE
                text = "".join([header, *_lines([doc])])
                (folder / f"{NUMBERED.format(number)}.tsv").write_bytes(text.encode())

    @classmethod
    def dump(cls, docs: Iterable[Doc], has_documents: bool) -> Iterator[str]:
        """Write one file, in which the names of sentences tell documents apart; see `Format.dump`."""
        yield _HEADER
        yield from _lines(docs)


def _unescape(text: str) -> str:
    return _ESCAPED.sub(lambda match: _CHARS.get(match[1], match[1]), text)


def _tokens(text: str, rows: list[_Row]) -> list[tuple[int, int] | None]:
    """Find each token in the text of a sentence, and each part of a token in the token before."""
    found: list[tuple[int, int] | None] = []
    whole, first = (0, 0), 0
    for row in rows:
        token = None
        if not row.is_part:
            start = text.find(row.text, whole[1])
            if row.text and start >= 0:
                token = whole = start, start + len(row.text)
            first = row.start
        else:
            places = Places(text[slice(*whole)], _UTF16)
            start, end = places.at(row.start - first) or 0, places.at(row.end - first) or 0
            if start < end:
                token = whole[0] + start, whole[0] + end
        found.append(token)
    return found


def _marks(rows: list[tuple[_Row, tuple[int, int]]], column: int) -> list[Mark]:
    """Read the spans off a column: values with the same number are one span, others one each."""
    marks: dict[object, Mark] = {}
    for row, (start, end) in rows:
        value = row.columns[column] if column < len(row.columns) else _NONE
        for match in _VALUE.finditer("" if value == _NONE else value):
            name = "" if match[1] == _ANY else _unescape(match[1])
            key = match[2] or (row.line, match.start())
            known = marks.get(key, Mark(start, end, name, line=row.line))
            marks[key] = known._replace(end=max(end, known.end))
    return list(marks.values())


def _lines(docs: Iterable[Doc]) -> Iterator[str]:
    """Write the sentences of Docs. Their texts make up that of the Doc; white space between tokens has no line."""
    begin = n_ents = n_sentences = 0
    for number, doc in enumerate(docs, start=1):
        text = text_of(doc)
        units = list(accumulate(UNITS[_UTF16](text), initial=begin))
        labels = {i: (n, ent) for n, ent in enumerate(doc.ents, n_ents + 1) for i in range(ent.start, ent.end)}
        sentences = [[token for token in one if not token.is_space] for one in sentence_spans(doc)]
        sentences = [tokens for tokens in sentences if tokens] or [[]]
        borders = [0, *(tokens[0].idx for tokens in sentences[1:]), len(text)]
        for i, tokens in enumerate(sentences):
            n_sentences += 1
            part = text[borders[i] : borders[i + 1]].translate(_IN_TEXT)
            yield f"\n{_ID}{number}.{i + 1}\n{_TEXT}{part}\n"
            for n, token in enumerate(tokens, start=1):
                value = f"{_NONE}\t{_NONE}"
                if token.i in labels:
                    index, ent = labels[token.i]
                    mark = f"[{index}]" if len(ent) > 1 else ""
                    value = f"{_ANY}{mark}\t{ent.label_.translate(_IN_VALUE)}{mark}"
                place = f"{units[token.idx]}-{units[token.idx + len(token)]}"
                columns = f"\t{value}" if doc.has_annotation("ENT_IOB") else ""
                yield f"{n_sentences}-{n}\t{place}\t{token.text.translate(_IN_TEXT)}{columns}\t\n"
        begin, n_ents = units[-1] + 1, n_ents + len(doc.ents)
