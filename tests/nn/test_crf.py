"""The CRF against enumeration of all paths, and against pytorch-crf."""

from itertools import pairwise, product

import pytest
import torch
import torchcrf
from hypothesis import given, settings
from hypothesis import strategies as st
from util import crf_as_on_a_gpu

from spacy_datnet.nn import crf, moves
from spacy_datnet.nn import viterbi as viterbi_steps
from spacy_datnet.nn.crf import MISSING, Scores
from spacy_datnet.nn.tags import SpanTags, TokenTags

N_TAGS = 3
BATCHES = [[1], [2], [3], [3, 1, 2, 3]]

batches = pytest.mark.parametrize("lengths", BATCHES)
constraints = pytest.mark.parametrize("constrained", [False, True])


def problem(lengths, constrained, *, seed=0, scale=1.0, n_tags=N_TAGS):
    """Draw emissions and scores; tag 0 may always follow tag 0, so that some path is legal."""
    rng = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=rng, dtype=torch.float64)

    scores = Scores(draw(n_tags), draw(n_tags, n_tags), draw(n_tags))
    if constrained:
        for part in scores:
            forbidden = torch.rand(part.shape, generator=rng) < 0.4
            forbidden.view(-1)[0] = False
            part[forbidden] = -torch.inf
    return scale * draw(len(lengths), max(lengths), n_tags), torch.tensor(lengths), scores


def enumerate_paths(emissions, scores):
    """List all paths of one sentence, (paths, tokens), and their scores."""
    paths = torch.tensor(list(product(range(emissions.shape[1]), repeat=len(emissions))))
    value = scores.start[paths[:, 0]] + scores.end[paths[:, -1]]
    value = value + emissions[torch.arange(len(emissions)), paths].sum(1)
    return paths, value + scores.transitions[paths[:, :-1], paths[:, 1:]].sum(1)


def sentences(emissions, lengths, *others):
    """Cut the padding off: yield the row number, the emissions and whatever else of each sentence."""
    for row, length in enumerate(lengths.tolist()):
        yield row, *(tensor[row, :length] for tensor in (emissions, *others))


def enumerated_loss(emissions, lengths, tags, scores):
    """Minus log of the share that the paths which fit the annotation have; MISSING fits all: (batch,)."""
    losses = []
    for _, x, gold in sentences(emissions, lengths, tags):
        paths, value = enumerate_paths(x, scores)
        fits = ((paths == gold) | (gold == MISSING)).all(1)
        possible = torch.isfinite(value[fits]).any()
        losses.append(value.logsumexp(0) - value[fits].logsumexp(0) if possible else 0.0 * emissions.sum())
    return torch.stack(losses)


def annotate(emissions, lengths, scores, *, seed=0, missing=0.0):
    """Draw a legal path for each sentence and hide some of its tags."""
    rng = torch.Generator().manual_seed(seed)
    tags = torch.zeros(emissions.shape[:2], dtype=torch.int64)
    for row, x in sentences(emissions, lengths):
        paths, value = enumerate_paths(x, scores)
        legal = paths[torch.isfinite(value)]
        tags[row, : len(x)] = legal[torch.randint(len(legal), (), generator=rng)]
    tags[torch.rand(tags.shape, generator=rng) < missing] = MISSING
    return tags


def random_mask(emissions, seed=0):
    rng = torch.Generator().manual_seed(seed)
    allowed = torch.rand(emissions.shape, generator=rng) < 0.6
    allowed[..., 0] = True
    return allowed


def parameters(emissions, scores):
    return [tensor.clone().requires_grad_() for tensor in (emissions, *scores)]


def gradients(losses, leaves):
    """The gradients of the losses of sentences that do not count alike."""
    weights = 1.0 + torch.arange(len(losses), dtype=losses.dtype)
    return [torch.nan_to_num(gradient) for gradient in torch.autograd.grad(losses @ weights, leaves)]


