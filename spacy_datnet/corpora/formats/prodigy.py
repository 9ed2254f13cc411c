"""Prodigy: JSON lines with `text`, `spans` and `tokens`. What was rejected or ignored is left out."""

from collections.abc import Iterator
from typing import Any

from spacy.tokens import Doc

from .base import MODEL
from .jsons import JsonRecords, label, offset
from .places import Mark
from .records import score_of

_OWN = {"text", "spans", "tokens", "answer", "asked"}


class Prodigy(JsonRecords):
    """How exports of Prodigy are to be read. A record without `spans` is not annotated."""

    name = "prodigy"
    title = "Prodigy JSONL"

    @classmethod
    def looks_like(cls, raw: Any) -> bool:
        """Tell whether there is a text, and what only Prodigy writes."""
        if not isinstance(raw, dict) or not isinstance(raw.get("text"), str):
            return False
        return bool({"spans", "answer", "tokens", "_task_hash"} & raw.keys()) or raw.keys() <= {"text", "meta", "id"}

    def parse(self, raw: Any) -> tuple[str, list[Mark] | None, list[tuple[int, int]] | None, dict[str, Any]] | None:
        """Read a record; see `JsonRecords`."""
        if raw.get("answer", "accept") != "accept":
            return None
        marks = tokens = None
        if raw.get("spans") is not None:
            marks = [Mark(offset(one["start"]), offset(one["end"]), label(one["label"])) for one in raw["spans"]]
        if raw.get("tokens"):
            tokens = [(offset(one["start"]), offset(one["end"])) for one in raw["tokens"]]
        if marks is not None and raw.get("asked") is not None:
            marks += list(_not_asked(raw, marks))
        return raw["text"], marks, tokens, {key: value for key, value in raw.items() if key not in _OWN}

    @classmethod
    def record(cls, text: str, doc: Doc, meta: dict[str, Any], number: int) -> dict[str, Any]:
        """Write a record with tokens; the `token_end` of a span is its last token. See `JsonRecords`.

        What a pipeline has predicted has no answer yet.
        """
        tokens = [
            {
                "text": token.text,
                "start": token.idx,
                "end": token.idx + len(token),
                "id": token.i,
                "ws": bool(token.whitespace_),
            }
            for token in doc
        ]
        record = {**meta, "text": text, "tokens": tokens}
        if doc.has_annotation("ENT_IOB"):
            if MODEL not in doc.user_data:
                record["answer"] = "accept"
            record["spans"] = [
                {
                    "start": ent.start_char,
                    "end": ent.end_char,
                    "token_start": ent.start,
                    "token_end": ent.end - 1,
                    "label": ent.label_,
                    **score_of(ent),
                }
                for ent in doc.ents
            ]
        return record


def _not_asked(raw: dict[str, Any], marks: list[Mark]) -> Iterator[Mark]:
    """Give the tokens that nothing is said of, where `suggest` asked for some only: they are missing annotation."""
    asked = set(raw["asked"])
    for number, token in enumerate(raw["tokens"]):
        start, end = offset(token["start"]), offset(token["end"])
        is_word = token.get("text", "?").strip()
        if number not in asked and is_word and not any(start < mark.end and mark.start < end for mark in marks):
            yield Mark(start, end, "")
