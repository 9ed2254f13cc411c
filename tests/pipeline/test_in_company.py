"""What other libraries do to PyTorch, to processes and to the corpus of a component."""

import os
import subprocess
import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext

import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed
from util import SMALL_MODEL, TOK2VEC, annotated, entity_examples

from spacy_datnet.resources import resource_of

NAME = "datnet_ner"
TEXT = "Ana vive en Madrid y Luis García trabaja en San José"


@contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


SETTINGS = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "default device": lambda: torch.device("meta"),
    "default dtype": lambda: default_dtype(torch.float64),
    "no gradients": torch.no_grad,
    "inference mode": torch.inference_mode,
}


def train(steps=3, before=nullcontext, during=nullcontext):
    """Build a pipeline under some settings and train it under others."""
    nlp = spacy.blank("es")
    with before():
        nlp.add_pipe(NAME, config={"model": SMALL_MODEL})
        examples = entity_examples(nlp.vocab)
        fix_random_seed(0)
        sgd = nlp.initialize(lambda: examples)
    with during():
        for _ in range(steps):
            losses = nlp.update(examples, sgd=sgd, losses={}, drop=0.1)
    return nlp, losses


def predict(nlp):
    (prediction,) = nlp.get_pipe(NAME).predict([nlp.make_doc(TEXT)])
    return prediction.tags.tolist(), prediction.marginal.tolist()


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_others_change_no_prediction(name):
    nlp, _ = train()
    expected = predict(nlp)
    with SETTINGS[name]():
        assert predict(nlp) == expected
        loaded = spacy.blank("es")
        loaded.add_pipe(NAME, config={"model": SMALL_MODEL})
        loaded.from_bytes(nlp.to_bytes())
        assert predict(loaded) == expected
    assert predict(loaded) == expected
    loaded.update(entity_examples(loaded.vocab))  # and it learns


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_others_change_no_training(name):
    expected, expected_losses = train()
    nlp, losses = train(during=SETTINGS[name])
    assert losses == expected_losses
    assert predict(nlp) == predict(expected)
    if name != "default dtype":  # other random numbers
        nlp, losses = train(before=SETTINGS[name])
        assert losses == expected_losses
    nlp, _ = train(before=SETTINGS[name], during=SETTINGS[name])
    assert all(p.dtype == torch.float32 for p in nlp.get_pipe(NAME).model.shims[0].network.parameters())


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_of_others_change_no_encoder(name):
    nlp = spacy.blank("es")
    encoder = {
        "@architectures": "spacy-datnet.DATNetEncoder.v1",
        "tok2vec": TOK2VEC,
        "characters": {"@architectures": "spacy-datnet.CharCNN.v1", "filters": 8},
        "encoder": {"@architectures": "spacy-datnet.BiLSTM.v1", "hidden": 8},
    }
    nlp.add_pipe("tok2vec", config={"model": encoder})
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 16}
    nlp.add_pipe("tagger", config={"model": {"@architectures": "spacy.Tagger.v2", "tok2vec": listener}})
    doc = Doc(nlp.vocab, words=["Ana", "vive"], tags=["N", "V"])
    examples = [Example(Doc(nlp.vocab, words=["Ana", "vive"]), doc)]
    fix_random_seed(0)
    sgd = nlp.initialize(lambda: examples)
    with SETTINGS[name]():
        for _ in range(2):
            nlp.update(examples, sgd=sgd)
        found = nlp(nlp.make_doc(TEXT)).tensor
    assert (nlp(nlp.make_doc(TEXT)).tensor == found).all()


