"""Devices: a step of training waits for the device once, and a GPU computes what the CPU does."""

import sys
from collections import Counter
from pathlib import Path

import pytest
import spacy
import torch
from spacy.util import fix_random_seed
from thinc.api import MPSOps, get_torch_default_device, require_cpu, require_gpu
from thinc.util import has_cupy, has_cupy_gpu
from torch.utils._python_dispatch import TorchDispatchMode
from util import SMALL_MODEL, TOK2VEC, crf_as_on_a_gpu, entity_examples

GPU = has_cupy and has_cupy_gpu and torch.cuda.is_available()
needs_gpu = pytest.mark.skipif(not GPU, reason="needs a GPU, and CuPy beside PyTorch")
EPSILONS = {"epsilon_source": 0.3, "epsilon_target": 0.3, "epsilon_characters": 0.2}


def create(**model):
    nlp = spacy.blank("es")
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, **model}, "loss": EPSILONS})
    fix_random_seed(0)
    nlp.initialize(lambda: entity_examples(nlp.vocab))
    return nlp


def learn(nlp, *, steps):
    """Train on all examples at once; give back the loss of each step."""
    optimizer = nlp.resume_training()
    optimizer.learn_rate = 0.01
    examples = entity_examples(nlp.vocab)
    return [nlp.update(examples, sgd=optimizer, losses={})["datnet_ner"] for _ in range(steps)]


@pytest.mark.parametrize("transfer", ["none", "full", "part"])
def test_a_step_waits_for_the_device_once(monkeypatch, transfer):
    nlp = create(transfer=transfer)
    crf_as_on_a_gpu(monkeypatch)
    waits = Counter()
    for name in ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__"):

        def counting(self, *args, _name=name, _original=getattr(torch.Tensor, name)):
            caller = Path(sys._getframe(1).f_code.co_filename)
            if "spacy_datnet" in caller.parts:
                waits[caller.name, _name] += 1
            return _original(self, *args)

        monkeypatch.setattr(torch.Tensor, name, counting)
    losses = nlp.get_pipe("datnet_ner").update(entity_examples(nlp.vocab), sgd=None, losses={})
    assert losses["datnet_ner"] > 0.0
    assert waits["objective.py", "tolist"] == 1  # the losses
    # the others ask for lengths of sentences, which are on the host
    others = set(waits) - {("objective.py", "tolist")}
    assert {file for file, _ in others} <= {"lstm.py", "sentences.py"}


class Waits(TorchDispatchMode):
    """Count the operations for whose result a host waits, by the function of the package that they are in."""

    ALWAYS = ("_local_scalar_dense", "nonzero", "bincount", "masked_select", "_unique2", "unique_dim", "equal")

    def __init__(self):
        super().__init__()
        self.found = Counter()

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        name, kwargs = operation.overloadpacket.__name__, kwargs or {}
        chooses = name.startswith(("index", "_index")) and isinstance(args[1], (list, tuple))
        by_mask = chooses and any(index is not None and index.dtype == torch.bool for index in args[1])
        of_unknown_size = name == "repeat_interleave" and kwargs.get("output_size") is None
        if name in self.ALWAYS or by_mask or of_unknown_size:
            self.found[self.place()] += 1
        return operation(*args, **kwargs)

    def place(self):
        frame = sys._getframe(2)
        while frame is not None:
            path = Path(frame.f_code.co_filename)
            if "spacy_datnet" in path.parts:
                return path.name, frame.f_code.co_name
            frame = frame.f_back
        return None


@pytest.mark.parametrize("decoder", ["CRF", "Softmax"])
@pytest.mark.parametrize("transfer", ["none", "full", "part"])
def test_no_operation_of_a_step_asks_for_a_result(transfer, decoder):
    nlp = create(transfer=transfer, decoder={"@architectures": f"spacy-datnet.{decoder}.v1"})
    examples = entity_examples(nlp.vocab)
    pipe = nlp.get_pipe("datnet_ner")
    with Waits() as waits:
        pipe.update(examples, sgd=None, losses={})
        pipe.predict([example.predicted for example in examples])
    # what has the lengths of sentences is computed on the host
    assert set(waits.found) <= {("lstm.py", "pack"), ("sentences.py", "tokens"), ("sentences.py", "longest")}
    with Waits() as waits:
        torch.ones(3)[torch.tensor([True, False, True])].sum().item()
    assert sum(waits.found.values()) == 2


def test_features_go_to_the_network_whatever_the_default_device_is(monkeypatch):
    # a new thread has not the default device of the one that loaded the pipeline
    nlp = create()
    texts = [example.predicted.text for example in entity_examples(nlp.vocab)]
    learn(nlp, steps=20)
    expected = [doc.ents[0].text if doc.ents else None for doc in nlp.pipe(texts)]
    monkeypatch.setattr("thinc.backends.get_current_ops", MPSOps)
    assert get_torch_default_device().type == "mps"
    assert [doc.ents[0].text if doc.ents else None for doc in nlp.pipe(texts)] == expected
    learn(nlp, steps=1)


