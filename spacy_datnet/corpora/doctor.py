"""The corpus doctor: errors and dangers in one file by itself, and between the files of a transfer."""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from ..errors import Errors, Warnings
from ..kinds import ENTS
from ..resources import SOURCE, TARGET
from .content import Location
from .counts import CorpusCounts, LayerCounts
from .docbin import is_docbin
from .formats.spacy import DocBinFormat
from .problems import N_PLACES, CorpusError, Occurrences
from .sentences import Sentence
from .survey import survey_corpus

TRAIN, DEV, TEST = "train", "dev", "test"  # parts of the target, beside TARGET and SOURCE

_N_EXAMPLES, _EXAMPLE_LENGTH, _N_LABELS = 3, 60, 20


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
    how (str): How it was read: the format, and the scheme of the tags.
    """

    location: Location
    role: str
    counts: CorpusCounts = field(default_factory=CorpusCounts)
    texts: Counter[str] = field(default_factory=Counter)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    how: str = ""


def examine(
    location: Location,
    role: str,
    *,
    max_length: int,
    keep: int = N_PLACES,
    annotations: Mapping[str, int | None] | None = None,
    **options: Any,
) -> Examination:
    """Examine a corpus in any format, or a .spacy file.

    location (Location): The corpus.
    role (str): What it is for: see `Examination`.
    max_length (int): How many tokens a sentence may have without a warning.
    keep (int): How many places a message names.
    annotations (Optional[Mapping]): The kinds of annotation to examine: see `find_format`. If not given, those that a
        .spacy file has.
    options: How to read the corpus, if not as detected and no .spacy file: see `survey_corpus`.
    RETURNS (Examination): What was found.
    """
    found = Examination(location, role)
    kinds = tuple(annotations or ())
    too_long = Occurrences(keep, DocBinFormat.unit if is_docbin(location) else "line")

    def visit(sentence: Sentence) -> None:
        found.texts[" ".join(sentence.words)] += 1
        if len(sentence.words) > max_length:
            sentence.note(too_long, 0, f"{len(sentence.words)} tokens")

    try:
        survey = survey_corpus(location, keep=keep, visit=visit, annotations=annotations, **options)
    except CorpusError as error:
        found.errors.append(str(error))
        return found
    found.counts, found.errors, found.warnings = survey.counts, survey.errors, survey.warnings
    heading, text = survey.format.summary
    found.how = ", ".join([f"{heading.lower()}: {text}", *(scheme.upper() for scheme in survey.schemes.values())])
    if too_long:
        found.warnings.append(
            Warnings.DN256.format(path=location, count=too_long.count, limit=max_length, places=too_long)
        )
    if not found.errors:
        _examine_annotation(found, kinds)
    return found


def _examine_annotation(found: Examination, kinds: tuple[str, ...]) -> None:
    """Look for annotation that is not there: of each kind that was named, or else of any kind."""
    counts = found.counts
    annotated = [kind for kind, layer in counts.layers.items() if layer.total]
    expected = kinds or annotated or tuple(counts.layers) or (ENTS,)
    for kind in expected:
        layer = counts.layers.setdefault(kind, LayerCounts())
        missing = counts.missing(kind)
        if not layer.total:
            found.errors.append(
                Errors.DN228.format(
                    path=found.location, kind=kind, tokens=counts.tokens, outside=layer.outside, missing=missing
                )
            )
        elif missing:
            found.warnings.append(
                Warnings.DN260.format(
                    path=found.location,
                    kind=kind,
                    count=missing,
                    tokens=counts.tokens,
                    share=missing / counts.tokens,
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
    for kind in _kinds(train):
        known = _labels(train, kind)
        for evaluation in held_out:
            unseen = _labels([evaluation], kind) - known
            if unseen:
                yield Warnings.DN257.format(path=evaluation.location, kind=kind, labels=_join(unseen))
    if source and target:
        yield from _compare_tasks(source, target)


def _compare_tasks(source: list[Examination], target: list[Examination]) -> Iterator[str]:
    in_source, in_target = _kinds(source), _kinds(target)
    for kind in in_source:
        labels, others = _labels(source, kind), _labels(target, kind)
        if kind in in_target and labels != others:
            yield Warnings.DN258.format(kind=kind, source=_join(labels - others), target=_join(others - labels))
    if not set(in_source) & set(in_target):
        yield Warnings.DN262.format(source=_join(in_source), target=_join(in_target))


def _kinds(examinations: list[Examination]) -> list[str]:
    """List the kinds of annotation of which there are labels."""
    return sorted({kind for found in examinations for kind, layer in found.counts.layers.items() if layer.total})


def _labels(examinations: list[Examination], kind: str) -> set[str]:
    return {
        label for found in examinations if kind in found.counts.layers for label in found.counts.layers[kind].labels
    }


def _join(labels: Collection[str]) -> str:
    names = sorted(labels)[:_N_LABELS]
    more = f" and {len(labels) - _N_LABELS} more" if len(labels) > _N_LABELS else ""
    return ", ".join(names) + more or "none"


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
