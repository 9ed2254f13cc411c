"""Label maps: the labels of a corpus under the names of another label set."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import srsly

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from ..errors import Errors
from ..kinds import ATTRIBUTES, is_kind
from .problems import CorpusError, Occurrences
from .schemes import IOB2, decode, encode
from .sentences import MISSING, Sentence

ANY = "*"


@dataclass(frozen=True)
class LabelMap:
    """What the labels of a corpus are to be called.

    path (Path): The file that says so.
    names (dict): The new name of each label. An empty name takes the annotation away. The label * stands for all that
        are not named, and as a new name for the label itself.
    """

    path: Path
    names: Mapping[str, str]

    def get(self, label: str) -> str | None:
        """Tell the new name of a label, None if the map has none."""
        name = self.names.get(label, self.names.get(ANY))
        return label if name == ANY else name


def read_label_map(path: Path) -> LabelMap:
    """Read a label map.

    path (Path): A YAML file with lines `label: new name`, where null is the empty name, too; or a file called
        something.toml with lines `label = "new name"`.
    RETURNS (LabelMap): The map.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
        names = tomllib.loads(text) if path.suffix == ".toml" else srsly.yaml_loads(text)
    except FileNotFoundError as error:
        raise CorpusError(Errors.DN201.format(path=path, folder=Path.cwd())) from error
    except Exception as error:  # besides OSError and ValueError, whatever the parsers make of other text
        reason = " ".join(str(error).split()) or type(error).__name__
        raise CorpusError(Errors.DN236.format(path=path, reason=reason)) from error
    if not isinstance(names, dict) or not names:
        raise CorpusError(Errors.DN236.format(path=path, reason="there are no lines `label: new name` in it"))
    for label, name in names.items():
        if not isinstance(label, str) or not isinstance(name, str | None):
            raise CorpusError(
                Errors.DN236.format(path=path, reason=f"{label!r}: {name!r} is not text; put it in quotes")
            )
    return LabelMap(path, {label: name or "" for label, name in names.items()})


def parse_label_maps(names: Iterable[str]) -> dict[str | None, LabelMap]:
    """Read the label maps that a user names.

    names (Iterable): The paths of the files, or with the kind of annotation that each is for "pos=map.yaml".
    RETURNS (dict): The map for each kind of annotation; None is the only kind.
    """
    maps: dict[str | None, LabelMap] = {}
    for name in names:
        before, equals, path = name.partition("=")
        kind = before if equals and is_kind(before) else None
        path = path if kind else name
        if kind in maps:
            raise CorpusError(Errors.DN247.format(option="--label-map", kind=kind or "the only annotation"))
        maps[kind] = read_label_map(Path(path))
    return maps


class Relabelling:
    """Give the labels of sentences their new names, and remember those that a map lacks.

    maps (Mapping): The map for each kind of annotation that has one.
    """

    def __init__(self, maps: Mapping[str, LabelMap]):
        self.maps = maps
        self.unknown: dict[tuple[str, str], Occurrences] = {}  # by kind and label

    def apply(self, sentence: Sentence) -> Sentence:
        """Rename the labels of one sentence.

        sentence (Sentence): The sentence, with sound tags.
        RETURNS (Sentence): A sentence with the new labels, whose tags of spans are IOB2. A label that the map lacks
            stays.
        """
        layers = dict(sentence.layers)
        for kind in self.maps:
            layers[kind] = self._tags(sentence, kind) if kind in ATTRIBUTES else self._span_tags(sentence, kind)
        return sentence._replace(layers=layers)

    def _tags(self, sentence: Sentence, kind: str) -> list[str]:
        return [tag and self._name(sentence, kind, tag, i) for i, tag in enumerate(sentence.layers[kind])]

    def _span_tags(self, sentence: Sentence, kind: str) -> list[str]:
        tags = sentence.layers[kind]
        # spans and not tags: under one name, neighbours that IOB1 tells apart by their labels would become one span
        renamed = [(start, end, self._name(sentence, kind, label, start)) for start, end, label in decode(tags)]
        new = encode(len(tags), [span for span in renamed if span[2]], IOB2)
        return [MISSING if tag == MISSING else name for tag, name in zip(tags, new, strict=True)]

    def _name(self, sentence: Sentence, kind: str, label: str, i: int) -> str:
        name = self.maps[kind].get(label)
        if name is not None:
            return name
        occurrences = self.unknown.setdefault((kind, label), Occurrences(keep=1))
        sentence.note(occurrences, i, sentence.words[i])
        return label

    def errors(self, location: object) -> Iterator[str]:
        """Say which labels the maps lack.

        location (Location): The corpus.
        YIELDS (str): A message for each map.
        """
        for kind, names in self.maps.items():
            lacking = [(label, found) for (of, label), found in sorted(self.unknown.items()) if of == kind]
            if lacking:
                labels = "; ".join(f"{label!r}: {found.count}, first in {found.places[0]}" for label, found in lacking)
                yield Errors.DN237.format(path=location, map=names.path, kind=kind, labels=labels)
