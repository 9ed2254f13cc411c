"""Gradients of the parts of a batch: together they are those of the batch."""

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.util import fix_random_seed
from thinc.api import SGD
from util import SMALL_MODEL, TOK2VEC, entity_examples, task_examples

from spacy_datnet.resources import resource_of

LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": TOK2VEC["embed"]["width"]}


def mixed_examples(vocab, n):
    """As many examples of each resource, in turn."""
    examples = task_examples(vocab, tasks=["ents"])
    parts = [[example for example in examples if resource_of(example) == r] for r in ("source", "target")]
    return [example for pair in zip(*parts, strict=False) for example in pair][:n]


def make(accumulate=1, listens=False):
    nlp = spacy.blank("es")
    nlp.config["training"]["accumulate_gradient"] = accumulate
    model = {**SMALL_MODEL}
    if listens:
        nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
        model["tok2vec"] = LISTENER
    nlp.add_pipe("datnet_ner", config={"model": model})
    examples = mixed_examples(nlp.vocab, 8)
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    return nlp, examples


def step(nlp, parts):
    """Do what spaCy's training loop does with the parts of a batch; return the losses and the changes."""
    before, losses = weights(nlp), {}
    for part in parts:
        nlp.update(part, sgd=False, losses=losses)
    for _, pipe in nlp.pipeline:
        pipe.finish_update(SGD(0.1))
    return losses, [after - value for value, after in zip(before, weights(nlp), strict=True)]


def weights(nlp):
    found = []
    for _, pipe in nlp.pipeline:
        found += [node.get_param(p).copy() for node in pipe.model.walk() for p in sorted(node.param_names)]
        for shim in pipe.model.shims:
            found += [value.data.numpy().copy() for value in shim.network.parameters()]
    return found


def in_parts(examples, n):
    return [examples[i * len(examples) // n : (i + 1) * len(examples) // n] for i in range(n)]


@pytest.mark.parametrize("listens", [False, True])
@pytest.mark.parametrize("n", [2, 4])
def test_the_parts_of_a_batch_change_as_much_as_the_batch(n, listens):
    nlp, examples = make(1, listens)
    whole_losses, whole = step(nlp, [examples])
    nlp, examples = make(n, listens)
    losses, found = step(nlp, in_parts(examples, n))
    assert any(change.any() for change in whole)
    for one, other in zip(whole, found, strict=True):
        assert_allclose(other, one, atol=1e-6)
    assert losses["datnet_ner"] == pytest.approx(whole_losses["datnet_ner"], rel=1e-4)
    assert losses["datnet_ner.sentences"] == whole_losses["datnet_ner.sentences"] == 8


def test_each_sentence_counts_as_much_in_uneven_parts():
    nlp, examples = make()
    whole_losses, whole = step(nlp, [examples])
    nlp, examples = make()
    losses, found = step(nlp, [examples[:1], examples[1:3], examples[3:]])
    for one, other in zip(whole, found, strict=True):  # the word features, too
        assert_allclose(other, one, atol=1e-6)
    assert losses["datnet_ner"] == pytest.approx(whole_losses["datnet_ner"], rel=1e-4)


def test_a_loss_that_is_no_number_leaves_nothing_behind():
    nlp, examples = make()
    _, expected = step(nlp, [examples])
    nlp, examples = make()
    pipe = nlp.get_pipe("datnet_ner")
    pipe.update(examples[:2], sgd=False)
    bias = pipe.model.shims[0].network.decoders["target"].emit.bias
    good = bias.data.clone()
    bias.data.fill_(np.nan)
    with pytest.raises(ValueError, match="DN014"):
        pipe.update(examples, sgd=False)
    bias.data = good
    _, found = step(nlp, [examples])
    for one, other in zip(expected, found, strict=True):
        assert_allclose(other, one, atol=1e-6)


def test_parts_of_the_loss_have_names_of_their_own():
    nlp = spacy.blank("es")
    for name in ("ner", "ner_target"):
        nlp.add_pipe("datnet_ner", name, config={"model": SMALL_MODEL})
    examples = entity_examples(nlp.vocab)
    nlp.initialize(lambda: examples)
    losses = nlp.update(examples, sgd=False)
    alone = {name: nlp.get_pipe(name).update(examples, sgd=False) for name in ("ner", "ner_target")}
    parts = ("source", "target", "discriminator", "adversarial")
    for name, expected in alone.items():
        assert losses[name] == pytest.approx(sum(losses[f"{name}.{part}"] for part in parts))
        assert losses[name] == pytest.approx(expected[name], rel=1e-3)
