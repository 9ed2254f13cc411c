"""The test sentences of a run: what is annotated, what was predicted, and how sure the model was."""

import math
from dataclasses import dataclass
from pathlib import Path

from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from ..corpora.docbin import read_docbin, split_sentences
from ..errors import Errors
from ..pipeline.extensions import CHUNK_CONFIDENCE, ENT_CONFIDENCE, TAG_CONFIDENCE, register_extensions
from ._problems import ExperimentError
from .results import PREDICTIONS, Results
from .significance import spans_of

Item = tuple[int, int, str]  # start and end token, label


@dataclass(frozen=True)
class Sentence:
    """A test sentence. A tag is an item of one token; tokens without a gold tag have none.

    words (List[str]): The words.
    spaces (List[bool]): Whether a space comes after each.
    gold (Set[Tuple[int, int, str]]): What is annotated: start, end and label.
    found (Dict[Tuple[int, int, str], Optional[float]]): What was predicted, with its confidence if there is one.
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
    """Pair annotation and prediction of a sentence.

    gold (Doc): The annotated sentence.
    predicted (Doc): The same tokens as predicted.
    score (str): What it is about: "ents_f", "spans_KEY_f", "tag_acc" or "pos_acc".
    """
    register_extensions()
    words, spaces = [token.text for token in gold], [bool(token.whitespace_) for token in gold]
    if score.endswith("_acc"):
        attribute = score.removesuffix("_acc")
        tags = [getattr(token, f"{attribute}_") for token in gold]
        known = [i for i, tag in enumerate(tags) if tag]
        found = {
            (i, i + 1, getattr(predicted[i], f"{attribute}_")): None if math.isnan(confidence) else confidence
            for i in known
            for confidence in [predicted[i]._.get(TAG_CONFIDENCE[attribute])]
        }
        return Sentence(words, spaces, {(i, i + 1, tags[i]) for i in known}, found, is_tagged=True)
    if score == "ents_f":
        spans, extension = predicted.ents, ENT_CONFIDENCE
    else:
        key = score.removeprefix("spans_").removesuffix("_f")
        spans, extension = predicted.spans.get(key, ()), CHUNK_CONFIDENCE
    found = {(span.start, span.end, span.label_): span._.get(extension) for span in spans}
    return Sentence(words, spaces, spans_of(gold, score), found)
