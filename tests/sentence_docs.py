"""Docs with and without sentences, as strategies for hypothesis, and what reads their layout."""

import spacy
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_datnet.features.layout import MAX_CHARACTERS

VOCAB = spacy.blank("xx").vocab
WORDS = ["Ana", "vive", "en", "Perú", "a", "Ñandú", "𝕬", "x" * 40]

# the words of each sentence of each doc; None where a doc's sentences are unknown
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)
texts = st.lists(
    st.one_of(st.lists(sentences, max_size=3), st.tuples(st.none(), st.lists(st.sampled_from(WORDS), max_size=6))),
    min_size=1,
    max_size=5,
)


def make_doc(text):
    if isinstance(text, tuple):
        return Doc(VOCAB, words=text[1])
    starts = [i == 0 for sentence in text for i in range(len(sentence))]
    return Doc(VOCAB, words=[word for sentence in text for word in sentence], sent_starts=starts)


def sentences_of(text):
    """The words of each sentence as they went into the doc."""
    if isinstance(text, tuple):
        return [text[1]] if text[1] else []
    return text


def points_of(word):
    """The code points of a word, as far as it is read."""
    return [ord(character) for character in word[:MAX_CHARACTERS]]


def read(characters, lengths):
    """Read the forms off a row of characters; every border must be where it belongs."""
    characters, forms, position = characters.tolist(), [], 0
    for length in lengths.tolist():
        assert characters[position] == 0
        forms.append(characters[position + 1 : position + 1 + length])
        position += 1 + length
    assert characters[position:] == [0]
    return forms
