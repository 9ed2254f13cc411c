"""Label Studio: tasks in JSON or JSON-MIN, with results of type `labels`.

Of several annotations of a task, the one marked as ground truth is taken, or the first that was not cancelled.
Predictions are read if no task of the file was annotated.
"""

from collections.abc import Iterable, Iterator
from itertools import accumulate
from typing import Any

from spacy.tokens import Doc

from ..content import Content
from .base import MODEL, Options
from .jsons import JsonRecords, Unfit, label, offset, read_json
from .places import UNITS, Mark
from .records import score_of

_ANNOTATIONS = ("annotations", "completions")
_OTHERS = ("predictions", "drafts", *_ANNOTATIONS)


class LabelStudio(JsonRecords):
    """How exports of Label Studio are to be read. A task without annotation is not annotated.

    uses_predictions (bool): Whether predictions are read.
    """

    name = "labelstudio"
    title = "Label Studio JSON"

    def __init__(self, content: Content, options: Options):
        tasks = [raw for _, _, raw in read_json(content) if isinstance(raw, dict)]
        is_annotated = any(raw.get(name) for raw in tasks for name in _ANNOTATIONS)
        self.uses_predictions = not is_annotated and any(raw.get("predictions") for raw in tasks)
        super().__init__(content, options)

    @property
    def summary(self) -> tuple[str, str]:
        """The format, for a table."""
        heading, text = super().summary
        return heading, f"{text}, predictions" if self.uses_predictions else text

    @classmethod
    def looks_like(cls, raw: Any) -> bool:
        """Tell whether this is a task with its data, or one of JSON-MIN."""
        if not isinstance(raw, dict):
            return False
        if isinstance(raw.get("data"), dict):
            return True
        return "annotation_id" in raw or any(map(_is_result, _lists(raw)))

    def parse(self, raw: Any) -> tuple[str, list[Mark] | None, list[tuple[int, int]] | None, dict[str, Any]] | None:
        """Read a task; see `JsonRecords`."""
        if not isinstance(raw.get("data"), dict):
            results = [one for values in _lists(raw) for one in values if isinstance(one, dict)]
            marks = (
                [mark for one in results if "start" in one for mark in _marks(one)]
                if results or "annotation_id" in raw
                else None
            )
            meta = {key: value for key, value in raw.items() if not isinstance(value, list) and key != "text"}
            return _text(raw, {}), marks, None, meta
        names = ("predictions",) if self.uses_predictions else _ANNOTATIONS
        annotations = [one for name in names for one in raw.get(name) or ()]
        valid = [one for one in annotations if not (one.get("was_cancelled") or one.get("skipped"))]
        if annotations and not valid:
            return None
        chosen = next((one for one in valid if one.get("ground_truth")), valid[0] if valid else None)
        marks = None
        results = [] if chosen is None else [one for one in chosen["result"] if "labels" in one.get("value", ())]
        if chosen is not None:
            marks = [mark for one in results for mark in _marks(one["value"])]
        meta = {key: value for key, value in raw.items() if key not in _OTHERS}
        return _text(raw["data"], results[0] if results else {}), marks, None, meta

    @classmethod
    def record(cls, text: str, doc: Doc, meta: dict[str, Any], number: int) -> dict[str, Any]:
        """Write a task, whose offsets are those of JavaScript; see `JsonRecords`.

        What a pipeline has predicted has the score of its least certain entity.
        """
        data = meta.get("data")
        record: dict[str, Any] = {
            "id": number,
            **meta,
            "data": {**(data if isinstance(data, dict) else {}), "text": text},
        }
        if doc.has_annotation("ENT_IOB"):
            units = [0, *accumulate(UNITS["UTF-16"](text))]
            result: list[dict[str, Any]] = [
                {
                    "id": f"{number}-{i}",
                    "from_name": "label",
                    "to_name": "text",
                    "type": "labels",
                    "value": {
                        "start": units[ent.start_char],
                        "end": units[ent.end_char],
                        "text": ent.text,
                        "labels": [ent.label_],
                    },
                    **score_of(ent),
                }
                for i, ent in enumerate(doc.ents)
            ]
            if MODEL in doc.user_data:
                scores = [one["score"] for one in result if "score" in one]
                score = {"score": min(scores)} if scores else {}
                record["predictions"] = [{"model_version": doc.user_data[MODEL], **score, "result": result}]
            else:
                record["annotations"] = [{"result": result}]
        return record

    @classmethod
    def dump(cls, docs: Iterable[Doc], has_documents: bool) -> Iterator[str]:
        """Write one list, as Label Studio imports it; see `Format.dump`."""
        before = "["
        for line in super().dump(docs, has_documents):
            yield before + line.rstrip("\n")
            before = ",\n"
        yield "]\n" if before != "[" else "[]\n"


def _lists(raw: dict[str, Any]) -> list[list[Any]]:
    return [value for value in raw.values() if isinstance(value, list)]


def _is_result(values: list[Any]) -> bool:
    return bool(values) and all(isinstance(one, dict) and {"start", "end", "labels"} <= one.keys() for one in values)


def _text(data: dict[str, Any], result: dict[str, Any]) -> str:
    """Find the text that was annotated: under the name that the result gives, the usual one, or else the longest."""
    for name in (str(result.get("to_name")), "text"):
        if isinstance(data.get(name), str):
            return data[name]
    texts = [value for value in data.values() if isinstance(value, str)]
    if not texts:
        raise Unfit("there is no text")
    return max(texts, key=len)


def _marks(value: dict[str, Any]) -> list[Mark]:
    """Read a region, which may have several labels."""
    place = value.get("globalOffsets") or value
    start, end, text = offset(place["start"]), offset(place["end"]), str(value.get("text") or "")
    return [Mark(start, end, label(one), text) for one in value["labels"]]
