"""What a training needs to go on where it was: weights, moments, gradients and random states, in one file.

Keys of Thinc's optimizer have numbers that differ from process to process. They are saved as places: the component,
the node and the shim within its model, in the order of `Model.walk`. Weights are put into the model that is there, node
by node: not every layer that is loaded from bytes is what it was, such as a transformer whose config is rounded.
"""

import contextlib
import os
import zipfile
from collections.abc import Iterable, Iterator
from io import BytesIO
from itertools import islice
from pathlib import Path
from typing import IO, Any

import numpy as np
import srsly
import torch
from spacy.language import Language
from thinc.api import Model, Optimizer, get_current_ops
from thinc.backends import get_array_ops
from thinc.model import deserialize_attr, serialize_attr
from thinc.util import has_cupy, has_cupy_gpu

from ..corpora import replacing
from .replay import random_states, set_random_states

# (component, node, shim or -1, parameter)
Place = tuple[str, int, int, str]
MOMENTS = ("mom1", "mom2", "averages")
COUNTS = ("nr_update", "last_seen")


def save_state(
    path: Path, nlp: Language, optimizer: Optimizer, *, frozen: Iterable[str], n_strings: int, progress: dict[str, Any]
) -> None:
    """Write the state of a training to a file, which is replaced when the new one is on the disk.

    path (Path): The file.
    nlp (Language): The pipeline.
    optimizer (Optimizer): The optimizer.
    frozen (Iterable[str]): Components that the training does not change.
    n_strings (int): How many strings the pipeline had before the training.
    progress (Dict[str, Any]): All else that is wanted.
    """
    keys = _Keys(nlp)
    arrays: list[Any] = []

    def number(array: Any) -> int:
        arrays.append(array)
        return len(arrays) - 1

    names = {name for name, _ in _changing(nlp, frozen)}
    nodes = [(name, i, node) for name, i, node in _nodes(nlp) if name in names]
    moments = [
        (kind, keys.place(key), number(array))
        for kind in MOMENTS
        for key, array in (getattr(optimizer, kind) or {}).items()
    ]
    weights = [
        ((name, i, -1, parameter), number(node.get_param(parameter)))
        for name, i, node in nodes
        for parameter in node.param_names
        if node.has_param(parameter)
    ]
    gradients = [(place, number(gradient) if (gradient != 0).any() else None) for place, gradient in _gradients(nlp)]
    message = {
        "progress": progress,
        "random": random_states(),
        "cuda": [state.numpy() for state in torch.cuda.get_rng_state_all()] if torch.cuda.is_initialized() else [],
        "strings": list(islice(nlp.vocab.strings, n_strings, None)),
        "moments": moments,
        "weights": weights,
        "attrs": [(name, i, _attrs(node)) for name, i, node in nodes],
        "counts": {
            kind: [(keys.place(key), count) for key, count in getattr(optimizer, kind).items()] for kind in COUNTS
        },
        "radam": optimizer._radam_buffer,
        "gradients": gradients,
        "components": [name for name, _ in _changing(nlp, frozen)],
    }
    with replacing(path) as file:
        with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            archive.writestr("state", srsly.msgpack_dumps(message))
            for name, pipe in _changing(nlp, frozen):
                archive.writestr(f"components/{name}", pipe.to_bytes(exclude=["vocab", "model"]))
            for name, i, node in nodes:
                for j, shim in _shims(node):
                    archive.writestr(f"shims/{name}/{i}/{j}", _shim_to_bytes(shim))
            for i, array in enumerate(arrays):
                with archive.open(f"arrays/{i}", "w", force_zip64=True) as entry:
                    np.save(entry, get_array_ops(array).to_numpy(array), allow_pickle=False)
        sync(file)
    sync_folder(path.parent)


class State:
    """The state of a training as `save_state` wrote it.

    path (Path): The file.
    """

    def __init__(self, path: Path):
        self.path = path
        with zipfile.ZipFile(path) as archive:
            self._message = srsly.msgpack_loads(archive.read("state"))
        self.progress: dict[str, Any] = self._message["progress"]

    def restore(self, nlp: Language, optimizer: Optimizer) -> None:
        """Bring a pipeline that was initialised the same way, its optimizer and the random generators to this state."""
        ops = get_current_ops()
        message = self._message
        with zipfile.ZipFile(self.path) as archive:

            def array(i: int) -> Any:
                return ops.asarray(np.load(BytesIO(archive.read(f"arrays/{i}")), allow_pickle=False))

            for name in message["components"]:
                pipe: Any = nlp.get_pipe(name)
                pipe.from_bytes(archive.read(f"components/{name}"), exclude=["vocab", "model"])
            nodes = {(name, i): node for name, i, node in _nodes(nlp)}
            for name, i, attrs in message["attrs"]:
                node = nodes[name, i]
                _set_attrs(node, attrs)
                for j, shim in _shims(node):
                    _shim_from_bytes(shim, archive.read(f"shims/{name}/{i}/{j}"))
            for (name, i, _, parameter), k in message["weights"]:
                nodes[name, i].set_param(parameter, array(k))
            for string in message["strings"]:
                nlp.vocab.strings.add(string)
            keys = _Keys(nlp)
            for kind, place, i in message["moments"]:
                getattr(optimizer, kind)[keys.key(place)] = array(i)
            for kind, counts in message["counts"].items():
                getattr(optimizer, kind).update((keys.key(place), count) for place, count in counts)
            optimizer._radam_buffer = message["radam"]
            for place, i in message["gradients"]:
                keys.set_gradient(place, None if i is None else array(i))
        if torch.cuda.is_initialized() and message["cuda"]:
            torch.cuda.set_rng_state_all([torch.from_numpy(state.copy()) for state in message["cuda"]])
        if has_cupy and has_cupy_gpu:
            import cupy

            # its state can't be read: other numbers, but not again those of the beginning
            cupy.random.seed(sum(sum(counts.values()) for counts in (optimizer.nr_update,)) % 2**32)
        set_random_states(message["random"])


