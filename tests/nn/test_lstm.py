"""The LSTM layer against torch.nn.LSTM on packed sequences."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_sequence, unpack_sequence
from util import assert_sentences_are_apart, make_sentences, pick

from spacy_datnet.nn.encoders import BiLSTM
from spacy_datnet.nn.lstm import pack

WIDTH, HIDDEN = 3, 2

batches = st.lists(st.integers(1, 7), min_size=1, max_size=5)


def reference_of(ours):
    """A torch.nn.LSTM with the weights of one of ours."""
    lstm = torch.nn.LSTM(WIDTH, HIDDEN, len(ours.biases), batch_first=True, bidirectional=True).double()
    names = {"weight_ih": ours.weights_input, "weight_hh": ours.weights_hidden}
    with torch.no_grad():
        for layer, bias in enumerate(ours.biases):
            for direction, suffix in enumerate(("", "_reverse")):
                for name, weights in names.items():
                    weight = getattr(lstm, f"{name}_l{layer}{suffix}")
                    weight.copy_(weights[layer][direction])
                getattr(lstm, f"bias_ih_l{layer}{suffix}").copy_(bias[direction])
                getattr(lstm, f"bias_hh_l{layer}{suffix}").zero_()
    return lstm


def gradients_like(ours, lstm):
    """The gradients of a torch.nn.LSTM, stacked over directions as ours are."""
    found = []
    for name in ("weight_ih", "weight_hh", "bias_ih"):
        for layer in range(len(ours.biases)):
            pair = [getattr(lstm, f"{name}_l{layer}{suffix}").grad for suffix in ("", "_reverse")]
            found.append(torch.stack(pair))
    return found


def build(depth=1):
    torch.manual_seed(0)
    lstm = BiLSTM(WIDTH, hidden=HIDDEN, depth=depth).double()
    for parameter in lstm.parameters():
        torch.nn.init.normal_(parameter)
    return lstm


def encode(lstm, x, sentences):
    """The states of sentences whose features come in two parts."""
    return lstm(x.split([1, WIDTH - 1], 1), sentences)


def draw(lengths, seed=0):
    rng = torch.Generator().manual_seed(seed)
    x = torch.randn(sum(lengths), WIDTH, generator=rng, dtype=torch.float64)
    weights = torch.randn(sum(lengths), 2 * HIDDEN, generator=rng, dtype=torch.float64)
    return x, make_sentences(lengths), weights


@given(lengths=batches, depth=st.sampled_from([1, 2]), seed=st.integers(0, 2**16))
@settings(max_examples=60, deadline=None)
def test_states_and_gradients_are_those_of_a_packed_lstm(lengths, depth, seed):
    ours = build(depth)
    theirs = reference_of(ours)
    x, sentences, weights = draw(lengths, seed)
    other = x.clone().requires_grad_()
    x.requires_grad_()
    states = encode(ours, x, sentences)
    packed = pack_sequence(other.split(lengths), enforce_sorted=False)
    expected = torch.cat(unpack_sequence(theirs(packed)[0]))
    torch.testing.assert_close(states, expected)
    (states * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(x.grad, other.grad)
    for parameter, truth in zip(ours.parameters(), gradients_like(ours, theirs), strict=True):
        torch.testing.assert_close(parameter.grad, truth)


def test_gradient_agrees_with_finite_differences():
    lstm = build()
    x, sentences, _ = draw([3, 1, 2])
    assert torch.autograd.gradcheck(lambda x: encode(lstm, x, sentences), [x.requires_grad_()])


@pytest.mark.parametrize("trainable", [(), (0,), (1,), (0, 1)])
def test_fixed_parts_of_the_input_change_no_other_gradient(trainable):
    lstm, wanted = build(), build()
    x, sentences, weights = draw([3, 1])
    whole = x.clone().requires_grad_()
    (encode(wanted, whole, sentences) * weights).sum().backward()
    parts = [part.clone().requires_grad_(i in trainable) for i, part in enumerate(x.split([1, WIDTH - 1], 1))]
    (lstm(tuple(parts), sentences) * weights).sum().backward()
    for ours, truth in zip(lstm.parameters(), wanted.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, truth.grad)
    for i, (part, truth) in enumerate(zip(parts, whole.grad.split([1, WIDTH - 1], 1), strict=True)):
        if i in trainable:
            torch.testing.assert_close(part.grad, truth)
        else:
            assert part.grad is None


@pytest.mark.parametrize("depth", [1, 2])
def test_neighbours_neither_act_nor_learn(depth):
    lstm, lengths = build(depth), [2, 5, 1, 5, 3]
    x, _, _ = draw(lengths)
    assert_sentences_are_apart(
        lambda x, sentences: encode(lstm, x, sentences).split(sentences.lengths.tolist()), x, lengths
    )


@pytest.mark.parametrize("depth", [1, 2])
def test_every_token_learns_from_every_state_of_its_sentence(depth):
    lstm, lengths = build(depth), [2, 3]
    x, sentences, _ = draw(lengths)
    states = encode(lstm, x.requires_grad_(), sentences)
    for i, own in enumerate(states.split(lengths)):
        for half in (own[:, :HIDDEN], own[:, HIDDEN:]):
            (gradient,) = torch.autograd.grad(half.sum(), x, retain_graph=True)
            assert gradient.split(lengths)[i].all()


def test_states_do_not_depend_on_the_order_of_the_batch():
    lstm, lengths = build(2), [2, 5, 1, 5, 3]
    x, sentences, _ = draw(lengths)
    order = [3, 0, 4, 2, 1]
    moved = encode(lstm, pick(x, lengths, order), make_sentences([lengths[i] for i in order]))
    torch.testing.assert_close(moved, pick(encode(lstm, x, sentences), lengths, order))


@given(lengths=batches)
@settings(max_examples=60, deadline=None)
def test_packing_orders_tokens_by_step_and_then_by_length(lengths):
    packing = pack(torch.tensor(lengths))
    longest_first = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    packed = [(i, step) for step in range(max(lengths)) for i in longest_first if step < lengths[i]]
    starts = [sum(lengths[:i]) for i in range(len(lengths))]
    assert packing.forward.tolist() == [starts[i] + step for i, step in packed]
    assert packing.backward.tolist() == [starts[i] + lengths[i] - 1 - step for i, step in packed]
    place = {token: k for k, token in enumerate(packed)}
    assert packing.previous.tolist() == [place.get((i, step - 1), len(packed)) for i, step in packed]
    assert packing.alive == [sum(n > step for n in lengths) for step in range(max(lengths))]


def test_initial_recurrence_is_orthogonal_and_remembers():
    torch.manual_seed(0)
    lstm = BiLSTM(WIDTH, hidden=HIDDEN, depth=2)
    eye = torch.eye(HIDDEN)
    for w_hidden, bias in zip(lstm.weights_hidden, lstm.biases, strict=True):
        for direction in range(2):
            for gate in w_hidden[direction].chunk(4):
                torch.testing.assert_close(gate @ gate.T, eye)
            i, f, g, o = bias[direction].chunk(4)
            assert f.eq(1).all() and not torch.cat([i, g, o]).any()
