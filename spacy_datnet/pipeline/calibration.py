"""Confidences that can be taken at their word: a temperature fitted to annotated sentences.

A network that learns long from few sentences is surer than it is right. Dividing all scores of its decoder by a
temperature changes how sure it is, and no label (Guo et al. 2017, "On Calibration of Modern Neural Networks").
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ..models.batch import Encoded
from ..models.datnet import DATNetModel, decode, encode, network_of
from ..models.shim import shim_of
from ..nn.context import plain_torch
from ..nn.tags import MISSING
from ..resources import TARGET, resource_of
from .base import DATNetPipe

# from 0.5 to 5; closer ones can hardly be told apart by the entities of some hundred sentences. The first of equals is
# taken, so those near 1, which change little, come first
TEMPERATURES = tuple(sorted((float(np.exp(step / 6)) for step in range(-4, 11)), key=lambda value: abs(np.log(value))))
# enough for a temperature, and done in a second or two
TOKENS = 20_000
# docs whose features are computed at once
BATCH = 128


def calibrate(nlp: Language, examples: Iterable[Example]) -> dict[str, float]:
    """Fit the confidences of a pipeline's components to annotated target examples; no label changes.

    Components that come before others set their annotation first, as in `nlp`. Those that are frozen in the pipeline's
    config, and those without confidences, stay as they are.

    nlp (Language): The pipeline, changed in place.
    examples (Iterable[Example]): The examples, such as those of a dev corpus. Their predicted docs have not been
        through the pipeline. Of more than 20,000 tokens, every second example is taken, or every third, and so on.
    RETURNS (Dict[str, float]): The temperature of each component that was fitted.
    """
    frozen = nlp.config.interpolate().get("training", {}).get("frozen_components", ())
    names = [name for name, pipe in nlp.pipeline if isinstance(pipe, DATNetPipe) and pipe.confidence]
    temperatures: dict[str, float] = {}
    unfitted = [name for name in names if name not in frozen]
    examples = list(examples)
    examples = examples[:: 1 + sum(len(example.predicted) for example in examples) // TOKENS]
    docs = [example.predicted.copy() for example in examples]
    for name, pipe in nlp.pipeline:
        if name in unfitted and isinstance(pipe, DATNetPipe):
            pairs = zip(docs, examples, strict=True)
            temperatures[name] = fit(pipe, [Example(doc, example.reference) for doc, example in pairs])
        if len(temperatures) == len(unfitted):
            break
        docs = list(pipe.pipe(docs) if hasattr(pipe, "pipe") else map(pipe, docs))
    return temperatures


@dataclass
class Judged:
    """What a component predicts for some docs and which of it is right, with all that its probabilities need."""

    docs: list[Doc]
    allowed: np.ndarray | None
    # what the network knows of the docs before its decoder
    encoded: list[Encoded]
    # the predicted tags of all docs
    tags: np.ndarray
    # start and end of each item of each doc
    items: list[list[tuple[int, int]]]
    # of each item of all docs
    right: list[bool]

    def log_probabilities(self, model: DATNetModel) -> list[float]:
        """Compute the log-probability of each item under the decoder's temperature."""
        predictions = decode(model, self.docs, self.encoded, allowed=self.allowed, confidence=True, known=self.tags)
        pairs = zip(self.items, predictions, strict=True)
        return [log for items, prediction in pairs for log in prediction.log_probabilities(items)]


def fit(pipe: DATNetPipe, examples: list[Example]) -> float:
    """Fit the confidences of one component: set the temperature of its decoder.

    pipe (DATNetPipe): The component, initialised.
    examples (List[Example]): Annotated examples, whose predicted docs have what components before this one set and
        nothing of its own. Source examples are left out, and what is predicted where there is no annotation or where
        something was set before. If false items are mostly where there is no annotation, what is left of them is too
        little, and the confidences stay too high.
    RETURNS (float): The temperature. Without anything to fit, it is the one that the component has.
    """
    pipe.check_initialized()
    batches = judge_predictions(pipe, [example for example in examples if resource_of(example) == TARGET])
    right = np.array([is_right for batch in batches for is_right in batch.right])
    temperature = network_of(pipe.model).decoder(TARGET).temperature
    best = float(temperature)

    def log_probabilities(value: float) -> np.ndarray:
        temperature.fill_(value)
        return np.array([log for batch in batches for log in batch.log_probabilities(pipe.model)])

    try:
        if len(right):
            with plain_torch(shim_of(pipe.model).device, grad=False):
                best = fit_temperature(log_probabilities, right)
    finally:
        temperature.fill_(best)
    return best


