"""A source that is annotated for another task than the target: tags for chunks, chunks for tags, and so on."""

from functools import partial

import pytest
import spacy
from paths import agree, log_probability, log_scores, may_follow_biluo
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example, offsets_to_biluo_tags
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import load_model_from_config
from util import SMALL_MODEL, bare, task_examples, train_briefly, training_config, write_docs

from spacy_datnet.pipeline.annotations import annotation_of
from spacy_datnet.pipeline.export import keep_target_only
from spacy_datnet.resources import SOURCE, TARGET, resource_of

PLAIN_LOSS = {"discriminator": "none", "adversarial_training": False}
# component, its own annotation, that of the source, the score
CASES = [
    ("datnet_chunker", "chunks", "tag", "spans_chunks_f"),
    ("datnet_chunker", "chunks", "ents", "spans_chunks_f"),
    ("datnet_tagger", "tags", "spans:chunks", "tag_acc"),
    ("datnet_ner", "ents", "pos", "ents_f"),
]
TASKS = {"tag": "tags", "pos": "tags", "ents": "ents", "spans:chunks": "chunks"}
POS = {"N": "NOUN", "V": "VERB", "P": "ADP", "R": "ADV", "D": "DET", "J": "ADJ"}
LABELS = {
    "tag": ["D", "J", "N", "P", "R", "V"],
    "pos": ["ADJ", "ADP", "ADV", "DET", "NOUN", "VERB"],
    "ents": ["LOC", "ORG", "PER"],
    "spans:chunks": ["ADVP", "NP", "VP"],
}


def examples_of(nlp: Language, own: str, other: str) -> list[Example]:
    """Sentences of which each resource has nothing but its own annotation."""
    examples = [example for example in task_examples(nlp.vocab, [own]) if resource_of(example) == TARGET]
    for example in task_examples(nlp.vocab, [TASKS[other]]):
        if resource_of(example) == SOURCE:
            if other == "pos":
                for token in example.reference:
                    token.pos_, token.tag_ = POS[token.tag_], ""
            examples.append(example)
    return examples


def create(component: str, other: str, **model) -> Language:
    nlp = spacy.blank("es")
    settings = {"model": {**SMALL_MODEL, **model}, "loss": PLAIN_LOSS, "source_annotation": other}
    nlp.add_pipe(component, config=settings)
    return nlp


@pytest.fixture(scope="module", params=CASES, ids=lambda case: f"{case[0]}-{case[2]}")
def case(request) -> tuple[str, str, str, str]:
    return request.param


@pytest.fixture(scope="module")
def trained(case) -> Language:
    component, own, other, _ = case
    nlp = create(component, other, transfer="part")
    return train_briefly(nlp, examples_of(nlp, own, other), 60)


def read(doc: Doc) -> tuple:
    spans = [(span.start, span.end, span.label_, span._.chunk_confidence) for span in doc.spans.get("chunks", ())]
    return [(ent.start, ent.end, ent.label_, ent._.confidence) for ent in doc.ents], spans, [t.tag_ for t in doc]


def test_each_resource_has_labels_of_its_own(case, trained):
    component, own, other, _ = case
    labels = trained.get_pipe(component).label_data
    assert labels[SOURCE] == LABELS[other]
    assert not set(labels[TARGET]) & set(labels[SOURCE]) or {own, other} == {"ents", "spans:chunks"}


def test_the_target_s_annotation_is_learnt_and_predicted(case, trained):
    _, own, other, score = case
    target = [example for example in examples_of(trained, own, other) if resource_of(example) == TARGET]
    assert trained.evaluate(target)[score] == 1.0
    doc = trained(bare(target[0].reference))
    assert bool(doc.ents) == (own == "ents")
    assert ("chunks" in doc.spans) == (own == "chunks")
    assert doc.has_annotation("TAG") == (own == "tags")
    assert not doc.has_annotation("POS")


def gold_names(example: Example, other: str) -> list[str]:
    """The tags of the source, by spaCy's own conversion."""
    doc = example.reference
    if other in ("tag", "pos"):
        return [getattr(token, f"{other}_") for token in doc]
    spans = doc.ents if other == "ents" else doc.spans["chunks"]
    return offsets_to_biluo_tags(doc, [(span.start_char, span.end_char, span.label_) for span in spans])


