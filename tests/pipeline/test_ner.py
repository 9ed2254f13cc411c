"""What is special about `datnet_ner`: its annotation, entities that are set already, confidence, scores."""

from functools import partial
from itertools import pairwise

import numpy as np
import paths
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from paths import Scores, agree, log_probability, may_follow_biluo, tags_of
from seqeval.metrics import f1_score, precision_score, recall_score
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from util import (
    SMALL_MODEL,
    SOURCE_SENTENCES,
    TARGET_SENTENCES,
    annotated,
    as_examples,
    bare,
    entity_examples,
    train_briefly,
)

from spacy_datnet.resources import TARGET, resource_of

NAME = "datnet_ner"
PLAIN_LOSS = {"discriminator": "none", "adversarial_training": False}


def create(*, steps: int, **settings) -> Language:
    """Make a pipeline and train it for some steps."""
    nlp = spacy.blank("es")
    nlp.add_pipe(NAME, config={"model": SMALL_MODEL, "loss": PLAIN_LOSS, **settings})
    return train_briefly(nlp, entity_examples(nlp.vocab), steps)


@pytest.fixture(scope="module")
def sure() -> Language:
    return create(steps=50)


@pytest.fixture(scope="module")
def unsure() -> Language:
    """A pipeline that has begun to learn, so that its probabilities are far from 0 and 1."""
    return create(steps=9)


def read(doc: Doc) -> list[tuple[str, str]]:
    return [(ent.text, ent.label_) for ent in doc.ents]


def doc_of(nlp: Language, text: str) -> Doc:
    return Doc(nlp.vocab, words=text.split())


def log_scores(nlp: Language, doc: Doc, **settings) -> Scores:
    return paths.log_scores(nlp.get_pipe(NAME), doc, may_follow=may_follow_biluo, **settings)


# Annotation


def fully(nlp: Language) -> tuple[Example, list[str | None]]:
    (example,) = as_examples([annotated(nlp.vocab, "Ana/PER vive en Nueva_York/LOC")])
    return example, ["U-PER", "O", "O", "B-LOC", "L-LOC"]


def partially(nlp: Language) -> tuple[Example, list[str | None]]:
    doc = doc_of(nlp, "Ana vive en Nueva York")
    doc.set_ents([Span(doc, 0, 1, "PER")], outside=[doc[2:3]], default="missing")
    return as_examples([doc])[0], ["U-PER", None, "O", None, None]


def with_an_unknown_label(nlp: Language) -> tuple[Example, list[str | None]]:
    (example,) = as_examples([annotated(nlp.vocab, "Ana/PER vive en Nueva_York/GPE")])
    return example, ["U-PER", "O", "O", None, None]


def with_a_blocked_token(nlp: Language) -> tuple[Example, list[str | None]]:
    doc = doc_of(nlp, "Ana vive")
    doc.set_ents([], blocked=[doc[0:1]], default="missing")
    return as_examples([doc])[0], ["O", None]


def misaligned(nlp: Language) -> tuple[Example, list[str | None]]:
    reference = Doc(nlp.vocab, words=["Ana", "vive", "en", "Lima"], spaces=[True, True, False, False])
    reference.set_ents([Span(reference, 0, 1, "PER"), Span(reference, 3, 4, "LOC")])
    predicted = Doc(nlp.vocab, words=["Ana", "vive", "enLima"])
    return Example(predicted, reference), ["U-PER", "O", None]


def split_tokens(nlp: Language) -> tuple[Example, list[str | None]]:
    reference = Doc(nlp.vocab, words=["Ana", "está", "en", "SanJosé"])
    reference.set_ents([Span(reference, 3, 4, "LOC")])
    predicted = Doc(nlp.vocab, words=["Ana", "está", "en", "San", "José"], spaces=[True, True, True, False, False])
    return Example(predicted, reference), ["O", "O", "O", "B-LOC", "L-LOC"]


@pytest.mark.parametrize(
    "make", [fully, partially, with_an_unknown_label, with_a_blocked_token, misaligned, split_tokens]
)
def test_loss_is_that_of_all_paths_which_the_annotation_allows(unsure, make):
    example, tags = make(unsure)
    expected = -log_probability(log_scores(unsure, example.predicted), partial(agree, tags))
    loss = unsure.get_pipe(NAME).update([example])[f"{NAME}.target"]
    assert loss == pytest.approx(expected, rel=1e-4) and loss > 0.01


