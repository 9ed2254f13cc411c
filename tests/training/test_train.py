"""`spacy train` from end to end, on ten sentences of each resource."""

import shutil
from collections.abc import Callable
from copy import deepcopy
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_model_from_config
from thinc.api import Config
from util import SOURCE_SENTENCES, TARGET_SENTENCES, annotated, bare, training_config, write_docs

from spacy_datnet.features.word_vectors import _load_vectors
from spacy_datnet.models.batch import Batch
from spacy_datnet.nn.objective import Objective
from spacy_datnet.pipeline.calibration import fit

TARGET = (
    *TARGET_SENTENCES,
    "Eva_Díaz/PER llama a Ana/PER",
    "Luis/PER vuelve de Lima/LOC",
    "nadie vive en Nueva_York/LOC",
    "mañana llueve en San_José/LOC",
)
SOURCE = (
    *SOURCE_SENTENCES,
    "Anna_Smith/PER calls Ed/PER from London/LOC this week",
    "nobody works for Big_Blue/ORG in New_York/LOC now",
    "tomorrow it rains in South_Boston/LOC and in London/LOC",
    "Ed/PER and John_Smith/PER come back from Boston/LOC today",
)

MODEL = {
    "@architectures": "spacy-datnet.DATNet.v1",
    "transfer": "full",
    "attention_width": 8,
    "tok2vec": {"@architectures": "spacy-datnet.WordVectors.v1"},
    "source_tok2vec": {"@architectures": "spacy-datnet.WordVectors.v1", "vectors": "${paths.source_vectors}"},
    "characters": {"@architectures": "spacy-datnet.CharCNN.v1", "embedding_width": 8, "filters": 16, "rows": 256},
    "encoder": {"@architectures": "spacy-datnet.BiLSTM.v1", "hidden": 24},
    "decoder": {"@architectures": "spacy-datnet.CRF.v1"},
}
LOSS = {
    "@losses": "spacy-datnet.DualAdversarialLoss.v1",
    "epsilon_source": 0.5,
    "epsilon_target": 0.5,
    "epsilon_characters": 0.2,
}


def write_vectors(path: Path, lang: str, sentences: tuple[str, ...], seed: int) -> Path:
    """Save a pipeline that has nothing but word vectors."""
    nlp = spacy.blank(lang)
    rng = np.random.default_rng(seed)
    for doc in (annotated(nlp.vocab, sentence) for sentence in sentences):
        for token in doc:
            nlp.vocab.set_vector(token.text, rng.normal(size=8).astype("float32"))
    nlp.to_disk(path)
    return path


@pytest.fixture
def paths(tmp_path: Path) -> dict[str, Path]:
    vocab = spacy.blank("es").vocab
    return {
        "source": write_docs(tmp_path / "source.spacy", [annotated(vocab, s) for s in SOURCE]),
        "target": write_docs(tmp_path / "target.spacy", [annotated(vocab, s) for s in TARGET]),
        "vectors": write_vectors(tmp_path / "es", "es", TARGET, seed=1),
        "source_vectors": write_vectors(tmp_path / "en", "en", SOURCE, seed=2),
    }


def configure(paths: dict[str, Path], **training) -> Config:
    """Fill in the config.

    training: values of `[training]`.
    """
    component = {"factory": "datnet_ner", "model": deepcopy(MODEL), "loss": dict(LOSS)}
    config = training_config({"datnet_ner": component}, {**paths, "dev": paths["target"]})
    config["initialize"] = {"vectors": str(paths["vectors"])}
    config["training"] |= {"max_steps": 90, "eval_frequency": 30, **training}
    config["training"]["optimizer"]["use_averages"] = False
    return config


def initialized(config: Config) -> Language:
    return init_nlp(load_model_from_config(config, auto_fill=True).config)


def run(config: Config, output: Path | None = None) -> tuple[Language, str]:
    """Train; give back the pipeline and what was printed."""
    stdout = StringIO()
    nlp = initialized(config)
    train(nlp, output, stdout=stdout)
    return nlp, stdout.getvalue()


def n_right(nlp: Language) -> int:
    """Count the target's sentences whose entities are all found and nothing else."""
    references = [annotated(nlp.vocab, sentence) for sentence in TARGET]

    def read(doc: Doc) -> list[tuple]:
        return [(ent.start, ent.end, ent.label_) for ent in doc.ents]

    pairs = zip(nlp.pipe(map(bare, references)), references, strict=True)
    return sum(read(doc) == read(reference) for doc, reference in pairs)


@pytest.mark.parametrize("transfer", ["none", "full", "part"])
def test_training_learns_the_corpus_and_saves_what_it_learnt(paths, transfer, tmp_path):
    config = configure(paths)
    config["components"]["datnet_ner"]["model"]["transfer"] = transfer
    nlp, printed = run(config, tmp_path)
    loaded = spacy.load(tmp_path / "model-best")
    assert n_right(nlp) >= 9 and n_right(loaded) == len(TARGET)
    assert loaded.meta["performance"]["ents_f"] == 1.0
    scheme = {"target": ["LOC", "PER"]}
    if transfer != "none":
        scheme["source"] = ["LOC", "ORG", "PER"]
    assert loaded.get_pipe("datnet_ner").label_data == scheme
    assert ("source" in loaded.get_pipe("datnet_ner").model.shims[0].network.sizes.tags) == (transfer != "none")
    header, _, first, *_, last = [line.split() for line in printed.splitlines() if "L_T" in line or "  " in line]
    losses = [dict(zip(header, row, strict=False)) for row in (first, last)]
    assert float(losses[1]["L_T"]) < 0.2 * float(losses[0]["L_T"])
    assert (float(losses[0]["L_S"]) > 0.0) == (transfer != "none")


