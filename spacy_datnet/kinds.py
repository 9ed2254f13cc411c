"""The kinds of annotation, by the names that configs and commands use for them, in one place."""

ENTS, TAG, POS = "ents", "tag", "pos"
ATTRIBUTES = (TAG, POS)
GROUP = "spans:"


def group_of(kind: str) -> str | None:
    """Tell the key of the group of `doc.spans` that a kind of annotation is in, None if it is not such a kind."""
    return kind.removeprefix(GROUP) if kind.startswith(GROUP) and kind != GROUP else None


def is_kind(name: str) -> bool:
    """Tell whether this is the name of a kind of annotation: "ents", "tag", "pos" or "spans:KEY"."""
    return name == ENTS or name in ATTRIBUTES or group_of(name) is not None
