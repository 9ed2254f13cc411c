"""The shared features of sentences, as the discriminator sees them: what transfer makes alike in source and target."""

import random
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc

from ..corpora.docbin import read_corpus, split_sentences
from ..models.batch import Batch
from ..models.datnet import network_of
from ..pipeline.base import DATNetPipe
from .engines import MODELS
from .results import Results

# of each resource: enough to see, few enough to tell apart
SENTENCES = 250
NEIGHBOURS = 10


def features_of_run(results: Results, run: Any, limit: int = SENTENCES) -> tuple[np.ndarray, np.ndarray] | None:
    """Compute the shared features of sentences of the source and of the target's test set, some of each.

    results (Results): The runs.
    run (Series): The row of one whose model was kept.
    limit (int): How many sentences of each resource.
    RETURNS (Optional[Tuple[ndarray, ndarray]]): Features (sentences, width), and which sentences are the source's; None
        without the model, without a source or without the corpora.
    """
    path = results.folder / run.key / MODELS / "model-best"
    source, target = results.config(run.key).get("corpora.train.source"), run.test_path
    if not (path.is_dir() and source and target.exists() and (results.current / source).exists()):
        return None
    nlp = spacy.load(path)
    pipe = next((pipe for _, pipe in nlp.pipeline if isinstance(pipe, DATNetPipe)), None)
    if pipe is None or len(pipe.label_data) < 2:
        return None
    docs = [_some(nlp, one, limit) for one in (results.current / source, target)]
    is_source = np.repeat([True, False], [len(part) for part in docs])
    return shared_features(pipe, [*docs[0], *docs[1]], is_source), is_source


def features_of_variants(results: Results, corpora: str, size: str) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Compute the shared features for a run of each variant at one size whose model was kept, see `features_of_run`."""
    found = {}
    for run in results.select(corpora, size=size).drop_duplicates("variant").itertuples():
        if (features := features_of_run(results, run)) is not None:
            found[run.variant] = features
    return found


def _some(nlp: Language, path: Path, limit: int) -> list[Doc]:
    sentences = [one for doc in read_corpus(path, nlp.vocab) for one in split_sentences(doc)]
    return random.Random(0).sample(sentences, min(limit, len(sentences)))


def shared_features(pipe: DATNetPipe, docs: list[Doc], is_source: np.ndarray) -> np.ndarray:
    """Average the states of the shared encoder over the tokens of each doc.

    pipe (DATNetPipe): A trained component.
    docs (List[Doc]): Sentences, none of them empty, those of the source first.
    is_source (ndarray): (docs,) bool.
    RETURNS (ndarray): (docs, width).
    """
    docs = [Doc(doc.vocab, words=[token.text for token in doc]) for doc in docs]
    network = network_of(pipe.model)
    features = pipe.model.get_ref("features").predict(Batch(docs, is_source))
    inputs = features.inputs(np.arange(len(docs)))
    with torch.no_grad():
        shared = network.encode(inputs, inputs.words, network.embed_characters(inputs)).shared.cpu().numpy()
    states = iter(shared)
    return np.stack([np.mean(list(islice(states, len(doc))), 0) for doc in docs])


def mixing(features: np.ndarray, is_source: np.ndarray, neighbours: int = NEIGHBOURS) -> float | None:
    """Compute how far source and target mix: the share of the other resource among the nearest sentences of each.

    features (ndarray): (sentences, width), in random order, both resources about as often.
    is_source (ndarray): (sentences,) bool.
    neighbours (int): How many nearest sentences, by Euclidean distance, are looked at. Defaults to 10.
    RETURNS (Optional[float]): The mean over all sentences: 0 if the resources lie apart, about 0.5 if they are alike.
        None with fewer sentences of a resource than neighbours.
    """
    if min(is_source.sum(), (~is_source).sum()) <= neighbours:
        return None
    from sklearn.neighbors import NearestNeighbors

    nearest = NearestNeighbors(n_neighbors=neighbours).fit(features).kneighbors(return_distance=False)
    return float((is_source[nearest] != is_source[:, None]).mean())