@pytest.fixture(params=["cpu", pytest.param("gpu", marks=needs_gpu)])
def device(request):
    """Where a pipeline from a CPU goes on; also to a CPU, so that these tests are themselves tested everywhere."""
    yield {"cpu": require_cpu, "gpu": require_gpu}[request.param]
    require_cpu()


def move(nlp, device, **settings):
    """Load a pipeline anew, on another device."""
    data = nlp.to_bytes()
    device()
    return create(**settings).from_bytes(data)


def assert_is_on(device, network):
    assert {parameter.is_cuda for parameter in network.parameters()} == {device is require_gpu}


@pytest.mark.parametrize("transfer", ["none", "full", "part"])
def test_losses_are_those_of_the_cpu(transfer, device):
    cpu = create(transfer=transfer)
    data = cpu.to_bytes()
    expected = cpu.update(entity_examples(cpu.vocab), sgd=False, losses={})
    nlp = move(cpu.from_bytes(data), device, transfer=transfer)
    found = nlp.update(entity_examples(nlp.vocab), sgd=False, losses={})
    assert_is_on(device, nlp.get_pipe("datnet_ner").model.shims[0].network)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name


@pytest.mark.parametrize("decoder", ["CRF", "Softmax"])
def test_predictions_and_confidences_are_those_of_the_cpu(decoder, device):
    settings = {"decoder": {"@architectures": f"spacy-datnet.{decoder}.v1"}}
    cpu = create(**settings)
    learn(cpu, steps=40)
    texts = [example.predicted.text for example in entity_examples(cpu.vocab)]
    expected = list(cpu.pipe(texts, batch_size=4))
    assert any(doc.ents for doc in expected)
    nlp = move(cpu, device, **settings)
    for doc, truth in zip(nlp.pipe(texts, batch_size=4), expected, strict=True):
        assert [(ent.text, ent.label_) for ent in doc.ents] == [(ent.text, ent.label_) for ent in truth.ents]
        for ent, same in zip(doc.ents, truth.ents, strict=True):
            assert ent._.confidence == pytest.approx(same._.confidence, abs=1e-3)


def test_a_tok2vec_that_is_listened_to_learns_as_on_the_cpu(device):
    def build():
        nlp = spacy.blank("es")
        nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
        listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": TOK2VEC["encode"]["width"]}
        nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, "tok2vec": listener}, "loss": EPSILONS})
        fix_random_seed(0)
        nlp.initialize(lambda: entity_examples(nlp.vocab))
        return nlp

    cpu = build()
    data = cpu.to_bytes()
    expected = learn(cpu, steps=5)
    device()
    nlp = build().from_bytes(data)
    found = learn(nlp, steps=5)
    assert found == pytest.approx(expected, rel=0.02)
    assert found[-1] < found[0]


def test_a_frozen_transformer_reads_on_the_device(tmp_path, device):
    from checkpoints import write_checkpoint

    device()
    layer = {"@architectures": "spacy-datnet.FrozenTransformer.v1", "name": str(write_checkpoint(tmp_path))}
    nlp = create(tok2vec=layer)
    losses = learn(nlp, steps=5)
    assert losses[-1] < losses[0]
    assert_is_on(device, nlp.get_pipe("datnet_ner").model.get_ref("tok2vec").shims[0].checkpoint.network)


def test_a_transformer_is_tuned_on_the_device_in_half_precision_on_a_gpu(tmp_path, device):
    from checkpoints import write_checkpoint

    device()
    nlp = spacy.blank("es")
    spans = {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 32, "stride": 24}
    transformer = {"@architectures": "spacy-transformers.TransformerModel.v3", "get_spans": spans}
    transformer |= {"name": str(write_checkpoint(tmp_path)), "mixed_precision": device is require_gpu}
    nlp.add_pipe("transformer", config={"model": transformer})
    listener = {"@architectures": "spacy-transformers.TransformerListener.v1", "grad_factor": 1.0}
    listener["pooling"] = {"@layers": "reduce_mean.v1"}
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, "tok2vec": listener}, "loss": EPSILONS})
    fix_random_seed(0)
    nlp.initialize(lambda: entity_examples(nlp.vocab))
    network = nlp.get_pipe("transformer").model.transformer
    before = {name: parameter.detach().clone() for name, parameter in network.named_parameters()}
    losses = learn(nlp, steps=10)
    assert losses[-1] < losses[0]
    assert_is_on(device, network)
    assert any(not torch.equal(parameter, before[name]) for name, parameter in network.named_parameters())
