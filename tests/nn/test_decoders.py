"""CRF and softmax decoders against enumeration and against the probabilities of each token."""

from itertools import pairwise, product

import pytest
import torch
from util import make_sentences, pick

from spacy_datnet.nn.crf import MISSING
from spacy_datnet.nn.decoders import CRF, Softmax
from spacy_datnet.nn.tags import SpanTags

SCHEME = SpanTags(("LOC", "PER"))
LENGTHS = [3, 1, 2]
SENTENCES = make_sentences(LENGTHS)
TAGS = torch.tensor([SCHEME.names.index(name) for name in ("O", "B-LOC", "L-LOC", "U-PER", "B-PER", "L-PER")])

decoders = pytest.mark.parametrize("make", [CRF, Softmax])


def build(make):
    torch.manual_seed(0)
    decoder = make(5, len(SCHEME)).double()
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter)
    return decoder


def constrain(decoder):
    decoder.constrain(*(torch.from_numpy(part) for part in SCHEME.legal()))
    return decoder


def draw_states():
    torch.manual_seed(1)
    return torch.randn(sum(LENGTHS), 5, dtype=torch.float64)


def score(decoder, emissions, path):
    """The score of a path by its definition; a softmax decoder knows no transitions."""
    value = sum(emissions[i, tag] for i, tag in enumerate(path))
    if isinstance(decoder, CRF):
        value = value + decoder.start[path[0]] + decoder.end[path[-1]]
        value = value + sum(decoder.transitions[a, b] for a, b in pairwise(path))
    return value


def is_legal(path):
    """Whether a path is one that spans give."""
    names = ["O", *(SCHEME.names[tag] for tag in path), "O"]
    for before, after in pairwise(names):
        inside = before[0] in "BI"
        if inside != (after[0] in "IL") or (inside and before[2:] != after[2:]):
            return False
    return True


def split(decoded):
    """Tags and log-probabilities of each sentence."""
    return (part.split(LENGTHS) for part in decoded)


def whole(marginal, conditional):
    """The log-probability of a whole path."""
    return marginal[0] + conditional[1:].sum()


def legal_paths(length):
    return [path for path in product(range(len(SCHEME)), repeat=length) if is_legal(path)]


@pytest.mark.parametrize("hidden", [[], [1], [0, 3, 5]])
def test_crf_loss_is_the_share_of_the_annotation_among_legal_paths(hidden):
    decoder, states = constrain(build(CRF)), draw_states().requires_grad_()
    tags = TAGS.clone()
    tags[hidden] = MISSING
    losses = []
    for x, gold in zip(states.split(LENGTHS), tags.split(LENGTHS), strict=True):
        emissions = x @ decoder.emit.weight.T + decoder.emit.bias
        paths = legal_paths(len(x))
        scores = torch.stack([score(decoder, emissions, path) for path in paths])
        fits = [all(tag in (MISSING, own) for tag, own in zip(gold.tolist(), path, strict=True)) for path in paths]
        losses.append(scores.logsumexp(0) - scores[torch.tensor(fits)].logsumexp(0))
    loss, expected = decoder.loss(states, SENTENCES, tags, not hidden), torch.stack(losses)
    torch.testing.assert_close(loss, expected)
    leaves, weights = [states, *decoder.parameters()], torch.tensor([1.0, 2.0, 3.0]).double()
    gradients = (torch.autograd.grad(losses, leaves, weights) for losses in (loss, expected))
    for ours, truth in zip(*gradients, strict=True):
        torch.testing.assert_close(ours, truth)


def test_softmax_loss_is_that_of_each_annotated_token():
    decoder, states = constrain(build(Softmax)), draw_states().requires_grad_()
    tags = TAGS.clone()
    tags[1] = MISSING
    probabilities = (states @ decoder.emit.weight.T + decoder.emit.bias).softmax(1)
    expected = torch.stack([-sum(probabilities[i, tags[i]].log() for i in own) for own in ((0, 2), (3,), (4, 5))])
    loss, weights = decoder.loss(states, SENTENCES, tags, False), torch.tensor([1.0, 2.0, 3.0]).double()
    torch.testing.assert_close(loss, expected)
    gradients = (torch.autograd.grad(losses, states, weights) for losses in (loss, expected))
    torch.testing.assert_close(*gradients)


def test_softmax_without_constraints_takes_the_best_tag_of_each_token():
    decoder, states = build(Softmax), draw_states()
    best = decoder.emit(states).argmax(1)
    assert decoder.decode(states, SENTENCES).tags.tolist() == best.tolist()


@decoders
def test_decoding_gives_the_best_legal_path(make):
    decoder, states = constrain(build(make)), draw_states()
    tags = decoder.decode(states, SENTENCES).tags
    illegal = 0
    for x, path in zip(states.split(LENGTHS), tags.split(LENGTHS), strict=True):
        emissions = decoder.emit(x)
        best = max(legal_paths(len(x)), key=lambda path: score(decoder, emissions, path))
        assert tuple(path.tolist()) == best
        illegal += not is_legal(emissions.argmax(1).tolist())
    assert illegal  # or the constraints would have had no say


