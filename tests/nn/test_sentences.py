"""Where sentences lie in a row of tokens, against loops."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from util import make_sentences

from spacy_datnet.nn.sentences import Sentences, mask_of

batches = st.lists(st.integers(1, 6), min_size=1, max_size=6)
widths = st.sampled_from([(), (2,), (2, 3)])


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def tokens_of(lengths):
    """The sentence of each token and its place in there."""
    return [(i, t) for i, length in enumerate(lengths) for t in range(length)]


@given(batches, st.integers(0, 3))
def test_the_mask_is_true_up_to_each_sentence_s_end(lengths, extra):
    tokens = max(lengths) + extra
    expected = [[t < length for t in range(tokens)] for length in lengths]
    assert mask_of(torch.tensor(lengths), tokens).tolist() == expected


@given(batches)
def test_each_token_has_its_sentence_and_its_place_in_a_padded_batch(lengths):
    sentences, tokens = make_sentences(lengths), tokens_of(lengths)
    assert (len(sentences), sentences.tokens, sentences.longest) == (len(lengths), len(tokens), max(lengths))
    assert sentences.lengths.tolist() == lengths
    assert sentences.of_token.tolist() == [i for i, _ in tokens]
    assert sentences.places.tolist() == [i * max(lengths) + t for i, t in tokens]


@given(batches, widths, st.sampled_from([torch.float64, torch.float32, torch.int64, torch.bool]))
@settings(deadline=None)
def test_padding_puts_sentences_side_by_side_and_zero_behind_them(lengths, width, dtype):
    values = (10 * draw(sum(lengths), *width)).to(dtype)
    padded = make_sentences(lengths).pad(values)
    expected = torch.zeros(len(lengths), max(lengths), *width, dtype=dtype)
    for token, (i, t) in enumerate(tokens_of(lengths)):
        expected[i, t] = values[token]
    assert padded.dtype == dtype
    assert torch.equal(padded, expected)


@given(batches, widths)
@settings(deadline=None)
def test_unpadding_keeps_the_tokens_alone(lengths, width):
    padded = draw(len(lengths), max(lengths), *width)  # something is behind the sentences too
    row = make_sentences(lengths).unpad(padded)
    assert torch.equal(row, torch.stack([padded[i, t] for i, t in tokens_of(lengths)]))


@given(batches, widths)
@settings(deadline=None)
def test_unpadding_undoes_padding(lengths, width):
    sentences, values = make_sentences(lengths), draw(sum(lengths), *width)
    assert torch.equal(sentences.unpad(sentences.pad(values)), values)


@given(batches, widths)
@settings(deadline=None)
def test_each_token_gets_the_gradient_of_its_place(lengths, width):
    sentences, values = make_sentences(lengths), draw(sum(lengths), *width).requires_grad_()
    weights = draw(len(lengths), max(lengths), *width, seed=1)
    (sentences.pad(values) * weights).sum().backward()
    assert torch.equal(values.grad, torch.stack([weights[i, t] for i, t in tokens_of(lengths)]))


def test_gradients_agree_with_finite_differences():
    sentences = make_sentences([2, 1, 3])
    assert torch.autograd.gradcheck(sentences.pad, [draw(6, 2).requires_grad_()])
    assert torch.autograd.gradcheck(sentences.unpad, [draw(3, 3, 2).requires_grad_()])


@given(batches, st.data())
def test_a_split_is_the_first_sentences_and_the_others(lengths, data):
    n = data.draw(st.integers(0, len(lengths)))
    first, others = make_sentences(lengths).split(n)
    assert first.host_lengths.tolist() == lengths[:n]
    assert others.host_lengths.tolist() == lengths[n:]
    assert (first.tokens, others.tokens) == (sum(lengths[:n]), sum(lengths[n:]))


@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_indices_are_on_the_device_and_lengths_for_the_host_are_not(device):
    sentences = Sentences(torch.tensor([2, 1, 3]), torch.device(device))
    for part in (sentences, *sentences.split(1)):
        assert part.host_lengths.device.type == "cpu"
        for indices in (part.lengths, part.of_token, part.places):
            assert indices.device.type == device
