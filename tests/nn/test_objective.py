"""The objective of a batch: its losses, its gradients, and the worst case that it trains on."""

from dataclasses import replace

import pytest
import torch
from util import LABELS, choose, make_gold, make_inputs, make_network, make_sentences

from spacy_datnet.nn.discriminator import adversarial_loss, generalized_resource_loss
from spacy_datnet.nn.objective import Gold, Objective
from spacy_datnet.nn.perturbation import LENGTH

LENGTHS, IS_SOURCE = [3, 1, 5, 4, 2], [True, True, False, False, False]
SOURCE, TARGET = [0, 1], [2, 3, 4]
EPSILON = {"epsilon_source": 0.5, "epsilon_target": 2.0, "epsilon_characters": 0.3}

transfers = pytest.mark.parametrize("transfer", ["full", "part"])


def make_objective(**settings):
    return Objective(
        **{
            "discriminator": "none",
            "alpha": 0.25,
            "gamma": 2.0,
            "reversal": 1.0,
            "adversarial_training": False,
            **EPSILON,
            **settings,
        }
    )


@pytest.fixture
def inputs():
    return make_inputs(LENGTHS, IS_SOURCE)


def trainable(inputs):
    """The same batch with fresh words that take a gradient."""
    return replace(inputs, words=inputs.words.detach().clone().requires_grad_())


def gradients(network, inputs, gold, **settings):
    """Run the objective; return its report and the gradients by name, those of the words included."""
    inputs = trainable(inputs)
    report = make_objective(**settings)(network, inputs, gold)
    tensors = {"words": inputs.words, **dict(network.named_parameters())}
    found = {name: tensor.grad for name, tensor in tensors.items()}
    network.zero_grad()  # forgets the gradients, so that later steps don't add to them
    return report, found


def decoder_loss(network, inputs, gold, words, characters):
    """The loss of both resources, sentence by sentence from the network's parts."""
    lengths = inputs.sentences.lengths.tolist()
    states = network.encode(inputs, words, characters).full.split(lengths)
    own = {"source": slice(inputs.n_source), "target": slice(inputs.n_source, None)}
    loss = 0.0
    for resource, (tags, complete, _) in gold.items():
        decoder, mine = network.decoders[resource], own[resource]
        for x, annotation in zip(states[mine], tags.split(lengths[mine]), strict=True):
            loss = loss + decoder.loss(x, make_sentences([len(x)]), annotation, complete)[0]
    return loss


def discriminator_logits(network, inputs):
    states = network.encode(inputs, inputs.words, network.embed_characters(inputs)).shared
    return network.discriminator(states, inputs.sentences)


def perturbations(network, inputs, gold, monkeypatch, trained=False, **settings):
    """Run a step with adversarial training; return eta of words and of characters."""
    encode, seen = network.encode, []

    def record(inputs, words, characters, dropout=0.0):
        seen.append((words.detach(), characters.detach()))
        return encode(inputs, words, characters, dropout)

    monkeypatch.setattr(network, "encode", record)
    own = trainable(inputs)
    own.words.requires_grad_(trained)
    make_objective(adversarial_training=True, **settings)(network, own, gold)
    monkeypatch.undo()
    network.zero_grad()
    (words, characters), (moved_words, moved_characters) = seen
    return moved_words - words, moved_characters - characters


def slope(loss, tensor, index, step=1e-6):
    """The derivative of a loss in one entry of a tensor, by central differences."""
    values = []
    with torch.no_grad():
        before = tensor[index].clone()
        for sign in (1, -1):
            tensor[index] = before + sign * step
            values.append(loss().item())
        tensor[index] = before
    return (values[0] - values[1]) / (2 * step)


def steepest(gradient):
    """The index of the largest entry, where a finite difference is most exact."""
    return tuple(int(i) for i in torch.unravel_index(gradient.abs().argmax(), gradient.shape))


@pytest.mark.parametrize("missing", [0.0, 0.4])
@transfers
def test_losses_are_those_of_each_resource_summed_over_sentences(inputs, transfer, missing):
    network, gold = make_network(transfer), make_gold(inputs, missing=missing)
    report, _ = gradients(network, inputs, gold)
    for resource, found in (("source", report.source), ("target", report.target)):
        own = {resource: gold[resource]}
        expected = decoder_loss(network, inputs, own, inputs.words, network.embed_characters(inputs))
        assert found == pytest.approx(expected.item())
    assert report.total == pytest.approx(report.source + report.target)
    assert (report.discriminator, report.adversarial, report.judged) == (0.0, 0.0, 0)


