"""brat standoff: a text in a .txt file, and its spans in an .ann file of the same name.

Only text-bound annotations (T) are read. One in several pieces that nothing but white space separates is one span; of
another, nobody knows what is between: its tokens are not annotated.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath

from spacy.tokens import Doc

from ...errors import Errors, Warnings
from ..content import Content, File
from ..files import NUMBERED, replacing_folder
from ..problems import Problems
from .base import Options
from .places import Mark
from .records import Record, Records, text_of

_SPAN = re.compile(r"T\S*\t(.+?) ((?:-?\d{1,9} -?\d{1,9};?)+)(?:\t(.*))?")
_OTHERS = {
    "R": "relations",
    "E": "events",
    "A": "attributes",
    "M": "attributes",
    "N": "normalizations",
    "#": "notes",
    "*": "relations",
}


class Brat(Records):
    """How a folder of such files is to be read. A text without an .ann file is not annotated."""

    name = "brat"
    title = "brat standoff"
    suffixes = (".ann",)
    unit = "line"
    keeps_missing = False

    def __init__(self, content: Content, options: Options):
        # a single file has its other half beside it
        path = Path(str(content.location))
        if path.suffix in (".ann", ".txt"):
            both = [path.with_suffix(suffix) for suffix in (".ann", ".txt")]
            content.files = [File(str(one), Content(one).files[0].data) for one in both if one.is_file()]
        super().__init__(content, options)

    @classmethod
    def recognises(cls, content: Content) -> bool:
        """Tell whether there are .ann files."""
        return any(file.name.endswith(".ann") for file in content.files)

    def records(self, problems: Problems) -> Iterator[Record]:
        """Read the texts with their spans; note lines that are none, and what else there is."""
        broken = problems.error(Errors.DN285)
        pieces = problems.warning(Warnings.DN286)
        others: Counter[str] = Counter()
        texts = dict(self.content.texts())
        for name in texts:
            stem = PurePosixPath(name)
            if stem.suffix not in (".txt", ".ann"):
                broken.add(1, "a file that is neither .txt nor .ann", name)
            elif stem.suffix == ".ann" and f"{name[:-4]}.txt" not in texts:
                broken.add(1, "there is no .txt file with the text", name)
            elif stem.suffix == ".txt":
                annotation = f"{name[:-4]}.ann"
                marks: list[Mark] = []
                for number, line in enumerate(texts.get(annotation, "").split("\n"), start=1):
                    line = line.rstrip("\r")
                    if line and line[0] in _OTHERS:
                        others[_OTHERS[line[0]]] += 1
                    elif match := _SPAN.fullmatch(line):
                        label, places, text = match.groups()
                        found = _join(texts[name], [tuple(map(int, one.split())) for one in places.split(";")])
                        if len(found) > 1:
                            pieces.add(number, f"{text} {label}", annotation)
                            label = text = ""
                        marks += [Mark(start, end, label, text or "", number) for start, end in found]
                    elif line.strip():
                        broken.add(number, repr(line)[:60], annotation)
                is_annotated = annotation in texts
                yield Record(
                    1, annotation if is_annotated else name, texts[name], marks if is_annotated else None, None, {}
                )
        self.also = [f"{count} {name}" for name, count in others.items()]

    @classmethod
    def writes_folder(cls, path: Path) -> bool:
        """Always: see `Format.writes_folder`."""
        return True

    @classmethod
    def write(cls, docs: Iterable[Doc], path: Path, has_documents: bool) -> None:
        """Write two numbered files for each Doc; see `Format.write`."""
        with replacing_folder(path) as folder:
            for number, doc in enumerate(docs, start=1):
                stem = folder / NUMBERED.format(number)
                stem.with_suffix(".txt").write_bytes(text_of(doc).encode())
                if doc.has_annotation("ENT_IOB"):
                    stem.with_suffix(".ann").write_bytes("".join(_lines(doc)).encode())


def _join(text: str, pieces: list[tuple[int, ...]]) -> list[tuple[int, ...]]:
    """Join the pieces of a span that only white space separates: no span goes on across the end of a line."""
    joined = pieces[:1]
    for start, end in pieces[1:]:
        first, last = joined[-1]
        if last <= start and not text[last:start].strip():
            joined[-1] = (first, end)
        else:
            joined.append((start, end))
    return joined


def _lines(doc: Doc) -> Iterator[str]:
    """Write the spans of a Doc, a line each; where lines end within a span, it is in pieces."""
    for number, ent in enumerate(doc.ents, start=1):
        found = list(re.finditer(r"[^\r\n\t]+", ent.text))
        places = ";".join(f"{ent.start_char + one.start()} {ent.start_char + one.end()}" for one in found)
        yield f"T{number}\t{ent.label_} {places}\t{' '.join(one[0] for one in found)}\n"
