"""Encoders: characters of a word to a vector, vectors of a sentence to states in context."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout, pad

from .lstm import bilstm_layer
from .sentences import Sentences


class CharCNN(nn.Module):
    """Character embeddings, one convolution, maximum over the characters of a word.

    The characters of all words stand in one row, with a border (character 0) before, between and after the words:
    words differ so much in length that padding them would multiply the work.

    A character's row in the table is its code point modulo the size of the table, so there is no vocabulary to
    collect, and a letter never seen in training still has a vector of its own.

    rows (int): Size of the character table; row 0 is the border.
    embedding_width (int): Width of a character embedding.
    filters (int): Number of filters, the width of the output.
    window (int): Characters under a filter, odd.
    learn_border (bool): Whether the border has an embedding like any character, so that a filter can tell a prefix or a
        suffix from what stands within a word. If not, it is zero. Defaults to False.
    """

    def __init__(self, *, rows: int, embedding_width: int, filters: int, window: int, learn_border: bool = False):
        super().__init__()
        self.width = filters
        self.window = window
        self.embedding = nn.Embedding(rows, embedding_width, padding_idx=None if learn_border else 0)
        limit = (3 / embedding_width) ** 0.5
        nn.init.uniform_(self.embedding.weight, -limit, limit)
        if not learn_border:
            nn.init.zeros_(self.embedding.weight[0])
        self.filters = nn.Linear(window * embedding_width, filters)

    def embed(self, characters: Tensor) -> Tensor:
        """Look the code points up: (characters,) -> (characters, embedding_width)."""
        rows = 1 + characters % (self.embedding.num_embeddings - 1)
        return self.embedding(torch.where(characters == 0, 0, rows))

    def forward(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Encode words.

        embedded (Tensor): (characters, embedding_width), borders included.
        lengths (Tensor): (words,), characters of each word, without borders.
        RETURNS (Tensor): (words, filters).
        """
        characters, half = len(embedded), self.window // 2
        padded = pad(embedded, (0, 0, half, half))
        windows = [padded[i : i + characters] for i in range(self.window)]
        # segments: border, word, border, word, ..., border
        ones = torch.ones_like(lengths)
        segments = torch.cat([torch.stack([ones, lengths], 1).flatten(), ones[:1]])
        if half > 1:  # one border is too narrow to hide the neighbouring words
            segment = torch.arange(len(segments), device=segments.device).repeat_interleave(
                segments, output_size=characters
            )
            around = pad(segment, (half, half), value=-2)
            # a word and its two borders
            seen = [(around[i : i + characters] - segment).abs() <= 1 for i in range(self.window)]
            windows = [part * own[:, None] for part, own in zip(windows, seen, strict=True)]
        found = self.filters(torch.cat(windows, 1))  # (characters, filters)
        # unsafe: the lengths are right, and checking them would make a GPU wait
        return torch.segment_reduce(found, "max", lengths=segments, unsafe=True)[1::2].relu()


class Encoder(nn.Module):
    """From the features of tokens to their states.

    width (int): Width of the states.
    """

    width: int

    def forward(self, features: tuple[Tensor, ...], sentences: Sentences) -> Tensor:
        """Encode sentences.

        features (Tuple[Tensor]): Parts of the features side by side, (tokens, ...), together `input_width` wide.
        sentences (Sentences): Where the sentences lie.
        RETURNS (Tensor): (tokens, width).
        """
        raise NotImplementedError


class BiLSTM(Encoder):
    """A bidirectional LSTM.

    input_width (int): Width of the input.
    hidden (int): Width of the states of each direction.
    depth (int): Number of layers.
    """

    def __init__(self, input_width: int, *, hidden: int, depth: int):
        super().__init__()
        self.width = 2 * hidden
        self.weights_input = nn.ParameterList()
        self.weights_hidden = nn.ParameterList()
        self.biases = nn.ParameterList()
        for layer in range(depth):
            width = self.width if layer else input_width
            w_input = torch.empty(2, 4 * hidden, width)
            w_hidden = torch.empty(2, 4 * hidden, hidden)
            for direction in range(2):
                nn.init.xavier_uniform_(w_input[direction])
                for gate in w_hidden[direction].chunk(4):
                    nn.init.orthogonal_(gate)
            bias = torch.zeros(2, 4 * hidden)
            bias[:, hidden : 2 * hidden] = 1.0  # let the memory flow at first
            self.weights_input.append(w_input)
            self.weights_hidden.append(w_hidden)
            self.biases.append(bias)

    def forward(self, features: tuple[Tensor, ...], sentences: Sentences) -> Tensor:  # noqa: D102
        for layer in zip(self.weights_input, self.weights_hidden, self.biases, strict=True):
            features = (bilstm_layer(features, sentences.packing, *layer),)
        return features[0]


class FeedForward(Encoder):
    """A position-wise feed-forward encoder, for word features that know their context already.

    input_width (int): Width of the input.
    hidden (int): Width of each layer.
    depth (int): Number of layers.
    """

    def __init__(self, input_width: int, *, hidden: int, depth: int):
        super().__init__()
        self.width = hidden
        widths = [input_width, *[hidden] * depth]
        self.layers = nn.ModuleList(nn.Linear(before, after) for before, after in pairwise(widths))

    def forward(self, features: tuple[Tensor, ...], sentences: Sentences) -> Tensor:  # noqa: D102
        states = torch.cat(features, 1)
        for layer in self.layers:
            states = torch.relu(layer(states))
        return states


def drop(x: Tensor, rate: float) -> Tensor:
    """Apply dropout; 0.0 is the identity, 1.0 drops everything.

    On the CPU, four random numbers are cut from each 64-bit draw, which is several times faster than PyTorch's own
    dropout and exact to 1 / 65536.
    """
    if rate <= 0.0:
        return x
    if rate >= 1.0:
        return x * 0.0
    if x.device.type != "cpu":
        return dropout(x, rate)
    draws = torch.empty(x.numel() // 4 + 1, dtype=torch.int64, device=x.device).random_(-(2**63), None)
    kept = torch.empty_like(x, memory_format=torch.contiguous_format)  # 1 or 0, which is faster than from bool
    torch.ge(draws.view(torch.int16)[: x.numel()].view(x.shape), int(rate * 65536) - 32768, out=kept)
    return x * kept.mul_(1.0 / (1.0 - rate))
