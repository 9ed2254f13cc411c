"""Words that are none: text that was withheld, and the numbers of tokens instead of the tokens."""

from collections.abc import Iterator

from ..errors import Warnings
from .content import Location
from .problems import Occurrences
from .sentences import Sentence

_WITHHELD = "_"


class WordCheck:
    """Look for sentences that have no words: add all, then see the warnings.

    keep (int): How many places a message names.
    unit (str): What is numbered in this corpus.
    """

    def __init__(self, keep: int, unit: str):
        self.withheld = Occurrences(keep, unit)
        self.numbered = Occurrences(keep, unit)
        self.n_sentences = self.n_single = 0

    def add(self, sentence: Sentence) -> None:
        """Look at the words of one more sentence."""
        words = sentence.words
        self.n_sentences += 1
        self.n_single += len(words) == 1
        first = words[0]
        if first.startswith(_WITHHELD) and not any(word.strip(_WITHHELD) for word in words):
            sentence.note(self.withheld, 0, " ".join(words[:5]))
        elif len(words) > 1 and first.isdecimal() and len(first) < 9:
            start = int(first)
            if all(word == str(i) for i, word in enumerate(words, start)):
                sentence.note(self.numbered, 0, " ".join(words[:5]))

    def warnings(self, location: Location) -> Iterator[str]:
        """Say what was found.

        location (Location): The corpus.
        YIELDS (str): Messages.
        """
        found = self.withheld
        # a single _ in a tweet is a word
        if found.count > self.n_single or (found and found.count == self.n_sentences):
            yield Warnings.DN274.format(path=location, count=found.count, sentences=self.n_sentences, places=found)
        if 2 * self.numbered.count > self.n_sentences - self.n_single:
            found = self.numbered
            yield Warnings.DN275.format(path=location, count=found.count, sentences=self.n_sentences, places=found)
