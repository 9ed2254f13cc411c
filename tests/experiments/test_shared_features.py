"""Shared features: those of each sentence alone, averaged."""

import numpy as np
import pytest
import spacy
import torch
from util import SMALL_MODEL, bare, entity_examples, train_briefly

from spacy_datnet.experiments.shared_features import mixing, shared_features
from spacy_datnet.models.datnet import network_of
from spacy_datnet.resources import SOURCE, resource_of


@pytest.mark.parametrize("transfer", ["full", "part"])
def test_features_are_the_mean_states_of_the_shared_encoder(transfer):
    nlp = spacy.blank("es")
    pipe = nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, "transfer": transfer}})
    examples = entity_examples(nlp.vocab)
    train_briefly(nlp, examples, 3)
    examples = sorted(examples, key=lambda example: resource_of(example) != SOURCE)
    docs = [example.reference for example in examples]
    is_source = np.array([resource_of(example) == SOURCE for example in examples])
    found = shared_features(pipe, docs, is_source)
    assert found.shape == (len(docs), network_of(pipe.model).shared.width)
    # what the encoder gives while the network reads each sentence by itself
    states = []
    handle = network_of(pipe.model).shared.register_forward_hook(lambda *call: states.append(call[-1]))
    with torch.no_grad():
        for doc in docs:
            pipe.predict([bare(doc)])
    handle.remove()
    for row, state in zip(found, states, strict=True):
        np.testing.assert_allclose(row, state.numpy().mean(0), atol=1e-5)


def test_resources_mix_as_far_as_their_neighbours_do():
    """As counted one sentence and one distance at a time."""
    rng = np.random.default_rng(0)
    is_source = np.arange(60) < 25
    features = rng.normal(0.0, 1.0, (60, 5))
    features[is_source, 0] += 1.0
    shares = []
    for i in range(60):
        distances = [np.linalg.norm(features[i] - features[j]) for j in range(60)]
        nearest = sorted(range(60), key=distances.__getitem__)[1:8]
        shares.append(np.mean([is_source[j] != is_source[i] for j in nearest]))
    assert mixing(features, is_source, 7) == pytest.approx(np.mean(shares))


@pytest.mark.parametrize(("shift", "expected"), [(0.0, 0.5), (100.0, 0.0)])
def test_the_ends_of_mixing(shift, expected):
    is_source = np.arange(400) < 200
    features = np.random.default_rng(0).normal(0.0, 1.0, (400, 5)) + shift * is_source[:, None]
    assert mixing(features, is_source) == pytest.approx(expected, abs=0.03)
    assert mixing(features[195:], is_source[195:]) is None