@pytest.mark.parametrize("masked", [False, True])
@constraints
@batches
def test_posterior_is_that_of_all_paths(lengths, constrained, masked):
    emissions, lengths, scores = problem(lengths, constrained)
    allowed = random_mask(emissions) if masked else None
    posterior = crf.forward_backward(emissions, lengths, scores, allowed)
    visible = emissions if allowed is None else emissions.masked_fill(~allowed, -torch.inf)
    unary, pairs = torch.zeros_like(emissions), torch.zeros(N_TAGS, N_TAGS, dtype=torch.float64)
    for row, x in sentences(visible, lengths):
        paths, value = enumerate_paths(x, scores)
        assert posterior.log_partition[row].item() == pytest.approx(value.logsumexp(0).item())
        for path, probability in zip(paths.tolist(), value.softmax(0), strict=True):
            for token, tag in enumerate(path):
                unary[row, token, tag] += probability
            for pair in pairwise(path):
                pairs[pair] += probability
    torch.testing.assert_close(posterior.unary, unary)
    torch.testing.assert_close(posterior.transitions(), pairs)


@pytest.mark.parametrize("missing", [0.0, 0.4, 1.0])
@constraints
@batches
def test_loss_and_gradient_are_those_of_all_paths(lengths, constrained, missing):
    emissions, lengths, scores = problem(lengths, constrained)
    tags = annotate(emissions, lengths, scores, missing=missing)
    results = []
    for compute in (
        lambda x, s: crf.negative_log_likelihood(x, lengths, tags, s, missing == 0.0),
        lambda x, s: enumerated_loss(x, lengths, tags, s),
    ):
        x, *parts = parameters(emissions, scores)
        loss = compute(x, Scores(*parts))
        results.append([loss.detach(), *gradients(loss, [x, *parts])])
    for ours, truth in zip(*results, strict=True):
        torch.testing.assert_close(ours, truth)


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_gradient_agrees_with_finite_differences(missing):
    emissions, lengths, scores = problem([3, 1, 2], False)
    tags = annotate(emissions, lengths, scores, missing=missing)

    def loss(x, *parts):
        return crf.negative_log_likelihood(x, lengths, tags, Scores(*parts), missing == 0.0)

    assert torch.autograd.gradcheck(loss, parameters(emissions, scores))


@constraints
def test_annotation_without_gaps_has_one_loss(constrained):
    emissions, lengths, scores = problem([3, 1, 2, 3], constrained)
    tags = annotate(emissions, lengths, scores)
    results = []
    for complete in (True, False):
        leaves = parameters(emissions, scores)
        loss = crf.negative_log_likelihood(leaves[0], lengths, tags, Scores(*leaves[1:]), complete)
        results.append([loss.detach(), *gradients(loss, leaves)])
    for complete, partial in zip(*results, strict=True):
        torch.testing.assert_close(complete, partial)


@pytest.mark.parametrize("annotation", [[1, 1, 0], [1, MISSING, 0], [1, MISSING, MISSING]])
def test_annotation_that_no_legal_path_has_teaches_nothing(annotation):
    emissions, lengths, scores = problem([3, 2], False)
    scores.start[1] = -torch.inf
    tags = torch.tensor([annotation, [0, 2, 0]])
    leaves = parameters(emissions, scores)
    complete = MISSING not in annotation
    loss = crf.negative_log_likelihood(leaves[0], lengths, tags, Scores(*leaves[1:]), complete)
    alone = parameters(emissions[1:], scores)
    expected = enumerated_loss(alone[0], lengths[1:], tags[1:], Scores(*alone[1:]))
    torch.testing.assert_close(loss, torch.cat([torch.zeros(1), expected]))
    ours = torch.autograd.grad(loss, leaves, torch.tensor([3.0, 1.0]).double())
    truth = gradients(expected, alone)
    assert not ours[0][0].any()
    torch.testing.assert_close([ours[0][1:], *ours[1:]], truth)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("seed", range(5))
