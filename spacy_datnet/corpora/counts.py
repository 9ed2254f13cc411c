"""The size of a corpus."""

from collections import Counter
from dataclasses import dataclass, field

from .schemes import MISSING, OUTSIDE, decode
from .sentences import Sentence


@dataclass
class CorpusCounts:
    """How much of everything a corpus holds.

    documents (int): Documents.
    sentences (int): Sentences.
    tokens (int): Tokens.
    missing (int): Tokens without annotation.
    outside (int): Tokens annotated as outside of entities.
    labels (Counter): Entities per label.
    """

    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    missing: int = 0
    outside: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, sentence: Sentence) -> None:
        """Count one more sentence, whose tags are entity tags."""
        self.documents += sentence.opens_document
        self.sentences += 1
        self.tokens += len(sentence.words)
        self.missing += sentence.tags.count(MISSING)
        self.outside += sentence.tags.count(OUTSIDE)
        self.labels.update(label for _, _, label in decode(sentence.tags))

    @property
    def entities(self) -> int:
        """The number of entities."""
        return self.labels.total()

    @property
    def mean_length(self) -> float:
        """The mean number of tokens in a sentence."""
        return self.tokens / self.sentences if self.sentences else 0.0
