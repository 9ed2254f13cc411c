"""The test sentences of a run: what is annotated, what was predicted, and how sure the model was."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..corpora.docbin import read_docbin, split_sentences
from ..errors import Errors
from ..pipeline.extensions import CHUNK_CONFIDENCE, ENT_CONFIDENCE, TAG_CONFIDENCE, register_extensions
from ._problems import ExperimentError
from .results import PREDICTIONS, Results
from .significance import Item, items_of

BINS = 10


@dataclass(frozen=True)
class Sentence:
    """A test sentence. A tag is an item of one token; tokens without a gold tag have none.

    words (List[str]): The words.
    spaces (List[bool]): Whether a space comes after each.
    gold (Set[Item]): What is annotated: start, end and label.
    found (Dict[Item, Optional[float]]): What was predicted, with its confidence if there is one.
    is_tagged (bool): Whether the items are tags, and not spans.
    """

    words: list[str]
    spaces: list[bool]
    gold: set[Item]
    found: dict[Item, float | None]
    is_tagged: bool = False


def read_sentences(predictions: Path, test: Path, score: str) -> list[Sentence]:
    """Read the test sentences of a run; none if the predictions or the test corpus are gone or changed."""
    if not (predictions.is_file() and test.exists()):
        return []
    vocab = Vocab()
    gold = [sentence for doc in read_docbin(test, vocab) for sentence in split_sentences(doc)]
    try:
        found = list(DocBin(store_user_data=True).from_disk(predictions).get_docs(vocab))
    except Exception as error:  # whatever zlib, msgpack and spaCy say about what is no DocBin
        raise ExperimentError(Errors.DN318.format(path=predictions)) from error
    if [len(doc) for doc in gold] != [len(doc) for doc in found]:
        return []
    return [sentence_of(*pair, score) for pair in zip(gold, found, strict=True)]


def sentences_of_variant(results: Results, corpora: str, variant: str, size: str) -> list[Sentence]:
    """Read the test sentences of all seeds of a variant, one seed after the other."""
    return [
        sentence
        for run in results.select(corpora, variant, size).itertuples()
        for sentence in read_sentences(results.folder / run.key / PREDICTIONS, run.test_path, run.score)
    ]


def sentence_of(gold: Doc, predicted: Doc, score: str) -> Sentence:
    """Pair a sentence with the same tokens as predicted; for `score` see `items_of`."""
    register_extensions()
    is_tagged = score.endswith("_acc")
    truth, found = items_of(gold[:], score), items_of(predicted[:], score)
    sure: dict[Item, float | None] = {}
    for item, span in found.items():
        if is_tagged:
            confidence = span[0]._.get(TAG_CONFIDENCE[score.removesuffix("_acc")])
            sure[item] = None if math.isnan(confidence) else confidence
        else:
            sure[item] = span._.get(ENT_CONFIDENCE if score == "ents_f" else CHUNK_CONFIDENCE)
    if is_tagged:
        known = {start for start, *_ in truth}
        sure = {item: confidence for item, confidence in sure.items() if item[0] in known}
    words, spaces = [token.text for token in gold], [bool(token.whitespace_) for token in gold]
    return Sentence(words, spaces, set(truth), sure, is_tagged)


# How far confidences can be trusted


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> pd.DataFrame | None:
    """Compare confidence and accuracy in bins of the same width.

    confidence (ndarray): (predictions,), between 0 and 1.
    right (ndarray): (predictions,) bool.
    bins (int): How many bins.
    RETURNS (Optional[DataFrame]): The bins that have predictions, the lowest first: their mean confidence, their
        accuracy and their count; None without predictions.
    """
    if not len(confidence):
        return None
    which = np.minimum((confidence * bins).astype(int), bins - 1)
    table = pd.DataFrame({"confidence": confidence, "accuracy": right, "count": 1}).groupby(which)
    return table.agg({"confidence": "mean", "accuracy": "mean", "count": "sum"})


def calibration_error(bins: pd.DataFrame) -> float:
    """Compute the expected calibration error (Naeini et al. 2015; Guo et al. 2017), between 0 and 1: the mean distance
    of confidence and accuracy of the bins, weighted by their predictions."""
    return float(np.average((bins["confidence"] - bins["accuracy"]).abs(), weights=bins["count"]))


def reliability_of(sentences: Iterable[Sentence]) -> pd.DataFrame | None:
    """Compare confidence and accuracy of all predictions that have a confidence, see `reliability`."""
    pairs = [
        (confidence, item in sentence.gold)
        for sentence in sentences
        for item, confidence in sentence.found.items()
        if confidence is not None
    ]
    return reliability(*np.array(pairs, dtype=float).reshape(-1, 2).T)
