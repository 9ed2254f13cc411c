"""By what a run is known: its settings, and what is in the files that it reads."""

import os
from pathlib import Path

import pytest
from typer.testing import CliRunner

from spacy_datnet.cli import app
from spacy_datnet.experiments.grid import read_grid
from spacy_datnet.experiments.manifest import Manifest
from spacy_datnet.experiments.runs import digest

GRID = """
corpora:
  es: {source: en.spacy, train: es.spacy, dev: es-dev.spacy, test: es-test.spacy, vectors: vectors, features: cache}
variants: {F: {config: f.cfg}}
sizes: [1, 1.0]
seeds: [0]
"""
CONFIG = "[paths]\nsource = null\ntrain = null\ndev = null\nvectors = null\nfeatures = null\n"
FILES = ["en.spacy", "es.spacy", "es-dev.spacy", "es-test.spacy", "vectors/vectors", "vectors/strings.json"]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("f.cfg").write_text(CONFIG)
    Path("grid.yaml").write_text(GRID)
    for name in ("vectors", "cache"):
        Path(name).mkdir()
    for name in FILES:
        Path(name).write_text(f"what is in {name}")
    return tmp_path


def runs():
    return read_grid(Path("grid.yaml")).runs


def dry() -> str:
    result = CliRunner().invoke(app, ["run", "grid.yaml", "runs", "--dry"])
    assert result.exit_code == 0, result.output
    return result.output


def test_one_sentence_and_all_of_them_are_two_runs():
    one, everything = runs()
    assert one.key != everything.key
    assert one.overrides["corpora.train.target_count"] == 1 and everything.overrides["corpora.train.target_ratio"] == 1
    assert dry().splitlines() == ["2 runs, 0 of them done", "es F 1 seed 0", "es F 1.0 seed 0"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_changed_makes_another_run(name):
    for run in runs():
        Manifest(Path("runs")).add({**run.facts(), "error": None})
    assert "2 runs, 2 of them done" in dry()
    text = Path(name).read_text()
    Path(name).write_text(text[::-1])
    assert "2 runs, 0 of them done" in dry()
    Path(name).write_text(text)
    os.utime(name, (0, 0))
    assert "2 runs, 2 of them done" in dry()


def test_names_and_caches_do_not_count(folder):
    keys = [run.key for run in runs()]
    Path("cache/features.bin").write_text("computed by a run")
    Path("es.spacy").rename("other.spacy")
    Path("grid.yaml").write_text(GRID.replace("train: es.spacy", "train: other.spacy"))
    assert [run.key for run in runs()] == keys
    Path("vectors/strings.json").rename("vectors/key2row")
    assert not set(keys) & {run.key for run in runs()}


def test_a_record_that_does_not_know_the_content_is_known_by_names_and_this_is_said():
    first, second = runs()
    for run, key in ((first, first.key_by_names), (second, second.key)):
        facts = {name: value for name, value in run.facts().items() if name != "files"}
        Manifest(Path("runs")).add({**facts, "key": key, "error": None})
    output = dry()
    assert "2 runs, 2 of them done" in output and "2 of them are known by the names" in output
    # a record that knows the content of others is no record of this run
    Manifest(Path("others")).add({**first.facts(), "key": first.key_by_names, "files": {"test": "x"}, "error": None})
    assert first.key_in(Manifest(Path("others")).latest()) == first.key


def test_files_that_are_not_there_are_known_by_their_names():
    keys = [run.key for run in runs()]
    Path("es-dev.spacy").unlink()
    missing = [run.key for run in runs()]
    assert not set(keys) & set(missing)
    Path("grid.yaml").write_text(GRID.replace("es-dev", "no-dev"))
    assert not set(missing) & {run.key for run in runs()}


def test_a_digest_is_that_of_the_content(tmp_path):
    import hashlib

    path = tmp_path / "big"
    path.write_bytes(os.urandom(2**21 + 7))
    assert digest(path) == hashlib.sha256(path.read_bytes()).hexdigest()
