"""Which format a file is in, and what users name."""

import pytest

from spacy_datnet.corpora import CorpusError, parse_annotations, survey_corpus
from spacy_datnet.corpora.formats.brackets import Brackets
from spacy_datnet.corpora.formats.columns import Columns
from spacy_datnet.corpora.formats.conllu import Conllu

ROW = "1\tAna\t_\tPROPN\t_\t_\t_\t_\t_\tB-PER\n"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ROW, Conllu),
        (f"# text = Ana\n\n# newdoc\n{ROW}\n", Conllu),
        (f"1-2\tAl\t_\t_\t_\t_\t_\t_\t_\t_\n{ROW}", Conllu),
        (ROW.replace("\t", " "), Columns),
        (f"{ROW}\n{ROW}{ROW}", Conllu),
        (f"{ROW}{ROW}", Columns),
        ("# B-PER\n1 O\n", Columns),
        ("( (S (NN Ana)) )\n", Brackets),
        ("\n  (S\n(NN Ana))\n", Brackets),
        ("( O\nAna B-PER\n) O\n", Columns),
        ("( ( O\nAna NNP B-NP\n) ) O\n", Columns),
        ("(\tO\n(\tO\n)\tO\n)\tO\n", Columns),
        ("(NN O\n", Columns),
        ("(NN Ana)\n", Columns),
    ],
)
def test_detection(tmp_path, text, kind):
    path = tmp_path / "corpus"
    path.write_text(text, encoding="utf-8")
    form = survey_corpus(path).format
    assert type(form) is kind
    assert form.detected


@pytest.mark.parametrize(("name", "code"), [("a.conllu", "DN234"), ("a.mrg", "DN235")])
def test_a_name_says_what_a_broken_file_should_be(tmp_path, name, code):
    (tmp_path / name).write_text("Ana O\n", encoding="utf-8")
    assert survey_corpus(tmp_path / name).errors[0].startswith(f"[{code}]")


@pytest.mark.parametrize(
    "options",
    [
        {"token_column": 2},
        {"token_column": 2, "tag_column": 10},
        {"token_column": 2, "annotations": {"ents": 10}},
        {"token_column": 2, "format": "columns"},
        {"delimiter": "tab", "token_column": 2},
    ],
)
def test_whoever_names_columns_means_a_column_file(tmp_path, options):
    path = tmp_path / "corpus.conllu"
    path.write_text(ROW, encoding="utf-8")
    (sentence,) = survey_corpus(path, **options).sentences()
    assert sentence.words == ["Ana"]
    assert sentence.layers == {"ents": ["B-PER"]}


def test_columns_of_a_format_that_has_none(tmp_path):
    path = tmp_path / "corpus.conllu"
    path.write_text(ROW, encoding="utf-8")
    for options in ({"tag_column": 4}, {"delimiter": "tab"}):
        with pytest.raises(CorpusError, match="DN239"):
            survey_corpus(path, format="conllu", **options)
    with pytest.raises(CorpusError, match="DN239"):
        survey_corpus(path, format="brackets", annotations={"tag": 4})
    with pytest.raises(CorpusError, match=r"DN238.*columns, conllu, brackets"):
        survey_corpus(path, format="conll")


def test_whoever_names_the_column_of_an_annotation_does_not_mean_trees(tmp_path):
    path = tmp_path / "corpus"
    path.write_text("( (S (NN Ana)) )\n", encoding="utf-8")
    assert isinstance(survey_corpus(path).format, Brackets)
    assert isinstance(survey_corpus(path, annotations={"tag": 2}).format, Columns)


def test_annotations_that_users_name():
    assert parse_annotations(["tag=2", "spans:chunks=-1", "pos", "spans:a=b=3"]) == {
        "tag": 2,
        "spans:chunks": -1,
        "pos": None,
        "spans:a=b": 3,
    }


@pytest.mark.parametrize("name", ["chunks", "spans", "spans:", "tag=x", "tag=", "ents=0", "TAG", ""])
def test_what_is_no_annotation(name):
    with pytest.raises(CorpusError, match="DN240"):
        parse_annotations([name])
