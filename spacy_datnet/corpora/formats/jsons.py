"""Records in JSON: one per line, or all in one list."""

import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath
from typing import Any

from spacy.tokens import Doc

from ...errors import Errors, Warnings
from ..content import Content
from ..problems import CorpusError, Problems
from .places import Mark
from .records import Record, Records, text_of

SUFFIXES = (".jsonl", ".json", ".ndjson")

Raw = tuple[str, int, Any]  # the file, the number of the record, and what it is


class Unfit(Exception):
    """A record is not what it should be; the message says why."""


class JsonRecords(Records):
    """How records in JSON are to be read. A subclass says what a record looks like and what is in it."""

    keeps_missing = False  # but for records without any annotation

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Tell whether the first record looks like this."""
        first = next(read_json(content), None)
        return first is not None and cls.looks_like(first[2])

    @classmethod
    @abstractmethod
    def looks_like(cls, raw: Any) -> bool:
        """Tell whether a record looks like one of this tool."""

    @abstractmethod
    def parse(self, raw: Any) -> tuple[str, list[Mark] | None, list[tuple[int, int]] | None, dict[str, Any]] | None:
        """Read the text, the spans, the tokens and the rest off a record; None if it is not to be used."""

    @classmethod
    @abstractmethod
    def record(cls, text: str, doc: Doc, meta: dict[str, Any], number: int) -> dict[str, Any]:
        """Write a Doc as a record: the opposite of `parse`. A Doc without annotation of entities has no spans."""

    @classmethod
    def dump(cls, docs: Iterable[Doc], has_documents: bool) -> Iterator[str]:
        """Write a record per line; see `Format.dump`."""
        for number, doc in enumerate(docs, start=1):
            record = cls.record(text_of(doc), doc, doc.user_data.get("meta", {}), number)
            yield json.dumps(record, ensure_ascii=False) + "\n"

    def records(self, problems: Problems) -> Iterator[Record]:
        """Read the records; note those that are not to be used, and those that are not what they should be."""
        unfit = problems.error(Errors.DN267)
        unused = problems.warning(Warnings.DN283)
        for name, number, raw in read_json(self.content):
            try:
                found = self.parse(raw)
                if found is None:
                    unused.add(number, _shorten(raw), name)
                    continue
                text, marks, tokens, meta = found
                if not isinstance(text, str):
                    raise Unfit("the text is none")
                text.encode()  # half of a character is none, and ends in an error here
            except Unfit as error:
                unfit.add(number, str(error), name)
            except (KeyError, TypeError, ValueError, IndexError, AttributeError, OverflowError) as error:
                unfit.add(number, f"{type(error).__name__}: {error} in {_shorten(raw)}", name)
            else:
                yield Record(number, name, text, marks, tokens, meta)


def read_json(content: Content) -> Iterator[Raw]:
    """Read the records of files in JSON.

    content (Content): The files.
    YIELDS (tuple): The file, the number of the record, and what it is. Nothing if the first file is something else.
    """
    if "json" not in content.memory:
        content.memory["json"] = list(_parse(content))
    return iter(content.memory["json"])


def _parse(content: Content) -> Iterator[Raw]:
    is_named = PurePosixPath(str(content.location)).suffix in SUFFIXES
    if not is_named and not (
        content.files and content.files[0].data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"[", b"{")
    ):
        return
    for name, text in content.texts():
        path = name or content.location
        try:
            if text.lstrip().startswith("["):
                records = json.loads(text)
                if all(isinstance(raw, dict | list) for raw in records):
                    yield from ((name, number, raw) for number, raw in enumerate(records, start=1))
                    continue
        except (ValueError, RecursionError) as error:
            if not is_named and not name:
                return
            # a file of lines may have lists as records
            if "\n" not in text.strip():
                raise CorpusError(Errors.DN268.format(path=path, line=1, reason=error)) from error
        for number, line in enumerate(text.split("\n"), start=1):
            if not line.strip():
                continue
            try:
                yield name, number, json.loads(line)
            except (ValueError, RecursionError) as error:
                if not is_named and number == 1:
                    return
                raise CorpusError(Errors.DN268.format(path=path, line=number, reason=error)) from error


def _shorten(raw: Any) -> str:
    text = json.dumps(raw, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:60]}…"


def offset(value: Any) -> int:
    """Read an offset, which is a whole number."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise Unfit(f"the offset {value!r} is no number")
    if int(value) != float(value):
        raise Unfit(f"the offset {value!r} is no whole number")
    return int(value)


def label(value: Any) -> str:
    """Read a label, which is text."""
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise Unfit(f"the label {value!r} is no text")
    str(value).encode()
    return str(value).strip()
