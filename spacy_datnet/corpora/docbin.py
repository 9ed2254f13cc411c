"""Reading and writing .spacy files."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from pathlib import Path, PurePosixPath

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from ..errors import Errors
from ..kinds import ENTS, GROUP, POS, TAG
from .brackets import SUFFIXES as BRACKET_SUFFIXES
from .conllu import SUFFIX as CONLLU_SUFFIX
from .files import Location, check_output, replacing, split_member
from .problems import N_PLACES, CorpusError, Occurrences
from .sentences import MISSING, OUTSIDE, Reading, Sentence

SUFFIX = ".spacy"
_SUFFIXES = (".conll", ".txt", ".tsv", CONLLU_SUFFIX, *BRACKET_SUFFIXES)  # of other formats


def is_docbin(location: Location) -> bool:
    """Tell by its name whether a file is a .spacy file."""
    return str(location).endswith(SUFFIX)


def check_docbin_output(path: Path, *sources: Location) -> None:
    """Make sure that a .spacy file can be written and will be read, before any work is done.

    path (Path): The file to write.
    sources (Location): Files that must not be overwritten.
    """
    check_output(path, *sources)
    if not is_docbin(path):
        raise CorpusError(Errors.DN232.format(path=path))


def docbin_paths(sources: Sequence[Location], output: Path) -> list[Path]:
    """Tell which .spacy file each corpus is to be converted to, before any work is done.

    sources (Sequence): The corpora.
    output (Path): The .spacy file of the only corpus, or a folder for files with the names of the corpora.
    RETURNS (list): The files, which can be written and overwrite no corpus.
    """
    if len(sources) == 1 and not output.is_dir():
        paths = [output]
    elif is_docbin(output) and not output.is_dir():
        raise CorpusError(Errors.DN248.format(output=output))
    else:
        paths = [output / f"{_name_of(source, output)}{SUFFIX}" for source in sources]
    first: dict[Path, Location] = {}
    for source, path in zip(sources, paths, strict=True):
        if path in first:
            raise CorpusError(Errors.DN249.format(first=first[path], second=source, output=path))
        first[path] = source
        check_docbin_output(path, *sources)
    return paths


def _name_of(source: Location, folder: Path) -> str:
    """Take the name of a corpus from that of its file, without what says no more than the format."""
    path, member = split_member(source)
    name = path.name if member is None else PurePosixPath(member).name
    is_pattern = bool(set(name) & set("*?[")) and (member is not None or not path.exists())
    if not name or is_pattern:
        raise CorpusError(Errors.DN250.format(source=source, folder=folder))
    stem = name.removesuffix(".gz") or name
    for suffix in _SUFFIXES:
        if stem.endswith(suffix) and stem != suffix:
            return stem.removesuffix(suffix)
    return stem


def write_docbin(docs: Iterable[Doc], path: Path) -> None:
    """Write Docs to a .spacy file, whole or not at all. Their user data is left out.

    docs (Iterable): The Docs.
    path (Path): The file.
    """
    docbin = DocBin()
    with replacing(path) as file:
        for doc in docs:
            docbin.add(doc)
        file.write(docbin.to_bytes())


def read_docbin(path: Location, vocab: Vocab) -> Iterator[Doc]:
    """Read the Docs of a .spacy file, without those that have no tokens.

    path (Location): The file.
    vocab (Vocab): The vocab of the Docs.
    YIELDS (Doc): The Docs.
    """
    try:
        docbin = DocBin().from_disk(path)
    except FileNotFoundError as error:
        raise CorpusError(Errors.DN201.format(path=path, folder=Path.cwd())) from error
    except OSError as error:
        raise CorpusError(Errors.DN202.format(path=path, reason=error.strerror)) from error
    except Exception as error:  # from_disk raises whatever zlib and msgpack make of other bytes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CorpusError(Errors.DN221.format(path=path, reason=reason)) from error
    yield from filter(len, docbin.get_docs(vocab))


def read_corpus(path: Path, vocab: Vocab) -> Iterator[Doc]:
    """Read the Docs of a .spacy file, or of all such files below a folder, see `read_docbin`."""
    for file in sorted(path.rglob(f"*{SUFFIX}")) if path.is_dir() else [path]:
        yield from read_docbin(file, vocab)


def sentence_spans(doc: Doc) -> list[Span]:
    """Split a Doc into its sentences; a Doc without sentence boundaries is one sentence.

    doc (Doc): The Doc.
    RETURNS (list): The sentences.
    """
    return list(doc.sents) if doc.has_annotation("SENT_START") else [doc[:]]


def split_sentences(doc: Doc) -> Iterator[Doc]:
    """Make a Doc of each sentence.

    Unlike `Span.as_doc` alone, this keeps the groups in `Doc.spans` and the mark that the spaces
    are unknown, and does not copy the whole Doc once per sentence. Like it, it drops the user data.
    A sentence across whose border a span of a group goes does not have the group: it is not annotated.

    doc (Doc): The Doc.
    YIELDS (Doc): The sentences.
    """
    head = doc._get_array_attrs()
    array = doc.to_array(head)
    for sentence in sentence_spans(doc):
        part = sentence.as_doc(array_head=head, array=array)
        part.has_unknown_spaces = doc.has_unknown_spaces
        for key, group in doc.spans.items():
            spans = [span for span in group if span.start < sentence.end and sentence.start < span.end]
            if any(span.start < sentence.start or sentence.end < span.end for span in spans):
                continue
            part.spans[key] = [
                Span(
                    part,
                    span.start - sentence.start,
                    span.end - sentence.start,
                    label=span.label,
                    kb_id=span.kb_id,
                    span_id=span.id,
                )
                for span in spans
            ]
        yield part


class DocReading(Reading):
    """A pass over Docs that turns them back into sentences, with the annotation that each Doc has.

    The tags of entities and other spans are IOB2. The line of a token is the number of its sentence, from 1. Spans of
    a group that overlap or have no label can't be tags: the group of that Doc is left out.

    location (Location): The file, for messages.
    docs (Iterable): The Docs.
    kinds (Collection): The kinds of annotation to read; if empty, those that there are.
    keep (int): How many places a message names.
    """

    def __init__(self, location: Location, docs: Iterable[Doc], kinds: Collection[str] = (), keep: int = N_PLACES):
        self.location = location
        self.docs = docs
        self.kinds = kinds
        self.keep = keep
        self.overlapping: dict[str, Occurrences] = {}
        self.unlabelled: dict[str, Occurrences] = {}

    def __iter__(self) -> Iterator[Sentence]:
        number = 0
        for doc in self.docs:
            layers = dict(self._layers(doc, number + 1))
            for span in sentence_spans(doc):
                number += 1
                yield Sentence(
                    words=[token.text for token in span],
                    layers={kind: tags[span.start : span.end] for kind, tags in layers.items()},
                    lines=[number] * len(span),
                    opens_document=span.start == 0,
                )

    def _layers(self, doc: Doc, number: int) -> Iterator[tuple[str, list[str]]]:
        """Yield the tags of each kind of annotation that a Doc has."""
        if self._wants(ENTS) and doc.has_annotation("ENT_IOB"):
            yield ENTS, [_entity_tag(token) for token in doc]
        if self._wants(TAG) and doc.has_annotation("TAG"):
            yield TAG, [token.tag_ for token in doc]
        if self._wants(POS) and doc.has_annotation("POS"):
            yield POS, [token.pos_ for token in doc]
        for key, group in doc.spans.items():
            kind = f"{GROUP}{key}"
            if self._wants(kind):
                tags = self._span_tags(doc, kind, group, number)
                if tags is not None:
                    yield kind, tags

    def _span_tags(self, doc: Doc, kind: str, group: Iterable[Span], number: int) -> list[str] | None:
        """Write the spans of a group as tags, or note why that can't be done."""
        tags = [OUTSIDE] * len(doc)
        is_sound = True
        for span in filter(len, group):
            if not span.label_:
                found = self.unlabelled
            elif any(tag != OUTSIDE for tag in tags[span.start : span.end]):
                found = self.overlapping
            else:
                tags[span.start : span.end] = [f"B-{span.label_}"] + [f"I-{span.label_}"] * (len(span) - 1)
                continue
            is_sound = False
            sentence = number + sum(sent.end <= span.start for sent in sentence_spans(doc))
            found.setdefault(kind, Occurrences(self.keep, "sentence")).add(sentence, span.text)
        return tags if is_sound else None

    def _wants(self, kind: str) -> bool:
        return not self.kinds or kind in self.kinds

    def errors(self) -> Iterator[str]:
        """Say which spans overlap or have no label."""
        for kind, found in self.overlapping.items():
            yield Errors.DN245.format(path=self.location, count=found.count, kind=kind, places=found)
        for kind, found in self.unlabelled.items():
            yield Errors.DN246.format(path=self.location, count=found.count, kind=kind, places=found)


def _entity_tag(token) -> str:
    if not token.ent_type_:  # outside, missing, or blocked: known to be no entity
        return OUTSIDE if token.ent_iob_ else MISSING
    return f"{token.ent_iob_}-{token.ent_type_}"
