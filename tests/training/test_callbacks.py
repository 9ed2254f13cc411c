"""The learning rate that decays from epoch to epoch."""

import warnings
from io import StringIO

import pytest
import spacy
import torch
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_model_from_config
from thinc.api import SGD, RAdam
from util import (
    SMALL_MODEL,
    SOURCE_SENTENCES,
    TARGET_SENTENCES,
    annotated,
    entity_examples,
    training_config,
    write_docs,
)

from spacy_datnet.training import callbacks
from spacy_datnet.training.callbacks import configure_calibrate, configure_epoch_decay


@pytest.fixture
def nlp():
    nlp = spacy.blank("es")
    nlp.add_pipe("datnet_ner", config={"model": SMALL_MODEL})
    nlp.initialize(lambda: entity_examples(nlp.vocab))
    return nlp


def weights_of_network(nlp):
    model = nlp.get_pipe("datnet_ner").model
    return torch.cat([parameter.detach().flatten().clone() for parameter in model.shims[0].network.parameters()])


def weights_of_features(nlp):
    nodes = nlp.get_pipe("datnet_ner").model.get_ref("tok2vec").walk()
    arrays = [node.get_param(name) for node in nodes for name in node.param_names]
    return torch.cat([torch.from_numpy(array).flatten().clone() for array in arrays])


def weights(nlp):
    """The weights of the network, and of the word features before it."""
    return torch.cat([weights_of_network(nlp), weights_of_features(nlp)])


@pytest.mark.parametrize("rate", [0.05, 0.5])
@pytest.mark.parametrize("epoch", [0, 1, 4])
def test_steps_shrink_by_the_paper_s_formula(nlp, rate, epoch):
    callback, examples = configure_epoch_decay(rate), entity_examples(nlp.vocab)
    state, before, sgd = nlp.to_bytes(), weights(nlp), SGD(0.01, L2=0.0)
    nlp.update(examples, sgd=sgd)
    full = weights(nlp) - before
    nlp.from_bytes(state)
    callback(nlp, {"epoch": epoch, "step": 17})
    nlp.update(examples, sgd=sgd)
    assert full.abs().max() > 1e-4
    torch.testing.assert_close(weights(nlp) - before, full / (1 + rate * epoch), rtol=1e-3, atol=1e-6)


def test_the_rate_rises_again_with_a_new_run(nlp):
    callback = configure_epoch_decay(0.5)
    for epoch in (3, 0):
        callback(nlp, {"epoch": epoch, "step": 0})
    assert nlp.get_pipe("datnet_ner").learn_rate_scale == 1.0


@pytest.mark.parametrize(("read", "times"), [(weights_of_network, 20.0), (weights_of_features, 1.0)])
def test_a_factor_is_for_the_network_and_not_for_the_word_features_below_it(nlp, read, times):
    examples, state, sgd, moved = entity_examples(nlp.vocab), nlp.to_bytes(), SGD(1e-3, L2=0.0), []
    for factor in (1.0, 20.0):
        nlp.from_bytes(state)
        configure_epoch_decay(0.5, factor=factor)(nlp, {"epoch": 2, "step": 0})
        before = read(nlp)
        nlp.update(examples, sgd=sgd)
        moved.append(read(nlp) - before)
    assert moved[0].abs().max() > 1e-5
    torch.testing.assert_close(moved[1], times * moved[0], rtol=1e-3, atol=times * 1e-6)


def test_a_negative_factor_is_an_error():
    with pytest.raises(ValueError, match=r"DN103.*factor"):
        configure_epoch_decay(0.5, factor=-1.0)


def test_other_components_are_left_alone(nlp):
    sentencizer = nlp.add_pipe("sentencizer")
    configure_epoch_decay(0.5)(nlp, {"epoch": 2, "step": 0})
    assert not hasattr(sentencizer, "learn_rate_scale")


@pytest.mark.parametrize("epochs", [1, 3])
def test_the_training_loop_of_spacy_drives_it(tmp_path, epochs):
    vocab, paths = spacy.blank("es").vocab, {}
    for name, sentences in (("source", SOURCE_SENTENCES), ("target", TARGET_SENTENCES)):
        docs = [annotated(vocab, sentence) for sentence in sentences]
        paths[name] = write_docs(tmp_path / f"{name}.spacy", docs)
    paths["dev"] = paths["target"]
    config = training_config({"datnet_ner": {"factory": "datnet_ner", "model": SMALL_MODEL}}, paths)
    config["training"] |= {
        "max_epochs": epochs,
        "max_steps": 0,
        "before_update": {"@callbacks": "spacy-datnet.epoch_decay.v1", "rate": 0.5},
    }
    filled = load_model_from_config(config, auto_fill=True).config
    nlp = init_nlp(filled)
    train(nlp, stdout=StringIO())
    assert nlp.get_pipe("datnet_ner").learn_rate_scale == pytest.approx(1 / (1 + 0.5 * (epochs - 1)))


def test_an_optimizer_that_takes_no_notice_is_told(nlp):
    examples = entity_examples(nlp.vocab)
    configure_epoch_decay(0.5)(nlp, {"epoch": 0, "step": 0})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nlp.update(examples, sgd=RAdam(1e-3))
    configure_epoch_decay(0.5)(nlp, {"epoch": 1, "step": 9})
    with pytest.warns(UserWarning, match="DN064.*'datnet_ner'"):
        nlp.update(examples, sgd=RAdam(1e-3))


def test_a_negative_rate_is_refused():
    with pytest.raises(ValueError, match=r"DN103.*rate"):
        configure_epoch_decay(-0.1)


def test_a_pipeline_is_saved_though_its_dev_corpus_can_not_be_read(nlp, monkeypatch):
    def broken(nlp):
        raise ValueError("the spans overlap")

    monkeypatch.setattr(callbacks, "corpora_of", lambda nlp, *names: [broken])
    with pytest.warns(UserWarning, match="DN058.*the spans overlap"):
        assert configure_calibrate()(nlp) is nlp
    assert nlp.get_pipe("datnet_ner").model.shims[0].network.decoders["target"].temperature == 1.0
