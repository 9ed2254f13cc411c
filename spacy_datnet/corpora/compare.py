"""Look at the files of a transfer together: what they share, and what they should share."""

from collections.abc import Iterable, Iterator
from itertools import islice

from ..errors import Warnings
from ..resources import SOURCE, TARGET
from .examine import DEV, TEST, TRAIN, Examination

_N_EXAMPLES, _EXAMPLE_LENGTH = 3, 60


def compare(examinations: Iterable[Examination]) -> Iterator[str]:
    """Compare the files of a transfer that have no errors of their own.

    examinations (Iterable): What was found in each file.
    YIELDS (str): Warnings.
    """
    sound = [found for found in examinations if not found.errors]
    train = [found for found in sound if found.role == TRAIN]
    held_out = [found for found in sound if found.role in (DEV, TEST)]
    source = [found for found in sound if found.role == SOURCE]
    target = [found for found in sound if found.role != SOURCE]
    for found in sound:
        if found.role in (TRAIN, TARGET, SOURCE):
            yield from _duplicates(found)
    for evaluation in held_out:
        for training in train:
            yield from _overlap(training, evaluation)
    if train:
        known = _labels(train)
        for evaluation in held_out:
            unseen = _labels([evaluation]) - known
            if unseen:
                yield Warnings.DN257.format(path=evaluation.location, labels=_join(unseen))
    if source and target and _labels(source) != _labels(target):
        yield Warnings.DN258.format(
            source=_join(_labels(source) - _labels(target)),
            target=_join(_labels(target) - _labels(source)),
        )


def _labels(examinations: list[Examination]) -> set[str]:
    return {label for found in examinations for label in found.counts.labels}


def _join(labels: set[str]) -> str:
    return ", ".join(sorted(labels)) or "none"


def _duplicates(found: Examination) -> Iterator[str]:
    n_sentences = found.counts.sentences
    count = n_sentences - len(found.texts)
    if count:
        repeated = (text for text, n in found.texts.items() if n > 1)
        yield Warnings.DN254.format(
            path=found.location,
            count=count,
            sentences=n_sentences,
            share=count / n_sentences,
            examples=_examples(repeated),
        )


def _overlap(training: Examination, evaluation: Examination) -> Iterator[str]:
    shared = [text for text in evaluation.texts if text in training.texts]
    if shared:
        count = sum(evaluation.texts[text] for text in shared)
        yield Warnings.DN255.format(
            evaluation=evaluation.location,
            training=training.location,
            count=count,
            sentences=evaluation.counts.sentences,
            share=count / evaluation.counts.sentences,
            examples=_examples(shared),
        )


def _examples(texts: Iterable[str]) -> str:
    return ", ".join(
        repr(text if len(text) <= _EXAMPLE_LENGTH else f"{text[:_EXAMPLE_LENGTH]}…")
        for text in islice(texts, _N_EXAMPLES)
    )
