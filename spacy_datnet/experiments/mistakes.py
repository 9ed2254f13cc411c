"""What a model gets wrong: scores per label, and which label is taken for which."""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

import numpy as np

from .predictions import Item, Sentence
from .significance import f_score


class LabelScore(NamedTuple):
    """The scores of one label over sentences, in percent.

    label (str): The label.
    precision (float): The share of the predicted ones that is annotated.
    recall (float): The share of the annotated ones that was predicted.
    f (float): F1.
    annotated (int): How many are annotated.
    """

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
    correct, predicted, annotated = Counter(), Counter(), Counter()
    for sentence in sentences:
        correct.update(label for *_, label in sentence.gold & sentence.found.keys())
        predicted.update(label for *_, label in sentence.found)
        annotated.update(label for *_, label in sentence.gold)
    labels = sorted(predicted.keys() | annotated.keys(), key=lambda label: (-annotated[label], label))
    return [
        LabelScore(
            label,
            100 * correct[label] / max(predicted[label], 1),
            100 * correct[label] / max(annotated[label], 1),
            float(f_score(np.array([correct[label], predicted[label], annotated[label]]))),
            annotated[label],
        )
        for label in labels
    ]


def confusions_in(sentence: Sentence) -> Iterator[tuple[Confusion, Item]]:
    """Yield the mistakes of a sentence, each with the annotated or else the predicted item."""
    wrong = sentence.found.keys() - sentence.gold
    missed = sentence.gold - sentence.found.keys()
    explained = set()
    for item in sorted(missed):
        overlapping = [other for other in wrong if overlap(item, other)]
        if not overlapping:
            yield Confusion(item[2], None), item
            continue
        # the one that covers most of it; of equal ones that with its label, or else the first
        nearest = min(overlapping, key=lambda other: (-overlap(item, other), other[2] != item[2], other))
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
    order = sorted(
        having, key=lambda sentence: (len(sentence.words) > longest, -_certainty(sentence), len(sentence.words))
    )
    # the same sentence of several seeds once, where it comes first
    distinct: dict[tuple[str, ...], Sentence] = {}
    for sentence in order:
        distinct.setdefault(tuple(sentence.words), sentence)
    return list(distinct.values())[:count]


def _certainty(sentence: Sentence) -> float:
    wrong = [confidence or 0.0 for item, confidence in sentence.found.items() if item not in sentence.gold]
    return round(max(wrong, default=0.0), 1)
