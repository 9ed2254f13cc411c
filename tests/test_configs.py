"""Every config of the template is complete, those that are shipped are fresh, and train."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.schemas import ConfigSchemaInit, ConfigSchemaTraining
from spacy.tokens import Doc
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config, load_model_from_config, registry
from thinc.api import Config
from typer.testing import CliRunner
from util import task_examples, write_docs

from spacy_datnet.cli import app
from spacy_datnet.corpora import read_docs
from spacy_datnet.pipeline.export import keep_encoder_only
from spacy_datnet.project.recipe import UPOS, make_recipe, render_config
from spacy_datnet.resources import resource_of

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.cfg"))
NER = {"source": "source.en.conll", "train": "target.es.train.conll", "dev": "target.es.dev.conll"}
POS = {"N": "NOUN", "V": "VERB", "P": "ADP", "R": "ADV", "D": "DET", "J": "ADJ"}
SCORES = {"ner": "ents_f", "tagger": "pos_acc", "chunker": "spans_chunks_f"}
LABELS = {"ner": ["LOC", "MISC", "ORG", "PER"], "tagger": UPOS, "chunker": ["NP", "VP"]}


def task_of(path: Path) -> str:
    """Which of the three tasks a config is for."""
    return next((task for task in ("tagger", "chunker") if path.stem.endswith(task)), "ner")


def demo_docs() -> dict[str, list[Doc]]:
    vocab = spacy.blank("es").vocab
    return {part: list(read_docs(ROOT / "assets" / name, vocab)) for part, name in NER.items()}


def docs_of(task: str) -> dict[str, list[Doc]]:
    """A source with tags, a target with tags or chunks."""
    vocab = spacy.blank("es").vocab
    docs: dict[str, list[Doc]] = {"source": [], "target": []}
    for annotation in ("tags", "chunks" if task == "chunker" else "tags"):
        resource = "target" if docs["source"] else "source"
        for example in task_examples(vocab, [annotation]):
            if resource_of(example) == resource:
                for token in example.reference:
                    token.pos_ = POS.get(token.tag_, "")
                docs[resource].append(example.reference)
    return {"source": docs["source"], "train": docs["target"], "dev": docs["target"]}


@pytest.fixture(scope="module")
def corpora(request, tmp_path_factory) -> tuple[str, dict[str, str]]:
    """A task, and the paths of corpora and word vectors for its configs."""
    folder = tmp_path_factory.mktemp(request.param)
    docs = demo_docs() if request.param == "ner" else docs_of(request.param)
    found = {part: str(write_docs(folder / f"{part}.spacy", part_docs)) for part, part_docs in docs.items()}
    words = {token.text for part_docs in docs.values() for doc in part_docs for token in doc}
    rng = np.random.default_rng(0)
    for name in ("vectors", "source_vectors"):
        nlp = spacy.blank("es")
        for word in sorted(words):
            nlp.vocab.set_vector(word, rng.normal(size=8).astype("float32"))
        nlp.to_disk(folder / name)
        found[name] = str(folder / name)
    found["features"] = str(folder / "features")
    return request.param, found


@pytest.fixture(scope="session")
def transformer(tmp_path_factory) -> str:
    """A checkpoint of as many layers as the configs name."""
    import checkpoints  # skips where the extra is missing

    return str(checkpoints.write_checkpoint(tmp_path_factory.mktemp("transformer"), layers=12))


@pytest.mark.parametrize(
    ("corpora", "path"),
    [pytest.param(task_of(path), path, id=path.stem) for path in CONFIGS],
    indirect=["corpora"],
    scope="module",
)
def test_config_trains(corpora, path, tmp_path, request):
    task, paths = corpora
    config = load_config(path, interpolate=False)
    if "transformer" in config["paths"]:
        paths = {**paths, "transformer": request.getfixturevalue("transformer")}
    wanted = {f"paths.{name}": paths[name] for name in config["paths"]}
    overrides = {
        **wanted,
        "nlp.lang": "es",
        "training.logger.progress_bar": False,
        "training.max_steps": 2,
        "training.eval_frequency": 1,
        "training.batcher.size": 8,
    }
    if path.stem.endswith("_gpu"):  # half precision wants a GPU
        overrides["components.transformer.model.mixed_precision"] = False
    nlp = init_nlp(load_config(path, overrides=overrides, interpolate=False))
    train(nlp, tmp_path)
    best = spacy.load(tmp_path / "model-best")
    name = config["nlp"]["pipeline"][-1]
    assert sorted(best.get_pipe(name).labels) == LABELS[task]
    assert best.config["components"][name] == nlp.config["components"][name]
    for setting in {"transfer"} & set(config["components"][name]["model"]):
        assert best.config["components"][name]["model"][setting] == config["components"][name]["model"][setting]
    weights = best.config["training"]["score_weights"]
    (score,) = [score for score, weight in weights.items() if weight]
    assert 0.0 <= best.meta["performance"][score] <= 1.0  # it was scored: None can't be compared
    # a saved pipeline has the variables of its config; what is made of it must not need them
    best.resume_training()
    if "loss" in config["components"][name]:
        keep_encoder_only(best, name).to_disk(tmp_path / "encoder")
        assert spacy.load(tmp_path / "encoder").pipe_names == ["tok2vec"]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_is_what_the_template_gives(path, tmp_path, monkeypatch):
    (command,) = [line for line in path.read_text().splitlines() if line.startswith("# spacy-datnet init-config ")]
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, command.split()[2:])
    assert result.exit_code == 0, result.output
    written = (tmp_path / "configs" / path.name).read_text()
    assert written == path.read_text(), f"configs/{path.name} is stale: run `make configs`"


@pytest.mark.parametrize("features", ["none", "vectors", "frozen", "transformer"])
@pytest.mark.parametrize("transfer", ["none", "full", "part"])
@pytest.mark.parametrize("task", ["ner", "tagger", "chunker"])
def test_config_is_complete_and_overridable(task, transfer, features, request, tmp_path):
    options = ["--task", task, "--transfer", transfer, "--features", features, "--lang", "es"]
    result = CliRunner().invoke(app, ["init-config", str(tmp_path / "config.cfg"), *options])
    assert result.exit_code == 0, result.output
    overrides = {
        "training.logger.progress_bar": False,
        "training.before_to_disk": None,
        f"components.datnet_{task}.model.decoder.@architectures": "spacy-datnet.Softmax.v1",
        f"initialize.components.datnet_{task}.labels": ["A", "B"],
    }
    overrides |= {f"training.score_weights.{score}": 1.0 for score in [SCORES[task]]}
    if features in ("frozen", "transformer"):
        overrides["paths.transformer"] = request.getfixturevalue("transformer")
    config = load_config(tmp_path / "config.cfg", overrides=overrides, interpolate=True)
    # nothing is missing: spaCy need not fill it
    nlp = load_model_from_config(config, auto_fill=False, validate=True)
    assert nlp.pipe_names[-1] == f"datnet_{task}"
    resolved = registry.resolve(nlp.config.interpolate()["training"], schema=ConfigSchemaTraining)
    assert resolved["before_to_disk"] is None and not config["training"]["logger"]["progress_bar"]
    registry.resolve(config["initialize"], schema=ConfigSchemaInit)
    assert SCORES[task] in nlp.config["training"]["score_weights"]
    for block in (config["components"][f"datnet_{task}"]["model"], config["corpora"]["train"]):
        assert (block.get("transfer", "none") != "none") == (transfer != "none") or "source" in block
    assert (config["components"][f"datnet_{task}"]["loss"]["discriminator"] == "none") == (transfer == "none")


def test_no_language_is_a_default():
    for path in CONFIGS:
        assert load_config(path, interpolate=False)["nlp"]["lang"] is None
        with pytest.raises(ValueError, match=r"\[E993\].*key `lang`.*language"):
            init_nlp(load_config(path))
        assert "--nlp.lang xx" in path.read_text()


def test_config_is_not_replaced_unasked(tmp_path):
    path = tmp_path / "config.cfg"
    path.write_text("mine")
    result = CliRunner().invoke(app, ["init-config", str(path)])
    assert result.exit_code == 1 and "[DN401]" in result.output and path.read_text() == "mine"
    assert CliRunner().invoke(app, ["init-config", str(path), "--force"]).exit_code == 0
    assert "[components.datnet_ner]" in path.read_text()


def test_there_is_no_encoder_for_other_tasks(tmp_path):
    path = tmp_path / "config.cfg"
    result = CliRunner().invoke(app, ["init-config", str(path), "--encoder", "--task", "tagger"])
    assert result.exit_code == 1 and "[DN403]" in result.output and not path.exists()


@pytest.mark.parametrize(
    ("name", "task", "score"), [("datnet_tagger", "tags", "tag_acc"), ("datnet_chunker", "chunks", "spans_chunks_f")]
)
def test_config_without_vectors_learns_tags_and_chunks(name, task, score, tmp_path):
    files: dict[str, list] = {"source": [], "target": []}
    for example in task_examples(spacy.blank("es").vocab, [task]):
        files[resource_of(example)].append(example.reference)
    source, target = (str(write_docs(tmp_path / f"{key}.spacy", docs)) for key, docs in files.items())
    recipe = make_recipe(name.removeprefix("datnet_"), attribute="tag", share_decoder=False, lang="es", labels=None)
    config = Config().from_str(render_config(replace(recipe, source_annotation=None)), interpolate=False)
    config["paths"] = {"source": source, "train": target, "dev": target}
    config["training"] |= {"max_steps": 30, "eval_frequency": 30, "dropout": 0.1}
    config["training"]["batcher"]["size"] = 8
    config["training"]["optimizer"]["learn_rate"] = 0.02
    train(init_nlp(config), tmp_path)
    best = spacy.load(tmp_path / "model-best")
    assert best.pipe_names == [name]
    assert best.meta["performance"][score] > 0.5
