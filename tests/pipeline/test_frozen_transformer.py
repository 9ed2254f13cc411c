"""Components on a frozen transformer: training, the cache, and a pipeline that carries its checkpoint."""

import os
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
import spacy
import srsly
from checkpoints import WIDTH, write_checkpoint
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from typer.testing import CliRunner
from util import SMALL_MODEL, annotated, bare, task_examples, training_config, write_docs

from spacy_datnet.cli import app
from spacy_datnet.features.checkpoint import Checkpoint
from spacy_datnet.features.checkpoint_shim import checkpoint_shim
from spacy_datnet.features.frozen_transformer import build_FrozenTransformer
from spacy_datnet.features.store import FeatureStore
from spacy_datnet.pipeline.export import keep_encoder_only
from spacy_datnet.resources import TARGET, resource_of
from spacy_datnet.training.features import compute_features

TASKS = {"datnet_ner": "ents", "datnet_tagger": "tags"}
BUILD = "spacy-datnet.FrozenTransformer.v1"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> Path:
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("corpora")
    parts: dict[str, list] = {"source": [], "target": []}
    for example in task_examples(spacy.blank("es").vocab, list(TASKS.values())):
        parts[resource_of(example)].append(example.reference)
    files = {name: write_docs(folder / f"{name}.spacy", docs) for name, docs in parts.items()}
    return {**files, "dev": files["target"]}


def config_of(checkpoint, paths, names=("datnet_ner",), steps=60, **layer):
    tok2vec = {"@architectures": BUILD, "name": str(checkpoint), "layers": [1, 3], **layer}
    components = {
        name: {
            "factory": name,
            "model": {**SMALL_MODEL, "tok2vec": tok2vec},
            "loss": {"epsilon_source": 0.3, "epsilon_target": 0.3, "epsilon_characters": 0.2},
        }
        for name in names
    }
    config = training_config(components, paths)
    config["training"] |= {"gpu_allocator": None, "max_steps": steps, "eval_frequency": 20}
    config["initialize"] = {"after_init": {"@callbacks": "spacy-datnet.compute_features.v1"}}
    return config


