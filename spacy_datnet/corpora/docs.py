"""From sentences to Docs: one Doc per document, with the annotation of a task."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from spacy.tokens import Doc
from spacy.vocab import Vocab

from .schemes import IOB2, MISSING, decode, encode
from .sentences import Sentence

Annotation = dict[str, list[Any]]


def make_docs(
    sentences: Iterable[Sentence], vocab: Vocab, annotate: Callable[[list[Sentence]], Annotation]
) -> Iterator[Doc]:
    """Make one Doc of each document, with its sentence starts.

    A corpus of tokens doesn't say where there were spaces, and the Docs say that they don't know
    (`Doc.has_unknown_spaces`). Readers of spaCy then train and evaluate on the tokens of the
    corpus, not on those that a tokenizer makes of a text with guessed spaces.

    sentences (Iterable): The sentences of a corpus.
    vocab (Vocab): The vocab of the Docs.
    annotate (Callable): Makes the annotation of one document: arguments of `Doc`.
    YIELDS (Doc): The documents.
    """
    for document in _group_documents(sentences):
        yield Doc(
            vocab,
            words=[word for sentence in document for word in sentence.words],
            sent_starts=[i == 0 for sentence in document for i in range(len(sentence.words))],
            **annotate(document),
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


def annotate_entities(document: list[Sentence]) -> Annotation:
    """Make the entities of a document.

    document (list): Its sentences, with tags of any scheme.
    RETURNS (dict): The argument `ents` of `Doc`: IOB2 tags, None where the annotation is missing.
    """
    ents: list[Any] = []
    for sentence in document:
        tags = encode(len(sentence.words), decode(sentence.tags), IOB2)
        ents.extend(None if given == MISSING else tag for given, tag in zip(sentence.tags, tags, strict=True))
    return {"ents": ents}


TASKS = {"ner": annotate_entities}
