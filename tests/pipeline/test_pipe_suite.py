"""What every component of the package must do; each test runs for each of them."""

import copy
import pickle
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache, partial
from random import Random

import numpy as np
import pytest
import spacy
import spacy.cli
import srsly
from numpy.testing import assert_allclose, assert_array_equal
from spacy.cli._util import app
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.util import fix_random_seed
from spacy.vocab import Vocab
from thinc.api import SGD, Model
from typer.testing import CliRunner
from util import (
    SMALL_MODEL,
    TOK2VEC,
    as_examples,
    bare,
    task_examples,
    training_config,
    with_line_breaks,
    write_docs,
)

from spacy_datnet.pipeline.calibration import TEMPERATURES, calibrate, fit
from spacy_datnet.resources import resource_of, stamp


@dataclass(frozen=True)
class Component:
    """A component under test.

    factory: its registered name.
    examples: makes stamped examples, the target's first, all sentences of the source longer.
    read: reads the annotation of a doc, predicted or not, as tuples that end in the label.
    labels: the labels in the examples, sorted; the source has one more than the target.
    score: the main score of `nlp.evaluate`.
    """

    factory: str
    examples: Callable[[Vocab], list[Example]]
    read: Callable[[Doc], list]
    labels: dict[str, list[str]]
    score: str


COMPONENTS = [
    Component(
        factory="datnet_ner",
        examples=partial(task_examples, tasks=["ents"]),
        read=lambda doc: [(ent.start, ent.end, ent.label_) for ent in doc.ents],
        labels={"source": ["LOC", "ORG", "PER"], "target": ["LOC", "PER"]},
        score="ents_f",
    ),
    Component(
        factory="datnet_tagger",
        examples=partial(task_examples, tasks=["tags"]),
        read=lambda doc: [(token.i, token.tag_) for token in doc],
        labels={"source": ["D", "J", "N", "P", "R", "V"], "target": ["D", "N", "P", "R", "V"]},
        score="tag_acc",
    ),
    Component(
        factory="datnet_chunker",
        examples=partial(task_examples, tasks=["chunks"]),
        read=lambda doc: [(span.start, span.end, span.label_) for span in doc.spans.get("chunks", ())],
        labels={"source": ["ADVP", "NP", "VP"], "target": ["NP", "VP"]},
        score="spans_chunks_f",
    ),
]

LOSS = {"epsilon_source": 0.5, "epsilon_target": 0.5, "epsilon_characters": 0.2}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 24}


def settings(**model) -> dict:
    return {"model": {**SMALL_MODEL, **model}, "loss": LOSS}


def create(component: Component, **model) -> Language:
    """Make a pipeline of the component, not initialised."""
    nlp = spacy.blank("es")
    nlp.add_pipe(component.factory, config=settings(**model))
    return nlp


def learn(nlp: Language, examples: list[Example], sgd, steps: int, drop: float = 0.0) -> dict:
    """Update some times; give back the losses of the last time."""
    sgd.learn_rate = 0.01
    for _ in range(steps):
        losses = nlp.update(examples, sgd=sgd, losses={}, drop=drop)
    return losses


def train(component: Component, seed: int = 0, steps: int = 50, **model) -> Language:
    nlp = create(component, **model)
    fix_random_seed(seed)
    examples = component.examples(nlp.vocab)
    learn(nlp, examples, nlp.initialize(lambda: examples), steps, drop=0.1)
    return nlp


def of(examples: list[Example], resource: str) -> list[Example]:
    return [example for example in examples if resource_of(example) == resource]


def gold(component: Component, nlp: Language) -> tuple[list[Doc], list[list]]:
    """The target's sentences without annotation, and what to read off each when it is predicted."""
    references = [eg.reference for eg in of(component.examples(nlp.vocab), "target")]
    return [bare(doc) for doc in references], [component.read(doc) for doc in references]


def raw(nlp: Language, factory: str, docs: list[Doc]) -> list[tuple]:
    """Tags and log-probabilities, to the last bit."""
    predictions = nlp.get_pipe(factory).predict([bare(doc) for doc in docs])
    return [tuple(array.tolist() for array in prediction) for prediction in predictions]


def weights(model: Model) -> list[np.ndarray]:
    """Copy the parameters of all layers and of the network."""
    found = [node.get_param(p).copy() for node in model.walk() for p in sorted(node.param_names)]
    for shim in model.shims:
        found += [value.numpy().copy() for value in shim.network.state_dict().values()]
    return found


def same(before: list[np.ndarray], after: list[np.ndarray]) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(before, after, strict=True))


@pytest.fixture(params=COMPONENTS, ids=lambda c: c.factory, scope="module")
def component(request) -> Component:
    return request.param


@cache
def trained_pipeline(factory: str, transfer: str) -> Language:
    return train(next(component for component in COMPONENTS if component.factory == factory), transfer=transfer)


@pytest.fixture(scope="module")
def trained(component) -> Language:
    """A pipeline that knows the examples. Tests must not change it."""
    return trained_pipeline(component.factory, "full")


@pytest.fixture
def fresh(component) -> tuple[Language, list[Example]]:
    """A pipeline right after initialisation, and its examples."""
    nlp = create(component)
    examples = component.examples(nlp.vocab)
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    return nlp, examples


# Confidence


def judged(component: Component, nlp: Language, examples: list[Example]) -> list[tuple[float, bool]]:
    """What is predicted for examples, as users read it: each confidence, and whether it is right."""
    found = []
    for example in examples:
        doc, truth = nlp(bare(example.reference)), component.read(example.reference)
        if component.factory == "datnet_tagger":
            confidences = [token._.tag_confidence for token in doc]
        else:
            spans = doc.ents if component.factory == "datnet_ner" else doc.spans["chunks"]
            name = "confidence" if component.factory == "datnet_ner" else "chunk_confidence"
            confidences = [span._.get(name) for span in spans]
        found += zip(confidences, (item in truth for item in component.read(doc)), strict=True)
    return found


