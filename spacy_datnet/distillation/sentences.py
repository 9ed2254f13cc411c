"""The sentences of raw text, one after the other."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

import spacy
from spacy.language import Language
from spacy.util import minibatch

from ..corpora import RawText, cut_raw, make_vocab, raw_files, read_raw, sentence_spans
from ..corpora.progress import progress

# longer than almost any sentence; what is longer is cut
LONGEST = 256
AT_ONCE = 1000


class RawSentence(NamedTuple):
    """A sentence without annotation.

    words (List[str]): The tokens, without white space.
    spaces (List[bool]): Whether a space comes after each.
    """

    words: list[str]
    spaces: list[bool]


def read_sentences(raw: Iterable[str], lang: str, *, show: bool = False) -> Iterator[RawSentence]:
    """Read the sentences of raw text. No more than a part of it is in memory.

    raw (Iterable[str]): Files of raw text, see `read_raw`. The tokens and the sentences of a .spacy file are kept.
    lang (str): The language whose tokenizer reads text. Its sentences end where spaCy's sentencizer says so.
    show (bool): Whether to show how far it is.
    YIELDS (RawSentence): The sentences that have words.
    """
    make_vocab(lang)  # complains of a language that spaCy does not know
    nlp = spacy.blank(lang)
    nlp.add_pipe("sentencizer")
    nlp.max_length = 1 << 40  # nothing but the tokenizer reads it
    texts: Iterable[RawText] = read_raw(raw)
    if show:
        total = sum(count for path in raw_files(raw) for _, count in cut_raw(path, 1 << 20))
        texts = progress(texts, total=total, desc="Labelling", unit=" texts")
    for part in minibatch(texts, AT_ONCE):
        with nlp.memory_zone():  # the vocab forgets the words of each part
            found = [sentence for text in part for sentence in _split(nlp, text)]
        yield from found


def _split(nlp: Language, text: RawText) -> Iterator[RawSentence]:
    doc = nlp.make_doc(text.text) if text.doc is None else text.doc
    if text.doc is None:
        doc = nlp.get_pipe("sentencizer")(doc)
    for sentence in sentence_spans(doc):
        tokens = [token for token in sentence if not token.is_space]
        for start in range(0, len(tokens), LONGEST):
            part = tokens[start : start + LONGEST]
            yield RawSentence([token.text for token in part], [bool(token.whitespace_) for token in part])
