"""From sentences to Docs: one Doc per document, with its annotation."""

import warnings
from collections.abc import Iterable, Iterator
from itertools import accumulate, chain, groupby
from pathlib import Path
from typing import Any

import numpy as np
from spacy.attrs import ENT_IOB, SPACY
from spacy.tokens import Doc, DocBin, Span
from spacy.util import get_lang_class
from spacy.vocab import Vocab, create_vocab

from ..errors import Errors, Warnings
from ..kinds import ENTS, POS, TAG, group_of
from .content import Location
from .docbin import STRING_ATTRS, is_shards, write_docbins
from .formats import WRITERS
from .problems import CorpusError, Occurrences
from .schemes import IOB2, decode, encode
from .sentences import MISSING, OUTSIDE, Sentence
from .survey import Survey, survey_corpus

BIG = 1_000_000  # tokens: a .spacy file of that many takes half a gigabyte to write or read
_AT_ONCE = 5_000  # tokens of short documents that are made as one Doc
META = "meta"  # of what a record says beside its text, in the user data of its Doc


def make_vocab(lang: str) -> Vocab:
    """Make the vocab of a language without loading any pipeline components.

    lang (str): The language code, as in `spacy.blank`.
    RETURNS (Vocab): The vocab.
    """
    try:
        language = get_lang_class(lang)
    except ImportError as error:
        raise CorpusError(Errors.DN222.format(lang=lang)) from error
    return create_vocab(lang, language.Defaults)


def make_docs(sentences: Iterable[Sentence], vocab: Vocab) -> Iterator[Doc]:
    """Make one Doc of each document, with its sentence starts and annotation.

    If a corpus doesn't say where there were spaces, the Docs say that they don't know (`Doc.has_unknown_spaces`).
    Readers of spaCy then train and evaluate on the tokens of the corpus, not on those that a tokenizer makes of a text
    with guessed spaces.

    sentences (Iterable): The sentences of a corpus, with tags of any scheme.
    vocab (Vocab): The vocab of the Docs.
    YIELDS (Doc): The documents.
    """
    for document in _group_documents(sentences):
        doc = _make_doc(document, vocab)
        for kind in document[0].layers:
            if (key := group_of(kind)) is not None:
                doc.spans[key] = list(_make_spans(doc, document, kind))
        if document[0].meta:
            doc.user_data[META] = dict(document[0].meta)
        yield doc


def _make_doc(sentences: list[Sentence], vocab: Vocab) -> Doc:
    """Make a Doc with all that a token has, but no groups of spans."""
    layers = sentences[0].layers
    starts: list[bool | int | None] | None = None
    if sentences[0].meta is None:
        starts = [start for sentence in sentences for start in (True, *[False] * (len(sentence.words) - 1))]
    return Doc(
        vocab,
        words=[word for sentence in sentences for word in sentence.words],
        spaces=_join_spaces(sentences),
        sent_starts=starts,
        tags=_join_tags(sentences, TAG) if TAG in layers else None,
        pos=_join_tags(sentences, POS) if POS in layers else None,
        ents=_make_ents(sentences) if ENTS in layers else None,
    )


def _group_documents(sentences: Iterable[Sentence]) -> Iterator[list[Sentence]]:
    document: list[Sentence] = []
    for sentence in sentences:
        if sentence.opens_document and document:
            yield document
            document = []
        document.append(sentence)
    if document:
        yield document


def _join_spaces(document: list[Sentence]) -> list[bool] | None:
    spaces: list[bool] = []
    for sentence in document:
        if sentence.spaces is None:
            return None
        spaces += sentence.spaces
    return spaces


def _join_tags(document: list[Sentence], kind: str) -> list[str]:
    return [tag for sentence in document for tag in sentence.layers[kind]]


def _make_ents(document: list[Sentence]) -> list[Any]:
    """Make the argument `ents` of `Doc`: IOB2 tags, None where the annotation is missing."""
    ents: list[str | None] = []
    for sentence in document:
        given = sentence.layers[ENTS]
        if given.count(OUTSIDE) == len(given):
            ents.extend(given)
            continue
        tags = encode(len(given), decode(given), IOB2)
        ents.extend(None if old == MISSING else tag for old, tag in zip(given, tags, strict=True))
    return ents


def _make_spans(doc: Doc, document: list[Sentence], kind: str) -> Iterator[Span]:
    offset = 0
    for sentence in document:
        for start, end, label in decode(sentence.layers[kind]):
            yield Span(doc, offset + start, offset + end, label=label)
        offset += len(sentence.words)


def conversion_warnings(survey: Survey) -> list[str]:
    """Tell what the user should know about a corpus that is converted.

    survey (Survey): The survey of the corpus.
    RETURNS (list): Messages.
    """
    empty = [kind for kind, layer in survey.counts.layers.items() if not layer.total]
    return [*survey.warnings, *(Warnings.DN253.format(path=survey.location, kind=kind) for kind in empty)]