def test_the_loss_of_the_source_is_that_of_its_annotation(case):
    component, own, other, _ = case
    nlp = create(component, other)
    examples = examples_of(nlp, own, other)
    train_briefly(nlp, examples, 3)
    pipe = nlp.get_pipe(component)
    follows = {} if other in ("tag", "pos") else {"may_follow": may_follow_biluo}
    # few enough paths to enumerate
    (example,) = [example for example in examples if example.reference.text.startswith("Anna")]
    words = slice(0, 4)
    short = example.reference[words].as_doc()
    short.user_data.update(example.reference.user_data)
    if other == "spans:chunks":
        short.spans["chunks"] = [
            short.char_span(span.start_char, span.end_char, label=span.label_)
            for span in example.reference.spans["chunks"]
            if span.end <= len(short)
        ]
    example = Example(bare(short), short)
    scores = log_scores(pipe, example.predicted, resource=SOURCE, **follows)
    expected = -log_probability(scores, partial(agree, gold_names(example, other)))
    assert pipe.update([example])[f"{component}.source"] == pytest.approx(expected, rel=1e-4)
    assert expected > 0.01


def test_a_saved_and_an_exported_pipeline_predict_the_same(case, trained, tmp_path):
    component, own, other, _ = case
    trained.to_disk(tmp_path / "whole")
    loaded = spacy.load(tmp_path / "whole")
    assert loaded.get_pipe(component).label_data == trained.get_pipe(component).label_data
    exported = spacy.load(tmp_path / "whole")
    keep_target_only(exported)
    assert exported.config["components"][component]["source_annotation"] is None
    exported.to_disk(tmp_path / "target-only")
    for example in examples_of(trained, own, other):
        expected = read(trained(bare(example.reference)))
        for nlp in (loaded, exported, spacy.load(tmp_path / "target-only")):
            assert read(nlp(bare(example.reference))) == expected


def test_spacy_trains_it(case, tmp_path):
    component, own, other, score = case
    parts: dict[str, list[Doc]] = {SOURCE: [], TARGET: []}
    for example in examples_of(spacy.blank("es"), own, other):
        parts[resource_of(example)].append(example.reference)
    paths = {name: write_docs(tmp_path / f"{name}.spacy", docs) for name, docs in parts.items()}
    settings = {"factory": component, "model": SMALL_MODEL, "loss": PLAIN_LOSS, "source_annotation": other}
    config = training_config({component: settings}, {**paths, "dev": paths[TARGET]})
    train(init_nlp(load_model_from_config(config, auto_fill=True).config), tmp_path)
    assert spacy.load(tmp_path / "model-best").meta["performance"][score] > 0.8


def test_one_decoder_can_t_serve_two_annotations(case):
    component, own, other, _ = case
    nlp = create(component, other, share_decoder=True)
    with pytest.raises(ValueError, match=r"DN013.*share_decoder = false"):
        nlp.initialize(lambda: examples_of(nlp, own, other))


def test_entities_and_chunks_with_the_same_labels_may_share_a_decoder():
    nlp = create("datnet_chunker", "ents", share_decoder=True)
    examples = examples_of(nlp, "chunks", "ents")
    for example in examples:
        doc = example.reference
        if resource_of(example) == SOURCE:
            doc.ents = [Span(doc, 0, 1, label="NP"), Span(doc, 1, 2, label="VP")]
    nlp.initialize(lambda: examples)
    assert nlp.get_pipe("datnet_chunker").label_data == {SOURCE: ["NP", "VP"], TARGET: ["NP", "VP"]}


def test_a_source_without_that_annotation_is_an_error_that_names_the_setting():
    nlp = create("datnet_chunker", "tag")
    with pytest.raises(ValueError, match=r"DN012.*source_annotation"):
        nlp.initialize(lambda: task_examples(nlp.vocab, ["chunks"]))


@pytest.mark.parametrize("name", ["spans:", "chunks", "", "TAG", "dep"])
def test_an_unknown_kind_of_annotation_is_an_error(name):
    with pytest.raises(ValueError, match=r"DN026.*spans:KEY"):
        create("datnet_tagger", name)


def test_a_key_may_be_any_text():
    assert annotation_of("spans:a:b").key == "a:b"
