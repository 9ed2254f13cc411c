"""How unsure a CRF is, against all paths one by one."""

from itertools import pairwise, product

import pytest
import torch

from spacy_datnet.nn.decoders import CRF
from spacy_datnet.nn.sentences import Sentences
from spacy_datnet.nn.tags import SpanTags
from spacy_datnet.nn.uncertainty import LONGEST, examine

LABELS = ("LOC", "PER")


def make_decoder(temperature=1.0):
    torch.manual_seed(0)
    scheme = SpanTags(LABELS)
    decoder = CRF(3, len(scheme)).double()
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=1.5)
    decoder.constrain(*map(torch.from_numpy, scheme.legal()))
    decoder.temperature.fill_(temperature)
    return decoder


def paths_of(decoder, states):
    """All legal paths and their probabilities."""
    start, moves, end = (score.tolist() for score in decoder.scores())
    emissions = decoder.emit(states).tolist()
    paths, scores = [], []
    for path in product(range(len(start)), repeat=len(states)):
        score = start[path[0]] + end[path[-1]] + sum(row[tag] for row, tag in zip(emissions, path, strict=True))
        score += sum(moves[a][b] for a, b in pairwise(path))
        if score > -torch.inf:
            paths.append(path)
            scores.append(score / decoder.temperature.item())
    return paths, torch.tensor(scores, dtype=torch.float64).softmax(0).tolist()


@torch.no_grad()
@pytest.mark.parametrize("temperature", [1.0, 1.7])
def test_it_is_what_all_paths_say(temperature):
    decoder, scheme, lengths = make_decoder(temperature), SpanTags(LABELS), [4, 1, 3]
    states = torch.randn(sum(lengths), 3, dtype=torch.float64)
    found = examine(decoder, states, Sentences(torch.tensor(lengths), torch.device("cpu")), len(LABELS))
    assert found.spans.shape == (LONGEST, sum(lengths), len(LABELS))
    for i, part in enumerate(states.split(lengths)):
        first = sum(lengths[:i])
        paths, probabilities = paths_of(decoder, part)
        best = max(probabilities)
        assert found.path[i].exp().item() == pytest.approx(best)
        unary = torch.zeros(len(part), len(scheme), dtype=torch.float64)
        spans = torch.zeros(LONGEST, len(part), len(LABELS), dtype=torch.float64)
        for path, p in zip(paths, probabilities, strict=True):
            for t, tag in enumerate(path):
                unary[t, tag] += p
            for start, end, label in scheme.decode(torch.tensor(path).numpy()):
                spans[end - start - 1, start, LABELS.index(label)] += p
        at = slice(first, first + len(part))
        torch.testing.assert_close(found.spans[:, at], spans)
        torch.testing.assert_close(found.entropy[at], torch.special.entr(unary).sum(1))
        top = paths[probabilities.index(best)]
        torch.testing.assert_close(found.marginal[at], unary[torch.arange(len(part)), list(top)])
    assert len(examine(decoder, states, Sentences(torch.tensor(lengths), torch.device("cpu")), 0)) == 4
