"""Raw text: documents without annotation, out of .txt, .jsonl, .parquet and .spacy files.

A line of a .txt file is a document, and so is a record of the others, whose other fields come along.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from spacy.language import Language
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..errors import Errors
from .content import Location, matching_paths
from .docbin import read_docbin
from .docs import META
from .formats.base import MODEL
from .formats.parquet import import_parquet
from .problems import CorpusError, Place

TEXT = "text"
MAX_BYTES = 8_000_000  # of a line; what is longer has no line ends, or is no document
_ROWS = 256  # of a .parquet file that are read at once
_SHOWN = 1000  # characters of a record that can't be used

# told the place, with what is wrong there, and the record as far as it could be read
Bad = Callable[[Place, str], None]


class RawText(NamedTuple):
    """A document without annotation.

    text (str): The text.
    meta (dict): The other fields of its record, in the types of JSON.
    place (Place): Where it stands.
    doc (Optional[Doc]): That of a .spacy file.
    """

    text: str
    meta: dict[str, Any]
    place: Place
    doc: Doc | None = None

    def make_doc(self, nlp: Language) -> Doc:
        """Make a Doc for a pipeline: the tokens and sentences of a .spacy file stay, other text is tokenized."""
        if self.doc is None:
            return nlp.make_doc(self.text)
        starts: list[bool | int | None] | None = None
        if self.doc.has_annotation("SENT_START"):
            starts = [token.is_sent_start for token in self.doc]
        spaces = None if self.doc.has_unknown_spaces else [bool(token.whitespace_) for token in self.doc]
        return Doc(nlp.vocab, words=[token.text for token in self.doc], spaces=spaces, sent_starts=starts)


class Part(NamedTuple):
    """Some documents of a file that lie one behind the other.

    path (Path): The file.
    start (int): Its first byte in a file of lines, its first record in another.
    stop (Optional[int]): Behind its last byte or record; None for the end of the file.
    first (int): The number of its first line or record, from 1.
    """

    path: Path
    start: int = 0
    stop: int | None = None
    first: int = 1


def read_raw(locations: Iterable[Location], bad: Bad | None = None) -> Iterator[RawText]:
    """Read the documents of some files, one at a time.

    locations (Iterable): Files, folders or patterns; see `raw_files`.
    bad (Optional[Callable]): Told of each record that can't be used; without it, that is an error.
    YIELDS (RawText): The documents.
    """
    for path in raw_files(locations):
        yield from read_part(Part(path), bad)


def predict(locations: Iterable[Location], nlp: Language) -> Iterator[Doc]:
    """Annotate raw text with a pipeline, of whatever components.

    locations (Iterable): See `read_raw`.
    nlp (Language): The pipeline.
    YIELDS (Doc): The documents; their user data has the other fields of the record, and the name of the pipeline.
    """
    name = f"{nlp.meta['lang']}_{nlp.meta['name']} {nlp.meta['version']}"
    for doc, meta in nlp.pipe(((raw.make_doc(nlp), raw.meta) for raw in read_raw(locations)), as_tuples=True):
        doc.user_data |= {META: meta, MODEL: name}
        yield doc


def raw_files(locations: Iterable[Location]) -> list[Path]:
    """List the files of raw text that are meant, each once: in a folder all that end as such files do."""
    files: list[Path] = []
    for path in map(Path, locations):
        if path.is_dir():
            found = sorted(one for one in path.rglob("*") if one.suffix in _READERS and one.is_file())
        else:
            found = matching_paths(path)
        if not found:
            raise CorpusError(Errors.DN201.format(path=path, folder=Path.cwd()))
        files += found
    for file in files:
        if file.suffix not in _READERS:
            raise CorpusError(Errors.DN340.format(path=file, known=", ".join(_READERS)))
    return list(dict.fromkeys(files))


def read_part(part: Part, bad: Bad | None = None) -> Iterator[RawText]:
    """Read the documents of a part of a file; see `read_raw`."""
    try:
        yield from _READERS[part.path.suffix](part, bad or _refuse)
    except OSError as error:  # those of pyarrow, too
        raise CorpusError(Errors.DN202.format(path=part.path, reason=error.strerror or error)) from error


def cut_raw(path: Path, size: int) -> Iterator[tuple[Part, int]]:
    """Cut a file into parts of about so many bytes, each with the number of its documents, or somewhat more."""
    if path.suffix in _COUNTS:
        total = _COUNTS[path.suffix](path)
        step = max(1, total * size // path.stat().st_size)
        for start in range(0, total, step):
            stop = min(start + step, total)
            yield Part(path, start, stop, start + 1), stop - start
        return
    start, first = 0, 1
    with path.open("rb") as file:
        while block := file.read(size):
            count = block.count(b"\n")
            while not block.endswith(b"\n") and (block := file.readline(size)):
                count += block.endswith(b"\n")
            yield Part(path, start, file.tell(), first), count
            start, first = file.tell(), first + count


def _refuse(place: Place, record: str) -> None:
    raise CorpusError(Errors.DN341.format(place=place))


def _read_lines(part: Part, bad: Bad) -> Iterator[RawText]:
    number = part.first - 1
    with part.path.open("rb") as file:
        file.seek(part.start)
        while (part.stop is None or file.tell() < part.stop) and (line := file.readline(MAX_BYTES)):
            number += 1
            is_too_long = rest = len(line) == MAX_BYTES
            while rest and (more := file.readline(MAX_BYTES)):
                rest = not more.endswith(b"\n")
            try:
                if is_too_long:
                    raise ValueError(f"the line has more than {MAX_BYTES:,} bytes")
                text = line.decode("utf-8-sig" if part.start == 0 and number == 1 else "utf-8").rstrip("\r\n")
                if "\0" in text:
                    raise ValueError("there are zero bytes, so it is no UTF-8")
                if not text.strip():
                    continue
                meta: dict[str, Any] = {}
                if part.path.suffix != ".txt":
                    meta = json.loads(text)
                    text = _take_text(meta)
            except (ValueError, RecursionError) as error:
                bad(
                    Place(str(part.path), number, str(error)), line[:_SHOWN].rstrip().decode("utf8", "backslashreplace")
                )
            else:
                yield RawText(text, meta, Place(str(part.path), number, text))


def _take_text(record: Any) -> str:
    """Take the text out of a record; a ValueError says why there is none."""
    text = record.pop(TEXT, None) if isinstance(record, dict) else None
    if not isinstance(text, str):
        raise ValueError(f"there is no {TEXT!r} that is a string")
    text.encode()  # half of a character is none
    return text


def _read_rows(part: Part, bad: Bad) -> Iterator[RawText]:
    table = open_parquet(part.path)
    number = 0
    for batch in table.iter_batches(_ROWS):
        if part.stop is not None and number >= part.stop:
            return
        if number + len(batch) <= part.start:
            number += len(batch)
            continue
        for row in batch.to_pylist():
            number += 1
            if part.start < number <= (part.stop or number):
                row = json.loads(json.dumps(row, default=str))
                try:
                    text = _take_text(row)
                except ValueError as error:
                    bad(Place(str(part.path), number, str(error), "row"), json.dumps(row)[:_SHOWN])
                else:
                    yield RawText(text, row, Place(str(part.path), number, text, "row"))


def open_parquet(path: Path) -> Any:
    """Open a .parquet file with a column of texts."""
    parquet = import_parquet(path)
    from pyarrow.lib import ArrowException

    try:
        table = parquet.ParquetFile(path)
    except ArrowException as error:
        raise CorpusError(Errors.DN202.format(path=path, reason=error)) from error
    if TEXT not in table.schema_arrow.names:
        raise CorpusError(Errors.DN343.format(path=path, columns=", ".join(table.schema_arrow.names)))
    return table


def _read_docs(part: Part, bad: Bad) -> Iterator[RawText]:
    for number, doc in enumerate(read_docbin(part.path, Vocab()), start=1):
        if part.stop is not None and number > part.stop:
            return
        if number > part.start:
            place = Place(str(part.path), number, doc.text, "Doc")
            yield RawText(doc.text, dict(doc.user_data.get(META) or {}), place, doc)


_READERS: dict[str, Callable[[Part, Bad], Iterator[RawText]]] = {
    ".txt": _read_lines,
    ".jsonl": _read_lines,
    ".parquet": _read_rows,
    ".spacy": _read_docs,
}
_COUNTS: dict[str, Callable[[Path], int]] = {
    ".parquet": lambda path: open_parquet(path).metadata.num_rows,
    ".spacy": lambda path: sum(1 for _ in read_docbin(path, Vocab())),
}
