"""What every format of a corpus is read into: sentences; and what a format has to offer."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ..kinds import ATTRIBUTES
from .encodings import Encoding
from .files import Location
from .problems import N_PLACES, CorpusError, Occurrences

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
    """

    words: list[str]
    layers: dict[str, list[str]]
    lines: Sequence[int]
    opens_document: bool
    path: str = ""
    spaces: list[bool] | None = None

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


class Reading(ABC):
    """One pass over a corpus: the sentences that are in order, and then what is wrong with the others."""

    @abstractmethod
    def __iter__(self) -> Iterator[Sentence]:
        """Read the sentences."""

    @abstractmethod
    def errors(self) -> Iterator[str]:
        """Say what was wrong, each kind of error in one message."""

    def strictly(self) -> Iterator[Sentence]:
        """Read the sentences, and raise an error if anything is wrong with others."""
        yield from self
        for message in self.errors():
            raise CorpusError(message)


@dataclass(frozen=True)
class Format(ABC):
    """How a corpus is to be read.

    encoding (Encoding): Its encoding.
    kinds (tuple): The kinds of annotation to read.
    has_documents (bool): Whether it says where documents begin. If not, each sentence is one.
    detected (bool): Whether the format was found in the file, not named.
    """

    encoding: Encoding
    kinds: tuple[str, ...]
    has_documents: bool
    detected: bool

    @abstractmethod
    def read(self, location: Location, keep: int = N_PLACES) -> Reading:
        """Begin to read a corpus.

        location (Location): The corpus.
        keep (int): How many places a message names.
        RETURNS (Reading): The pass over it.
        """

    @abstractmethod
    def where(self, kind: str) -> str:
        """Say where in the file an annotation stands, and how to name another place."""

    @property
    @abstractmethod
    def summary(self) -> tuple[str, str]:
        """What there is to say about the format in a table: a heading and a text."""
