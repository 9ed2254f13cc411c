"""What is written for other tools is read back as it was."""

import json

import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.lang.xx import MultiLanguage
from spacy.tokens import Span
from spacy.tokens.underscore import Underscore
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_datnet.cli import app
from spacy_datnet.corpora import WRITERS, make_docs, survey_corpus, write_docbin

TOKENIZE = MultiLanguage().tokenizer
WORDS = [
    "Ana",
    "😀",
    "👩‍👩‍👧",
    "e\u0301l",
    "שלום",
    "🇳🇴",
    "Oslo.",
    "#",
    "-",
    " ",
    "\n",
    "\r\n",
    "\u2028",
    '"',
    ",",
    "\t",
    "\\n",
    "a|b_c[1]",
    "*",
    "_",
]


@st.composite
def documents(draw):
    """Draw Docs, one annotated at least, with entities that neither begin nor end with white space."""
    docs = []
    for n in range(draw(st.integers(1, 3))):
        doc = TOKENIZE(" ".join(draw(st.lists(st.sampled_from(WORDS), max_size=8))) if n else "Ana 😀 Gil")
        ents, last = [], 0
        while last < len(doc) and draw(st.booleans()):
            start = draw(st.integers(last, len(doc) - 1))
            last = draw(st.integers(start + 1, len(doc)))
            if not (doc[start].is_space or doc[last - 1].is_space):
                ents.append(Span(doc, start, last, label=draw(st.sampled_from(["PER", "a_b|c[2]*;"]))))
        if n == 0 and not ents:
            ents = [doc[1:3]]
            ents = [Span(doc, 2, 3, label="PER")]
        doc.set_ents(ents)
        docs.append(doc)
    return docs


TEXTS = {
    "prodigy": ".jsonl",
    "doccano": ".jsonl",
    "labelstudio": ".json",
    "brat": "",
    "webanno": "",
    "webanno in one": ".tsv",
}
TOKENS = {"hf": ".jsonl", "hf in parquet": ".parquet", "csv": ".csv", "conll": ".conll"}


def read_back(to, docs, path, **options):
    WRITERS[to].write(docs, path, True)
    survey = survey_corpus(path, **options)
    assert not survey.errors
    return survey, list(make_docs(survey.sentences(), Vocab()))


def texts_of(docs):
    return [(doc.text, [(e.start_char, e.end_char, e.label_) for e in doc.ents]) for doc in docs if len(doc)]


def rows_of(docs):
    rows = [[(t.text, t.ent_iob_, t.ent_type_) for t in doc if not t.is_space] for doc in docs]
    return [one for one in rows if one]


@pytest.mark.parametrize("name", [*TEXTS, *TOKENS])
@given(docs=documents())
@settings(max_examples=30)
def test_round_trip(tmp_path_factory, name, docs):
    to = name.split()[0]
    path = tmp_path_factory.mktemp("writers") / f"out{(TEXTS | TOKENS)[name]}"
    survey, found = read_back(to, docs, path)
    assert survey.format.name == {"conll": "columns"}.get(to, to)
    same = texts_of if name in TEXTS else rows_of
    assert same(found) == same(docs)
    WRITERS[to].write(docs, path, True)  # again, over what is there


@pytest.mark.parametrize("to", WRITERS)
def test_missing_annotation_and_what_else_a_record_says(tmp_path, to):
    docs = [TOKENIZE("Ana va"), TOKENIZE("Eva va")]
    docs[0].set_ents([Span(docs[0], 0, 1, label="PER")])
    docs[0].user_data["meta"] = {"id": 7, "source": "x"}
    _, found = read_back(to, docs, tmp_path / "out")
    assert [[t.ent_iob_ for t in doc] for doc in found] == [["B", "O"], ["", ""]]
    if to in ("prodigy", "doccano", "labelstudio"):
        assert found[0].user_data["meta"].items() >= {"id": 7, "source": "x"}.items()


