"""Docs: their annotation, and what is said of a file that becomes Docs."""

from itertools import islice

import pytest
import spacy
from spacy.tokens import DocBin
from spacy.training import Corpus
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, make_docs, make_vocab, read_docbin, read_docs, survey_corpus, write_corpus
from spacy_datnet.corpora import docs as corpora_docs
from spacy_datnet.corpora.docs import pack


def test_docs(docs):
    annotation = [[(t.text, t.ent_iob_, t.ent_type_, bool(t.is_sent_start)) for t in doc] for doc in docs]
    assert annotation == [
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


TOKENS = "Ana NNP B-PER\nvive VBZ O\n\nAna NNP B-PER\n\nNueva _ B-LOC\nYork NNP I-LOC\n? . -\n\nBBC NNP B-ORG\n\n"


@pytest.mark.parametrize("annotations", [{"ents": None}, {"tag": 2, "ents": 3}, {"spans:chunks": 3}])
@pytest.mark.parametrize("before", ["", "-DOCSTART-\n\n"])
def test_packed_without_a_doc_each(tmp_path, monkeypatch, annotations, before):
    monkeypatch.setattr(corpora_docs, "_AT_ONCE", 100)
    (tmp_path / "corpus").write_text((before + TOKENS.replace("-\n", "O\n")) * 50, encoding="utf-8")
    sentences = list(survey_corpus(tmp_path / "corpus", annotations=annotations).sentences())
    one_by_one = DocBin(docs=make_docs(sentences, make_vocab("es")))
    assert pack(sentences, make_vocab("es")).to_bytes() == one_by_one.to_bytes()


def test_a_big_corpus_becomes_a_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(corpora_docs, "BIG", 40)
    (tmp_path / "corpus").write_text(TOKENS * 7, encoding="utf-8")
    survey = survey_corpus(tmp_path / "corpus")
    path = tmp_path / "corpus.spacy"
    for _ in range(2):  # an older folder is replaced
        write_corpus(survey.sentences(), survey.counts.tokens, "es", path)
        assert [one.name for one in sorted(path.iterdir())] == [
            "00000.spacy",
            "00001.spacy",
            "00002.spacy",
            "00003.spacy",
            "00004.spacy",
        ]
        assert sorted(one.name for one in tmp_path.iterdir()) == ["corpus", "corpus.spacy"]
    expected = [[t.text for t in doc] for doc in make_docs(survey.sentences(), Vocab())]
    assert [[t.text for t in doc] for doc in read_docbin(path, Vocab())] == expected
    examples = list(Corpus(path)(spacy.blank("es")))
    assert [[t.text for t in example.reference] for example in examples] == expected
    (tmp_path / "corpus").write_text(TOKENS.replace("O", "X"), encoding="utf-8")
    with pytest.raises(RuntimeError):
        write_corpus(fail_after(survey.sentences(), 15), survey.counts.tokens, "es", path)
    assert len(list(path.iterdir())) == 5
    assert sorted(one.name for one in tmp_path.iterdir()) == ["corpus", "corpus.spacy"]


def fail_after(sentences, count):
    yield from islice(sentences, count)
    raise RuntimeError
