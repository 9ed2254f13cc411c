"""A bidirectional LSTM layer for sentences of different lengths, made for the CPU.

Both directions run in the same loop over time, the backward one over reversed sentences, on the sentences that are
still alive at each step. Whatever needs no recurrence (input projection, derivatives of the gates, gradients of weights
and inputs) is one large operation outside the loop, so that a step of the loop is one batched matrix product and a few
element-wise operations.

Shapes: `tokens` are those of all sentences, one sentence after the other; `packed` are the same tokens ordered by time
step and, within one, by descending length of their sentences.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

# sentences up to which a layer without gradients is run by PyTorch
FEW = 32


class Packing(NamedTuple):
    """Where the tokens of a batch go when it is packed."""

    forward: Tensor  # (packed,), index in `tokens` of the token, left to right
    backward: Tensor  # (packed,), the same for sentences read from right to left
    previous: Tensor  # (packed,), index in `packed` of the step before; `packed` at the first step
    alive: list[int]  # sentences at each time step

    def to(self, device: torch.device) -> "Packing":
        """Move it to where the data is."""
        return Packing(self.forward.to(device), self.backward.to(device), self.previous.to(device), self.alive)


def pack(lengths: Tensor) -> Packing:
    """Plan the packing of a batch.

    lengths (Tensor): (batch,), on the CPU, each at least 1.
    RETURNS (Packing): The plan, on the CPU.
    """
    sizes = lengths.numpy()
    order = np.argsort(-sizes, kind="stable")
    ordered = sizes[order]
    step = np.arange(ordered[0])[:, None]
    mask = step < ordered  # (longest, batch)
    alive = mask.sum(1)
    first = (np.cumsum(sizes) - sizes)[order]
    forward, backward = (first + step)[mask], (first + ordered - 1 - step)[mask]
    # a step's tokens stand `alive` places behind those of the step before
    previous = np.arange(len(forward)) - np.repeat(np.append(alive[:1], alive[:-1]), alive)
    previous[: alive[0]] = len(forward)
    forward, backward, previous = (torch.from_numpy(order) for order in (forward, backward, previous))
    return Packing(forward, backward, previous, alive.tolist())


class _BiLSTMLayer(torch.autograd.Function):
    """One layer, both directions; weights and biases as `nn.LSTM` orders its gates: input, forget, cell, output."""

    @staticmethod
    def forward(ctx, packing, w_input, w_hidden, bias, *parts):
        # parts: (tokens, ...), together width wide
        # w_input: (2, 4 hidden, width); w_hidden: (2, 4 hidden, hidden); bias: (2, 4 hidden)
        hidden, x = w_hidden.shape[2], _side_by_side(parts)
        packed_x = torch.stack([x[packing.forward], x[packing.backward]])  # (2, packed, width)
        # tanh(x) = 2 sigmoid(2 x) - 1, and PyTorch's sigmoid is several times as fast as its tanh: with the cell gate
        # doubled beforehand, all gates are one sigmoid
        double = w_input.new_ones(4 * hidden)
        double[2 * hidden : 3 * hidden] = 2.0
        minus_one = w_input.new_full((), -1.0)
        gates = torch.baddbmm((bias * double)[:, None, :], packed_x, w_input.mT * double)  # (2, packed, 4 hidden)
        h, c, tanh_c = (gates.new_empty(2, gates.shape[1], hidden) for _ in range(3))
        recurrent = w_hidden.mT * double
        start = 0
        for t, alive in enumerate(packing.alive):
            now = slice(start, start + alive)
            gate = gates[:, now]
            if t:
                before = slice(start - packing.alive[t - 1], start - packing.alive[t - 1] + alive)
                gate.baddbmm_(h[:, before], recurrent)
            i, f, g, o = gate.sigmoid_().split(hidden, 2)
            torch.add(minus_one, g, alpha=2, out=g)
            cell, squashed = c[:, now], tanh_c[:, now]
            torch.mul(i, g, out=cell)
            if t:
                cell.addcmul_(f, c[:, before])
            torch.mul(cell, 2, out=squashed)
            torch.add(minus_one, squashed.sigmoid_(), alpha=2, out=squashed)
            torch.mul(o, squashed, out=h[:, now])
            start += alive
        y = x.new_empty(len(x), 2 * hidden)
        y[packing.forward, :hidden] = h[0]
        y[packing.backward, hidden:] = h[1]
        ctx.save_for_backward(packed_x, w_input, w_hidden, gates, h, c, tanh_c)
        ctx.packing, ctx.widths = packing, [part.shape[1] for part in parts]
        return y

    @staticmethod
    @once_differentiable
    def backward(ctx, d_y):
        packed_x, w_input, w_hidden, gates, h, c, tanh_c = ctx.saved_tensors
        packing, hidden = ctx.packing, w_hidden.shape[2]
        d_h = torch.stack([d_y[packing.forward, :hidden], d_y[packing.backward, hidden:]])

        def before(states: Tensor) -> Tensor:  # the states one step earlier, zero at the first
            padded = torch.cat([states, states.new_zeros(2, 1, hidden)], 1)
            return padded[:, packing.previous]

        i, f, g, o = gates.split(hidden, 2)
        # what the gradient of c is multiplied with to give that of i, f and g; that of h, to give that of o and c
        d_gates = torch.addcmul(gates, gates, gates, value=-1)  # s - s^2, the derivative of a sigmoid
        d_i, d_f, d_g, d_o = d_gates.split(hidden, 2)
        d_i *= g
        d_f *= before(c)
        torch.addcmul(i, i, g * g, value=-1, out=d_g)
        d_o *= tanh_c
        h_to_c = torch.addcmul(o, o, tanh_c * tanh_c, value=-1)
        d_c_next = None
        start = gates.shape[1]
        for t in range(len(packing.alive) - 1, -1, -1):
            alive = packing.alive[t]
            start -= alive
            now = slice(start, start + alive)
            d_hidden = d_h[:, now]
            d_c = h_to_c[:, now] * d_hidden
            if d_c_next is not None:
                later = packing.alive[t + 1]
                following = slice(start + alive, start + alive + later)
                d_hidden[:, :later].baddbmm_(d_gates[:, following], w_hidden)
                torch.mul(h_to_c[:, now], d_hidden, out=d_c)
                d_c[:, :later] += d_c_next
            gate = d_gates[:, now].unflatten(2, (4, hidden))
            gate[:, :, :3] *= d_c[:, :, None]
            gate[:, :, 3] *= d_hidden
            d_c_next = d_c * f[:, now]
        # where each token stands in the two orders, so that their gradients are gathered and not scattered
        forward, backward = packing.forward.argsort(), packing.backward.argsort()

        def d_part(weights: Tensor) -> Tensor:
            d_packed = d_gates @ weights  # (2, packed, width of the part)
            return d_packed[0][forward].add_(d_packed[1][backward])

        columns = w_input.split(ctx.widths, 2)
        d_parts = [
            d_part(weights) if needed else None
            for weights, needed in zip(columns, ctx.needs_input_grad[4:], strict=True)
        ]
        d_w_input = d_gates.mT @ packed_x
        d_w_hidden = d_gates.mT @ before(h)
        return None, d_w_input, d_w_hidden, d_gates.sum(1), *d_parts


def bilstm_layer(
    parts: tuple[Tensor, ...], packing: Packing, w_input: Tensor, w_hidden: Tensor, bias: Tensor
) -> Tensor:
    """Run one bidirectional layer; the first dimension of the weights is the direction.

    parts (Tuple[Tensor]): Parts of the input side by side, each (tokens, ...), together `width` wide. A part that needs
        no gradient costs nothing in the backward pass, which is why they come apart: fixed word vectors are wide.
    packing (Packing): The order of the tokens, on the device of the weights.
    w_input (Tensor): (2, 4 * hidden, width).
    w_hidden (Tensor): (2, 4 * hidden, hidden).
    bias (Tensor): (2, 4 * hidden).
    RETURNS (Tensor): (tokens, 2 * hidden).
    """
    if not torch.is_grad_enabled() and packing.alive[0] <= FEW:
        return _few_sentences(_side_by_side(parts), packing, w_input, w_hidden, bias)
    return _BiLSTMLayer.apply(packing, w_input, w_hidden, bias, *parts)


def _few_sentences(x: Tensor, packing: Packing, w_input: Tensor, w_hidden: Tensor, bias: Tensor) -> Tensor:
    """Run a layer without gradients as PyTorch does: what a step costs is calls, of which it has fewer."""
    zero = torch.zeros_like(bias[0])
    weights = [weight for w in zip(w_input, w_hidden, bias, strict=True) for weight in (*w, zero)]
    state = x.new_zeros(2, packing.alive[0], w_hidden.shape[2])
    options = (True, 1, 0.0, False, True)  # biases, layers, dropout, training, bidirectional
    if packing.alive[0] == 1:
        return torch.lstm(x[None], (state, state), weights, *options, True)[0][0]
    alive = torch.tensor(packing.alive, device="cpu")
    packed = torch.lstm(x[packing.forward], alive, (state, state), weights, *options)[0]
    return torch.empty_like(packed).index_copy_(0, packing.forward, packed)


def _side_by_side(parts: tuple[Tensor, ...]) -> Tensor:
    return parts[0] if len(parts) == 1 else torch.cat(parts, 1)
