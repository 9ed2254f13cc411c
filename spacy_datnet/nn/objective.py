"""The training objective of a batch: GRAD + the loss of each resource, once clean and once perturbed."""

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

from .datnet import DATNet
from .datnet_encoder import Inputs
from .decoders import Soft
from .discriminator import adversarial_loss, generalized_resource_loss
from .perturbation import LENGTH, perturbation

DISCRIMINATORS = ("grad", "ad", "none")


class Gold(NamedTuple):
    """The annotation of one resource's sentences."""

    tags: Tensor  # (tokens of the resource,), int64, crf.MISSING where unknown
    complete: bool  # no tag is missing
    soft: Soft | None = None  # what probabilities there are beside the tags


@dataclass(frozen=True)
class Report:
    """What one step did, as plain numbers. Losses are in nats, summed over the sentences.

    source, target (float): Loss of each resource on the clean input.
    discriminator (float): Loss of the discriminator on the clean input.
    adversarial (float): Everything again on the perturbed input.
    correct, judged (int): Sentences whose resource the discriminator told, and all that it saw.
    """

    source: float
    target: float
    discriminator: float
    adversarial: float
    correct: int
    judged: int

    @property
    def total(self) -> float:
        """The loss that was minimised."""
        return self.source + self.target + self.discriminator + self.adversarial


class _Pass(NamedTuple):
    losses: Tensor  # (3,): source, target, discriminator
    correct: Tensor  # scalar


