"""Probabilities of annotation in place of annotation: how a doc carries them, and how a component learns from them.

A distribution over the tag sequences of a sentence is carried as expected counts: the probability of each tag at each
token, and how often each tag is expected to follow each other one in the whole sentence. The gradient of a CRF asks for
no more, so nothing is lost but what is too improbable to matter, and a token that is sure takes six bytes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from spacy.tokens import Doc

from ..models.batch import Features
from ..models.datnet import DATNetModel, encode, network_of
from ..nn.context import plain_torch
from ..nn.decoders import Soft
from ..nn.tags import MISSING, TagSet
from ..resources import TARGET

_KEY = "datnet_posterior"
# what is less probable is left out
LEAST = 1e-3


@dataclass(frozen=True)
class Posterior:
    """The expected counts of the tag sequences of a sentence, without those that are too small.

    length (int): The tokens of the sentence.
    labels (tuple): The labels that number the tags.
    unary (Tuple[ndarray, ndarray, ndarray]): Tokens, tags, and the probability of each tag at its token.
    moves (Tuple[ndarray, ndarray, ndarray]): Tags, the tags behind them, and how often that is expected.
    """

    length: int
    labels: tuple[str, ...]
    unary: tuple[np.ndarray, np.ndarray, np.ndarray]
    moves: tuple[np.ndarray, np.ndarray, np.ndarray]

    @classmethod
    def of(cls, labels: Sequence[str], unary: np.ndarray, moves: np.ndarray) -> "Posterior":
        """Take the counts of a sentence: (tokens, tags) and (tags, tags)."""
        (tokens, tags), (before, after) = np.nonzero(unary >= LEAST), np.nonzero(moves >= LEAST)
        found = (tokens, tags, unary[tokens, tags]), (before, after, moves[before, after])
        return cls(len(unary), tuple(labels), *found)

    @classmethod
    def of_tags(cls, labels: Sequence[str], tags: np.ndarray) -> "Posterior":
        """Take one tag sequence, which is a vote. A token without a tag is `MISSING`."""
        (tokens,) = np.nonzero(tags != MISSING)
        pairs = np.stack([tags[:-1], tags[1:]])
        moves, counts = np.unique(pairs[:, (pairs != MISSING).all(0)], axis=1, return_counts=True)
        return cls(len(tags), tuple(labels), (tokens, tags[tokens], np.ones(len(tokens))), (*moves, counts))

    def dense(self, n_tags: int, numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Give the counts, (tokens, tags) and (tags, tags), with other numbers of tags.

        numbers (ndarray): (own tags,), the number of each tag among the `n_tags`, `MISSING` for none.
        """
        unary, moves = np.zeros((self.length, n_tags)), np.zeros((n_tags, n_tags))
        tokens, tags, p = (part[numbers[self.unary[1]] != MISSING] for part in self.unary)
        np.add.at(unary, (tokens, numbers[tags]), p)
        known = (numbers[self.moves[0]] != MISSING) & (numbers[self.moves[1]] != MISSING)
        before, after, counts = (part[known] for part in self.moves)
        np.add.at(moves, (numbers[before], numbers[after]), counts)
        return unary, moves

    def attach(self, doc: Doc) -> None:
        """Let a doc of one sentence carry it, in its user data: see `DocBin(store_user_data=True)`."""
        doc.user_data[_KEY] = {
            "length": self.length,
            "labels": list(self.labels),
            "unary": [*(part.astype(np.uint16) for part in self.unary[:2]), self.unary[2].astype(np.float16)],
            "moves": [*(part.astype(np.uint16) for part in self.moves[:2]), self.moves[2].astype(np.float32)],
        }


def posterior_of(doc: Doc) -> Posterior | None:
    """Read what a doc carries, None for nothing."""
    found = doc.user_data.get(_KEY)
    return found and Posterior(found["length"], tuple(found["labels"]), tuple(found["unary"]), tuple(found["moves"]))


def harden(doc: Doc) -> None:
    """Leave a doc its annotation alone."""
    doc.user_data.pop(_KEY, None)


def predict_posteriors(
    model: DATNetModel, labels: Sequence[str], docs: list[Doc], allowed: np.ndarray | None = None
) -> Iterator[Posterior]:
    """Compute the exact posterior of a model on docs of one sentence each, under its calibrated temperature.

    labels (Sequence[str]): The labels of the model's component.
    docs (List[Doc]): The docs.
    allowed (Optional[ndarray]): (tokens of all docs, tags) bool, the tags that each token may have.
    YIELDS (Posterior): One per doc.
    """
    decoder = network_of(model).decoder(TARGET)
    starts = np.cumsum([0, *map(len, docs)])
    found = dict.fromkeys(range(len(docs)), Posterior.of_tags(labels, np.empty(0, np.int64)))
    for tokens, sentences, states in encode(model, docs):
        may = None if allowed is None else torch.from_numpy(allowed[tokens]).to(states.device)
        with plain_torch(states.device, grad=False):
            unary, moves = (part.cpu().numpy() for part in decoder.posterior(states, sentences, may))
        ends = sentences.host_lengths.cumsum(0).numpy()
        owners = np.searchsorted(starts, tokens[ends - sentences.host_lengths.numpy()], "right") - 1
        for i, part, counts in zip(owners.tolist(), np.split(unary, ends[:-1]), moves, strict=True):
            found[i] = Posterior.of(labels, part, counts)
    yield from found.values()


def soften(
    carried: Sequence[Posterior | None], features: Features, sentences: np.ndarray, tags: np.ndarray, tag_set: TagSet
) -> Soft | None:
    """Collect what docs carry beside their tags. Where a tag is missing or unknown, the tags alone count.

    carried (Sequence[Optional[Posterior]]): What each doc of a batch carries.
    features (Features): The features of the batch.
    sentences (ndarray): The sentences of a decoder.
    tags (ndarray): The tags of all of their words.
    tag_set (TagSet): The tags of the decoder.
    RETURNS (Optional[Soft]): None without any.
    """
    unary, first = np.zeros((len(tags), len(tag_set)), np.float32), 0
    moves, weights, known = [], [], {}
    for doc, length in zip(features.layout.docs[sentences], features.layout.lengths[sentences], strict=True):
        start, posterior = first, carried[doc]
        own, first = tags[start : start + length], start + length
        if posterior is None or posterior.length != length or (own == MISSING).any():
            continue
        if posterior.labels not in known:
            known[posterior.labels] = tag_set.from_names(type(tag_set)(posterior.labels).names)
        numbers = known[posterior.labels]
        if (numbers == MISSING).any():
            continue
        unary[np.arange(start, first), own] += 1.0
        np.subtract.at(unary, (posterior.unary[0] + np.int64(start), numbers[posterior.unary[1]]), posterior.unary[2])
        moves += [np.stack([own[:-1], own[1:]]), np.stack([numbers[part] for part in posterior.moves[:2]])]
        weights += [np.ones(length - 1, np.float32), -posterior.moves[2]]
    if not moves:
        return None
    parts = unary, np.concatenate(moves, 1), np.concatenate(weights).astype(np.float32)
    return Soft(*(torch.from_numpy(part).to(features.words.device) for part in parts))
