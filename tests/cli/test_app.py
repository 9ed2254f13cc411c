"""The application: what all commands do alike."""

import os
import subprocess
import sys
from typing import get_args

import pytest
import spacy
import typer

from spacy_datnet.bulk import ENGINES
from spacy_datnet.bulk import FORMATS as SHARD_FORMATS
from spacy_datnet.cli import _options, app
from spacy_datnet.corpora import DELIMITERS, FORMATS, SCHEMES, WRITERS
from spacy_datnet.experiments.tables import FORMATS as TABLE_FORMATS
from spacy_datnet.project import recipe

COMMANDS = sorted(typer.main.get_command(app).commands)


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    """Run a command in a process of its own."""
    command = [sys.executable, "-m", "spacy_datnet", *arguments]
    return subprocess.run(command, capture_output=True, env={**os.environ, **environment}, timeout=120)


def test_help_imports_nothing_heavy():
    code = f"""
import sys
from spacy_datnet.cli import app
for command in {[[], *([name] for name in COMMANDS)]!r}:
    try:
        app([*command, "--help"])
    except SystemExit as stop:
        assert stop.code == 0
heavy = {{"spacy", "torch", "thinc", "numpy", "pandas", "ray", "matplotlib", "jinja2"}} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True, stdout=subprocess.DEVNULL)


def test_the_console_script_is_the_module():
    (script,) = spacy.util.importlib_metadata.entry_points(group="console_scripts", name="spacy-datnet")
    assert script.load() is app
    code = "import sys; sys.argv[:] = ['/usr/bin/spacy-datnet', '--help']; from spacy_datnet.cli import app; app()"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.startswith("Usage: spacy-datnet [OPTIONS]")
    assert run("--help").stdout.decode().startswith("Usage: python -m spacy_datnet [OPTIONS]")


def test_choices_are_what_the_package_offers():
    for options, offered in (
        (_options.Format, FORMATS),
        (_options.Scheme, SCHEMES),
        (_options.ExportFormat, tuple(WRITERS)),
        (_options.ShardFormat, tuple(SHARD_FORMATS)),
        (_options.Engine, tuple(ENGINES)),
        (_options.Delimiter, DELIMITERS),
        (_options.TableFormat, TABLE_FORMATS),
        (_options.Task, get_args(recipe.Task)),
        (_options.Transfer, get_args(recipe.Transfer)),
        (_options.Features, get_args(recipe.Features)),
    ):
        assert list(get_args(options)) == list(offered)


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_the_terminal_cannot_show_is_escaped(encoding, tmp_path):
    def escaped(text: str) -> bytes:
        # click takes ASCII for a mistake, and writes UTF-8
        return text.encode("utf8" if encoding == "ascii" else encoding, errors="backslashreplace")

    path, out = tmp_path / "korpüs.conll", tmp_path / "out.spacy"
    path.write_text("Łódź B-МЕСТО\nist O\n\n", encoding="utf8")
    commands = [(["convert", path.name, str(out)], 1)]  # there is no such file here
    commands += [(["convert", str(path), str(out)], 0), (["check", str(out)], 0)]
    commands += [([command, "--help"], 0) for command in COMMANDS]
    code = f"""
from spacy_datnet.cli import app
for command, expected in {commands!r}:
    try:
        app(command)
    except SystemExit as stop:
        assert stop.code == expected, command
"""
    environment = {**os.environ, "PYTHONIOENCODING": encoding}
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environment)
    assert shown.returncode == 0 and b"Traceback" not in shown.stderr, shown.stderr
    assert escaped("korpüs") in shown.stderr
    assert shown.stdout.count(escaped("МЕСТО")) >= 2
