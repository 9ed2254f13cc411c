"""Where the sentences of a batch lie in one row of tokens.

The network works on real tokens only, the sentences one after the other; padding exists just where an algorithm goes
through sentences side by side, as the CRF does.
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from .lstm import Packing, pack


def mask_of(lengths: Tensor, tokens: int) -> Tensor:
    """Mark the real tokens of padded sentences.

    lengths (Tensor): (batch,).
    tokens (int): Padded length.
    RETURNS (Tensor): (batch, tokens) bool, False behind the end of a sentence.
    """
    return torch.arange(tokens, device=lengths.device)[None, :] < lengths[:, None]


@dataclass(frozen=True)
class Sentences:
    """The sentences of a batch.

    host_lengths (Tensor): (batch,), int64, on the CPU: the tokens of each sentence, at least 1.
    device (torch.device): Where the tokens are.
    """

    host_lengths: Tensor
    device: torch.device = torch.device("cpu")  # noqa: RUF009

    def __len__(self) -> int:
        return len(self.host_lengths)

    @cached_property
    def lengths(self) -> Tensor:
        """(batch,), the tokens of each sentence, on the device."""
        return self.host_lengths.to(self.device)

    @cached_property
    def tokens(self) -> int:
        """All tokens."""
        return int(self.host_lengths.sum())

    @cached_property
    def longest(self) -> int:
        """Tokens of the longest sentence."""
        return int(self.host_lengths.max())

    @cached_property
    def of_token(self) -> Tensor:
        """(tokens,), the sentence of each token."""
        batch = torch.arange(len(self), device=self.device)
        return batch.repeat_interleave(self.lengths, output_size=self.tokens)

    @cached_property
    def places(self) -> Tensor:
        """(tokens,), the index of each token in a padded batch, (batch * longest)."""
        starts = self.lengths.cumsum(0) - self.lengths
        return torch.arange(self.tokens, device=self.device) + (
            torch.arange(len(self), device=self.device) * self.longest - starts
        ).repeat_interleave(self.lengths, output_size=self.tokens)

    @cached_property
    def packing(self) -> Packing:
        """The order in which a recurrent layer reads the tokens, on the device."""
        return pack(self.host_lengths).to(self.device)

    def pad(self, values: Tensor, fill: float = 0.0) -> Tensor:
        """Put the sentences side by side: (tokens, ...) -> (batch, longest, ...), `fill` behind their ends."""
        if len(self) == 1:
            return values[None]
        rest = values.shape[1:]
        padded = values.new_full((len(self) * self.longest, *rest), fill).index_copy(0, self.places, values)
        return padded.view(len(self), self.longest, *rest)

    def unpad(self, values: Tensor) -> Tensor:
        """Put the sentences one after the other: (batch, longest, ...) -> (tokens, ...)."""
        return values[0] if len(self) == 1 else values.flatten(0, 1)[self.places]

    def split(self, n: int) -> tuple["Sentences", "Sentences"]:
        """Divide into the first n sentences and the others."""
        first, others = self.host_lengths[:n], self.host_lengths[n:]
        return Sentences(first, self.device), Sentences(others, self.device)