@constraints
@batches
def test_viterbi_finds_the_best_of_all_paths(lengths, constrained, seed, masked):
    emissions, lengths, scores = problem(lengths, constrained, seed=seed)
    allowed = random_mask(emissions, seed) if masked else None
    tags = crf.viterbi(emissions, lengths, scores, allowed)
    visible = emissions if allowed is None else emissions.masked_fill(~allowed, -torch.inf)
    for row, x in sentences(visible, lengths):
        paths, value = enumerate_paths(x, scores)
        assert tags[row, : len(x)].tolist() == paths[value.argmax()].tolist()
        assert not tags[row, len(x) :].any()


@pytest.mark.parametrize("masked", [False, True])
@constraints
@batches
def test_chain_rule_gives_the_probability_of_each_stretch_of_the_path(lengths, constrained, masked):
    emissions, lengths, scores = problem(lengths, constrained, seed=1)
    allowed = random_mask(emissions) if masked else None
    tags, marginal, conditional = crf.decode(emissions, lengths, scores, allowed)
    visible = emissions if allowed is None else emissions.masked_fill(~allowed, -torch.inf)
    for _, x, best, here, step in sentences(visible, lengths, tags, marginal, conditional):
        paths, value = enumerate_paths(x, scores)
        for start in range(len(x)):
            for end in range(start + 1, len(x) + 1):
                agree = (paths[:, start:end] == best[start:end]).all(1)
                truth = value.softmax(0)[agree].sum()
                ours = (here[start] + step[start + 1 : end].sum()).exp()
                torch.testing.assert_close(ours, truth)


def test_decoding_without_confidence_gives_the_same_paths():
    emissions, lengths, scores = problem([3, 1, 2], True)
    plain = crf.decode(emissions, lengths, scores, confidence=False)
    assert plain.marginal is None and plain.conditional is None
    assert torch.equal(plain.tags, crf.decode(emissions, lengths, scores).tags)


def test_loss_gradient_and_paths_are_those_of_pytorch_crf():
    emissions, lengths, scores = problem([7, 1, 4, 12, 2], False, n_tags=6)
    mask = torch.arange(emissions.shape[1]) < lengths[:, None]
    tags = torch.randint(6, mask.shape, generator=torch.Generator().manual_seed(0))
    other = torchcrf.CRF(6, batch_first=True).double()
    theirs = (other.start_transitions, other.transitions, other.end_transitions)
    with torch.no_grad():
        for parameter, values in zip(theirs, scores, strict=True):
            parameter.copy_(values)
    x = emissions.clone().requires_grad_()
    likelihood = other(x, tags, mask, reduction="none")
    leaves = parameters(emissions, scores)
    loss = crf.negative_log_likelihood(leaves[0], lengths, tags, Scores(*leaves[1:]), True)
    torch.testing.assert_close(loss, -likelihood)
    for ours, truth in zip(
        gradients(loss, leaves),
        gradients(-likelihood, [x, *theirs]),
        strict=True,
    ):
        torch.testing.assert_close(ours, truth)
    paths = crf.viterbi(emissions, lengths, scores)
    found = [path[:length].tolist() for path, length in zip(paths, lengths, strict=True)]
    assert found == other.decode(emissions, mask)


@pytest.mark.parametrize("constrained, scale", [(False, 1e3), (True, 60.0)])
def test_loss_is_exact_where_emissions_are_far_apart(constrained, scale):
    emissions, lengths, scores = problem([3, 1, 2, 3], constrained, scale=scale)
    tags = annotate(emissions, lengths, scores)
    leaves, others = parameters(emissions, scores), parameters(emissions, scores)
    loss = crf.negative_log_likelihood(leaves[0], lengths, tags, Scores(*leaves[1:]), True)
    truth = enumerated_loss(others[0], lengths, tags, Scores(*others[1:]))
    assert truth.sum() > scale
    torch.testing.assert_close(loss, truth)
    for ours, expected in zip(gradients(loss, leaves), gradients(truth, others), strict=True):
        torch.testing.assert_close(ours, expected)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@constraints
