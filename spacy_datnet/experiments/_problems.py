"""What is wrong with a grid, a manifest or an installation, said to the author."""

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Errors

if TYPE_CHECKING:
    from pydantic import ValidationError

EXTRA = ("matplotlib", "pandas", "scipy", "sklearn")


def has_sklearn() -> bool:
    """Whether scikit-learn is installed, which the extra [experiments] has."""
    return find_spec("sklearn") is not None


class ExperimentError(ValueError):
    """A mistake in a file of an experiment, with a message for its author."""


@contextmanager
def explaining() -> Iterator[None]:
    """Turn a missing package of the extra [experiments], or a disk that fails, into a message that says what to do."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name is None or error.name.split(".")[0] not in EXTRA:
            raise
        raise ExperimentError(Errors.DN311.format(package=error.name)) from error
    except BrokenPipeError:
        raise  # who reads the output has gone away, which is no mistake
    except OSError as error:
        raise ExperimentError(Errors.DN317.format(path=error.filename or "A file", reason=error)) from error


@contextmanager
def about(path: Path) -> Iterator[None]:
    """Name the file in an error of the disk that has none, such as a full disk."""
    try:
        yield
    except OSError as error:
        raise ExperimentError(Errors.DN317.format(path=path, reason=error)) from error


def problems(error: "ValidationError", whole: str) -> str:
    """Say what pydantic found: in each block what is missing and what is unknown, and each value that is wrong.

    error (ValidationError): What it found.
    whole (str): The name of the whole, where no block is to be named.
    RETURNS (str): Parts like "in variant base, missing: config; unknown: configs".
    """
    blocks: dict[str, dict[str, list[str]]] = {}
    others = []
    for one in error.errors(include_url=False):
        *block, name = one["loc"] or [whole]
        if one["type"] in ("missing", "too_short") or (name in one["loc"] and one["input"] in ({}, [])):
            kind = "missing"
        elif one["type"] == "extra_forbidden":
            kind = "unknown"
        else:
            place = _place(one["loc"], whole)
            others.append(f"in {place}: {one['msg'][:1].lower()}{one['msg'][1:]}, and not {_shorten(one['input'])}")
            continue
        blocks.setdefault(_place(block, whole), {"missing": [], "unknown": []})[kind].append(str(name))
    said = [
        f"in {place}, " + "; ".join(f"{kind}: {', '.join(names)}" for kind, names in found.items() if names)
        for place, found in blocks.items()
    ]
    return ". ".join([*said, *others])


def _place(block: list | tuple, whole: str) -> str:
    """Name a block of a file: `("variants", "base")` is "variant base"."""
    first, *rest = map(str, block or [whole])
    return " ".join([first.removesuffix("s") if first == "variants" and rest else first, *rest])


def _shorten(value: object, longest: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= longest else f"{text[:longest]} …"
