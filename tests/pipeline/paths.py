"""All paths of a short doc, each with the score that the network's parts give it: the truth about probabilities."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
from spacy.tokens import Doc, Span

from spacy_datnet.models.batch import Batch
from spacy_datnet.pipeline.base import DATNetPipe

Scores = dict[tuple[str, ...], float]


def may_follow_biluo(before: str | None, after: str | None) -> bool:
    """Whether a BILUO tag may follow another one; None is the border of the sentence."""
    is_open = before is not None and before[0] in "BI"
    goes_on = after is not None and after[0] in "IL"
    return is_open == goes_on and (not is_open or before[2:] == after[2:])


def log_scores(
    pipe: DATNetPipe,
    doc: Doc,
    *,
    may_follow: Callable[[str | None, str | None], bool] = lambda before, after: True,
    resource: str = "target",
    allowed: Callable[[int, str], bool] = lambda i, tag: True,
) -> Scores:
    """Enumerate the legal paths of a doc of one sentence, each with its score."""
    network = pipe.model.shims[0].network
    features = pipe.model.get_ref("features").predict(Batch([doc], np.array([resource == "source"])))
    inputs = features.inputs(np.arange(1))
    states = network.encode(inputs, inputs.words, network.embed_characters(inputs)).full
    decoder = network.decoders[resource]
    parts = (decoder.emit(states), decoder.start, decoder.transitions, decoder.end)
    emissions, start, transitions, end = (part.detach().double().numpy() for part in parts)
    names = pipe.tag_set_of(resource).names
    number = {name: i for i, name in enumerate(names)}
    found = {}
    paths: list[tuple] = [()]
    for i in range(len(emissions)):
        paths = [
            (*path, tag)
            for path in paths
            for tag in names
            if allowed(i, tag) and may_follow(path[-1] if path else None, tag)
        ]
    for path in paths:
        if may_follow(path[-1], None):
            tags = [number[tag] for tag in path]
            moves = sum(transitions[a, b] for a, b in pairwise(tags))
            found[path] = start[tags[0]] + moves + end[tags[-1]] + emissions[range(len(tags)), tags].sum()
    return found


def log_probability(scores: Scores, holds: Callable[[tuple[str, ...]], bool]) -> float:
    """The log of the share of the paths for which something holds."""
    chosen = [score for path, score in scores.items() if holds(path)]
    return np.logaddexp.reduce(chosen) - np.logaddexp.reduce(list(scores.values()))


def agree(tags: list[str | None], path: tuple[str, ...]) -> bool:
    """Whether a path is one that tags allow; None is any tag."""
    return all(tag in (None, name) for tag, name in zip(tags, path, strict=True))


def tags_of(span: Span) -> tuple[str, ...]:
    """The BILUO tags of a span."""
    if len(span) == 1:
        return (f"U-{span.label_}",)
    return (f"B-{span.label_}", *[f"I-{span.label_}"] * (len(span) - 2), f"L-{span.label_}")