def test_emissions_far_apart_give_no_nan(constrained, dtype):
    emissions, lengths, scores = problem([500, 499, 1], constrained, scale=1e3, n_tags=9)
    emissions, scores = emissions.to(dtype), Scores(*(part.to(dtype) for part in scores))
    tags = torch.zeros(emissions.shape[:2], dtype=torch.int64)
    for complete in (True, False):
        leaves = parameters(emissions, scores)
        loss = crf.negative_log_likelihood(leaves[0], lengths, tags, Scores(*leaves[1:]), complete)
        assert torch.isfinite(loss).all()
        assert all(g.isfinite().all() for g in torch.autograd.grad(loss.sum(), leaves))
    _, marginal, conditional = crf.decode(emissions, lengths, scores)
    for _, here, step in sentences(marginal, lengths, conditional):
        assert not here.isnan().any() and not step.isnan().any()


def test_a_long_sentence_has_the_partition_of_a_sum_in_log_space():
    emissions, lengths, scores = problem([500, 480], False, n_tags=5)
    posterior = crf.forward_backward(emissions, lengths, scores)
    for row, x in sentences(emissions, lengths):
        log_alpha = scores.start + x[0]
        for emission in x[1:]:
            log_alpha = (log_alpha[:, None] + scores.transitions).logsumexp(0) + emission
        expected = (log_alpha + scores.end).logsumexp(0)
        torch.testing.assert_close(posterior.log_partition[row], expected)
        torch.testing.assert_close(posterior.unary[row, : len(x)].sum(1), torch.ones(len(x)).double())


def test_a_small_loss_of_a_long_sentence_survives_float32():
    """The loss is the difference of two numbers that are much larger than it."""
    emissions, lengths, scores = problem([400], False, n_tags=5)
    tags = crf.viterbi(emissions, lengths, scores)
    emissions = (emissions + 20.0 * torch.nn.functional.one_hot(tags, 5)).float()
    scores = Scores(*(part.float() for part in scores))
    loss = crf.negative_log_likelihood(emissions, lengths, tags, scores, True)
    exact = Scores(*(part.double() for part in scores))
    truth = crf.negative_log_likelihood(emissions.double(), lengths, tags, exact, True)
    assert 0 < truth < 1e-3
    assert loss.item() == pytest.approx(truth.item(), rel=1e-5)


def test_one_tag_leaves_no_doubt():
    emissions, lengths, scores = problem([3, 1], False, n_tags=1)
    tags = torch.zeros(2, 3, dtype=torch.int64)
    assert crf.negative_log_likelihood(emissions, lengths, tags, scores, True).tolist() == [0.0, 0.0]
    decoded = crf.decode(emissions, lengths, scores)
    assert not decoded.tags.any()
    torch.testing.assert_close(decoded.marginal[0], torch.zeros(3).double())


def test_padding_does_not_matter():
    emissions, lengths, scores = problem([3, 1, 2], True)
    tags = annotate(emissions, lengths, scores, missing=0.3)
    changed, behind = emissions.clone(), torch.arange(3) >= lengths[:, None]
    changed[behind] = 1e6
    for x in (emissions, changed):
        x.requires_grad_()
    losses = [crf.negative_log_likelihood(x, lengths, tags, scores, False) for x in (emissions, changed)]
    torch.testing.assert_close(*losses)
    gradient = torch.autograd.grad(losses[1].sum(), changed)[0]
    assert not gradient[behind].any()
    torch.testing.assert_close(gradient, torch.autograd.grad(losses[0].sum(), emissions)[0])


@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=4),
    n_tags=st.integers(1, 5),
    seed=st.integers(0, 2**16),
    scale=st.sampled_from([0.0, 1.0, 1e3]),
)
@settings(max_examples=60, deadline=None)
def test_decoded_paths_are_legal_and_allowed(lengths, n_tags, seed, scale):
    emissions, lengths, scores = problem(lengths, True, seed=seed, scale=scale, n_tags=n_tags)
    allowed = random_mask(emissions, seed)
    tags = crf.decode(emissions, lengths, scores, allowed).tags
    for _, path, may in sentences(tags, lengths, allowed):
        path = path.tolist()
        assert scores.start[path[0]].isfinite() and scores.end[path[-1]].isfinite()
        assert all(scores.transitions[a, b].isfinite() for a, b in pairwise(path))
        assert all(may[token, tag] for token, tag in enumerate(path))


