"""Which labels each decoder learns, and what part each resource has in that: functions of plain data.

A pass over the examples (`survey`) and what the user gives (`read_labels`) make the labels of each decoder
(`choose_labels`); the rest are checks of these. `settle_labels` does all of it.
"""

import warnings
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from spacy.tokens import Doc
from spacy.training import Example

from ..errors import Errors, Warnings
from ..resources import RESOURCES, SOURCE, TARGET, resource_of
from .annotations import Annotation

# spaCy validates settings of a config by this type, and would make an iterator of a dict if it said Iterable
Labels = list[str] | dict[str, list[str]] | None
SAMPLE = 10


@dataclass
class Seen:
    """What the examples of one resource have.

    count (int): How many there are.
    labels (Set[str]): The labels that they are annotated with.
    docs (List[Doc]): The predicted docs of the first ones that have tokens.
    """

    count: int = 0
    labels: set[str] = field(default_factory=set)
    docs: list[Doc] = field(default_factory=list)


def survey(examples: Iterable[Example], annotations: Mapping[str, Annotation[Any]]) -> dict[str, Seen]:
    """See what the examples of each resource have."""
    seen = {resource: Seen() for resource in RESOURCES}
    for example in examples:
        resource = resource_of(example)
        mine = seen[resource]
        mine.count += 1
        mine.labels.update(annotations[resource].labels_of(example.reference))
        if len(mine.docs) < SAMPLE and len(example.predicted):
            mine.docs.append(example.predicted)
    return {resource: mine for resource, mine in seen.items() if mine.count}


def settle_labels(
    name: str,
    known: Collection[str],
    labels: Iterable[str] | Mapping[str, Iterable[str]] | None,
    seen: Mapping[str, Seen],
    annotations: Mapping[str, Annotation[Any]],
    *,
    transfer: str,
    shared: bool,
    streams: bool,
) -> tuple[dict[str, set[str]], bool]:
    """Settle the labels of each decoder, and whether the target's learns from the source: all of this module in turn.

    name (str): The component.
    known (Collection[str]): Labels that the target has already, of `add_label` or of an earlier initialisation.
    labels: Labels that the user gives: the target's, or those of each resource.
    seen (Mapping[str, Seen]): The examples of each resource that has any.
    annotations (Mapping[str, Annotation]): The kind of annotation of each resource.
    transfer (str): What is transferred: "none", "full" or "part".
    shared (bool): Whether source and target share a decoder.
    streams (bool): Whether these are only the first examples of a corpus that is read as a stream.
    RETURNS (Tuple[Dict[str, Set[str]], bool]): The labels by resource, and whether it is a zero-shot transfer.
    """
    if isinstance(labels, Mapping) and (unknown := sorted(set(labels) - set(RESOURCES))):
        raise ValueError(Errors.DN019.format(name=name, unknown=unknown, known=", ".join(RESOURCES)))
    given = read_labels(labels, shared and SOURCE in seen)
    roles = set(seen)
    if streams and roles == {SOURCE}:
        if not known and TARGET not in given:
            raise ValueError(Errors.DN069.format(name=name))
        roles.add(TARGET)  # it comes later
    zero_shot = is_zero_shot(name, roles, annotations, transfer)
    transfers = transfer != "none"
    found = {resource: examples.labels for resource, examples in seen.items()}
    chosen = choose_labels(known, given, found, transfers=transfers, zero_shot=zero_shot, shared=shared)
    check_labels(name, chosen, annotations, transfers=transfers, shared=shared)
    compare_labels(name, chosen, seen, zero_shot=zero_shot)
    return chosen, zero_shot


def read_labels(labels: Iterable[str] | Mapping[str, Iterable[str]] | None, shared: bool) -> dict[str, set[str]]:
    """Sort the labels that the user gives by resource: a list is the target's, or both resources' if they share it."""
    if isinstance(labels, Mapping):
        return {resource: set(names) for resource, names in labels.items()}
    names = set(labels or ())
    return {} if labels is None else dict.fromkeys(RESOURCES if shared else (TARGET,), names)


def choose_labels(
    known: Collection[str],
    given: Mapping[str, set[str]],
    found: Mapping[str, set[str]],
    *,
    transfers: bool,
    zero_shot: bool,
    shared: bool,
) -> dict[str, set[str]]:
    """Choose the labels of each decoder: those that are given, else those of the examples.

    known (Collection[str]): Labels that the target has already, of `add_label` or of an earlier initialisation.
    given (Mapping[str, Set[str]]): Labels that the user gives, by resource.
    found (Mapping[str, Set[str]]): Labels of the examples, by resource that has examples.
    transfers (bool): Whether the source has a decoder.
    zero_shot (bool): Whether the target's decoder learns from the source.
    shared (bool): Whether both resources share one decoder.
    RETURNS (Dict[str, Set[str]]): The labels by resource; those of the source if there is any and it has a decoder.
    """
    labels = {TARGET: set(known) | found.get(TARGET, set())}
    if SOURCE in found:
        labels[SOURCE] = found[SOURCE] | set(known if shared and not given else ())
    labels |= given
    if zero_shot and TARGET not in given:
        labels[TARGET] = labels[TARGET] | labels[SOURCE]
    return labels if transfers else {TARGET: labels[TARGET]}


