"""The encoder as a layer: shapes, sentences, gradients, dropout and copies."""

import copy
import pickle

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from numpy.testing import assert_allclose, assert_array_equal
from sentence_docs import VOCAB, make_doc, sentences_of, texts
from spacy.ml.models.tok2vec import MultiHashEmbed
from spacy.tokens import Doc
from spacy.util import fix_random_seed
from thinc.api import SGD, Model, set_dropout_rate

from spacy_datnet.features.word_vectors import build_WordVectors
from spacy_datnet.models.datnet_encoder import build_DATNetEncoder
from spacy_datnet.models.parts import build_BiLSTM, build_CharCNN, build_FeedForward

# sentences, an empty doc, a doc whose sentences are unknown; a word in two of them
TEXTS = [[["Ana", "vive"], ["en", "Perú", "Ana"]], [], (None, ["Ana", "vive", "a", "Ñandú"])]
DOCS = [make_doc(text) for text in TEXTS]


def embed():
    rows = [50, 40]
    return MultiHashEmbed(width=6, attrs=["NORM", "SHAPE"], rows=rows, include_static_vectors=False)


def make_model(*, initialized=True, tok2vec=None, encoder=None, characters=True, seed=0, **settings):
    fix_random_seed(seed)
    model = build_DATNetEncoder(
        tok2vec or embed(),
        encoder or build_BiLSTM(hidden=4),
        build_CharCNN(embedding_width=4, filters=5, rows=64) if characters else None,
        **settings,
    )
    if initialized:
        model.initialize(X=DOCS)
    return model


@pytest.mark.parametrize("characters", [True, False])
@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize(("encoder", "width"), [(build_BiLSTM(hidden=4, depth=2), 8), (build_FeedForward(hidden=3), 3)])
def test_a_row_for_each_token_as_wide_as_the_encoder(encoder, width, private, characters):
    model = make_model(encoder=encoder, private=private, characters=characters)
    width *= 1 + private
    assert model.get_dim("nO") == width
    for states in (model.predict(DOCS), model.begin_update(DOCS)[0]):
        assert [array.shape for array in states] == [(5, width), (0, width), (4, width)]
        assert {array.dtype for array in states} == {np.dtype("float32")}
        assert all(np.isfinite(array).all() for array in states)


def test_the_width_is_known_when_it_is_said():
    assert make_model(initialized=False).has_dim("nO") is None
    assert make_model(initialized=False, width=8).get_dim("nO") == 8
    assert make_model(width=8).get_dim("nO") == 8
    with pytest.raises(ValueError, match=r"DN024.*width = 9.*gives 8"):
        make_model(width=9)


def test_a_network_that_is_not_built_is_named():
    with pytest.raises(ValueError, match="DN002"):
        make_model(initialized=False).predict(DOCS)


@pytest.mark.parametrize("docs", [[], [Doc(VOCAB)], [Doc(VOCAB), Doc(VOCAB)]])
def test_no_tokens_are_no_rows(docs):
    model = make_model()
    states, backprop = model.begin_update(docs)
    assert [array.shape for array in states] == [array.shape for array in model.predict(docs)] == [(0, 8)] * len(docs)
    backprop(states)
    model.finish_update(SGD(0.1))


@given(texts)
@settings(max_examples=25)
def test_a_sentence_is_encoded_as_if_it_were_alone(several):
    model = make_model(private=True)
    for text, states in zip(several, model.predict([make_doc(text) for text in several]), strict=True):
        alone = [model.predict([Doc(VOCAB, words=words)])[0] for words in sentences_of(text)]
        assert_allclose(states, np.concatenate([*alone, np.zeros((0, 16))]), atol=1e-6)


def test_the_context_and_the_characters_of_a_word_are_read():
    model = make_model(tok2vec=MultiHashEmbed(width=6, attrs=["SHAPE"], rows=[50], include_static_vectors=False))
    words = [["Ana", "vive"], ["Eva", "vive"], ["Ana", "come"]]
    one, other_form, other_context = model.predict([Doc(VOCAB, words=pair) for pair in words])
    assert np.abs(one[0] - other_form[0]).max() > 1e-3  # of the same shape: only characters tell
    assert np.abs(one[0] - other_context[0]).max() > 1e-4