@pytest.mark.parametrize("to", WRITERS)
def test_command(tmp_path, monkeypatch, to):
    monkeypatch.chdir(tmp_path)
    doc = TOKENIZE("Ana 😀 vive en Oslo.")
    doc.set_ents([Span(doc, 0, 1, label="PER"), Span(doc, 4, 5, label="LOC")])
    write_docbin([doc], tmp_path / "in.spacy")
    result = CliRunner().invoke(app, ["convert", "in.spacy", "out", "--to", to])
    assert result.exit_code == 0, result.output
    back = CliRunner().invoke(app, ["convert", "out", "back.spacy"])
    assert back.exit_code == 0, back.output
    assert "Entities    2: LOC 1, PER 1" in back.output
    assert CliRunner().invoke(app, ["convert", "in.spacy", "a", "out", "--to", to]).exit_code == 1


@pytest.mark.parametrize("to", WRITERS)
def test_what_is_annotated_in_part_is_said_where_it_is_lost(tmp_path, monkeypatch, to):
    monkeypatch.chdir(tmp_path)
    docs = [TOKENIZE("Ana vive"), TOKENIZE("Eva va a Lima")]
    docs[0].set_ents([Span(docs[0], 0, 1, label="PER")])
    docs[1].set_ents([Span(docs[1], 0, 1, label="PER")], missing=[docs[1][2:4]])
    write_docbin(docs, tmp_path / "in.spacy")
    result = CliRunner().invoke(app, ["convert", "in.spacy", "out", "--to", to])
    assert result.exit_code == 0, result.output
    assert ("document 2 (2 of 4 tokens)" in result.output) == (to in TEXTS)


@pytest.fixture
def pipeline(tmp_path):
    nlp = spacy.blank("xx", meta={"name": "ruler", "version": "1.2.0"})
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "PER", "pattern": "Ana"}])
    nlp.to_disk(tmp_path / "pipeline")
    return str(tmp_path / "pipeline")


@pytest.mark.parametrize("to", WRITERS)
def test_what_a_pipeline_predicts(tmp_path, pipeline, to):
    (tmp_path / "raw.jsonl").write_text('{"text": "Ana 😀 va", "id": 7}\n{"text": "Eva"}\n', encoding="utf-8")
    args = [str(tmp_path / "raw.jsonl"), str(tmp_path / "out"), "--pipeline", pipeline]
    result = CliRunner().invoke(app, ["convert", *args, "--to", to])
    assert result.exit_code == 0, result.output
    survey = survey_corpus(tmp_path / "out")
    assert survey.counts.layers["ents"].labels == {"PER": 1}
    if to == "labelstudio":
        first, _ = json.loads((tmp_path / "out").read_text(encoding="utf-8"))
        assert first["predictions"][0]["model_version"] == "xx_ruler 1.2.0"
        assert first["id"] == 7 and "annotations" not in first
    if to == "prodigy":
        assert "answer" not in (tmp_path / "out").read_text(encoding="utf-8")
    assert "DN288" in CliRunner().invoke(app, ["convert", *args[:1], "a.spacy", *args[2:]]).output


def test_scores_where_a_tool_has_room(tmp_path, monkeypatch):
    monkeypatch.setitem(Underscore.span_extensions, "confidence", (None, None, lambda span: 0.25, None))
    doc = TOKENIZE("Ana va")
    doc.ents = [Span(doc, 0, 1, label="PER")]
    doc.user_data["model"] = "x"
    WRITERS["labelstudio"].write([doc], tmp_path / "out.json", True)
    WRITERS["prodigy"].write([doc], tmp_path / "out.jsonl", True)
    prediction = json.loads((tmp_path / "out.json").read_text())[0]["predictions"][0]
    assert prediction["score"] == prediction["result"][0]["score"] == 0.25
    assert json.loads((tmp_path / "out.jsonl").read_text())["spans"][0]["score"] == 0.25