def is_zero_shot(name: str, seen: Collection[str], annotations: Mapping[str, Annotation[Any]], transfer: str) -> bool:
    """Tell whether the target's decoder shall learn from the source, because there is nothing else; warn if so.

    name (str): The component.
    seen (Collection[str]): The resources that have examples.
    annotations (Mapping[str, Annotation[Any]]): The kind of annotation of each resource.
    transfer (str): What is transferred: "none", "full" or "part".
    """
    if set(seen) != {SOURCE}:
        return False
    if transfer != "none":
        raise ValueError(Errors.DN042.format(name=name, transfer=transfer))
    if len({type(annotation.tag_set(())) for annotation in annotations.values()}) > 1:
        raise ValueError(Errors.DN044.format(name=name))
    warnings.warn(Warnings.DN057.format(name=name), stacklevel=3)
    return True


def check_labels(
    name: str,
    labels: Mapping[str, set[str]],
    annotations: Mapping[str, Annotation[Any]],
    *,
    transfers: bool,
    shared: bool,
) -> None:
    """Raise an error if decoders can't have these labels, and warn if there are none for the source."""
    for resource, names in labels.items():
        for label in names:
            annotations[resource].check_label(label)
    if not labels[TARGET]:
        raise ValueError(Errors.DN011.format(name=name))
    if SOURCE in labels and not labels[SOURCE]:
        raise ValueError(Errors.DN012.format(name=name))
    if transfers and SOURCE not in labels:
        warnings.warn(Warnings.DN051.format(name=name), stacklevel=3)
    tags = {annotations[resource].tag_set(tuple(sorted(names))).names for resource, names in labels.items()}
    if shared and len(tags) > 1:
        source, target = sorted(labels[SOURCE]), sorted(labels[TARGET])
        raise ValueError(Errors.DN013.format(name=name, source=source, target=target))


def compare_labels(name: str, labels: Mapping[str, set[str]], seen: Mapping[str, Seen], *, zero_shot: bool) -> None:
    """See whether the labels of each decoder are those of the examples that it learns from.

    name (str): The component.
    labels (Mapping[str, Set[str]]): The labels of each decoder.
    seen (Mapping[str, Seen]): The examples of each resource.
    zero_shot (bool): Whether the target's decoder learns from the source.
    """
    for resource in sorted(seen):
        mine, found = labels.get(TARGET if zero_shot else resource), seen[resource].labels
        if mine is None:  # the base model does not learn from the source
            continue
        # `nlp.initialize()` without examples gives a single one, of no corpus
        if not found and seen[resource].count > 1:
            warnings.warn(Warnings.DN061.format(name=name, resource=resource), stacklevel=3)
        missing = name_some(found - mine)
        if found and not found & mine:
            given = name_some(mine)
            raise ValueError(Errors.DN045.format(name=name, resource=resource, given=given, found=missing))
        if missing:
            warnings.warn(Warnings.DN059.format(name=name, resource=resource, missing=missing), stacklevel=3)


def say_unknown_labels(
    name: str,
    examples: Iterable[Example],
    annotations: Mapping[str, Annotation[Any]],
    settings: Mapping[str, Any],
    said: Collection[str],
) -> set[str]:
    """Warn of labels that examples are annotated with and that a trained component can't learn.

    name (str): The component.
    examples (Iterable[Example]): The examples.
    annotations (Mapping[str, Annotation]): The kind of annotation of each resource.
    settings (Mapping[str, Any]): The `labels` of each decoder, and whether the transfer is `zero_shot`.
    said (Collection[str]): Labels that were warned of before.
    RETURNS (Set[str]): The labels that were warned of.
    """
    missing: set[str] = set()
    for resource, seen in survey(examples, annotations).items():
        mine = settings["labels"].get(TARGET if settings.get("zero_shot") else resource)
        if mine is not None and (new := seen.labels - {*mine, *said}):
            missing |= new
            what, known = name_some(new), name_some(set(mine))
            message = Warnings.DN081.format(name=name, resource=resource, missing=what, known=known)
            warnings.warn(message, stacklevel=3)
    return missing


def name_some(labels: set[str], most: int = 10) -> str:
    """Name labels, but not too many of them."""
    names = [repr(label) for label in sorted(labels)]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
