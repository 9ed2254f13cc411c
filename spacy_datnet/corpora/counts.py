"""How much of everything a corpus holds."""

from collections import Counter
from dataclasses import dataclass, field

from ..kinds import ATTRIBUTES
from .schemes import decode
from .sentences import OUTSIDE, Sentence, missing_tag


@dataclass
class LayerCounts:
    """How much of one kind of annotation a corpus holds.

    annotated (int): Tokens with annotation.
    outside (int): Tokens annotated as outside of entities or other spans.
    labels (Counter): Entities, spans or tokens per label.
    """

    annotated: int = 0
    outside: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    @property
    def total(self) -> int:
        """The number of entities, spans or tokens with a label."""
        return self.labels.total()


@dataclass
class CorpusCounts:
    """How much of everything a corpus holds.

    documents (int): Documents.
    sentences (int): Sentences.
    tokens (int): Tokens.
    layers (dict): The counts of each kind of annotation.
    """

    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    layers: dict[str, LayerCounts] = field(default_factory=dict)

    def add(self, sentence: Sentence) -> None:
        """Count one more sentence, whose tags are sound."""
        self.documents += sentence.opens_document
        self.sentences += 1
        self.tokens += len(sentence.words)
        for kind, tags in sentence.layers.items():
            layer = self.layers.setdefault(kind, LayerCounts())
            layer.annotated += len(tags) - tags.count(missing_tag(kind))
            if kind in ATTRIBUTES:
                layer.labels.update(filter(None, tags))
            else:
                n_outside = tags.count(OUTSIDE)
                layer.outside += n_outside
                if n_outside < len(tags):
                    layer.labels.update(label for _, _, label in decode(tags))

    def missing(self, kind: str) -> int:
        """Count the tokens that lack a kind of annotation."""
        return self.tokens - self.layers[kind].annotated

    @property
    def mean_length(self) -> float:
        """The mean number of tokens in a sentence."""
        return self.tokens / self.sentences if self.sentences else 0.0
