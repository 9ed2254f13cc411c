"""A checkpoint inside of a Thinc model: loaded once per process, shared by all layers, saved with the pipeline."""

from functools import lru_cache
from pathlib import Path
from typing import Any, cast
from weakref import WeakValueDictionary

import srsly
import torch
from thinc.api import Model, get_torch_default_device
from thinc.shims import Shim

from ..errors import Errors
from .checkpoint import Checkpoint

_loaded: WeakValueDictionary[str, Checkpoint] = WeakValueDictionary()


def load_checkpoint(name: str) -> Checkpoint:
    """Load a checkpoint once per process and version of its files.

    name (str): A folder, or a name on the hub.
    RETURNS (Checkpoint): The checkpoint, on Thinc's default device.
    """
    files = Path(name).glob("*") if Path(name).is_dir() else ()
    version = tuple(sorted((file.name, file.stat().st_mtime_ns) for file in files))
    checkpoint = _load_checkpoint(name, version)
    checkpoint.to_device(get_torch_default_device())
    return checkpoint


@lru_cache(maxsize=2)
def _load_checkpoint(name: str, version: tuple) -> Checkpoint:
    checkpoint = Checkpoint.from_folder(name)
    return _loaded.setdefault(checkpoint.fingerprint, checkpoint)


class CheckpointShim(Shim):
    """Hold a checkpoint for a Thinc model, and decide what is saved of it.

    Layers that are copied, and those of several components with equal checkpoints, share one network: it never changes.

    name (str): Where the checkpoint comes from as long as none was loaded with the pipeline.
    save (bool): Whether to save the checkpoint itself; otherwise only its fingerprint.
    """

    def __init__(self, name: str, *, save: bool):
        super().__init__(None)
        self.name = name
        self.save = save
        self._expected: str | None = None  # the fingerprint of a checkpoint that was not saved

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint, loaded when it is first asked for. Raises DN029 if it is another one than in training."""
        if self._model is None:
            found = load_checkpoint(self.name)
            if self._expected not in (None, found.fingerprint):
                raise ValueError(Errors.DN029.format(name=self.name))
            self._model = found
        return self._model

    @property
    def fingerprint(self) -> str | None:
        """The fingerprint of the checkpoint; None if there was none yet."""
        return self._expected if self._model is None else self._model.fingerprint

    def finish_update(self, optimizer: Any) -> None:
        """Do nothing: a checkpoint is not trained."""

    def to_device(self, device_type: str, device_id: int) -> None:
        """Move the network."""
        if self._model is not None:
            self._model.to_device(torch.device("cpu" if device_type == "cpu" else f"cuda:{device_id}"))

    def __deepcopy__(self, memo: dict) -> "CheckpointShim":
        copied = CheckpointShim(self.name, save=self.save)
        copied._model, copied._expected = self._model, self._expected
        return copied

    def to_bytes(self) -> bytes:
        """Serialize the fingerprint, and the checkpoint if it shall travel with the pipeline."""
        known = self.fingerprint
        saved = self.checkpoint.to_bytes() if self.save and known is not None else None
        return srsly.msgpack_dumps({"fingerprint": known, "checkpoint": saved})

    def from_bytes(self, bytes_data: bytes) -> "CheckpointShim":
        """Load what `to_bytes` made; a checkpoint that the process has already is shared. Raises DN073 if damaged."""
        try:
            message = srsly.msgpack_loads(bytes_data)
            self._expected, self._model = message["fingerprint"], None
            if (saved := message["checkpoint"]) is None:
                return self
            found = _loaded.get(self._expected) or Checkpoint.from_bytes(saved)
            if found.fingerprint != self._expected:
                raise ValueError("its fingerprint is not the one that was saved with it")
        except Exception as error:  # whatever the libraries make of other bytes
            raise ValueError(Errors.DN073.format(reason=error)) from error
        self._model = _loaded.setdefault(found.fingerprint, found)
        self._model.to_device(get_torch_default_device())
        return self


def checkpoint_shim(model: Model) -> CheckpointShim:
    """Take the checkpoint of a layer on a frozen transformer."""
    return cast(CheckpointShim, model.shims[0])
