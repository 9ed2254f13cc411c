"""Every shipped config is complete, short, and trains."""

from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_config
from thinc.api import Config
from util import task_examples, write_docs

from spacy_datnet.corpora import read_docs, write_docbin
from spacy_datnet.resources import resource_of

ROOT = Path(__file__).resolve().parents[1]
CONFIGS = sorted((ROOT / "configs").glob("*.cfg"))
CORPORA = {
    "source": "source.en.conll",
    "train": "target.es.train.conll",
    "dev": "target.es.dev.conll",
}


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict[str, str]:
    folder = tmp_path_factory.mktemp("corpora")
    found = {}
    words = set()
    for part, name in CORPORA.items():
        docs = list(read_docs(ROOT / "assets" / name, spacy.blank("es").vocab))
        words.update(token.text for doc in docs for token in doc)
        found[part] = str(folder / f"{part}.spacy")
        write_docbin(docs, Path(found[part]))
    rng = np.random.default_rng(0)
    for name in ("vectors", "source_vectors"):
        nlp = spacy.blank("es")
        for word in sorted(words):
            nlp.vocab.set_vector(word, rng.normal(size=8).astype("float32"))
        nlp.to_disk(folder / name)
        found[name] = str(folder / name)
    return found


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_trains(path, paths, tmp_path):
    config = load_config(path, interpolate=False)
    wanted = {f"paths.{name}": paths[name] for name in config["paths"]}
    overrides = {**wanted, "training.max_steps": 2, "training.eval_frequency": 1, "training.batcher.size": 8}
    nlp = init_nlp(load_config(path, overrides=overrides, interpolate=False))
    train(nlp, tmp_path)
    best = spacy.load(tmp_path / "model-best")
    name = config["nlp"]["pipeline"][-1]
    assert sorted(best.get_pipe(name).labels) == ["LOC", "MISC", "ORG", "PER"]
    for setting in {"transfer", "state_type"} & set(config["components"][name]["model"]):
        assert best.config["components"][name]["model"][setting] == config["components"][name]["model"][setting]


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
