"""The files that annotated documents are written to: JSON lines, Parquet or .spacy.

Of a document come the text, the fields of its record, and what a pipeline has set: entities, groups of spans, and tags,
each with its confidence if the pipeline says one.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from math import isnan
from typing import IO, Any

from spacy.tokens import Doc, DocBin, Span, Token

from ..corpora import RawText
from ..errors import Errors
from ..pipeline.extensions import CHUNK_CONFIDENCE, ENT_CONFIDENCE, TAG_CONFIDENCE
from .manifest import BulkError

Pairs = Iterable[tuple[RawText, Doc]]
_ROWS = 1000  # that are written to a .parquet file at once


def write_jsonl(file: IO[bytes], pairs: Pairs) -> None:
    """Write a line for each document."""
    for raw, doc in pairs:
        file.write(json.dumps({**raw.meta, **record_of(doc)}, ensure_ascii=False).encode("utf8") + b"\n")


def write_docbin(file: IO[bytes], pairs: Pairs) -> None:
    """Write the Docs with the confidences, and the other fields as `doc.user_data["meta"]`."""
    docbin = DocBin(store_user_data=True)
    for raw, doc in pairs:
        if raw.meta:
            doc.user_data["meta"] = raw.meta
        docbin.add(doc)
    file.write(docbin.to_bytes())


def write_parquet(file: IO[bytes], pairs: Pairs) -> None:
    """Write a row for each document; the fields but `id` are JSON in the column `meta`, so that all files are alike."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    borders: list[Any] = [("start", pa.int32()), ("end", pa.int32())]
    span = [*borders, ("label", pa.string()), ("text", pa.string()), ("confidence", pa.float64())]
    token = [*borders, ("tag", pa.string()), ("pos", pa.string()), ("confidence", pa.float64())]
    schema = pa.schema(
        [
            ("id", pa.string()),
            ("text", pa.string()),
            ("ents", pa.list_(pa.struct(span))),
            ("spans", pa.list_(pa.struct([("key", pa.string()), *span]))),
            ("tokens", pa.list_(pa.struct(token))),
            ("meta", pa.string()),
        ]
    )
    rows = map(_row, pairs)
    with ParquetWriter(file, schema) as writer:
        while some := list(islice(rows, _ROWS)):
            writer.write_table(pa.Table.from_pylist(some, schema=schema))


def _row(pair: tuple[RawText, Doc]) -> dict[str, Any]:
    raw, doc = pair
    others = {name: value for name, value in raw.meta.items() if name != "id"}
    name = raw.meta.get("id")
    return {
        "id": name if name is None else str(name),
        "meta": json.dumps(others, ensure_ascii=False) if others else None,
        **record_of(doc),
    }


def record_of(doc: Doc) -> dict[str, Any]:
    """Put what a pipeline has set on a Doc into the types of JSON; offsets are those of characters."""
    record: dict[str, Any] = {"text": doc.text, "ents": [_span(ent, ENT_CONFIDENCE) for ent in doc.ents]}
    if doc.spans:
        groups = doc.spans.items()
        record["spans"] = [{"key": key, **_span(span, CHUNK_CONFIDENCE)} for key, group in groups for span in group]
    if doc.has_annotation("TAG") or doc.has_annotation("POS"):
        record["tokens"] = list(_tokens(doc))
    return record


def _span(span: Span, confidence: str) -> dict[str, Any]:
    sure = span._.get(confidence) if Span.has_extension(confidence) else None
    return {
        "start": span.start_char,
        "end": span.end_char,
        "label": span.label_,
        "text": span.text,
        "confidence": sure,
    }


def _tokens(doc: Doc) -> Iterator[dict[str, Any]]:
    names = [name for name in TAG_CONFIDENCE.values() if Token.has_extension(name)]
    for token in doc:
        sure = [value for name in names if not isnan(value := token._.get(name))]
        borders = {"start": token.idx, "end": token.idx + len(token)}
        yield {**borders, "tag": token.tag_, "pos": token.pos_, "confidence": min(sure, default=None)}


FORMATS: dict[str, Callable[[IO[bytes], Pairs], None]] = {
    "jsonl": write_jsonl,
    "parquet": write_parquet,
    "spacy": write_docbin,
}


def check_format(name: str) -> None:
    """Make sure that files of a form can be written here."""
    if name == "parquet":
        try:
            import pyarrow  # noqa: F401
        except ImportError as error:
            raise BulkError(Errors.DN342.format(path="--format parquet")) from error
