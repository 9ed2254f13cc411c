"""DATNet-F as one would first write it in PyTorch: the yardstick for speed, and a second opinion on the mathematics.

Packed `nn.LSTM`, a CRF whose forward algorithm is a loop under autograd, a character CNN over every token, source and
target one after the other, and for adversarial training first a gradient by the inputs and then one by the weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from spacy_datnet.nn.datnet import DATNet
from spacy_datnet.nn.datnet_encoder import Inputs
from spacy_datnet.nn.discriminator import Discriminator
from spacy_datnet.nn.encoders import BiLSTM
from spacy_datnet.nn.objective import Gold, Objective


@dataclass
class Part:
    """The padded sentences of one resource.

    words (Tensor): (batch, tokens, word_width).
    characters (Tensor): (batch, tokens, characters), rows of the character table, 0 where there is none.
    mask (Tensor): (batch, tokens) bool.
    tags (Tensor): (batch, tokens).
    """

    words: Tensor
    characters: Tensor
    mask: Tensor
    tags: Tensor


def parts_of(inputs: Inputs, gold: dict[str, Gold], rows: int) -> dict[str, Part]:
    """Pad the inputs of the network for the reference.

    rows (int): Size of the character table.
    """
    forms, start = [], 1
    for length in inputs.form_lengths.tolist():
        points = inputs.characters[start : start + length]
        forms.append(1 + points % (rows - 1))
        start += length + 1
    forms = nn.utils.rnn.pad_sequence(forms, batch_first=True)  # (forms, characters)
    characters = inputs.split(forms[inputs.forms])
    words = inputs.split(inputs.words.detach())
    parts = {}
    for resource, sentences in inputs.resources.items():
        mask = sentences.pad(torch.ones(sentences.tokens, dtype=torch.bool))
        padded = (sentences.pad(values) for values in (words[resource], characters[resource], gold[resource].tags))
        own_words, own_characters, tags = padded
        parts[resource] = Part(own_words, own_characters, mask, tags)
    return parts


def as_LSTM(encoder: BiLSTM) -> nn.LSTM:
    """Make PyTorch's LSTM with the weights of an encoder of one layer."""
    features = encoder.weights_input[0].shape[2]
    lstm = nn.LSTM(features, encoder.width // 2, batch_first=True, bidirectional=True)
    with torch.no_grad():
        for direction, suffix in enumerate(("", "_reverse")):
            for name, values in (("weight_ih", encoder.weights_input), ("weight_hh", encoder.weights_hidden)):
                getattr(lstm, f"{name}_l0{suffix}").copy_(values[0][direction])
            getattr(lstm, f"bias_ih_l0{suffix}").copy_(encoder.biases[0][direction])
            getattr(lstm, f"bias_hh_l0{suffix}").zero_()  # the package has one bias, PyTorch two
    return lstm


class Reference(nn.Module):
    """DATNet-F with the weights of a network of the package, which must share its decoder.

    network (DATNet): The network.
    """

    def __init__(self, network: DATNet):
        super().__init__()
        chars, shared, decoder = network.characters, network.shared, network.decoders["target"]
        rows, width = chars.embedding.weight.shape
        self.embedding = nn.Embedding(rows, width, padding_idx=0)
        self.convolution = nn.Conv1d(width, chars.width, chars.window, padding=chars.window // 2)
        self.lstm = as_LSTM(shared)
        self.emit = nn.Linear(shared.width, decoder.emit.out_features)
        self.start, self.transitions, self.end = (
            nn.Parameter(values.detach().clone()) for values in (decoder.start, decoder.transitions, decoder.end)
        )
        self.legal = (decoder.legal_start, decoder.legal_transitions, decoder.legal_end)
        self.attention = nn.Linear(shared.width, network.discriminator.attention.out_features)
        self.query = nn.Linear(self.attention.out_features, 1, bias=False)
        self.output = nn.Linear(shared.width, 1)
        with torch.no_grad():
            for name, values in self.values_of(network).items():
                self.get_parameter(name).copy_(values)

    def values_of(self, network: DATNet, of=lambda parameter: parameter) -> dict[str, Tensor]:
        """Say which value of the network each parameter of the reference stands for.

        of (Callable): What to take of a parameter, such as its gradient.
        """
        chars, shared, decoder = network.characters, network.shared, network.decoders["target"]
        judge: Discriminator = network.discriminator
        window, width = chars.window, chars.embedding.weight.shape[1]
        values = {
            "embedding.weight": of(chars.embedding.weight),
            "convolution.weight": of(chars.filters.weight).view(-1, window, width).transpose(1, 2),
            "convolution.bias": of(chars.filters.bias),
            "emit.weight": of(decoder.emit.weight),
            "emit.bias": of(decoder.emit.bias),
            "start": of(decoder.start),
            "transitions": of(decoder.transitions),
            "end": of(decoder.end),
            "attention.weight": of(judge.attention.weight),
            "attention.bias": of(judge.attention.bias),
            "query.weight": of(judge.query.weight),
            "output.weight": of(judge.output.weight),
            "output.bias": of(judge.output.bias),
        }
        for direction, suffix in enumerate(("", "_reverse")):
            values[f"lstm.weight_ih_l0{suffix}"] = of(shared.weights_input[0])[direction]
            values[f"lstm.weight_hh_l0{suffix}"] = of(shared.weights_hidden[0])[direction]
            values[f"lstm.bias_ih_l0{suffix}"] = of(shared.biases[0])[direction]
        return values

    def encode(self, part: Part, words: Tensor, characters: Tensor, dropout: float) -> Tensor:
        """Encode sentences: (batch, tokens, 2 * hidden).

        characters (Tensor): (batch, tokens, characters, embedding_width).
        """
        batch, tokens, longest, width = characters.shape
        found = self.convolution(characters.view(-1, longest, width).transpose(1, 2))  # (words, filters, characters)
        missing = (part.characters == 0).view(-1, 1, longest)
        encoded = F.relu(found.masked_fill(missing, -torch.inf).amax(2)).view(batch, tokens, -1)
        features = F.dropout(torch.cat([encoded, words], 2), dropout)
        packed = pack_padded_sequence(features, part.mask.sum(1), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.lstm(packed)[0], batch_first=True)
        return F.dropout(states, dropout)

    def crf(self, emissions: Tensor, mask: Tensor, tags: Tensor) -> Tensor:
        """Compute minus log P(tags), summed over the batch."""
        start, transitions, end = (
            score.masked_fill(~legal, -1e4)
            for score, legal in zip((self.start, self.transitions, self.end), self.legal, strict=True)
        )
        rows = torch.arange(len(tags))
        score = start[tags[:, 0]] + emissions[rows, 0, tags[:, 0]]
        total = start + emissions[:, 0]  # (batch, tags)
        for t in range(1, tags.shape[1]):
            step = transitions[tags[:, t - 1], tags[:, t]] + emissions[rows, t, tags[:, t]]
            score = score + step * mask[:, t]
            after = (total[:, :, None] + transitions).logsumexp(1) + emissions[:, t]
            total = torch.where(mask[:, t, None], after, total)
        score = score + end[tags[rows, mask.sum(1) - 1]]
        return ((total + end).logsumexp(1) - score).sum()

    def judge(self, states: Tensor, mask: Tensor, source: bool, objective: Objective) -> Tensor:
        """Compute GRAD for sentences of one resource, summed over them."""
        states = _Reverse.apply(states, objective.reversal)
        energy = self.query(torch.tanh(self.attention(states)))[..., 0].masked_fill(~mask, -torch.inf)
        pooled = (energy.softmax(1)[..., None] * states).sum(1)
        r = torch.sigmoid(self.output(pooled)[:, 0])
        if source:
            return -(objective.alpha * (1 - r) ** objective.gamma * r.log()).sum()
        return -((1 - objective.alpha) * r**objective.gamma * (1 - r).log()).sum()

    def loss(self, part: Part, words: Tensor, characters: Tensor, source: bool, objective: Objective, dropout: float):
        """Compute the loss of one resource: that of the CRF, and GRAD."""
        states = self.encode(part, words, characters, dropout)
        return self.crf(self.emit(states), part.mask, part.tags) + self.judge(states, part.mask, source, objective)

    def step(self, parts: dict[str, Part], objective: Objective, dropout: float = 0.0) -> float:
        """Run the forward and backward passes of one update; the gradients are added to the parameters."""
        sentences = sum(len(part.words) for part in parts.values())
        total = 0.0
        for resource, part in parts.items():
            source = resource == "source"
            words, characters = part.words.requires_grad_(), self.embedding(part.characters)
            clean = self.loss(part, words, characters, source, objective, dropout) / sentences
            d_words, d_characters = torch.autograd.grad(clean, [words, characters], retain_graph=True)
            epsilon = objective.epsilon_source if source else objective.epsilon_target
            d_characters = d_characters * (part.characters > 0)[..., None]
            words = words.detach() + epsilon * _unit(d_words)
            characters = self.embedding(part.characters) + objective.epsilon_characters * _unit(d_characters)
            perturbed = self.loss(part, words, characters, source, objective, dropout) / sentences
            (clean + perturbed).backward()
            total += (clean + perturbed).item()
        return total


class _Reverse(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, strength):
        ctx.strength = strength
        return x.clone()

    @staticmethod
    def backward(ctx, gradient):
        return -ctx.strength * gradient, None


def _unit(gradient: Tensor) -> Tensor:
    norm = gradient.flatten(1).norm(dim=1).clamp(min=1e-30)
    return gradient / norm.view(-1, *[1] * (gradient.dim() - 1))
