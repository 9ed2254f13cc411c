"""Settings of PyTorch that hold for a whole thread or process, which another library may have changed."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import torch


@contextmanager
def plain_torch(device: torch.device, *, grad: bool) -> Iterator[None]:
    """Compute as the network is written for, whatever autocast, inference mode or gradient mode is on.

    device (torch.device): The device of the network.
    grad (bool): Whether gradients are wanted.
    """
    with torch.inference_mode(False), torch.set_grad_enabled(grad), torch.autocast(device.type, enabled=False):
        yield


@cache
def guard_forks() -> None:
    """Let the children that this process forks compute with one thread of PyTorch.

    A fork copies the memory of the process but not its threads. If the parent has computed with several, the child
    would wait forever for those that it does not have, as in `nlp.pipe(..., n_process=2)` after a prediction.
    """
    if hasattr(os, "register_at_fork"):  # not on Windows, which does not fork
        os.register_at_fork(after_in_child=_use_one_thread)


def _use_one_thread() -> None:
    if torch.get_num_threads() > 1:
        torch.set_num_threads(1)
