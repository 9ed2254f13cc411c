"""Messages of the commands: codes DN4xx."""


class Errors:
    """Messages of exceptions."""

    DN401 = "{path} exists. Name another file, or replace it with --force."
    DN402 = "There is no {setting} {value!r} for a config. Choose one of: {known}."
    DN403 = (
        "spaCy's own component on the encoder is there for named entities without a source, with features of its own: "
        "give --encoder without --task, --transfer and --features."
    )
