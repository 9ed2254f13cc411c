import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from typer.testing import CliRunner
from util import SMALL_MODEL, task_examples, train_briefly, training_config, write_docs

from spacy_datnet.cli import app
from spacy_datnet.nn.sentences import Sentences
from spacy_datnet.pipeline.export import keep_encoder_only, keep_target_only
from spacy_datnet.resources import SOURCE, resource_of

WIDTH = 6
NAMES = ["datnet_ner", "datnet_tagger"]


@pytest.fixture(scope="module", params=["full", "part"])
def trained(request, tmp_path_factory):
    """A pipeline of two components with vectors of their own for the source, trained for a few steps."""
    folder = tmp_path_factory.mktemp(request.param)
    examples = task_examples(spacy.blank("es").vocab, ["ents", "tags"])
    rng = np.random.default_rng(0)
    for name in ("vectors", "source_vectors"):
        nlp = spacy.blank("es")
        for example in examples:
            for token in example.reference:
                nlp.vocab.set_vector(token.text, rng.normal(size=WIDTH).astype("float32"))
        nlp.to_disk(folder / name)
    parts = {"source": [], "target": []}
    for example in examples:
        parts["source" if resource_of(example) == SOURCE else "target"].append(example.reference)
    paths = {name: write_docs(folder / f"{name}.spacy", docs) for name, docs in parts.items()}
    vectors = {"@architectures": "spacy-datnet.WordVectors.v1"}
    model = {
        **{key: value for key, value in SMALL_MODEL.items() if key != "tok2vec"},
        "transfer": request.param,
        "tok2vec": vectors,
        "source_tok2vec": {**vectors, "vectors": str(folder / "source_vectors")},
    }
    components = {name: {"factory": name, "model": model} for name in NAMES}
    config = training_config(components, {**paths, "dev": paths["target"]})
    config["initialize"] = {"vectors": str(folder / "vectors")}
    config["training"]["gpu_allocator"] = None
    train(init_nlp(config), folder)
    return folder, [[token.text for token in example.reference] for example in examples]


def predictions(path, sentences):
    nlp = spacy.load(path)
    docs = list(nlp.pipe([Doc(nlp.vocab, words=words) for words in sentences]))
    ents = [[(ent.start, ent.end, ent.label_, ent._.confidence) for ent in doc.ents] for doc in docs]
    return ents, [[(token.tag_, token._.tag_confidence) for token in doc] for doc in docs]


def test_export_predicts_the_same_without_the_source(trained, tmp_path):
    folder, sentences = trained
    result = CliRunner().invoke(app, ["export", str(folder / "model-best"), str(tmp_path / "a" / "out")])
    assert result.exit_code == 0, result.output
    assert all(f"{name}: " in result.output for name in NAMES)
    expected = predictions(folder / "model-best", sentences)
    assert all(any(part) for part in expected)
    # where the source's vectors are gone, too
    hidden = folder / "hidden"
    (folder / "source_vectors").rename(hidden)
    try:
        assert predictions(tmp_path / "a" / "out", sentences) == expected
    finally:
        hidden.rename(folder / "source_vectors")
    exported = spacy.load(tmp_path / "a" / "out")
    assert str(folder) not in exported.config["components"].__repr__()
    for name in NAMES:
        assert exported.config["components"][name]["model"]["source_tok2vec"] is None
        pipe = exported.get_pipe(name)
        assert list(pipe.label_data) == ["target"]
        parameters = [n for n, _ in pipe.model.shims[0].network.named_parameters()]
        assert not [n for n in parameters if "source" in n or "discriminator" in n]


