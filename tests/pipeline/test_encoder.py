"""The encoder below spaCy's own components: trained from scratch, or taken from a trained DATNet."""

import copy
import json
import pickle
import subprocess
import sys
from functools import cache
from io import StringIO
from random import Random

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose, assert_array_equal
from spacy.language import DEFAULT_CONFIG, DEFAULT_CONFIG_PRETRAIN_PATH, Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import fix_random_seed
from thinc.api import Config
from util import SMALL_MODEL, as_examples, bare, task_examples, train_briefly, with_line_breaks, write_docs

from spacy_datnet.models.batch import Batch
from spacy_datnet.pipeline.export import keep_encoder_only

NAMES = ["tagger", "morphologizer", "ner"]
WIDTH = 48
ENCODER = {
    "@architectures": "spacy-datnet.DATNetEncoder.v1",
    "width": WIDTH,
    "tok2vec": {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": 24,
        "attrs": ["NORM", "PREFIX"],
        "rows": [200, 200],
        "include_static_vectors": False,
    },
    "characters": {
        "@architectures": "spacy-datnet.CharCNN.v1",
        "embedding_width": 8,
        "filters": 16,
        "rows": 256,
    },
    "encoder": {"@architectures": "spacy-datnet.BiLSTM.v1", "hidden": WIDTH // 2},
}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": WIDTH}
POS = {"N": "NOUN", "V": "VERB", "P": "ADP", "R": "ADV", "D": "DET", "J": "ADJ"}


def docs_of(nlp: Language) -> list[Doc]:
    """A dozen sentences with entities, tags, parts of speech and morphology, none of them stamped."""
    docs = [example.reference for example in task_examples(nlp.vocab, ["ents", "tags"])]
    for doc in docs:
        doc.user_data.clear()
        for token in doc:
            token.pos_ = POS[token.tag_]
            token.set_morph({"Final": "Yes" if token.text[-1] in "aeiou" else "No"})
    return docs


def add_pipes(nlp: Language, tok2vec: dict) -> Language:
    for name in NAMES:
        nlp.add_pipe(name, config={"model": {"tok2vec": tok2vec}})
    return nlp


def read(doc: Doc) -> dict:
    return {
        "ents": [(ent.start, ent.end, ent.label_) for ent in doc.ents],
        "tokens": [(token.tag_, token.pos_, str(token.morph)) for token in doc],
    }


def states_of(nlp: Language, docs: list[Doc]) -> list:
    return nlp.get_pipe("tok2vec").model.predict(docs)


PLACES = ("inside", "shared")


@cache
def trained_with(place: str) -> Language:
    """Three components of spaCy on the encoder, which know the examples. Tests must not change it."""
    nlp = spacy.blank("es")
    if place == "shared":
        nlp.add_pipe("tok2vec", config={"model": ENCODER})
    add_pipes(nlp, ENCODER if place == "inside" else LISTENER)
    return train_briefly(nlp, as_examples(docs_of(nlp)), 120)


@pytest.fixture(scope="module", params=PLACES)
def trained(request) -> Language:
    return trained_with(request.param)


@pytest.fixture(scope="module")
def predicted(trained) -> list[dict]:
    return [read(doc) for doc in trained.pipe(bare(doc) for doc in docs_of(trained))]


def test_spacy_s_components_learn_on_it(trained, predicted):
    assert predicted == [read(doc) for doc in docs_of(trained)]


def test_the_encoder_itself_learns(trained):
    pipe = trained.get_pipe("tok2vec" if "tok2vec" in trained.pipe_names else "tagger")
    (node,) = [node for node in pipe.model.walk() if node.name == "datnet_encoder"]
    before = [parameter.clone() for parameter in node.shims[0].network.parameters()]
    embedding = next(layer for layer in node.walk() if layer.has_param("E"))
    rows = embedding.get_param("E").copy()
    state = trained.to_bytes()
    trained.update(as_examples(docs_of(trained)), sgd=trained.resume_training(), drop=0.2)
    moved = [not torch.equal(*pair) for pair in zip(before, node.shims[0].network.parameters(), strict=True)]
    assert all(moved) and (embedding.get_param("E") != rows).any()
    trained.from_bytes(state)


def test_one_doc_at_a_time_or_none_or_several(trained, predicted):
    assert [read(trained(bare(doc))) for doc in docs_of(trained)] == predicted
    docs = [Doc(trained.vocab), *map(bare, docs_of(trained)), Doc(trained.vocab)]
    assert [read(doc) for doc in trained.pipe(docs, batch_size=3)][1:-1] == predicted
    assert read(trained("")) == {"ents": [], "tokens": []}


def test_white_space_has_no_state(trained):
    pipe = trained.get_pipe("tok2vec" if "tok2vec" in trained.pipe_names else "tagger")
    (node,) = [node for node in pipe.model.walk() if node.name == "datnet_encoder"]
    doc = bare(docs_of(trained)[1])
    spaced, places = with_line_breaks(doc, Random(3))
    (plain,), (found,) = node.predict([doc]), node.predict([spaced])
    assert_allclose(found[places], plain, rtol=1e-4, atol=1e-5)
    assert len(found) > len(places) and not np.delete(found, places, axis=0).any()
    (trained_on,), backprop = node.begin_update([spaced])
    assert not np.delete(trained_on, places, axis=0).any()
    backprop([np.ones_like(trained_on)])
    node.shims[0].network.zero_grad()


def test_empty_docs_are_no_obstacle_in_training(trained):
    state = trained.to_bytes()
    sgd = trained.resume_training()
    empty = Example(Doc(trained.vocab), Doc(trained.vocab))
    blank = as_examples([Doc(trained.vocab, words=["\n"])])
    for examples in ([empty], blank, [empty, *as_examples(docs_of(trained)), *blank, empty]):
        losses = trained.update(examples, sgd=sgd, losses={})
        assert all(np.isfinite(loss) for loss in losses.values())
    trained.from_bytes(state)


def loaded(nlp: Language) -> Language:
    return spacy.blank("es").from_config(nlp.config).from_bytes(nlp.to_bytes())


@pytest.mark.parametrize(
    "copied",
    [
        loaded,
        copy.deepcopy,
        # a listener of spaCy can't be pickled right after an update
        lambda nlp: pickle.loads(pickle.dumps(loaded(nlp))),
    ],
    ids=["bytes", "deepcopy", "pickle"],
)
def test_copies_predict_the_same(copied, trained, predicted):
    other = copied(trained)
    assert [read(doc) for doc in other.pipe(bare(doc) for doc in docs_of(trained))] == predicted


PREDICT = """
import json, sys
import spacy
from spacy.tokens import Doc
texts, found = json.load(sys.stdin), []
for folder in sys.argv[1:]:
    nlp = spacy.load(folder)
    docs = list(nlp.pipe(Doc(nlp.vocab, words=words) for words in texts))
    found.append([[[token.tag_, token.pos_, str(token.morph)] for token in doc] for doc in docs])
print(json.dumps(found))
"""


def test_a_fresh_process_predicts_the_same(tmp_path):
    expected = []
    for place in PLACES:
        nlp = trained_with(place)
        nlp.to_disk(tmp_path / place)
        expected.append([[list(token) for token in read(doc)["tokens"]] for doc in nlp.pipe(map(bare, docs_of(nlp)))])
    words = json.dumps([[token.text for token in doc] for doc in docs_of(nlp)])
    command = [sys.executable, "-c", PREDICT, *(tmp_path / place for place in PLACES)]
    found = subprocess.run(command, input=words, check=True, capture_output=True, text=True).stdout
    assert json.loads(found) == expected


def test_listeners_are_replaced_by_copies(trained, predicted, tmp_path):
    if "tok2vec" not in trained.pipe_names:
        pytest.skip("there is no listener")
    trained.to_disk(tmp_path / "nlp")
    nlp = spacy.load(tmp_path / "nlp")
    for name in NAMES:
        nlp.replace_listeners("tok2vec", name, ["model.tok2vec"])
    nlp.remove_pipe("tok2vec")
    nlp.to_disk(tmp_path / "alone")
    for other in (nlp, spacy.load(tmp_path / "alone")):
        assert [read(doc) for doc in other.pipe(bare(doc) for doc in docs_of(trained))] == predicted


def test_word_features_may_listen():
    """The encoder inside of a component, its words from a tok2vec that several components share."""
    nlp = spacy.blank("es")
    nlp.add_pipe("tok2vec", config={"model": {"width": 24, "depth": 1, "embed_size": 200}})
    for name in NAMES[:2]:
        words = {"@architectures": "spacy.Tok2VecListener.v1", "width": 24}
        nlp.add_pipe(name, config={"model": {"tok2vec": {**ENCODER, "tok2vec": words}}})
    train_briefly(nlp, as_examples(docs_of(nlp)), 40)
    found = [read(doc)["tokens"] for doc in nlp.pipe(bare(doc) for doc in docs_of(nlp))]
    assert found == [read(doc)["tokens"] for doc in docs_of(nlp)]


# Taken from a trained DATNet


def datnet(transfer: str, words: str, *, trained: bool = True) -> Language:
    """A DATNet with vectors, word features of its own, or a listener, trained for a few steps."""
    nlp = spacy.blank("es")
    examples = task_examples(nlp.vocab, ["ents"])
    model = {**SMALL_MODEL, "transfer": transfer}
    if words == "vectors":
        rng = np.random.default_rng(0)
        for word in sorted({token.text for example in examples for token in example.reference}):
            nlp.vocab.set_vector(word, rng.normal(size=6).astype("f"))
        vectors = {"@architectures": "spacy-datnet.WordVectors.v1"}
        model |= {"tok2vec": vectors, "source_tok2vec": vectors}
    elif words == "listener":
        nlp.add_pipe("tok2vec", config={"model": {"width": 24, "depth": 1, "embed_size": 200}})
        model |= {"tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 24}}
    nlp.add_pipe("datnet_ner", config={"model": model})
    return train_briefly(nlp, examples, 5) if trained else nlp


def full_states(nlp: Language, doc: Doc) -> np.ndarray:
    """What the decoder of the target sees."""
    model = nlp.get_pipe("datnet_ner").model
    if "tok2vec" in nlp.pipe_names:
        doc = nlp.get_pipe("tok2vec")(doc)
    features = model.get_ref("features").predict(Batch([doc]))
    inputs = features.inputs(np.arange(len(features.layout.lengths)))
    network = model.shims[0].network
    with torch.no_grad():
        return network.encode(inputs, inputs.words, network.embed_characters(inputs)).full.numpy()


def two_sentences(nlp: Language) -> Doc:
    words = ["Ana", "vive", "en", "Lima", "hoy", "llueve", "en", "el", "tren"]
    return Doc(nlp.vocab, words=words, sent_starts=[i in (0, 4) for i in range(len(words))])


CASES = [("none", "own"), ("full", "own"), ("part", "own"), ("part", "vectors"), ("part", "listener")]


@pytest.fixture(scope="module", params=CASES, ids="-".join)
def exported(request, tmp_path_factory):
    """The pipeline with the encoder of a DATNet on disk, and the states that the DATNet computes for some docs."""
    nlp = datnet(*request.param)
    docs = [*(bare(example.reference) for example in task_examples(nlp.vocab, ["ents"])), two_sentences(nlp)]
    expected = [full_states(nlp, doc) for doc in docs]
    path = tmp_path_factory.mktemp("exported") / "encoder"
    keep_encoder_only(nlp, "datnet_ner").to_disk(path)
    return path, expected


def words_of(nlp: Language) -> list[Doc]:
    return [*map(bare, docs_of(nlp)), two_sentences(nlp)]


def assert_states(found, expected) -> None:
    assert len(found) == len(expected)
    for mine, truth in zip(found, expected, strict=True):
        assert_allclose(mine, truth, atol=1e-6)


def test_the_states_are_those_of_the_datnet(exported):
    path, expected = exported
    nlp = spacy.load(path)
    assert nlp.pipe_names == ["tok2vec"]
    assert_states(states_of(nlp, words_of(nlp)), expected)
    assert len({states.shape[1] for states in expected}) == 1
    assert nlp.config["components"]["tok2vec"]["model"]["width"] == expected[0].shape[1]
    names = [name for name, _ in nlp.get_pipe("tok2vec").model.shims[0].network.named_parameters()]
    assert not [name for name in names if "source" in name or "decoder" in name or "discriminator" in name]


CONFIG = """
[nlp]
lang = "es"
pipeline = ["tok2vec", "tagger"]

[components]

[components.tok2vec]
source = ${paths.encoder}

[components.tagger]
factory = "tagger"

[components.tagger.model]
@architectures = "spacy.Tagger.v2"

[components.tagger.model.tok2vec]
@architectures = "spacy.Tok2VecListener.v1"
width = 0

[training]
max_steps = 200
eval_frequency = 25
dropout = 0.1
frozen_components = []
annotating_components = []

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.03

[initialize]
vectors = null
"""


@pytest.mark.parametrize("frozen", [True, False])
@pytest.mark.filterwarnings("ignore:.*W113")
def test_spacy_trains_on_a_sourced_encoder(exported, frozen, tmp_path):
    path, expected = exported
    width = expected[0].shape[1]
    train_path = write_docs(tmp_path / "train.spacy", docs_of(spacy.blank("es")))
    config = DEFAULT_CONFIG.merge(Config().from_str(CONFIG, interpolate=False))
    config["paths"] |= {"encoder": str(path), "train": str(train_path), "dev": str(train_path)}
    config["components"]["tagger"]["model"]["tok2vec"]["width"] = width
    config["initialize"]["vectors"] = str(path)
    if frozen:
        config["training"] |= {"frozen_components": ["tok2vec"], "annotating_components": ["tok2vec"]}
    nlp = init_nlp(config)
    docs = words_of(nlp)
    assert_states(states_of(nlp, docs), expected)
    train(nlp, tmp_path, stdout=StringIO())
    best = spacy.load(tmp_path / "model-best")
    assert best.meta["performance"]["tag_acc"] == 1.0
    if frozen:
        assert_states(states_of(best, words_of(best)), expected)
    else:
        assert np.abs(states_of(best, words_of(best))[0] - expected[0]).max() > 1e-3


def test_spacy_s_init_tok2vec_reads_its_weights(tmp_path):
    """The other way into a component: `[initialize] init_tok2vec` is the file of the model."""
    trained = datnet("part", "own")
    encoder = keep_encoder_only(trained, "datnet_ner")
    encoder.to_disk(tmp_path)
    nlp = spacy.blank("es")
    settings = encoder.config["components"]["tok2vec"]["model"]
    nlp.add_pipe("tagger", config={"model": {"tok2vec": settings}})
    pretraining = spacy.util.load_config(DEFAULT_CONFIG_PRETRAIN_PATH)["pretraining"]
    config = {**nlp.config, "pretraining": {**pretraining, "component": "tagger", "layer": "tok2vec"}}
    config["initialize"]["init_tok2vec"] = str(tmp_path / "tok2vec" / "model")
    nlp = spacy.blank("es").from_config(config)
    fix_random_seed(1)
    nlp.initialize(lambda: as_examples(docs_of(nlp)))
    docs = words_of(nlp)
    layer = nlp.get_pipe("tagger").model.get_ref("tok2vec")
    for mine, truth in zip(layer.predict(docs), states_of(encoder, docs), strict=True):
        assert_array_equal(mine, truth)


def test_the_trained_pipeline_stays_as_it_is():
    nlp = datnet("part", "listener")
    docs = [bare(doc) for doc in docs_of(nlp)]
    expected = [[(ent.start, ent.label_, ent._.confidence) for ent in nlp(bare(doc)).ents] for doc in docs]
    encoder = keep_encoder_only(nlp, "datnet_ner")
    with torch.no_grad():
        for parameter in encoder.get_pipe("tok2vec").model.shims[0].network.parameters():
            parameter.zero_()
    assert [[(ent.start, ent.label_, ent._.confidence) for ent in nlp(doc).ents] for doc in docs] == expected


def test_a_component_without_an_encoder_is_named():
    nlp = datnet("none", "own")
    with pytest.raises(ValueError, match=r"DN025.*'ner'.*datnet_ner"):
        keep_encoder_only(nlp, "ner")
    with pytest.raises(ValueError, match="DN015"):
        keep_encoder_only(datnet("none", "own", trained=False), "datnet_ner")
