"""python -m spacy_datnet convert."""

import subprocess
import sys

import pytest
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_datnet.cli import app

CORPUS = "-DOCSTART- -X- O\n\nAna NNP I-PER\nvive VBZ O\n\nen IN O\nVigo NNP I-LOC\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(app, ["convert", *arguments])

    return run


def test_converts_and_says_what_it_found(run, tmp_path):
    (tmp_path / "in.conll").write_text(CORPUS, encoding="utf-8")
    result = run("in.conll", "out.spacy", "--lang", "es")
    assert result.exit_code == 0, result.output
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines() if line]
    assert [[name, text.strip()] for name, text in lines] == [
        ["Encoding", "utf-8 (detected)"],
        ["Columns", "3, separated by spaces; tokens in 1, tags in 3"],
        ["Scheme", "IOB1 (prefixes I)"],
        ["Documents", "1"],
        ["Sentences", "2"],
        ["Tokens", "4"],
        ["Entities", "2: LOC 1, PER 1"],
        ["Wrote", "out.spacy"],
    ]
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Ana", "PER"), ("Vigo", "LOC")]
    assert len(list(doc.sents)) == 2


def test_options(run, tmp_path):
    (tmp_path / "in.tsv").write_bytes("S-X\tpeña\tx\nO\ty\tx\n".encode("cp1252"))
    options = "--token-column 2 --tag-column -3 --encoding cp1252 --delimiter tab --scheme bioes"
    result = run("in.tsv", "out.spacy", *options.split())
    assert result.exit_code == 0, result.output
    assert "cp1252 (as named)" in result.stdout
    assert "BIOES (prefixes S)" in result.stdout
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
    assert [ent.text for ent in doc.ents] == ["peña"]


def test_repair_is_shown_and_no_error(run, tmp_path):
    (tmp_path / "in.conll").write_text("Ana B-PER\n\n" * 10 + "Ana I-PER\n", encoding="utf-8")
    result = run("in.conll", "out.spacy")
    assert result.exit_code == 0
    assert "[DN251] in.conll: 1 tag(s) break IOB2" in result.stderr
    assert "line 21 (Ana I-PER)" in result.stderr


def test_missing_annotation_is_counted(run, tmp_path):
    (tmp_path / "in.conll").write_text("Ana -\nvive O\n", encoding="utf-8")
    result = run("in.conll", "out.spacy")
    assert result.exit_code == 0
    assert "2, 1 of them not annotated" in result.stdout
    assert "DN253" in result.stderr
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
    assert [token.ent_iob for token in doc] == [0, 2]


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (None, ["in.conll", "out.spacy"], "DN201"),
        ("", ["in.conll", "out.spacy"], "DN207"),
        ("Ana NNP O\nvive O\nen IN O\n", ["in.conll", "out.spacy"], "DN208"),
        ("Ana PROPN\n", ["in.conll", "out.spacy"], "DN212"),
        ("Ana B-PER\n", ["in.conll", "."], "DN219"),
        ("Ana B-PER\n", ["in.conll", "in.conll"], "DN220"),
        ("Ana B-PER\n", ["in.conll", "out"], "DN232"),
        ("Ana B-PER\n", ["in.conll", "out.spacy", "--lang", "qq"], "DN222"),
        ("Ana B-PER\n", ["in.conll", "out.spacy", "--encoding", "utf-9"], "DN204"),
    ],
)
def test_errors_leave_nothing_behind(run, tmp_path, text, arguments, code):
    if text is not None:
        (tmp_path / "in.conll").write_text(text, encoding="utf-8")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: [{code}] ")
    assert "Traceback" not in result.output
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_as_a_module(tmp_path):
    (tmp_path / "in.conll").write_text(CORPUS, encoding="utf-8")
    command = [sys.executable, "-m", "spacy_datnet", "convert", "in.conll", "out.spacy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.spacy").exists()
    command[-2] = "absent.conll"
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: [DN201] absent.conll")
