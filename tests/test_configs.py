"""Every shipped config is complete, short, and trains."""

from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config
from thinc.api import Config
from util import task_examples, write_docs

from spacy_datnet.corpora import read_docs
from spacy_datnet.pipeline.export import keep_encoder_only
from spacy_datnet.resources import resource_of

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.cfg"))
NER = {"source": "source.en.conll", "train": "target.es.train.conll", "dev": "target.es.dev.conll"}
POS = {"N": "NOUN", "V": "VERB", "P": "ADP", "R": "ADV", "D": "DET", "J": "ADJ"}
UPOS = [
    "ADJ",
    "ADP",
    "ADV",
    "AUX",
    "CCONJ",
    "DET",
    "INTJ",
    "NOUN",
    "NUM",
    "PART",
    "PRON",
    "PROPN",
    "PUNCT",
    "SCONJ",
    "SYM",
    "VERB",
    "X",
]
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
    overrides = {**wanted, "training.max_steps": 2, "training.eval_frequency": 1, "training.batcher.size": 8}
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


def flat(config: dict, place: str = "") -> dict[str, object]:
    """The settings of a config, each under its whole name."""
    found = {}
    for name, value in config.items():
        if isinstance(value, dict):
            found |= flat(value, f"{place}{name}.")
        else:
            found[f"{place}{name}"] = value
    return found


@pytest.mark.parametrize("path", [path for path in CONFIGS if task_of(path) != "ner"], ids=lambda path: path.stem)
def test_config_differs_from_that_of_entities_only_where_the_task_does(path):
    task = task_of(path)
    component = f"datnet_{task}"
    text = path.with_stem(path.stem.removesuffix(f"_{task}")).read_text().replace("datnet_ner", component)
    ours, theirs = flat(load_config(path, interpolate=False)), flat(Config().from_str(text, interpolate=False))
    different = {name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)}
    task_s_own = ("attribute", "spans_key", "source_annotation", "model.share_decoder", "model.source_tok2vec")
    # what a word looks like says more about its part of speech than about names, and every word has one, so that few
    # sentences in a batch do
    looks = ["training.dropout", "training.batcher.", "training.optimizer.learn_rate"]
    looks.append(f"components.{component}.model.characters.")
    allowed = (
        *(f"components.{component}.{name}" for name in task_s_own),
        f"initialize.components.{component}.labels",
        "training.score_weights",
        "paths.source_vectors",
        *looks,
        *({"tagger": [], "chunker": ["corpora.dev."]}[task]),
    )
    assert not [name for name in different if not name.startswith(allowed)]


def test_config_for_a_gpu_differs_from_that_for_a_cpu_in_what_a_gpu_wants():
    cpu, gpu = (
        flat(load_config(ROOT / "configs" / f"{name}.cfg", interpolate=False))
        for name in ("datnet_trf", "datnet_trf_gpu")
    )
    assert cpu.keys() == gpu.keys()
    assert {name: value for name, value in gpu.items() if value != cpu[name]} == {
        "system.gpu_allocator": "pytorch",
        "components.transformer.model.mixed_precision": True,
        "training.batcher.size": 64,
    }


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_is_short_and_names_itself(path):
    text = path.read_text()
    assert len(text.splitlines()) <= 120
    assert f"configs/{path.name}" in text


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_readme_mentions_config(path):
    assert path.name in (ROOT / "README.md").read_text()


@pytest.mark.parametrize(
    ("name", "task", "score"), [("datnet_tagger", "tags", "tag_acc"), ("datnet_chunker", "chunks", "spans_chunks_f")]
)
def test_a_config_is_that_of_another_component_by_its_name(name, task, score, tmp_path):
    files: dict[str, list] = {"source": [], "target": []}
    for example in task_examples(spacy.blank("es").vocab, [task]):
        files[resource_of(example)].append(example.reference)
    source, target = (str(write_docs(tmp_path / f"{key}.spacy", docs)) for key, docs in files.items())
    text = (ROOT / "configs" / "no_vectors.cfg").read_text().replace("datnet_ner", name)
    config = Config().from_str(text, interpolate=False)
    config["paths"] = {"source": source, "train": target, "dev": target}
    config["components"][name]["model"]["share_decoder"] = False
    config["corpora"]["dev"] = {
        "@readers": "spacy-datnet.SourceTargetCorpus.v1",
        "source": None,
        "target": "${paths.dev}",
    }
    config["training"] |= {"max_steps": 30, "eval_frequency": 30, "dropout": 0.1}
    config["training"]["batcher"]["size"] = 8
    config["training"]["optimizer"]["learn_rate"] = 0.02
    train(init_nlp(config), tmp_path)
    best = spacy.load(tmp_path / "model-best")
    assert best.pipe_names == [name]
    assert best.meta["performance"][score] > 0.5