def test_a_trained_pipeline_needs_no_vectors_of_the_source(paths, tmp_path):
    run(configure(paths, max_steps=60), tmp_path)
    shutil.rmtree(paths["source_vectors"])
    _load_vectors.cache_clear()
    loaded = spacy.load(tmp_path / "model-last")
    assert n_right(loaded) >= 8


def test_the_source_has_vectors_of_its_own(paths):
    """Words of the source that the target's vectors don't have are zero there, but not with their own."""
    config = configure(paths)
    nlp = initialized(config)
    features = nlp.get_pipe("datnet_ner").model.get_ref("features")
    own, of_source = features.layers
    doc = Doc(nlp.vocab, words=["works", "trabaja"])
    assert [np.abs(row).max() > 0 for row in own.predict([doc])[0]] == [False, True]
    assert [np.abs(row).max() > 0 for row in of_source.predict([doc])[0]] == [True, False]
    expected = spacy.load(paths["source_vectors"]).vocab["works"].vector
    found = features.predict(Batch([doc, doc], np.array([False, True]))).words.numpy()  # (tokens, width)
    # each table is brought to one length
    assert of_source.attrs["scale"] != own.attrs["scale"]
    assert_allclose(found[2], expected * of_source.attrs["scale"], rtol=1e-6)
    assert_allclose(found[1], nlp.vocab["trabaja"].vector * own.attrs["scale"], rtol=1e-6)
    assert np.abs(found[[0, 3]]).max() == 0.0


def test_sub_batches_of_one_resource_are_accumulated(paths, monkeypatch):
    seen = []
    original = Objective.__call__

    def watch(self, network, inputs, gold, **kwargs):
        seen.append(set(inputs.resources))
        return original(self, network, inputs, gold, **kwargs)

    monkeypatch.setattr(Objective, "__call__", watch)
    nlp, _ = run(configure(paths, accumulate_gradient=2, max_steps=60))
    # spaCy sorts a batch by length before it cuts it, and every sentence of the source is longer
    assert {"source"} in seen and {"target"} in seen
    assert len(seen) == 2 * 61
    assert n_right(nlp) >= 9


snapshots: list[dict[str, np.ndarray]] = []


@spacy.registry.callbacks("test.snapshots")
def make_snapshots() -> Callable[[Language, dict[str, int]], None]:
    def take(nlp: Language, info: dict[str, int]) -> None:
        snapshots.append(weights(nlp))

    return take


def weights(nlp: Language) -> dict[str, np.ndarray]:
    parameters = nlp.get_pipe("datnet_ner").model.shims[0].network.named_parameters()
    return {name: value.detach().numpy().copy() for name, value in parameters}


def test_averages_of_the_weights_are_saved(paths, tmp_path):
    config = configure(paths, max_steps=20, eval_frequency=20, before_update={"@callbacks": "test.snapshots"})
    config["training"]["optimizer"]["use_averages"] = True
    snapshots.clear()
    nlp, _ = run(config, tmp_path)
    after_steps = [*snapshots[1:], weights(nlp)]
    saved = weights(spacy.load(tmp_path / "model-last"))
    assert saved.keys() == after_steps[-1].keys()
    for name, found in saved.items():
        average = np.zeros_like(found)
        for t, current in enumerate(after_steps, start=1):
            decay = (1.0 + t) / (10.0 + t)  # as Thinc does
            average += (1.0 - min(decay, 0.9999)) * (current[name] - average)
        assert_allclose(found, average, atol=1e-5)
    moved = [np.abs(saved[name] - after_steps[-1][name]).max() for name in saved]
    assert max(moved) > 0.01


def test_calibration_fits_what_is_saved_and_leaves_the_training_alone(paths, tmp_path):
    settings = {"max_steps": 20, "eval_frequency": 10}
    callback = {"@callbacks": "spacy-datnet.calibrate.v1"}
    for name in ("plain", "fitted"):
        (tmp_path / name).mkdir()
    plain, _ = run(configure(paths, **settings), tmp_path / "plain")
    fitted, _ = run(configure(paths, before_to_disk=callback, **settings), tmp_path / "fitted")
    assert all(np.array_equal(value, weights(fitted)[name]) for name, value in weights(plain).items())
    saved = [spacy.load(tmp_path / name / "model-last") for name in ("plain", "fitted")]
    assert saved[0].meta["performance"] == saved[1].meta["performance"]
    networks = [nlp.get_pipe("datnet_ner").model.shims[0].network for nlp in saved]
    before, after = (float(network.decoders["target"].temperature) for network in networks)
    assert before == 1.0 != after
    dev = list(Corpus(paths["target"])(saved[0]))
    assert fit(saved[0].get_pipe("datnet_ner"), dev) == pytest.approx(after)


def test_training_again_gives_the_same_model(paths):
    first, again, other = (weights(run(configure(paths, max_steps=5, seed=seed))[0]) for seed in (1, 1, 2))
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.array_equal(first[name], other[name]) for name in first if "emit.weight" in name)


def test_a_component_without_a_source_corpus_trains_on_the_target(paths):
    config = configure(paths)
    config["paths"]["source"] = None
    config["components"]["datnet_ner"]["model"].update(transfer="none", source_tok2vec=None)
    nlp, _ = run(config)
    assert n_right(nlp) >= 9
    assert nlp.get_pipe("datnet_ner").label_data == {"target": ["LOC", "PER"]}
