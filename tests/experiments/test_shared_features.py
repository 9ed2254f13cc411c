"""Shared features: those of each sentence alone, averaged."""

import numpy as np
import pytest
import spacy
import torch
from util import SMALL_MODEL, bare, entity_examples, train_briefly

from spacy_datnet.experiments.shared_features import shared_features
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
    assert found.shape == (len(docs), pipe.model.shims[0].network.shared.width)
    # what the encoder gives while the network reads each sentence by itself
    states = []
    handle = pipe.model.shims[0].network.shared.register_forward_hook(lambda *call: states.append(call[-1]))
    with torch.no_grad():
        for doc in docs:
            pipe.predict([bare(doc)])
    handle.remove()
    for row, state in zip(found, states, strict=True):
        np.testing.assert_allclose(row, state.numpy().mean(0), atol=1e-5)
