"""Token classification as Hugging Face datasets have it, in JSON lines: `tokens` and `ner_tags`, one sentence each."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from spacy.tokens import Doc

from ...errors import Errors
from ...kinds import ATTRIBUTES, ENTS, POS, TAG, group_of
from ..content import Content
from ..docbin import tagged_sentences
from ..problems import Problems
from ..sentences import Sentence
from .base import Format, Options
from .jsons import read_json

_TOKENS = ("tokens", "words")
_TAGS = {
    ENTS: ("ner_tags", "ner", "tags", "labels", "ner_labels"),
    TAG: ("pos_tags", "xpos", "pos"),
    POS: ("upos", "pos_tags", "pos"),
    "spans:": ("chunk_tags", "chunks"),
}


class HuggingFace(Format):
    """How such records are to be read. Their tags must be names: numbers say nothing without the dataset's list.

    tokens (str): The name of the tokens.
    tags (dict): The name of the tags of each kind of annotation.
    """

    name = "hf"
    title = "Hugging Face JSONL"
    unit = "record"

    def __init__(self, content: Content, options: Options):
        super().__init__(content, options)
        raw = next((raw for _, _, raw in read_json(content) if isinstance(raw, dict)), {})
        self.tokens = next((name for name in _TOKENS if name in raw), _TOKENS[0])
        self.tags = {kind: _find(raw, kind) for kind in options.annotations or (ENTS,)}
        for kind, name in self.tags.items():
            if not name:
                raise self.refuse(kind, tuple(one for one in _TAGS if _find(raw, one)))
        self.kinds = tuple(self.tags)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Tell whether the first record has tokens and tags."""
        _, _, raw = next(read_json(content), ("", 0, None))
        if not isinstance(raw, dict) or not any(isinstance(raw.get(name), list) for name in _TOKENS):
            return False
        return any(isinstance(raw.get(name), list) for names in _TAGS.values() for name in names)

    def where(self, kind: str) -> str:
        """Say under which name the tags are."""
        return repr(self.tags[kind])

    def read(self, problems: Problems) -> Iterator[Sentence]:
        """Read the sentences; note records that are none."""
        path = self.content.location
        unfit = problems.error(lambda found: Errors.DN267.format(path=path, count=found.count, places=found))
        for name, number, raw in read_json(self.content):
            lists: list[Any] = (
                [raw.get(one) for one in (self.tokens, *self.tags.values())] if isinstance(raw, dict) else []
            )
            reason = _reason(lists)
            if reason:
                unfit.add(number, reason, name)
                continue
            words, *tags = lists
            layers = dict(zip(self.tags, tags, strict=True))
            for kind in ATTRIBUTES:
                if kind in layers:
                    layers[kind] = ["" if tag == "_" else tag for tag in layers[kind]]
            if words:
                yield Sentence(words, layers, [number] * len(words), True, name)

    @classmethod
    def dump(cls, docs: Iterable[Doc], has_documents: bool) -> Iterator[str]:
        """Write a record per sentence, the tags in IOB2; what is not annotated has a hyphen. See `Format.dump`."""
        for number, (words, tags) in enumerate(tagged_sentences(docs)):
            yield json.dumps({"id": str(number), "tokens": words, "ner_tags": tags}, ensure_ascii=False) + "\n"


def _find(raw: dict[str, Any], kind: str) -> str:
    """Find the name of the tags of a kind of annotation."""
    names = _TAGS["spans:" if group_of(kind) else kind]
    return next((name for name in names if isinstance(raw.get(name), list)), "")


def _reason(lists: list[Any]) -> str:
    """Tell why a record is no sentence, or nothing."""
    if not lists or not all(isinstance(one, list) for one in lists):
        return "there are no tokens or no tags"
    if len({len(one) for one in lists}) > 1:
        return f"{len(lists[0])} tokens, but {' and '.join(str(len(one)) for one in lists[1:])} tags"
    if any(isinstance(tag, int) for tags in lists[1:] for tag in tags):
        return "tags are numbers; export them with the names of the dataset's features"
    if not all(isinstance(one, str) for values in lists for one in values) or not all(map(str.strip, lists[0])):
        return "a token or a tag is no text"
    try:
        "".join(word for values in lists for word in values).encode()
    except UnicodeError:
        return "half of a character is none"
    return ""