@pytest.fixture(scope="module")
def not_always_right(component) -> Language:
    """A pipeline that has seen every other sentence of the target. Tests must not change it."""
    nlp = create(component)
    fix_random_seed(0)
    examples = component.examples(nlp.vocab)
    sgd = nlp.initialize(lambda: examples)
    learn(nlp, [*of(examples, "target")[::2], *of(examples, "source")], sgd, steps=30)
    return nlp


@pytest.fixture
def half_trained(component, not_always_right) -> tuple[Language, list[Example]]:
    """A pipeline that is not right everywhere, and the target's examples."""
    nlp = copy.deepcopy(not_always_right)
    return nlp, of(component.examples(nlp.vocab), "target")


def decoder_of(nlp: Language, name: str):
    return nlp.get_pipe(name).model.shims[0].network.decoders["target"]


def test_calibration_changes_confidences_and_no_label(component, half_trained):
    nlp, examples = half_trained
    decoder, model = decoder_of(nlp, component.factory), nlp.get_pipe(component.factory).model
    before, read = weights(model), [component.read(nlp(bare(eg.reference))) for eg in examples]
    assert decoder.temperature == 1.0
    source = of(component.examples(nlp.vocab), "source")
    (temperature,) = calibrate(nlp, [*examples, *source]).values()
    assert decoder.temperature == pytest.approx(temperature) and 1.0 < temperature < 5.0
    assert [component.read(nlp(bare(eg.reference))) for eg in examples] == read
    assert decoder_of(through_bytes(nlp, None), component.factory).temperature == decoder.temperature

    def cross_entropy(value: float) -> float:
        decoder.temperature.fill_(value)
        pairs = judged(component, nlp, examples)
        n = sum(right for _, right in pairs)
        wanted = [(n + 1) / (n + 2) if right else 1 / (len(pairs) - n + 2) for _, right in pairs]
        return -sum(w * np.log(p) + (1 - w) * np.log(1 - p) for w, (p, _) in zip(wanted, pairs, strict=True))

    best = cross_entropy(temperature)
    assert best == pytest.approx(min(cross_entropy(value) for value in np.linspace(0.5, 5.0, 46)), rel=0.02)
    decoder.temperature.fill_(1.0)
    assert same(before, weights(model))


def test_calibration_leaves_out_what_is_not_annotated(component, half_trained):
    nlp, examples = half_trained
    expected = calibrate(nlp, examples)
    unknown = [Example(bare(example.reference), bare(example.reference)) for example in examples]
    assert calibrate(nlp, [*unknown, *examples]) == expected
    # nothing to learn from changes nothing
    assert calibrate(nlp, unknown) == calibrate(nlp, []) == pytest.approx(expected)


def test_calibration_leaves_out_what_was_there_before(component, half_trained):
    nlp, examples = half_trained
    expected = calibrate(nlp, examples)
    done = [Example(nlp(bare(example.reference)), example.reference) for example in examples]
    if component.factory != "datnet_chunker":  # which replaces what is there
        assert fit(nlp.get_pipe(component.factory), done) == pytest.approx(expected[component.factory])
        fit(nlp.get_pipe(component.factory), [*examples, *done])
    assert decoder_of(nlp, component.factory).temperature == pytest.approx(expected[component.factory])


def test_a_label_that_is_not_known_makes_a_prediction_wrong(component, half_trained):
    nlp, examples = half_trained
    calibrate(nlp, examples)
    with_others = [Example(bare(eg.reference), relabelled(component, eg.reference)) for eg in examples]
    (temperature,) = calibrate(nlp, with_others).values()
    assert temperature == max(TEMPERATURES)


def relabelled(component: Component, doc: Doc) -> Doc:
    """A copy with labels that no component knows."""
    doc = doc.copy()
    if component.factory == "datnet_tagger":
        for token in doc:
            token.tag_ = f"other-{token.tag_}"
    else:
        spans = doc.ents if component.factory == "datnet_ner" else doc.spans["chunks"]
        others = [Span(doc, span.start, span.end, label="other") for span in spans]
        if component.factory == "datnet_ner":
            doc.ents = others
        else:
            doc.spans["chunks"] = others
    return doc


def test_calibration_leaves_frozen_components_and_those_without_confidence_alone(component, half_trained):
    nlp, examples = half_trained
    nlp.config["vars"] = {"frozen": [component.factory]}
    for frozen in ([component.factory], "${vars.frozen}"):
        nlp.config["training"] = {"frozen_components": frozen}
        assert calibrate(nlp, examples) == {}
    nlp.config["training"] = {"frozen_components": []}
    nlp.get_pipe(component.factory).confidence = False
    assert calibrate(nlp, examples) == {}
    assert decoder_of(nlp, component.factory).temperature == 1.0


def test_a_listener_is_calibrated_on_what_its_tok2vec_gives(component):
    nlp, examples = listening(component)
    sgd = nlp.initialize(lambda: examples)
    learn(nlp, examples, sgd, steps=20)
    target = of(examples, "target")
    (temperature,) = calibrate(nlp, target).values()
    assert not any(example.predicted.has_annotation("TAG") or example.predicted.ents for example in target)
    docs = [nlp.get_pipe("tok2vec")(bare(example.reference)) for example in target]
    pairs = [Example(doc, example.reference) for doc, example in zip(docs, target, strict=True)]
    assert fit(nlp.get_pipe(component.factory), pairs) == temperature
    blind = [Example(bare(example.reference), example.reference) for example in target]
    assert fit(nlp.get_pipe(component.factory), blind) != temperature


# Learning and predicting


@pytest.mark.parametrize("transfer", ["none", "full", "part"])
def test_learns_a_dozen_sentences(component, transfer):
    nlp = trained_pipeline(component.factory, transfer)
    losses = copy.deepcopy(nlp).update(component.examples(nlp.vocab), sgd=False)
    assert losses[f"{component.factory}.target"] < 0.1 * losses[f"{component.factory}.sentences"]
    assert losses[f"{component.factory}.source"] < 0.1 * losses[f"{component.factory}.sentences"]
    docs, expected = gold(component, nlp)
    assert [component.read(doc) for doc in nlp.pipe(docs)] == expected
    private = nlp.get_pipe(component.factory).model.shims[0].network.private
    assert set(private) == ({"source", "target"} if transfer == "part" else set())


