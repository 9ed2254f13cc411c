"""The corpus doctor: what it finds in one file, and what it finds between files."""

import pytest
from spacy.tokens import Doc
from spacy.vocab import Vocab

from spacy_datnet.corpora import compare, examine, read_docs, write_docbin


@pytest.fixture
def look(tmp_path):
    def look(text, role="target", name="corpus.conll", **options):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return examine(path, role, **{"max_length": 100, **options})

    return look


def codes(messages):
    return [message[1:6] for message in messages]


def test_sound_file(look):
    found = look("Ana B-PER\nvive O\n\nVigo B-LOC\n")
    assert (found.errors, found.warnings) == ([], [])
    assert found.texts == {"Ana vive": 1, "Vigo": 1}
    assert found.counts.layers["ents"].labels == {"PER": 1, "LOC": 1}
    assert found.counts.mean_length == 1.5


def test_same_findings_in_a_spacy_file(look, tmp_path):
    columns = look("-DOCSTART- O\n\nAna B-PER\nvive -\n\nVigo B-LOC\n\n-DOCSTART- O\n\nnada O\n")
    docs = read_docs(tmp_path / "corpus.conll", Vocab())
    write_docbin(docs, tmp_path / "corpus.spacy")
    docbin = examine(tmp_path / "corpus.spacy", "target", max_length=100)
    assert docbin.counts == columns.counts
    assert docbin.texts == columns.texts
    assert codes(docbin.warnings) == codes(columns.warnings) == ["DN260"]


@pytest.mark.parametrize("text", ["Ana O\n", "Ana -\n"])
def test_no_annotation_is_an_error(look, text):
    found = look(text)
    assert codes(found.errors) == ["DN228"]


def test_unreadable_files_are_findings(look, tmp_path):
    assert codes(look("").errors) == ["DN207"]
    assert codes(look("Ana NOUN\n").errors) == ["DN212"]
    assert codes(examine(tmp_path / "absent", "train", max_length=9).errors) == ["DN201"]
    assert codes(examine(tmp_path / "absent.spacy", "train", max_length=9).errors) == ["DN201"]
    write_docbin([], tmp_path / "empty.spacy")
    assert codes(examine(tmp_path / "empty.spacy", "train", max_length=9).errors) == ["DN207"]


def test_long_sentences(look):
    found = look("Ana B-PER\n\n" + "bla O\n" * 12, max_length=11)
    assert "line 3 (12 tokens)" in found.warnings[0]


def test_entity_across_sentences(tmp_path):
    doc = Doc(
        Vocab(),
        words=["a", "b", "c"],
        ents=["O", "B-X", "I-X"],
        sent_starts=[True, False, True],
    )
    write_docbin([doc], tmp_path / "corpus.spacy")
    found = examine(tmp_path / "corpus.spacy", "train", max_length=9)
    assert codes(found.warnings) == ["DN259"]
    assert "sentence 2 (c I-X)" in found.warnings[0]


def test_duplicates_matter_in_training_only(look):
    text = "Ana B-PER\n\nAna B-PER\n\nVigo B-LOC\n\nAna B-PER\n"
    (warning,) = compare([look(text, role="train")])
    assert "DN254" in warning
    assert "2 of 4 sentences (50.0%)" in warning
    assert "'Ana'" in warning
    assert list(compare([look(text, role="test")])) == []


def test_overlap_and_unseen_labels(look):
    train = look("Ana B-PER\n\nVigo B-PER\n", "train", "train")
    test = look("Ana B-PER\n\nAna B-PER\n\nLugo B-LOC\n", "test", "test")
    overlap, unseen = compare([train, test])
    assert "DN255" in overlap
    assert "2 of 3 sentences (66.7%)" in overlap
    assert "DN257" in unseen
    assert unseen.endswith("LOC.")


def test_source_and_target_labels(look):
    source = look("Ann B-person\n", "source", "source")
    target = look("Ana B-PER\n", "target", "target")
    (warning,) = compare([source, target])
    assert "Only in the source: person. Only in the target: PER." in warning
    assert list(compare([source, look("Ana B-person\n")])) == []


def test_files_with_errors_are_not_compared(look):
    broken = look("Ana NOUN\n", "train", "train")
    assert list(compare([broken, look("Ana B-PER\n", "test", "test")])) == []