FORK = """
import spacy, sys, torch
torch.set_num_threads(2)
nlp = spacy.load(sys.argv[1])
texts = ["Ana vive en Madrid " * 40] * 60
alone = [[ent.text for ent in doc.ents] for doc in nlp.pipe(texts)]
assert [[ent.text for ent in doc.ents] for doc in nlp.pipe(texts, n_process=2, batch_size=10)] == alone
assert torch.get_num_threads() == 2
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks")
def test_processes_are_forked_after_a_prediction_with_several_threads(tmp_path):
    nlp, _ = train()
    nlp.to_disk(tmp_path)
    environment = {"OMP_NUM_THREADS": "2", "MKL_NUM_THREADS": "2"}

    subprocess.run([sys.executable, "-c", FORK, tmp_path], check=True, timeout=120, env={**os.environ, **environment})


def test_threads_share_a_pipeline():
    nlp, _ = train()
    docs = [Doc(nlp.vocab, words=TEXT.split()[:n]) for n in range(1, 11)] * 3
    pipe = nlp.get_pipe(NAME)
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(lambda doc: pipe.predict([doc])[0], docs))
    for doc, prediction in zip(docs, found, strict=True):
        (expected,) = pipe.predict([doc])
        assert prediction.tags.tolist() == expected.tags.tolist()
        assert_allclose(prediction.marginal, expected.marginal, atol=1e-5)


def test_labels_that_a_loaded_component_can_not_learn_are_said_once():
    nlp, _ = train(steps=1)
    loaded = spacy.blank("es")
    loaded.add_pipe(NAME, source=nlp)  # labels that it was initialised with are known
    examples = entity_examples(loaded.vocab)
    examples.append(
        Example(loaded.make_doc("Ana vive"), annotated(loaded.vocab, "Ana/HUMAN vive")),
    )
    sgd = loaded.resume_training()
    with pytest.warns(UserWarning, match=r"DN081.*'HUMAN'.*target") as caught:
        for _ in range(2):
            loaded.update(examples, sgd=sgd)
    assert len([warning for warning in caught if "DN081" in str(warning.message)]) == 1
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp.update(entity_examples(nlp.vocab))


def test_a_stream_that_begins_with_the_source_is_no_zero_shot_transfer():
    nlp = spacy.blank("es")
    nlp.config["training"]["max_epochs"] = -1
    pipe = nlp.add_pipe(NAME, config={"model": SMALL_MODEL})
    examples = entity_examples(nlp.vocab)
    source = [example for example in examples if resource_of(example) == "source"]
    with pytest.raises(ValueError, match="DN069"):
        nlp.initialize(lambda: source)
    labels = {"source": ["LOC", "ORG", "PER"], "target": ["LOC", "PER"]}
    nlp.config["initialize"]["components"][NAME] = {"labels": labels}
    sgd = nlp.initialize(lambda: source)
    assert pipe.cfg["zero_shot"] is False and pipe.label_data == labels
    losses = nlp.update(examples, sgd=sgd)
    assert losses[f"{NAME}.source"] > 0.0 and losses[f"{NAME}.target"] > 0.0


def test_a_long_doc_without_sentence_borders_is_said_once():
    nlp, _ = train(steps=1)
    words = ["Ana"] * 201
    long, other = (Doc(nlp.vocab, words=words) for _ in range(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp(Doc(nlp.vocab, words=words, sent_starts=[i % 20 == 0 for i in range(201)]))
        nlp(Doc(nlp.vocab, words=words[:200]))
    with pytest.warns(UserWarning, match=r"DN082.*201") as caught:
        list(nlp.pipe([long, other]))
        nlp(other)
    assert len(caught) == 1


@pytest.mark.parametrize("drop", [-0.1, 1.0, float("nan")])
def test_a_dropout_rate_out_of_range_is_refused(drop):
    nlp, _ = train(steps=1)
    with pytest.raises(ValueError, match="DN068"):
        nlp.update(entity_examples(nlp.vocab), drop=drop)


@pytest.mark.parametrize("setting", [{"attention_width": 0}, {"grad_clip": -1.0}])
def test_widths_and_limits_out_of_range_are_refused(setting):
    with pytest.raises(ValueError, match="DN020"):
        spacy.blank("es").add_pipe(NAME, config={"model": {**SMALL_MODEL, **setting}})
