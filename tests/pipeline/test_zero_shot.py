"""Zero-shot transfer: a base model that learns from the source alone and labels the target."""

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import fix_random_seed
from util import SMALL_MODEL, SOURCE_SENTENCES, annotated, as_examples, bare, task_examples, training_config, write_docs

from spacy_datnet.pipeline.export import keep_target_only
from spacy_datnet.resources import SOURCE, TARGET, resource_of

ALONE = {**SMALL_MODEL, "transfer": "none"}
WIDTH = 12


def examples_of(nlp, resource):
    return [example for example in task_examples(nlp.vocab, ["ents"]) if resource_of(example) == resource]


def make(model, name="datnet_ner"):
    nlp = spacy.blank("es")
    nlp.add_pipe(name, config={"model": model, "loss": {"discriminator": "none", "adversarial_training": False}})
    return nlp


def test_the_source_teaches_the_target_s_decoder_as_target_sentences_would():
    """The same sentences, stamped or not, give the same labels, loss and gradients."""
    found = []
    for stamp in (SOURCE, None):
        nlp = make(ALONE)
        examples = as_examples([annotated(nlp.vocab, sentence, stamp) for sentence in SOURCE_SENTENCES])
        fix_random_seed(0)
        if stamp is None:
            nlp.initialize(lambda examples=examples: examples)
        else:
            with pytest.warns(UserWarning, match="DN057"):
                nlp.initialize(lambda examples=examples: examples)
        losses = nlp.update(examples, sgd=False, losses={})
        pipe = nlp.get_pipe("datnet_ner")
        parameters = pipe.model.shims[0].network.named_parameters()
        found.append((pipe.labels, losses["datnet_ner"], {name: p.grad for name, p in parameters}))
    (labels, loss, gradients), (expected_labels, expected_loss, expected) = found
    assert labels == expected_labels == ("LOC", "ORG", "PER")
    assert loss == pytest.approx(expected_loss) and loss > 1.0
    assert gradients.keys() == expected.keys()
    for name, gradient in gradients.items():
        torch.testing.assert_close(gradient, expected[name])


@pytest.fixture
def files(tmp_path):
    """Corpora, and vectors of two languages in one space: each target word lies where a source word does."""
    parts = {SOURCE: [], TARGET: []}
    for example in task_examples(spacy.blank("es").vocab, ["ents"]):
        parts[resource_of(example)].append(example.reference)
    paths = {name: write_docs(tmp_path / f"{name}.spacy", docs) for name, docs in parts.items()}
    kinds = ("", "PER", "LOC", "ORG")
    rng = np.random.default_rng(0)
    centres = dict(zip(kinds, rng.normal(size=(4, WIDTH)) * 2, strict=True))
    for name, docs in parts.items():
        nlp = spacy.blank("es")
        for token in (token for doc in docs for token in doc):
            vector = centres[token.ent_type_] + 0.1 * rng.normal(size=WIDTH) + (token.ent_iob_ == "I")
            nlp.vocab.set_vector(token.text, vector.astype("float32"))
        nlp.to_disk(tmp_path / f"vectors_{name}")
    return paths


@pytest.mark.parametrize("count", [0, None])
def test_spacy_trains_on_the_source_alone_and_the_target_is_labelled(files, tmp_path, count):
    vectors = {"@architectures": "spacy-datnet.WordVectors.v1"}
    model = {
        **ALONE,
        "characters": None,
        "tok2vec": vectors,
        "source_tok2vec": {**vectors, "vectors": str(tmp_path / "vectors_source")},
    }
    paths = {"source": files[SOURCE], "target": files[TARGET] if count == 0 else None, "dev": files[TARGET]}
    config = training_config({"datnet_ner": {"factory": "datnet_ner", "model": model}}, paths)
    config["corpora"]["train"] |= {"target_count": count, "ids": str(tmp_path / "ids")}
    config["initialize"] = {"vectors": str(tmp_path / "vectors_target")}
    config["training"]["gpu_allocator"] = None
    with pytest.warns(UserWarning, match="DN057"):
        nlp = init_nlp(config)
    train(nlp, tmp_path)
    assert (tmp_path / "ids").read_text() == ""
    best = spacy.load(tmp_path / "model-best")
    # entities of one word of a kind that the source has: no target sentence was learnt from
    assert best.meta["performance"]["ents_f"] > 0.7
    expected = [best(bare(example.reference)).ents for example in examples_of(best, TARGET)]
    assert any(expected)
    keep_target_only(best)
    for example, ents in zip(examples_of(best, TARGET), expected, strict=True):
        found = best(bare(example.reference)).ents
        assert [(ent.text, ent.label_) for ent in found] == [(ent.text, ent.label_) for ent in ents]