TEXT = "AnaviveenNuevaYork"


@st.composite
def tokenizations(draw) -> list[str]:
    borders = sorted(draw(st.sets(st.integers(1, len(TEXT) - 1), max_size=7)))
    return [TEXT[start:end] for start, end in pairwise([0, *borders, len(TEXT)])]


@given(tokenizations(), tokenizations(), st.lists(st.sampled_from(["O", "B-LOC", "B-PER", "I-LOC", None]), min_size=8))
def test_alignment_is_that_of_spacy(unsure, words, others, tags):
    pipe = unsure.get_pipe(NAME)
    tags = (tags * len(words))[: len(words)]
    tags = [
        "B-LOC" if tag == "I-LOC" and before in (None, "O", "B-PER") else tag for before, tag in pairwise([None, *tags])
    ]
    reference = Doc(unsure.vocab, words=words, spaces=[False] * len(words), ents=tags)
    example = Example(Doc(unsure.vocab, words=others, spaces=[False] * len(others)), reference)
    tag_set = pipe.tag_set_of("target")
    found = pipe.annotations["target"].gold_tags(example, tag_set)
    assert found.tolist() == tag_set.from_names(example.get_aligned_ner()).tolist()


def test_loss_of_the_source_is_that_of_its_own_decoder(unsure):
    (example,) = as_examples([annotated(unsure.vocab, "John/PER pays Acme/ORG", "source")])
    scores = log_scores(unsure, example.predicted, resource="source")
    expected = -log_probability(scores, lambda path: path == ("U-PER", "O", "U-ORG"))
    losses = unsure.get_pipe(NAME).update([example])
    assert losses[f"{NAME}.source"] == pytest.approx(expected, rel=1e-4)
    assert losses[f"{NAME}.target"] == 0.0


@pytest.mark.parametrize("decoder", ["CRF", "Softmax"])
def test_an_entity_across_the_border_of_sentences_is_not_learnt_from(decoder):
    model = SMALL_MODEL | {"decoder": {"@architectures": f"spacy-datnet.{decoder}.v1"}}
    nlp = create(steps=1, model=model)
    pipe = nlp.get_pipe(NAME)
    (alone,) = as_examples([annotated(nlp.vocab, "hoy llueve en Lima/LOC")])
    reference = annotated(nlp.vocab, "Ana vive en Nueva_York/LOC no Eva/PER hoy llueve en Lima/LOC")
    predicted = bare(reference)
    for doc in (predicted, reference):
        for token in doc:
            token.is_sent_start = token.i in (0, 4, 7)  # New | York
    losses = pipe.update([Example(predicted, reference)])
    assert losses[f"{NAME}.target"] == pytest.approx(pipe.update([alone])[f"{NAME}.target"], rel=1e-4)


def test_gradients_of_unannotated_tokens_are_not_those_of_outside_tokens(unsure):
    words = "Ana vive en Lima"
    missing, outside = (doc_of(unsure, words) for _ in range(2))
    outside.set_ents([], default="outside")
    losses = [unsure.get_pipe(NAME).update(as_examples([doc]))[NAME] for doc in (missing, outside)]
    assert losses[0] == 0.0 < losses[1]


# Entities that are set before


def test_entities_that_are_set_stay_and_others_are_found_around_them(sure):
    nlp = create(steps=0)
    nlp.get_pipe(NAME).from_bytes(sure.get_pipe(NAME).to_bytes())
    ruler = nlp.add_pipe("entity_ruler", before=NAME)
    ruler.add_patterns(
        [
            {"label": "GPE", "pattern": "Madrid", "id": "capital"},
            {"label": "PER", "pattern": "García trabaja"},
            {"label": "LOC", "pattern": "Nueva"},
        ]
    )
    assert read(sure(doc_of(sure, "Ana vive en Madrid"))) == [("Ana", "PER"), ("Madrid", "LOC")]
    doc = nlp(doc_of(nlp, "Ana vive en Madrid"))
    assert read(doc) == [("Ana", "PER"), ("Madrid", "GPE")]
    assert doc.ents[1].ent_id_ == "capital"
    assert doc.ents[1]._.confidence is None and doc.ents[0]._.confidence > 0.5
    doc = nlp(doc_of(nlp, "Luis García trabaja en San José"))
    assert ("García trabaja", "PER") in read(doc) and ("San José", "LOC") in read(doc)
    assert [token.ent_iob_ for token in doc][1:] == ["B", "I", "O", "B", "I"]
    doc = nlp(doc_of(nlp, "el tren va a Nueva York"))
    assert ("Nueva", "LOC") in read(doc) and ("Nueva York", "LOC") not in read(doc)


