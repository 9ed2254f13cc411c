"""Bracketed trees: the words and tags that a reader finds in them, written by hand."""

import pytest
from spacy.vocab import Vocab

from spacy_datnet.corpora import read_docs, survey_corpus

TREES = r"""
( (S
    (NP-SBJ-1 (NNP Mr.) (NNP Vinken) )
    (VP (VBD was)
      (VP (VBN named)
        (S
          (NP-SBJ (-NONE- *-1) )
          (NP-PRD (-LRB- -LRB-) (CD 1\/2) (-RRB- -RCB-) ))))
    (. .) ))
( (NP (NP (PRP$ Their) (NN head)) (SBAR (WHNP-2 (-NONE- 0)) (S (-NONE- *T*-2)))) )

( (S (NP-SBJ (-NONE- *)) (VP (-NONE- *?*))) )
(S (NP (DT The) (NN end)) (VP (VBZ nears)))
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="corpus.mrg"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_words_and_tags(write):
    sentences = list(survey_corpus(write(TREES)).sentences())
    assert [list(zip(s.words, s.layers["tag"], s.lines, strict=True)) for s in sentences] == [
        [
            ("Mr.", "NNP", 3),
            ("Vinken", "NNP", 3),
            ("was", "VBD", 4),
            ("named", "VBN", 5),
            ("-LRB-", "(", 8),
            (r"1\/2", "CD", 8),
            ("-RCB-", ")", 8),
            (".", ".", 9),
        ],
        [("Their", "PRP$", 10), ("head", "NN", 10)],
        [("The", "DT", 13), ("end", "NN", 13), ("nears", "VBZ", 13)],
    ]
    assert all(s.opens_document for s in sentences)


def test_layout_does_not_matter(write):
    loose = survey_corpus(write(TREES.replace("(", " ( ").replace(")", "\n)\n")))
    tight = survey_corpus(write(TREES))
    assert not loose.errors
    assert loose.counts == tight.counts


def test_docs(write):
    docs = list(read_docs(write(TREES), Vocab()))
    assert [t.tag_ for t in docs[1]] == ["PRP$", "NN"]
    assert docs[1].has_unknown_spaces
    assert not docs[1].has_annotation("ENT_IOB")


def test_files_are_documents(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.mrg").write_text(TREES, encoding="utf-8")
    docs = list(read_docs(tmp_path / "*.mrg", Vocab()))
    assert [len(list(doc.sents)) for doc in docs] == [3, 3]


def test_tags_as_parts_of_speech(write):
    survey = survey_corpus(write(TREES), annotations={"pos": None})
    assert survey.errors[0].startswith("[DN243]")
    assert "line 3 (Mr. NNP)" in survey.errors[0]


def test_reading_goes_on_after_an_error(write):
    survey = survey_corpus(write("( (S (NN a)) )\n( (S (NN b c)) )\n( (S (NN d)) )\n"))
    assert "line 2 ('c' is a word without a tag)" in survey.errors[0]
    assert survey.counts.sentences == 2
