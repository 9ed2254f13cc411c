"""The attributes in MISC, the last column of CoNLL-U, as far as they may be tags of entities."""

from collections import Counter
from dataclasses import dataclass, field

from ..schemes import parse_tag
from ..sentences import MISSING, OUTSIDE


@dataclass
class Attribute:
    """What an attribute in MISC says, as far as it may be tags of entities.

    tags (Counter): The tokens with each tag.
    is_tags (bool): Whether it says nothing else.
    """

    tags: Counter[str] = field(default_factory=Counter)
    is_tags: bool = True

    @property
    def n_entities(self) -> int:
        """The number of tokens within entities."""
        return self.tags.total() - self.tags[OUTSIDE] - self.tags[MISSING] if self.is_tags else 0


def attributes_of(misc: str) -> dict[str, str]:
    """Read the attributes in MISC."""
    return dict(one.split("=", 1) for one in misc.split("|") if "=" in one)


def note_attributes(misc: str, attributes: dict[str, Attribute]) -> None:
    """Take account of the attributes of one more token."""
    for name, value in attributes_of(misc).items():
        attribute = attributes.setdefault(name, Attribute())
        if attribute.is_tags:
            attribute.is_tags = parse_tag(value) is not None
            attribute.tags[value] += 1
