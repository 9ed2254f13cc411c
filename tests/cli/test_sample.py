"""python -m spacy_datnet sample."""

import pytest
from typer.testing import CliRunner

from spacy_datnet.cli import app


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "".join(f"w{i} B-X\n\n" for i in range(30))
    (tmp_path / "in.conll").write_text(text, encoding="utf-8")

    def run(*arguments):
        return CliRunner().invoke(app, ["sample", *arguments])

    return run


def test_sample_and_ids(run, tmp_path):
    result = run("in.conll", "out.conll", "--count", "5", "--seed", "1", "--ids", "ids.txt")
    assert result.exit_code == 0, result.output
    assert result.stdout == "Wrote 5 sentences to out.conll\n"
    ids = (tmp_path / "ids.txt").read_text(encoding="utf-8").split()
    assert len(ids) == 5
    text = "".join(f"w{i} B-X\n\n" for i in ids)
    assert (tmp_path / "out.conll").read_text(encoding="utf-8") == text


def test_ratio(run):
    result = run("in.conll", "out.conll", "--ratio", "0.1", "--seed", "1")
    assert "Wrote 3 sentences" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["in.conll", "out.conll"], "DN223"),
        (["in.conll", "out.conll", "--count", "31"], "DN225"),
        (["in.conll", "out.conll", "--ratio", "2"], "DN224"),
        (["in.conll", "in.conll", "--count", "3"], "DN220"),
        (["in.conll", "out.spacy", "--count", "3"], "DN226"),
        (["absent", "out.conll", "--count", "3"], "DN201"),
        (["in.conll", "out.conll", "--count", "3", "--ids", "out.conll"], "DN220"),
    ],
)
def test_errors_leave_nothing_behind(run, tmp_path, arguments, code):
    result = run(*arguments, "--seed", "1")
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: [{code}] ")
    assert [path.name for path in tmp_path.iterdir()] == ["in.conll"]


def test_rest(run, tmp_path):
    result = run("in.conll", "out.conll", "--count", "5", "--seed", "1", "--rest", "rest.conll")
    assert result.exit_code == 0, result.output
    assert result.stdout == "Wrote 5 sentences to out.conll, and the others to rest.conll\n"
    parts = [(tmp_path / name).read_text(encoding="utf-8").split("\n\n")[:-1] for name in ("out.conll", "rest.conll")]
    assert [len(part) for part in parts] == [5, 25]
    assert sorted(parts[0] + parts[1]) == sorted(f"w{i} B-X" for i in range(30))
    assert parts[1] == sorted(parts[1], key=lambda row: int(row[1:-4]))


@pytest.mark.parametrize(("rest", "code"), [("out.conll", "DN220"), ("in.conll", "DN220"), ("x.spacy", "DN226")])
def test_impossible_rest(run, tmp_path, rest, code):
    result = run("in.conll", "out.conll", "--count", "5", "--seed", "1", "--rest", rest)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: [{code}] ")
    assert [path.name for path in tmp_path.iterdir()] == ["in.conll"]
