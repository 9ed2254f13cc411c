"""The Thinc shim around the network: sizes and weights travel together, and gradients end as spaCy expects."""

import contextlib
import copy
import ctypes
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from typing import Any, Generic, TypeVar, cast

import srsly
import torch
from safetensors.torch import load, save
from thinc.api import Model, get_torch_default_device
from thinc.shims import PyTorchShim
from thinc.util import torch2xp, xp2torch

from ..errors import Errors
from ..nn.context import guard_forks, plain_torch
from ..nn.datnet_encoder import DATNetEncoder, EncoderSizes

# updates between two calls of `trim_heap`, each of which takes about as long as half an update
TRIM_EVERY = 100
NetworkT = TypeVar("NetworkT", bound=DATNetEncoder)
SizesT = TypeVar("SizesT", bound=EncoderSizes)


class NetworkShim(PyTorchShim, Generic[NetworkT, SizesT]):
    """Hold a network that is built when its sizes are known: at initialisation or when loading.

    Unlike `PyTorchShim` it saves the sizes with the weights, so a fresh pipeline loads without preparation; it lets
    parameters rest that got no gradient; it clips the global norm of the gradients; and `use_params` finds the
    averages that a Thinc optimizer keeps.

    make (Callable): Makes the network from its sizes.
    sizes_type (Type): The class of the sizes.
    sentences (int): How many sentences the gradients are summed over, which `finish_update` divides them by; 0 for
        gradients that are as they should be.
    grad_clip (float): Largest global norm of the gradients of one update, 0.0 for no limit.
    """

    def __init__(
        self,
        make: Callable[[SizesT], NetworkT],
        sizes_type: type[SizesT],
        *,
        grad_clip: float,
    ):
        with torch.device("cpu"):  # whatever the default device of another library
            super().__init__(None)
        self._model: NetworkT | None = None
        self._make = make
        self._sizes_type = sizes_type
        self._grad_clip = grad_clip
        self.updates = 0
        self.sentences = 0

    @property
    def network(self) -> NetworkT:
        """The network. Raises DN002 before it is built."""
        if self._model is None:
            raise ValueError(Errors.DN002)
        return self._model

    @property
    def is_built(self) -> bool:
        """Whether the sizes are known."""
        return self._model is not None

    @property
    def device(self) -> torch.device:
        """The device that the network is on."""
        return get_torch_default_device() if self._model is None else super().device

    def build(self, sizes: SizesT) -> None:
        """Make a new network with random weights on Thinc's default device."""
        guard_forks()
        with plain_torch(get_torch_default_device(), grad=True), torch.device("cpu"):
            self._model = self._make(sizes).to(get_torch_default_device(), torch.float32)

    def __deepcopy__(self, memo: dict) -> "NetworkShim[NetworkT, SizesT]":
        """Copy the network under an identity of its own, or an optimizer would take both for one."""
        copied = NetworkShim(self._make, self._sizes_type, grad_clip=self._grad_clip)
        copied._model = copy.deepcopy(self._model, memo)
        return copied

    def finish_update(self, optimizer: Callable[..., Any]) -> None:
        """Let the optimizer change every parameter that has a gradient, and forget the gradients."""
        if self._model is None:
            return
        with plain_torch(self.device, grad=False):
            self._step(optimizer)
        self.updates += 1
        if self.updates % TRIM_EVERY == 0:
            trim_heap()

    def _step(self, optimizer: Callable[..., Any]) -> None:
        parameters = [(n, p) for n, p in self.network.named_parameters() if p.grad is not None]
        if self.sentences and parameters:
            torch._foreach_div_([cast(torch.Tensor, p.grad) for _, p in parameters], float(self.sentences))
        if self._grad_clip and parameters:
            torch.nn.utils.clip_grad_norm_([p for _, p in parameters], self._grad_clip)
        for name, parameter in parameters:
            weights, _ = optimizer(
                (self.id, name), torch2xp(parameter.data), torch2xp(cast(torch.Tensor, parameter.grad))
            )
            parameter.data = xp2torch(weights, device=parameter.device)
            # None and not zero, or momentum moves parts of the network that had no example
            parameter.grad = None
        self.sentences = 0

    def forget_gradients(self) -> None:
        """Forget the gradients of an update that went wrong."""
        self.network.zero_grad()
        self.sentences = 0

    @contextlib.contextmanager
    def use_params(self, params: dict) -> Iterator[None]:
        """Use other values for the parameters, such as an optimizer's averages, within the context."""
        mine = {} if self._model is None else dict(self._model.named_parameters())
        backup = {}
        for name, parameter in mine.items():
            if (self.id, name) in params:
                backup[name] = parameter.data
                parameter.data = xp2torch(params[self.id, name], device=parameter.device)
        try:
            yield
        finally:
            for name, data in backup.items():
                mine[name].data = data

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the network."""
        if self._model is not None:
            super().to_device(device_type, device_id)

    def to_bytes(self) -> bytes:
        """Serialize sizes and weights; a network that is not built yet is saved as such."""
        if self._model is None:
            return srsly.msgpack_dumps({"sizes": None, "weights": b""})
        # copies, because a shared decoder has two names, and safetensors wants each tensor once
        weights = save({name: value.detach().cpu().clone() for name, value in self._model.state_dict().items()})
        sizes = asdict(self.network.sizes)
        return srsly.msgpack_dumps({"sizes": sizes, "weights": weights, "sha256": _sum_of(sizes, weights)})

    def from_bytes(self, bytes_data: bytes) -> "NetworkShim[NetworkT, SizesT]":
        """Build the network that was saved and load its weights; raise DN065 or DN066 if they are damaged."""
        try:
            message = srsly.msgpack_loads(bytes_data)
            sizes, weights = message["sizes"], message["weights"]
            whole = sizes is None or message["sha256"] == _sum_of(sizes, weights)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(Errors.DN065) from error
        if not whole:
            raise ValueError(Errors.DN065)
        if sizes is None:
            self._model = None
            return self
        state = load(weights)
        check_finite((name, bool(value.isfinite().all())) for name, value in state.items())
        self.build(self._sizes_type(**sizes))
        self.network.load_state_dict(state)
        return self


def _sum_of(sizes: dict[str, Any], weights: bytes) -> str:
    """Compute the checksum of what is saved of a network."""
    return sha256(srsly.msgpack_dumps(sizes) + weights).hexdigest()


def check_finite(weights: Iterable[tuple[str, bool]]) -> None:
    """Raise DN066 if weights are not finite.

    weights (Iterable[Tuple[str, bool]]): Names of weights, and whether all of their numbers are finite.
    """
    if broken := sorted({name for name, is_finite in weights if not is_finite}):
        raise ValueError(Errors.DN066.format(names=", ".join(broken)))


def shim_of(model: Model) -> NetworkShim[Any, Any]:
    """Find the shim of a model's network."""
    return cast(NetworkShim, model.shims[0])


@cache
def _malloc_trim() -> Callable[[int], int] | None:
    """Find glibc's `malloc_trim`; other C libraries have none."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (AttributeError, OSError, TypeError):
        return None


def trim_heap() -> None:
    """Return what the C library keeps of freed memory to the system; does nothing where that is not possible.

    Batches of very different sizes leave holes between their tensors that glibc neither fills nor gives back: without
    this, training grows by gigabytes in some thousand steps though it holds no more than at first.
    """
    if trim := _malloc_trim():
        trim(0)
