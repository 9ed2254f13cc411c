"""DATNet: the shared and private encoders of `nn.datnet_encoder` -> a decoder per resource.

`transfer` says how source and target share: "none" (base model, target only), "full" (DATNet-F, one encoder for
both), "part" (DATNet-P, a shared encoder and a private one per resource, outputs concatenated).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from torch import nn

from .datnet_encoder import DATNetEncoder, EncoderSizes
from .decoders import Decoder
from .discriminator import Discriminator
from .encoders import CharCNN, Encoder

TRANSFERS = ("none", "full", "part")


@dataclass(frozen=True)
class Sizes(EncoderSizes):
    """What the data decides about the shape of the network.

    words (int): Width of the word features.
    tags (dict): Number of tags of each resource; a network without "source" is target-only.
    """

    tags: dict[str, int]


class DATNet(DATNetEncoder):
    """The network of the dual adversarial transfer.

    sizes (Sizes): Shapes that the data decides.
    transfer (str): "none", "full" or "part".
    characters (Optional[Callable]): Makes the character encoder, None for none.
    encoder (Callable): Makes an encoder from its input width.
    decoder (Callable): Makes a decoder from its input width and its number of tags.
    share_decoder (bool): Whether source and target, with the same tags, share one decoder.
    attention_width (int): Hidden width of the discriminator's attention.
    """

    sizes: Sizes

    def __init__(
        self,
        sizes: Sizes,
        *,
        transfer: str,
        characters: Callable[[], CharCNN] | None,
        encoder: Callable[[int], Encoder],
        decoder: Callable[[int, int], Decoder],
        share_decoder: bool,
        attention_width: int,
    ):
        resources = sorted(sizes.tags)
        private = resources if transfer == "part" else []
        super().__init__(sizes, private=private, characters=characters, encoder=encoder)
        self.decoders = nn.ModuleDict()
        for resource in sorted(resources, reverse=True):  # the target first: it owns a shared decoder
            shared = share_decoder and resource != "target"
            self.decoders[resource] = self.decoders["target"] if shared else decoder(self.width, sizes.tags[resource])
        self.discriminator = Discriminator(self.shared.width, hidden=attention_width) if "source" in resources else None

    def decoder(self, resource: str) -> Decoder:
        """Get the decoder of a resource."""
        return cast(Decoder, self.decoders[resource])

    def drop_source(self) -> None:
        """Remove whatever only training needs: the source's encoder and decoder, and the discriminator."""
        for parts in (self.private, self.decoders):
            if "source" in parts:
                del parts["source"]
        self.discriminator = None
        self.sizes = Sizes(words=self.sizes.words, tags={"target": self.sizes.tags["target"]})
