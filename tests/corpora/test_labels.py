"""Label maps: what they rename, take away and lack."""

from collections import Counter
from pathlib import Path

import pytest
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, parse_label_maps, read_docs, read_label_map, survey_corpus

MALFORMED = Path(__file__).parent / "malformed"
ASSETS = Path(__file__).parents[2] / "assets"
UPOS_2 = {"ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"} | {"PART", "PRON"}
UPOS_2 |= {"PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"}


@pytest.fixture
def write(tmp_path):
    def write(name, text):
        (tmp_path / name).write_text(text, encoding="utf-8")
        return tmp_path / name

    return write


def test_tags_become_parts_of_speech(write):
    corpus = write("corpus.tsv", "Ana\tNNP\nvive\tVBZ\n,\t,\neh\tUH\n")
    names = read_label_map(write("map.yaml", 'NNP: PROPN\nVBZ: VERB\n",": PUNCT\nUH: null\n'))
    survey = survey_corpus(corpus, annotations={"pos": None}, label_maps={None: names})
    assert survey.counts.layers["pos"].labels == {"PROPN": 1, "VERB": 1, "PUNCT": 1}
    assert survey.counts.missing("pos") == 1
    (doc,) = read_docs(corpus, Vocab(), annotations={"pos": None}, label_maps={"pos": names})
    assert [t.pos_ for t in doc] == ["PROPN", "VERB", "PUNCT", ""]


def test_several_kinds_with_a_map_each(write):
    corpus = write("corpus.conll", "Ana NNP B-NP\nvive VBZ B-VP\n")
    write("a.yaml", "NNP: PROPN\nVBZ: VERB\n")
    write("b.yaml", "NP: noun\nVP: ''\n")
    maps = parse_label_maps([f"pos={corpus.parent / 'a.yaml'}", f"spans:chunks={corpus.parent / 'b.yaml'}"])
    (doc,) = read_docs(corpus, Vocab(), annotations={"tag": 2, "pos": 2, "spans:chunks": 3}, label_maps=maps)
    assert [(t.tag_, t.pos_) for t in doc] == [("NNP", "PROPN"), ("VBZ", "VERB")]
    assert [(s.text, s.label_) for s in doc.spans["chunks"]] == [("Ana", "noun")]


def test_entities_that_get_one_name_stay_apart(write):
    # in IOB1 nothing but the labels tells these two apart
    corpus = write("corpus.conll", "Ana I-PER\nEFE I-ORG\n\nVigo I-LOC\nhoy -\n")
    names = read_label_map(write("map.yaml", "PER: X\nORG: X\nLOC: null\n"))
    docs = list(read_docs(corpus, Vocab(), label_maps={None: names}))
    assert [[(e.text, e.label_) for e in doc.ents] for doc in docs] == [[("Ana", "X"), ("EFE", "X")], []]
    assert [t.ent_iob_ for t in docs[1]] == ["O", ""]


def test_labels_that_the_map_lacks(write):
    corpus = write("corpus.conll", "Ana B-PER\nLuisa I-PER\nEFE B-ORG\n\nVigo B-LOC\nEva B-PER\n")
    names = read_label_map(write("map.yaml", "LOC: X\n"))
    survey = survey_corpus(corpus, label_maps={None: names})
    (error,) = survey.errors
    assert error.startswith(f"[DN237] {corpus}: the label map {names.path} lacks labels of ents")
    assert "'ORG': 1, first in line 3 (EFE); 'PER': 2, first in line 1 (Ana)." in error
    with pytest.raises(CorpusError, match="DN237"):
        list(survey.sentences())


def test_the_file_of_a_label_that_the_map_lacks(write):
    write("a.conll", "Ana B-PER\n")
    write("b.conll", "Ana B-PER\n\nEFE B-ORG\n")
    names = read_label_map(write("map.yaml", "PER: X\n"))
    survey = survey_corpus(names.path.parent / "*.conll", label_maps={None: names})
    assert f"'ORG': 1, first in {names.path.parent / 'b.conll'}, line 3 (EFE)." in survey.errors[0]


