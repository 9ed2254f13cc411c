"""The worst small change of an input."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_datnet.nn.perturbation import perturbation


def draw(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@given(
    sentence=st.lists(st.integers(0, 3), min_size=1, max_size=12),
    shape=st.sampled_from([(1,), (3,), (2, 3)]),
    seed=st.integers(0, 2**16),
)
@settings(max_examples=50, deadline=None)
def test_each_sentence_moves_by_its_epsilon_along_its_gradient(sentence, shape, seed):
    gradient = draw(len(sentence), *shape, seed=seed)
    epsilon = torch.tensor([2.0, 0.0, 0.5, 1e-3], dtype=torch.float64)
    eta = perturbation(gradient, epsilon, torch.tensor(sentence))
    assert eta.shape == gradient.shape
    for i in set(sentence):
        rows = [row for row, owner in enumerate(sentence) if owner == i]
        own = gradient[rows]
        length = sum(value**2 for value in own.flatten().tolist()) ** 0.5
        torch.testing.assert_close(eta[rows], epsilon[i] * own / length)
        assert eta[rows].norm().item() == pytest.approx(epsilon[i].item())


def test_the_size_of_the_gradient_does_not_matter():
    gradient, sentence = draw(4, 3), torch.tensor([0, 1, 1, 0])
    epsilon = torch.tensor([2.0, 3.0], dtype=torch.float64)
    eta = perturbation(gradient, epsilon, sentence)
    for scale in (1e-6, 1e6):
        torch.testing.assert_close(perturbation(scale * gradient, epsilon, sentence), eta)


def test_no_gradient_gives_no_perturbation():
    gradient = draw(3, 2)
    gradient[1] = 0.0
    eta = perturbation(gradient, torch.ones(3, dtype=torch.float64), torch.arange(3))
    assert not eta[1].any()
    assert eta.isfinite().all() and eta[0].any() and eta[2].any()


def test_a_sentence_moves_by_its_epsilon_however_small_its_gradient_is_beside_others():
    gradient = draw(6, 3).float()
    sentence, epsilon = torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([2.0, 2.0, 0.5])
    expected = perturbation(gradient, epsilon, sentence)
    for tiny in (1e-8, 1e-20, 1e-34):
        scaled = gradient * torch.tensor([1.0, tiny, 1e6])[sentence][:, None]
        eta = perturbation(scaled, epsilon, sentence)
        for i in range(3):
            assert eta[sentence == i].norm().item() == pytest.approx(epsilon[i].item(), rel=1e-4)
        torch.testing.assert_close(eta, expected, rtol=1e-3, atol=1e-4)
