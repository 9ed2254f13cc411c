"""doccano: JSON lines with spans as `label`, `labels` or `entities`, in triples or with named offsets.

The training data of spaCy 2, pairs of a text and `{"entities": [[start, end, label]]}`, are read as well.
"""

from typing import Any

from spacy.tokens import Doc

from .jsons import JsonRecords, Unfit, label, offset
from .places import Mark

_SPANS = ("label", "labels", "entities", "annotations")
_TEXTS = ("text", "data")


class Doccano(JsonRecords):
    """How exports of doccano are to be read."""

    name = "doccano"
    title = "doccano JSONL"

    @classmethod
    def looks_like(cls, raw: Any) -> bool:
        """Tell whether there is a text with spans under one of the names."""
        raw = _as_dict(raw)
        if not any(isinstance(raw.get(name), str) for name in _TEXTS):
            return False
        for name in _SPANS:
            spans = raw.get(name)
            if isinstance(spans, list) and (not spans or _is_span(spans[0])):
                return True
        return False

    def parse(self, raw: Any) -> tuple[str, list[Mark] | None, list[tuple[int, int]] | None, dict[str, Any]] | None:
        """Read a record; see `JsonRecords`."""
        raw = _as_dict(raw)
        text = next((raw[name] for name in _TEXTS if isinstance(raw.get(name), str)), None)
        used = next((name for name in _SPANS if isinstance(raw.get(name), list)), None)
        marks = None if used is None else [_mark(one) for one in raw[used]]
        if text is None:
            raise Unfit("there is no text")
        return text, marks, None, {key: value for key, value in raw.items() if key not in (used, *_TEXTS)}

    @classmethod
    def record(cls, text: str, doc: Doc, meta: dict[str, Any], number: int) -> dict[str, Any]:
        """Write a record with triples; see `JsonRecords`."""
        record = {"id": number, **meta, "text": text}
        if doc.has_annotation("ENT_IOB"):
            record["label"] = [[ent.start_char, ent.end_char, ent.label_] for ent in doc.ents]
        return record


def _as_dict(raw: Any) -> dict[str, Any]:
    if isinstance(raw, list) and len(raw) == 2 and isinstance(raw[0], str) and isinstance(raw[1], dict):
        return {"text": raw[0], **raw[1]}
    return raw if isinstance(raw, dict) else {}


def _is_span(one: Any) -> bool:
    if isinstance(one, dict):
        return "start_offset" in one
    return isinstance(one, list) and len(one) == 3


def _mark(one: Any) -> Mark:
    if not _is_span(one):
        raise Unfit(f"{one!r} is no span with a start, an end and a label")
    if isinstance(one, dict):
        return Mark(offset(one["start_offset"]), offset(one["end_offset"]), label(one["label"]))
    return Mark(offset(one[0]), offset(one[1]), label(one[2]))
