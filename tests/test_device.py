"""Devices: a step of training waits for the device once, and a GPU computes what the CPU does."""

import sys
from collections import Counter
from pathlib import Path

import pytest
import spacy
import torch
from spacy.util import fix_random_seed
from thinc.api import get_current_ops, require_cpu, require_gpu
from thinc.util import has_cupy, has_cupy_gpu
from torch.utils._python_dispatch import TorchDispatchMode
from util import SMALL_MODEL, entity_examples

GPU = has_cupy and has_cupy_gpu and torch.cuda.is_available()
EPSILONS = {"epsilon_source": 0.3, "epsilon_target": 0.3, "epsilon_characters": 0.2}


def create(**model):
    nlp = spacy.blank("es")
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, **model}, "loss": EPSILONS})
    fix_random_seed(0)
    nlp.initialize(lambda: entity_examples(nlp.vocab))
    return nlp


@pytest.mark.parametrize("transfer", ["none", "full", "part"])
def test_a_step_waits_for_the_device_once(monkeypatch, transfer):
    nlp = create(transfer=transfer)
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


@pytest.fixture
def gpu():
    require_gpu()
    yield get_current_ops()
    require_cpu()


@pytest.mark.skipif(not GPU, reason="needs a GPU, and CuPy beside PyTorch")
@pytest.mark.parametrize("transfer", ["none", "full", "part"])
def test_a_gpu_computes_what_the_cpu_does(transfer, gpu):
    require_cpu()
    cpu = create(transfer=transfer)
    expected = cpu.update(entity_examples(cpu.vocab), sgd=False, losses={})
    data = cpu.to_bytes()
    require_gpu()
    nlp = create(transfer=transfer).from_bytes(data)
    found = nlp.update(entity_examples(nlp.vocab), sgd=False, losses={})
    assert next(nlp.get_pipe("datnet_ner").model.shims[0].network.parameters()).is_cuda
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, rel=1e-3, abs=1e-4), name


@pytest.mark.skipif(not GPU, reason="needs a GPU, and CuPy beside PyTorch")
def test_a_frozen_transformer_reads_on_the_gpu(tmp_path, gpu):
    from checkpoints import write_checkpoint

    layer = {"@architectures": "spacy-datnet.FrozenTransformer.v1", "name": str(write_checkpoint(tmp_path))}
    nlp = create(tok2vec=layer)
    losses = [nlp.update(entity_examples(nlp.vocab), sgd=nlp.create_optimizer(), losses={}) for _ in range(5)]
    assert losses[-1]["datnet_ner"] < losses[0]["datnet_ner"]
    assert nlp.get_pipe("datnet_ner").model.get_ref("tok2vec").shims[0].checkpoint.network.device.type == "cuda"
