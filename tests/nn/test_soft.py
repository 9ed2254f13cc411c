"""Learning from a distribution over paths, against the sum over all of them."""

from itertools import pairwise

import pytest
import torch
from test_crf import enumerate_paths
from util import make_sentences

from spacy_datnet.nn.decoders import CRF, Soft, Softmax
from spacy_datnet.nn.tags import SpanTags, TokenTags

LENGTHS = [3, 1, 2]
WIDTH = 4
TAG_SETS = (SpanTags(("A",)), TokenTags(("X", "Y", "Z")))


def make_decoder(kind, tag_set, seed):
    torch.manual_seed(seed)
    decoder = kind(WIDTH, len(tag_set)).double()
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter)
    decoder.constrain(*map(torch.from_numpy, tag_set.legal()))
    return decoder


def distributions(decoder, states):
    """All legal paths of each sentence, and the log-probability of each."""
    for part in states.split(LENGTHS):
        paths, value = enumerate_paths(decoder.emit(part), decoder.scores())
        legal = torch.isfinite(value)
        yield paths[legal], value[legal].log_softmax(0)


@pytest.fixture(params=TAG_SETS, ids=["spans", "tokens"])
def tag_set(request):
    return request.param


@pytest.fixture
def states():
    return torch.randn(sum(LENGTHS), WIDTH, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.fixture
def teacher(tag_set):
    return make_decoder(CRF, tag_set, 1)


@torch.no_grad()
def soft_gold(teacher, states):
    """The teacher's best paths, and how far they are from its distribution."""
    sentences = make_sentences(LENGTHS)
    unary, moves = teacher.posterior(states, sentences)
    tags = teacher.decode(states, sentences).tags
    expected = moves.sum(0)
    for own in tags.split(LENGTHS):
        for before, after in pairwise(own.tolist()):
            expected[before, after] -= 1.0
    where = expected.nonzero().T
    return tags, Soft(torch.nn.functional.one_hot(tags, unary.shape[1]) - unary, where, -expected[where[0], where[1]])


def test_the_counts_are_those_of_all_paths(teacher, states):
    unary, moves = teacher.posterior(states, make_sentences(LENGTHS))
    for (paths, log_p), own, counts in zip(distributions(teacher, states), unary.split(LENGTHS), moves, strict=True):
        one_hot = torch.nn.functional.one_hot(paths, own.shape[1]).double()  # (paths, tokens, tags)
        torch.testing.assert_close(torch.einsum("p,ptn->tn", log_p.exp(), one_hot), own)
        expected = torch.einsum("p,pta,ptb->ab", log_p.exp(), one_hot[:, :-1], one_hot[:, 1:])
        torch.testing.assert_close(expected, counts)


def test_the_loss_is_that_expected_over_all_paths_of_the_teacher_and_so_is_its_gradient(tag_set, teacher, states):
    student = make_decoder(CRF, tag_set, 2)
    tags, soft = soft_gold(teacher, states)
    sentences = make_sentences(LENGTHS)
    found = student.loss(states, sentences, tags, True).sum() + student.soften(states, sentences, soft)
    truth = torch.zeros((), dtype=torch.float64)
    for (_, log_p), (_, log_q) in zip(distributions(teacher, states), distributions(student, states), strict=True):
        truth = truth - (log_p.detach().exp() * log_q).sum()
    torch.testing.assert_close(found, truth)
    parameters = list(student.parameters())
    for one, other in zip(torch.autograd.grad(found, parameters), torch.autograd.grad(truth, parameters), strict=True):
        torch.testing.assert_close(one, other)


def test_the_gradient_is_that_of_finite_differences(tag_set, teacher, states):
    student, sentences = make_decoder(CRF, tag_set, 2), make_sentences(LENGTHS)
    tags, soft = soft_gold(teacher, states)

    def loss(states):
        return student.loss(states, sentences, tags, True).sum() + student.soften(states, sentences, soft)

    assert torch.autograd.gradcheck(loss, states.clone().requires_grad_())


def test_a_teacher_that_is_the_student_has_no_gradient(teacher, states):
    tags, soft = soft_gold(teacher, states)
    loss = teacher.loss(states, make_sentences(LENGTHS), tags, True).sum()
    loss = loss + teacher.soften(states, make_sentences(LENGTHS), soft)
    for gradient in torch.autograd.grad(loss, list(teacher.parameters())):
        torch.testing.assert_close(gradient, torch.zeros_like(gradient))


def test_a_softmax_learns_the_marginals(tag_set, teacher, states):
    student, sentences = make_decoder(Softmax, tag_set, 2), make_sentences(LENGTHS)
    tags, soft = soft_gold(teacher, states)
    found = student.loss(states, sentences, tags, True).sum() + student.soften(states, sentences, soft)
    unary, _ = teacher.posterior(states, sentences)
    torch.testing.assert_close(found, -(unary * student.emit(states).log_softmax(1)).sum())
