"""Grids: which runs they mean, what is wrong with them."""

from pathlib import Path

import pytest

from spacy_datnet.experiments import ExperimentError
from spacy_datnet.experiments.grid import read_grid

GRID = """
title: Two languages
corpora:
  es: {nlp.lang: es, source: en.spacy, train: es.spacy, dev: es-dev.spacy, test: es-test.spacy, vectors: es-vectors}
  nl: {nlp.lang: nl, source: en.spacy, train: nl.spacy, dev: nl-dev.spacy, test: nl-test.spacy, vectors: nl-vectors}
overrides: {training.dropout: 0.4, training.max_steps: 50}
overrides_by_size:
  100: {training.max_steps: 70}
variants:
  base: {config: base.cfg}
  F: {config: f.cfg, overrides: {training.max_steps: 60}, overrides_by_size: {0.5: {training.max_steps: 80}}}
sizes: [10, 100, 0.5, all]
seeds: [3, 4]
paper:
  base: {10: 21.53}
"""
CONFIGS = {
    "base.cfg": "[paths]\ntrain = null\ndev = null\nvectors = null\n",
    "f.cfg": "[paths]\nsource = null\ntrain = null\ndev = null\n",
}


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in CONFIGS.items():
        Path(name).write_text(text)
    return tmp_path


def read(text: str = GRID):
    Path("grid.yaml").write_text(text)
    return read_grid(Path("grid.yaml"))


def test_every_combination_is_a_run():
    grid = read()
    assert grid.title == "Two languages" and grid.paper == {"base": {10: 21.53}}
    assert [run.name for run in grid.runs[:3]] == ["es base 10 seed 3", "es base 10 seed 4", "es base 100 seed 3"]
    assert len({(run.corpora, run.variant, run.size, run.seed) for run in grid.runs}) == len(grid.runs) == 32


def find(corpora, variant, size, seed=3):
    (run,) = [
        run for run in read().runs if (run.corpora, run.variant, run.size, run.seed) == (corpora, variant, size, seed)
    ]
    return run


def test_paths_are_those_that_the_config_has():
    base, full = find("nl", "base", 10), find("nl", "F", 10)
    assert {name for name in base.overrides if name.startswith("paths.")} == {
        "paths.train",
        "paths.dev",
        "paths.vectors",
    }
    assert {name for name in full.overrides if name.startswith("paths.")} == {
        "paths.source",
        "paths.train",
        "paths.dev",
    }
    assert base.overrides["paths.train"] == "nl.spacy" and base.test == Path("nl-test.spacy")
    assert base.overrides["nlp.lang"] == "nl"


@pytest.mark.parametrize(
    ("size", "count", "ratio"), [(10, 10, None), (100, 100, None), (0.5, None, 0.5), ("all", None, None)]
)
def test_sizes_are_counts_or_shares(size, count, ratio):
    overrides = find("es", "base", size).overrides
    assert overrides["corpora.train.target_count"] == count
    assert overrides["corpora.train.target_ratio"] == ratio


def test_the_seed_is_that_of_the_training_and_of_the_choice():
    overrides = find("es", "base", 10, seed=4).overrides
    assert overrides["system.seed"] == overrides["corpora.train.seed"] == 4


@pytest.mark.parametrize(
    ("variant", "size", "steps"),
    [("base", 10, 50), ("base", 100, 70), ("F", 10, 60), ("F", 100, 70), ("F", 0.5, 80), ("base", 0.5, 50)],
)
def test_the_nearer_setting_goes_before(variant, size, steps):
    overrides = find("es", variant, size).overrides
    assert overrides["training.max_steps"] == steps
    assert overrides["training.dropout"] == 0.4


def test_a_run_is_known_by_all_that_decides_about_it(folder):
    runs = read().runs
    assert len({run.key for run in runs}) == len(runs)
    assert [run.key for run in read().runs] == [run.key for run in runs]
    keys = {(run.variant, run.name): run.key for run in runs}
    Path("f.cfg").write_text(CONFIGS["f.cfg"] + "\n[training]\ndropout = 0.1\n")
    for run in read(GRID.replace("es-test", "es-other")).runs:
        same = run.variant == "base" and run.corpora == "nl"
        assert (run.key == keys[run.variant, run.name]) == same


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[", "DN301.*grid.yaml"),
        ("- 1", "DN302.*the grid"),
        (GRID.replace("seeds:", "seed:"), "DN302.*the grid, missing: seeds; unknown: seed"),
        (GRID.replace("seeds: [3, 4]", "seeds: []"), "DN302.*the grid, missing: seeds"),
        (GRID.replace("train: nl.spacy, ", ""), "DN302.*corpora nl, missing: train"),
        (
            GRID.replace("{config: base.cfg}", "{configs: base.cfg}"),
            "DN302.*variant base, missing: config; unknown: configs",
        ),
        (GRID.replace("base.cfg", "other.cfg"), "DN303.*other.cfg"),
        (GRID.replace("[10,", "[-1,"), "DN304.*-1 is not a size"),
        (GRID.replace("0.5, all", "1.5, all"), "DN304.*1.5 is not a size"),
        (GRID.replace("0.5, all", "0.5, every"), "DN304.*'every' is not a size"),
        (GRID.replace("[10,", "[true,"), "DN304.*True is not a size"),
    ],
)
def test_a_mistake_is_named(text, message):
    with pytest.raises(ExperimentError, match=message):
        read(text)


def test_a_grid_that_is_not_there_is_named():
    with pytest.raises(ExperimentError, match=r"DN301.*nothing.yaml"):
        read_grid(Path("nothing.yaml"))