def test_predicting_again_changes_nothing(component, trained):
    docs, expected = gold(component, trained)
    once = list(trained.pipe(docs))
    assert [component.read(doc) for doc in trained.pipe(once)] == expected


@pytest.mark.parametrize("batch_size", [1, 4, 100])
def test_batches_predict_what_single_docs_do(component, trained, batch_size):
    docs, _ = gold(component, trained)
    docs = [*docs, trained.make_doc(""), *docs[::-1]]
    single = [component.read(trained(bare(doc))) for doc in docs]
    assert any(single)
    batched = [component.read(doc) for doc in trained.pipe(map(bare, docs), batch_size=batch_size)]
    assert batched == single


def test_labels_that_the_examples_do_not_have_are_an_error_and_missing_ones_a_warning(component):
    nlp = create(component)
    examples = component.examples(nlp.vocab)
    pipe = nlp.get_pipe(component.factory)
    other = ["X", "Y"]
    with pytest.raises(ValueError, match=r"DN045.*'X', 'Y' for the target"):
        pipe.initialize(lambda: examples, labels={"target": other})
    labels = component.labels["target"]
    with pytest.warns(UserWarning, match=f"DN059.*can't learn '{labels[-1]}', which the target"):
        pipe.initialize(lambda: examples, labels={"target": labels[:-1]})
    assert list(pipe.labels) == labels[:-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pipe.initialize(lambda: examples, labels={"target": [*labels, "Z"]})


@pytest.mark.parametrize("resource", ["source", "target"])
def test_examples_without_any_label_are_told(component, resource):
    nlp = create(component)
    examples = component.examples(nlp.vocab)
    for example in examples:
        if resource_of(example) == resource:
            example.reference = bare(example.reference)
            stamp(example.reference, resource)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        nlp.get_pipe(component.factory).initialize(lambda: examples, labels=component.labels)
    assert [str(warning.message)[:7] for warning in told if "DN06" in str(warning.message)] == ["[DN061]"]
    assert f"any example of the {resource}" in str(told[-1].message)


def test_white_space_changes_nothing(component, trained):
    docs, _ = gold(component, trained)
    for doc in docs:
        spaced, places = with_line_breaks(bare(doc), Random(len(doc)))
        expected, found = component.read(trained(bare(doc))), component.read(trained(spaced))
        if component.factory == "datnet_tagger":
            blank = set(range(len(spaced))) - set(places)
            assert found == sorted([(places[i], tag) for i, tag in expected] + [(i, "_SP") for i in blank])
        else:
            assert found == [(places[start], places[end - 1] + 1, label) for start, end, label in expected]


def test_white_space_is_not_learnt_from(component):
    losses = []
    for change in (lambda doc: doc, lambda doc: with_line_breaks(doc, Random(1))[0]):
        fix_random_seed(0)
        nlp = create(component)
        examples = component.examples(nlp.vocab)
        nlp.initialize(lambda examples=examples: examples)
        changed = [change(example.reference) for example in examples]
        examples = [
            Example(Doc(doc.vocab, words=[t.text for t in doc], user_data=doc.user_data), doc) for doc in changed
        ]
        losses.append(nlp.update(examples, drop=0.0))
    plain, spaced = losses
    assert plain[component.factory] > 0
    assert spaced == pytest.approx(plain, rel=1e-4)


def test_nothing_but_white_space_can_be_trained_on(component, trained):
    nlp = copy.deepcopy(trained)
    doc = Doc(nlp.vocab, words=["\n", "\n"])
    nlp.update([Example(doc, doc.copy())])
    assert component.read(nlp("\n\n")) == component.read(trained("\n\n"))


def test_docs_without_words_get_no_annotation(component, trained):
    assert component.read(trained("")) == []
    assert [label for _, *_, label in component.read(trained("   "))] in ([], ["_SP"])
    assert [len(doc) for doc in trained.pipe(["", "", ""])] == [0, 0, 0]
    assert trained.get_pipe(component.factory).predict([]) == []


def test_a_doc_is_labelled_sentence_by_sentence_where_these_are_known(component, trained):
    docs, _ = gold(component, trained)
    joined = Doc.from_docs([bare(doc) for doc in docs])
    for token in joined:
        token.is_sent_start = False
    for start in np.cumsum([0, *map(len, docs)])[:-1]:
        joined[int(start)].is_sent_start = True
    alone = Doc.from_docs([trained(bare(doc)) for doc in docs])
    assert component.read(alone)
    assert component.read(trained(joined)) == component.read(alone)


def test_a_very_long_doc_of_sentences_is_labelled_like_its_sentences(component, trained):
    words = [t.text for t in gold(component, trained)[0][0]]
    starts = [True, *[False] * (len(words) - 1)]
    times = 3000 // len(words)
    doc = trained(Doc(trained.vocab, words=words * times, sent_starts=starts * times))
    sentence = component.read(trained(Doc(trained.vocab, words=words)))
    assert sentence and component.read(doc) == [
        (*(place + i * len(words) for place in places), label) for i in range(times) for *places, label in sentence
    ]


def test_a_very_long_sentence_gets_a_legal_path(component, trained):
    pipe = trained.get_pipe(component.factory)
    words = [t.text for doc in gold(component, trained)[0] for t in doc]
    doc = Doc(trained.vocab, words=(words * 3000)[:3000])
    (prediction,) = pipe.predict([doc])
    starts, transitions, ends = pipe.tag_set_of("target").legal()
    tags = prediction.tags
    assert len(tags) == 3000 and starts[tags[0]] and ends[tags[-1]]
    assert transitions[tags[:-1], tags[1:]].all()
    assert np.isfinite(prediction.marginal).all() and (prediction.marginal <= 1e-6).all()


def test_evaluation_of_what_was_learnt_is_perfect(component, trained):
    examples = of(component.examples(trained.vocab), "target")
    assert trained.evaluate(examples)[component.score] == 1.0


# Labels and initialisation


def test_labels_are_read_off_the_examples_of_each_resource(component, fresh):
    nlp, _ = fresh
    pipe = nlp.get_pipe(component.factory)
    assert pipe.label_data == component.labels
    assert pipe.labels == tuple(component.labels["target"])
    assert nlp.pipe_labels[component.factory] == component.labels["target"]


def test_the_source_s_own_labels_are_never_predicted(component, trained):
    pipe = trained.get_pipe(component.factory)
    assert set(component.labels["source"]) - set(component.labels["target"])
    sizes = pipe.model.shims[0].network.sizes.tags
    assert sizes["source"] > sizes["target"] == len(pipe.tag_set_of("target"))
    docs = [bare(eg.reference) for eg in of(component.examples(trained.vocab), "source")]
    found = {span[-1] for doc in trained.pipe(docs) for span in component.read(doc)}
    assert found and found <= set(component.labels["target"])


def test_examples_without_a_stamp_are_target_examples(component):
    nlp = create(component, transfer="none")
    examples = component.examples(nlp.vocab)
    for example in examples:
        example.reference.user_data.clear()
    nlp.initialize(lambda: examples)
    every = sorted({*component.labels["source"], *component.labels["target"]})
    assert nlp.get_pipe(component.factory).label_data == {"target": every}


@pytest.mark.parametrize("wrap", [list, lambda labels: {"target": list(labels)}])
def test_given_labels_of_the_target_replace_those_of_the_examples(component, wrap):
    nlp = create(component)
    pipe = nlp.get_pipe(component.factory)
    labels = [*component.labels["target"], "NEW"]
    pipe.initialize(lambda: component.examples(nlp.vocab), nlp=nlp, labels=wrap(labels[::-1]))
    assert pipe.label_data == {
        "source": component.labels["source"],
        "target": sorted(labels),
    }


def test_given_labels_are_those_of_both_if_they_share_a_decoder(component):
    labels = sorted({*component.labels["source"], *component.labels["target"]})
    nlp = create(component, share_decoder=True)
    pipe = nlp.get_pipe(component.factory)
    pipe.initialize(lambda: component.examples(nlp.vocab), nlp=nlp, labels=labels[::-1])
    assert pipe.label_data == {"source": labels, "target": labels}
    alone = of(component.examples(nlp.vocab), "target")
    with pytest.warns(UserWarning, match="DN051"):
        pipe.initialize(lambda: alone, nlp=nlp, labels=labels)
    assert pipe.label_data == {"target": labels}


def test_added_labels_join_those_of_the_examples(component):
    nlp = create(component)
    pipe = nlp.get_pipe(component.factory)
    assert [pipe.add_label("NEW"), pipe.add_label("NEW")] == [1, 0]
    nlp.initialize(lambda: component.examples(nlp.vocab))
    assert pipe.labels == tuple(sorted([*component.labels["target"], "NEW"]))
    assert pipe.add_label("NEW") == 0
    with pytest.raises(ValueError, match="DN010"):
        pipe.add_label("LATE")
    with pytest.raises(ValueError, match="DN009"):
        pipe.add_label(3)


@pytest.mark.parametrize("kind", [tuple, set, iter])
def test_labels_may_be_any_iterable(component, kind):
    nlp = create(component)
    pipe, labels = nlp.get_pipe(component.factory), component.labels["target"]
    pipe.initialize(lambda: component.examples(nlp.vocab), labels=kind(labels))
    assert list(pipe.labels) == labels


def test_what_a_decoder_learnt_before_is_a_label_of_both_resources_if_they_share_it(component):
    nlp = create(component, share_decoder=True)
    pipe = nlp.get_pipe(component.factory)
    labels = [label for label in component.labels["target"] if label in component.labels["source"]]
    examples = component.examples(nlp.vocab)
    added = next(label for label in component.labels["source"] if label not in component.labels["target"])
    pipe.add_label(added)
    pipe.initialize(lambda: examples)  # only the source has it
    assert pipe.label_data["source"] == pipe.label_data["target"] == sorted([*labels, added])
    pipe.initialize(lambda: [*of(examples, "source"), *of(examples, "target")[:1]])
    assert pipe.label_data["source"] == pipe.label_data["target"] == sorted([*labels, added])


def test_white_space_has_no_label(component):
    pipe = create(component).get_pipe(component.factory)
    doc = Doc(pipe.vocab, words=["\n", "Ana"], tags=["_SP", "N"])
    doc.spans["chunks"] = [Span(doc, i, i + 1, label=label) for i, label in enumerate(("SPACE", "N"))]
    doc.set_ents(list(doc.spans["chunks"]))
    for annotation in pipe.annotations.values():
        assert list(annotation.labels_of(doc)) == ["N"]


def test_labels_in_the_config_replace_examples(component):
    nlp = create(component)
    part = {"labels": component.labels}
    nlp.config["initialize"]["components"][component.factory] = part
    sgd = nlp.initialize()
    assert nlp.get_pipe(component.factory).label_data == component.labels
    examples = component.examples(nlp.vocab)
    first = learn(nlp, examples, sgd, steps=1)
    assert learn(nlp, examples, sgd, steps=3)[component.factory] < first[component.factory]


def test_without_examples_and_labels_there_is_nothing_to_initialize(component):
    with pytest.raises(ValueError, match="DN011"):
        create(component).initialize()


@pytest.mark.parametrize(("resource", "code"), [("target", "DN011"), ("source", "DN012")])
def test_each_resource_needs_annotation(component, resource, code):
    nlp = create(component)
    examples = component.examples(nlp.vocab)
    for example in of(examples, resource):
        example.reference = bare(example.reference)
        stamp(example.reference, resource)
    with pytest.raises(ValueError, match=code):
        nlp.initialize(lambda: examples)


def test_a_shared_decoder_needs_equal_labels(component):
    nlp = create(component, share_decoder=True)
    examples = component.examples(nlp.vocab)
    (extra,) = set(component.labels["source"]) - set(component.labels["target"])
    with pytest.raises(ValueError, match=rf"DN013.*{extra}.*\[initialize.components.{component.factory}\]"):
        nlp.initialize(lambda: examples)
    twins = of(component.examples(nlp.vocab), "target")
    for example in twins:
        stamp(example.reference, "source")
    both = of(examples, "target") + twins
    learn(nlp, both, nlp.initialize(lambda: both), steps=3)
    pipe = nlp.get_pipe(component.factory)
    decoders = pipe.model.shims[0].network.decoders
    assert decoders["source"] is decoders["target"]
    docs, _ = gold(component, nlp)
    expected = raw(nlp, component.factory, docs)
    assert raw(through_bytes(nlp, None), component.factory, docs) == expected
    pipe.drop_source()
    assert raw(nlp, component.factory, docs) == expected
    assert raw(through_bytes(nlp, None), component.factory, docs) == expected


@pytest.mark.parametrize(("transfer", "warned"), [("full", 1), ("part", 1), ("none", 0)])
def test_transfer_without_a_source_warns(component, transfer, warned):
    nlp = create(component, transfer=transfer)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nlp.initialize(lambda: of(component.examples(nlp.vocab), "target"))
    assert sum("DN051" in str(warning.message) for warning in caught) == warned


def test_before_initialization_use_is_an_error(component):
    nlp = create(component)
    with pytest.raises(ValueError, match="DN015"):
        nlp("Ana")
    with pytest.raises(ValueError, match="DN002"):
        nlp.update(component.examples(nlp.vocab))


@pytest.mark.parametrize(
    "get_examples",
    [None, [], lambda: None, lambda: [], lambda: [1], lambda: [Doc(Vocab())]],
    ids=["none", "list", "gives none", "gives nothing", "gives a number", "gives a doc"],
)
def test_initialization_checks_the_examples(component, get_examples):
    pipe = create(component).get_pipe(component.factory)
    with pytest.raises(TypeError):
        pipe.initialize(get_examples)


def test_update_checks_the_examples(component, fresh):
    nlp, examples = fresh
    pipe = nlp.get_pipe(component.factory)
    for wrong in (None, 1, [1], [examples[0].reference], [(examples[0].reference, {})]):
        with pytest.raises(TypeError):
            pipe.update(wrong)


# Training


def test_losses_are_reported_in_parts_and_add_up(component, fresh):
    nlp, examples = fresh
    name = component.factory
    losses = nlp.update(examples, sgd=SGD(0.01), losses={"other": 1.0})
    parts = [f"{name}.{part}" for part in ("source", "target", "discriminator", "adversarial")]
    counts = [f"{name}.{count}" for count in ("correct", "judged", "sentences")]
    assert losses.keys() == {"other", name, *parts, *counts}
    assert all(type(losses[part]) is float and losses[part] > 0.0 for part in parts)
    assert losses[name] == pytest.approx(sum(losses[part] for part in parts))
    assert losses[f"{name}.judged"] == len(examples) >= losses[f"{name}.correct"]
    first = dict(losses)
    again = nlp.get_pipe(name).update(examples, losses={})
    nlp.update(examples, losses=losses)
    assert losses[name] == pytest.approx(first[name] + again[name], rel=1e-4)


def test_nothing_to_learn_from_changes_nothing(component):
    nlp = create(component, transfer="none")
    examples = component.examples(nlp.vocab)
    nlp.initialize(lambda: examples)
    pipe = nlp.get_pipe(component.factory)
    before = weights(pipe.model)
    empty = as_examples([nlp.make_doc("")])
    unannotated = as_examples([bare(eg.reference) for eg in examples])
    for batch in ([], empty, unannotated, of(examples, "source")):
        assert pipe.update(batch, sgd=SGD(0.1))[component.factory] == 0.0
    assert same(before, weights(pipe.model))


def test_unannotated_sentences_train_the_discriminator_only(component, fresh):
    nlp, examples = fresh
    network = nlp.get_pipe(component.factory).model.shims[0].network
    for example in examples:
        resource, example.reference = resource_of(example), bare(example.reference)
        stamp(example.reference, resource)
    before = {name: value.clone() for name, value in network.state_dict().items()}
    losses = nlp.update(examples, sgd=SGD(0.1), losses={})
    moved = {name.split(".")[0] for name, value in network.state_dict().items() if not value.equal(before[name])}
    assert moved == {"characters", "discriminator", "shared"}
    assert losses[f"{component.factory}.source"] == losses[f"{component.factory}.target"] == 0.0


def test_empty_docs_in_a_batch_do_not_count(component, fresh):
    nlp, examples = fresh
    pipe = nlp.get_pipe(component.factory)
    empty = as_examples([nlp.make_doc("")])
    alone = pipe.update(examples, losses={})
    joined = pipe.update([*empty, *examples[:6], *empty, *examples[6:]], losses={})
    assert joined == pytest.approx(alone, rel=1e-4)


def test_the_order_of_docs_in_a_batch_does_not_matter(component, fresh):
    nlp, examples = fresh
    pipe = nlp.get_pipe(component.factory)
    untrained, results = pipe.to_bytes(), []
    pairs = zip(of(examples, "source"), of(examples, "target"), strict=True)
    for batch in (examples, examples[::-1], [example for pair in pairs for example in pair]):
        pipe.from_bytes(untrained)
        before = weights(pipe.model)
        losses = pipe.update(batch, sgd=SGD(0.1), losses={})
        results.append((losses, weights(pipe.model)))
        assert not same(before, results[-1][1])
    for losses, learnt in results[1:]:
        assert losses == pytest.approx(results[0][0], rel=1e-4)
        for ours, truth in zip(learnt, results[0][1], strict=True):
            assert_allclose(ours, truth, atol=1e-5)


@pytest.mark.parametrize("transfer", ["none", "full"])
def test_a_loss_that_is_no_number_stops_the_training_unharmed(component, transfer):
    nlp = create(component, transfer=transfer, tok2vec={"@architectures": VECTORS})
    examples = component.examples(nlp.vocab)
    add_vectors(nlp, examples)
    sgd = nlp.initialize(lambda: examples)
    pipe = nlp.get_pipe(component.factory)
    before = weights(pipe.model)
    loss, pipe.loss = pipe.loss, replace(pipe.loss, epsilon_target=np.inf)
    with pytest.raises(ValueError, match="DN014"):
        nlp.update(examples, sgd=sgd)
    assert same(before, weights(pipe.model))
    pipe.loss = loss
    assert nlp.update(examples, sgd=sgd, losses={})[component.factory] > 0.0
    assert all(np.isfinite(value).all() for value in weights(pipe.model))


VECTORS = "spacy-datnet.WordVectors.v1"


def add_vectors(nlp: Language, examples: list[Example]) -> None:
    rng = np.random.default_rng(0)
    for word in sorted({token.text for example in examples for token in example.reference}):
        nlp.vocab.set_vector(word, rng.normal(size=8).astype("float32"))


def test_word_vectors_replace_a_tok2vec_and_stay_fixed(component):
    nlp = create(component, tok2vec={"@architectures": VECTORS})
    examples = component.examples(nlp.vocab)
    add_vectors(nlp, examples)
    table = nlp.vocab.vectors.data.copy()
    fix_random_seed(0)
    losses = learn(nlp, examples, nlp.initialize(lambda: examples), steps=50)
    assert losses[f"{component.factory}.target"] < 0.2 * losses[f"{component.factory}.sentences"]
    assert_array_equal(nlp.vocab.vectors.data, table)
    docs, expected = gold(component, nlp)
    loaded = through_bytes(nlp, None)
    assert [component.read(loaded(bare(doc))) for doc in docs] == expected


def test_the_same_seed_gives_the_same_weights(component):
    first, again, other = (
        weights(train(component, seed=seed, steps=3).get_pipe(component.factory).model) for seed in (1, 1, 2)
    )
    assert same(first, again)
    assert not same(first, other)


def test_gradients_of_several_updates_add_up(component, fresh):
    nlp, examples = fresh
    pipe = nlp.get_pipe(component.factory)
    network = pipe.model.shims[0].network

    def gradients_of(*batches: list[Example]) -> list[np.ndarray]:
        network.zero_grad()
        for batch in batches:
            pipe.update(batch)
        return [p.grad.numpy().copy() for p in network.shared.parameters()]

    source, target = of(examples, "source"), of(examples, "target")
    for one, two, sum_ in zip(gradients_of(source), gradients_of(target), gradients_of(source, target), strict=True):
        assert_allclose(sum_, one + two, atol=1e-5)


def test_gradients_of_the_word_features_are_those_of_the_loss(component):
    nlp = create(component)
    examples = component.examples(nlp.vocab)
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    pipe = nlp.get_pipe(component.factory)
    # nothing reversed and nothing perturbed: the gradient is that of the reported loss
    pipe.loss = replace(pipe.loss, discriminator="none", adversarial_training=False)

    def loss() -> float:
        return pipe.update(examples)[component.factory]

    loss()
    layers = pipe.model.get_ref("tok2vec").walk()
    for layer, name, gradient in [(n, p, n.get_grad(p).copy()) for n in layers for p in n.param_names]:
        value, norm = layer.get_param(name).copy(), np.linalg.norm(gradient)
        ends = []
        for step in (0.01, -0.01):
            layer.set_param(name, value + step * gradient / norm)
            ends.append(loss())
        layer.set_param(name, value)
        assert (ends[0] - ends[1]) / 0.02 == pytest.approx(norm, rel=0.02)


@pytest.mark.parametrize("sgd", [None, False])
def test_without_an_optimizer_the_gradients_wait(component, fresh, sgd):
    nlp, examples = fresh
    pipe = nlp.get_pipe(component.factory)
    before = weights(pipe.model)
    pipe.update(examples, sgd=sgd)
    assert same(before, weights(pipe.model))
    pipe.finish_update(SGD(0.1))
    assert not same(before, weights(pipe.model))


def test_frozen_components_keep_their_weights(component, fresh):
    nlp, examples = fresh
    pipe = nlp.get_pipe(component.factory)
    before = pipe.to_bytes()
    losses = nlp.update(examples, sgd=nlp.create_optimizer(), exclude=[component.factory])
    assert losses == {} and pipe.to_bytes() == before
    nlp.update(examples, sgd=nlp.create_optimizer())
    assert pipe.to_bytes() != before


def test_rehearsal_leaves_the_component_alone(component, fresh):
    nlp, examples = fresh
    pipe = nlp.get_pipe(component.factory)
    before = weights(pipe.model)
    nlp.rehearse(examples, sgd=nlp.resume_training())
    assert same(before, weights(pipe.model))


# Copies


def through_bytes(nlp: Language, path) -> Language:
    return spacy.blank("es").from_config(nlp.config).from_bytes(nlp.to_bytes())


def through_disk(nlp: Language, path) -> Language:
    nlp.to_disk(path)
    return spacy.load(path)


def through_pickle(nlp: Language, path) -> Language:
    return pickle.loads(pickle.dumps(nlp))


def through_deepcopy(nlp: Language, path) -> Language:
    return copy.deepcopy(nlp)


def through_source(nlp: Language, path) -> Language:
    other = spacy.blank("es")
    for name in nlp.pipe_names:
        other.add_pipe(name, source=through_disk(nlp, path))
    return other


@pytest.mark.parametrize("copy_of", [through_bytes, through_disk, through_pickle, through_deepcopy, through_source])
def test_a_copy_predicts_the_same_and_learns_on(component, trained, copy_of, tmp_path):
    docs, expected = gold(component, trained)
    before = weights(trained.get_pipe(component.factory).model)
    copied = copy_of(trained, tmp_path)
    assert raw(copied, component.factory, docs) == raw(trained, component.factory, docs)
    assert copied.get_pipe(component.factory).label_data == component.labels
    assert copied.get_pipe(component.factory).cfg == trained.get_pipe(component.factory).cfg
    examples = component.examples(copied.vocab)
    losses = learn(copied, examples, copied.resume_training(), steps=2)
    assert losses[f"{component.factory}.target"] < 0.2 * losses[f"{component.factory}.sentences"]
    assert not same(before, weights(copied.get_pipe(component.factory).model))
    assert same(before, weights(trained.get_pipe(component.factory).model))
    assert [component.read(copied(bare(doc))) for doc in docs] == expected


@pytest.mark.parametrize("copy_of", [through_bytes, through_disk, through_pickle])
def test_a_copy_of_an_untrained_pipeline_can_be_initialized(component, copy_of, tmp_path):
    copied = copy_of(create(component), tmp_path)
    with pytest.raises(ValueError, match="DN015"):
        copied("Ana")
    copied.initialize(lambda: component.examples(copied.vocab))
    assert copied.get_pipe(component.factory).label_data == component.labels
    assert len(copied("Ana vive")) == 2


def test_untrained_bytes_reset_a_trained_pipe(component):
    trained_briefly = train(component, steps=1).get_pipe(component.factory)
    trained_briefly.from_bytes(create(component).get_pipe(component.factory).to_bytes())
    with pytest.raises(ValueError, match="DN015"):
        trained_briefly.predict([Doc(Vocab(), words=["Ana"])])


def test_the_config_rebuilds_the_pipeline(component, trained):
    rebuilt = spacy.blank("es").from_config(trained.config)
    assert rebuilt.config == trained.config
    assert rebuilt.config["components"][component.factory]["model"]["encoder"]["hidden"] == 24
    rebuilt.get_pipe(component.factory).from_bytes(trained.get_pipe(component.factory).to_bytes())
    docs, _ = gold(component, trained)
    assert raw(rebuilt, component.factory, docs) == raw(trained, component.factory, docs)


WORKER = """
import json, pathlib, pickle, sys, torch
torch.set_num_threads(1)
import spacy
from spacy.tokens import DocBin

if __name__ == "__main__":
    for folder in map(pathlib.Path, sys.argv[1:]):
        pickled = pickle.loads((folder / "pickle").read_bytes())  # before anything else has imported the package
        loaded = spacy.load(folder)
        texts = json.loads((folder / "texts.json").read_text())
        for way, nlp, n in (("pickled", pickled, 1), ("loaded", loaded, 1), ("two processes", loaded, 2)):
            docs = nlp.pipe(texts, n_process=n, batch_size=2)
            DocBin(docs=docs, store_user_data=True).to_disk(folder / f"{way}.spacy")
"""


@pytest.fixture(scope="module")
def from_worker(tmp_path_factory):
    """Folders with what another process predicts: by a pickle, by a saved pipeline, and that in two processes."""
    path = tmp_path_factory.mktemp("worker")
    for component in COMPONENTS:
        nlp, folder = trained_pipeline(component.factory, "full"), path / component.factory
        nlp.to_disk(folder)
        (folder / "pickle").write_bytes(pickle.dumps(nlp))
        srsly.write_json(folder / "texts.json", [doc.text for doc in gold(component, nlp)[0]])
    script = path / "worker.py"
    script.write_text(WORKER, encoding="utf8")
    folders = [path / component.factory for component in COMPONENTS]
    subprocess.run([sys.executable, script, *folders], timeout=240, check=True)
    return path


@pytest.mark.parametrize("way", ["pickled", "loaded", "two processes"])
def test_another_process_predicts_the_same(component, trained, from_worker, way):
    docs, expected = gold(component, trained)
    found = list(DocBin().from_disk(from_worker / component.factory / f"{way}.spacy").get_docs(trained.vocab))
    assert [component.read(doc) for doc in found] == expected
    for doc, other in zip(trained.pipe(docs), found, strict=True):
        assert doc.user_data.keys() == other.user_data.keys()
        assert list(other.user_data.values()) == pytest.approx(list(doc.user_data.values()), rel=1e-4)


# Target-only models


@pytest.mark.parametrize("transfer", ["full", "part"])
@pytest.mark.parametrize("own_tok2vec", [False, True])
def test_without_its_source_a_model_predicts_the_same(component, transfer, own_tok2vec, tmp_path):
    source = {"@architectures": "spacy.HashEmbedCNN.v2", "width": 24, "depth": 1}
    source |= {"embed_size": 100, "window_size": 1, "maxout_pieces": 2}
    source |= {"subword_features": True, "pretrained_vectors": None}
    model = {"source_tok2vec": source} if own_tok2vec else {}
    nlp = train(component, steps=1, transfer=transfer, **model)
    docs, _ = gold(component, nlp)
    expected, size = raw(nlp, component.factory, docs), len(nlp.to_bytes())
    pipe = nlp.get_pipe(component.factory)
    pipe.drop_source()
    assert pipe.label_data == {"target": component.labels["target"]}
    assert raw(nlp, component.factory, docs) == expected
    assert len(nlp.to_bytes()) < size
    names = pipe.model.shims[0].network.state_dict().keys()
    assert not [name for name in names if "source" in name or "discriminator" in name]
    target_only = create(component, transfer=transfer)
    target_only.get_pipe(component.factory).from_bytes(pipe.to_bytes())
    assert raw(target_only, component.factory, docs) == expected


# Listeners


def listening(component: Component) -> tuple[Language, list[Example]]:
    """A pipeline whose component listens to a tok2vec; examples that alternate the resources."""
    nlp = spacy.blank("es")
    nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    nlp.add_pipe(component.factory, config=settings(tok2vec=LISTENER))
    examples = component.examples(nlp.vocab)
    pairs = zip(of(examples, "source"), of(examples, "target"), strict=True)
    examples = [example for pair in pairs for example in pair]
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    return nlp, examples


def gradients(model: Model) -> list[np.ndarray]:
    return [node.get_grad(p) for node in model.walk() for p in sorted(node.param_names)]


@pytest.mark.parametrize("chosen", ["mixed", "source", "target"])
def test_a_listener_teaches_its_tok2vec_like_one_of_its_own(component, chosen):
    shared, examples = listening(component)
    batch = examples if chosen == "mixed" else of(examples, chosen)
    own = through_bytes(shared, None)
    own.replace_listeners("tok2vec", component.factory, ["model.tok2vec"])
    losses = [nlp.update(batch, sgd=False, losses={}) for nlp in (shared, own)]
    assert losses[0][component.factory] == pytest.approx(losses[1][component.factory])
    listened = gradients(shared.get_pipe("tok2vec").model)
    replaced = gradients(own.get_pipe(component.factory).model.get_ref("tok2vec"))
    sentences = losses[1][f"{component.factory}.sentences"]  # what its own wait to be divided by
    for one, other in zip(listened, replaced, strict=True):
        assert np.abs(one).max() > 1e-3
        assert_allclose(one, other / sentences, atol=1e-5)


def test_a_listening_pipeline_learns_and_is_saved(component, tmp_path):
    nlp, examples = listening(component)
    losses = learn(nlp, examples, nlp.resume_training(), steps=50)
    assert losses[f"{component.factory}.target"] < 0.2 * losses[f"{component.factory}.sentences"]
    docs, expected = gold(component, nlp)
    assert [component.read(doc) for doc in nlp.pipe(map(bare, docs))] == expected
    assert [component.read(spacy.load(through(nlp, tmp_path))(bare(d))) for d in docs] == expected
    nlp.replace_listeners("tok2vec", component.factory, ["model.tok2vec"])
    nlp.remove_pipe("tok2vec")
    assert [component.read(nlp(bare(doc))) for doc in docs] == expected
    assert [component.read(spacy.load(through(nlp, tmp_path))(bare(d))) for d in docs] == expected


def through(nlp: Language, path):
    nlp.to_disk(path)
    return path


def test_a_frozen_tok2vec_feeds_the_listener_by_its_annotation(component):
    nlp, examples = listening(component)
    tok2vec, model = nlp.get_pipe("tok2vec").model, nlp.get_pipe(component.factory).model
    frozen, moving = weights(tok2vec), weights(model)
    for batch in (examples, of(examples, "target")):
        nlp.update(batch, sgd=SGD(0.1), exclude=["tok2vec"], annotates=["tok2vec"])
    assert same(frozen, weights(tok2vec))
    assert not same(moving, weights(model))


# The command line of spaCy


@pytest.fixture(scope="module")
def corpora(component, tmp_path_factory) -> dict:
    """Files of both resources; the target is its own dev set."""
    path = tmp_path_factory.mktemp("corpora")
    examples = component.examples(Vocab())
    for resource in ("source", "target"):
        docs = [example.reference for example in of(examples, resource)]
        write_docs(path / f"{resource}.spacy", docs)
    target = path / "target.spacy"
    return {"source": path / "source.spacy", "target": target, "dev": target}


def run(*arguments) -> str:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def filled(component, corpora, tmp_path_factory):
    """A config as `spacy init fill-config` completes it from the name of the factory."""
    path = tmp_path_factory.mktemp("filled")
    config = training_config({component.factory: {"factory": component.factory}}, corpora)
    config.to_disk(path / "base.cfg")
    run("init", "fill-config", path / "base.cfg", path / "filled.cfg")
    return path / "filled.cfg"


def test_fill_config_writes_every_setting(component, filled):
    config = spacy.util.load_config(filled)
    block = config["components"][component.factory]
    assert block["model"]["decoder"] == {"@architectures": "spacy-datnet.CRF.v1"}
    assert block["model"]["encoder"]["@architectures"] == "spacy-datnet.BiLSTM.v1"
    assert block["loss"]["@losses"] == "spacy-datnet.DualAdversarialLoss.v1"
    assert {"alpha", "gamma", "epsilon_target"} < block["loss"].keys()
    assert config["training"]["score_weights"][component.score] == 1.0


def test_debug_config_finds_nothing_wrong(filled):
    run("debug", "config", filled)


def test_written_labels_are_read_by_the_config(component, filled, tmp_path):
    run("init", "labels", filled, tmp_path)
    path = tmp_path / f"{component.factory}.json"
    assert srsly.read_json(path) == component.labels
    config = spacy.util.load_config(filled)
    config["initialize"]["components"][component.factory] = {
        "labels": {"@readers": "spacy.read_labels.v1", "path": str(path)}
    }
    labels = init_nlp(config).get_pipe(component.factory).label_data
    assert labels == component.labels


def test_evaluate_reports_the_scores(component, trained, corpora, tmp_path):
    trained.to_disk(tmp_path / "model")
    output = tmp_path / "scores.json"
    run("evaluate", tmp_path / "model", corpora["dev"], "--output", output)
    assert srsly.read_json(output)[component.score] == 1.0


def test_benchmark_measures_a_speed(trained, corpora, tmp_path):
    trained.to_disk(tmp_path)
    output = run(
        *("benchmark", "speed", tmp_path, corpora["dev"]),
        *("--batch-size", 2, "--batches", 30, "--warmup", 0),
    )
    assert "words/s" in output.lower() or "WPS" in output


def test_labels_of_no_resource_are_refused(component):
    nlp = spacy.blank("es")
    pipe = nlp.add_pipe(component.factory)
    examples = component.examples(nlp.vocab)
    with pytest.raises(ValueError, match=r"DN019.*tgt"):
        pipe.initialize(lambda: examples, nlp=nlp, labels={"tgt": ["PER"]})


def test_the_base_model_does_not_see_the_source(component):
    losses = []
    for only_target in (False, True):
        fix_random_seed(0)
        nlp = spacy.blank("es")
        nlp.add_pipe(component.factory, config={"model": {"transfer": "none"}, "loss": {"discriminator": "none"}})
        examples = component.examples(nlp.vocab)
        if only_target:
            examples = [example for example in examples if resource_of(example) == "target"]
        nlp.initialize(lambda examples=examples: examples)
        fix_random_seed(0)
        losses.append(nlp.update(examples)[component.factory])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


def test_a_listener_and_word_features_of_the_source_exclude_each_other(component):
    nlp = spacy.blank("es")
    listener = {"@architectures": "spacy.Tok2VecListener.v1", "width": 8}
    vectors = {"@architectures": "spacy-datnet.WordVectors.v1", "vectors": "anywhere"}
    with pytest.raises(ValueError, match="DN018"):
        nlp.add_pipe(component.factory, config={"model": {"tok2vec": listener, "source_tok2vec": vectors}})