@pytest.mark.parametrize("private", [True, False])
@pytest.mark.parametrize("characters", [True, False])
def test_gradients_are_those_of_finite_differences(private, characters):
    tok2vec = embed()
    model = make_model(private=private, characters=characters, tok2vec=in_float64(tok2vec))
    network = model.shims[0].network.double()
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=states.shape) for states in model.predict(DOCS)]

    def loss():
        return sum((states * w).sum() for states, w in zip(model.predict(DOCS), weights, strict=True))

    states, backprop = model.begin_update(DOCS)
    assert all(array.dtype == np.float64 for array in states)
    assert backprop(weights) == DOCS
    for name, parameter in network.named_parameters():
        direction = torch.from_numpy(rng.normal(size=parameter.shape))
        if name == "characters.embedding.weight":
            direction[0] = 0.0  # the border stays
        assert parameter.grad.any(), name
        assert_slope(loss, parameter.data, direction, (parameter.grad * direction).sum().item(), 1e-6, 1e-5)
    checked = 0
    for node in tok2vec.walk():
        for name in node.param_names:
            values, gradient = node.get_param(name), node.get_grad(name)
            direction = rng.normal(size=values.shape).astype("f")
            # the word features are float32
            assert gradient.any(), name
            assert_slope(loss, values, direction, (gradient * direction).sum(), 1e-4, 1e-2)
            checked += 1
    assert checked >= 4


def in_float64(layer):
    """Make a layer's output float64."""

    def forward(model, docs, is_train):
        arrays, backprop = layer(docs, is_train)
        return [array.astype("d") for array in arrays], lambda d_arrays: backprop([d.astype("f") for d in d_arrays])

    return Model("in_float64", forward, init=lambda model, X, Y: layer.initialize(X=X), layers=[layer])


def assert_slope(loss, values, direction, expected, step, tolerance):
    """The loss changes along a direction as a gradient says."""
    original, found = copy.deepcopy(values), []
    for sign in (1, -1):
        values += sign * step * direction
        found.append(loss())
        values[...] = original
    assert_allclose((found[0] - found[1]) / (2 * step), expected, rtol=tolerance, atol=tolerance * 0.1)


def test_fixed_vectors_get_no_gradient_and_the_encoder_does():
    nlp = spacy.blank("xx")
    for word in ("Ana", "vive"):
        nlp.vocab.set_vector(word, np.ones(3, dtype="f"))
    docs = [Doc(nlp.vocab, words=["Ana", "vive"])]
    model = make_model(initialized=False, tok2vec=build_WordVectors())
    model.initialize(X=docs)
    states, backprop = model.begin_update(docs)
    backprop(states)
    assert all(parameter.grad is not None for parameter in model.shims[0].network.parameters())
    assert_array_equal(nlp.vocab.get_vector("Ana"), [1, 1, 1])


def test_a_step_goes_down_the_gradient():
    model = make_model()

    def loss():
        return sum((states**2).sum() for states in model.predict(DOCS))

    before = loss()
    states, backprop = model.begin_update(DOCS)
    backprop([2 * array for array in states])
    model.finish_update(SGD(0.01))
    assert loss() < before
    # and its gradient is gone
    after = loss()
    model.finish_update(SGD(0.01))
    assert loss() == after


def test_dropout_is_for_training():
    model = make_model()
    expected = model.predict(DOCS)
    for mine, truth in zip(model.begin_update(DOCS)[0], expected, strict=True):
        assert_allclose(mine, truth, atol=1e-6)
    set_dropout_rate(model, 0.5)
    one, other = (np.concatenate(model.begin_update(DOCS)[0]) for _ in range(2))
    assert 0.3 < (one == 0).mean() < 0.7 and (one != other).any()
    set_dropout_rate(model, 1.0)
    assert not np.concatenate(model.begin_update(DOCS)[0]).any()
    for mine, truth in zip(model.predict(DOCS), expected, strict=True):
        assert_array_equal(mine, truth)


def from_disk(model, path):
    model.to_disk(path / "model")
    return make_model(initialized=False, seed=1).from_disk(path / "model")


@pytest.mark.parametrize(
    "copied",
    [
        lambda model, path: copy.deepcopy(model),
        lambda model, path: model.copy(),
        lambda model, path: pickle.loads(pickle.dumps(model)),
        lambda model, path: make_model(initialized=False, seed=1).from_bytes(model.to_bytes()),
        lambda model, path: make_model(seed=1).from_bytes(model.to_bytes()),
        from_disk,
    ],
    ids=["deepcopy", "copy", "pickle", "bytes", "bytes into a built one", "disk"],
)
def test_copies_are_equal_and_independent(copied, tmp_path):
    model = make_model()
    expected = model.predict(DOCS)
    other = copied(model, tmp_path)
    assert other.get_dim("nO") == 8
    for mine, truth in zip(other.predict(DOCS), expected, strict=True):
        assert_array_equal(mine, truth)
    states, backprop = other.begin_update(DOCS)
    backprop(states)
    other.finish_update(SGD(0.1))
    assert (other.predict(DOCS)[0] != expected[0]).any()
    assert_array_equal(model.predict(DOCS)[0], expected[0])


def test_initialization_depends_on_the_seed_alone():
    one, same, other = (make_model(seed=seed).predict(DOCS)[0] for seed in (0, 0, 1))
    assert_array_equal(one, same)
    assert (one != other).any()