@dataclass(frozen=True)
class Objective:
    """loss = GRAD + loss of the source + loss of the target, and the same at x + eta.

    discriminator (str): "grad", "ad" (plain cross-entropy) or "none".
    alpha (float): GRAD's weight of source sentences.
    gamma (float): GRAD's focus on sentences that are hard to tell.
    reversal (float): Strength of the gradient reversal.
    adversarial_training (bool): Whether to train on perturbed inputs too.
    epsilon_source, epsilon_target, epsilon_characters (float): Norm, per sentence, of the perturbation of source
        words, of target words and of characters; that of words is meant for features of a mean length of `LENGTH`.
    """

    discriminator: str
    alpha: float
    gamma: float
    reversal: float
    adversarial_training: bool
    epsilon_source: float
    epsilon_target: float
    epsilon_characters: float

    def __call__(self, network: DATNet, inputs: Inputs, gold: dict[str, Gold], *, dropout: float = 0.0) -> Report:
        """Run the step's forward and backward passes; gradients are added to the parameters and `inputs.words`.

        Losses are sums over sentences, so that those of the parts of a batch add up to those of the batch.

        The clean pass gives both its own gradient and the direction of the perturbation, so a step with adversarial
        training costs two passes and not three. The direction is the gradient that reaches the embeddings, behind
        the gradient reversal: the worst case for what the encoder minimises.

        network (DATNet): The network.
        inputs (Inputs): The features; `words` must be a leaf that requires a gradient if one is wanted.
        gold (dict): The annotation of each resource in the batch that shall be learnt from.
        dropout (float): Dropout rate.
        RETURNS (Report): The losses.
        """
        if not gold and not self._judges(network):  # nothing to learn from
            inputs.words.grad = torch.zeros_like(inputs.words)
            return Report(0.0, 0.0, 0.0, 0.0, 0, 0)
        words, characters = inputs.words, network.embed_characters(inputs)
        trainable = words.requires_grad
        if self.adversarial_training:
            words.requires_grad_(True)
            if characters is not None:
                characters.retain_grad()
        clean = self._pass(network, inputs, words, characters, gold, dropout)
        clean.losses.sum().backward()
        adversarial = torch.zeros_like(clean.losses)
        if self.adversarial_training:
            words, characters = self._perturb(network, inputs, words, characters, relative=trainable)
            words = words if trainable else words.detach()
            perturbed = self._pass(network, inputs, words, characters, gold, dropout)
            perturbed.losses.sum().backward()
            adversarial = perturbed.losses.detach()
        numbers = torch.cat([clean.losses.detach(), adversarial.sum()[None], clean.correct[None]])
        source, target, discriminator, adversarial, correct = numbers.tolist()
        judged = len(inputs.sentences) if self._judges(network) else 0
        return Report(source, target, discriminator, adversarial, int(correct), judged)

    def _judges(self, network: DATNet) -> bool:
        return self.discriminator != "none" and network.discriminator is not None

    def _pass(
        self,
        network: DATNet,
        inputs: Inputs,
        words: Tensor,
        characters: Tensor | None,
        gold: dict[str, Gold],
        dropout: float,
    ) -> _Pass:
        states = network.encode(inputs, words, characters, dropout)
        zero = states.full.new_zeros(())
        losses = {"source": zero, "target": zero, "discriminator": zero}
        losses |= _tagging_losses(network, inputs, states.full, gold)
        correct = zero
        if self._judges(network) and network.discriminator is not None:
            logits = network.discriminator(states.shared, inputs.sentences, self.reversal)
            losses["discriminator"] = self._resource_loss(logits, inputs.is_source)
            correct = ((logits > 0) == inputs.is_source).sum().to(zero.dtype)
        return _Pass(torch.stack(list(losses.values())), correct.detach())

    def _resource_loss(self, logits: Tensor, is_source: Tensor) -> Tensor:
        if self.discriminator == "ad":
            return adversarial_loss(logits, is_source)
        return generalized_resource_loss(logits, is_source, alpha=self.alpha, gamma=self.gamma)

    def _perturb(
        self, network: DATNet, inputs: Inputs, words: Tensor, characters: Tensor | None, *, relative: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Move words and characters to x + eta; eta is a constant, so gradients still reach x.

        relative (bool): Whether the words have any length, as features that are trained: they could outgrow eta.
        """
        epsilon = torch.where(inputs.is_source, self.epsilon_source, self.epsilon_target).to(words.dtype)
        of_token = inputs.sentences.of_token
        if relative:
            lengths = torch.zeros_like(epsilon).index_add_(0, of_token, words.detach().norm(dim=1))  # (sentences,)
            epsilon = epsilon * lengths / inputs.sentences.lengths / LENGTH
        words = words + perturbation(_gradient(words), epsilon, of_token)
        embedded = network.embed_characters(inputs)
        if characters is None or embedded is None or inputs.characters is None or inputs.owners is None:
            return words, None
        # filters that overlap a border have a gradient there, but borders are not to be perturbed
        gradient = _gradient(characters) * (inputs.characters > 0)[:, None]
        epsilon = torch.full_like(epsilon, self.epsilon_characters)
        return words, embedded + perturbation(gradient, epsilon, inputs.owners)


def _gradient(leaf: Tensor) -> Tensor:
    """Get the gradient that the clean pass has left, zero where it has reached nothing."""
    return torch.zeros_like(leaf) if leaf.grad is None else leaf.grad


def _tagging_losses(network: DATNet, inputs: Inputs, states: Tensor, gold: dict[str, Gold]) -> dict[str, Tensor]:
    """Compute the loss of each resource that is annotated; a shared decoder is run once for both."""
    parts = inputs.split(states)
    if len(gold) == len(network.decoders) == 2 and network.decoders["source"] is network.decoders["target"]:
        tags = torch.cat([gold[resource].tags for resource in inputs.resources])
        complete = all(part.complete for part in gold.values())
        losses = network.decoder("target").loss(states, inputs.sentences, tags, complete)
        source, target = losses.tensor_split([inputs.n_source])
        found = {"source": source.sum(), "target": target.sum()}
    else:
        found = {
            resource: network.decoder(resource).loss(parts[resource], inputs.resources[resource], tags, complete).sum()
            for resource, (tags, complete, _) in gold.items()
        }
    for resource, (_, _, soft) in gold.items():
        if soft is not None:
            found[resource] = found[resource] + network.decoder(resource).soften(
                parts[resource], inputs.resources[resource], soft
            )
    return found
