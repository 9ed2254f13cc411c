"""From docs to tensors, against loops over tokens."""

from functools import cache

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sentence_docs import WORDS, make_doc, points_of, read, sentences_of, texts

from spacy_datnet.features.layout import Layout, Spelling
from spacy_datnet.models.batch import Batch, Features, build_features

FLAGS = (("source", True), ("target", False))


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


def draw_sentences(features, rng):
    """Some sentences in random order, those of the source first."""
    everything = range(len(features.layout.lengths))
    chosen = rng.sample(everything, rng.randint(0, len(everything)))
    return sorted(chosen, key=lambda i: not features.is_source[i])


def flat_tokens(sentences, chosen):
    """The flat tokens of some sentences, one sentence after the other."""
    starts = [sum(map(len, sentences[:i])) for i in range(len(sentences))]
    return [starts[i] + t for i in chosen for t in range(len(sentences[i]))]


@given(texts)
@settings(deadline=None)
def test_sentences_of_a_resource_are_those_of_its_docs(texts):
    features, _ = make_features(texts)
    docs = [i for i, text in enumerate(texts) for _ in sentences_of(text)]  # odd ones are of the source
    assert features.sentences_of("source").tolist() == [i for i, doc in enumerate(docs) if doc % 2 == 1]
    assert features.sentences_of("target").tolist() == [i for i, doc in enumerate(docs) if doc % 2 == 0]


@given(texts, st.booleans(), st.randoms(use_true_random=False))
@settings(deadline=None)
def test_inputs_hold_the_words_and_characters_of_each_token(texts, own_forms, rng):
    features, sentences = make_features(texts)
    chosen = draw_sentences(features, rng)
    if not chosen:
        return
    inputs = features.inputs(np.array(chosen), own_forms)
    assert torch.equal(inputs.words, features.words[flat_tokens(sentences, chosen)])
    spelled = read(inputs.characters, inputs.form_lengths)
    words = [word for i in chosen for word in sentences[i]]
    assert [spelled[form] for form in inputs.forms] == [points_of(word) for word in words]
    lengths = [len(sentences[i]) for i in chosen]
    assert inputs.sentences.lengths.tolist() == inputs.sentences.host_lengths.tolist() == lengths
    assert inputs.is_source.tolist() == [bool(features.is_source[i]) for i in chosen]
    by_resource = {name: [len(sentences[i]) for i in chosen if features.is_source[i] == flag] for name, flag in FLAGS}
    found = {name: sentences.lengths.tolist() for name, sentences in inputs.resources.items()}
    assert found == {name: lengths for name, lengths in by_resource.items() if lengths}


@given(texts, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_distinct_forms_are_spelled_once_unless_sentences_own_them(texts, rng):
    features, sentences = make_features(texts)
    chosen = draw_sentences(features, rng)
    if not chosen:
        return
    words = [sentences[i] for i in chosen]
    shared = features.inputs(np.array(chosen))
    assert len(shared.form_lengths) == len({word for sentence in words for word in sentence})
    assert shared.owners is None
    own = features.inputs(np.array(chosen), own_forms=True)
    assert len(own.form_lengths) == sum(len(set(sentence)) for sentence in words)
    # the characters of a sentence, its borders left out, are those of its distinct words
    for i, sentence in enumerate(words):
        mine = own.characters[(own.owners == i) & (own.characters > 0)].tolist()
        assert sorted(mine) == sorted(c for word in set(sentence) for c in points_of(word))
    assert len(own.owners) == len(own.characters)


@given(texts, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_spread_puts_each_token_s_gradient_back_and_zero_elsewhere(texts, rng):
    features, sentences = make_features(texts)
    chosen = draw_sentences(features, rng)
    if not chosen:
        return
    gradient = torch.randn(features.inputs(np.array(chosen)).words.shape)
    expected = torch.zeros(features.words.shape)
    for token, own in zip(flat_tokens(sentences, chosen), gradient, strict=True):
        expected[token] = own
    assert torch.equal(features.spread(gradient, np.array(chosen)), expected)


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