@pytest.mark.parametrize("discriminator", ["grad", "ad", "none"])
def test_discriminator_is_the_chosen_one(inputs, discriminator):
    network, gold = make_network("full"), make_gold(inputs)
    report, found = gradients(network, inputs, gold, discriminator=discriminator)
    logits, is_source = discriminator_logits(network, inputs), inputs.is_source
    expected = {
        "grad": generalized_resource_loss(logits, is_source, alpha=0.25, gamma=2.0).item(),
        "ad": adversarial_loss(logits, is_source).item(),
        "none": 0.0,
    }
    assert report.discriminator == pytest.approx(expected[discriminator])
    assert (found["discriminator.output.weight"] is None) == (discriminator == "none")
    if discriminator != "none":
        right = [(p > 0.5) == s for p, s in zip(logits.sigmoid().tolist(), IS_SOURCE, strict=True)]
        assert (report.correct, report.judged) == (sum(right), 5)


def test_alpha_and_gamma_reach_the_discriminator(inputs):
    network, gold = make_network("full"), make_gold(inputs)
    report, _ = gradients(network, inputs, gold, discriminator="grad", alpha=0.75, gamma=0.5)
    logits = discriminator_logits(network, inputs)
    expected = generalized_resource_loss(logits, inputs.is_source, alpha=0.75, gamma=0.5)
    assert report.discriminator == pytest.approx(expected.item())


@pytest.mark.parametrize("discriminator", ["grad", "ad"])
def test_a_network_for_one_resource_is_not_judged(discriminator):
    network = make_network("none", labels={"target": LABELS})
    inputs = make_inputs([3, 2], [False, False])
    report, _ = gradients(network, inputs, make_gold(inputs), discriminator=discriminator)
    assert (report.discriminator, report.correct, report.judged) == (0.0, 0, 0)
    assert report.total == report.target > 0


@pytest.mark.parametrize("adversarial_training", [False, True])
@pytest.mark.parametrize("discriminator", ["none", "grad"])
@transfers
def test_a_mixed_batch_costs_what_its_resources_cost(transfer, discriminator, adversarial_training):
    """Losses and gradients add up, so batches of one resource work like mixed ones."""
    network, inputs = make_network(transfer), make_inputs([3, 4, 4, 3], [True, True, False, False])
    gold = make_gold(inputs)
    # characters are perturbed per sentence, which needs their owners: leave that to the mixed batch
    settings = {
        "discriminator": discriminator,
        "adversarial_training": adversarial_training,
        "epsilon_characters": 0.0,
    }
    whole, together = gradients(network, inputs, gold, **settings)
    losses, summed = [], dict.fromkeys(together, 0.0)
    for resource, chosen in {"source": [0, 1], "target": [2, 3]}.items():
        part = replace(choose(inputs, chosen), owners=torch.zeros_like(inputs.characters))
        report, found = gradients(network, part, {resource: gold[resource]}, **settings)
        other = {"source": report.target, "target": report.source}[resource]
        assert other == 0.0
        losses.append(report)
        found.pop("words")
        for name, gradient in found.items():
            summed[name] = summed[name] + (0.0 if gradient is None else gradient)
    for part in ("source", "target", "discriminator", "adversarial"):
        total = sum(getattr(report, part) for report in losses)
        assert getattr(whole, part) == pytest.approx(total)
    assert whole.correct == sum(report.correct for report in losses)
    for name, gradient in together.items():
        if name != "words" and gradient is not None:
            torch.testing.assert_close(gradient, summed[name])


@pytest.mark.parametrize("share_decoder", [False, True])
@transfers
def test_gradient_is_the_slope_of_the_loss(inputs, transfer, share_decoder):
    network = make_network(transfer, share_decoder=share_decoder)
    gold = make_gold(inputs, missing=0.3)
    _, found = gradients(network, inputs, gold)

    def loss():
        return decoder_loss(network, inputs, gold, inputs.words, network.embed_characters(inputs))

    tensors = {"words": inputs.words, **dict(network.named_parameters())}
    for name, tensor in tensors.items():
        if found[name] is None:
            assert name.startswith("discriminator")
            continue
        index = steepest(found[name])
        expected = slope(loss, tensor.data, index)
        assert found[name][index].item() == pytest.approx(expected, rel=1e-4), name


