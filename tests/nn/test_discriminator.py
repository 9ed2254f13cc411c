"""The resource discriminator and its losses against the equations of the paper."""

from math import exp, log

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits
from util import assert_sentences_are_apart, make_sentences

from spacy_datnet.nn.discriminator import (
    Discriminator,
    adversarial_loss,
    generalized_resource_loss,
    reverse_gradient,
)

LENGTHS = [3, 1, 4]
SENTENCES = make_sentences(LENGTHS)
LOGITS = torch.tensor([-2.5, -0.3, 0.0, 0.7, 4.0, -4.0, 1.5], dtype=torch.float64)
IS_SOURCE = torch.tensor([True, False, True, False, True, False, True])


def equation_1(logits, is_source, alpha, gamma):
    """GRAD as the paper writes it, sentence by sentence."""
    total = 0.0
    for logit, source in zip(logits.tolist(), is_source.tolist(), strict=True):
        r = 1 / (1 + exp(-logit))
        if source:
            total += alpha * (1 - r) ** gamma * log(r)
        else:
            total += (1 - alpha) * r**gamma * log(1 - r)
    return -total


def build():
    torch.manual_seed(0)
    discriminator = Discriminator(5, hidden=3).double()
    for parameter in discriminator.parameters():
        torch.nn.init.normal_(parameter)
    return discriminator


def draw_states():
    torch.manual_seed(1)
    return torch.randn(sum(LENGTHS), 5, dtype=torch.float64)


def slope(function, tensor, index, step=1e-6):
    """The derivative of a function in one entry of a tensor, by central differences."""
    values = []
    for sign in (1, -1):
        moved = tensor.detach().clone()
        moved[index] += sign * step
        values.append(function(moved).item())
    return (values[0] - values[1]) / (2 * step)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("alpha", [0.0, 0.2, 0.5, 0.75, 1.0])
def test_grad_is_equation_1(alpha, gamma):
    loss = generalized_resource_loss(LOGITS, IS_SOURCE, alpha=alpha, gamma=gamma)
    # alpha is a float32 inside
    assert loss.item() == pytest.approx(equation_1(LOGITS, IS_SOURCE, alpha, gamma), rel=1e-6)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_gradient_of_grad_is_the_slope_of_equation_1(gamma):
    logits = LOGITS.clone().requires_grad_()
    generalized_resource_loss(logits, IS_SOURCE, alpha=0.25, gamma=gamma).backward()
    for i in range(len(logits)):

        def literal(moved):
            return torch.tensor(equation_1(moved, IS_SOURCE, 0.25, gamma), dtype=torch.float64)

        assert logits.grad[i].item() == pytest.approx(slope(literal, LOGITS, i), rel=1e-5)


def test_without_focus_and_at_even_weights_grad_is_half_the_cross_entropy():
    loss = generalized_resource_loss(LOGITS, IS_SOURCE, alpha=0.5, gamma=0.0)
    entropy = binary_cross_entropy_with_logits(LOGITS, IS_SOURCE.double(), reduction="sum")
    torch.testing.assert_close(loss, entropy / 2)


def test_plain_adversarial_loss_is_the_cross_entropy():
    logits, other = LOGITS.clone().requires_grad_(), LOGITS.clone().requires_grad_()
    loss = adversarial_loss(logits, IS_SOURCE)
    entropy = binary_cross_entropy_with_logits(other, IS_SOURCE.double(), reduction="sum")
    torch.testing.assert_close(loss, entropy)
    torch.testing.assert_close(*(torch.autograd.grad(*p)[0] for p in ((loss, logits), (entropy, other))))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("gamma", [0.0, 0.5, 2.0])
def test_certainty_is_finite(gamma, dtype):
    """A sure and wrong answer costs its weight times the logit, a sure and right one nothing."""
    logits = torch.tensor([1e4, -1e4, 1e4, -1e4], dtype=dtype, requires_grad=True)
    is_source = torch.tensor([True, True, False, False])
    for i, expected in enumerate([0.0, 2500.0, 7500.0, 0.0]):
        one = slice(i, i + 1)
        loss = generalized_resource_loss(logits[one], is_source[one], alpha=0.25, gamma=gamma)
        assert loss.item() == pytest.approx(expected)
        (gradient,) = torch.autograd.grad(loss, logits)
        assert gradient[i].item() == pytest.approx([0.0, -0.25, 0.75, 0.0][i])


def test_focus_takes_weight_from_sentences_that_are_told_easily():
    def loss(gamma, logit):
        one, source = torch.tensor([logit]), torch.tensor([True])
        return generalized_resource_loss(one, source, alpha=1.0, gamma=gamma).item()

    assert loss(2.0, 3.0) / loss(0.0, 3.0) == pytest.approx((1 - 1 / (1 + exp(-3.0))) ** 2, rel=1e-4)


@pytest.mark.parametrize("strength", [0.0, 0.3, 1.0, 2.0])
def test_reversal_changes_the_gradient_alone(strength):
    discriminator, states = build(), draw_states()
    leaf = states.clone().requires_grad_()
    logits = discriminator(leaf, SENTENCES, strength)
    torch.testing.assert_close(logits, discriminator(states, SENTENCES, 1.0))
    logits.sum().backward()
    for index in ((0, 0), (2, 4), (3, 1), (7, 2)):
        true = slope(lambda x: discriminator(x, SENTENCES).sum(), states, index)
        assert leaf.grad[index].item() == pytest.approx(-strength * true, rel=1e-5, abs=1e-9)


def test_the_discriminator_s_own_gradient_is_not_reversed():
    discriminator, states = build(), draw_states()
    discriminator(states, SENTENCES, 0.7).sum().backward()
    for parameter in (discriminator.attention.weight, discriminator.output.weight):
        own = parameter.grad[0, 1].item()

        def moved(values, parameter=parameter):
            saved = parameter.data
            parameter.data = values
            result = discriminator(states, SENTENCES).sum()
            parameter.data = saved
            return result

        assert own == pytest.approx(slope(moved, parameter.data, (0, 1)), rel=1e-5)


def test_reversed_values_are_the_values():
    x = torch.randn(3, requires_grad=True)
    y = reverse_gradient(x, 0.5)
    assert torch.equal(x, y)
    y.backward(torch.tensor([1.0, 2.0, 3.0]))
    assert x.grad.tolist() == [-0.5, -1.0, -1.5]


def test_pooling_is_attention_over_the_tokens_of_each_sentence():
    discriminator, states = build(), draw_states()
    pooled, logits = discriminator.pool(states, SENTENCES), discriminator(states, SENTENCES)
    for i, own in enumerate(states.split(LENGTHS)):
        energies = []
        for state in own:
            hidden = (discriminator.attention.weight @ state + discriminator.attention.bias).tanh()
            energies.append((discriminator.query.weight[0] @ hidden).exp())
        expected = sum(e * s for e, s in zip(energies, own, strict=True)) / sum(energies)
        torch.testing.assert_close(pooled[i], expected)
        logit = discriminator.output.weight[0] @ expected + discriminator.output.bias[0]
        torch.testing.assert_close(logits[i], logit)


@pytest.mark.parametrize("part", ["pool", "forward"])
def test_neighbours_neither_act_nor_learn(part):
    assert_sentences_are_apart(getattr(build(), part), draw_states(), LENGTHS)


def test_the_size_of_neighbours_does_not_matter():
    discriminator, states = build(), draw_states()
    changed = states.clone()
    changed[3:] = 1e3
    torch.testing.assert_close(discriminator(changed, SENTENCES)[0], discriminator(states, SENTENCES)[0])
