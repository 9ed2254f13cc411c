"""Every shipped grid is read, and the config of each of its runs is complete."""

import json
from functools import cache
from pathlib import Path

import pytest
from spacy.language import DEFAULT_CONFIG, Language
from spacy.schemas import ConfigSchemaTraining
from spacy.util import load_config, load_model_from_config, registry
from thinc.api import Config

from spacy_datnet.experiments.grid import read_grid
from spacy_datnet.pipeline.base import DATNetPipe

ROOT = Path(__file__).resolve().parents[1]
GRIDS = sorted((ROOT / "project" / "grids").glob("*.yaml"))
# on one core, see README: a step of DATNet-F with and without adversarial training, and a run beside its training
WITH_AT, WITHOUT_AT, AROUND = 0.144, 0.070, 60
# how much longer a step takes that has no source, or a second encoder: estimates, on the safe side
FACTORS = {"none": 0.3, "full": 1.0, "part": 2.0}
# where a transformer is fine-tuned: a step, and a run beside its training, most of which reads the dev and test set
STEP_TUNED, AROUND_TUNED = 3.5, 600
HOUR = 3600


def test_grids_are_shipped():
    assert {path.stem for path in GRIDS} >= {f"table{i}" for i in (4, 6, 7, 8, 9, 10)} | {
        "figure3",
        "figure5",
        "pos",
        "chunking",
        "transformer",
        "transformer_chunking",
        "transformer_tuned",
        "zero_shot",
        "zero_shot_tuned",
    }


@pytest.fixture(params=GRIDS, ids=lambda path: path.stem)
def path(request) -> Path:
    return request.param


@cache
def made_from(config: Path, settings: str) -> Language:
    """The components of a run; grids have most in common, and sizes and corpora change none of them."""
    overrides = json.loads(settings)
    if "paths.transformer" in overrides:
        import checkpoints  # noqa: F401, skips where the extra is missing
    return load_model_from_config(load_config(config, overrides=overrides, interpolate=True), auto_fill=True)


@cache
def training_of(config: Path, settings: str) -> dict:
    """What the training of a run would read, all but the corpora."""
    found = load_config(config, overrides=json.loads(settings), interpolate=True)
    found = Config(DEFAULT_CONFIG).merge(found).interpolate()
    return registry.resolve(found["training"], schema=ConfigSchemaTraining)


def test_configs_are_complete(path):
    """The components are made, and what the training would read is resolved, all but the corpora themselves."""
    seen = set()
    for run in read_grid(path).runs:
        if (combination := (run.corpora, run.variant, run.size)) in seen:
            continue
        seen.add(combination)
        # what is made depends on whether there is a corpus or are vectors, not on which
        named = {name: "here" for name, value in run.overrides.items() if name.startswith("paths.") and value}
        own = {name: value for name, value in run.overrides.items() if not name.startswith(("paths.", "corpora."))}
        training = training_of(run.config, json.dumps(own | named, sort_keys=True))
        own = {name: value for name, value in own.items() if name.startswith(("components.", "nlp."))}
        nlp = made_from(run.config, json.dumps(own | named, sort_keys=True))
        # a base model that is fine-tuned sees the target alone, so as much of it in fewer steps
        alone = "transformer" in nlp.pipe_names and run.variant == "base"
        assert training["max_steps"] >= (300 if alone else 600)
        config = load_config(run.config, overrides=run.overrides, interpolate=True)
        reader = config["corpora"]["train"]
        assert reader["target"] == run.overrides["paths.train"] and reader["seed"] == run.seed
        pipes = [pipe for _, pipe in nlp.pipeline if isinstance(pipe, DATNetPipe)]
        transfer = pipes[0].model.attrs["transfer"] if pipes else "none"
        assert pipes or "spaCy" in run.variant
        both = "both corpora" in run.variant
        assert (reader.get("source") is None) == (transfer == "none" and run.size != 0 and not both)
        assert not both or config["initialize"]["vectors"] == run.overrides["paths.both_vectors"]
        if reader.get("source") is not None:
            assert reader["source"] == run.overrides["paths.source"]


def test_paths_lie_in_the_project(path):
    corpora, checkpoint = (ROOT / "project" / name for name in ("corpus", "assets/transformer"))
    for run in read_grid(path).runs:
        places = [run.test, *(Path(value) for name, value in run.overrides.items() if name.startswith("paths."))]
        assert all(place.is_relative_to(corpora) or place == checkpoint for place in places)


def test_the_whole_has_ten_seeds_and_holds_the_small_form(path):
    whole, small = read_grid(path), read_grid(path, small=True)
    assert len({run.seed for run in whole.runs}) == 10
    assert {run.key for run in small.runs} < {run.key for run in whole.runs}


def test_the_small_form_ends_within_an_hour_on_two_cores(path):
    seconds = 0.0
    for run in read_grid(path, small=True).runs:
        config = load_config(run.config, overrides=run.overrides, interpolate=True)
        if "transformer" in config["components"]:
            seconds += AROUND_TUNED + STEP_TUNED * config["training"]["max_steps"]
            continue
        component = config["components"][config["nlp"]["pipeline"][-1]]
        step = WITHOUT_AT
        if "loss" in component:  # else one of spaCy's own
            step = WITH_AT if component["loss"]["adversarial_training"] else WITHOUT_AT
            step *= FACTORS[component["model"]["transfer"]]
        seconds += AROUND + step * config["training"]["max_steps"]
    assert seconds / 2 < HOUR
