"""The extension attributes of spaCy that confidences are kept in."""

import math
import warnings
from functools import partial
from typing import Any, cast

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
    """Register an extension attribute for confidences, unless there is one of the name.

    That of a span is None where there is no confidence, and where the span or the entity there has another label than
    the confidence is of. That of a token is not a number (NaN), which a `Matcher` can compare.

    It is called as a component is created, not as the module is imported: spaCy imports the modules of all factories,
    and an application that has no DATNet component may have an extension of the same name. It is called as annotation
    is set, too, because an unpickled component was never created.

    owner (Type): Span or Token.
    name (str): The name.
    """
    if not owner.has_extension(name):
        if issubclass(owner, Token):
            owner.set_extension(name, default=math.nan)
        else:
            owner.set_extension(name, getter=partial(_get, name), setter=partial(_set, name))
        return
    _, method, getter, _ = owner.get_extension(name)
    ours = isinstance(getter, partial) and getter.func is _get
    if method is not None or (getter is not None and not ours):
        warnings.warn(Warnings.DN060.format(owner=owner.__name__, name=name), stacklevel=3)


def _keys(name: str, span: Span) -> tuple[Any, Any]:
    """Make the keys of a confidence and of the label that it is of, in the user data of the doc."""
    # those of spaCy's own extensions, which `Span.as_doc`, `Doc.from_docs` and `Doc.to_json` know
    return ("._.", name, span.start_char, span.end_char), ("._.", f"{name}_label", span.start_char, span.end_char)


def _set(name: str, span: Span, value: float | None) -> None:
    """Keep a confidence and the hash of its label, both as numbers, which can be saved; None forgets them."""
    data = cast(dict, span.doc.user_data)
    for key, number in zip(_keys(name, span), (value, span.label), strict=True):
        data.pop(key, None) if value is None else data.update({key: number})


def _get(name: str, span: Span) -> float | None:
    """Find the confidence of a span, unless it is that of another label."""
    data = cast(dict, span.doc.user_data)
    confidence, label = (data.get(key) for key in _keys(name, span))
    if not label or label == span.label:
        return confidence
    if span.label:
        return None
    # a slice of the doc is what is there
    same = name != ENT_CONFIDENCE or any(
        ent.label == label and (ent.start, ent.end) == (span.start, span.end) for ent in span.ents
    )
    return confidence if same else None
