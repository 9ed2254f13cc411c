"""What the three components share: initialisation, the training step, prediction and labels.

One step reads top to bottom in `DATNetPipe.update`: examples -> features -> network and losses -> gradients.
"""

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Optimizer, set_dropout_rate

from ..errors import Errors, Warnings
from ..models.batch import Batch, Features, is_static
from ..models.datnet import DATNetModel, Prediction, drop_source, predict
from ..nn.objective import Gold, Objective, Report
from ..resources import RESOURCES, SOURCE, TARGET, resource_of
from ..tagging import MISSING
from .annotations import Annotation, annotation_of
from .calibration import fit
from .memory import trim_heap

# spaCy validates settings of a config by this type, and would make an iterator of a dict if it said Iterable
Labels = list[str] | dict[str, list[str]] | None
SAMPLE = 10
# updates between two calls of `trim_heap`, each of which takes about as long as half an update
TRIM_EVERY = 100


class DATNetPipe(TrainablePipe):
    """A component that learns from source and target examples and labels target docs.

    A subclass says what it sets, and its score.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: DATNetModel,
        name: str,
        *,
        annotation: Annotation,
        source_annotation: str | None,
        loss: Objective,
        confidence: bool,
        scorer: Callable | None,
    ):
        """Create a component; see the factory of each for the settings."""
        self.vocab = vocab
        self.model = model
        self.name = name
        source = annotation if source_annotation is None else annotation_of(source_annotation)
        self.annotations = {SOURCE: source, TARGET: annotation}
        self.loss = loss
        self.confidence = confidence
        self.scorer = scorer
        self.learn_rate_scale = 1.0
        self.learn_rate_factor = 1.0
        self.updates = 0
        self.cfg: dict[str, Any] = {"labels": {}, "zero_shot": False}

    # What a subclass defines

    @property
    def score_name(self) -> str:
        """The main score of the component, as it is called in `[training.score_weights]`."""
        raise NotImplementedError

    def allowed_tags(self, docs: list[Doc]) -> np.ndarray | None:
        """Say which tags what is already set on docs allows: (tokens of all docs, tags) bool, None for all."""
        return None

    # Labels

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels that the component can predict, those of the target."""
        return tuple(self.cfg["labels"].get(TARGET, ()))

    @property
    def label_data(self) -> dict[str, list[str]]:
        """The labels of each resource, as `spacy init labels` writes and `initialize` reads them."""
        return {resource: list(labels) for resource, labels in self.cfg["labels"].items()}

    def add_label(self, label: str) -> int:
        """Add a label of the target before the component is initialised.

        label (str): The label.
        RETURNS (int): 0 if the label is there already, otherwise 1.
        """
        self.annotations[TARGET].check_label(label)
        if label in self.labels:
            return 0
        if self.model.shims[0].is_built:
            raise ValueError(Errors.DN010.format(name=self.name, label=label))
        self.cfg["labels"][TARGET] = sorted([*self.labels, label])
        self.vocab.strings.add(label)
        return 1

    def tag_set_of(self, resource: str) -> Any:
        """Number the tags of a resource's labels."""
        return self.annotations[resource].tag_set(tuple(self.cfg["labels"][resource]))

    # Training

    def role_of(self, example: Example) -> str:
        """Tell which decoder learns from an example; with zero-shot transfer that of the target, from the source.

        example (Example): The example.
        RETURNS (str): "source" or "target".
        """
        return TARGET if self.cfg.get("zero_shot") else resource_of(example)

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Labels = None,
    ) -> None:
        """Find the labels of each resource and build the network.

        get_examples (Callable[[], Iterable[Example]]): Returns examples of both resources.
        nlp (Optional[Language]): The pipeline.
        labels (Optional[Union[List[str], Dict[str, List[str]]]]): Labels of the target (in Python any iterable), of
            source and target if they share a decoder, or of each resource as `spacy init labels` writes them. What is
            not given is read off the examples, and added to what `add_label` or an earlier initialisation brought.
            Without target examples, `transfer = "none"` reads them off the source (zero-shot transfer).
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        if labels is not None and not isinstance(labels, Mapping):
            labels = list(labels)
        given = {TARGET: labels} if isinstance(labels, list) else dict(labels or {})
        if unknown := sorted(set(given) - set(RESOURCES)):
            raise ValueError(Errors.DN019.format(name=self.name, unknown=unknown, known=", ".join(RESOURCES)))
        if nlp is not None and self.score_name not in nlp.config["training"]["score_weights"]:
            warnings.warn(Warnings.DN053.format(name=self.name, score=self.score_name), stacklevel=2)
        alone = self.model.attrs["transfer"] == "none"
        found: dict[str, set[str]] = {TARGET: set(self.labels)}
        annotated: dict[str, set[str]] = {resource: set() for resource in RESOURCES}
        sample: dict[str, list[Doc]] = {resource: [] for resource in RESOURCES}
        seen: Counter[str] = Counter()
        for example in get_examples():
            resource = resource_of(example)
            seen[resource] += 1
            annotated[resource].update(self.annotations[resource].labels_of(example.reference))
            if resource not in given:
                found.setdefault(resource, set()).update(annotated[resource])
            if len(sample[resource]) < SAMPLE and len(example.predicted):
                sample[resource].append(example.predicted)
        self._set_roles(set(seen), alone)
        if self.model.attrs["share_decoder"] and SOURCE in found and not given:
            found[SOURCE].update(self.labels)  # those of `add_label`, or of an earlier initialisation
        found |= {resource: set(names) for resource, names in given.items()}
        if self.cfg["zero_shot"] and TARGET not in given:
            found[TARGET] |= found[SOURCE]
        elif alone and not self.cfg["zero_shot"]:
            sample[SOURCE] = []
        if isinstance(labels, list) and self.model.attrs["share_decoder"] and SOURCE in found:
            found[SOURCE] = set(labels)
        found = {TARGET: found[TARGET]} if alone else found
        self._set_labels(found)
        self._compare_labels(found, annotated, seen)
        legality = {resource: self.tag_set_of(resource).legal() for resource in self.cfg["labels"]}
        target = sample[TARGET] or [Doc(self.vocab, words=["x"])]
        docs = [*target, *sample[SOURCE]]
        is_source = np.arange(len(docs)) >= len(target)
        self.model.initialize(X=Batch(docs, is_source), Y=legality)

    def _set_roles(self, seen: set[str], alone: bool) -> None:
        """See whether there is a source without a target."""
        self.cfg["zero_shot"] = seen == {SOURCE}
        if seen == {SOURCE}:
            if not alone:
                raise ValueError(Errors.DN042.format(name=self.name, transfer=self.model.attrs["transfer"]))
            if len({type(annotation.tag_set(())) for annotation in self.annotations.values()}) > 1:
                raise ValueError(Errors.DN044.format(name=self.name))
            warnings.warn(Warnings.DN057.format(name=self.name), stacklevel=3)

    def _set_labels(self, found: dict[str, set[str]]) -> None:
        for resource, labels in found.items():
            for label in labels:
                self.annotations[resource].check_label(label)
        if not found[TARGET]:
            raise ValueError(Errors.DN011.format(name=self.name))
        if SOURCE in found and not found[SOURCE]:
            raise ValueError(Errors.DN012.format(name=self.name))
        if self.model.attrs["transfer"] != "none" and SOURCE not in found:
            warnings.warn(Warnings.DN051.format(name=self.name), stacklevel=3)
        self.cfg["labels"] = {resource: sorted(labels) for resource, labels in sorted(found.items())}
        if self.model.attrs["share_decoder"] and len({self.tag_set_of(resource).names for resource in found}) > 1:
            labels = self.cfg["labels"]
            raise ValueError(Errors.DN013.format(name=self.name, source=labels[SOURCE], target=labels[TARGET]))
        for labels in found.values():
            for label in labels:
                self.vocab.strings.add(label)

    def _compare_labels(self, found: dict[str, set[str]], annotated: dict[str, set[str]], seen: Counter[str]) -> None:
        """See whether the labels of each decoder are those of the examples that it learns from."""
        for resource in sorted(seen):
            labels = found.get(TARGET if self.cfg["zero_shot"] else resource)
            if labels is None:  # the base model does not learn from the source
                continue
            # `nlp.initialize()` without examples gives a single one, of no corpus
            if not annotated[resource] and seen[resource] > 1:
                warnings.warn(Warnings.DN061.format(name=self.name, resource=resource), stacklevel=3)
            missing = annotated[resource] - labels
            if missing and not annotated[resource] & labels:
                given, names = _some(labels), _some(missing)
                raise ValueError(Errors.DN045.format(name=self.name, resource=resource, given=given, found=names))
            if missing:
                names = _some(missing)
                warnings.warn(Warnings.DN059.format(name=self.name, resource=resource, missing=names), stacklevel=3)

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch of examples of one or both resources.

        examples (Iterable[Example]): The batch.
        drop (float): Dropout rate.
        sgd (Optional[Optimizer]): The optimizer. None or False leaves the gradients for `finish_update`.
        losses (Optional[Dict[str, float]]): Updated with the loss under the component's name, and with its parts.
        RETURNS (Dict[str, float]): The losses.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        if not any(len(example.predicted) for example in examples):
            return losses
        network = self.model.shims[0].network
        is_source = np.array([resource_of(example) == SOURCE for example in examples])
        transfers = self.model.attrs["transfer"] != "none"
        if transfers and is_source.any() and SOURCE not in self.cfg["labels"]:
            raise ValueError(Errors.DN017.format(name=self.name))
        batch = Batch([example.predicted for example in examples], is_source)
        set_dropout_rate(self.model, drop)
        featurizer = self.model.get_ref("features")
        features, backprop = featurizer.begin_update(batch)
        features = features.to(self.model.shims[0].device)
        if self.cfg.get("zero_shot"):  # the source's own features, but in the role of the target
            features = replace(features, is_source=np.zeros_like(features.is_source))
        # the base model has no use for the source, and sees it only if there is nothing else
        resources = RESOURCES if transfers or is_source.all() else (TARGET,)
        sentences = np.concatenate([features.sentences_of(resource) for resource in resources])
        if not len(sentences):  # white space alone; what a listener hears wants an answer
            backprop(torch.zeros_like(features.words))
            return losses
        inputs = features.inputs(sentences, own_forms=self.loss.adversarial_training)
        inputs.words.requires_grad_(not is_static(featurizer))
        gold = self._gold(examples, features)
        report = self.loss(network, inputs, gold, dropout=drop)
        self._log(report, losses)
        if not is_static(featurizer):
            backprop(features.spread(inputs.words.grad, sentences))
        if sgd not in (None, False):
            self.finish_update(sgd)
        self.updates += 1
        if self.updates % TRIM_EVERY == 0:
            trim_heap()
        return losses

    def _gold(self, examples: list[Example], features: Features) -> dict[str, Gold]:
        """Collect the annotation of each resource that the network has a decoder for."""
        gold = {}
        layout, device = features.layout, features.words.device
        for resource in self.model.shims[0].network.sizes.tags:
            sentences = features.sentences_of(resource)
            if not len(sentences):
                continue
            tag_set = self.tag_set_of(resource)
            flat = np.concatenate(
                [
                    self.annotations[resource_of(example)].gold_tags(example, tag_set)
                    if self.role_of(example) == resource
                    else np.full(len(example.predicted), MISSING)
                    for example in examples
                ]
            )
            starts, _, ends = tag_set.legal()
            tags = flat[layout.tokens(sentences)]
            # an entity across the border of sentences can't be learnt from
            lengths = layout.lengths[sentences]
            ends_at = np.cumsum(lengths) - 1
            first, last = tags[ends_at - lengths + 1], tags[ends_at]
            broken = ((first >= 0) & ~starts[first]) | ((last >= 0) & ~ends[last])
            tags[np.repeat(broken, lengths)] = MISSING
            known = tags != MISSING
            if known.any():
                gold[resource] = Gold(torch.from_numpy(tags).to(device), bool(known.all()))
        return gold

    def _log(self, report: Report, losses: dict[str, float]) -> None:
        if not math.isfinite(report.total):
            self.model.shims[0].network.zero_grad()  # they would spoil the next update
            raise ValueError(Errors.DN014.format(name=self.name, report=report))
        losses[self.name] += report.total
        losses[f"{self.name}_updates"] = losses.get(f"{self.name}_updates", 0) + 1
        for part in ("source", "target", "discriminator", "adversarial", "correct", "judged"):
            key = f"{self.name}_{part}"
            losses[key] = losses.get(key, 0.0) + getattr(report, part)

    def finish_update(self, sgd: Optimizer) -> None:
        """Change the parameters by their gradients, at the optimizer's rate times `learn_rate_scale`.

        The network's are changed `learn_rate_factor` times as fast as those of the word features below it.
        """
        if getattr(sgd, "use_radam", False) and (self.learn_rate_scale, self.learn_rate_factor) != (1.0, 1.0):
            warnings.warn(Warnings.DN064.format(name=self.name), stacklevel=2)
        self.model.shims[0].finish_update(partial(sgd, lr_scale=self.learn_rate_scale * self.learn_rate_factor))
        self.model.get_ref("features").finish_update(partial(sgd, lr_scale=self.learn_rate_scale))

    def drop_source(self) -> None:
        """Forget all that only training with a source needs; predictions stay the same."""
        drop_source(self.model)
        self.cfg |= {"labels": {TARGET: list(self.labels)}, "zero_shot": False}
        self.annotations[SOURCE] = self.annotations[TARGET]

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> list[Prediction]:
        """Label docs without changing them.

        docs (Iterable[Doc]): The docs, all taken as target docs.
        RETURNS (List[Prediction]): Tags and log-probabilities of each doc.
        """
        docs = list(docs)
        self._check_initialized()
        return predict(self.model, docs, allowed=self.allowed_tags(docs), confidence=self.confidence)

    def calibrate(self, examples: Iterable[Example]) -> float:
        """Fit the temperature of the confidences; see `pipeline.calibration.calibrate`, which does so in a pipeline.

        examples (Iterable[Example]): Annotated examples, whose predicted docs have what components before this one set
            and nothing of its own. Source examples are left out, and what is predicted where there is no annotation or
            where something was set before. If false items are mostly where there is no annotation, what is left of
            them is too little, and the confidences stay too high.
        RETURNS (float): The temperature. Without anything to fit, it is the one that the component has.
        """
        self._check_initialized()
        return fit(self, [example for example in examples if resource_of(example) == TARGET])

    def _check_initialized(self) -> None:
        if not self.model.shims[0].is_built:
            raise ValueError(Errors.DN015.format(name=self.name))


def _some(labels: set[str], most: int = 10) -> str:
    """Name labels, but not too many of them."""
    names = [repr(label) for label in sorted(labels)]
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")
