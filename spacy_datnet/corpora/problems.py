"""What is wrong in a corpus: the exception, the places where something occurs, and the messages about them."""

import heapq
from collections.abc import Callable, Hashable
from functools import partial
from typing import Any, NamedTuple

N_PLACES = 10


class CorpusError(ValueError):
    """A corpus can't be read, converted or written as asked; the message says why and where."""


class Place(NamedTuple):
    """A place in a corpus, and what stands there.

    path (str): The file, if the corpus is made of several.
    line (int): The number of the line, or of what the file is made of instead of lines.
    text (str): What stands there.
    unit (str): What is numbered.
    """

    path: str
    line: int
    text: str
    unit: str = "line"

    def __str__(self) -> str:
        file = f"{self.path}, " if self.path else ""
        return f"{file}{self.unit} {self.line} ({self.text})"


class Occurrences:
    """How often something occurs in a corpus, and the first places.

    keep (int): The number of places to remember.
    unit (str): What is numbered in this corpus.
    """

    def __init__(self, keep: int = N_PLACES, unit: str = "line"):
        self.keep = keep
        self.unit = unit
        self.count = 0
        self.places: list[Place] = []

    def __bool__(self) -> bool:
        return self.count > 0

    def __str__(self) -> str:
        """The places as part of a message."""
        places = ", ".join(map(str, self.places))
        more = self.count - len(self.places)
        return f"{places} and {more} more" if more else places

    def add(self, line: int, text: str, path: str = "") -> None:
        """Count one more occurrence.

        line (int): The number of the line.
        text (str): What stands there.
        path (str): The file, if the corpus is made of several.
        """
        self.count += 1
        if len(self.places) < self.keep:
            self.places.append(Place(path, line, text, self.unit))

    def merge(self, other: "Occurrences") -> "Occurrences":
        """Count the occurrences of two kinds as one kind.

        other (Occurrences): The other kind, from the same corpus.
        RETURNS (Occurrences): Both, their places in the order of the corpus.
        """
        merged = Occurrences(self.keep, self.unit)
        merged.count = self.count + other.count
        merged.places = list(heapq.merge(self.places, other.places))[: self.keep]
        return merged


class Problems:
    """What was found while reading a corpus: for each kind of problem its places, and the message made of them.

    path (object): The corpus.
    keep (int): How many places a message names.
    unit (str): What is numbered in this corpus.
    """

    def __init__(self, path: object = "", keep: int = N_PLACES, unit: str = "line"):
        self.path = path
        self.keep = keep
        self.unit = unit
        self._errors: dict[Hashable, tuple[Occurrences, Callable[..., str]]] = {}
        self._warnings: dict[Hashable, tuple[Occurrences, Callable[..., str]]] = {}

    def error(self, message: str, **fields: Any) -> Occurrences:
        """Begin to count one kind of error, or go on with it.

        message (str): The message, of the path, the count, the places and what else is named.
        fields: What else, which also tells this kind from others.
        RETURNS (Occurrences): Where to note each.
        """
        return self._of(self._errors, message, fields)

    def warning(self, message: str, **fields: Any) -> Occurrences:
        """Begin to count something that should be said, but is no error, or go on with it: see `error`."""
        return self._of(self._warnings, message, fields)

    def _of(
        self, kinds: dict[Hashable, tuple[Occurrences, Callable[..., str]]], message: str, fields: dict[str, Any]
    ) -> Occurrences:
        key = (message, *fields.values())
        if key not in kinds:
            kinds[key] = Occurrences(self.keep, self.unit), partial(message.format, path=self.path, **fields)
        return kinds[key][0]

    @property
    def errors(self) -> list[str]:
        """A message for each kind of error that was found."""
        return [message(count=found.count, places=found) for found, message in self._errors.values() if found]

    @property
    def warnings(self) -> list[str]:
        """A message for each kind of warning."""
        return [message(count=found.count, places=found) for found, message in self._warnings.values() if found]
