"""From docs to tensors: sentences, padding and spelling against loops over tokens."""

from functools import cache

import numpy as np
import pytest
import spacy
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from spacy_datnet.models.features import (
    MAX_CHARACTERS,
    Batch,
    Features,
    Layout,
    Spelling,
    build_features,
)

VOCAB = spacy.blank("xx").vocab
WORDS = ["Ana", "vive", "en", "Perú", "a", "Ñandú", "𝕬", "x" * 40]

# the words of each sentence of each doc; None where a doc's sentences are unknown
sentences = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5)
texts = st.lists(
    st.one_of(st.lists(sentences, max_size=3), st.tuples(st.none(), st.lists(st.sampled_from(WORDS), max_size=6))),
    min_size=1,
    max_size=5,
)


def make_doc(text):
    if isinstance(text, tuple):
        return Doc(VOCAB, words=text[1])
    starts = [i == 0 for sentence in text for i in range(len(sentence))]
    return Doc(VOCAB, words=[word for sentence in text for word in sentence], sent_starts=starts)


def sentences_of(text):
    """The words of each sentence as they went into the doc."""
    if isinstance(text, tuple):
        return [text[1]] if text[1] else []
    return text


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


def points_of(word):
    """The code points of a word, as far as it is read."""
    return [ord(character) for character in word[:MAX_CHARACTERS]]


def read(characters, lengths):
    """Read the forms off a row of characters; every border must be where it belongs."""
    characters, forms, position = characters.tolist(), [], 0
    for length in lengths.tolist():
        assert characters[position] == 0
        forms.append(characters[position + 1 : position + 1 + length])
        position += 1 + length
    assert characters[position:] == [0]
    return forms


@given(texts)
@settings(deadline=None)
def test_layout_has_the_sentences_of_the_docs(texts):
    layout = Layout.of([make_doc(text) for text in texts])
    expected = [(i, len(sentence)) for i, text in enumerate(texts) for sentence in sentences_of(text)]
    assert list(zip(layout.docs.tolist(), layout.lengths.tolist(), strict=True)) == expected
    ends = np.cumsum([length for _, length in expected]).tolist()
    assert layout.starts.tolist() == [0, *ends[:-1]][: len(expected)]


def test_sentences_are_those_of_spacy():
    nlp = spacy.blank("es")
    nlp.add_pipe("sentencizer")
    doc = nlp("Ana vive. Hoy llueve mucho. No sé")
    assert Layout.of([doc]).lengths.tolist() == [len(sentence) for sentence in doc.sents]


@given(texts, st.randoms(use_true_random=False))
@settings(deadline=None)
def test_positions_are_the_flat_tokens_of_each_sentence(texts, rng):
    layout = Layout.of([make_doc(text) for text in texts])
    chosen = [i for i in range(len(layout.lengths)) if rng.random() < 0.7]
    rng.shuffle(chosen)
    positions, mask = layout.positions(np.array(chosen, dtype=np.int64))
    assert mask.sum(1).tolist() == layout.lengths[chosen].tolist()
    for row, sentence in enumerate(chosen):
        first = sum(layout.lengths[:sentence])
        expected = list(range(first, first + layout.lengths[sentence]))
        assert positions[row][mask[row]].tolist() == expected
    assert not positions[~mask].any()


@given(st.lists(st.integers(1, 30), max_size=40), st.integers(1, 100))
@settings(deadline=None)
def test_groups_by_length_hold_each_sentence_once_and_no_more_than_fits(lengths, limit):
    layout = Layout(np.array(lengths, dtype=np.int64), np.zeros(len(lengths), dtype=np.int64))
    groups = [group.tolist() for group in layout.by_length(limit)]
    assert sorted(i for group in groups for i in group) == list(range(len(lengths)))
    ordered = [lengths[i] for group in groups for i in group]
    assert ordered == sorted(ordered)
    for group, following in zip(groups, [*groups[1:], None], strict=False):
        longest = max(lengths[i] for i in group)
        assert len(group) == 1 or len(group) * longest <= limit
        if following:  # one more would have been too many
            assert (len(group) + 1) * lengths[following[0]] > limit


def test_words_are_spelled_as_code_points():
    words = ["Ana", "Ñandú", "𝕬𝕭", "x" * 40, "\ud800"]
    spelling = Spelling.of(words)
    assert read(spelling.characters, spelling.lengths) == [points_of(word) for word in words]
    assert spelling.lengths.tolist() == [3, 5, 2, MAX_CHARACTERS, 1]


def test_no_words_are_spelled_as_one_border():
    spelling = Spelling.of([])
    assert (spelling.characters.tolist(), spelling.lengths.tolist()) == ([0], [])


@given(st.lists(st.integers(0, len(WORDS) - 1), min_size=1, max_size=8))
@settings(deadline=None)
def test_chosen_forms_are_spelled_in_their_order(forms):
    chosen = Spelling.of(WORDS).choose(np.array(forms))
    assert read(chosen.characters, chosen.lengths) == [points_of(WORDS[i]) for i in forms]


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