def test_adversarial_gradient_is_the_slope_with_a_constant_perturbation(inputs, monkeypatch):
    network, gold = make_network("part"), make_gold(inputs)
    _, found = gradients(network, inputs, gold, adversarial_training=True)
    eta_words, eta_characters = perturbations(network, inputs, gold, monkeypatch, trained=True)

    def loss():
        characters = network.embed_characters(inputs)
        clean = decoder_loss(network, inputs, gold, inputs.words, characters)
        return clean + decoder_loss(network, inputs, gold, inputs.words + eta_words, characters + eta_characters)

    tensors = {"words": inputs.words, **dict(network.named_parameters())}
    for name, tensor in tensors.items():
        if found[name] is None:
            continue
        index = steepest(found[name])
        expected = slope(loss, tensor.data, index)
        assert found[name][index].item() == pytest.approx(expected, rel=1e-4), name


@pytest.mark.parametrize("discriminator", ["none", "grad"])
@transfers
def test_each_sentence_is_perturbed_by_its_epsilons(inputs, monkeypatch, transfer, discriminator):
    network, gold = make_network(transfer), make_gold(inputs)
    words, characters = perturbations(network, inputs, gold, monkeypatch, discriminator=discriminator)
    for i, (own, source) in enumerate(zip(words.split(LENGTHS), IS_SOURCE, strict=True)):
        assert own.norm().item() == pytest.approx(0.5 if source else 2.0)
        assert own.any(1).all()
        assert characters[inputs.owners == i].norm().item() == pytest.approx(0.3)
    assert not characters[inputs.characters == 0].any()


def test_features_that_are_trained_are_perturbed_by_their_length(inputs, monkeypatch):
    network, gold = make_network("full"), make_gold(inputs)
    inputs = replace(inputs, words=100 * inputs.words)
    words, _ = perturbations(network, inputs, gold, monkeypatch, trained=True)
    for own, features, source in zip(words.split(LENGTHS), inputs.words.split(LENGTHS), IS_SOURCE, strict=True):
        mean = features.norm(dim=1).mean().item()
        assert own.norm().item() == pytest.approx((0.5 if source else 2.0) * mean / LENGTH)


@pytest.mark.parametrize("discriminator", ["none", "grad"])
@transfers
def test_a_sentence_is_perturbed_like_alone(inputs, monkeypatch, transfer, discriminator):
    network, gold = make_network(transfer), make_gold(inputs)
    together = perturbations(network, inputs, gold, monkeypatch, discriminator=discriminator)
    for resource, chosen in (("source", SOURCE), ("target", TARGET)):
        tags = gold[resource].tags.split([LENGTHS[i] for i in chosen])
        for i, annotation in zip(chosen, tags, strict=True):
            alone = replace(choose(inputs, [i]), owners=torch.zeros_like(inputs.characters))
            own = {resource: Gold(annotation, True)}
            words, characters = perturbations(network, alone, own, monkeypatch, discriminator=discriminator)
            torch.testing.assert_close(together[0].split(LENGTHS)[i], words)
            mine = inputs.owners == i
            torch.testing.assert_close(together[1][mine], characters[mine])
            assert not characters[~mine].any()


def test_a_sentence_without_annotation_is_not_perturbed(inputs, monkeypatch):
    network, gold = make_network("full"), make_gold(inputs)
    gold = {"source": gold["source"], "target": Gold(torch.full_like(gold["target"].tags, -1), False)}
    words, characters = perturbations(network, inputs, gold, monkeypatch)
    for i, own in enumerate(words.split(LENGTHS)):
        assert own.any() == characters[inputs.owners == i].any() == IS_SOURCE[i]


