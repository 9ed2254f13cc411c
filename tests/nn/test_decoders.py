"""CRF and softmax decoders against enumeration and against the probabilities of each token."""

from itertools import pairwise, product

import pytest
import torch

from spacy_datnet.nn.crf import MISSING
from spacy_datnet.nn.decoders import CRF, Softmax
from spacy_datnet.tagging import SpanTags

SCHEME = SpanTags(("LOC", "PER"))
LENGTHS = torch.tensor([3, 1, 2])
TAGS = torch.tensor(
    [
        [SCHEME.names.index(name) for name in names]
        for names in (["O", "B-LOC", "L-LOC"], ["U-PER", "O", "O"], ["B-PER", "L-PER", "O"])
    ]
)

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
    return torch.randn(3, 3, 5, dtype=torch.float64)


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


def legal_paths(length):
    return [path for path in product(range(len(SCHEME)), repeat=length) if is_legal(path)]


def test_crf_loss_is_the_share_of_the_gold_path_among_legal_paths():
    decoder, states = constrain(build(CRF)), draw_states()
    expected = 0.0
    for x, length, gold in zip(states, LENGTHS.tolist(), TAGS, strict=True):
        emissions = x @ decoder.emit.weight.T + decoder.emit.bias
        scores = [score(decoder, emissions, path) for path in legal_paths(length)]
        own = score(decoder, emissions, tuple(gold[:length].tolist()))
        expected = expected + torch.stack(scores).logsumexp(0) - own
    loss = decoder.loss(states, LENGTHS, TAGS, True)
    torch.testing.assert_close(loss, expected)
    parameters = list(decoder.parameters())
    for ours, truth in zip(
        torch.autograd.grad(loss, parameters),
        torch.autograd.grad(expected, parameters),
        strict=True,
    ):
        torch.testing.assert_close(ours, truth)


def test_softmax_loss_is_that_of_each_annotated_token():
    decoder, states = constrain(build(Softmax)), draw_states().requires_grad_()
    tags = TAGS.clone()
    tags[0, 1] = MISSING
    probabilities = (states @ decoder.emit.weight.T + decoder.emit.bias).softmax(2)
    known = [(0, 0), (0, 2), (1, 0), (2, 0), (2, 1)]
    expected = -sum(probabilities[row, i, tags[row, i]].log() for row, i in known)
    loss = decoder.loss(states, LENGTHS, tags, False)
    torch.testing.assert_close(loss, expected)
    torch.testing.assert_close(torch.autograd.grad(loss, states), torch.autograd.grad(expected, states))


def test_softmax_without_constraints_takes_the_best_tag_of_each_token():
    decoder, states = build(Softmax), draw_states()
    best = decoder.emit(states).argmax(2)
    tags = decoder.decode(states, LENGTHS).tags
    for row, length in enumerate(LENGTHS.tolist()):
        assert tags[row, :length].tolist() == best[row, :length].tolist()


@decoders
def test_decoding_gives_the_best_legal_path(make):
    decoder, states = constrain(build(make)), draw_states()
    tags = decoder.decode(states, LENGTHS).tags
    illegal = 0
    for x, length, path in zip(states, LENGTHS.tolist(), tags, strict=True):
        emissions = decoder.emit(x)
        best = max(legal_paths(length), key=lambda path: score(decoder, emissions, path))
        assert tuple(path[:length].tolist()) == best
        illegal += not is_legal(emissions[:length].argmax(1).tolist())
    assert illegal  # or the constraints would have had no say


@decoders
def test_confidence_is_the_share_among_legal_paths(make):
    decoder, states = constrain(build(make)), draw_states()
    decoded = decoder.decode(states, LENGTHS)
    for row, length in enumerate(LENGTHS.tolist()):
        emissions = decoder.emit(states[row])
        scores = torch.stack([score(decoder, emissions, path) for path in legal_paths(length)])
        whole = decoded.marginal[row, 0] + decoded.conditional[row, 1:length].sum()
        torch.testing.assert_close(whole, scores.max() - scores.logsumexp(0))


@decoders
def test_constraints_are_saved_with_the_weights(make):
    decoder, states = constrain(build(make)), draw_states()
    loaded = make(5, len(SCHEME)).double()
    loaded.load_state_dict(decoder.state_dict())
    for ours, theirs in zip(loaded.scores(), decoder.scores(), strict=True):
        assert torch.equal(ours, theirs)
    assert torch.equal(loaded.decode(states, LENGTHS).tags, decoder.decode(states, LENGTHS).tags)


def test_constraints_are_no_parameters():
    names = {name for name, _ in constrain(build(CRF)).named_parameters()}
    assert names == {"emit.weight", "emit.bias", "start", "transitions", "end"}
    assert {name for name, _ in build(Softmax).named_parameters()} == {"emit.weight", "emit.bias"}
