"""Tags of spans, against a definition by tag names and against spaCy's own conversion; tags of tokens."""

from itertools import pairwise, product

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc
from spacy.training import biluo_tags_to_spans, offsets_to_biluo_tags

from spacy_datnet.nn.tags import MISSING, SpanTags, TokenTags

SCHEME = SpanTags(("LOC", "PER", "geo-loc"))
VOCAB = spacy.blank("xx").vocab


@st.composite
def annotated(draw):
    """Draw the length of a sentence and its spans; many of them touch."""
    parts = st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(SCHEME.labels))
    position, spans = 0, []
    for gap, length, label in draw(st.lists(parts, max_size=5)):
        spans.append((position + gap, position + gap + length, label))
        position += gap + length
    return position + draw(st.integers(0, 2)), spans


def may_follow(before, after):
    """Whether one tag may stand before another, by their names."""
    if before[0] in "BI":
        return after in (f"I{before[1:]}", f"L{before[1:]}")
    return after[0] in "OBU"


def is_legal(names):
    """Whether tags are what some spans give: as if tokens outside stood around them."""
    around = ["O", *names, "O"]
    return all(may_follow(*pair) for pair in pairwise(around))


@given(annotated())
@settings(deadline=None)
def test_spans_survive_the_round_trip(example):
    length, spans = example
    assert SCHEME.decode(SCHEME.encode(length, spans)) == spans


@given(annotated())
@settings(deadline=None)
def test_tags_are_spacy_s_own(example):
    length, spans = example
    doc = Doc(VOCAB, words=["word"] * length)
    offsets = [(*_characters(doc, start, end), label) for start, end, label in spans]
    expected = offsets_to_biluo_tags(doc, offsets)
    names = [SCHEME.names[tag] for tag in SCHEME.encode(length, spans)]
    assert names == expected
    assert SCHEME.from_names(expected).tolist() == SCHEME.encode(length, spans).tolist()


def _characters(doc, start, end):
    span = doc[start:end]
    return span.start_char, span.end_char


@given(annotated())
@settings(deadline=None)
def test_spans_are_what_spacy_reads_off_the_tags(example):
    length, spans = example
    tags = SCHEME.encode(length, spans)
    doc = Doc(VOCAB, words=["word"] * length)
    read = biluo_tags_to_spans(doc, [SCHEME.names[tag] for tag in tags])
    assert SCHEME.decode(tags) == [(span.start, span.end, span.label_) for span in read]


@pytest.mark.parametrize("labels", [(), ("LOC",), ("LOC", "PER")])
def test_legality_is_that_of_the_tag_names(labels):
    scheme = SpanTags(labels)
    names = scheme.names
    start, transitions, end = scheme.legal()
    assert start.tolist() == [may_follow("O", name) for name in names]
    assert end.tolist() == [may_follow(name, "O") for name in names]
    assert transitions.tolist() == [[may_follow(a, b) for b in names] for a in names]


def test_legal_paths_are_exactly_those_that_spans_give():
    scheme = SpanTags(("A", "B"))
    start, transitions, end = scheme.legal()
    for length in (1, 2, 3):
        for path in product(range(len(scheme)), repeat=length):
            legal = start[path[0]] and end[path[-1]]
            legal = legal and all(transitions[pair] for pair in pairwise(path))
            assert legal == is_legal([scheme.names[tag] for tag in path])
            if legal:
                spans = scheme.decode(np.array(path))
                assert scheme.encode(length, spans).tolist() == list(path)


def test_names_and_numbers_agree():
    assert len(SCHEME) == len(SCHEME.names) == len(set(SCHEME.names)) == 13
    assert SCHEME.from_names(SCHEME.names).tolist() == list(range(13))


def test_unknown_tags_are_missing():
    tags = SCHEME.from_names(["O", None, "", "-", "U-ORG", "U-PER", "X-PER"])
    assert tags.tolist() == [0, MISSING, MISSING, MISSING, MISSING, SCHEME.names.index("U-PER"), MISSING]


def test_a_sentence_without_tokens_has_no_tags():
    assert SCHEME.encode(0, []).shape == (0,)
    assert SCHEME.decode(np.zeros(0, dtype=np.int64)) == []


def test_tokens_have_one_tag_per_label_and_any_order_is_legal():
    scheme = TokenTags(("N", "V", "B-X"))
    assert len(scheme) == 3 and scheme.names == ("N", "V", "B-X")
    start, transitions, end = scheme.legal()
    assert [part.shape for part in (start, transitions, end)] == [(3,), (3, 3), (3,)]
    assert all(part.dtype == bool and part.all() for part in (start, transitions, end))


def test_tags_of_tokens_are_numbered_by_their_labels():
    tags = TokenTags(("N", "V")).from_names(["V", None, "", "N", "ADJ", "V"])
    assert tags.dtype == np.int64 and tags.tolist() == [1, MISSING, MISSING, 0, MISSING, 1]
    assert TokenTags(("N", "V")).from_names([]).shape == (0,)
