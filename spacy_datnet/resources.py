"""What "source" and "target" mean, in one place.

A *resource* is one of the two corpora of a transfer: the high-resource ``source`` or the low-resource
``target``. Readers stamp the resource on the reference doc of each example. Whatever carries no stamp is
target data: plain corpora and docs at prediction time need no stamp at all.
"""

from spacy.tokens import Doc
from spacy.training import Example

from .errors import Errors

SOURCE = "source"
TARGET = "target"
RESOURCES = (SOURCE, TARGET)

_KEY = "datnet_resource"


def stamp(doc: Doc, resource: str) -> None:
    """Mark a reference doc as belonging to a resource.

    The stamp lives in ``Doc.user_data`` under a plain key. It does not survive ``DocBin`` (unless user data is
    stored) or ``Span.as_doc``, so readers stamp last, when they yield.

    doc (Doc): The reference doc of an example.
    resource (str): "source" or "target".
    """
    if resource not in RESOURCES:
        raise ValueError(Errors.DN001.format(resource=resource, known=", ".join(RESOURCES)))
    doc.user_data[_KEY] = resource


def resource_of(example: Example) -> str:
    """Tell which resource an example belongs to: its stamp, or "target" without one.

    example (Example): The example.
    RETURNS (str): "source" or "target".
    """
    return example.reference.user_data.get(_KEY, TARGET)
