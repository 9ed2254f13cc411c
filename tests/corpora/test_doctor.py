"""The corpus doctor: what it finds in one file, and what it finds between files."""

import pytest
from spacy.tokens import Doc, Span
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


TAGGED = {"annotations": {"pos": None}}


def test_tags_are_examined_like_entities(look):
    train = look("Ana PROPN\nvive VERB\n\nAna PROPN\nvive VERB\n", "train", "train", **TAGGED)
    test = look("Ana PROPN\nvive VERB\n\n¡ PUNCT\n", "test", "test", **TAGGED)
    source = look("Ann PROPN\nlives AUX\n", "source", "source", **TAGGED)
    assert [found.errors for found in (train, test, source)] == [[], [], []]
    warnings = list(compare([train, test, source]))
    assert codes(warnings) == ["DN254", "DN255", "DN257", "DN258"]
    assert "labels of pos" in warnings[2]
    assert warnings[2].endswith("PUNCT.")
    assert "Only in the source: AUX. Only in the target: PUNCT, VERB." in warnings[3]


@pytest.mark.parametrize(
    ("text", "kind", "code"),
    [
        ("Ana _\n", "pos", "DN228"),
        ("Ana _\n", "tag", "DN228"),
        ("Ana O\n", "spans:chunks", "DN228"),
        ("Ana NOUNN\n", "pos", "DN243"),
        ("Ana NOUN\n", "spans:chunks", "DN212"),
    ],
)
def test_errors_of_tags_and_chunks(look, text, kind, code):
    assert codes(look(text, annotations={kind: None}).errors) == [code]


def test_tags_that_are_missing_or_outdated(look):
    found = look("y CONJ\nAna _\n", **TAGGED)
    assert codes(found.warnings) == ["DN261", "DN260"]
    assert "CONJ (1)" in found.warnings[0]


def test_same_findings_of_tags_and_chunks_in_a_spacy_file(look, tmp_path):
    kinds = {"tag": 2, "pos": 3, "spans:chunks": 4}
    columns = look("Ana NNP PROPN B-NP\ny CC CONJ O\nvive _ VERB B-VP\n\nnada _ ADV O\n", annotations=kinds)
    with pytest.warns(UserWarning, match="DN261"):
        write_docbin(read_docs(tmp_path / "corpus.conll", Vocab(), annotations=kinds), tmp_path / "corpus.spacy")
    docbin = examine(tmp_path / "corpus.spacy", "target", max_length=100)
    assert docbin.counts == columns.counts
    assert codes(docbin.warnings) == codes(columns.warnings) == ["DN261", "DN260"]
    assert not docbin.errors


def test_named_annotation_of_a_spacy_file(tmp_path):
    docs = [Doc(Vocab(), words=["a", "b"], tags=["x", "y"])]
    write_docbin(docs, tmp_path / "corpus.spacy")
    found = examine(tmp_path / "corpus.spacy", "train", max_length=9, annotations={"pos": None})
    assert codes(found.errors) == ["DN228"]
    assert "not annotated with pos" in found.errors[0]
    assert examine(tmp_path / "corpus.spacy", "train", max_length=9).errors == []


def test_spans_that_overlap(tmp_path):
    doc = Doc(Vocab(), words=["a", "b", "c"], tags=["x"] * 3, sent_starts=[True, False, True])
    doc.spans["sc"] = [Span(doc, start, end, label="X") for start, end in ((0, 2), (1, 2), (2, 3))]
    write_docbin([doc], tmp_path / "corpus.spacy")
    found = examine(tmp_path / "corpus.spacy", "train", max_length=9)
    assert (found.errors, codes(found.warnings)) == ([], ["DN245"])
    assert "1 span(s) of spans:sc overlap others: sentence 1 (b)" in found.warnings[0]
    named = examine(tmp_path / "corpus.spacy", "train", max_length=9, annotations={"spans:sc": None})
    assert codes(named.errors) == ["DN245"]


def test_spans_without_a_label(tmp_path):
    doc = Doc(Vocab(), words=["a", "b", "c"], tags=["x"] * 3, sent_starts=[True, False, True])
    doc.spans["sc"] = [Span(doc, 0, 2, label="X"), doc[2:3]]
    write_docbin([doc], tmp_path / "corpus.spacy")
    found = examine(tmp_path / "corpus.spacy", "train", max_length=9)
    assert (found.errors, codes(found.warnings)) == ([], ["DN246"])
    assert "1 span(s) of spans:sc have no label: sentence 2 (c)" in found.warnings[0]
    named = examine(tmp_path / "corpus.spacy", "train", max_length=9, annotations={"spans:sc": None})
    assert codes(named.errors)[0] == "DN246"


def test_blocked_tokens_are_outside(tmp_path):
    doc = Doc(Vocab(), words=["a", "b", "c"])
    doc.set_ents([Span(doc, 0, 1, label="X")], blocked=[doc[1:2]], default="missing")
    write_docbin([doc], tmp_path / "corpus.spacy")
    layer = examine(tmp_path / "corpus.spacy", "train", max_length=9).counts.layers["ents"]
    assert (layer.total, layer.outside, layer.annotated) == (1, 1, 2)


def test_two_tasks(look):
    source = look("Ann NNP\n", "source", "source", annotations={"tag": None})
    target = look("Ana B-NP\n", "train", "train", annotations={"spans:chunks": None})
    (warning,) = compare([source, target])
    assert warning.startswith("[DN262] The source is annotated with tag and the target with spans:chunks.")


def test_many_labels_are_not_all_named(look):
    source = look("".join(f"a t{i:02}\n" for i in range(30)), "source", "source", annotations={"tag": None})
    (warning,) = compare([source, look("a x\n", annotations={"tag": None})])
    assert "t19 and 10 more. Only in the target: x." in warning
