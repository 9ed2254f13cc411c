"""Scores on raw text: test sentences joined to paragraphs, with the tokens and sentence borders of a pipeline.

Scores on the sentences of a corpus take its tokens and its borders for granted; whoever uses a pipeline has neither.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain

from spacy.language import Language
from spacy.tokens import Doc, Span

from ..corpora import sentence_spans
from .significance import Item, count, items_of

SENTENCES = 5
# how texts are written, where a corpus doesn't say where its spaces are
CLOSING = frozenset(".,;:!?…)]}»”’%。，！？、") | {"...", "''", "n't", "'s", "'re", "'ve", "'ll", "'m", "'d"}
OPENING = frozenset("([{«“‘¿¡#$") | {"``"}
QUOTES = frozenset("\"'")


@dataclass(frozen=True)
class Paragraph:
    """Sentences joined to raw text.

    text (str): The text.
    gold (frozenset): What is annotated, by characters: spans, or tokens with a tag.
    """

    text: str
    gold: frozenset[Item]


def make_paragraphs(docs: Iterable[Doc], score: str, size: int = SENTENCES) -> list[Paragraph]:
    """Join sentences that follow each other, within a document if there are such with several sentences.

    docs (Iterable[Doc]): The docs of a test corpus.
    score (str): What is scored: "ents_f", "spans_KEY_f", "tag_acc" or "pos_acc".
    size (int): How many sentences a paragraph has at most.
    RETURNS (List[Paragraph]): The paragraphs.
    """
    documents = [sentence_spans(doc) for doc in docs]
    if all(len(sentences) == 1 for sentences in documents):
        documents = [list(chain.from_iterable(documents))]
    return [
        _join(sentences[start : start + size], score)
        for sentences in documents
        for start in range(0, len(sentences), size)
    ]


def counts_on_paragraphs(nlp: Language, paragraphs: list[Paragraph], score: str) -> list[tuple[int, int, int]]:
    """Count what a score is made of, for each paragraph, as `significance.counts_of` does for a sentence.

    nlp (Language): The pipeline, which gets nothing but the text.
    paragraphs (List[Paragraph]): The paragraphs.
    score (str): See `make_paragraphs`.
    RETURNS (List[Tuple[int, int, int]]): Correct ones, predicted ones and annotated ones. A tag is correct if the token
        is there, too.
    """
    return [
        count(paragraph.gold, _by_characters(items_of(doc[:], score)), score)
        for paragraph, doc in zip(paragraphs, nlp.pipe(one.text for one in paragraphs), strict=True)
    ]


def _by_characters(items: dict[Item, Span]) -> set[Item]:
    return {(span.start_char, span.end_char, label) for (*_, label), span in items.items()}


def _join(sentences: list[Span], score: str) -> Paragraph:
    text, gold = "", set()
    for sentence in sentences:
        spaces = spaces_of(sentence)
        starts = []
        for token, space in zip(sentence, spaces, strict=True):
            starts.append(len(text))
            text += token.text + (" " if space else "")
        for start, end, label in items_of(sentence, score):
            last = end - 1 - sentence.start
            gold.add((starts[start - sentence.start], starts[last] + len(sentence[last]), label))
        text = f"{text.rstrip()} "
    return Paragraph(text.rstrip(), frozenset(gold))


def spaces_of(sentence: Span) -> list[bool]:
    """Tell after which tokens there is a space: as the corpus says, or else as texts are usually written."""
    if not sentence.doc.has_unknown_spaces:
        return [bool(token.whitespace_) for token in sentence]
    spaces, is_open = [], dict.fromkeys(QUOTES, False)
    words = [token.text for token in sentence]
    for word, following in zip(words, [*words[1:], ""], strict=True):
        opens = word in OPENING
        if word in QUOTES:
            is_open[word] = opens = not is_open[word]
        closes = following in CLOSING or is_open.get(following, False)
        spaces.append(not opens and not closes)
    return spaces