def sync(file: IO[bytes]) -> None:
    """Wait until what was written to a file is on the disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until the names in a folder are on the disk, where the system lets one wait for that."""
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _changing(nlp: Language, frozen: Iterable[str]) -> Iterator[tuple[str, Any]]:
    """Find the components that a training changes."""
    for name, pipe in nlp.pipeline:
        if name not in frozen and getattr(pipe, "is_trainable", False) and hasattr(pipe, "from_bytes"):
            yield name, pipe


def _nodes(nlp: Language) -> Iterator[tuple[str, int, Model]]:
    for name, pipe in nlp.components:
        model = getattr(pipe, "model", None)
        if isinstance(model, Model):
            yield from ((name, i, node) for i, node in enumerate(model.walk()))


def _shims(node: Model) -> Iterator[tuple[int, Any]]:
    """Find the shims of a node, unless it is one that no training changes, such as a frozen transformer."""
    if not node.attrs.get("static"):
        yield from enumerate(node.shims)


def _torch_module(shim: Any) -> torch.nn.Module | None:
    module = getattr(shim, "_model", None)
    return module if isinstance(module, torch.nn.Module) else None


def _torch_parameters(shim: Any) -> dict[str, torch.nn.Parameter]:
    module = _torch_module(shim)
    return {} if module is None else dict(module.named_parameters())


def _shim_to_bytes(shim: Any) -> bytes:
    module = _torch_module(shim)
    if module is None:
        return shim.to_bytes()
    file = BytesIO()
    torch.save(module.state_dict(), file)
    return file.getvalue()


def _shim_from_bytes(shim: Any, data: bytes) -> None:
    module = _torch_module(shim)
    if module is None:
        shim.from_bytes(data)
    else:
        module.load_state_dict(torch.load(BytesIO(data), map_location=shim.device, weights_only=True))


def _attrs(node: Model) -> dict[str, bytes]:
    """Serialize the attrs of a node, such as its dropout rate, without those that can't be."""
    attrs = {}
    for name, value in node.attrs.items():
        with contextlib.suppress(TypeError):
            attrs[name] = serialize_attr(value, value, name, node)
    return attrs


def _set_attrs(node: Model, attrs: dict[str, bytes]) -> None:
    now = _attrs(node)
    for name, value in attrs.items():
        if value != now.get(name):
            node.attrs[name] = deserialize_attr(node.attrs.get(name), value, name, node)


def _gradients(nlp: Language) -> Iterator[tuple[Place, Any]]:
    """Find all gradients that are there: a parameter without one rests, one whose gradient is zero may move on."""
    for name, i, node in _nodes(nlp):
        for parameter in node.param_names:
            if node.has_grad(parameter):
                yield (name, i, -1, parameter), node.get_grad(parameter)
        for j, shim in enumerate(node.shims):
            for parameter, value in _torch_parameters(shim).items():
                if value.grad is not None:
                    yield (name, i, j, parameter), value.grad.cpu().numpy()


class _Keys:
    """The keys of an optimizer by their places in a pipeline, and the other way round."""

    def __init__(self, nlp: Language):
        self._nodes = {(name, i): node for name, i, node in _nodes(nlp)}
        self._parameters: dict[tuple[int, str], Place] = {}
        self._shims: dict[int, tuple[str, int, int]] = {}
        for (name, i), node in self._nodes.items():
            for parameter in node.param_names:
                self._parameters.setdefault((node.id, parameter), (name, i, -1, parameter))
            for j, shim in enumerate(node.shims):
                self._shims.setdefault(shim.id, (name, i, j))

    def place(self, key: tuple[int, str]) -> Place | tuple[int, str]:
        """Find the place of a key; one of nowhere is its own place."""
        if key in self._parameters:
            return self._parameters[key]
        return (*self._shims[key[0]], key[1]) if key[0] in self._shims else key

    def key(self, place: Any) -> tuple[int, str]:
        """Find the key of a place."""
        if len(place) == 2:
            return tuple(place)
        name, i, j, parameter = place
        node = self._nodes[name, i]
        return (node.id if j < 0 else node.shims[j].id), parameter

    def set_gradient(self, place: Any, gradient: Any) -> None:
        """Set a gradient, None for zeros."""
        name, i, j, parameter = place
        node = self._nodes[name, i]
        if j < 0:
            value = node.get_param(parameter)
            node.set_grad(parameter, node.ops.alloc(value.shape, dtype=value.dtype) if gradient is None else gradient)
        else:
            weight = _torch_parameters(node.shims[j])[parameter]
            weight.grad = torch.zeros_like(weight)
            if gradient is not None:
                weight.grad.copy_(torch.as_tensor(gradient))
