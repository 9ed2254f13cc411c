"""From docs to tensors, against loops over tokens."""

from functools import cache

import numpy as np
import pytest
import spacy
import torch
from docs import WORDS, make_doc, points_of, read, sentences_of, texts
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_datnet.models.features import Batch, Features, build_features
from spacy_datnet.models.layout import Layout, Spelling


def make_features(texts, *, seed=0):
    """Features of docs with random words, every second doc of the source; and the words of each sentence."""
    layout = Layout.of([make_doc(text) for text in texts])
    flat = [word for text in texts for sentence in sentences_of(text) for word in sentence]
    distinct = sorted(set(flat))
    features = Features(
        layout=layout,
        words=torch.randn(len(flat), 3, generator=torch.Generator().manual_seed(seed)),
        is_source=layout.docs % 2 == 1,
        spelling=Spelling.of(distinct),
        forms=np.array([distinct.index(word) for word in flat], dtype=np.int64),
    )
    return features, [sentence for text in texts for sentence in sentences_of(text)]


@given(texts, st.booleans(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_inputs_hold_the_words_and_characters_of_each_token(texts, own_forms, rng):
    features, sentences = make_features(texts)
    chosen = rng.sample(range(len(sentences)), rng.randint(0, len(sentences)))
    if not chosen:
        return
    inputs = features.inputs(np.array(chosen), own_forms)
    longest = max(len(sentences[i]) for i in chosen)
    assert inputs.words.shape == (len(chosen), longest, 3)
    assert inputs.lengths.tolist() == inputs.host_lengths.tolist() == [len(sentences[i]) for i in chosen]
    spelled = read(inputs.characters, inputs.form_lengths)
    for row, sentence in enumerate(chosen):
        first = sum(map(len, sentences[:sentence]))
        for i, word in enumerate(sentences[sentence]):
            assert torch.equal(inputs.words[row, i], features.words[first + i])
            assert spelled[inputs.forms[row, i]] == points_of(word)
        behind = len(sentences[sentence])
        assert not inputs.words[row, behind:].any()
        assert (inputs.forms[row, behind:] == len(spelled)).all()
    assert inputs.is_source.tolist() == [bool(features.is_source[i]) for i in chosen]
    rows = {name: rows.tolist() for name, rows in inputs.rows.items()}
    assert sorted(i for found in rows.values() for i in found) == list(range(len(chosen)))
    assert all(rows.values())
    assert all(inputs.is_source[i] == (name == "source") for name, found in rows.items() for i in found)


@given(texts)
@settings(deadline=None)
def test_distinct_forms_are_spelled_once_unless_sentences_own_them(texts):
    features, sentences = make_features(texts)
    if not sentences:
        return
    shared = features.inputs(np.arange(len(sentences)))
    assert len(shared.form_lengths) == len({word for sentence in sentences for word in sentence})
    assert shared.owners is None
    own = features.inputs(np.arange(len(sentences)), own_forms=True)
    assert len(own.form_lengths) == sum(len(set(sentence)) for sentence in sentences)
    # the characters of a sentence, its borders left out, are those of its distinct words
    for row, sentence in enumerate(sentences):
        mine = own.characters[(own.owners == row) & (own.characters > 0)].tolist()
        assert sorted(mine) == sorted(c for word in set(sentence) for c in points_of(word))
    assert len(own.owners) == len(own.characters)


@given(texts, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_spread_puts_each_token_s_gradient_back(texts, rng):
    features, sentences = make_features(texts)
    order = rng.sample(range(len(sentences)), len(sentences))
    if not order:
        return
    inputs = features.inputs(np.array(order))
    gradient = torch.randn(inputs.words.shape)
    flat = features.spread(gradient, np.array(order))
    assert flat.shape == features.words.shape
    for row, sentence in enumerate(order):
        first, length = sum(map(len, sentences[:sentence])), len(sentences[sentence])
        assert torch.equal(flat[first : first + length], gradient[row, :length])


# The layer


@cache
def words_layer(width, seed):
    """A trainable layer of word features."""
    spacy.util.fix_random_seed(seed)
    layer = spacy.registry.get("architectures", "spacy.MultiHashEmbed.v2")(
        width=width, attrs=["ORTH"], rows=[50], include_static_vectors=False
    )
    layer.initialize(X=[make_doc([WORDS])])
    return layer


@pytest.fixture
def batch():
    texts = [[["Ana", "vive"], ["en"]], [["Perú"]], (None, []), [["a", "Ana"]], [["en", "Ana", "a"]]]
    return Batch([make_doc(text) for text in texts], np.array([False, True, False, True, False]))


def test_each_resource_gets_its_own_word_features(batch):
    target, source = words_layer(4, 0), words_layer(4, 1)
    features = build_features(target, source, spell=True).predict(batch)
    layers = [source if flag else target for flag in batch.is_source]
    expected = [layer.predict([doc])[0] for layer, doc in zip(layers, batch.docs, strict=True)]
    np.testing.assert_array_equal(features.words.numpy(), np.concatenate(expected))
    assert features.is_source.tolist() == [False, False, True, True, False]


def test_each_layer_gets_the_gradient_of_its_docs(batch):
    target, source = words_layer(4, 0).copy(), words_layer(4, 1).copy()
    features, backprop = build_features(target, source, spell=True).begin_update(batch)
    gradient = torch.randn(features.words.shape)
    backprop(gradient)
    pieces = np.split(gradient.numpy(), np.cumsum([len(doc) for doc in batch.docs])[:-1])
    for layer, resource, original in ((target, False, words_layer(4, 0)), (source, True, words_layer(4, 1))):
        alone = original.copy()
        mine = np.flatnonzero(batch.is_source == resource)
        _, backprop_alone = alone.begin_update([batch.docs[i] for i in mine])
        backprop_alone([pieces[i] for i in mine])
        compared = 0
        for node, other in zip(layer.walk(), alone.walk(), strict=True):
            for name in node.grad_names:
                np.testing.assert_allclose(node.get_grad(name), other.get_grad(name), rtol=1e-5)
                compared += 1
        assert compared


def test_docs_of_one_resource_leave_the_other_layer_alone(batch):
    target, source = words_layer(4, 0).copy(), words_layer(4, 1).copy()
    only_target = Batch([doc for doc, flag in zip(batch.docs, batch.is_source, strict=True) if not flag])
    features, backprop = build_features(target, source, spell=True).begin_update(only_target)
    backprop(torch.ones(features.words.shape))
    assert not any(node.grad_names for node in source.walk())
    assert any(node.grad_names for node in target.walk())


def test_characters_are_those_of_the_words(batch):
    features = build_features(words_layer(4, 0), None, spell=True).predict(batch)
    words = [token.text for doc in batch.docs for token in doc]
    spelled = read(features.spelling.characters, features.spelling.lengths)
    assert [spelled[form] for form in features.forms] == [points_of(word) for word in words]
    assert len(spelled) == len(set(words))


def test_without_characters_nothing_is_spelled(batch):
    features = build_features(words_layer(4, 0), None, spell=False).predict(batch)
    assert features.spelling is None and features.forms is None
    inputs = features.inputs(np.array([0]))
    assert inputs.characters is None and inputs.forms is None


def test_the_width_is_that_of_the_word_features(batch):
    model = build_features(words_layer(4, 0).copy(), words_layer(4, 1).copy(), spell=True)
    model.initialize(X=batch)
    assert model.get_dim("nO") == 4


def test_word_features_of_different_widths_are_refused(batch):
    model = build_features(words_layer(4, 0).copy(), words_layer(6, 0).copy(), spell=True)
    with pytest.raises(ValueError, match=r"DN006.* 4 wide for the target and 6 wide for the source"):
        model.initialize(X=batch)
