"""Splitting a target corpus into what trains, what chooses and what judges, or into the parts of a cross-validation."""

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..corpora import read_docbin, sentence_spans, split_sentences, write_docbin

# with fewer documents, keeping them together would leave little choice
DOCUMENTS = 20

Group = list[Doc]


def split_target(
    source: Path, folder: Path, vocab: Vocab, *, dev: int, test: int, folds: int, seed: int
) -> dict[str, int]:
    """Write the parts of a target corpus.

    Sentences that are the same stay together, and so do those of a document if there are documents enough: what judges
    must not have been trained on.

    source (Path): The .spacy file, or a folder of such.
    folder (Path): Where to write train.spacy, dev.spacy and test.spacy; with folds all.spacy, and fold-1/train.spacy,
        fold-1/test.spacy and so on.
    vocab (Vocab): The vocab of the language.
    dev (int): How many sentences to split off at least as a dev set, 0 for none.
    test (int): How many for a test set.
    folds (int): How many parts a cross-validation has, 0 for none.
    seed (int): Seed of the choice.
    RETURNS (dict): How many sentences each file got.
    """
    docs = list(read_docbin(source, vocab))
    groups = [[sentence for doc in group for sentence in split_sentences(doc)] for group in grouped(docs)]
    random.Random(seed).shuffle(groups)
    parts: dict[str, list[Group]] = {}
    if folds:
        pieces = [groups[i::folds] for i in range(folds)]
        for i, piece in enumerate(pieces, start=1):
            rest = [group for other in pieces if other is not piece for group in other]
            parts |= {f"fold-{i}/train": rest, f"fold-{i}/test": piece}
        parts["all"] = groups
    else:
        for name, count in (("test", test), ("dev", dev)):
            if count:
                parts[name], groups = _take(groups, count)
        parts["train"] = groups
    counts = {}
    for name, part in parts.items():
        sentences = [sentence for group in part for sentence in group]
        write_docbin(sentences, folder / f"{name}.spacy")
        counts[f"{name}.spacy"] = len(sentences)
    return counts


def _take(groups: Sequence[Group], count: int) -> tuple[list[Group], list[Group]]:
    """Take groups until there are enough sentences, but leave one at least."""
    taken: list[Group] = []
    rest = list(groups)
    while len(rest) > 1 and sum(map(len, taken)) < count:
        taken.append(rest.pop())
    return taken, rest


def grouped(docs: Sequence[Doc]) -> list[list[Doc]]:
    """Group what must stay together: docs, or sentences if there are few docs, that have a sentence in common."""
    units = list(docs) if len(docs) >= DOCUMENTS else [sentence for doc in docs for sentence in split_sentences(doc)]
    parent = list(range(len(units)))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first: dict[tuple[str, ...], int] = {}
    for i, unit in enumerate(units):
        for sentence in sentence_spans(unit):
            words = tuple(token.text for token in sentence)
            parent[root(i)] = root(first.setdefault(words, i))
    groups: dict[int, list[Doc]] = {}
    for i, unit in enumerate(units):
        groups.setdefault(root(i), []).append(unit)
    return list(groups.values())


def set_borders(nlp: Language, doc: Doc) -> Doc:
    """Find the sentences of a text as the exported pipeline will, but none that ends within an annotated span."""
    found = Doc(nlp.vocab, words=[token.text for token in doc], spaces=[bool(token.whitespace_) for token in doc])
    for _, pipe in nlp.pipeline:
        found = pipe(found)
    inside = {i for span in spans_of(doc) for i in range(span.start + 1, span.end)}
    for token, new in zip(doc, found, strict=True):
        token.is_sent_start = bool(token.i == 0 or token.is_sent_start or (new.is_sent_start and token.i not in inside))
    return doc


def spans_of(doc: Doc) -> Iterator[Span]:
    """List the annotated spans of a doc, of every kind."""
    yield from doc.ents
    for group in doc.spans.values():
        yield from group
