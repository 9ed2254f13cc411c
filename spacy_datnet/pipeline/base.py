"""What the three components share: initialisation, the training step, prediction and labels.

One step reads top to bottom in `DATNetPipe.update`: examples -> features -> network and losses -> gradients.
"""

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import torch
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_examples, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Optimizer, set_dropout_rate

from ..errors import Errors, Warnings
from ..models.batch import Batch, Features, is_static
from ..models.datnet import DATNetModel, Prediction, drop_source, network_of, predict
from ..models.shim import shim_of
from ..nn.objective import Gold, Objective, Report
from ..resources import RESOURCES, SOURCE, TARGET, resource_of
from .annotations import Annotation, annotation_of, collect_gold
from .labels import Labels, check_labels, choose_labels, compare_labels, is_zero_shot, read_labels, survey

DEFAULT_CONFIG = """
[loss]
@losses = "spacy-datnet.DualAdversarialLoss.v1"

[model]
@architectures = "spacy-datnet.DATNet.v1"
transfer = "full"

[model.tok2vec]
@architectures = "spacy.MultiHashEmbed.v2"
width = 100
attrs = ["NORM", "PREFIX", "SUFFIX", "SHAPE"]
rows = [5000, 1000, 2500, 2500]
include_static_vectors = false

[model.characters]
@architectures = "spacy-datnet.CharCNN.v1"

[model.encoder]
@architectures = "spacy-datnet.BiLSTM.v1"

[model.decoder]
@architectures = "spacy-datnet.CRF.v1"
"""


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
        if isinstance(labels, Mapping) and (unknown := sorted(set(labels) - set(RESOURCES))):
            raise ValueError(Errors.DN019.format(name=self.name, unknown=unknown, known=", ".join(RESOURCES)))
        if nlp is not None and self.score_name not in nlp.config["training"]["score_weights"]:
            warnings.warn(Warnings.DN053.format(name=self.name, score=self.score_name), stacklevel=2)
        transfer, shared = self.model.attrs["transfer"], self.model.attrs["share_decoder"]
        transfers = transfer != "none"
        seen = survey(get_examples(), self.annotations)
        zero_shot = is_zero_shot(self.name, seen, self.annotations, transfer)
        chosen = choose_labels(
            self.labels,
            read_labels(labels, shared and SOURCE in seen),
            {resource: examples.labels for resource, examples in seen.items()},
            transfers=transfers,
            zero_shot=zero_shot,
            shared=shared,
        )
        check_labels(self.name, chosen, self.annotations, transfers=transfers, shared=shared)
        compare_labels(self.name, chosen, seen, zero_shot=zero_shot)
        self.cfg["labels"] = {resource: sorted(chosen[resource]) for resource in sorted(chosen)}
        self.cfg["zero_shot"] = zero_shot
        for label in set().union(*chosen.values()):
            self.vocab.strings.add(label)
        target = seen[TARGET].docs if TARGET in seen else []
        source = seen[SOURCE].docs if SOURCE in seen and (transfers or zero_shot) else []
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
        network = network_of(self.model)
        is_source = np.array([resource_of(example) == SOURCE for example in examples])
        transfers = self.model.attrs["transfer"] != "none"
        if transfers and is_source.any() and SOURCE not in self.cfg["labels"]:
            raise ValueError(Errors.DN017.format(name=self.name))
        batch = Batch([example.predicted for example in examples], is_source)
        set_dropout_rate(self.model, drop)
        featurizer = self.model.get_ref("features")
        features, backprop = featurizer.begin_update(batch)
        features = features.to(shim_of(self.model).device)
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
        return losses

    def _gold(self, examples: list[Example], features: Features) -> dict[str, Gold]:
        """Collect the annotation of each resource that the network has a decoder for."""
        tag_sets = {resource: self.tag_set_of(resource) for resource in network_of(self.model).sizes.tags}
        return collect_gold(examples, features, self.annotations, tag_sets, self.cfg.get("zero_shot", False))

    def _log(self, report: Report, losses: dict[str, float]) -> None:
        if not math.isfinite(report.total):
            network_of(self.model).zero_grad()  # they would spoil the next update
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
        shim_of(self.model).finish_update(partial(sgd, lr_scale=self.learn_rate_scale * self.learn_rate_factor))
        self.model.get_ref("features").finish_update(cast(Optimizer, partial(sgd, lr_scale=self.learn_rate_scale)))

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
        return predict(self.model, docs, allowed=self.allowed_tags(docs), confidence=self.confidence)

    def check_initialized(self) -> None:
        """Raise DN015 if there is no network yet."""
        if not shim_of(self.model).is_built:
            raise ValueError(Errors.DN015.format(name=self.name))


def default_config(**settings: Any) -> dict[str, Any]:
    """Make the default config of a component.

    settings: The settings that the component does not share with the others.
    RETURNS (Dict[str, Any]): The config, with `source_annotation`, `confidence`, `loss` and `model`.
    """
    return {**settings, "source_annotation": None, "confidence": True, **Config().from_str(DEFAULT_CONFIG)}
