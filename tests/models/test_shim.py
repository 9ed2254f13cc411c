"""The shim around the network: saving, copying, optimizing and averaging."""

import copy
import pickle
from functools import partial

import pytest
import spacy
import torch
from thinc.api import SGD, Adam
from util import SMALL_MODEL, entity_examples

from spacy_datnet.models.shim import NetworkShim
from spacy_datnet.nn.datnet import DATNet, Sizes
from spacy_datnet.nn.decoders import CRF
from spacy_datnet.nn.encoders import BiLSTM

SIZES = Sizes(words=3, tags={"source": 9, "target": 5})


def make_shim(grad_clip=0.0, built=True):
    make = partial(
        DATNet,
        transfer="part",
        characters=None,
        encoder=partial(BiLSTM, hidden=2, depth=1),
        decoder=CRF,
        share_decoder=False,
        attention_width=2,
    )
    shim = NetworkShim(make, Sizes, grad_clip=grad_clip)
    if built:
        torch.manual_seed(0)
        shim.build(SIZES)
    return shim


def weights(shim):
    return {name: value.clone() for name, value in shim.network.state_dict().items()}


def assert_same(one, other):
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


def set_gradients(shim, only="", seed=0):
    """Give the parameters whose name begins so a random gradient."""
    rng = torch.Generator().manual_seed(seed)
    for name, parameter in shim.network.named_parameters():
        if name.startswith(only):
            parameter.grad = torch.randn(parameter.shape, generator=rng)


@pytest.fixture
def nlp():
    nlp = spacy.blank("es")
    nlp.add_pipe("datnet_ner", config={"model": SMALL_MODEL})
    spacy.util.fix_random_seed(0)
    nlp.initialize(lambda: entity_examples(nlp.vocab))
    return nlp


def test_bytes_build_the_network_that_was_saved():
    shim, loaded = make_shim(), make_shim(built=False)
    shim.network.decoders["target"].legal_start[1] = False
    loaded.from_bytes(shim.to_bytes())
    assert loaded.network.sizes == SIZES
    assert_same(weights(loaded), weights(shim))


def test_a_model_loads_without_being_initialised(nlp):
    model = nlp.get_pipe("datnet_ner").model
    fresh = spacy.blank("es").add_pipe("datnet_ner", config={"model": SMALL_MODEL}).model
    docs = [example.predicted for example in entity_examples(nlp.vocab)]
    assert not fresh.shims[0].is_built
    fresh.from_bytes(model.to_bytes())
    for ours, theirs in zip(fresh.predict(docs), model.predict(docs), strict=True):
        assert ours.tags.tolist() == theirs.tags.tolist()
    assert_same(weights(fresh.shims[0]), weights(model.shims[0]))


def test_bytes_of_a_network_that_is_not_built_say_so():
    shim = make_shim(built=False)
    assert not make_shim(built=False).from_bytes(shim.to_bytes()).is_built
    assert not make_shim().from_bytes(shim.to_bytes()).is_built


def test_a_network_that_is_not_built_is_named_and_otherwise_rests():
    shim = make_shim(built=False)
    with pytest.raises(ValueError, match="DN002"):
        shim.network  # noqa: B018
    shim.finish_update(SGD(0.1))
    shim.to_device("cpu", 0)
    with shim.use_params({}):
        assert not shim.is_built
    assert shim.device == torch.device("cpu")


@pytest.mark.parametrize("built", [True, False])
@pytest.mark.parametrize("copied", [copy.deepcopy, lambda shim: pickle.loads(pickle.dumps(shim))])
def test_copies_are_equal_and_independent(copied, built):
    shim = make_shim(built=built)
    other = copied(shim)
    assert other.is_built == built
    if not built:
        other.build(SIZES)
        assert not shim.is_built
        return
    before = weights(shim)
    assert_same(weights(other), before)
    set_gradients(other)
    other.finish_update(SGD(0.1))
    assert_same(weights(shim), before)


def test_an_optimizer_tells_a_copy_from_the_original():
    shim, optimizer = make_shim(), Adam(0.01)
    other = copy.deepcopy(shim)
    for step in range(5):
        for seed, each in enumerate((shim, other)):
            set_gradients(each, seed=10 * step + seed)
            each.finish_update(optimizer)
    assert set(optimizer.nr_update.values()) == {5}
    assert len(optimizer.nr_update) == 2 * len(list(shim.network.parameters()))
    with shim.use_params(optimizer.averages), other.use_params(optimizer.averages):
        name = next(iter(weights(shim)))
        assert not torch.equal(weights(shim)[name], weights(other)[name])


