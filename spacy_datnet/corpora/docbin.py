"""Reading and writing .spacy files, and folders of them."""

from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import numpy as np
from spacy.attrs import DEP, ENT_ID, ENT_KB_ID, ENT_TYPE, HEAD, LEMMA, MORPH, NORM, ORTH, POS, SENT_START, TAG
from spacy.parts_of_speech import NAMES as UPOS
from spacy.strings import StringStore
from spacy.tokens import Doc, DocBin, Span, Token
from spacy.vocab import Vocab

from ..errors import Errors
from .content import Location
from .files import NUMBERED, check_output, is_numbered, replacing, replacing_folder
from .problems import CorpusError
from .progress import progress
from .sentences import MISSING, OUTSIDE

SUFFIX = ".spacy"
STRING_ATTRS = (DEP, ENT_ID, ENT_KB_ID, ENT_TYPE, LEMMA, MORPH, NORM, ORTH, TAG)  # whose values are hashes of strings


def is_docbin(location: Location) -> bool:
    """Tell by its name whether this is a .spacy file, or a folder of them."""
    return str(location).endswith(SUFFIX)


def check_docbin_output(path: Path, *sources: Location) -> None:
    """Make sure that a .spacy file can be written and will be read, before any work is done.

    path (Path): The file to write.
    sources (Location): Files that must not be overwritten.
    """
    if not is_shards(path):
        check_output(path, *sources)
    if not is_docbin(path):
        raise CorpusError(Errors.DN232.format(path=path))


def is_shards(path: Path) -> bool:
    """Tell whether this is a folder that `write_docbins` has written: it may be written anew."""
    return is_docbin(path) and is_numbered(path)


def write_docbin(docs: Iterable[Doc], path: Path) -> None:
    """Write Docs to a .spacy file, whole or not at all. Their user data is left out.

    docs (Iterable): The Docs.
    path (Path): The file.
    """
    write_docbins((DocBin(docs=one) for one in [docs]), path)


def write_docbins(docbins: Iterable[DocBin], path: Path, *, is_folder: bool = False) -> None:
    """Write a .spacy file, or a folder of them, whole or not at all.

    docbins (Iterable): What to write: one for a file, any number for a folder.
    path (Path): The file; or the folder, which spaCy's readers take like a file.
    is_folder (bool): Whether to write a folder.
    """
    if not is_folder:
        with replacing(path) as file:
            for docbin in docbins:
                file.write(docbin.to_bytes())
        return
    with replacing_folder(path) as folder:
        for number, docbin in enumerate(docbins):
            (folder / f"{NUMBERED.format(number)}{SUFFIX}").write_bytes(docbin.to_bytes())


def read_docbin(path: Location, vocab: Vocab) -> Iterator[Doc]:
    """Read the Docs of a .spacy file, or of all such files below a folder, without those that have no tokens.

    path (Location): The file or folder.
    vocab (Vocab): The vocab of the Docs.
    YIELDS (Doc): The Docs.
    """
    path = Path(path)
    try:
        if path.is_dir():
            files = sorted(file for file in path.rglob(f"*{SUFFIX}") if file.is_file())
            yield from chain.from_iterable(read_docbin(file, vocab) for file in files)
            return
        docbin = DocBin().from_bytes(path.read_bytes())
        _check(docbin)
        for doc in progress(docbin.get_docs(vocab), total=len(docbin), desc=str(path), unit=" docs"):
            for group in doc.spans.values():
                for span in group:
                    _ = span.label_, span.kb_id_, span.id_  # a string that is not there is an error here
            if len(doc):
                yield doc
    except CorpusError:
        raise
    except FileNotFoundError as error:
        raise CorpusError(Errors.DN201.format(path=path, folder=Path.cwd())) from error
    except OSError as error:
        raise CorpusError(Errors.DN202.format(path=path, reason=error.strerror or error)) from error
    except Exception as error:  # DocBin raises whatever zlib, msgpack and numpy make of other bytes
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CorpusError(Errors.DN221.format(path=path, reason=reason)) from error


def _check(docbin: DocBin) -> None:
    """Make sure of what DocBin takes on trust: reading damaged Docs would fail later, or read beyond an array."""
    strings = StringStore(docbin.strings)
    sizes = {len(docbin.tokens), len(docbin.spaces), len(docbin.cats), len(docbin.flags), len(docbin.span_groups)}
    if len(sizes) > 1 or any(len(a) != len(b) for a, b in zip(docbin.tokens, docbin.spaces, strict=True)):
        raise ValueError("the numbers of tokens, spaces and documents differ")
    tokens = np.concatenate(docbin.tokens) if docbin.tokens else np.empty((0, len(docbin.attrs)), "uint64")
    for i, attr in enumerate(docbin.attrs):
        values = np.unique(tokens[:, i]).tolist()
        if attr in STRING_ATTRS and any(value and value not in strings for value in values):
            raise ValueError("strings of the tokens are missing")
        if attr == POS and any(value not in UPOS for value in values):
            raise ValueError("there is no such part of speech")
        if attr == SENT_START and not {0, 1, 2**64 - 1} >= set(values):
            raise ValueError("there is no such start of a sentence")
        if attr == HEAD and any(values):
            heads = [np.arange(len(one)) + one[:, i].astype("int64") for one in docbin.tokens]
            if any(((head < 0) | (head >= len(head))).any() for head in heads):
                raise ValueError("heads are outside of their documents")


read_corpus = read_docbin


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
    array = doc.to_array(list(head))
    for sentence in sentence_spans(doc):
        part = sentence.as_doc(array_head=head, array=array)  # type: ignore[call-arg]
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


def entity_tag(token: Token) -> str:
    """Write the annotation of a token in IOB2."""
    if not token.ent_type_:  # outside, missing, or blocked: known to be no entity
        return OUTSIDE if token.ent_iob_ else MISSING
    return f"{token.ent_iob_}-{token.ent_type_}"


def tagged_sentences(docs: Iterable[Doc]) -> Iterator[tuple[list[str], list[str]]]:
    """Give the words and the tags of entities of each sentence, without white space."""
    for doc in docs:
        for sentence in sentence_spans(doc):
            tokens = [token for token in sentence if not token.is_space]
            if tokens:
                yield [token.text for token in tokens], [entity_tag(token) for token in tokens]
