"""Posteriors that docs carry: exact, kept in a file, and learnt from."""

from dataclasses import replace

import numpy as np
import pytest
import spacy
from paths import log_probability, log_scores, may_follow_biluo
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from util import SMALL_MODEL, annotated, entity_examples, train_briefly

from spacy_datnet.pipeline.posteriors import harden, posterior_of, predict_posteriors


@pytest.fixture(scope="module")
def nlp():
    nlp = spacy.blank("es")
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, "transfer": "none"}})
    return train_briefly(nlp, entity_examples(nlp.vocab)[:6], 8)


@pytest.fixture
def doc(nlp):
    """A sentence that carries the posterior of the pipeline."""
    doc, pipe = annotated(nlp.vocab, "Ana/PER vive aquí"), nlp.get_pipe("datnet_ner")
    (posterior,) = predict_posteriors(pipe.model, pipe.labels, [Doc(nlp.vocab, words=[token.text for token in doc])])
    posterior.attach(doc)
    return doc


def test_it_is_that_of_all_paths_also_in_a_file(nlp, doc):
    pipe = nlp.get_pipe("datnet_ner")
    scores, names = log_scores(pipe, doc, may_follow=may_follow_biluo), pipe.tag_set_of("target").names
    (read,) = DocBin().from_bytes(DocBin(store_user_data=True, docs=[doc]).to_bytes()).get_docs(spacy.blank("es").vocab)
    unary, moves = posterior_of(read).dense(len(names), np.arange(len(names)))
    for token in range(3):
        for number, name in enumerate(names):
            truth = np.exp(log_probability(scores, lambda path: path[token] == name))  # noqa: B023
            assert unary[token, number] == pytest.approx(truth, abs=2e-3)
    twice = np.exp(log_probability(scores, lambda path: path[:2] == ("O", "O")))
    twice += np.exp(log_probability(scores, lambda path: path[1:] == ("O", "O")))
    assert moves[0, 0] == pytest.approx(twice, abs=2e-3)


def gradients(nlp, doc):
    """The gradient of the emissions on one sentence."""
    pipe = nlp.get_pipe("datnet_ner")
    pipe.loss = replace(pipe.loss, adversarial_training=False, discriminator="none")
    pipe.update([Example(Doc(nlp.vocab, words=[token.text for token in doc]), doc)], sgd=None)
    network = pipe.model.shims[0].network
    found = {name: part.grad.clone() for name, part in network.decoders.named_parameters()}
    network.zero_grad()
    return found


def test_who_teaches_itself_has_nothing_to_learn(nlp, doc):
    soft = gradients(nlp, doc)
    harden(doc)
    hard = gradients(nlp, doc)
    assert max(part.abs().max() for part in soft.values()) < 5e-3
    assert max(part.abs().max() for part in hard.values()) > 0.02


@pytest.mark.parametrize("change", ["tokens", "label", "missing"])
def test_where_it_does_not_fit_the_labels_count(nlp, doc, change):
    """Other tokens, a label that the component does not have, a token that is not annotated."""
    if change == "tokens":
        posterior = replace(posterior_of(doc), length=2)
    else:
        posterior = replace(posterior_of(doc), labels=("LOC", "X"))
    posterior.attach(doc)
    if change == "missing":
        doc.set_ents([], missing=[doc[1:2]], default="outside")
    found = gradients(nlp, doc)
    harden(doc)
    for name, part in gradients(nlp, doc).items():
        assert (found[name] == part).all()
