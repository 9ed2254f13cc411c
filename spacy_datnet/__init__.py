"""Dual adversarial transfer for sequence labelling in spaCy.

A pipeline with components of this package needs no import: spaCy finds them by entry points. What a program may want by
name is here, and imported when it is asked for:

SOURCE, TARGET, stamp, resource_of: which corpus an example belongs to.
read_docs: annotated text in one of the formats of `spacy-datnet convert`, as Docs.
calibrate: fit the confidences of a pipeline to annotated examples.
keep_target_only, keep_encoder_only: what `spacy-datnet export` does to a pipeline.
register_extensions: the attributes of confidences, to read saved Docs without a pipeline.
register: factories and architectures, for a frozen application without entry points.
"""

from importlib import import_module
from typing import Any

__version__ = "0.2.0"

_HOMES = {
    "SOURCE": "resources",
    "TARGET": "resources",
    "stamp": "resources",
    "resource_of": "resources",
    "read_docs": "corpora",
    "calibrate": "pipeline.calibration",
    "keep_target_only": "pipeline.export",
    "keep_encoder_only": "pipeline.export",
    "register_extensions": "pipeline.extensions",
}
__all__ = ["register", *_HOMES]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})


def register() -> None:
    """Register factories, architectures, readers and all else that entry points name, where there are none.

    An import of the package does so by itself if its metadata is not installed, as in a frozen application.
    """
    from . import registration  # noqa: F401


def _has_metadata() -> bool:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        distribution("spacy-datnet")
    except PackageNotFoundError:
        return False
    return True


if not _has_metadata():
    register()
