"""From sentences to Docs: one Doc per document, with its entities."""

import warnings
from collections.abc import Iterable, Iterator
from typing import Any

from spacy.tokens import Doc
from spacy.util import get_lang_class
from spacy.vocab import Vocab, create_vocab

from ..errors import Errors, Warnings
from .columns import Sentence
from .files import Location
from .problems import CorpusError
from .schemes import IOB2, MISSING, decode, encode
from .survey import Survey, survey_columns


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
    """Make one Doc of each document, with its sentence starts and entities.

    A corpus of tokens doesn't say where there were spaces, and the Docs say that they don't know
    (`Doc.has_unknown_spaces`). Readers of spaCy then train and evaluate on the tokens of the
    corpus, not on those that a tokenizer makes of a text with guessed spaces.

    sentences (Iterable): The sentences of a corpus, with tags of any scheme.
    vocab (Vocab): The vocab of the Docs.
    YIELDS (Doc): The documents.
    """
    for document in _group_documents(sentences):
        yield Doc(
            vocab,
            words=[word for sentence in document for word in sentence.words],
            sent_starts=[i == 0 for sentence in document for i in range(len(sentence.words))],
            ents=_make_ents(document),
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


def _make_ents(document: list[Sentence]) -> list[str | None]:
    """Make the argument `ents` of `Doc`: IOB2 tags, None where the annotation is missing."""
    ents: list[str | None] = []
    for sentence in document:
        tags = encode(len(sentence.words), decode(sentence.tags), IOB2)
        ents.extend(None if given == MISSING else tag for given, tag in zip(sentence.tags, tags, strict=True))
    return ents


def conversion_warnings(survey: Survey) -> list[str]:
    """Tell what the user should know about a file that is converted.

    survey (Survey): The survey of the file.
    RETURNS (list): Messages.
    """
    messages = list(survey.warnings)
    if not survey.counts.entities:
        messages.append(Warnings.DN253.format(path=survey.location))
    return messages


def read_docs(location: Location, vocab: Vocab, **options: Any) -> Iterator[Doc]:
    """Read a column file as Docs: one per document, or per sentence if it has no documents.

    What had to be repaired or guessed is said in a warning.

    location (Location): The file: plain, in gzip, or in a zip archive as archive.zip:folder/file.
    vocab (Vocab): The vocab of the Docs.
    options: How to read the file, if not as detected: see `survey_columns`.
    RETURNS (Iterator): The Docs.
    """
    survey = survey_columns(location, **options)
    docs = make_docs(survey.sentences(), vocab)
    for message in conversion_warnings(survey):
        warnings.warn(message, stacklevel=2)
    return docs