def trained_in(folder, *args, **layer):
    """Train; a feature that is missing in the cache or damaged would be an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        nlp = init_nlp(config_of(*args, **layer))
        folder.mkdir(exist_ok=True)
        train(nlp, folder)
    return nlp


def export(path, out):
    result = CliRunner().invoke(app, ["export", str(path), str(out)])
    assert result.exit_code == 0, result.output
    return spacy.load(out)


def read(doc):
    return [(ent.start, ent.end, ent.label_, ent._.confidence) for ent in doc.ents]


def target_docs(nlp):
    examples = task_examples(nlp.vocab, list(TASKS.values()))
    return [bare(example.reference) for example in examples if resource_of(example) == TARGET]


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(read(one), read(other), strict=True):
            assert a[:-1] == b[:-1] and a[-1] == pytest.approx(b[-1], abs=2e-3)


@pytest.fixture(scope="module")
def trained(checkpoint, paths, tmp_path_factory):
    folder = tmp_path_factory.mktemp("training")
    trained_in(folder, checkpoint, paths, names=TASKS, cache=str(folder / "cache"))
    return folder


def test_spacy_trains_on_frozen_features(trained):
    best = spacy.load(trained / "model-best")
    assert best.meta["performance"]["ents_f"] == best.meta["performance"]["tag_acc"] == 1.0
    assert best.get_pipe("datnet_ner").model.get_ref("features").get_dim("nO") == WIDTH


def test_both_components_share_one_network_and_one_cache(trained):
    best = spacy.load(trained / "model-best")
    first, second = (checkpoint_shim(best.get_pipe(name).model.get_ref("tok2vec")) for name in TASKS)
    assert first.checkpoint is second.checkpoint
    assert len(list((trained / "cache").iterdir())) == 1


@pytest.fixture
def read_before(monkeypatch) -> list:
    """The sentences that the transformer has read, one after the other."""
    sentences_read = []
    encode = Checkpoint.encode

    def counting(self, sentences, layers):
        sentences_read.extend(sentences)
        return encode(self, sentences, layers)

    monkeypatch.setattr(Checkpoint, "encode", counting)
    return sentences_read


def test_the_transformer_is_read_once_for_each_sentence(checkpoint, paths, tmp_path, read_before):
    trained_in(tmp_path, checkpoint, paths, steps=20, cache=str(tmp_path / "cache"))
    assert len(set(read_before)) == 12 and len(read_before) == 2 * 12  # the first time for their length
    # another run, such as the next one of a grid
    trained_in(tmp_path, checkpoint, paths, steps=20, cache=str(tmp_path / "cache"))
    assert len(read_before) == 2 * 12
    trained_in(tmp_path, checkpoint, paths, steps=20, cache=str(tmp_path / "cache"), precision="float32")
    assert len(read_before) == 4 * 12


@pytest.mark.parametrize("way", ["new", "sourced", "frozen", "sourced and frozen"])
def test_sentences_that_an_earlier_component_sets_are_computed_before(checkpoint, tmp_path, read_before, way):
    vocab = spacy.blank("es").vocab
    docs = [annotated(vocab, f"Ana/PER vive . Luis/PER canta en {city}/LOC .") for city in ("Madrid", "Lima", "Vigo")]
    folder = str(write_docs(tmp_path / "docs.spacy", docs))
    config = config_of(checkpoint, {"source": None, "target": folder, "dev": folder}, cache=str(tmp_path / "cache"))
    config["nlp"]["pipeline"] = ["sentencizer", "datnet_ner"]
    config["components"]["sentencizer"] = {"factory": "sentencizer"}
    if "sourced" in way:
        sentences = spacy.blank("es")
        sentences.add_pipe("sentencizer")
        sentences.to_disk(tmp_path / "sentences")
        config["components"]["sentencizer"] = {"source": str(tmp_path / "sentences")}
    if "frozen" in way:
        config["training"]["frozen_components"] = ["sentencizer"]
    config["components"]["datnet_ner"]["model"]["transfer"] = "none"
    config["training"] |= {"max_steps": 4, "eval_frequency": 2, "annotating_components": ["sentencizer"]}
    for corpus in ("train", "dev"):
        config["corpora"][corpus]["gold_preproc"] = False
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        train(init_nlp(config))
    # after docs without sentences, for their length
    assert sorted(read_before[len(docs) :], key=len) == [
        ("Ana", "vive", "."),
        *(("Luis", "canta", "en", city, ".") for city in ("Madrid", "Lima", "Vigo")),
    ]


@pytest.mark.parametrize("precision", ["float16", "float32"])
def test_the_cache_changes_no_result(checkpoint, paths, tmp_path, precision):
    found = []
    for name, cache in (("a", None), ("b", str(tmp_path / "cache"))):
        nlp = trained_in(tmp_path / name, checkpoint, paths, steps=5, cache=cache, precision=precision)
        words = target_docs(nlp)
        found.append(nlp.get_pipe("datnet_ner").model.get_ref("tok2vec").predict(words))
    for one, other in zip(*found, strict=True):
        assert_allclose(one, other, atol=1e-5 if precision == "float32" else 2e-3)
        assert one.dtype == np.float32


def test_a_training_without_its_features_says_how_to_compute_them(checkpoint, paths, tmp_path):
    config = config_of(checkpoint, paths, steps=1, cache=str(tmp_path / "cache"))
    config["initialize"] = {}
    nlp = init_nlp(config)
    with pytest.warns(UserWarning, match=r"DN055.*compute_features"):
        train(nlp)


def test_the_bytes_of_a_pipeline_carry_the_checkpoint(checkpoint, paths, tmp_path):
    shutil.copytree(checkpoint, tmp_path / "checkpoint")
    nlp = trained_in(tmp_path, tmp_path / "checkpoint", paths)
    shutil.rmtree(tmp_path / "checkpoint")
    other = spacy.blank("es").from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert_same(list(other.pipe(target_docs(other))), list(nlp.pipe(target_docs(nlp))))


def test_a_checkpoint_that_stays_where_it_is(checkpoint, paths, tmp_path):
    nlp = trained_in(tmp_path, checkpoint, paths, save_checkpoint=False)
    assert len(nlp.get_pipe("datnet_ner").model.get_ref("tok2vec").to_bytes()) < 1000
    loaded = spacy.load(tmp_path / "model-last")
    assert_same(list(loaded.pipe(target_docs(loaded))), list(nlp.pipe(target_docs(nlp))))


def test_the_export_predicts_the_same(trained, tmp_path):
    exported = export(trained / "model-best", tmp_path / "out")
    for name in TASKS:
        assert exported.config["components"][name]["model"]["tok2vec"]["cache"] is None
    assert any(requirement.startswith("transformers") for requirement in exported.meta["requirements"])
    best = spacy.load(trained / "model-best")
    assert_same(list(exported.pipe(target_docs(exported))), list(best.pipe(target_docs(best))))


@pytest.fixture(scope="module")
def elsewhere(checkpoint, paths, tmp_path_factory):
    """A pipeline that was trained where nothing is left now but what was saved, with predictions; and its export."""
    tmp_path = tmp_path_factory.mktemp("elsewhere")
    shutil.copytree(checkpoint, tmp_path / "checkpoint")
    corpora = {name: shutil.copy(path, tmp_path) for name, path in paths.items()}
    nlp = trained_in(tmp_path, tmp_path / "checkpoint", corpora, cache=str(tmp_path / "cache"))
    export(tmp_path / "model-last", tmp_path / "exported")
    keep_encoder_only(spacy.load(tmp_path / "model-last"), "datnet_ner").to_disk(tmp_path / "encoder")
    srsly.write_json(tmp_path / "texts.json", [doc.text for doc in target_docs(nlp)])
    for name in ("checkpoint", "cache"):
        shutil.rmtree(tmp_path / name)
    for path in corpora.values():
        Path(path).unlink(missing_ok=True)
    return tmp_path, list(nlp.pipe(target_docs(nlp)))


# in a new process, which has no checkpoint in memory
PREDICT = """
import spacy, srsly, sys
from pathlib import Path
folder = Path(sys.argv[1])
for name in sys.argv[2:]:
    docs = list(spacy.load(folder / name).pipe(srsly.read_json(folder / "texts.json")))
    ents = [[(e.start, e.end, e.label_) for e in doc.ents] for doc in docs]
    srsly.write_json(folder / f"{name}.json", [ents, [float(abs(doc.tensor).sum()) for doc in docs]])
