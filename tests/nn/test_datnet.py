"""The network: its arrangements and their sizes, and what each sentence sees."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from util import LABELS, ROWS, choose, make_inputs, make_network

from spacy_datnet.nn.decoders import Softmax
from spacy_datnet.nn.discriminator import Discriminator
from spacy_datnet.nn.encoders import BiLSTM, FeedForward

LENGTHS, IS_SOURCE = [3, 5, 1, 4, 2], [True, False, True, False, False]

transfers = pytest.mark.parametrize("transfer", ["none", "full", "part"])


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def encode(network, inputs):
    return network.encode(inputs, inputs.words, network.embed_characters(inputs))


# Parameters by hand; the network of util has hidden states of 3, filters of 3 and embeddings of 3
FEATURES = 4 + 3
CHARACTERS = 3 * ROWS + 3 * (3 * 3 + 1)
LSTM = 2 * 4 * 3 * (FEATURES + 3 + 1)
TAGS = 1 + 4 * len(LABELS)
DISCRIMINATOR = 4 * (6 + 1) + 4 + (6 + 1)


def crf(width):
    return TAGS * (width + 1) + TAGS * (TAGS + 2)


@pytest.mark.parametrize(
    "transfer, labels, expected",
    [
        ("none", {"target": LABELS}, CHARACTERS + LSTM + crf(6)),
        ("full", None, CHARACTERS + LSTM + 2 * crf(6) + DISCRIMINATOR),
        ("part", None, CHARACTERS + 3 * LSTM + 2 * crf(12) + DISCRIMINATOR),
    ],
)
def test_arrangements_have_the_parameters_of_their_parts(transfer, labels, expected):
    assert count(make_network(transfer, labels=labels)) == expected


def test_a_shared_decoder_is_one():
    network = make_network("full", share_decoder=True)
    assert network.decoders["source"] is network.decoders["target"]
    assert count(make_network("full")) - count(network) == crf(6)


def test_private_parts_are_apart():
    network = make_network("part")
    assert sorted(network.private) == ["source", "target"]
    encoders = [network.shared, network.private["source"], network.private["target"]]
    pointers = {parameter.data_ptr() for encoder in encoders for parameter in encoder.parameters()}
    assert len(pointers) == 9


def test_resources_may_differ_in_labels():
    network = make_network("full", labels={"source": ("A", "B", "C"), "target": ("X",)})
    assert network.decoders["source"].emit.out_features == 13
    assert network.decoders["target"].emit.out_features == 5


def test_features_are_characters_and_words():
    network = make_network("none", labels={"target": LABELS}, encoder=partial(FeedForward, hidden=3, depth=0))
    inputs = make_inputs([3, 1], [False, False])
    states = encode(network, inputs)
    forms = network.characters(network.embed_characters(inputs), inputs.form_lengths)
    torch.testing.assert_close(states.full[0], torch.cat([forms[:3], inputs.words[0]], 1))
    torch.testing.assert_close(states.full[1, 0], torch.cat([forms[3], inputs.words[1, 0]]))
    assert not states.full[1, 1:].any()


@transfers
def test_shared_states_come_first(transfer):
    network = make_network(transfer)
    states = encode(network, make_inputs(LENGTHS, IS_SOURCE))
    torch.testing.assert_close(states.full[..., :6], states.shared)
    assert states.full.shape[2] == network.width == (12 if transfer == "part" else 6)


@transfers
def test_a_mixed_batch_is_its_resources_alone(transfer):
    network, inputs = make_network(transfer), make_inputs(LENGTHS, IS_SOURCE)
    mixed = encode(network, inputs)
    for rows in (*inputs.rows.values(), [4, 0]):
        alone = encode(network, choose(inputs, rows))
        for together, apart in zip(mixed, alone, strict=True):
            torch.testing.assert_close(together[rows, : apart.shape[1]], apart)


def test_private_states_depend_on_the_resource_and_shared_ones_do_not():
    network, inputs = make_network("part"), make_inputs([3, 2], [True, False])
    swapped = make_inputs([3, 2], [False, True])
    states, others = encode(network, inputs), encode(network, swapped)
    torch.testing.assert_close(states.shared, others.shared)
    assert (states.full[..., 6:] - others.full[..., 6:])[inputs.words.any(2)].abs().min() > 1e-6


@pytest.mark.parametrize("confidence", [True, False])
@transfers
def test_decoding_is_that_of_the_target_s_decoder(transfer, confidence):
    network, inputs = make_network(transfer), make_inputs([3, 5, 1], [False] * 3)
    decoded = network.decode(inputs, confidence=confidence)
    states = encode(network, inputs).full
    expected = network.decoders["target"].decode(states, inputs.lengths, confidence=confidence)
    assert torch.equal(decoded.tags, expected.tags)
    if confidence:
        torch.testing.assert_close(decoded.marginal, expected.marginal)
    else:
        assert decoded.marginal is None


def test_decoding_stays_within_the_allowed_tags():
    network, inputs = make_network("full", seed=1), make_inputs([4, 2], [False] * 2)
    assert network.decode(inputs).tags.any()
    only_outside = torch.zeros(2, 4, TAGS, dtype=torch.bool)
    only_outside[..., 0] = True
    assert not network.decode(inputs, only_outside).tags.any()


@pytest.mark.parametrize("share_decoder", [False, True])
@pytest.mark.parametrize("transfer", ["full", "part"])
def test_dropping_the_source_changes_no_prediction(transfer, share_decoder):
    network = make_network(transfer, share_decoder=share_decoder)
    inputs = make_inputs([3, 5, 1], [False] * 3)
    before = network.decode(inputs)
    network.drop_source()
    for one, other in zip(before, network.decode(inputs), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=0, equal_nan=True)
    assert not any(isinstance(module, Discriminator) for module in network.modules())
    assert not any("source" in name for name, _ in network.named_parameters())
    width = 12 if transfer == "part" else 6
    assert count(network) == CHARACTERS + LSTM * (width // 6) + crf(width)


def test_dropout_falls_on_features_and_states():
    network, inputs = make_network("part"), make_inputs(LENGTHS, IS_SOURCE)
    torch.manual_seed(0)
    first = network.encode(inputs, inputs.words, network.embed_characters(inputs), 0.5)
    second = network.encode(inputs, inputs.words, network.embed_characters(inputs), 0.5)
    real = inputs.words.any(2)
    dropped = first.full[real].eq(0).double().mean().item()
    assert 0.3 < dropped < 0.7
    kept = (first.shared != 0) & (second.shared != 0)
    assert not torch.allclose(first.shared[kept], second.shared[kept])


def test_parts_are_exchangeable():
    network = make_network(
        "part",
        characters=None,
        encoder=partial(FeedForward, hidden=5, depth=1),
        decoder=Softmax,
    )
    inputs = replace(make_inputs([3, 1], [False, True]), characters=None, forms=None)
    assert encode(network, inputs).full.shape == (2, 3, 10)
    assert not any(isinstance(module, BiLSTM) for module in network.modules())
    assert network.decode(inputs).tags.shape == (2, 3)
