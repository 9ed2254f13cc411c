"""Tags and spans, against seqeval and round trip; which scheme, from the weight of the evidence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seqeval.metrics.sequence_labeling import get_entities
from seqeval.scheme import IOB2, IOBES, Entities

from spacy_datnet.corpora import CorpusError
from spacy_datnet.corpora.schemes import SchemeEvidence, decode, encode, parse_tag
from spacy_datnet.corpora.sentences import Sentence

LABELS = ["LOC", "PER", "geo-loc"]


@st.composite
def annotated(draw):
    """Draw the length of a sentence and its entities; many of them touch."""
    position, spans = 0, []
    for gap, length, label in draw(
        st.lists(st.tuples(st.integers(0, 2), st.integers(1, 4), st.sampled_from(LABELS)), max_size=5)
    ):
        start = position + gap
        position = start + length
        spans.append((start, position, label))
    return position + draw(st.integers(0, 2)), spans


def as_sentence(tags, line=1):
    return Sentence([f"w{i}" for i in range(len(tags))], {"ents": tags}, range(line, line + len(tags)), True)


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes"])
@given(sentence=annotated())
def test_round_trip(scheme, sentence):
    length, spans = sentence
    assert decode(encode(length, spans, scheme)) == spans


@pytest.mark.parametrize("scheme", ["iob1", "iob2", "bioes"])
@given(sentences=st.lists(annotated(), min_size=1, max_size=8))
def test_detects_the_scheme_that_was_written(scheme, sentences):
    evidence = SchemeEvidence()
    tags = [encode(length, spans, scheme) for length, spans in sentences]
    for one in tags:
        evidence.add(as_sentence(one), "ents")
    verdict = evidence.verdict("file")
    has_entities = any(spans for _, spans in sentences)
    assert verdict.scheme == (scheme if has_entities else "none")
    assert not verdict.repaired
    assert not verdict.error
    assert [decode(one) for one in tags] == [spans for _, spans in sentences]


@pytest.mark.parametrize(("scheme", "truth"), [("iob2", IOB2), ("bioes", IOBES)])
@given(sentence=annotated())
def test_decodes_as_seqeval_does_strictly(scheme, truth, sentence):
    length, spans = sentence
    tags = encode(length, spans, scheme)
    expected = [(e.start, e.end, e.tag) for e in Entities([tags], truth).entities[0]]
    assert decode(tags) == expected


@given(tags=st.lists(st.sampled_from(["O", "B-A", "I-A", "B-B", "I-B"]), max_size=10))
def test_decodes_any_iob_tags_as_conlleval_does(tags):
    expected = [(start, end + 1, label) for label, start, end in get_entities(tags)]
    assert decode(tags) == expected


@pytest.mark.parametrize("letters", ["BILU", "BIES", "BMEW", "BMES"], ids=["BILUO", "BIOES", "BMEWO", "BMESO"])
def test_reads_every_alphabet_of_bioes(letters):
    begin, inside, last, unit = letters
    tags = [f"{begin}-A", f"{inside}-A", f"{last}-A", "O", f"{unit}-B", f"{unit}-B"]
    assert decode(tags) == [(0, 3, "A"), (4, 5, "B"), (5, 6, "B")]


def test_missing_annotation_ends_an_entity():
    assert decode(["B-A", "-", "I-A", "O"]) == [(0, 1, "A"), (2, 3, "A")]


def test_labels_may_hold_hyphens():
    assert parse_tag("B-geo-loc") == ("B", "geo-loc")


def test_refuses_what_is_no_tag():
    with pytest.raises(CorpusError, match="DN211"):
        decode(["O", "NOUN"])


def test_empty_sentence():
    assert decode([]) == []
    assert encode(0, [], "bioes") == []


def judge(*sentences, named="auto"):
    evidence = SchemeEvidence()
    line = 1
    for text in sentences:
        tags = text.split()
        evidence.add(as_sentence(tags, line), "ents")
        line += len(tags) + 1
    return evidence.verdict("f.conll", named)


def test_file_without_b_is_iob1():
    assert judge("I-A I-A O", "I-B I-A").scheme == "iob1"


def test_b_after_an_entity_tells_nothing():
    assert judge("I-A B-A I-A").scheme == "iob1"
    assert judge("B-A B-A I-A").scheme == "iob2"
    assert judge("I-A B-B").scheme == "iob1"


def test_no_entities_no_scheme():
    assert judge("O O", "-").scheme == "none"


@pytest.mark.parametrize(("clean", "slip", "scheme"), [("B-A O", "I-A O", "iob2"), ("I-A O", "B-A O", "iob1")])
def test_one_slip_is_repaired(clean, slip, scheme):
    verdict = judge(*[clean] * 10, slip)
    assert verdict.scheme == scheme
    assert not verdict.error
    assert str(verdict.repaired) == f"line 31 (w0 {slip.split()[0]})"


def test_one_in_a_hundred_is_repaired_and_more_is_an_error():
    assert not judge(*["B-A O"] * 198, *["I-A O"] * 2).error
    verdict = judge(*["B-A O"] * 198, *["I-A O"] * 3)
    assert verdict.error.startswith("[DN213]")
    assert "line 595 (w0 I-A)" in verdict.error


def test_slip_in_a_tiny_file_is_a_mixture():
    assert judge(*["B-A O"] * 9, "I-A O").error.startswith("[DN213]")


def test_label_change_inside_an_entity_is_a_slip_of_iob2():
    verdict = judge(*["B-A I-A"] * 20, "B-A I-B")
    assert str(verdict.repaired) == "line 62 (w1 I-B)"


def test_naming_the_scheme_repairs_a_mixture():
    verdict = judge(*["B-A O"] * 3, *["I-A O"] * 3, named="iob2")
    assert (verdict.scheme, verdict.repaired.count, verdict.error) == ("iob2", 3, "")


@pytest.mark.parametrize("broken", ["B-A O", "I-A E-A", "E-A", "B-A E-B", "B-A S-A", "I-A"])
def test_illegal_bioes_is_an_error_even_once(broken):
    verdict = judge(*["B-A I-A E-A S-B"] * 100, broken)
    assert verdict.scheme == "bioes"
    assert verdict.error.startswith("[DN215]")
    assert "line 501" in verdict.error or "line 502" in verdict.error


def test_stray_bioes_tag_in_an_iob_file_is_what_gets_named():
    verdict = judge(*["B-A I-A"] * 20, "O E-A")
    assert verdict.error.startswith("[DN214]")
    assert "line 62 (w1 E-A)" in verdict.error
