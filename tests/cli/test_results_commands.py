"""The commands on a folder of runs: tables, figures, report."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from synthetic import make_results
from typer.testing import CliRunner

from spacy_datnet.cli import app

VARIANTS = {"base": (False, lambda n, seed: 0.3), "F": (True, lambda n, seed: 0.9)}


@pytest.fixture
def folder(tmp_path) -> Path:
    return make_results(tmp_path, VARIANTS, sizes=(10, 100)).folder


def call(*arguments) -> tuple[int, str]:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_tables(folder, tmp_path):
    code, output = call("tables", folder)
    assert code == 0 and output.startswith("| sentences | es: F1 of entities, % |") and "| to base |" in output
    assert "\\toprule" in call("tables", folder, "--format", "latex", "--base", "F")[1]
    path = tmp_path / "new" / "scores.csv"
    assert call("tables", folder, "--format", "csv", "-o", path)[0] == 0
    with path.open(encoding="utf8") as file:
        assert [(row["size"], row["variant"]) for row in csv.DictReader(file)] == [
            ("10", "base"),
            ("10", "F"),
            ("100", "base"),
            ("100", "F"),
        ]


def test_figures(folder, tmp_path):
    code, output = call("figures", folder, tmp_path / "figures", "--format", "svg")
    assert code == 0
    names = sorted(path.name for path in (tmp_path / "figures").iterdir())
    assert names == [f"es-{name}.svg" for name in ("discriminator", "learning", "reliability", "variants")]
    assert output.count("Wrote") == 4


def test_report(folder, tmp_path):
    code, output = call("report", folder, "-o", tmp_path / "new" / "report.html")
    assert code == 0 and "Wrote" in output
    assert "Does the source help?" in (tmp_path / "new" / "report.html").read_text(encoding="utf8")


@pytest.mark.parametrize("command", [["tables"], ["report"], ["figures"]])
def test_mistakes_are_messages(command, folder, tmp_path):
    rest = [tmp_path / "out"] if command == ["figures"] else []
    code, output = call(*command, tmp_path / "nothing", *rest)
    assert code == 1 and "[DN309]" in output
    code, output = call(*command, folder, *rest, "--base", "Q")
    assert code == 1 and "[DN310]" in output and "base, F" in output


def test_tables_on_a_terminal_that_has_no_minus_sign(tmp_path):
    """The difference of the second variant is negative, and cp1252 has no U+2212."""
    folder = make_results(tmp_path, dict(reversed(VARIANTS.items())), sizes=(10,)).folder
    command = [sys.executable, "-m", "spacy_datnet", "tables", str(folder)]
    result = subprocess.run(command, capture_output=True, env={**os.environ, "PYTHONIOENCODING": "cp1252"})
    assert result.returncode == 0, result.stderr
    assert re.search(r"\| base \| [\d.]+ ± [\d.]+ \| 2 \| -\d+\.\d\d \|", result.stdout.decode("cp1252"))


@pytest.mark.parametrize("command", [["tables"], ["report"], ["figures"]])
@pytest.mark.parametrize("name", ["grid.json", "manifest.jsonl"])
def test_damaged_files_are_messages(command, name, folder, tmp_path):
    (folder / name).write_text("[]\n")
    code, output = call(*command, folder, *([tmp_path / "out"] if command == ["figures"] else []))
    assert code == 1 and "[DN3" in output and name in output


def test_a_place_that_can_not_be_written_to_is_a_message(folder, tmp_path):
    (tmp_path / "file").touch()
    for command in (
        ["figures", folder, tmp_path / "file" / "out"],
        ["tables", folder, "-o", tmp_path / "file" / "out"],
    ):
        code, output = call(*command)
        assert code == 1 and "Error: [DN" in output and "file" in output
