"""How unsure a component is of docs, which says what is worth annotating."""

from dataclasses import dataclass

import numpy as np
from spacy.tokens import Doc

from ..models.datnet import encode, network_of
from ..models.shim import shim_of
from ..nn.context import plain_torch
from ..nn.tags import SpanTags
from ..nn.uncertainty import examine
from ..resources import TARGET
from .base import DATNetPipe

# spans that are less probable are left out
LEAST = 0.01


@dataclass(frozen=True)
class DocUncertainty:
    """How unsure a component is of a doc of one sentence. Tokens of white space are left out, but counted.

    path (float): log P(best path).
    marginal (ndarray): (words,), P(tag of the best path).
    entropy (ndarray): (words,), entropy of the tag, in nats.
    spans (list): Start, end, label and probability of the spans that may be there, whether they are predicted or not.
    state (ndarray): (width,), mean state of the encoder.
    """

    path: float
    marginal: np.ndarray
    entropy: np.ndarray
    spans: list[tuple[int, int, str, float]]
    state: np.ndarray


def uncertainties(pipe: DATNetPipe, docs: list[Doc]) -> list[DocUncertainty | None]:
    """Find out how unsure a component is of docs of one sentence each. The docs are not changed.

    pipe (DATNetPipe): The component.
    docs (List[Doc]): The docs.
    RETURNS (List[Optional[DocUncertainty]]): One for each doc, None for one without words.
    """
    pipe.check_initialized()
    decoder, tag_set = network_of(pipe.model).decoder(TARGET), pipe.tag_set_of(TARGET)
    labels = tag_set.labels if isinstance(tag_set, SpanTags) else ()
    starts = np.cumsum([0, *map(len, docs)])
    found: list[DocUncertainty | None] = [None] * len(docs)
    with plain_torch(shim_of(pipe.model).device, grad=False):
        for tokens, sentences, states in encode(pipe.model, docs):
            known = examine(decoder, states, sentences, len(labels))
            path, marginal, entropy, encoded = (part.cpu().numpy() for part in (*known[:3], states))
            ends = np.cumsum(sentences.host_lengths.numpy())
            likely = None if known.spans is None else known.spans.cpu().numpy()  # (lengths, tokens, labels)
            for i, (first, end) in enumerate(zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)):
                doc = int(np.searchsorted(starts, tokens[first], "right")) - 1
                words = tokens[first:end] - starts[doc]
                spans = []
                if likely is not None:
                    part = likely[:, first:end]
                    for more, start, label in np.argwhere(part >= LEAST).tolist():
                        last = int(words[start + more])
                        spans.append((int(words[start]), last + 1, labels[label], float(part[more, start, label])))
                found[doc] = DocUncertainty(
                    float(path[i]), marginal[first:end], entropy[first:end], sorted(spans), encoded[first:end].mean(0)
                )
    return found
