"""No setting depends on the length of word features."""

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from spacy.util import fix_random_seed
from spacy.vectors import Vectors
from util import SMALL_MODEL, entity_examples

from spacy_datnet.features.contextual_vectors import build_ContextualVectors
from spacy_datnet.features.word_vectors import LENGTH, build_WordVectors
from spacy_datnet.models.datnet import network_of
from spacy_datnet.nn import perturbation
from spacy_datnet.pipeline.export import keep_encoder_only, keep_target_only

LAYER = {"@architectures": "spacy-datnet.WordVectors.v1"}


def test_the_network_expects_the_length_that_features_have():
    assert perturbation.LENGTH == LENGTH


def put_vectors(nlp, factor, seed):
    words = sorted({token.text for example in entity_examples(nlp.vocab) for token in example.reference})
    data = np.random.default_rng(seed).normal(size=(len(words), 8)) * factor
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=data.astype("f"), keys=words)


def train(folder, target=1.0, source=1.0):
    """Some steps with vectors of some lengths."""
    other, nlp = spacy.blank("en"), spacy.blank("es")
    put_vectors(other, source, 1)
    other.to_disk(folder)
    fix_random_seed(0)
    put_vectors(nlp, target, 0)
    model = {**SMALL_MODEL, "tok2vec": LAYER, "source_tok2vec": {**LAYER, "vectors": str(folder)}}
    pipe = nlp.add_pipe("datnet_ner", config={"model": model})
    examples = entity_examples(nlp.vocab)
    sgd = nlp.initialize(lambda: examples)
    losses = [nlp.update(examples, sgd=sgd, drop=0.2)["datnet_ner"] for _ in range(5)]
    return nlp, losses, {name: value.detach() for name, value in network_of(pipe.model).named_parameters()}


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    return train(tmp_path_factory.mktemp("vectors") / "source")


@pytest.mark.parametrize("factors", [(7.0, 7.0), (1 / 7, 1 / 7), (1 / 7, 7.0)])
def test_the_length_of_vectors_changes_no_training(trained, factors, tmp_path):
    _, losses, weights = train(tmp_path / "source", *factors)
    assert_allclose(losses, trained[1], rtol=1e-4)
    for name, value in weights.items():
        torch.testing.assert_close(value, trained[2][name], rtol=1e-3, atol=1e-4)


def test_the_factor_goes_where_the_pipeline_goes(trained):
    nlp = trained[0]
    doc = entity_examples(nlp.vocab)[0].reference
    pipe = nlp.get_pipe("datnet_ner")
    (features,) = pipe.model.get_ref("tok2vec").predict([doc])
    known = nlp.vocab.vectors.data
    assert_allclose(
        features, [token.vector * LENGTH / np.linalg.norm(known, axis=1).mean() for token in doc], rtol=1e-5
    )
    loaded = spacy.blank("es", vocab=nlp.vocab).from_config(nlp.config, vocab=nlp.vocab).from_bytes(nlp.to_bytes())
    sourced = spacy.blank("es", vocab=nlp.vocab)
    sourced.add_pipe("datnet_ner", source=loaded)
    encoder = keep_encoder_only(loaded, "datnet_ner").get_pipe("tok2vec").model.layers[0].layers[0]
    keep_target_only(loaded)
    for layer in (loaded.get_pipe("datnet_ner").model.get_ref("tok2vec"), encoder):
        assert_allclose(layer.predict([doc])[0], features)
    assert_allclose(sourced.get_pipe("datnet_ner").model.get_ref("tok2vec").predict([doc])[0], features)


def test_vectors_that_are_zero_or_no_numbers_have_no_length():
    nlp = spacy.blank("es")
    data = np.array([[0, 0], [3, 4], [np.nan, 1], [np.inf, 1], [0, 1]], "f")
    nlp.vocab.vectors = Vectors(strings=nlp.vocab.strings, data=data, keys=list("abcde"))
    layer = build_WordVectors()
    layer.initialize(X=[nlp("b")])
    assert layer.attrs["scale"] == pytest.approx(LENGTH / 3)
    nlp.vocab.vectors.data[:] = 0
    layer.initialize(X=[nlp("b")])
    assert layer.attrs["scale"] == 1.0


def test_vectors_of_another_encoder_get_the_length():
    doc = spacy.blank("es")("Ana vive aquí")
    layer = build_ContextualVectors(encoder=lambda sentences: [np.full((len(one), 4), 100.0) for one in sentences])
    layer.initialize(X=[doc])
    assert_allclose(np.linalg.norm(layer.predict([doc])[0], axis=1), LENGTH, rtol=1e-6)