def test_the_loss_rises_most_along_the_perturbation(inputs, monkeypatch):
    network, gold = make_network("part"), make_gold(inputs)
    epsilon = dict.fromkeys(EPSILON, 1e-3)
    etas = perturbations(network, inputs, gold, monkeypatch, **epsilon)
    rng = torch.Generator().manual_seed(0)

    def rise(eta_words, eta_characters):
        characters = network.embed_characters(inputs)
        clean = decoder_loss(network, inputs, gold, inputs.words, characters)
        moved = inputs.words + eta_words, characters + eta_characters
        return (decoder_loss(network, inputs, gold, *moved) - clean).item()

    def random_like(eta, owners):
        """A random direction of the same norm in each sentence, zero where eta is."""
        noise = torch.randn(eta.shape, generator=rng, dtype=eta.dtype) * (eta != 0)
        for i in range(len(LENGTHS)):
            noise[owners == i] *= eta[owners == i].norm() / noise[owners == i].norm()
        return noise

    sentence = torch.tensor([i for i, length in enumerate(LENGTHS) for _ in range(length)])
    for worst, owners, nothing in ((0, sentence, 1), (1, inputs.owners, 0)):
        moves = [torch.zeros_like(eta) for eta in etas]
        moves[worst] = etas[worst]
        along = rise(*moves)
        assert along > 0
        for _ in range(20):
            moves[worst] = random_like(etas[worst], owners)
            assert not moves[nothing].any()
            assert rise(*moves) < along


@pytest.mark.parametrize("discriminator", ["none", "grad"])
def test_no_perturbation_repeats_the_clean_pass(inputs, discriminator):
    network, gold = make_network("part"), make_gold(inputs)
    epsilon = dict.fromkeys(EPSILON, 0.0)
    plain, once = gradients(network, inputs, gold, discriminator=discriminator)
    report, twice = gradients(network, inputs, gold, discriminator=discriminator, adversarial_training=True, **epsilon)
    assert report.adversarial == pytest.approx(plain.total)
    assert report.total == pytest.approx(2 * plain.total)
    for name, gradient in once.items():
        if gradient is not None:
            torch.testing.assert_close(twice[name], 2 * gradient)


@pytest.mark.parametrize("adversarial_training", [False, True])
@transfers
def test_fixed_words_change_no_gradient_of_the_network(inputs, transfer, adversarial_training):
    network, gold = make_network(transfer), make_gold(inputs)
    settings = {"discriminator": "grad", "adversarial_training": adversarial_training}
    # features whose length does not change the perturbation
    words = torch.nn.functional.normalize(inputs.words) * LENGTH
    report, found = gradients(network, replace(inputs, words=words), gold, **settings)
    fixed = replace(inputs, words=words.clone())
    assert make_objective(**settings)(network, fixed, gold) == report
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(parameter.grad, found[name])


def test_a_batch_with_nothing_to_learn_leaves_the_network_alone(inputs):
    network = make_network("full")
    for adversarial_training in (False, True):
        report, found = gradients(network, inputs, {}, adversarial_training=adversarial_training)
        assert report.total == 0.0
        assert all(gradient is None or not gradient.any() for gradient in found.values())


def test_private_encoders_learn_from_their_own_resource(inputs):
    network, gold = make_network("part"), make_gold(inputs)
    _, mixed = gradients(network, inputs, gold)
    _, source_only = gradients(network, inputs, {"source": gold["source"]})
    private = [name for name in mixed if name.startswith("private.source")]
    assert private
    for name in private:
        assert mixed[name].any()
        torch.testing.assert_close(mixed[name], source_only[name])
    alone = choose(inputs, TARGET)
    _, target_only = gradients(network, alone, {"target": gold["target"]})
    assert all(target_only[name] is None for name in private)


def test_the_encoder_gets_the_discriminator_s_gradient_reversed(inputs):
    network = make_network("part")
    _, found = gradients(network, inputs, {}, discriminator="ad", reversal=0.7)

    def loss():
        return adversarial_loss(discriminator_logits(network, inputs), inputs.is_source)

    checked = set()
    for name, parameter in network.named_parameters():
        part = name.split(".")[0]
        if part in ("shared", "characters", "discriminator"):
            index = steepest(found[name])
            true = slope(loss, parameter.data, index)
            sign = 1.0 if part == "discriminator" else -0.7
            assert found[name][index].item() == pytest.approx(sign * true, rel=1e-4), name
            checked.add(part)
        else:  # the discriminator sees neither private encoders nor decoders
            assert found[name] is None or not found[name].any()
    assert checked == {"shared", "characters", "discriminator"}
