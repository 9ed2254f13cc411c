"""python -m spacy_datnet check."""

import pytest
from typer.testing import CliRunner

from spacy_datnet.cli import app


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    files = {
        "train": "Ana B-PER\n\nAna B-PER\n\nVigo B-LOC\nes O\n",
        "test": "Ana B-PER\n\nEFE B-ORG\n",
        "source": "Ann B-person\n",
        "broken": "Ana PROPN\n\nvive VERB\n\ncanta VERB\n",
    }
    for name, text in files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")

    def run(*arguments):
        return CliRunner().invoke(app, ["check", *arguments])

    return run


def test_counts(run):
    result = run("train", "--test", "test")
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["(1)", "target:", "train"] in rows
    assert ["(2)", "test:", "test"] in rows
    assert ["Sentences", "3", "2"] in rows
    assert ["Tokens", "4", "2"] in rows
    assert ["Tokens", "per", "sentence", "1.3", "1.0"] in rows
    assert ["Entities", "3", "2"] in rows
    assert ["PER", "2", "1"] in rows
    assert rows[-1] == ["No", "errors"]


def test_warnings_do_not_fail(run):
    result = run("--train", "train", "--test", "test", "--source", "source", "--max-length", "1")
    assert result.exit_code == 0
    for code in ("DN254", "DN255", "DN256", "DN257", "DN258"):
        assert f"Warning: [{code}]" in result.stderr


def test_errors_fail_after_all_files_were_seen(run):
    result = run("broken", "absent", "train", "--limit", "1")
    assert result.exit_code == 1
    assert "[DN212] broken: 3 token(s)" in result.stderr
    assert "line 1 (Ana PROPN) and 2 more" in result.stderr
    assert "[DN201] absent" in result.stderr
    assert "(3) target: train" in result.stdout
    assert "No errors" not in result.stdout


def test_nothing_to_check(run):
    result = run()
    assert result.exit_code == 1
    assert "DN229" in result.stderr


def test_tags(run, tmp_path):
    (tmp_path / "a.tsv").write_text("Ana\tNNP\nvive\tVBZ\n", encoding="utf-8")
    (tmp_path / "map.yaml").write_text("NNP: PROPN\n'*': VERB\n", encoding="utf-8")
    result = run("a.tsv", "--annotation", "pos", "--label-map", "map.yaml", "--format", "columns")
    assert result.exit_code == 0, result.output
    rows = [line.split() for line in result.stdout.splitlines()]
    assert ["Tags", "(pos)", "2"] in rows
    assert ["PROPN", "1"] in rows
    assert not [row for row in rows if "Entities" in row]
    result = run("a.tsv", "--annotation", "pos")
    assert result.exit_code == 1
    assert "[DN243] a.tsv: 2 token(s)" in result.stderr
