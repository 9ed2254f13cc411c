import shutil
from pathlib import Path

import numpy as np
import pytest
import spacy
import torch
from spacy.tokens import Doc
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from thinc.api import Config
from typer.testing import CliRunner
from util import SMALL_MODEL, task_examples, train_briefly, training_config, write_docs

from spacy_datnet.cli import app
from spacy_datnet.nn.sentences import Sentences
from spacy_datnet.pipeline.export import keep_encoder_only, keep_target_only
from spacy_datnet.resources import SOURCE, resource_of

WIDTH = 6
NAMES = ["datnet_ner", "datnet_tagger"]


@pytest.fixture(scope="module")
def pipelines(tmp_path_factory):
    """Trained pipelines by how they transfer."""
    made = {}

    def give(transfer):
        if transfer not in made:
            made[transfer] = trained_pipeline(transfer, tmp_path_factory.mktemp(transfer))
        return made[transfer]

    return give


@pytest.fixture(params=["full", "part"])
def trained(request, pipelines):
    return pipelines(request.param)


def trained_pipeline(transfer, folder):
    """Train a pipeline of two components with vectors of their own for the source for a few steps."""
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
        "transfer": transfer,
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
    arguments = ["export", str(folder / "model-best"), str(tmp_path / "a" / "out"), "--no-sentences"]
    result = CliRunner().invoke(app, arguments)
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


