"""The Thinc shim around the network: sizes and weights travel together, and gradients end as spaCy expects."""

import contextlib
import copy
from collections.abc import Callable
from dataclasses import asdict
from io import BytesIO
from typing import Any

import srsly
import torch
from thinc.api import get_torch_default_device
from thinc.shims import PyTorchShim
from thinc.util import torch2xp, xp2torch

from ..errors import Errors
from ..nn.datnet_encoder import DATNetEncoder, EncoderSizes


class NetworkShim(PyTorchShim):
    """Hold a network that is built when its sizes are known: at initialisation or when loading.

    Unlike `PyTorchShim` it saves the sizes with the weights, so a fresh pipeline loads without preparation; it lets
    parameters rest that got no gradient; it clips the global norm of the gradients; and `use_params` finds the
    averages that a Thinc optimizer keeps.

    make (Callable): Makes the network from its sizes.
    sizes_type (Type): The class of the sizes.
    grad_clip (float): Largest global norm of the gradients of one update, 0.0 for no limit.
    """

    def __init__(
        self,
        make: Callable[[EncoderSizes], DATNetEncoder],
        sizes_type: type[EncoderSizes],
        *,
        grad_clip: float,
    ):
        super().__init__(None)
        self._make = make
        self._sizes_type = sizes_type
        self._grad_clip = grad_clip

    @property
    def network(self) -> DATNetEncoder:
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

    def build(self, sizes: EncoderSizes) -> None:
        """Make a new network with random weights on Thinc's default device."""
        self._model = self._make(sizes).to(get_torch_default_device())

    def __deepcopy__(self, memo: dict) -> "NetworkShim":
        """Copy the network under an identity of its own, or an optimizer would take both for one."""
        copied = NetworkShim(self._make, self._sizes_type, grad_clip=self._grad_clip)
        copied._model = copy.deepcopy(self._model, memo)
        return copied

    def finish_update(self, optimizer: Callable[..., Any]) -> None:
        """Let the optimizer change every parameter that has a gradient, and forget the gradients."""
        if self._model is None:
            return
        parameters = [(n, p) for n, p in self._model.named_parameters() if p.grad is not None]
        if self._grad_clip and parameters:
            torch.nn.utils.clip_grad_norm_([p for _, p in parameters], self._grad_clip)
        for name, parameter in parameters:
            weights, _ = optimizer((self.id, name), torch2xp(parameter.data), torch2xp(parameter.grad))
            parameter.data = xp2torch(weights, device=parameter.device)
            # None and not zero, or momentum moves parts of the network that had no example
            parameter.grad = None

    @contextlib.contextmanager
    def use_params(self, params: dict):
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
        file = BytesIO()
        torch.save(self._model.state_dict(), file)
        return srsly.msgpack_dumps({"sizes": asdict(self.network.sizes), "weights": file.getvalue()})

    def from_bytes(self, bytes_data: bytes) -> "NetworkShim":
        """Build the network that was saved and load its weights."""
        message = srsly.msgpack_loads(bytes_data)
        if message["sizes"] is None:
            self._model = None
            return self
        self.build(self._sizes_type(**message["sizes"]))
        file = BytesIO(message["weights"])
        state = torch.load(file, map_location=self.device, weights_only=True)
        self._model.load_state_dict(state)
        return self
