"""The exchangeable parts of the network, one config block each.

Each architecture gives back a constructor that waits for the widths that the data decides.
"""

from collections.abc import Callable
from functools import partial

from spacy.util import registry

from ..errors import Errors
from ..nn.decoders import CRF, Decoder, Softmax
from ..nn.encoders import BiLSTM, CharCNN, Encoder, FeedForward

CharacterFactory = Callable[[], CharCNN]
EncoderFactory = Callable[[int], Encoder]
DecoderFactory = Callable[[int, int], Decoder]


@registry.architectures("spacy-datnet.CharCNN.v1")
def build_CharCNN(
    embedding_width: int = 30, filters: int = 50, window: int = 3, rows: int = 2048, learn_border: bool = False
) -> CharacterFactory:
    """Build the character encoder that source and target share.

    embedding_width (int): Width of a character embedding. Defaults to 30.
    filters (int): Number of filters, the width of a word's character features. Defaults to 50.
    window (int): Characters under a filter; odd. Defaults to 3.
    rows (int): Rows of the character table. 2048 keep Latin, Greek, Cyrillic, Hebrew and Arabic letters apart.
    learn_border (bool): Whether the ends of a word have an embedding like characters, so that prefixes and suffixes
        differ from what stands within a word. Defaults to False: they are zero. A word of more than 24 characters
        ends after the 24th.
    RETURNS (Callable): Makes the encoder.
    """
    at_least(1, embedding_width=embedding_width, filters=filters, window=window)
    at_least(2, rows=rows)
    if window % 2 == 0:
        raise ValueError(Errors.DN003.format(window=window))
    return partial(
        CharCNN,
        rows=rows,
        embedding_width=embedding_width,
        filters=filters,
        window=window,
        learn_border=learn_border,
    )


@registry.architectures("spacy-datnet.BiLSTM.v1")
def build_BiLSTM(hidden: int = 100, depth: int = 1) -> EncoderFactory:
    """Build a bidirectional LSTM encoder.

    hidden (int): Width of the states of each direction. Defaults to 100.
    depth (int): Number of layers. Defaults to 1.
    RETURNS (Callable): Makes the encoder from the width of its input.
    """
    at_least(1, hidden=hidden, depth=depth)
    return partial(BiLSTM, hidden=hidden, depth=depth)


@registry.architectures("spacy-datnet.FeedForward.v1")
def build_FeedForward(hidden: int = 200, depth: int = 1) -> EncoderFactory:
    """Build a position-wise encoder for word features that know their context, such as a transformer's.

    hidden (int): Width of each layer. Defaults to 200.
    depth (int): Number of layers. Defaults to 1.
    RETURNS (Callable): Makes the encoder from the width of its input.
    """
    at_least(1, hidden=hidden, depth=depth)
    return partial(FeedForward, hidden=hidden, depth=depth)


@registry.architectures("spacy-datnet.CRF.v1")
def build_CRF() -> DecoderFactory:
    """Build a linear-chain CRF decoder, trained and decoded over legal paths only.

    RETURNS (Callable): Makes the decoder from the width of its input and its number of tags.
    """
    return CRF


@registry.architectures("spacy-datnet.Softmax.v1")
def build_Softmax() -> DecoderFactory:
    """Build a decoder with one softmax per token; decoding still gives the best legal path.

    RETURNS (Callable): Makes the decoder from the width of its input and its number of tags.
    """
    return Softmax


def at_least(least: float, **values: float) -> None:
    """Raise DN020 if a setting is smaller than it may be, or no number."""
    for name, value in values.items():
        if not value >= least:
            raise ValueError(Errors.DN020.format(name=name, value=value, least=least))
