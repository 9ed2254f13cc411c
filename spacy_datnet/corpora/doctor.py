"""The corpus doctor: errors and dangers in one file by itself, and between the files of a transfer."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from spacy.vocab import Vocab

from ..errors import Errors, Warnings
from ..resources import SOURCE, TARGET
from .columns import Sentence
from .docbin import is_docbin, read_docbin, to_sentences
from .files import Location
from .problems import N_PLACES, CorpusError, Occurrences
from .schemes import INSIDE
from .survey import CorpusCounts, survey_columns

TRAIN, DEV, TEST = "train", "dev", "test"  # parts of the target, beside TARGET and SOURCE

_N_EXAMPLES, _EXAMPLE_LENGTH = 3, 60


@dataclass
class Examination:
    """What was found in a corpus file.

    location (Location): The file.
    role (str): What the file is for: "train", "dev" or "test" of the target, "target" if that is
        not known, or "source".
    counts (CorpusCounts): Its size.
    texts (Counter): Its sentences, the words joined by spaces, and how often each occurs.
    errors (list): Why it can't be used.
    warnings (list): What deserves a look.
    """

    location: Location
    role: str
    counts: CorpusCounts = field(default_factory=CorpusCounts)
    texts: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def examine(location: Location, role: str, *, max_length: int, keep: int = N_PLACES, **options: Any) -> Examination:
    """Examine a column file or .spacy file of entities.

    location (Location): The file.
    role (str): What it is for: see `Examination`.
    max_length (int): How many tokens a sentence may have without a warning.
    keep (int): How many places a message names.
    options: How to read a column file, if not as detected: see `survey_columns`.
    RETURNS (Examination): What was found.
    """
    found = Examination(location, role)
    if is_docbin(location):
        sentences = _read_docbin(found, keep)
        too_long = Occurrences(keep, "sentence")
    else:
        sentences = _read_columns(found, keep, options)
        too_long = Occurrences(keep)
    try:
        for sentence in sentences:
            found.texts[" ".join(sentence.words)] += 1
            if len(sentence.words) > max_length:
                too_long.add(sentence.line, f"{len(sentence.words)} tokens")
    except CorpusError as error:
        found.errors.append(str(error))
    if too_long:
        found.warnings.append(
            Warnings.DN256.format(path=location, count=too_long.count, limit=max_length, places=too_long)
        )
    if not found.errors:
        _examine_annotation(found)
    return found


def _read_docbin(found: Examination, keep: int) -> Iterator[Sentence]:
    cut = Occurrences(keep, "sentence")
    for sentence in to_sentences(read_docbin(found.location, Vocab())):
        found.counts.add(sentence)
        if sentence.tags[0].startswith(INSIDE):
            cut.add(sentence.line, f"{sentence.words[0]} {sentence.tags[0]}")
        yield sentence
    if not found.counts.sentences:
        found.errors.append(Errors.DN207.format(path=found.location, reason="no Doc has tokens"))
    if cut:
        found.warnings.append(Warnings.DN259.format(path=found.location, count=cut.count, places=cut))


def _read_columns(found: Examination, keep: int, options: dict[str, Any]) -> Iterator[Sentence]:
    survey = survey_columns(found.location, keep=keep, **options)
    found.counts = survey.counts
    found.errors += survey.errors
    found.warnings += survey.warnings
    if not survey.errors:
        yield from survey.sentences()


def _examine_annotation(found: Examination) -> None:
    counts = found.counts
    if not counts.entities:
        found.errors.append(
            Errors.DN228.format(
                path=found.location,
                tokens=counts.tokens,
                outside=counts.outside,
                missing=counts.missing,
            )
        )
    elif counts.missing:
        found.warnings.append(
            Warnings.DN260.format(
                path=found.location,
                count=counts.missing,
                tokens=counts.tokens,
                share=counts.missing / counts.tokens,
            )
        )


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
