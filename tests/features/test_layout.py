"""Sentences and spelling of docs against loops over tokens."""

import numpy as np
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_docs import WORDS, make_doc, points_of, read, sentences_of, texts
from util import with_line_breaks

from spacy_datnet.features.layout import MAX_CHARACTERS, Layout, Spelling


@given(texts)
@settings(deadline=None)
def test_layout_has_the_sentences_of_the_docs(texts):
    layout = Layout.of([make_doc(text) for text in texts])
    expected = [(i, len(sentence)) for i, text in enumerate(texts) for sentence in sentences_of(text)]
    assert list(zip(layout.docs.tolist(), layout.lengths.tolist(), strict=True)) == expected
    ends = np.cumsum([length for _, length in expected]).tolist()
    assert layout.starts.tolist() == [0, *ends[:-1]][: len(expected)]


def test_sentences_are_those_of_spacy():
    nlp = spacy.blank("es")
    nlp.add_pipe("sentencizer")
    doc = nlp("Ana vive. Hoy llueve mucho. No sé")
    assert Layout.of([doc]).lengths.tolist() == [len(sentence) for sentence in doc.sents]


@given(texts, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_tokens_are_the_flat_tokens_of_each_sentence(texts, rng):
    layout = Layout.of([make_doc(text) for text in texts])
    chosen = [i for i in range(len(layout.lengths)) if rng.random() < 0.7]
    rng.shuffle(chosen)
    expected = []
    for sentence in chosen:
        first = sum(layout.lengths[:sentence])
        expected += range(first, first + layout.lengths[sentence])
    assert layout.tokens(np.array(chosen, dtype=np.int64)).tolist() == expected


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 100))
@settings(deadline=None)
def test_groups_by_length_hold_each_sentence_once_and_no_more_than_fits(lengths, limit):
    layout = Layout(np.array(lengths, dtype=np.int64), np.zeros(len(lengths), dtype=np.int64), np.arange(sum(lengths)))
    groups = [group.tolist() for group in layout.by_length(limit)]
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    ordered = [lengths[i] for group in groups for i in group]
    assert ordered == sorted(ordered)
    for group, following in zip(groups, [*groups[1:], None], strict=False):
        longest = max(lengths[i] for i in group)
        assert len(group) == 1 or len(group) * longest <= limit
        if following:  # one more would have been too many
            assert (len(group) + 1) * lengths[following[0]] > limit


def test_words_are_spelled_as_code_points():
    words = ["Ana", "Ñandú", "𝕬𝕭", "x" * 40, "\ud800"]
    spelling = Spelling.of(words)
    assert read(spelling.characters, spelling.lengths) == [points_of(word) for word in words]
    assert spelling.lengths.tolist() == [3, 5, 2, MAX_CHARACTERS, 1]


def test_no_words_are_spelled_as_one_border():
    spelling = Spelling.of([])
    assert (spelling.characters.tolist(), spelling.lengths.tolist()) == ([0], [])


@given(st.lists(st.integers(0, len(WORDS) - 1), min_size=1, max_size=8))
@settings(deadline=None)
def test_chosen_forms_are_spelled_in_their_order(forms):
    chosen = Spelling.of(WORDS).choose(np.array(forms))
    assert read(chosen.characters, chosen.lengths) == [points_of(WORDS[i]) for i in forms]


@given(texts)
@settings(deadline=None)
def test_words_are_those_of_each_sentence(texts):
    docs = [make_doc(text) for text in texts]
    expected = [tuple(sentence) for text in texts for sentence in sentences_of(text)]
    assert Layout.of(docs).texts(docs) == expected


@given(texts, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_white_space_is_in_no_sentence(texts, random):
    docs, spaced, places, first = [make_doc(text) for text in texts], [], [], 0
    for doc in docs:
        other, places_of_doc = with_line_breaks(doc, random)
        spaced.append(other)
        places += [first + place for place in places_of_doc]
        first += len(other)
    plain, layout = Layout.of(docs), Layout.of(spaced)
    assert layout.texts(spaced) == plain.texts(docs)
    assert layout.docs.tolist() == plain.docs.tolist()
    everything = np.arange(len(plain.lengths))
    assert layout.tokens(everything).tolist() == [places[i] for i in plain.tokens(everything)]
