"""The LSTM layer against torch.nn.LSTM on packed sequences."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

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


def draw(lengths, extra=0, seed=0):
    rng = torch.Generator().manual_seed(seed)
    shape = len(lengths), max(lengths) + extra
    x = torch.randn(*shape, WIDTH, generator=rng, dtype=torch.float64)
    weights = torch.randn(*shape, 2 * HIDDEN, generator=rng, dtype=torch.float64)
    return x, torch.tensor(lengths), weights


@given(
    lengths=batches,
    extra=st.integers(0, 2),
    depth=st.sampled_from([1, 2]),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=60, deadline=None)
def test_states_and_gradients_are_those_of_a_packed_lstm(lengths, extra, depth, seed):
    ours = build(depth)
    theirs = reference_of(ours)
    x, lengths, weights = draw(lengths, extra, seed)
    other = x.clone().requires_grad_()
    x.requires_grad_()
    states = ours(x, lengths)
    packed = pack_padded_sequence(other, lengths, batch_first=True, enforce_sorted=False)
    expected, _ = pad_packed_sequence(theirs(packed)[0], batch_first=True, total_length=x.shape[1])
    torch.testing.assert_close(states, expected)
    (states * weights).sum().backward()
    (expected * weights).sum().backward()
    torch.testing.assert_close(x.grad, other.grad)
    for parameter, truth in zip(ours.parameters(), gradients_like(ours, theirs), strict=True):
        torch.testing.assert_close(parameter.grad, truth)


def test_gradient_agrees_with_finite_differences():
    lstm = build()
    x, lengths, _ = draw([3, 1, 2])
    assert torch.autograd.gradcheck(lambda x: lstm(x, lengths), [x.requires_grad_()])


def test_a_layer_of_fixed_input_still_has_gradients_of_its_weights():
    lstm, wanted = build(), build()
    x, lengths, weights = draw([3, 1])
    (lstm(x, lengths) * weights).sum().backward()
    (wanted(x.clone().requires_grad_(), lengths) * weights).sum().backward()
    for ours, truth in zip(lstm.parameters(), wanted.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, truth.grad)


@pytest.mark.parametrize("depth", [1, 2])
def test_padding_neither_acts_nor_learns(depth):
    lstm = build(depth)
    x, lengths, weights = draw([2, 5, 1], extra=1)
    behind = torch.arange(x.shape[1]) >= lengths[:, None]
    changed = x.clone()
    changed[behind] = 1e3
    changed.requires_grad_()
    states = lstm(changed, lengths)
    assert not states[behind].any()
    torch.testing.assert_close(states, lstm(x, lengths))
    (states * weights).sum().backward()
    assert not changed.grad[behind].any()
    assert changed.grad[~behind].all()


def test_states_do_not_depend_on_the_order_of_the_batch():
    lstm = build(2)
    x, lengths, _ = draw([2, 5, 1, 5, 3])
    order = torch.tensor([3, 0, 4, 2, 1])
    torch.testing.assert_close(lstm(x[order], lengths[order]), lstm(x, lengths)[order])


@given(lengths=batches, extra=st.integers(0, 2))
@settings(max_examples=30, deadline=None)
def test_packing_visits_each_token_once_in_both_directions(lengths, extra):
    tokens = max(lengths) + extra
    packing = pack(torch.tensor(lengths), tokens)
    real = [row * tokens + i for row, length in enumerate(lengths) for i in range(length)]
    assert sorted(packing.forward.tolist()) == real
    assert sorted(packing.backward.tolist()) == real
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
