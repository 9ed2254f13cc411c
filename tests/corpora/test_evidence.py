"""Which scheme: the weight of the evidence, slips and mixtures."""

import pytest

from spacy_datnet.corpora.evidence import SchemeEvidence
from spacy_datnet.corpora.sentences import Sentence


def judge(*sentences, named="auto"):
    evidence = SchemeEvidence()
    line = 1
    for text in sentences:
        tags = text.split()
        evidence.add(Sentence([f"w{i}" for i in range(len(tags))], tags, line, True))
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
