"""Docs: their annotation, and what is said of a file that becomes Docs."""

import pytest
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, make_vocab, read_docs


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