def test_blocked_spans_stay_blocked(sure):
    doc = doc_of(sure, "Luis García trabaja en San José")
    doc.set_ents([], blocked=[doc[0:2]], default="missing")
    doc = sure(doc)
    assert read(doc) == [("San José", "LOC")]
    assert [token.ent_iob for token in doc] == [3, 3, 2, 2, 3, 1]
    assert not doc[0].ent_type_


def test_no_entity_goes_on_across_white_space_that_is_set(sure):
    words = ["el", "tren", "va", "a", "Nueva", "\n", "York"]
    assert read(sure(Doc(sure.vocab, words=words))) == [("Nueva \n York", "LOC")]
    for settings in ({"ents": ["B-X" if word == "\n" else "O" for word in words]}, {"blocked": True}):
        doc = Doc(sure.vocab, words=words)
        if "ents" in settings:
            doc.set_ents([Span(doc, 5, 6, "X")], default="missing")
        else:
            doc.set_ents([], blocked=[doc[5:6]], default="missing")
        found = [(ent.start, ent.end) for ent in sure(doc).ents if ent.label_ != "X"]
        assert all(end <= 5 or start > 5 for start, end in found)


def test_white_space_at_the_borders_of_entities_is_not_learnt(unsure):
    losses = []
    for words, ent in (
        ("Ana vive en Lima", (3, 4)),
        ("Ana vive en \n Lima \n", (3, 6)),
        ("Ana vive en Lima \n", (3, 5)),
    ):
        doc = Doc(unsure.vocab, words=words.split(" "))
        doc.set_ents([Span(doc, *ent, "LOC"), Span(doc, 0, 1, "PER")])
        losses.append(unsure.get_pipe(NAME).update(as_examples([doc]))[NAME])
    assert losses == pytest.approx([losses[0]] * 3, rel=1e-4)


def test_a_doc_that_is_labelled_already_stays_the_same(unsure):
    for sentence in TARGET_SENTENCES:
        doc = annotated(unsure.vocab, sentence.replace("LOC", "PLACE"))
        before = read(doc)
        assert [ent for ent in read(unsure(doc)) if ent[1] == "PLACE"] == [ent for ent in before if ent[1] == "PLACE"]
    everything = doc_of(unsure, "Ana vive")
    everything.set_ents([Span(everything, 0, 2, "PER")])
    assert read(unsure(everything)) == [("Ana vive", "PER")]


# Confidence


def test_confidence_is_the_posterior_of_the_span(unsure):
    seen = {True: 0, False: 0}
    sentences = [*TARGET_SENTENCES[:5], "Ana García va a Nueva Lima", "Luis vive en San"]
    for doc in [doc_of(unsure, s.replace("_", " ").replace("/PER", "").replace("/LOC", "")) for s in sentences]:
        scores = log_scores(unsure, doc)
        for ent in unsure(doc).ents:
            tags = tags_of(ent)
            exact = np.exp(log_probability(scores, lambda p, e=ent, t=tags: p[e.start : e.end] == t))
            assert ent._.confidence == pytest.approx(exact, rel=1e-3)
            seen[len(ent) > 1] += 0.02 < exact < 0.98
    assert seen[True] >= 2 and seen[False] >= 2


def test_confidence_is_given_the_entities_that_are_set(unsure):
    doc = doc_of(unsure, "Luis García trabaja en San José")
    doc.set_ents([Span(doc, 2, 3, "GPE")], blocked=[doc[5:6]], default="missing")
    given = log_scores(unsure, doc, allowed=lambda i, tag: tag == "O" or i not in (2, 5))
    free = log_scores(unsure, doc)
    found = [ent for ent in unsure(doc).ents if ent.label_ != "GPE"]
    assert found
    for ent in found:
        exact, other = (
            np.exp(log_probability(scores, lambda p, e=ent: p[e.start : e.end] == tags_of(e)))
            for scores in (given, free)
        )
        assert ent._.confidence == pytest.approx(exact, rel=1e-3)
        assert abs(exact - other) > 0.01


