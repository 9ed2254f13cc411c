"""Damaged weights are refused, whatever is damaged."""

from random import Random

import numpy as np
import pytest
import spacy
import srsly
import torch
from util import SMALL_MODEL, entity_examples, train_briefly

NAME = "datnet_ner"


@pytest.fixture(scope="module")
def trained():
    nlp = spacy.blank("es")
    nlp.add_pipe(NAME, config={"model": {**SMALL_MODEL, "share_decoder": True}})
    examples = entity_examples(nlp.vocab)
    nlp.config["initialize"]["components"][NAME] = {"labels": ["LOC", "ORG", "PER"]}
    train_briefly(nlp, examples, 2)
    return nlp


def fresh():
    nlp = spacy.blank("es")
    return nlp.add_pipe(NAME, config={"model": {**SMALL_MODEL, "share_decoder": True}})


def shim_bytes(nlp):
    return nlp.get_pipe(NAME).model.shims[0].to_bytes()


def test_whole_weights_load(trained):
    shim = fresh().model.shims[0].from_bytes(shim_bytes(trained))
    expected = trained.get_pipe(NAME).model.shims[0].network.state_dict()
    found = shim.network.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], value) for name, value in expected.items())
    assert shim.network.decoders["source"] is shim.network.decoders["target"]


def test_flipped_bits_in_the_weights_are_found(trained):
    message = srsly.msgpack_loads(shim_bytes(trained))
    rng = Random(0)
    for _ in range(30):
        damaged = bytearray(message["weights"])
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        with pytest.raises(ValueError, match="DN065"):
            fresh().model.shims[0].from_bytes(srsly.msgpack_dumps({**message, "weights": bytes(damaged)}))
    with pytest.raises(ValueError, match="DN065"):
        fresh().model.shims[0].from_bytes(srsly.msgpack_dumps({**message, "sizes": {**message["sizes"], "words": 7}}))
    with pytest.raises(ValueError, match="DN065"):
        fresh().model.shims[0].from_bytes(srsly.msgpack_dumps({"sizes": message["sizes"], "weights": b""}))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(trained, value):
    pipe = fresh().from_bytes(trained.get_pipe(NAME).to_bytes())
    pipe.model.shims[0].network.decoders["target"].emit.bias.data[1] = value
    with pytest.raises(ValueError, match=r"DN066.*emit\.bias"):
        fresh().from_bytes(pipe.to_bytes())


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_word_features_that_are_not_finite_are_refused(trained, tmp_path, value):
    nlp = fresh().from_bytes(trained.get_pipe(NAME).to_bytes())
    node = next(node for node in nlp.model.walk() if node.name == "hashembed")
    table = node.get_param("E").copy()
    table[1, 1] = value
    node.set_param("E", table)
    with pytest.raises(ValueError, match=r"DN066.*hashembed\.E"):
        fresh().from_bytes(nlp.to_bytes())
    nlp.to_disk(tmp_path)
    with pytest.raises(ValueError, match=r"DN066.*hashembed\.E"):
        fresh().from_disk(tmp_path)


def test_flipped_bits_in_the_file_of_the_model_are_found(trained, tmp_path):
    trained.to_disk(tmp_path)
    file = tmp_path / NAME / "model"
    whole, rng = file.read_bytes(), Random(0)
    assert spacy.load(tmp_path).get_pipe(NAME).labels == ("LOC", "ORG", "PER")
    for _ in range(10):
        damaged = bytearray(whole)
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
        file.write_bytes(bytes(damaged))
        with pytest.raises(ValueError, match=r"DN067.*datnet_ner"):
            spacy.load(tmp_path)
    file.write_bytes(whole)
    file.with_suffix(".sha256").unlink()
    assert spacy.load(tmp_path).get_pipe(NAME).labels
