"""Docs and .spacy files: annotation, sentence starts, unknown spaces, whole or not at all."""

import errno

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Corpus
from spacy.vocab import Vocab

from spacy_datnet.corpora import (
    CorpusError,
    Sentence,
    make_docs,
    make_vocab,
    read_docbin,
    read_docs,
    split_sentences,
    write_docbin,
)
from spacy_datnet.corpora.docbin import to_sentences
from spacy_datnet.corpora.docs import TASKS
from spacy_datnet.corpora.output import check_output, replacing

SENTENCES = [
    Sentence(["Ana", "vive", "."], ["B-PER", "O", "O"], 1, True),
    Sentence(["Nueva", "York", "?", "!"], ["B-LOC", "I-LOC", "-", "O"], 5, False),
    Sentence(["Sí"], ["O"], 10, True),
]


@pytest.fixture
def docs():
    return list(make_docs(SENTENCES, Vocab(), TASKS["ner"]))


def annotation(docs):
    return [[(t.text, t.ent_iob_, t.ent_type_, bool(t.is_sent_start)) for t in doc] for doc in docs]


def test_docs(docs):
    assert annotation(docs) == [
        [
            ("Ana", "B", "PER", True),
            ("vive", "O", "", False),
            (".", "O", "", False),
            ("Nueva", "B", "LOC", True),
            ("York", "I", "LOC", False),
            ("?", "", "", False),
            ("!", "O", "", False),
        ],
        [("Sí", "O", "", True)],
    ]


def test_round_trip_through_a_file(docs, tmp_path):
    write_docbin(docs, tmp_path / "docs.spacy")
    read = list(read_docbin(tmp_path / "docs.spacy", Vocab()))
    assert annotation(read) == annotation(docs)
    restored = list(to_sentences(read))
    assert [s._replace(line=0) for s in restored] == [s._replace(line=0) for s in SENTENCES]
    assert [s.line for s in restored] == [1, 2, 3]


def test_readers_of_spacy_keep_the_tokens(docs, tmp_path):
    nlp = spacy.blank("es")
    odd = Doc(nlp.vocab, words=["d'", "l'a.", "(x)"], ents=["O"] * 3)
    write_docbin([*docs, odd], tmp_path / "docs.spacy")
    examples = list(Corpus(tmp_path / "docs.spacy")(nlp))
    assert [t.text for t in examples[-1].predicted] == ["d'", "l'a.", "(x)"]
    assert [e.label_ for e in examples[0].reference.ents] == ["PER", "LOC"]


def test_split_sentences(docs):
    docs[0].spans["chunks"] = [Span(docs[0], 3, 5, label="NP"), Span(docs[0], 1, 4, label="X")]
    parts = [part for doc in docs for part in split_sentences(doc)]
    assert [[t.text for t in part] for part in parts] == [s.words for s in SENTENCES]
    assert [[e.text for e in part.ents] for part in parts] == [["Ana"], ["Nueva York"], []]
    assert [(s.start, s.end, s.label_) for s in parts[1].spans["chunks"]] == [(0, 2, "NP")]
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


def test_full_disk(tmp_path):
    with pytest.raises(CorpusError, match=r"DN231.*No space left"), replacing(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_the_same_docs_are_the_same_file(docs, tmp_path):
    for name in ("a", "b"):
        write_docbin(docs, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_folder_of_output_is_made(docs, tmp_path):
    write_docbin(docs, tmp_path / "a" / "b" / "x.spacy")
    assert len(list(read_docbin(tmp_path / "a" / "b" / "x.spacy", Vocab()))) == len(list(docs))


def test_output_is_checked(tmp_path):
    source = tmp_path / "corpora.zip"
    source.write_bytes(b"")
    with pytest.raises(CorpusError, match="DN219"):
        check_output(tmp_path)
    with pytest.raises(CorpusError, match="DN220"):
        check_output(tmp_path / ".." / tmp_path.name / "corpora.zip", f"{source}:esp.train")


@pytest.mark.parametrize("content", [b"", b"Ana B-PER\n", DocBin().to_bytes()[:-5]])
def test_file_that_is_no_docbin(tmp_path, content):
    path = tmp_path / "docs.spacy"
    path.write_bytes(content)
    with pytest.raises(CorpusError, match=r"^\[DN221\] .*docs.spacy"):
        next(read_docbin(path, Vocab()))


def test_absent_docbin(tmp_path):
    with pytest.raises(CorpusError, match="DN201"):
        next(read_docbin(tmp_path / "docs.spacy", Vocab()))


def test_unknown_language():
    assert make_vocab("xx").lang == "xx"
    with pytest.raises(CorpusError, match=r"DN222.*'qq'"):
        make_vocab("qq")


def test_repairs_are_said_in_a_warning(tmp_path):
    path = tmp_path / "corpus.conll"
    path.write_text("Ana B-PER\n\n" * 10 + "Ana I-PER\n", encoding="utf-8")
    with pytest.warns(UserWarning, match=r"DN251.*corpus.conll.*line 21 \(Ana I-PER\)"):
        docs = list(read_docs(path, Vocab()))
    assert [e.text for e in docs[-1].ents] == ["Ana"]
    path.write_text("Ana O\n", encoding="utf-8")
    with pytest.warns(UserWarning, match="DN253"):
        read_docs(path, Vocab())