@pytest.mark.parametrize("scale", [0.0, 0.1, 1.0, 10.0])
@pytest.mark.parametrize("tag_set", [SpanTags(("A", "B", "C")), TokenTags(("A", "B", "C", "D", "E"))])
def test_the_search_with_fewer_transitions_finds_the_same_path(tag_set, scale, monkeypatch):
    rng = torch.Generator().manual_seed(0)
    n, lengths = len(tag_set), torch.tensor([1, 2, 3, 5, 8, 8, 8, 8])
    legal = [torch.from_numpy(part) for part in tag_set.legal()]
    scores = Scores(*(torch.randn(p.shape, generator=rng).mul(scale).masked_fill(~p, -torch.inf) for p in legal))
    emissions = torch.randn(8, 8, n, generator=rng)
    allowed = torch.rand(8, 8, n, generator=rng) < 0.7
    allowed[..., 0] = True  # so that there is a legal path
    for first, entries in ((8, 2**22), (2, 2**22), (8, 20)):
        monkeypatch.setattr(viterbi_steps, "ENTRIES", entries)
        monkeypatch.setattr(viterbi_steps, "FIRST", first)
        for mask in (None, allowed):
            expected = crf.viterbi(emissions, lengths, scores, mask)
            with monkeypatch.context() as many:
                many.setattr(viterbi_steps, "MANY_TAGS", 2)
                found = crf.viterbi(emissions, lengths, scores, mask)
            assert torch.equal(found, expected)


@pytest.mark.parametrize("missing", [0.0, 0.4])
def test_a_block_of_transitions_gives_what_all_of_them_give(missing, monkeypatch):
    tag_set = SpanTags(tuple("ABCDEFGH"))
    rng = torch.Generator().manual_seed(0)
    n, lengths = len(tag_set), torch.tensor([1, 2, 5, 7])
    legal = [torch.from_numpy(part) for part in tag_set.legal()]
    gold = torch.zeros(4, 7, dtype=torch.int64)
    gold[3, :4] = torch.from_numpy(tag_set.encode(4, [(0, 3, "C"), (3, 4, "H")]))
    gold[torch.rand(gold.shape, generator=rng) < missing] = MISSING
    draws = [torch.randn(4, 7, n, generator=rng, dtype=torch.float64)]
    draws += [torch.randn(part.shape, generator=rng, dtype=torch.float64) for part in legal]

    def run():
        emissions, *parts = [draw.clone().requires_grad_() for draw in draws]
        scores = Scores(*(p.masked_fill(~may, -torch.inf) for p, may in zip(parts, legal, strict=True)))
        losses = crf.negative_log_likelihood(emissions, lengths, gold, scores, complete=not missing)
        losses.sum().backward()
        decoded = crf.decode(emissions.detach(), lengths, Scores(*(score.detach() for score in scores)))
        return losses.detach(), *(part.grad for part in (emissions, *parts)), *decoded

    expected = run()
    monkeypatch.setattr(moves, "MANY_TAGS", 2)
    assert type(moves.moves_of(legal[1].double())) is moves.SparseMoves
    for one, other in zip(run(), expected, strict=True):
        torch.testing.assert_close(one, other, equal_nan=True)  # NaN after the end of a sentence


def test_pytorch_computes_what_numpy_computes(monkeypatch):
    emissions, lengths, scores = problem([6, 1, 3, 5], True)
    allowed = random_mask(emissions)

    def run():
        posterior = crf.forward_backward(emissions, lengths, scores, allowed)
        return *posterior[:5], posterior.transitions(), *crf.decode(emissions, lengths, scores, allowed)

    expected = run()
    crf_as_on_a_gpu(monkeypatch)
    for one, other in zip(run(), expected, strict=True):
        torch.testing.assert_close(one, other, equal_nan=True)