def test_confidence_is_between_0_and_1(sure, unsure):
    for nlp in (sure, unsure):
        docs = [bare(annotated(nlp.vocab, s)) for s in TARGET_SENTENCES + SOURCE_SENTENCES]
        confidences = [ent._.confidence for doc in nlp.pipe(docs) for ent in doc.ents]
        assert len(confidences) > 8 and all(0.0 < p <= 1.0 for p in confidences)
        assert all(type(p) is float for p in confidences)


def test_confidence_of_a_sentence_does_not_depend_on_the_doc(unsure):
    docs = [bare(annotated(unsure.vocab, s)) for s in TARGET_SENTENCES]
    joined = Doc.from_docs(docs)
    borders = set(np.cumsum([0, *map(len, docs)]).tolist())
    for token in joined:
        token.is_sent_start = token.i in borders
    alone = [ent._.confidence for doc in docs for ent in unsure(doc).ents]
    assert [ent._.confidence for ent in unsure(joined).ents] == pytest.approx(alone, rel=1e-4)
    assert len(alone) > 3


def test_confidence_can_be_left_out(sure):
    nlp = create(steps=0, confidence=False)
    nlp.get_pipe(NAME).from_bytes(sure.get_pipe(NAME).to_bytes())
    doc = nlp(doc_of(nlp, "Ana vive en Madrid"))
    assert read(doc) == [("Ana", "PER"), ("Madrid", "LOC")]
    assert [ent._.confidence for ent in doc.ents] == [None, None]
    assert nlp.get_pipe(NAME).predict([doc])[0].marginal is None


def test_confidence_is_saved_with_the_user_data(sure):
    doc = sure(doc_of(sure, "Ana vive en Madrid"))
    for stored in (True, False):
        data = DocBin(docs=[doc], store_user_data=stored).to_bytes()
        (loaded,) = DocBin().from_bytes(data).get_docs(spacy.blank("es").vocab)
        expected = [ent._.confidence if stored else None for ent in doc.ents]
        assert len(expected) == 2
        assert [ent._.confidence for ent in loaded.ents] == expected
    (copied,) = sure.pipe([doc.copy()])
    assert [ent._.confidence for ent in copied.ents] == [ent._.confidence for ent in doc.ents]


# Scores and pictures


def test_scores_are_those_of_seqeval(unsure):
    docs = [annotated(unsure.vocab, s) for s in (*TARGET_SENTENCES, *SOURCE_SENTENCES)]
    scores = unsure.evaluate(as_examples(docs))

    def iob(doc: Doc) -> list[str]:
        return [f"{t.ent_iob_}-{t.ent_type_}" if t.ent_type_ else "O" for t in doc]

    gold, found = [iob(doc) for doc in docs], [iob(doc) for doc in unsure.pipe(map(bare, docs))]
    assert 0.1 < scores["ents_f"] < 0.95
    assert scores["ents_f"] == pytest.approx(f1_score(gold, found))
    assert scores["ents_p"] == pytest.approx(precision_score(gold, found))
    assert scores["ents_r"] == pytest.approx(recall_score(gold, found))
    for label in ("LOC", "PER"):
        only = [[[tag if tag.endswith(label) else "O" for tag in tags] for tags in side] for side in (gold, found)]
        assert scores["ents_per_type"][label]["f"] == pytest.approx(f1_score(*only))


def test_the_f_score_of_entities_chooses_the_best_model(sure):
    assert sure.config["training"]["score_weights"] == {
        "ents_f": 1.0,
        "ents_p": 0.0,
        "ents_r": 0.0,
        "ents_per_type": None,
    }
    meta = sure.get_pipe_meta(NAME)
    assert set(meta.scores) == {"ents_f", "ents_p", "ents_r", "ents_per_type"}
    assert set(meta.assigns) == {"doc.ents", "token.ent_iob", "token.ent_type"}


def test_displacy_shows_the_entities(sure):
    html = displacy.render(sure(doc_of(sure, "Ana vive en Madrid")), style="ent", jupyter=False)
    assert html.count("<mark") == 2
    assert all(word in html for word in ("Ana", "PER", "Madrid", "LOC"))


@pytest.mark.parametrize("transfer", ["full", "part"])
def test_a_target_only_pipe_refuses_source_examples(transfer):
    nlp = create(steps=1, model={**SMALL_MODEL, "transfer": transfer})
    nlp.get_pipe(NAME).drop_source()
    examples = entity_examples(nlp.vocab)
    nlp.update([example for example in examples if resource_of(example) == TARGET])
    with pytest.raises(ValueError, match="DN017"):
        nlp.update(examples)
