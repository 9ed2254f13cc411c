"""Character CNN, feed-forward encoder and dropout, each against its definition."""

import pytest
import torch
from torch.nn.functional import conv1d
from util import assert_sentences_are_apart, make_sentences

from spacy_datnet.nn.encoders import CharCNN, FeedForward, drop

# no character twice in a word: two equal maxima may share a gradient in more than one way
WORDS = [[3, 1, 4, 2, 5], [9], [2, 6], [5, 3, 7]]

windows = pytest.mark.parametrize("window", [1, 3, 5, 7])
borders = pytest.mark.parametrize("learn_border", [False, True])


def build(window, learn_border=False):
    torch.manual_seed(0)
    encoder = CharCNN(rows=10, embedding_width=4, filters=6, window=window, learn_border=learn_border).double()
    torch.nn.init.normal_(encoder.filters.bias)
    return encoder


def spell(words):
    characters = [0]
    for word in words:
        characters += [*word, 0]
    return torch.tensor(characters), torch.tensor([len(word) for word in words])


def encode(encoder, words):
    characters, lengths = spell(words)
    return encoder(encoder.embed(characters), lengths)


def encode_alone(encoder, word):
    """One word: borders and zeros around it, a convolution, ReLU, and the maximum over its characters."""
    window, width = encoder.window, encoder.embedding.embedding_dim
    rows = torch.tensor([0, *(1 + character % 9 for character in word), 0])
    embedded = encoder.embedding(rows).T[None]  # (1, width, characters)
    weight = encoder.filters.weight.view(-1, window, width).transpose(1, 2)
    found = conv1d(embedded, weight, encoder.filters.bias, padding=window // 2)
    return found[0, :, 1:-1].relu().amax(1)


@windows
@borders
def test_a_word_is_encoded_as_by_a_convolution_over_it_alone(window, learn_border):
    encoder = build(window, learn_border)
    expected = torch.stack([encode_alone(encoder, word) for word in WORDS])
    torch.testing.assert_close(encode(encoder, WORDS), expected)


@windows
@borders
def test_gradients_are_those_of_a_convolution_over_each_word(window, learn_border):
    encoder = build(window, learn_border)
    weights = torch.randn(len(WORDS), encoder.width, dtype=torch.float64)
    results = []
    for encoded in (
        encode(encoder, WORDS),
        torch.stack([encode_alone(encoder, word) for word in WORDS]),
    ):
        encoder.zero_grad()
        (encoded * weights).sum().backward()
        results.append([parameter.grad.clone() for parameter in encoder.parameters()])
    for ours, truth in zip(*results, strict=True):
        torch.testing.assert_close(ours, truth)


@windows
@borders
def test_neighbours_do_not_change_a_word(window, learn_border):
    encoder = build(window, learn_border)
    together = encode(encoder, WORDS)
    torch.testing.assert_close(encode(encoder, WORDS[::-1]), together.flip(0))
    for word, encoded in zip(WORDS, together, strict=True):
        torch.testing.assert_close(encode(encoder, [word])[0], encoded)


@borders
def test_the_border_is_zero_and_stays_so_if_it_is_not_learnt(learn_border):
    encoder = build(3, learn_border)
    assert encoder.embedding.weight[0].any() == learn_border
    encode(encoder, WORDS).sum().backward()
    assert encoder.embedding.weight.grad[0].any() == learn_border


@pytest.mark.parametrize("depth", [0, 1, 3])
def test_feed_forward_is_a_stack_of_rectified_layers(depth):
    torch.manual_seed(0)
    encoder = FeedForward(3, hidden=5, depth=depth)
    x = torch.randn(6, 3)  # (tokens, width)
    expected = x
    for layer in encoder.layers:
        expected = (expected @ layer.weight.T + layer.bias).clamp(min=0)
    assert len(encoder.layers) == depth
    torch.testing.assert_close(encoder(x.split([1, 2], 1), make_sentences([4, 2])), expected)
    assert encoder.width == 5


def test_feed_forward_reads_each_sentence_on_its_own():
    torch.manual_seed(0)
    encoder, lengths = FeedForward(3, hidden=5, depth=2).double(), [2, 4, 1]
    x = torch.randn(7, 3, dtype=torch.float64)
    assert_sentences_are_apart(
        lambda x, sentences: encoder((x,), sentences).split(sentences.lengths.tolist()), x, lengths
    )


def test_no_dropout_is_the_identity():
    x = torch.randn(3)
    assert drop(x, 0.0) is x


def test_full_dropout_drops_everything():
    assert drop(torch.ones(1000), 1.0).tolist() == [0.0] * 1000


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_dropout_drops_its_rate_and_scales_the_rest(rate):
    torch.manual_seed(0)
    n = 200_001
    dropped = drop(torch.ones(n), rate)
    share = dropped.eq(0).float().mean().item()
    assert share == pytest.approx(rate, abs=5 * (rate * (1 - rate) / n) ** 0.5)
    assert dropped[dropped != 0].unique().tolist() == pytest.approx([1 / (1 - rate)])
    assert dropped.mean().item() == pytest.approx(1.0, abs=0.03)


def test_dropout_is_independent_between_neighbours():
    torch.manual_seed(0)
    kept = drop(torch.ones(400_000), 0.5).ne(0).float().view(-1, 4)
    correlation = torch.corrcoef(kept.T)  # of the four numbers that are cut from one draw
    assert (correlation - torch.eye(4)).abs().max() < 0.02


def test_dropout_repeats_under_the_same_seed():
    x = torch.ones(3, 5, 7)
    masks = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        masks.append(drop(x, 0.5))
    assert torch.equal(masks[0], masks[1])
    assert not torch.equal(masks[0], masks[2])


def test_gradient_passes_where_dropout_let_values_pass():
    torch.manual_seed(0)
    x = torch.ones(1000, requires_grad=True)
    dropped = drop(x, 0.3)
    dropped.sum().backward()
    assert torch.equal(x.grad, dropped.detach())


def test_letters_of_the_alphabets_stay_apart_in_the_default_table():
    letters = torch.tensor([i for block in (range(32, 127), range(0xC0, 0x700)) for i in block])
    encoder = CharCNN(rows=2048, embedding_width=2, filters=1, window=1)
    with torch.no_grad():
        encoder.embedding.weight[:, 0] = torch.arange(2048)
    rows = encoder.embed(letters)[:, 0]
    assert len(set(rows.tolist()) - {0.0}) == len(letters)
