"""The extension attributes of spaCy that confidences are kept in."""

import warnings

from spacy.tokens import Span, Token

from ..errors import Warnings

ENT_CONFIDENCE = "confidence"
# not that of entities, because spaCy finds the value of an extension by the borders of the span alone
CHUNK_CONFIDENCE = "chunk_confidence"
# by the attribute that a tagger sets
TAG_CONFIDENCE = {"tag": "tag_confidence", "pos": "pos_confidence"}


def register_extensions() -> None:
    """Register the extensions of all components, to read saved docs without the pipeline that made them."""
    for name in (ENT_CONFIDENCE, CHUNK_CONFIDENCE):
        register_extension(Span, name)
    for name in TAG_CONFIDENCE.values():
        register_extension(Token, name)


def register_extension(owner: type[Span] | type[Token], name: str) -> None:
    """Register an extension attribute whose default is None, unless there is one of the name.

    It is called as a component is created, not as the module is imported: spaCy imports the modules of all factories,
    and an application that has no DATNet component may have an extension of the same name. It is called as annotation
    is set, too, because an unpickled component was never created.

    owner (Type): Span or Token.
    name (str): The name.
    """
    if not owner.has_extension(name):
        owner.set_extension(name, default=None)
        return
    _, method, getter, _ = owner.get_extension(name)
    if method is not None or getter is not None:
        warnings.warn(Warnings.DN060.format(owner=owner.__name__, name=name), stacklevel=3)