def test_the_source_may_be_annotated_elsewhere():
    """`source_annotation` says where the labels are, also if they teach the target's decoder."""
    nlp = spacy.blank("es")
    settings = {"model": ALONE, "source_annotation": "spans:names"}
    nlp.add_pipe("datnet_ner", config=settings)
    examples = examples_of(nlp, SOURCE)
    for example in examples:
        example.reference.spans["names"] = list(example.reference.ents)
        example.reference.set_ents([], default="missing")
    with pytest.warns(UserWarning, match="DN057"):
        nlp.initialize(lambda: examples)
    assert nlp.get_pipe("datnet_ner").labels == ("LOC", "ORG", "PER")
    assert nlp.update(examples, sgd=False, losses={})["datnet_ner.target"] > 0.0


def test_tags_can_t_teach_spans():
    nlp = spacy.blank("es")
    nlp.add_pipe("datnet_ner", config={"model": ALONE, "source_annotation": "tag"})
    with pytest.raises(ValueError, match="DN044"):
        nlp.initialize(lambda: examples_of(nlp, SOURCE))


@pytest.mark.parametrize("labels", [{"source": ["LOC", "PER"]}, {"target": ["LOC", "PER"]}, ["LOC", "PER"]])
def test_labels_may_be_given(labels):
    nlp = make(ALONE)
    with pytest.warns(UserWarning, match="DN057"), pytest.warns(UserWarning, match="DN059.*'ORG', which the source"):
        nlp.get_pipe("datnet_ner").initialize(lambda: examples_of(nlp, SOURCE), labels=labels)
    assert nlp.get_pipe("datnet_ner").labels == ("LOC", "PER")


@pytest.mark.parametrize("transfer", ["full", "part"])
def test_transfer_needs_target_sentences(transfer):
    nlp = make({**SMALL_MODEL, "transfer": transfer})
    with pytest.raises(ValueError, match=r'DN042.*transfer = "none"'):
        nlp.initialize(lambda: examples_of(nlp, SOURCE))


def test_target_sentences_may_come_later():
    nlp = make(ALONE)
    with pytest.warns(UserWarning, match="DN057"):
        sgd = nlp.initialize(lambda: examples_of(nlp, SOURCE))
    losses = nlp.update(task_examples(nlp.vocab, ["ents"]), sgd=sgd, losses={})
    assert losses["datnet_ner.target"] > 0.0 == losses["datnet_ner.source"]


def test_the_role_of_the_source_is_saved():
    nlp = make(ALONE)
    with pytest.warns(UserWarning, match="DN057"):
        nlp.initialize(lambda: examples_of(nlp, SOURCE))
    loaded = spacy.blank("es").from_config(nlp.config).from_bytes(nlp.to_bytes())
    expected = nlp.update(examples_of(nlp, SOURCE), sgd=False, losses={})
    found = loaded.update(examples_of(loaded, SOURCE), sgd=False, losses={})
    assert_allclose(found["datnet_ner"], expected["datnet_ner"], rtol=1e-5)


def test_with_both_resources_the_base_model_still_leaves_the_source_out():
    nlp = make(ALONE)
    both = task_examples(nlp.vocab, ["ents"])
    nlp.initialize(lambda: both)
    assert nlp.get_pipe("datnet_ner").labels == ("LOC", "PER")
    expected = nlp.update(examples_of(nlp, TARGET), sgd=False, losses={})
    assert nlp.update(both, sgd=False, losses={})["datnet_ner"] == pytest.approx(expected["datnet_ner"])


def test_a_source_without_the_annotation_of_the_component():
    nlp = make(ALONE)
    tags = [example for example in task_examples(nlp.vocab, ["tags"]) if resource_of(example) == SOURCE]
    with pytest.warns(UserWarning, match="DN057"), pytest.raises(ValueError, match="DN011"):
        nlp.initialize(lambda: tags)
