"""What the three components share: initialisation, the training step, prediction and labels.

One step reads top to bottom in `DATNetPipe.update`: examples -> features -> network and losses -> gradients.
"""

import math
import warnings
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Optimizer, set_dropout_rate

from ..errors import Errors, Warnings
from ..models.batch import Batch, Features, is_static, listens
from ..models.datnet import DATNetModel, Prediction, drop_source, network_of, predict
from ..models.shim import shim_of
from ..nn.context import plain_torch
from ..nn.objective import Gold, Objective, Report
from ..resources import RESOURCES, SOURCE, TARGET, resource_of
from .annotations import Annotation, annotation_of, collect_gold
from .checked import CheckedPipe
from .labels import Labels, say_unknown_labels, settle_labels, survey

# longer than almost any sentence
LONG = 200
LONG_DOC = "long doc"


class DATNetPipe(CheckedPipe):
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
        self.accumulate_gradient = 1
        self.cfg: dict[str, Any] = {"labels": {}, "zero_shot": False}
        self.said: set[str] = set()  # labels that need no word any more, and other warnings that come once

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
        if shim_of(self.model).is_built:
            raise ValueError(Errors.DN010.format(name=self.name, label=label))
        self.cfg["labels"][TARGET] = sorted([*self.labels, label])
        self.vocab.strings.add(label)
        return 1

    def tag_set_of(self, resource: str) -> Any:
        """Number the tags of a resource's labels."""
        return self.annotations[resource].tag_set(tuple(self.cfg["labels"][resource]))

    # Training

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
        if nlp is not None and self.score_name not in nlp.config["training"]["score_weights"]:
            warnings.warn(Warnings.DN053.format(name=self.name, score=self.score_name), stacklevel=2)
        training = {} if nlp is None else nlp.config.interpolate()["training"]
        self.accumulate_gradient = training.get("accumulate_gradient", 1)
        streams = training.get("max_epochs") == -1  # spaCy shows the first 100 examples only
        seen = survey(get_examples(), self.annotations)
        transfer = self.model.attrs["transfer"]
        chosen, zero_shot = settle_labels(
            self.name,
            self.labels,
            labels,
            seen,
            self.annotations,
            transfer=transfer,
            shared=self.model.attrs["share_decoder"],
            streams=streams,
        )
        self.cfg["labels"] = {resource: sorted(chosen[resource]) for resource in sorted(chosen)}
        self.cfg["zero_shot"] = zero_shot
        self.said |= set().union(*(examples.labels for examples in seen.values()))
        for label in set().union(*chosen.values()):
            self.vocab.strings.add(label)
        target = seen[TARGET].docs if TARGET in seen else []
        source = seen[SOURCE].docs if SOURCE in seen and (transfer != "none" or zero_shot) else []
        target = target or [Doc(self.vocab, words=["x"])]
        is_source = np.arange(len(target) + len(source)) >= len(target)
        legality = {resource: self.tag_set_of(resource).legal() for resource in self.cfg["labels"]}
        self.model.initialize(X=cast(Any, Batch([*target, *source], is_source)), Y=cast(Any, legality))

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learn from a batch of examples of one or both resources.

        The losses are sums over the sentences, in nats, so that those of the parts of a batch add up to those of the
        batch. Gradients add up in the same way: `finish_update` divides them by the sentences of all updates since it
        was called last, however they were parted. Only what goes on to another component by a listener is divided at
        once, by the sentences of the update and by `accumulate_gradient` of the config that the component was
        initialised with, which is exact for parts of the same size: that component finishes its update by itself.

        examples (Iterable[Example]): The batch.
        drop (float): Dropout rate.
        sgd (Optional[Optimizer]): The optimizer. None or False leaves the gradients for `finish_update`.
        losses (Optional[Dict[str, float]]): Updated with the loss under the component's name, and with its parts under
            "NAME.source", "NAME.target", "NAME.discriminator" and "NAME.adversarial".
        RETURNS (Dict[str, float]): The losses.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = list(examples)
        validate_examples(examples, f"{type(self).__name__}.update")
        if not 0.0 <= drop < 1.0:
            raise ValueError(
                Errors.DN068.format(name="The dropout rate", value=drop, range="at least 0 and less than 1")
            )
        if not any(len(example.predicted) for example in examples):
            return losses
        network = network_of(self.model)
        is_source = np.array([resource_of(example) == SOURCE for example in examples])
        transfers = self.model.attrs["transfer"] != "none"
        if transfers and is_source.any() and SOURCE not in self.cfg["labels"]:
            raise ValueError(Errors.DN017.format(name=self.name))
        self.said |= say_unknown_labels(self.name, examples, self.annotations, self.cfg, self.said)
        batch = Batch([example.predicted for example in examples], is_source)
        set_dropout_rate(self.model, drop)
        featurizer, shim = self.model.get_ref("features"), shim_of(self.model)
        with plain_torch(shim.device, grad=True):
            features, backprop = featurizer.begin_update(batch)
            features = features.to(shim.device)
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
            self._log(report, len(sentences), losses)
            shim.sentences += len(sentences)
            if not is_static(featurizer):
                gradient = cast(torch.Tensor, inputs.words.grad)
                if listens(featurizer):
                    gradient /= len(sentences) * self.accumulate_gradient
                backprop(features.spread(gradient, sentences))
        if sgd not in (None, False):
            self.finish_update(sgd)
        return losses

    def _gold(self, examples: list[Example], features: Features) -> dict[str, Gold]:
        """Collect the annotation of each resource that the network has a decoder for."""
        tag_sets = {resource: self.tag_set_of(resource) for resource in network_of(self.model).sizes.tags}
        return collect_gold(examples, features, self.annotations, tag_sets, self.cfg.get("zero_shot", False))

    def _log(self, report: Report, sentences: int, losses: dict[str, float]) -> None:
        if not math.isfinite(report.total):
            self._forget_gradients()  # they would spoil the next update
            raise ValueError(Errors.DN014.format(name=self.name, report=report))
        losses[self.name] += report.total
        # a name with a dot is no component's, as it would be two sections of a config
        for part, value in {**asdict(report), "sentences": sentences}.items():
            losses[f"{self.name}.{part}"] = losses.get(f"{self.name}.{part}", 0.0) + value

    def finish_update(self, sgd: Optimizer) -> None:
        """Change the parameters by their gradients, at the optimizer's rate times `learn_rate_scale`.

        The network's are changed `learn_rate_factor` times as fast as those of the word features below it.
        """
        if getattr(sgd, "use_radam", False) and (self.learn_rate_scale, self.learn_rate_factor) != (1.0, 1.0):
            warnings.warn(Warnings.DN064.format(name=self.name), stacklevel=2)
        features, shim = self.model.get_ref("features"), shim_of(self.model)
        sentences = 1 if listens(features) else max(1, shim.sentences)

        def change(key: Any, weights: Any, gradient: Any) -> Any:
            gradient /= sentences  # in place, as the optimizer sets it to zero
            return sgd(key, weights, gradient, lr_scale=self.learn_rate_scale)

        shim.finish_update(partial(sgd, lr_scale=self.learn_rate_scale * self.learn_rate_factor))
        features.finish_update(cast(Optimizer, change))

    def _forget_gradients(self) -> None:
        shim_of(self.model).forget_gradients()
        for node in self.model.get_ref("features").walk():
            for name in node.grad_names:
                node.get_grad(name).fill(0.0)

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
        self.check_initialized()
        if LONG_DOC not in self.said:
            for doc in docs:
                if len(doc) > LONG and not doc.has_annotation("SENT_START"):
                    self.said.add(LONG_DOC)
                    warnings.warn(Warnings.DN082.format(name=self.name, length=len(doc)), stacklevel=3)
                    break
        return predict(self.model, docs, allowed=self.allowed_tags(docs), confidence=self.confidence)

    def check_initialized(self) -> None:
        """Raise DN015 if there is no network yet."""
        if not shim_of(self.model).is_built:
            raise ValueError(Errors.DN015.format(name=self.name))
