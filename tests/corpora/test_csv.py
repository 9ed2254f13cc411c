"""Tables with a header: a token per line, a sentence per line, and what is wrong with them."""

import pytest

from spacy_datnet.corpora import CorpusError, survey_corpus
from spacy_datnet.corpora.formats.columns import Columns
from spacy_datnet.corpora.formats.csv import Csv

KAGGLE = (
    'Sentence #,Word,POS,Tag\nSentence: 1,Ana,NNP,B-per\n,",",VBZ,O\n,"""",IN,O\n,Oslo,NNP,B-geo\nSentence: 2,Sí,UH,O\n'
)
EXPECTED = [(["Ana", ",", '"', "Oslo"], ["B-per", "O", "O", "B-geo"]), (["Sí"], ["O"])]


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8", name="corpus.csv"):
        path = tmp_path / name
        path.write_bytes(text.encode(encoding))
        return path

    return write


def look(path, **options):
    survey = survey_corpus(path, **options)
    assert not survey.errors
    assert isinstance(survey.format, Csv)
    return [(s.words, s.layers["ents"]) for s in survey.sentences()]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_a_token_per_line(write, encoding, line_end):
    assert look(write(KAGGLE.replace("\n", line_end), encoding)) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        'sentence_id;token;tag\n1;Ana;B-per\n1;\',\';O\n1;"""";O\n1;Oslo;B-geo\n2;Sí;O\n'.replace("','", ","),
        'token\tner\nAna\tB-per\n,\tO\n""""\tO\nOslo\tB-geo\n\nSí\tO\n',
        'Word,Tag\nAna,B-per\n",",O\n"""",O\nOslo,B-geo\n,\nSí,O\n',
    ],
)
def test_separators_and_ends_of_sentences(write, text):
    assert look(write(text)) == EXPECTED


@pytest.mark.parametrize(
    "text",
    [
        "text,labels\nAna vive en Oslo,B-per O O B-geo\nSí,O\n",
        'sentence,word_labels\nAna vive en Oslo,"B-per,O,O,B-geo"\nSí,O\n',
        "Sentence #,Sentence,POS,Tag\nSentence: 1,Ana vive en Oslo,\"['a', 'b']\",\"['B-per', 'O', 'O', 'B-geo']\"\n"
        "Sentence: 2,Sí,\"['a']\",['O']\n",
        "tokens,ner_tags\n\"['Ana', 'vive', \"\"en\"\", 'Oslo']\",\"['B-per', 'O', 'O', 'B-geo']\"\n['Sí'],['O']\n",
    ],
)
def test_a_sentence_per_line(write, text):
    assert look(write(text)) == [(["Ana", "vive", "en", "Oslo"], ["B-per", "O", "O", "B-geo"]), (["Sí"], ["O"])]


def test_other_annotation(write):
    survey = survey_corpus(write(KAGGLE), annotations={"tag": None, "ents": 4})
    (first, _) = survey.sentences()
    assert first.layers == {"tag": ["NNP", "VBZ", "IN", "NNP"], "ents": ["B-per", "O", "O", "B-geo"]}
    assert list(first.lines) == [2, 3, 4, 5]


def test_columns_that_have_no_usual_name(write):
    path = write("a,b,c\nx,y,O\nz,w,B-X\n")
    with pytest.raises(CorpusError, match=r"DN265.*1 a, 2 b, 3 c.*--token-column"):
        survey_corpus(path)
    assert look(path, token_column=1, tag_column=-1) == [(["x", "z"], ["O", "B-X"])]
    with pytest.raises(CorpusError, match="DN209"):
        survey_corpus(path, token_column=4, tag_column=3)
    with pytest.raises(CorpusError, match="DN210"):
        survey_corpus(path, token_column=3, tag_column=3)


def test_lines_that_are_no_rows(write):
    survey = survey_corpus(write("word,tag\nAna,B-PER\nvive\n\nEva,B-PER\n\n,O\n"))
    assert [error[1:6] for error in survey.errors] == ["DN266", "DN217"]
    assert "line 3 (1 fields" in survey.errors[0]
    assert survey.counts.sentences == 1
    (error,) = survey_corpus(write("text,labels\nAna vive,B-PER O\nEva va,O\n")).errors
    assert "line 3 (2 tokens" in error


def test_commas_do_not_make_a_table(write):
    for text in ("Ana O\n, O\n, O\n", ",\tO\n,\tO\n", "1,5\tO\n2,5\tO\n"):
        assert isinstance(survey_corpus(write(text)).format, Columns)
