"""Token classification as Hugging Face datasets have it, in JSON lines or Parquet: `tokens` and `ner_tags`.

Tags may be numbers. Their names are those that the user gives, or the metadata of Parquet, or else dataset_info.json
or README.md beside the file or above. A negative number is a token without annotation.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import srsly
from spacy.tokens import Doc

from ...errors import Errors
from ...kinds import ATTRIBUTES, ENTS, POS, TAG, group_of
from ..content import Content
from ..docbin import tagged_sentences
from ..encodings import Encoding
from ..problems import Problems
from ..sentences import MISSING, OUTSIDE, Sentence, missing_tag
from .base import Format, Options
from .jsons import Raw, read_json
from .parquet import SUFFIX, is_parquet, read_features, read_parquet, write_parquet

_INFOS = ("dataset_info.json", "dataset_infos.json", "README.md")
_IGNORED = -100  # as the losses of PyTorch do

_TOKENS = ("tokens", "words")
_TAGS = {
    ENTS: ("ner_tags", "ner", "tags", "labels", "ner_labels"),
    TAG: ("pos_tags", "xpos", "pos"),
    POS: ("upos", "pos_tags", "pos"),
    "spans:": ("chunk_tags", "chunks"),
}


class HuggingFace(Format):
    """How such records are to be read, one sentence each.

    tokens (str): The name of the tokens.
    tags (dict): The name of the tags of each kind of annotation.
    names (dict): What the numbers of the tags of each kind of annotation are called.
    """

    name = "hf"
    title = "Hugging Face records"
    suffixes = (SUFFIX,)
    unit = "record"

    def __init__(self, content: Content, options: Options):
        super().__init__(content, options)
        self.is_parquet = is_parquet(content)
        if self.is_parquet:
            content.encoding = Encoding("utf-8", detected=True)
        raw = next((raw for _, _, raw in _rows(content) if isinstance(raw, dict)), {})
        self.tokens = next((name for name in _TOKENS if name in raw), _TOKENS[0])
        self.tags = {kind: _find(raw, kind) for kind in options.annotations or (ENTS,)}
        for kind, name in self.tags.items():
            if not name:
                raise self.refuse(kind, tuple(one for one in _TAGS if _find(raw, one)))
        self.kinds = tuple(self.tags)
        features = (read_features(content) if self.is_parquet else {}) or _features_beside(content)
        self.names = {
            kind: list(options.tag_names) or _names(features.get(name) if isinstance(features, dict) else None)
            for kind, name in self.tags.items()
        }

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Tell whether the first record has tokens and tags."""
        _, _, raw = next(_rows(content), ("", 0, None))
        if not isinstance(raw, dict) or not any(isinstance(raw.get(name), list) for name in _TOKENS):
            return False
        return any(isinstance(raw.get(name), list) for names in _TAGS.values() for name in names)

    def where(self, kind: str) -> str:
        """Say under which name the tags are."""
        return repr(self.tags[kind])

    def read(self, problems: Problems) -> Iterator[Sentence]:
        """Read the sentences; note records that are none."""
        unfit = problems.error(Errors.DN267)
        for name, number, raw in _rows(self.content):
            lists: list[Any] = (
                [raw.get(one) for one in (self.tokens, *self.tags.values())] if isinstance(raw, dict) else []
            )
            if len(lists) > 1 and all(isinstance(one, list) for one in lists):
                lists[1:] = [self._named(kind, tags) for kind, tags in zip(self.tags, lists[1:], strict=True)]
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

    def _named(self, kind: str, tags: list[Any]) -> list[Any]:
        """Give the names of tags that are numbers."""
        names = self.names[kind]
        return [
            tag if type(tag) is not int else missing_tag(kind) if tag < 0 else names[tag] if tag < len(names) else tag
            for tag in tags
        ]

    @classmethod
    def write(cls, docs: Iterable[Doc], path: Path, has_documents: bool) -> None:
        """Write Parquet if it is called so, with a number for each tag; see `Format.write`."""
        if path.suffix != SUFFIX:
            super().write(docs, path, has_documents)
            return
        sentences = list(tagged_sentences(docs))
        labels = sorted({tag[2:] for _, tags in sentences for tag in tags if tag not in (OUTSIDE, MISSING)})
        names = [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI")]
        number_of = {**{name: i for i, name in enumerate(names)}, MISSING: _IGNORED}
        numbers = [[number_of[tag] for tag in tags] for _, tags in sentences]
        write_parquet([words for words, _ in sentences], numbers, names, path)

    @classmethod
    def dump(cls, docs: Iterable[Doc], has_documents: bool) -> Iterator[str]:
        """Write a record per sentence, the tags in IOB2; what is not annotated has a hyphen. See `Format.dump`."""
        for number, (words, tags) in enumerate(tagged_sentences(docs)):
            yield json.dumps({"id": str(number), "tokens": words, "ner_tags": tags}, ensure_ascii=False) + "\n"


def _rows(content: Content) -> Iterator[Raw]:
    return read_parquet(content) if is_parquet(content) else read_json(content)


def _features_beside(content: Content) -> Any:
    """Read the features that a dataset has beside its records or above them: saved, or in the head of its README."""
    folder = Path(str(content.location)).parent
    for path in (one / name for one in (folder, folder.parent) for name in _INFOS):
        with suppress(Exception):  # whatever the parsers make of other text: then there are no names
            text = path.read_text(encoding="utf-8")
            info = (
                srsly.yaml_loads(text.split("---\n")[1])["dataset_info"] if path.suffix == ".md" else json.loads(text)
            )
            infos = [info, *info.values()] if isinstance(info, dict) else info
            features = next(one["features"] for one in infos if isinstance(one, dict) and "features" in one)
            return {one["name"]: one for one in features} if isinstance(features, list) else features
    return {}


def _names(feature: Any) -> list[str]:
    """Find the names of a feature, however deep they are in it."""
    if isinstance(feature, dict):
        names = feature.get("names")
        names = list(names.values()) if isinstance(names, dict) else names
        if isinstance(names, list) and all(isinstance(name, str) for name in names):
            return names
        return next(filter(None, map(_names, feature.values())), [])
    return next(filter(None, map(_names, feature)), []) if isinstance(feature, list) else []


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
        return "tags are numbers without names: give --tag-names, or put the dataset_info.json beside the file"
    if not all(isinstance(one, str) for values in lists for one in values) or not all(map(str.strip, lists[0])):
        return "a token or a tag is no text"
    try:
        "".join(word for values in lists for word in values).encode()
    except UnicodeError:
        return "half of a character is none"
    return ""
