"""Giving memory back to the system during training."""

import ctypes
from collections.abc import Callable
from functools import cache


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