@decoders
def test_decoding_gives_the_best_of_the_allowed_paths(make):
    decoder, states = constrain(build(make)), draw_states()
    free = decoder.decode(states, SENTENCES).tags
    allowed = torch.ones(len(states), len(SCHEME), dtype=torch.bool)
    allowed[range(len(states)), free] = False  # no token may have the tag that it likes best
    allowed[:, 0] = True  # but some path must be left
    decoded = decoder.decode(states, SENTENCES, allowed)
    for x, may, path, *logs in zip(states.split(LENGTHS), allowed.split(LENGTHS), *split(decoded), strict=True):
        emissions = decoder.emit(x)
        paths = [path for path in legal_paths(len(x)) if may[range(len(path)), path].all()]
        scores = torch.stack([score(decoder, emissions, path) for path in paths])
        assert tuple(path.tolist()) == paths[scores.argmax()]
        torch.testing.assert_close(whole(*logs), scores.max() - scores.logsumexp(0))
    assert not torch.equal(decoded.tags, free)


@decoders
def test_confidence_is_the_share_among_legal_paths(make):
    decoder, states = constrain(build(make)), draw_states()
    decoded = decoder.decode(states, SENTENCES)
    for x, _, *logs in zip(states.split(LENGTHS), *split(decoded), strict=True):
        scores = torch.stack([score(decoder, decoder.emit(x), path) for path in legal_paths(len(x))])
        torch.testing.assert_close(whole(*logs), scores.max() - scores.logsumexp(0))


@pytest.mark.parametrize("temperature", [0.5, 3.0])
@decoders
def test_a_temperature_divides_all_scores_of_the_probabilities(make, temperature):
    decoder, states = constrain(build(make)), draw_states()
    sharp = decoder.decode(states, SENTENCES)
    decoder.temperature.fill_(temperature)
    decoded = decoder.decode(states, SENTENCES)
    assert torch.equal(decoded.tags, sharp.tags)
    for x, _, *logs in zip(states.split(LENGTHS), *split(decoded), strict=True):
        scores = torch.stack([score(decoder, decoder.emit(x), path) for path in legal_paths(len(x))]) / temperature
        torch.testing.assert_close(whole(*logs), scores.max() - scores.logsumexp(0))


@decoders
def test_a_temperature_is_saved_and_does_not_change_the_loss(make):
    decoder, states = constrain(build(make)), draw_states()
    loss = decoder.loss(states, SENTENCES, TAGS, True)
    decoder.temperature.fill_(2.0)
    assert torch.equal(decoder.loss(states, SENTENCES, TAGS, True), loss)
    loaded = make(5, len(SCHEME)).double()
    loaded.load_state_dict(decoder.state_dict())
    assert loaded.temperature == 2.0


@decoders
def test_without_confidence_the_paths_are_the_same(make):
    decoder, states = constrain(build(make)), draw_states()
    tags, *logs = decoder.decode(states, SENTENCES, confidence=False)
    assert torch.equal(tags, decoder.decode(states, SENTENCES).tags)
    assert logs == [None, None]


@pytest.mark.parametrize("hidden", [[], [1, 5]])
@decoders
def test_neighbours_neither_act_nor_learn(make, hidden):
    decoder, states, tags = constrain(build(make)), draw_states(), TAGS.clone()
    tags[hidden] = MISSING
    for i, own in enumerate(tags.split(LENGTHS)):
        only = torch.cat([own if j == i else torch.full((length,), MISSING) for j, length in enumerate(LENGTHS)])
        row, alone = (x.clone().requires_grad_() for x in (states, states.split(LENGTHS)[i]))
        loss = decoder.loss(row, SENTENCES, only, False)[i]
        expected = decoder.loss(alone, make_sentences([len(own)]), own, False)[0]
        torch.testing.assert_close(loss, expected)
        for x in (loss, expected):
            x.backward()
        for j, gradient in enumerate(row.grad.split(LENGTHS)):
            if j == i:
                torch.testing.assert_close(gradient, alone.grad)
            else:
                assert not gradient.any()


@decoders
def test_a_sentence_is_decoded_like_alone(make):
    decoder, states = constrain(build(make)), draw_states()
    together = decoder.decode(states, SENTENCES)
    for chosen in ([0], [1], [2], [2, 1]):
        lengths = [LENGTHS[i] for i in chosen]
        apart = decoder.decode(pick(states, LENGTHS, chosen), make_sentences(lengths))
        for ours, truth in zip(apart, together, strict=True):
            torch.testing.assert_close(ours, pick(truth, LENGTHS, chosen))


@decoders
def test_constraints_are_saved_with_the_weights(make):
    decoder, states = constrain(build(make)), draw_states()
    loaded = make(5, len(SCHEME)).double()
    loaded.load_state_dict(decoder.state_dict())
    for ours, theirs in zip(loaded.scores(), decoder.scores(), strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(loaded.decode(states, SENTENCES).tags, decoder.decode(states, SENTENCES).tags)


def test_constraints_are_no_parameters():
    names = {name for name, _ in constrain(build(CRF)).named_parameters()}
    assert names == {"emit.weight", "emit.bias", "start", "transitions", "end"}
    assert {name for name, _ in build(Softmax).named_parameters()} == {"emit.weight", "emit.bias"}
