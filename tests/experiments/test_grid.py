"""Grids: which runs they mean, what is wrong with them."""

import json
import os
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
    assert grid.title == "Two languages"
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
    Path("f.cfg").write_text(CONFIGS["f.cfg"] + "\n[training]\npatience = 7\n")
    for run in read(GRID.replace("es-test", "es-other")).runs:
        same = run.variant == "base" and run.corpora == "nl"
        assert (run.key == keys[run.variant, run.name]) == same


def test_a_comment_in_a_config_makes_no_other_run(folder):
    keys = [run.key for run in read().runs]
    Path("f.cfg").write_text("# what it is for\n" + CONFIGS["f.cfg"].replace("\n", "\n\n"))
    assert [run.key for run in read().runs] == keys


def test_an_override_that_changes_nothing_makes_no_other_run(folder):
    keys = [run.key for run in read().runs]
    Path("f.cfg").write_text(CONFIGS["f.cfg"] + "\n[training]\nseed = ${system.seed}\nshare = 0.5\nlabels = null\n")
    plain = [run.key for run in read().runs]
    assert plain != keys
    for name, value, same in [
        ("share", 0.5, True),
        ("share", 0.4, False),
        ("labels", None, True),
        ("labels", [], False),
        ("other", None, True),
    ]:
        text = GRID.replace("max_steps: 60}", f"max_steps: 60, training.{name}: {json.dumps(value)}}}")
        assert text != GRID
        assert ([run.key for run in read(text).runs] == plain) == same


def test_paths_are_looked_up_from_the_folder_of_the_grid(folder, monkeypatch):
    """Where a grid is started from changes what its paths are called, and not which runs they are."""
    keys = [run.key for run in read().runs]
    outside = folder / "outside"
    outside.mkdir()
    monkeypatch.chdir(outside)
    there = read_grid(Path("../grid.yaml"))
    run = there.runs[0]
    assert run.test == Path("../es-test.spacy") and run.config == Path("../base.cfg")
    assert run.overrides["paths.train"] == os.path.normpath("../es.spacy")
    assert [run.key for run in there.runs] == keys
    absolute = read_grid(folder / "grid.yaml").runs
    assert absolute[0].overrides["paths.train"] == str(folder / "es.spacy")
    assert [run.key for run in absolute] == keys


def test_a_package_is_no_path(folder, monkeypatch):
    text = GRID.replace("vectors: es-vectors", "vectors: numpy")  # of all packages, one that is there
    read(text)
    monkeypatch.chdir(folder.parent)
    assert read_grid(folder / "grid.yaml").runs[0].overrides["paths.vectors"] == "numpy"


def test_numbers_of_the_paper_may_differ_by_corpora():
    assert read().paper == {"es": {"base": {"10": 21.53}}, "nl": {"base": {"10": 21.53}}}
    text = GRID.replace("  base: {10: 21.53}", "  nl: {F: {100: 60.0}}")
    assert read(text).paper == {"nl": {"F": {"100": 60.0}}}
    assert read(GRID[: GRID.index("paper:")]).paper == {}


SMALL = "small: {corpora: [nl], variants: [F, base], sizes: [20], seeds: [0]}\n"


def test_the_small_form_is_part_of_the_grid():
    read(GRID + SMALL)
    small = read_grid(Path("grid.yaml"), small=True)
    assert [run.name for run in small.runs] == ["nl F 20 seed 0", "nl base 20 seed 0"]
    read(GRID + "small: {seeds: [3]}\n")
    small = read_grid(Path("grid.yaml"), small=True)
    whole = read_grid(Path("grid.yaml"))
    assert len(small.runs) == 16 and small.paper == whole.paper
    assert {run.key for run in small.runs} < {run.key for run in whole.runs}


@pytest.mark.parametrize(
    ("small", "message"),
    [
        ("", "DN302.*in small, missing: everything"),
        (SMALL.replace("sizes", "size"), "DN302.*in small.*unknown: size"),
        (SMALL.replace("nl", "pt"), "DN308.*small, corpora.*'pt'.*es, nl"),
        (SMALL.replace("F,", "G,"), "DN308.*small, variants.*'G'.*base, F"),
        (SMALL.replace("20", "-1"), "DN304.*-1"),
    ],
)
def test_a_mistake_in_the_small_form_is_named(small, message):
    Path("grid.yaml").write_text(GRID + small)
    with pytest.raises(ExperimentError, match=message):
        read_grid(Path("grid.yaml"), small=True)


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
        (GRID.replace("  base: {10: 21", "  bass: {10: 21"), "DN308.*paper.*'bass'.*base, F"),
        (GRID.replace("  base: {10: 21.53}", "  nl: {bass: {10: 21}}"), "DN308.*paper, nl.*'bass'.*base, F"),
    ],
)
def test_a_mistake_is_named(text, message):
    with pytest.raises(ExperimentError, match=message):
        read(text)


def test_a_grid_that_is_not_there_is_named():
    with pytest.raises(ExperimentError, match=r"DN301.*nothing.yaml"):
        read_grid(Path("nothing.yaml"))