def read_docs(location: Location, vocab: Vocab, **options: Any) -> Iterator[Doc]:
    """Read a corpus as Docs: one per document, or per sentence if it has no documents.

    What had to be repaired or guessed is said in a warning.

    location (Location): The corpus: plain, in gzip, or in a zip archive as archive.zip:folder/file; or a pattern.
    vocab (Vocab): The vocab of the Docs.
    options: How to read it, if not as detected: see `survey_corpus`.
    RETURNS (Iterator): The Docs.
    """
    survey = survey_corpus(location, **options)
    docs = make_docs(survey.sentences(), vocab)
    for message in conversion_warnings(survey):
        warnings.warn(message, stacklevel=2)
    return docs


def write_corpus(sentences: Iterable[Sentence], n_tokens: int, lang: str, path: Path) -> None:
    """Write the Docs of a corpus to a .spacy file; a big corpus becomes a folder of such files, called like one.

    sentences (Iterable): The sentences.
    n_tokens (int): The number of their tokens.
    lang (str): The language code of the vocab. Each file has a vocab of its own, so that memory stays bounded.
    path (Path): The file or folder.
    """
    is_big = n_tokens > BIG or is_shards(path)
    parts = _parts(sentences, BIG // 4) if is_big else [sentences]
    write_docbins((pack(part, make_vocab(lang)) for part in parts), path, is_folder=is_big)


def export_corpus(survey: Survey, lang: str, to: str, path: Path) -> list[str]:
    """Write the entities of a corpus, whose vocab is that of a language: see `export_docs`."""
    docs = make_docs(survey.sentences(), make_vocab(lang))
    return export_docs(docs, to, path, has_documents=survey.format.has_documents)


def export_docs(docs: Iterable[Doc], to: str, path: Path, *, has_documents: bool = True) -> list[str]:
    """Write the entities of Docs in a format that is not spaCy's, whole or not at all.

    docs (Iterable): The Docs.
    to (str): The name of the format: see `WRITERS`.
    path (Path): The file or folder.
    has_documents (bool): Whether they are documents, and not single sentences.
    RETURNS (list): Messages on what the format can't tell.
    """
    partly = Occurrences(unit="document")

    def noted() -> Iterator[Doc]:
        for number, doc in enumerate(docs, start=1):
            missing = doc.to_array(ENT_IOB) == 0
            if missing.any() and not missing.all():
                partly.add(number, f"{missing.sum()} of {len(doc)} tokens")
            yield doc

    WRITERS[to].write(noted(), path, has_documents)
    if WRITERS[to].keeps_missing or not partly:
        return []
    return [Warnings.DN284.format(path=path, count=partly.count, format=WRITERS[to].title, places=partly)]


def pack(sentences: Iterable[Sentence], vocab: Vocab) -> DocBin:
    """Make the DocBin of what `make_docs` makes, without a Doc for each document where that can be.

    sentences (Iterable): The sentences of a corpus.
    vocab (Vocab): The vocab.
    RETURNS (DocBin): The same as `DocBin(docs=make_docs(sentences, vocab))`, in a third of the time.
    """
    docbin = DocBin()
    is_hash = [attr in STRING_ATTRS for attr in docbin.attrs]
    hashes: set[int] = set()
    nothing = Doc(vocab).spans.to_bytes()
    for part in _parts(sentences, _AT_ONCE):
        documents = list(_group_documents(part))
        if not _can_be_joined(documents):
            for doc in make_docs(chain.from_iterable(documents), vocab):
                docbin.add(doc)
            continue
        doc = _make_doc([sentence for document in documents for sentence in document], vocab)
        ends = list(accumulate(sum(len(sentence.words) for sentence in document) for document in documents))[:-1]
        tokens, spaces = doc.to_array([*docbin.attrs]), doc.to_array(SPACY).astype(bool).reshape(-1, 1)
        hashes.update(map(int, tokens[:, is_hash].ravel().tolist()))
        docbin.tokens += np.split(tokens, ends)
        docbin.spaces += np.split(spaces, ends)
        docbin.flags += [{"has_unknown_spaces": doc.has_unknown_spaces} for _ in documents]
        docbin.cats += [{} for _ in documents]
        docbin.span_groups += [nothing] * len(documents)
    docbin.strings.update(vocab.strings[one] for one in hashes)
    return docbin


def _can_be_joined(documents: list[list[Sentence]]) -> bool:
    """Tell whether the tokens of documents are the same in one Doc as in a Doc each."""
    alike = {
        (tuple(sentence.layers), sentence.spaces is None, sentence.meta is None)
        for document in documents
        for sentence in document
    }
    kinds, _, is_text = next(iter(alike))
    return len(alike) == 1 and is_text and not any(map(group_of, kinds))


def _parts(sentences: Iterable[Sentence], size: int) -> Iterator[Iterator[Sentence]]:
    """Split a corpus between documents, into parts of that many tokens."""
    number = n_tokens = 0

    def number_of(sentence: Sentence) -> int:
        nonlocal number, n_tokens
        if sentence.opens_document and n_tokens >= size:
            number, n_tokens = number + 1, 0
        n_tokens += len(sentence.words)
        return number

    return (part for _, part in groupby(sentences, number_of))
