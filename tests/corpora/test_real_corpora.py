"""The published corpora: sentences, tokens, entities, scheme, and their known slips."""

import re
import zipfile
from collections import Counter

import pytest
from spacy.training.converters import conllu_to_docs

from spacy_datnet.corpora import survey_corpus

ES, NL = (f"raw/nltk/conll2002.zip:conll2002/{language}" for language in ("esp", "ned"))

CORPORA = [
    (f"{ES}.train", "iob2", 8_323, 8_323, 264_715, 18_798, "line 221619 (San I-LOC)"),
    (f"{ES}.testa", "iob2", 1_915, 1_915, 52_923, 4_352, "line 30882 (Río I-LOC)"),
    (f"{ES}.testb", "iob2", 1_517, 1_517, 51_533, 3_559, "line 9291 (Calidad I-MISC)"),
    (f"{NL}.train", "iob2", 287, 15_806, 202_644, 13_344, None),
    ("raw/conll2003/eng.train", "iob1", 946, 14_041, 203_621, 23_499, "line 152428"),
    ("raw/conll2003/eng.testa", "iob1", 216, 3_250, 51_362, 5_942, None),
    ("raw/conll2003/eng.testb", "iob1", 231, 3_453, 46_435, 5_648, None),
    ("raw/wnut16/train", "iob2", 2_394, 2_394, 46_469, 1_496, None),
    ("raw/wnut16/dev", "iob2", 1_000, 1_000, 16_261, 661, None),
    ("raw/wnut16/test", "iob2", 3_850, 3_850, 61_908, 3_473, None),
]


@pytest.mark.real
@pytest.mark.parametrize(("name", "scheme", "documents", "sentences", "tokens", "entities", "slip"), CORPORA)
def test_counts(real_data, name, scheme, documents, sentences, tokens, entities, slip):
    survey = survey_corpus(f"{real_data}/{name}")
    counts = survey.counts
    assert not survey.errors
    assert survey.schemes == {"ents": scheme}
    assert (counts.documents, counts.sentences) == (documents, sentences)
    assert (counts.tokens, counts.layers["ents"].total) == (tokens, entities)
    if slip is None:
        assert not survey.warnings
    else:
        (warning,) = survey.warnings
        assert slip in warning


UD = ["bg_btb-r1.2", "de_gsd-r1.2", "en_ewt-r1.2", "eu_bdt-r1.2", "gl_treegal", "id_gsd-r1.2", "it_partut"]
UD += ["nl_lassysmall-r1.4", "pt_bosque-r1.2", "sv_lines-2019"]


@pytest.mark.real
@pytest.mark.parametrize("treebank", UD)
def test_universal_dependencies(real_data, treebank):
    paths = sorted((real_data / "raw" / "ud" / treebank).glob("*.conllu"))
    assert paths
    for path in paths:
        text = path.read_text(encoding="utf-8")
        survey = survey_corpus(path)
        assert not survey.errors
        assert survey.counts.sentences == len(re.findall(r"^1\t", text, re.M))
        assert survey.counts.tokens == len(re.findall(r"^[0-9]+\t", text, re.M))
        rows = re.findall(r"^[0-9]+\t[^\t]*\t[^\t]*\t([^\t]*)\t([^\t]*)", text, re.M)
        assert survey.counts.layers["pos"].labels == Counter(pos for pos, _ in rows)
        tags = Counter(tag for _, tag in rows if tag != "_")
        assert ("tag" in survey.format.kinds) == bool(tags)
        assert not tags or survey.counts.layers["tag"].labels == tags


@pytest.mark.real
@pytest.mark.parametrize("treebank", ["en_ewt-r1.2", "it_partut", "sv_lines-2019"])
def test_universal_dependencies_as_the_converter_of_spacy(real_data, treebank):
    path = real_data / "raw" / "ud" / treebank / "dev.conllu"
    theirs = conllu_to_docs(path.read_text(encoding="utf-8"), n_sents=1, no_print=True)
    ours = survey_corpus(path).sentences()
    for doc, sentence in zip(theirs, ours, strict=True):
        assert sentence.words == [token.text for token in doc]
        assert sentence.layers["pos"] == [token.pos_ for token in doc]
        assert sentence.spaces == [bool(token.whitespace_) for token in doc]


@pytest.mark.real
def test_penn_treebank(real_data):
    archive = real_data / "raw" / "nltk" / "treebank.zip"
    with zipfile.ZipFile(archive) as file:
        names = [name for name in file.namelist() if re.search(r"combined/.*\.mrg$", name)]
        text = "".join(file.read(name).decode() for name in names)
    leaves = re.findall(r"\(([^\s()]+) ([^\s()]+)\)", text)
    counts = survey_corpus(f"{archive}:treebank/combined/*.mrg").counts
    assert (counts.documents, counts.sentences, counts.tokens) == (199, 3_914, 94_084)
    expected = Counter({"-LRB-": "(", "-RRB-": ")"}.get(tag, tag) for tag, _ in leaves if tag != "-NONE-")
    assert counts.layers["tag"].labels == expected


@pytest.mark.real
@pytest.mark.parametrize(("part", "sentences", "tokens"), [("train", 8_936, 211_727), ("test", 2_012, 47_377)])
def test_chunks(real_data, part, sentences, tokens):
    archive = real_data / "raw" / "nltk" / "conll2000.zip"
    with zipfile.ZipFile(archive) as file:
        text = file.read(f"conll2000/{part}.txt").decode()
    counts = survey_corpus(f"{archive}:conll2000/{part}.txt", annotations={"tag": 2, "spans:chunks": 3}).counts
    assert (counts.sentences, counts.tokens) == (sentences, tokens)
    assert counts.layers["tag"].labels == Counter(re.findall(r"^\S+ (\S+) ", text, re.M))
    assert counts.layers["spans:chunks"].labels == Counter(re.findall(r" B-(\S+)", text))


@pytest.mark.real
@pytest.mark.parametrize(
    ("name", "sentences"),
    [("da_ddt-bplank.train", 4_868), ("da_ddt-bplank.dev", 322), ("en_ewt-compact.train", 12_543)],
)
def test_columns_of_parts_of_speech(real_data, name, sentences):
    path = real_data / "columns" / f"udpos-{name}"
    counts = survey_corpus(path, annotations={"pos": None}).counts
    assert counts.sentences == sentences
    assert counts.layers["pos"].labels == Counter(re.findall(r"\t(\S+)$", path.read_text(encoding="utf-8"), re.M))
