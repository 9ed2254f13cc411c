"""CoNLL-U: the same Docs as spaCy's own converter, and what that converter leaves out."""

import pytest
from spacy.training.converters import conllu_to_docs
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, read_docs, survey_corpus

SENTENCES = """\
# newdoc id = a
# sent_id = 1
# text = Vámonos al mar.
1-2\tVámonos\t_\t_\t_\t_\t_\t_\t_\t_
1\tVamos\tir\tVERB\tVMM01P0\tNumber=Plur\t0\troot\t_\t_
2\tnos\tnosotros\tPRON\tPP1CP000\t_\t1\tobj\t_\t_
3-4\tal\t_\t_\t_\t_\t_\t_\t_\tLang=es
3\ta\ta\tADP\tSPS00\t_\t5\tcase\t_\t_
4\tel\tel\tDET\tDA0MS0\t_\t5\tdet\t_\t_
5\tmar\tmar\tNOUN\tNCMS000\t_\t1\tobl\t_\tSpaceAfter=No
6\t.\t.\tPUNCT\tFp\t_\t1\tpunct\t_\tLang=es|SpaceAfter=No

# sent_id = 2
1\tSue\tSue\tPROPN\tNP00000\t_\t2\tnsubj\t_\t_
2\tlikes\tlike\tVERB\tVMIP3S0\t_\t0\troot\t_\t_
2.1\tlikes\tlike\tVERB\tVMIP3S0\t_\t_\t_\t0:root\t_
3-4\ttea.\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No
3\ttea\ttea\tNOUN\tNCMS000\t_\t2\tobj\t_\t_
4\t.\t.\tPUNCT\tFp\t_\t2\tpunct\t_\t_

# newdoc id = b
# sent_id = 3
1\t10 000\t10 000\tNUM\tZ\t_\t0\troot\t_\t_
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="corpus.conllu"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def row(*fields):
    """Make a line of ten columns; those that are not given are empty."""
    return "\t".join([*fields, *["_"] * (10 - len(fields))]) + "\n"


def tokens_of(docs):
    return [(t.text, t.pos_, t.tag_, t.whitespace_, t.is_sent_start) for doc in docs for t in doc]


def test_as_the_converter_of_spacy(write):
    docs = list(read_docs(write(SENTENCES), Vocab()))
    theirs = list(conllu_to_docs(SENTENCES, n_sents=1, no_print=True))
    assert tokens_of(docs) == tokens_of(theirs)
    assert not any(doc.has_unknown_spaces for doc in docs)
    assert docs[0].text == "Vamosnos ael mar.Sue likes tea."


def test_documents(write):
    docs = list(read_docs(write(SENTENCES), Vocab()))
    assert [len(list(doc.sents)) for doc in docs] == [2, 1]
    parts = list(read_docs(write(SENTENCES.replace("# newdoc", "# newpar")), Vocab()))
    assert [len(list(doc.sents)) for doc in parts] == [1, 1, 1]


@pytest.mark.parametrize("opener", ["# newdoc", "#newdoc id = x", "# newdoc id = x\n# newpar"])
def test_sentences_before_the_first_opener_are_a_document(write, opener):
    path = write(f"{row('1', 'a')}\n{row('1', 'b')}\n{opener}\n{row('1', 'c')}\n{row('1', 'd')}")
    with pytest.warns(UserWarning, match="DN253"):
        docs = read_docs(path, Vocab())
    assert [[t.text for t in doc] for doc in docs] == [["a", "b"], ["c", "d"]]


def test_comment_that_only_begins_like_an_opener(write):
    path = write(f"{row('1', 'a', '_', 'X')}\n# newdocument\n{row('1', 'b', '_', 'X')}")
    assert [len(doc) for doc in read_docs(path, Vocab())] == [1, 1]
    assert not survey_corpus(path).format.has_documents


def test_spaces_are_unknown_where_nothing_is_said_of_them(write):
    (doc,) = read_docs(
        write(row("1", "a", "_", "X") + row("2", "b", "_", "X", "_", "_", "_", "_", "_", "Gloss=c")), Vocab()
    )
    assert doc.has_unknown_spaces


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_and_missing_last_empty_line(write, line_end):
    path = write("")
    path.write_bytes(SENTENCES.rstrip("\n").replace("\n", line_end).encode())
    assert tokens_of(read_docs(path, Vocab())) == tokens_of(conllu_to_docs(SENTENCES, n_sents=1, no_print=True))


def test_tags_that_are_not_given(write):
    survey = survey_corpus(write(row("1", "a", "_", "X") + row("2", "b", "_", "_")))
    assert survey.format.kinds == ("pos",)
    assert survey.counts.missing("pos") == 1
    survey = survey_corpus(write(row("1", "a", "_", "X", "x") + row("2", "b", "_", "NOUN", "_")))
    assert survey.format.kinds == ("pos", "tag")
    assert [s.layers for s in survey.sentences()] == [{"pos": ["X", "NOUN"], "tag": ["x", ""]}]


def test_annotation_may_be_chosen(write):
    path = write(SENTENCES)
    (first, *_) = survey_corpus(path, annotations={"tag": None}).sentences()
    assert first.layers == {"tag": ["VMM01P0", "PP1CP000", "SPS00", "DA0MS0", "NCMS000", "Fp"]}
    with pytest.raises(CorpusError, match=r"DN233.*'ents'.*pos, tag"):
        survey_corpus(path, annotations={"ents": None})


def test_column_of_an_annotation_may_be_chosen(write):
    path = write(SENTENCES)
    (usual, *_) = survey_corpus(path).sentences()
    survey = survey_corpus(path, annotations={"pos": None, "tag": 4})
    (first, *_) = survey.sentences()
    assert first.layers == {"pos": usual.layers["pos"], "tag": usual.layers["pos"]}
    assert survey.format.where("tag") == "UPOS, the 4th column"
    (error,) = survey_corpus(path, annotations={"pos": 5}).errors
    assert "line 5 (Vamos VMM01P0)" in error
    assert "XPOS, the 5th column" in error
    for column in (3, 10, -1):
        with pytest.raises(CorpusError, match=rf"DN263.*tag in column {column}.*UPOS.*XPOS"):
            survey_corpus(path, annotations={"tag": column})


def test_lines_of_the_tokens(write):
    first, second, _ = survey_corpus(write(SENTENCES)).sentences()
    assert first.lines == [5, 6, 8, 9, 10, 11]
    assert second.lines == [14, 15, 18, 19]


def test_every_sound_sentence_is_counted(write):
    survey = survey_corpus(write(f"{row('1', 'a', '_', 'X')}\n{row('2', 'b')}\n{row('1', 'c', '_', 'X')}"))
    assert survey.counts.sentences == 2
    assert [error[:7] for error in survey.errors] == ["[DN234]"]


NAMED = """\
1\tAna\t_\tPROPN\t_\t_\t_\t_\t_\tname=B-PER
2\tde\t_\tADP\t_\t_\t_\t_\t_\tname=I-PER|SpaceAfter=No
3\tva\t_\tVERB\t_\t_\t_\t_\t_\tname=O|Gloss=goes
4\thoy\t_\tADV\t_\t_\t_\t_\t_\t_
"""


def test_entities_in_misc(write):
    survey = survey_corpus(write(NAMED))
    assert survey.format.kinds == ("pos", "ents")
    assert survey.format.where("ents") == "name= of MISC, the 10th column"
    (sentence,) = survey.sentences()
    # where outside of entities is said, nothing said is nothing known
    assert sentence.layers["ents"] == ["B-PER", "I-PER", "O", "-"]
    (doc,) = read_docs(write(NAMED), Vocab(), annotations={"ents": 10})
    assert [(e.text, e.label_) for e in doc.ents] == [("Ana de", "PER")]
    assert not doc.has_annotation("POS")
    (sentence,) = survey_corpus(write(NAMED.replace("name=O|", ""))).sentences()
    assert sentence.layers["ents"] == ["B-PER", "I-PER", "O", "O"]
    other = survey_corpus(write(NAMED.replace("name=", "NE=").replace("Gloss=goes", "Gloss=O")))
    assert other.format.where("ents").startswith("NE=")
    with pytest.raises(CorpusError, match="DN263"):
        survey_corpus(write(NAMED), annotations={"ents": 9})


def test_what_a_file_also_has_is_said(write):
    survey = survey_corpus(write(NAMED.replace("PROPN\t_", "PROPN\tNP")), annotations={"pos": None})
    assert survey.format.also == ["tag in XPOS, the 5th column", "ents in name= of MISC, the 10th column"]
    survey = survey_corpus(write(NAMED.replace("name=B-PER", "Entity=(person-1")))
    assert survey.format.also == ["mentions in Entity= of MISC, which can't be read"]


@pytest.mark.parametrize("columns", ["ID FORM UPOS NER MISC", "FORM UPOS X:NE"])
def test_conllu_plus(tmp_path, columns):
    n = len(columns.split())
    rows = ["1\tAna\tPROPN\tB-PER\tSpaceAfter=No", "2\tva\tVERB\tO\t_", "", "1\tEva\tPROPN\tB-PER\t_"]
    if n == 3:
        rows = ["\t".join(row.split("\t")[1:4]) for row in rows]
    (tmp_path / "a").write_text(f"# global.columns = {columns}\n" + "\n".join(rows) + "\n", encoding="utf-8")
    survey = survey_corpus(tmp_path / "a", annotations={"ents": None, "pos": None})
    one, two = survey.sentences()
    assert one.words == ["Ana", "va"] and two.words == ["Eva"]
    assert one.layers == {"ents": ["B-PER", "O"], "pos": ["PROPN", "VERB"]}
    assert one.spaces == ([False, True] if n == 5 else None)
    (tmp_path / "a").write_text(f"# global.columns = {columns}\n1\tAna\n", encoding="utf-8")
    assert survey_corpus(tmp_path / "a").errors[0].startswith("[DN234]")