def judge_predictions(pipe: DATNetPipe, examples: list[Example]) -> list[Judged]:
    """Predict examples by a component, and compare with their annotation."""
    annotation, tag_set = pipe.annotations[TARGET], pipe.tag_set_of(TARGET)
    # what is labelled otherwise in the examples is not right; its tags come last, the others keep their numbers
    labels = {label for example in examples for label in annotation.labels_of(example.reference)}
    every_tag = annotation.tag_set((*pipe.labels, *sorted(labels - set(pipe.labels))))
    batches = []
    for batch in minibatch(examples, BATCH):
        docs = [example.predicted for example in batch]
        allowed = pipe.allowed_tags(docs)
        with plain_torch(shim_of(pipe.model).device, grad=False):
            encoded = list(encode(pipe.model, docs))
            predictions = decode(pipe.model, docs, encoded, allowed=allowed)
        tags = np.concatenate([prediction.tags for prediction in predictions])
        judged = Judged(docs, allowed, encoded, tags, [], [])
        free = np.ones(len(tags), dtype=bool) if allowed is None else allowed.all(1)
        frees = np.split(free, np.cumsum([len(doc) for doc in docs])[:-1])
        for example, own, (tags, _, _) in zip(batch, frees, predictions, strict=True):
            gold = np.full_like(tags, MISSING)
            gold[own] = annotation.gold_tags(example, every_tag)[own]
            known = judge(tags, gold, tag_set.items(tags))
            judged.items.append([(start, end) for start, end, _ in known])
            judged.right += [is_right for _, _, is_right in known]
        batches.append(judged)
    return batches


def fit_temperature(log_probabilities: Callable[[float], np.ndarray], right: np.ndarray) -> float:
    """Find the temperature, from 0.5 to 5, under which probabilities say best which predictions are right.

    It minimises the mean cross-entropy of `right` under the probabilities. As in Platt scaling, right ones count as
    slightly less than right and wrong ones as slightly less than wrong, so that a few predictions, all of them right,
    are no reason to be certain.

    log_probabilities (Callable): Gives the log-probability of each prediction under a temperature: (predictions,).
    right (ndarray): (predictions,) bool, at least one.
    RETURNS (float): The temperature.
    """
    n_right = right.sum()
    wanted = np.where(right, (n_right + 1) / (n_right + 2), 1 / (len(right) - n_right + 2))

    def cross_entropy(temperature: float) -> float:
        p = np.exp(log_probabilities(temperature)).clip(1e-6, 1 - 1e-6)
        return float(-(wanted * np.log(p) + (1 - wanted) * np.log1p(-p)).mean())

    return min(TEMPERATURES, key=cross_entropy)


def judge(tags: np.ndarray, gold: np.ndarray, items: Iterable[tuple[int, int]]) -> list[tuple[int, int, bool]]:
    """Tell which predicted items are right; what can't be told is left out.

    tags (ndarray): (tokens,), the predicted tags, negative for white space. Those of a span tell its borders, too.
    gold (ndarray): (tokens,), the annotated tags, negative where there is no annotation.
    items (Iterable[Tuple[int, int]]): Start and end of each; the end is exclusive.
    RETURNS (List[Tuple[int, int, bool]]): Start, end, and whether it is right.
    """
    blank = tags < 0  # is where the tokens around it are
    known, same = blank | (gold >= 0), blank | (gold == tags)
    wrong = known & ~same
    return [
        (start, end, bool(same[start:end].all()))
        for start, end in items
        if known[start:end].all() or wrong[start:end].any()
    ]
