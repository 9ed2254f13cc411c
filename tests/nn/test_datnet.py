"""The network: its arrangements and their sizes, and what each sentence sees."""

from dataclasses import replace
from functools import partial

import pytest
import torch
from util import LABELS, ROWS, assert_sentences_are_apart, choose, make_inputs, make_network, pick

from spacy_datnet.nn.decoders import Softmax
from spacy_datnet.nn.discriminator import Discriminator
from spacy_datnet.nn.encoders import BiLSTM, FeedForward

LENGTHS, IS_SOURCE = [3, 1, 5, 4, 2], [True, True, False, False, False]

transfers = pytest.mark.parametrize("transfer", ["none", "full", "part"])


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def decode(network, inputs, allowed=None):
    return network.decoders["target"].decode(network(inputs), inputs.sentences, allowed)


def encode(network, inputs):
    return network.encode(inputs, inputs.words, network.embed_characters(inputs))


@pytest.mark.parametrize("is_source", [IS_SOURCE, [True] * 5, [False] * 5])
def test_a_batch_is_divided_by_resource(is_source):
    inputs = make_inputs(LENGTHS, is_source)
    values, split = inputs.words.split(LENGTHS), inputs.split(inputs.words)
    assert inputs.is_source.tolist() == is_source
    assert list(inputs.resources) == list(split) == [r for r in ("source", "target") if (r == "source") in is_source]
    for resource, sentences in inputs.resources.items():
        chosen = [i for i, source in enumerate(is_source) if source == (resource == "source")]
        assert sentences.lengths.tolist() == [LENGTHS[i] for i in chosen]
        assert torch.equal(split[resource], torch.cat([values[i] for i in chosen]))


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
    assert states.full.shape == (4, 3 + 4)
    for state, form, word in zip(states.full, inputs.forms, inputs.words, strict=True):
        torch.testing.assert_close(state, torch.cat([forms[form], word]))


@transfers
def test_shared_states_come_first(transfer):
    network = make_network(transfer)
    states = encode(network, make_inputs(LENGTHS, IS_SOURCE))
    torch.testing.assert_close(states.full[:, :6], states.shared)
    assert states.full.shape[1] == network.width == (12 if transfer == "part" else 6)


@transfers
def test_a_mixed_batch_is_its_resources_alone(transfer):
    network, inputs = make_network(transfer), make_inputs(LENGTHS, IS_SOURCE)
    mixed = encode(network, inputs)
    for chosen in ([0, 1], [2, 3, 4], [0, 4], [1, 3, 2]):
        alone = encode(network, choose(inputs, chosen))
        for together, apart in zip(mixed, alone, strict=True):
            torch.testing.assert_close(pick(together, LENGTHS, chosen), apart)


@pytest.mark.parametrize("resource", ["source", "target"])
@transfers
def test_words_act_and_learn_in_their_own_sentence_alone(transfer, resource):
    network = make_network(transfer, characters=None)
    inputs = make_inputs(LENGTHS, [False] * 5)

    def states(words, sentences):
        n_source = len(sentences) if resource == "source" else 0
        alone = replace(inputs, words=words, sentences=sentences, n_source=n_source)
        return network.encode(alone, words, None).full.split(sentences.lengths.tolist())

    assert_sentences_are_apart(states, inputs.words, LENGTHS)


@transfers
def test_nothing_learns_from_another_sentence_of_a_mixed_batch(transfer):
    network, inputs = make_network(transfer), make_inputs(LENGTHS, IS_SOURCE)
    words, characters = (x.detach().requires_grad_() for x in (inputs.words, network.embed_characters(inputs)))
    letters = inputs.characters > 0
    for part in network.encode(inputs, words, characters):
        for i, states in enumerate(part.split(LENGTHS)):
            d_words, d_characters = torch.autograd.grad(states.sum(), [words, characters], retain_graph=True)
            for j, gradient in enumerate(d_words.split(LENGTHS)):
                assert gradient.all() if j == i else not gradient.any()
            assert d_characters[letters & (inputs.owners == i)].any()
            assert not d_characters[letters & (inputs.owners != i)].any()


def test_private_states_depend_on_the_resource_and_shared_ones_do_not():
    network, source = make_network("part"), make_inputs([3, 2], [True, True])
    states, others, mixed = (encode(network, replace(source, n_source=n)) for n in (2, 0, 1))
    torch.testing.assert_close(states.shared, others.shared)
    assert (states.full[:, 6:] - others.full[:, 6:]).abs().min() > 1e-6
    torch.testing.assert_close(mixed.full, torch.cat([states.full[:3], others.full[3:]]))


def test_decoding_stays_within_the_allowed_tags():
    network, inputs = make_network("full", seed=3), make_inputs([4, 2], [False] * 2)
    free = decode(network, inputs).tags
    assert all(tags.any() for tags in free.split([4, 2]))
    allowed = torch.zeros(6, TAGS, dtype=torch.bool)  # "outside" alone
    allowed[:, 0] = True
    assert not decode(network, inputs, allowed).tags.any()
    allowed[:4] = True
    assert decode(network, inputs, allowed).tags.tolist() == [*free[:4].tolist(), 0, 0]


@pytest.mark.parametrize("share_decoder", [False, True])
@pytest.mark.parametrize("transfer", ["full", "part"])
def test_dropping_the_source_changes_no_prediction(transfer, share_decoder):
    network = make_network(transfer, share_decoder=share_decoder)
    inputs = make_inputs([3, 5, 1], [False] * 3)
    before = decode(network, inputs)
    network.drop_source()
    for one, other in zip(before, decode(network, inputs), strict=True):
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
    dropped = first.full.eq(0).double().mean().item()
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
    inputs = replace(make_inputs([3, 1], [True, False]), characters=None, forms=None)
    assert encode(network, inputs).full.shape == (4, 10)
    assert not any(isinstance(module, BiLSTM) for module in network.modules())
    assert decode(network, inputs).tags.shape == (4,)
