"""Reading and writing .spacy files."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from ..errors import Errors
from .columns import Sentence
from .files import Location, check_output, replacing
from .problems import CorpusError
from .schemes import MISSING, OUTSIDE

SUFFIX = ".spacy"


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

    doc (Doc): The Doc.
    YIELDS (Doc): The sentences.
    """
    head = doc._get_array_attrs()
    array = doc.to_array(head)
    for sentence in sentence_spans(doc):
        part = sentence.as_doc(array_head=head, array=array)
        part.has_unknown_spaces = doc.has_unknown_spaces
        for key, group in doc.spans.items():
            part.spans[key] = [
                Span(
                    part,
                    span.start - sentence.start,
                    span.end - sentence.start,
                    label=span.label,
                    kb_id=span.kb_id,
                    span_id=span.id,
                )
                for span in group
                if sentence.start <= span.start and span.end <= sentence.end
            ]
        yield part


def to_sentences(docs: Iterable[Doc]) -> Iterator[Sentence]:
    """Turn Docs back into sentences with the tags of their entities, in IOB2.

    docs (Iterable): The Docs.
    YIELDS (Sentence): The sentences; their line is the number of the sentence, from 1.
    """
    number = 0
    for doc in docs:
        for span in sentence_spans(doc):
            number += 1
            yield Sentence(
                words=[token.text for token in span],
                tags=[_entity_tag(token) for token in span],
                line=number,
                opens_document=span.start == 0,
            )


def _entity_tag(token) -> str:
    if token.ent_iob_ in ("", OUTSIDE):
        return token.ent_iob_ or MISSING
    return f"{token.ent_iob_}-{token.ent_type_}"