@pytest.mark.parametrize(("line", "expected"), [('"*": MISC', "MISC"), ('"*": "*"', "ORG"), ('"*": ~', None)])
def test_default(write, line, expected):
    corpus = write("corpus.conll", "Ana B-PER\nEFE B-ORG\n")
    names = read_label_map(write("map.yaml", f"PER: X\n{line}\n"))
    survey = survey_corpus(corpus, label_maps={None: names})
    assert survey.counts.layers["ents"].labels == Counter(filter(None, ["X", expected]))


def test_toml(write):
    names = read_label_map(write("map.toml", '# Penn\nNN = "NOUN"\n"," = "PUNCT"\nUH = ""\n"*" = "*"\n'))
    assert names.names == read_label_map(write("map.yaml", 'NN: NOUN\n",": PUNCT\nUH: null\n"*": "*"\n')).names
    assert [names.get(label) for label in ("NN", ",", "UH", "FW")] == ["NOUN", "PUNCT", "", "FW"]


@pytest.mark.parametrize(("name", "text"), [("map.toml", 'NN = "NOUN"'), ("map.yaml", "NN: NOUN")])
def test_byte_order_mark(write, name, text):
    assert read_label_map(write(name, "\ufeff" + text)).names == {"NN": "NOUN"}


def test_which_annotation_a_map_is_for(write):
    corpus = write("corpus.conll", "Ana NNP B-NP\n")
    names = read_label_map(write("map.yaml", "NNP: PROPN\n"))
    for maps in ({None: names}, {"pos": names}):
        with pytest.raises(CorpusError, match=r"DN241.*tag, spans:chunks"):
            survey_corpus(corpus, annotations={"tag": 2, "spans:chunks": 3}, label_maps=maps)


def test_new_names_must_be_possible(write):
    corpus = write("corpus.tsv", "Ana\tNNP\n")
    names = read_label_map(write("map.yaml", "NNP: PROPNOUN\n"))
    survey = survey_corpus(corpus, annotations={"pos": None}, label_maps={None: names})
    assert survey.errors[0].startswith("[DN243]")
    assert "line 1 (Ana PROPNOUN)" in survey.errors[0]


@pytest.mark.parametrize(
    ("name", "code", "fragment"),
    [
        ("list.yaml", "DN236", "list.yaml"),
        ("number.yaml", "DN236", "'NN': 1 is not text"),
        ("nothing.yaml", "DN236", "no lines"),
        ("twice.yaml", "DN236", 'duplicate key "NN"'),
        ("absent.yaml", "DN201", "absent.yaml"),
        ("table.toml", "DN236", "'tags': {'NN': 'NOUN'} is not text"),
        ("unquoted.toml", "DN236", "line 2"),
    ],
)
def test_files_that_are_no_map(name, code, fragment):
    with pytest.raises(CorpusError, match=rf"^\[{code}\] ") as caught:
        read_label_map(MALFORMED / name)
    assert fragment in str(caught.value)


def test_no_is_a_label(write):
    assert read_label_map(write("map.yaml", "NO: X\nY: ON\n")).names == {"NO": "X", "Y": "ON"}


def test_shipped_maps():
    penn = read_label_map(ASSETS / "ptb_to_upos.yaml")
    assert set(penn.names.values()) <= UPOS_2
    for tag, pos in {"NNS": "NOUN", "``": "PUNCT", "$": "SYM", "MD": "AUX", "(": "PUNCT", "CC": "CCONJ"}.items():
        assert penn.get(tag) == pos
    assert penn.get("NNX") is None
    versions = read_label_map(ASSETS / "ud1_to_ud2.yaml")
    assert [versions.get(tag) for tag in ("CONJ", "NOUN")] == ["CCONJ", "NOUN"]