def export(*arguments: object) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["export", *map(str, arguments)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def model(pipelines, tmp_path):
    """A copy of the trained pipeline in a folder of its own, beside what else a training leaves."""
    for name in ("model-best", "model-last"):
        shutil.copytree(pipelines("part")[0] / "model-best", tmp_path / "training" / name)
    return tmp_path / "training" / "model-best"


def test_export_replaces_a_pipeline_if_asked(model, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(model, out)
    (out / "accuracy.json").write_text("{}")
    (out / "datnet_ner" / "old").touch()
    (tmp_path / "out.unfinished").mkdir()  # what an older version left
    (tmp_path / "out.unfinished" / "stranger").touch()
    before = contents(out)
    code, output = export(model, out)
    assert code == 1 and "[DN405]" in output and "--force" in output and contents(out) == before
    code, output = export(model, out, "--force")
    assert code == 0, output
    names = {path.name for path in out.iterdir()}
    assert names == {"config.cfg", "meta.json", "tokenizer", "vocab", "sentencizer.json", *NAMES}
    assert not (out / "datnet_ner" / "old").exists()
    assert spacy.load(out).pipe_names == ["sentencizer", *NAMES]
    assert {path.name for path in tmp_path.iterdir()} == {"training", "out", "out.unfinished"}


@pytest.mark.parametrize("place", ["training", "training/model-best", ".", "link", "training/../training"])
def test_export_removes_neither_the_model_nor_the_current_folder(model, tmp_path, monkeypatch, place):
    (tmp_path / "link").symlink_to(tmp_path / "training")
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    before = contents(tmp_path)
    for name in (tmp_path / place, Path("..") / place):
        for source in (model, tmp_path / "link" / "model-best"):
            code, output = export(source, name, "--force")
            assert code == 1 and "[DN404]" in output, output
    monkeypatch.chdir(model.parent / "model-last")
    for name in ("..", ".", model.parent / "model-last"):
        code, output = export(model, name, "--force")
        assert code == 1 and "[DN404]" in output, output
    assert contents(tmp_path) == before


@pytest.mark.parametrize("kind", ["file", "folder", "with notes", "with a broken meta.json"])
def test_export_replaces_nothing_but_a_pipeline(model, tmp_path, kind):
    out = tmp_path / "out"
    if kind == "file":
        out.write_text("mine")
    elif kind == "folder":
        out.mkdir()
        (out / "thesis.tex").write_text("mine")
    else:
        shutil.copytree(model, out)
        (out / ("notes.txt" if kind == "with notes" else "meta.json")).write_text("mine")
    before = contents(tmp_path) | ({} if out.is_dir() else {"out": out.read_bytes()})
    code, output = export(model, out, "--force")
    assert code == 1 and "[DN406]" in output, output
    assert contents(tmp_path) == before


def test_export_that_fails_leaves_what_was_there(model, tmp_path, monkeypatch):
    out = tmp_path / "out"
    shutil.copytree(model, out)
    before = contents(tmp_path)

    def full(self, path, **options):
        (path / "half").write_text("half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("spacy.language.Language.to_disk", full)
    code, output = export(model, out, "--force")
    assert code == 1 and "No space left" in output
    assert contents(tmp_path) == before


def test_export_follows_a_link(model, tmp_path):
    shutil.copytree(model, tmp_path / "real")
    (tmp_path / "out").symlink_to(tmp_path / "real")
    assert export(model, tmp_path / "out", "--force")[0] == 0
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "real" / "sentencizer.json").exists()


def test_exported_pipeline_reads_sentence_by_sentence(model, tmp_path):
    code, output = export(model, tmp_path / "out")
    assert code == 0 and "sentencizer" in output and "--no-sentences" in output
    nlp = spacy.load(tmp_path / "out")
    assert nlp.pipe_names == ["sentencizer", *NAMES]
    weights = nlp.config["training"]["score_weights"]
    assert {weights[score] for score in ("sents_f", "sents_p", "sents_r")} == {None}
    one, two = (Doc(nlp.vocab, words=words) for words in (["Ana", "vive", "."], ["Luis", "ve", "Madrid", "."]))
    together = nlp(Doc.from_docs([one, two]))
    assert len(list(together.sents)) == 2
    apart = [spacy.load(model)(doc) for doc in (one, two)]
    for doc, part in zip((sentence.as_doc() for sentence in together.sents), apart, strict=True):
        assert [(ent.text, ent.label_) for ent in doc.ents] == [(ent.text, ent.label_) for ent in part.ents]
        assert [token.tag_ for token in doc] == [token.tag_ for token in part]


def test_borders_that_are_set_are_left_alone(model, tmp_path):
    nlp = spacy.load(model)
    nlp.add_pipe("sentencizer", name="mine", first=True)
    nlp.to_disk(tmp_path / "before")
    code, output = export(tmp_path / "before", tmp_path / "out")
    assert code == 0 and "set by mine" in output
    assert spacy.load(tmp_path / "out").pipe_names == ["mine", *NAMES]
    nlp.remove_pipe("mine")
    nlp.add_pipe("sentencizer", name="mine", last=True)
    nlp.to_disk(tmp_path / "after")
    code, output = export(tmp_path / "after", tmp_path / "out", "--force")
    assert code == 0 and "[DN440]" in output
    assert spacy.load(tmp_path / "out").pipe_names == [*NAMES, "mine"]


def test_code_is_imported_first(model, tmp_path):
    code = tmp_path / "mine.py"
    code.write_text("import spacy\n@spacy.Language.component('mine_alone')\ndef mine(doc): return doc\n")
    config = Config().from_disk(model / "config.cfg")
    config["nlp"]["pipeline"].append("mine")
    config["components"]["mine"] = {"factory": "mine_alone"}
    config.to_disk(model / "config.cfg")
    status, output = export(model, tmp_path / "out")
    assert status == 1 and "mine_alone" in output
    assert export(model, tmp_path / "out", "--code", code)[0] == 0
    assert spacy.load(tmp_path / "out").pipe_names[-1] == "mine"
    (tmp_path / "broken.py").write_text("import nothing_of_the_kind")
    status, output = export(model, tmp_path / "other", "--code", tmp_path / "broken.py")
    assert status == 1 and "[DN407]" in output and "nothing_of_the_kind" in output


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


def test_export_of_an_encoder_that_is_not_there(pipelines, tmp_path):
    folder, _ = pipelines("part")
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
