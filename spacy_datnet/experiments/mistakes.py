"""What a model gets wrong: scores per label, and which label is taken for which."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from .predictions import Sentence
from .significance import Item, f_score


class LabelScore(NamedTuple):
    """The scores of one label over sentences, in percent, and how many are annotated."""

    label: str
    precision: float
    recall: float
    f: float
    annotated: int


class Confusion(NamedTuple):
    """One kind of mistake. With the same label twice, the borders are wrong.

    gold (Optional[str]): The annotated label; None if nothing is annotated there.
    found (Optional[str]): The predicted label; None if nothing was predicted there.
    """

    gold: str | None
    found: str | None


def label_scores(sentences: Iterable[Sentence]) -> list[LabelScore]:
    """Score each label by itself, the most frequent first."""
    counts: dict[str, np.ndarray] = {}
    for sentence in sentences:
        for which, items in enumerate((sentence.gold & sentence.found.keys(), sentence.found, sentence.gold)):
            for *_, label in items:
                counts.setdefault(label, np.zeros(3, dtype=int))[which] += 1
    scores = []
    for label, row in sorted(counts.items(), key=lambda pair: (-pair[1][2], pair[0])):
        precision, recall = (float(100 * row[0] / max(n, 1)) for n in row[1:])
        scores.append(LabelScore(label, precision, recall, float(f_score(row)), int(row[2])))
    return scores


def confusions_in(sentence: Sentence) -> Iterator[tuple[Confusion, Item]]:
    """Yield the mistakes of a sentence, each with the annotated or else the predicted item."""
    wrong = sentence.found.keys() - sentence.gold
    explained = set()
    for item in sorted(sentence.gold - sentence.found.keys()):
        overlapping = [other for other in wrong if overlap(item, other)]
        # the one that covers most of it; of equal ones that with its label, or else the first
        nearest = min(overlapping, key=lambda o: (-overlap(item, o), o[2] != item[2], o), default=(0, 0, None))
        explained.update(overlapping)
        yield Confusion(item[2], nearest[2]), item
    for item in sorted(wrong - explained):
        # beside something that is right, or on its own
        yield Confusion(None, item[2]), item


def overlap(one: Item, other: Item) -> int:
    """Count the tokens that two items share."""
    return max(0, min(one[1], other[1]) - max(one[0], other[0]))


def count_confusions(sentences: Iterable[Sentence]) -> Counter[Confusion]:
    """Count the kinds of mistakes."""
    return Counter(confusion for sentence in sentences for confusion, _ in confusions_in(sentence))


def examples_of(confusion: Confusion, sentences: Iterable[Sentence], *, count: int, longest: int) -> list[Sentence]:
    """Choose sentences that show a kind of mistake: short ones, where the model was surest.

    confusion (Confusion): The kind.
    sentences (Iterable[Sentence]): Where to look.
    count (int): How many to choose at most.
    longest (int): How many words they may have, if there are such.
    """
    having = [sentence for sentence in sentences if any(found == confusion for found, _ in confusions_in(sentence))]
    order = sorted(having, key=lambda one: (len(one.words) > longest, -_certainty(one), len(one.words)))
    # the same sentence of several seeds once, where it comes first
    distinct: dict[tuple[str, ...], Sentence] = {}
    for sentence in order:
        distinct.setdefault(tuple(sentence.words), sentence)
    return list(distinct.values())[:count]


def _certainty(sentence: Sentence) -> float:
    wrong = [confidence or 0.0 for item, confidence in sentence.found.items() if item not in sentence.gold]
    return round(max(wrong, default=0.0), 1)