"""


def test_what_is_saved_needs_nothing_of_its_training(elsewhere):
    folder, expected = elsewhere
    subprocess.run([sys.executable, "-c", PREDICT, folder, "model-last", "exported", "encoder"], check=True)
    _, sums = srsly.read_json(folder / "encoder.json")
    assert all(sums)
    for name in ("model-last", "exported"):
        ents, _ = srsly.read_json(folder / f"{name}.json")
        found = [[tuple(ent) for ent in of_doc] for of_doc in ents]
        assert found == [[ent[:3] for ent in read(doc)] for doc in expected] and any(found)


@pytest.mark.parametrize("name", ["model-last", "exported"])
def test_what_is_saved_can_be_initialised_again_without_its_corpora(elsewhere, name):
    folder, _ = elsewhere
    nlp = spacy.load(folder / name)
    examples = [example for example in task_examples(nlp.vocab, ["ents"]) if resource_of(example) == TARGET]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nlp.initialize(lambda: examples)
    told = sum("DN063" in str(warning.message) for warning in caught)
    assert told == (2 if name == "model-last" else 0)  # training and dev corpus; the export has forgotten them
    nlp.update(examples)


def test_a_cache_that_may_not_be_read_is_done_without(elsewhere, monkeypatch):
    folder, expected = elsewhere
    nlp = spacy.load(folder / "model-last")

    def refused(*args, **settings):  # the rights of files mean nothing to root
        raise PermissionError("not yours")

    monkeypatch.setattr(os, "access", lambda *args: False)
    monkeypatch.setattr(Path, "mkdir", refused)
    assert_same(list(nlp.pipe(target_docs(nlp))), expected)
    with pytest.raises(OSError, match=r"DN071.*cache.*not yours"):
        compute_features(nlp, target_docs(nlp))


def test_docs_are_predicted_the_same_alone_and_in_company(trained):
    nlp = spacy.load(trained / "model-best")
    together = list(nlp.pipe([Doc(nlp.vocab), *target_docs(nlp), Doc(nlp.vocab)]))
    assert_same(together[1:-1], [nlp(doc) for doc in target_docs(nlp)])
    assert not nlp("").ents
    assert_same(list(nlp.pipe(target_docs(nlp), n_process=2, batch_size=3)), together[1:-1])


def test_a_tok2vec_of_spacy_s_own_lets_components_share_it(checkpoint, paths, tmp_path):
    config = config_of(checkpoint, paths, names=TASKS)
    layer = config["components"]["datnet_ner"]["model"]["tok2vec"]
    for name in TASKS:
        config["components"][name]["model"]["tok2vec"] = {
            "@architectures": "spacy.Tok2VecListener.v1",
            "width": WIDTH,
        }
    config["components"] = {"tok2vec": {"factory": "tok2vec", "model": layer}, **config["components"]}
    config["nlp"]["pipeline"] = list(config["components"])
    nlp = init_nlp(config)
    train(nlp, tmp_path)
    assert spacy.load(tmp_path / "model-best").meta["performance"]["ents_f"] == 1.0


@pytest.mark.parametrize("encoder", ["BiLSTM", "FeedForward"])
def test_a_listener_of_another_width_is_told(checkpoint, encoder):
    nlp = spacy.blank("es")
    nlp.add_pipe("tok2vec", config={"model": {"@architectures": BUILD, "name": str(checkpoint)}})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH + 8}
    model = {**SMALL_MODEL, "tok2vec": listener, "encoder": {"@architectures": f"spacy-datnet.{encoder}.v1"}}
    nlp.add_pipe("datnet_ner", config={"model": model})
    examples = task_examples(nlp.vocab, ["ents"])
    nlp.initialize(lambda: examples)
    with pytest.raises(ValueError, match=rf"DN048.*{WIDTH} wide.*built for {WIDTH + 8}"):
        nlp.update(examples)


@pytest.mark.parametrize(("resource", "read_by"), [("source", ["source"]), ("target", ["target"]), (None, None)])
def test_a_checkpoint_of_the_source_alone_reads_the_source_alone(checkpoint, tmp_path, resource, read_by):
    layers = {
        name: {
            "@architectures": BUILD,
            "name": str(write_checkpoint(tmp_path / str(seed), seed=seed)),
            "cache": str(tmp_path / f"of_{name}"),
        }
        for seed, name in enumerate(["tok2vec", "source_tok2vec"])
    }
    nlp = spacy.blank("es")
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, **layers}})
    examples = task_examples(nlp.vocab, ["ents"])
    nlp.initialize(lambda: examples)
    docs = [Doc(nlp.vocab, words=["frase", "nueva"])]
    written = {"source": tmp_path / "of_source_tok2vec", "target": tmp_path / "of_tok2vec"}
    assert compute_features(nlp, docs, resource) == len(read_by or written)
    assert [name for name, folder in written.items() if folder.exists()] == (read_by or list(written))


def test_features_of_docs_outside_of_a_training(trained, tmp_path):
    nlp = spacy.load(trained / "model-best")
    new = Doc(nlp.vocab, words=["frase", "nueva"])
    assert compute_features(nlp, [new]) == 1
    assert compute_features(nlp, [new, Doc(nlp.vocab)]) == 0
    assert compute_features(spacy.blank("es"), [new]) == 0


def test_a_cache_that_has_all_is_not_locked(trained, monkeypatch):
    nlp = spacy.load(trained / "model-best")
    nlp.add_pipe("lemmatizer", config={"mode": "rule"})  # without a model
    monkeypatch.setattr(FeatureStore, "writing", None)
    assert compute_features(nlp, target_docs(nlp)) == 0


def test_what_float16_can_t_hold_is_an_error(checkpoint, tmp_path, monkeypatch):
    def large(self, sentences, layers):
        yield from ((i, np.full((len(words), WIDTH), 1e5, np.float32)) for i, words in enumerate(sentences))

    monkeypatch.setattr(Checkpoint, "encode", large)
    docs = [Doc(spacy.blank("es").vocab, words=["hola"])]
    layer = build_FrozenTransformer(str(checkpoint), precision="float32")
    layer.initialize(X=docs)
    assert layer.predict(docs)[0].max() == pytest.approx(1e5 * layer.attrs["scale"])
    layer = build_FrozenTransformer(str(checkpoint))
    with pytest.raises(ValueError, match=r"DN043.*float32"):
        layer.initialize(X=docs)


def test_the_encoder_alone_gives_the_same_after_a_round_trip(trained):
    best = spacy.load(trained / "model-best")
    encoder = keep_encoder_only(best, "datnet_ner")
    assert encoder.get_pipe_config("tok2vec")["model"]["tok2vec"]["cache"] is None
    assert any(requirement.startswith("transformers") for requirement in encoder.meta["requirements"])
    loaded = spacy.blank("es").from_config(encoder.config).from_bytes(encoder.to_bytes())
    assert_allclose(loaded("Ana vive").tensor, encoder("Ana vive").tensor, atol=1e-5)
    assert np.abs(loaded("Ana vive").tensor).max() > 0


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"layers": [4]}, "DN030.*layer 4.*1 to 3"),
        ({"layers": [0]}, "DN030.*layer 0"),
        ({"layers": [-4]}, "DN030.*layer -4"),
        ({"precision": "float8"}, "DN031.*float16, float32"),
    ],
)
def test_settings_are_checked(checkpoint, paths, layer, message):
    with pytest.raises(ValueError, match=message):
        init_nlp(config_of(checkpoint, paths, **layer))