def test_export_does_not_replace_unasked(trained, tmp_path):
    folder, _ = trained
    (tmp_path / "out").mkdir()
    result = CliRunner().invoke(app, ["export", str(folder / "model-best"), str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "--force" in result.output
    again = CliRunner().invoke(app, ["export", str(folder / "model-best"), str(tmp_path / "out"), "--force"])
    assert again.exit_code == 0
    assert (tmp_path / "out" / "config.cfg").exists()


@pytest.mark.parametrize("pipes", [[], ["sentencizer"]])
def test_export_of_another_pipeline(pipes, tmp_path):
    nlp = spacy.blank("es")
    for name in pipes:
        nlp.add_pipe(name)
    nlp.to_disk(tmp_path / "other")
    result = CliRunner().invoke(app, ["export", str(tmp_path / "other"), str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "[DN016]" in result.output
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob("*.unfinished"))


def states(nlp, sentences):
    docs = list(nlp.pipe(Doc(nlp.vocab, words=words) for words in sentences))
    return np.concatenate([doc.tensor for doc in docs])


def test_export_of_an_encoder(trained, tmp_path):
    folder, sentences = trained
    arguments = ["export", str(folder / "model-best"), str(tmp_path / "out"), "--encoder", "datnet_ner"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "tok2vec: " in result.output
    exported = spacy.load(tmp_path / "out")
    assert exported.pipe_names == ["tok2vec"]
    assert exported.vocab.vectors.shape[1] == WIDTH
    # what the decoder of the trained component gives for these states is what the component predicts
    nlp = spacy.load(folder / "model-best")
    pipe = nlp.get_pipe("datnet_ner")
    for words in sentences:
        found = torch.from_numpy(states(exported, [words]))
        length = Sentences(torch.tensor([len(words)]))
        decoded = pipe.model.shims[0].network.decoders["target"].decode(found, length, None, True)
        (truth,) = pipe.predict([Doc(nlp.vocab, words=words)])
        assert decoded.tags.tolist() == truth.tags.tolist()
        np.testing.assert_allclose(decoded.marginal.detach().numpy(), truth.marginal, atol=1e-5)


def test_export_of_an_encoder_that_is_not_there(trained, tmp_path):
    folder, _ = trained
    arguments = ["export", str(folder / "model-best"), str(tmp_path / "out"), "--encoder", "ner"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 1
    assert "[DN025]" in result.output and all(name in result.output for name in NAMES)
    assert not list(tmp_path.iterdir())


def with_vectors_elsewhere(folder, own=None):
    """Save a pipeline of which one component looks up vectors by a path in a variable, and its predictions."""
    examples = task_examples(spacy.blank("es").vocab, ["ents"])
    rng = np.random.default_rng(0)
    others = spacy.blank("es")
    for example in examples:
        for token in example.reference:
            others.vocab.set_vector(token.text, rng.normal(size=WIDTH).astype("float32"))
    others.to_disk(folder / "elsewhere")
    nlp = spacy.load(folder / "elsewhere") if own == "same" else spacy.blank("es")
    if own == "other":
        nlp.vocab.set_vector("Ana", np.ones(3, "float32"))
    layer = {"@architectures": "spacy-datnet.WordVectors.v1", "vectors": str(folder / "elsewhere")}
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, "tok2vec": layer, "transfer": "none"}})
    train_briefly(nlp, [example for example in examples if resource_of(example) != SOURCE], 20)
    nlp.to_disk(folder / "trained")
    return [[token.text for token in example.reference] for example in examples]


@pytest.mark.parametrize("own", [None, "same"])
@pytest.mark.parametrize("options", [[], ["--encoder", "datnet_ner"]], ids=["whole", "encoder"])
def test_vectors_of_an_external_path_are_carried(own, options, tmp_path):
    words = with_vectors_elsewhere(tmp_path, own)
    result = CliRunner().invoke(app, ["export", str(tmp_path / "trained"), str(tmp_path / "out"), *options])
    assert result.exit_code == 0, result.output
    encode = "datnet_ner" if options else None
    before = (
        spacy.load(tmp_path / "trained")
        if encode is None
        else keep_encoder_only(spacy.load(tmp_path / "trained"), encode)
    )
    before = [before(Doc(before.vocab, words=sentence)) for sentence in words]
    (tmp_path / "elsewhere").rename(tmp_path / "gone")
    nlp = spacy.load(tmp_path / "out")
    assert "elsewhere" not in (tmp_path / "out" / "config.cfg").read_text()
    after = [nlp(Doc(nlp.vocab, words=sentence)) for sentence in words]
    if options:
        for one, other in zip(before, after, strict=True):
            np.testing.assert_array_equal(one.tensor, other.tensor)
    else:
        found = [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in after]
        assert found == [[(ent.start, ent.end, ent.label_) for ent in doc.ents] for doc in before] and any(found)


def test_vectors_of_an_external_path_that_can_t_be_carried(tmp_path):
    with_vectors_elsewhere(tmp_path, "other")
    nlp = spacy.load(tmp_path / "trained")
    with pytest.warns(UserWarning, match=r"DN076.*'datnet_ner'.*elsewhere"):
        keep_target_only(nlp)
    assert nlp.vocab.vectors.shape == (1, 3) or nlp.vocab.vectors.n_keys == 1
    assert nlp.get_pipe_config("datnet_ner")["model"]["tok2vec"]["vectors"] == str(tmp_path / "elsewhere")
