"""The documentation: its Python runs, its commands exist with their options, its names are registered."""

import json
import re
import shlex
from pathlib import Path

import pytest
import typer
from test_registry import ENTRY_POINTS

from spacy_datnet.cli import app

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(path for path in (ROOT / "docs").rglob("*.md") if path.parent.name != "reference")]
COMMANDS = typer.main.get_command(app).commands


def blocks(path: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf8"), flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("path", [path for path in PAGES if blocks(path, "python")], ids=lambda path: path.stem)
def test_python_runs(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    for block in blocks(path, "python"):
        exec(compile(block, str(path), "exec"), names)


def commands_of(path: Path) -> list[list[str]]:
    lines = "\n".join(blocks(path, "bash")).replace("\\\n", " ").splitlines()
    return [words[1:] for line in lines if (words := shlex.split(line, comments=True)) and words[0] == "spacy-datnet"]


@pytest.mark.parametrize("path", [path for path in PAGES if commands_of(path)], ids=lambda path: path.stem)
def test_commands_and_options_exist(path):
    for name, *arguments in commands_of(path):
        COMMANDS[name].make_context(name, arguments)


def test_a_wrong_option_is_found():
    with pytest.raises(Exception, match="No such option"):
        COMMANDS["convert"].make_context("convert", ["in", "out", "--wrong"])


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_names_are_registered(path):
    known = {name for _, name, _ in ENTRY_POINTS}
    named = set(re.findall(r"spacy-datnet\.\w+\.v\d+", path.read_text(encoding="utf8")))
    assert named <= known


def test_the_example_of_the_universe_runs(capsys):
    entry = json.loads((ROOT / "universe.json").read_text(encoding="utf8"))
    exec("\n".join(entry["code_example"]), {})
    shown = capsys.readouterr().out
    assert "('Ana', 'PER'" in shown and "('Lima', 'LOC'" in shown
