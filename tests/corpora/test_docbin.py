"""Files of Docs: round trip, sentences, unknown spaces, whole or not at all."""

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, check_docbin_output, split_sentences, write_docbin
from spacy_datnet.corpora.content import Content
from spacy_datnet.corpora.docbin import read_docbin
from spacy_datnet.corpora.formats import Options
from spacy_datnet.corpora.formats.spacy import DocBinFormat
from spacy_datnet.corpora.problems import Problems


def annotation(docs):
    return [[(t.text, t.ent_iob_, t.ent_type_, bool(t.is_sent_start)) for t in doc] for doc in docs]


def test_round_trip_through_a_file(docs, sentences, tmp_path):
    write_docbin(docs, tmp_path / "docs.spacy")
    read = list(read_docbin(tmp_path / "docs.spacy", Vocab()))
    assert annotation(read) == annotation(docs)
    restored = list(DocBinFormat(Content("docs.spacy"), Options()).sentences(read, Problems()))
    assert [s._replace(lines=[]) for s in restored] == [s._replace(lines=[]) for s in sentences]
    assert [s.lines for s in restored] == [[1] * 3, [2] * 4, [3]]


def test_readers_of_spacy_keep_the_tokens(docs, tmp_path):
    nlp = spacy.blank("es")
    odd = Doc(nlp.vocab, words=["d'", "l'a.", "(x)"], ents=["O"] * 3)
    write_docbin([*docs, odd], tmp_path / "docs.spacy")
    examples = list(Corpus(tmp_path / "docs.spacy")(nlp))
    assert [t.text for t in examples[-1].predicted] == ["d'", "l'a.", "(x)"]
    assert [e.label_ for e in examples[0].reference.ents] == ["PER", "LOC"]


def test_split_sentences(docs, sentences):
    docs[0].spans["chunks"] = [Span(docs[0], 3, 5, label="NP"), Span(docs[0], 1, 2, label="X")]
    docs[0].spans["across"] = [Span(docs[0], 3, 5, label="NP"), Span(docs[0], 1, 4, label="X")]
    parts = [part for doc in docs for part in split_sentences(doc)]
    assert [[t.text for t in part] for part in parts] == [s.words for s in sentences]
    assert [[e.text for e in part.ents] for part in parts] == [["Ana"], ["Nueva York"], []]
    assert [(s.start, s.end, s.label_) for s in parts[1].spans["chunks"]] == [(0, 2, "NP")]
    # what goes on across a border is not annotated as being outside
    assert ["across" in part.spans for part in parts] == [False] * len(parts)
    assert all(part.has_unknown_spaces for part in parts)


def test_doc_without_sentence_boundaries_is_one_sentence():
    doc = Doc(Vocab(), words=["a", "b"], spaces=[False, False])
    (part,) = split_sentences(doc)
    assert part.text == "ab"


def test_empty_docs_are_left_out(tmp_path):
    write_docbin([Doc(Vocab())], tmp_path / "docs.spacy")
    assert list(read_docbin(tmp_path / "docs.spacy", Vocab())) == []


def test_nothing_is_written_after_a_failure(docs, tmp_path):
    path = tmp_path / "docs.spacy"

    def failing():
        yield docs[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_docbin(failing(), path)
    assert list(tmp_path.iterdir()) == []
    write_docbin(docs, path)
    before = path.read_bytes()
    with pytest.raises(KeyboardInterrupt):
        write_docbin(failing(), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_the_same_docs_are_the_same_file(docs, tmp_path):
    for name in ("a", "b"):
        write_docbin(docs, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_folder_of_output_is_made(docs, tmp_path):
    write_docbin(docs, tmp_path / "a" / "b" / "x.spacy")
    assert len(list(read_docbin(tmp_path / "a" / "b" / "x.spacy", Vocab()))) == len(list(docs))


@pytest.mark.parametrize("content", [b"", b"Ana B-PER\n", DocBin().to_bytes()[:-5]])
def test_file_that_is_no_docbin(tmp_path, content):
    path = tmp_path / "docs.spacy"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"^\[DN221\] .*docs.spacy"):
        next(read_docbin(path, Vocab()))


def test_absent_docbin(tmp_path):
    with pytest.raises(CorpusError, match="DN201"):
        next(read_docbin(tmp_path / "docs.spacy", Vocab()))


@pytest.mark.parametrize("name", ["docs", "docs.conll", "docs.spacy.gz", "docs.SPACY"])
def test_a_name_that_readers_skip_is_refused(tmp_path, name):
    check_docbin_output(tmp_path / "docs.spacy")
    with pytest.raises(CorpusError, match=rf"DN232.*{name}"):
        check_docbin_output(tmp_path / name)
