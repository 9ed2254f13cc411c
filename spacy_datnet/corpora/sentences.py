"""The seam between file formats and spaCy: each format is read into these sentences."""

from typing import NamedTuple


class Sentence(NamedTuple):
    """A sentence as it stands in a corpus, whatever the format of the file.

    words (list): The tokens.
    tags (list): One tag per token, as the file writes it.
    line (int): Where the sentence begins: the line of its first token. The token with the index i
        stands on line + i.
    opens_document (bool): Whether a new document begins here.
    """

    words: list[str]
    tags: list[str]
    line: int
    opens_document: bool
