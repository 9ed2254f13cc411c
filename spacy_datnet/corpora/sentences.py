"""What every format of a corpus is read into: sentences."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..kinds import ATTRIBUTES
from .problems import Occurrences

OUTSIDE = "O"
MISSING = "-"


class Sentence(NamedTuple):
    """A sentence as it stands in a corpus, whatever the format of the file.

    words (list): The tokens.
    layers (dict): For each kind of annotation ("ents", "tag", "pos", "spans:KEY") one tag per token, as the file writes
        it. Without annotation a tag of entities or spans is "-", and any other is empty.
    lines (Sequence): The number of the line of each token.
    opens_document (bool): Whether a new document begins here.
    path (str): The file, if the corpus is made of several.
    spaces (Optional[list]): Whether a space comes after each token; None if that is not known.
    meta (Optional[Mapping]): What else the file says of a document, such as its id. Only of a record of text, which is
        a document of which nobody knows where its sentences begin.
    """

    words: list[str]
    layers: dict[str, list[str]]
    lines: Sequence[int]
    opens_document: bool
    path: str = ""
    spaces: list[bool] | None = None
    meta: Mapping[str, Any] | None = None

    def note(self, occurrences: Occurrences, i: int, text: str) -> None:
        """Note that something occurs at a token.

        occurrences (Occurrences): Where to note it.
        i (int): The index of the token.
        text (str): What stands there.
        """
        occurrences.add(self.lines[i], text, self.path)


def missing_tag(kind: str) -> str:
    """Tell how a missing annotation of a kind is written in a sentence."""
    return "" if kind in ATTRIBUTES else MISSING