def test_models_can_be_copied_and_pickled(nlp):
    model = nlp.get_pipe("datnet_ner").model
    for other in (model.copy(), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert other.shims[0] is not model.shims[0]
        assert_same(weights(other.shims[0]), weights(model.shims[0]))


def test_a_step_follows_the_gradient_and_forgets_it():
    shim = make_shim()
    before = weights(shim)
    set_gradients(shim)
    gradients = {name: p.grad.clone() for name, p in shim.network.named_parameters()}
    shim.finish_update(SGD(0.1, L2=0.0, grad_clip=0.0))
    for name, parameter in shim.network.named_parameters():
        torch.testing.assert_close(parameter.data, before[name] - 0.1 * gradients[name])
        assert parameter.grad is None


@pytest.mark.parametrize("limit", [0.0, 0.5, 1e6])
def test_gradients_are_clipped_together(limit):
    shim = make_shim(grad_clip=limit)
    before = weights(shim)
    set_gradients(shim)
    gradient = torch.cat([p.grad.flatten() for p in shim.network.parameters()])
    shim.finish_update(SGD(1.0, L2=0.0, grad_clip=0.0))
    step = torch.cat([(before[name] - p.data).flatten() for name, p in shim.network.named_parameters()])
    share = min(1.0, limit / gradient.norm().item()) if limit else 1.0
    assert (share < 1.0) == (limit == 0.5)
    torch.testing.assert_close(step, gradient * share, rtol=1e-4, atol=1e-5)


def test_parts_without_a_gradient_rest():
    """Neither momentum nor weight decay moves what no example reached."""
    shim, optimizer = make_shim(), Adam(0.1, L2=0.1)
    for seed in range(3):
        set_gradients(shim, seed=seed)
        shim.finish_update(optimizer)
    before = weights(shim)
    for seed in range(3):
        set_gradients(shim, only="shared", seed=seed)
        shim.finish_update(optimizer)
    for name, parameter in shim.network.named_parameters():
        assert torch.equal(parameter.data, before[name]) != name.startswith("shared"), name


def test_private_parts_of_a_pipeline_rest_in_batches_of_the_other_resource():
    nlp = spacy.blank("es")
    pipe = nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, "transfer": "part"}})
    examples = entity_examples(nlp.vocab)
    optimizer = nlp.initialize(lambda: examples)
    nlp.update(examples, sgd=optimizer)
    before = weights(pipe.model.shims[0])
    nlp.update(examples[:6], sgd=optimizer)
    after = weights(pipe.model.shims[0])
    moved = {name for name in before if not torch.equal(before[name], after[name])}
    assert not any("source" in name for name in moved)
    assert {"private.target", "decoders.target"} <= {".".join(name.split(".")[:2]) for name in moved}


def test_gradients_that_an_optimizer_keeps_stay():
    shim, kept = make_shim(), {}

    def keep(key, values, gradient):
        kept[key] = gradient
        return values, gradient

    set_gradients(shim)
    expected = {name: p.grad.clone() for name, p in shim.network.named_parameters()}
    shim.finish_update(keep)
    set_gradients(shim, seed=1)
    assert {name for _, name in kept} == set(expected)
    for (_, name), gradient in kept.items():
        assert torch.equal(torch.from_numpy(gradient), expected[name])


def test_averages_of_the_optimizer_are_used_for_a_while():
    shim, optimizer = make_shim(), Adam(0.1, use_averages=True)
    averages = {name: torch.zeros_like(p) for name, p in shim.network.named_parameters()}
    for step in range(1, 6):
        set_gradients(shim, seed=step)
        shim.finish_update(optimizer)
        decay = (1 + step) / (10 + step)  # Thinc's, which grows towards 0.9999
        for name, parameter in shim.network.named_parameters():
            averages[name] = decay * averages[name] + (1 - decay) * parameter.data
    current = weights(shim)
    with shim.use_params(optimizer.averages):
        for name, parameter in shim.network.named_parameters():
            torch.testing.assert_close(parameter.data, averages[name])
            assert not torch.equal(parameter.data, current[name])
    assert_same(weights(shim), current)


def test_a_pipeline_evaluates_with_averages(nlp):
    optimizer = Adam(0.01, use_averages=True)
    examples = entity_examples(nlp.vocab)
    for _ in range(3):
        nlp.update(examples, sgd=optimizer)
    shim = nlp.get_pipe("datnet_ner").model.shims[0]
    current = weights(shim)
    with nlp.use_params(optimizer.averages):
        for name, parameter in shim.network.named_parameters():
            average = torch.from_numpy(optimizer.averages[shim.id, name])
            torch.testing.assert_close(parameter.data, average)
    assert_same(weights(shim), current)


def test_without_its_source_a_network_is_saved_as_target_only():
    shim, loaded = make_shim(), make_shim(built=False)
    shim.network.drop_source()
    loaded.from_bytes(shim.to_bytes())
    assert loaded.network.sizes == Sizes(words=3, tags={"target": 5})
    assert_same(weights(loaded), weights(shim))
    assert not any("source" in name or "discriminator" in name for name in weights(loaded))
