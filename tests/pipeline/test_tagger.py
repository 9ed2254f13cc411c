"""What is special about `datnet_tagger`: its annotation, tags that are set already, confidence, scores, labels."""

import warnings
from functools import partial

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_array_equal
from paths import agree, log_probability, log_scores
from spacy.language import Language
from spacy.matcher import Matcher
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from util import SMALL_MODEL, TARGET_ANNOTATIONS, as_examples, bare, parse, task_examples, train_briefly

from spacy_datnet.resources import resource_of

NAME = "datnet_tagger"
PLAIN_LOSS = {"discriminator": "none", "adversarial_training": False}
AS_POS = {"D": "DET", "J": "ADJ", "N": "NOUN", "P": "ADP", "R": "ADV", "V": "VERB"}


def examples_of(vocab, attribute: str) -> list[Example]:
    """A dozen stamped sentences whose tags are in one attribute."""
    examples = task_examples(vocab, ["tags"])
    if attribute == "pos":
        for token in (token for example in examples for token in example.reference):
            token.pos_, token.tag_ = AS_POS[token.tag_], ""
    return examples


def create(*, steps: int, **settings) -> Language:
    """Make a pipeline and train it for some steps."""
    nlp = spacy.blank("es")
    pipe = nlp.add_pipe(NAME, config={"model": SMALL_MODEL, "loss": PLAIN_LOSS, **settings})
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\[DN053\]")
        return train_briefly(nlp, examples_of(nlp.vocab, pipe.attribute), steps)


def create_unsure(**settings) -> Language:
    """Make a pipeline that has begun to learn: no probability is near 0 or 1, and tags depend on their neighbours."""
    nlp = create(steps=5, **settings)
    rng = torch.Generator().manual_seed(0)
    for decoder in nlp.get_pipe(NAME).model.shims[0].network.decoders.values():
        torch.nn.init.normal_(decoder.transitions, generator=rng)
    return nlp


@pytest.fixture(scope="module", params=["tag", "pos"])
def unsure(request) -> Language:
    return create_unsure(attribute=request.param)


@pytest.fixture(scope="module")
def tagged() -> Language:
    return create_unsure()


def attribute_of(nlp: Language) -> str:
    return nlp.get_pipe(NAME).attribute


def write(doc: Doc, attribute: str, tags: str) -> Doc:
    """Set tags given as the letters of the examples; `-` leaves a token without one."""
    for token, letter in zip(doc, tags.split(), strict=True):
        if letter != "-":
            setattr(token, f"{attribute}_", name_of(attribute, letter))
    return doc


def name_of(attribute: str, letter: str) -> str:
    return AS_POS.get(letter, letter) if attribute == "pos" else letter


def read(doc: Doc, attribute: str = "tag") -> str:
    return " ".join(getattr(token, f"{attribute}_") or "-" for token in doc)


def doc_of(nlp: Language, text: str) -> Doc:
    return Doc(nlp.vocab, words=text.split())


# Annotation

# words of the predicted doc, words of the reference, its tags, and the tag that each predicted token must have
ANNOTATION = {
    "full": ("Ana vive en Lima", "Ana vive en Lima", "N V P N", "N V P N"),
    "partial": ("Ana vive en Lima", "Ana vive en Lima", "N - P -", "N - P -"),
    "unknown tag": ("Ana vive en Lima", "Ana vive en Lima", "X V P N", "- V P N"),
    "merged, unlike": ("Ana vive enLima", "Ana vive en Lima", "N V P N", "N V -"),
    "merged, alike": ("AnaLima vive", "Ana Lima vive", "N N V", "N V"),
    "split": ("Ana vive en San José", "Ana vive en SanJosé", "N V P N", "N V P N N"),
}


@pytest.mark.parametrize("case", ANNOTATION)
def test_loss_is_that_of_all_paths_which_the_annotation_allows(unsure, case):
    attribute = attribute_of(unsure)
    predicted, reference, given, meant = ANNOTATION[case]
    reference = write(doc_of(unsure, reference), attribute, given)
    example = Example(Doc(unsure.vocab, words=predicted.split(), spaces=[False] * len(predicted.split())), reference)
    tags = [None if letter == "-" else name_of(attribute, letter) for letter in meant.split()]
    pipe = unsure.get_pipe(NAME)
    expected = -log_probability(log_scores(pipe, example.predicted), partial(agree, tags))
    assert pipe.update([example])[f"{NAME}.target"] == pytest.approx(expected, rel=1e-4)
    assert expected > 0.01


def test_loss_of_the_source_is_that_of_its_own_decoder(unsure):
    attribute = attribute_of(unsure)
    example = next(eg for eg in examples_of(unsure.vocab, attribute) if resource_of(eg) == "source")
    example = Example(bare(example.reference)[:4].as_doc(), example.reference[:4].as_doc())
    example.reference.user_data["datnet_resource"] = "source"
    pipe = unsure.get_pipe(NAME)
    scores = log_scores(pipe, example.predicted, resource="source")
    expected = -log_probability(scores, lambda path: " ".join(path) == read(example.reference, attribute))
    losses = pipe.update([example])
    assert losses[f"{NAME}.source"] == pytest.approx(expected, rel=1e-4)
    assert losses[f"{NAME}.target"] == 0.0


# Tags that are set before


def test_tags_that_are_set_stay_and_the_best_path_around_them_is_found(unsure):
    attribute, pipe = attribute_of(unsure), unsure.get_pipe(NAME)
    steered = 0
    for ents, _, _ in TARGET_ANNOTATIONS:
        words = parse(ents)[0]
        for i, letter in ((0, "V"), (len(words) - 1, "D"), (1, "P")):
            doc = Doc(unsure.vocab, words=words)
            tag = name_of(attribute, letter)
            setattr(doc[i], f"{attribute}_", tag)
            scores = log_scores(pipe, doc, allowed=lambda j, name, i=i, tag=tag: j != i or name == tag)
            best = max(scores, key=scores.get)
            free = read(unsure(Doc(unsure.vocab, words=words)), attribute).split()
            assert read(unsure(doc), attribute).split() == list(best)
            steered += any(a != b for j, (a, b) in enumerate(zip(best, free, strict=True)) if j != i)
            for j, token in enumerate(doc):
                found = token._.get(f"{attribute}_confidence")
                if j == i:
                    assert np.isnan(found)
                else:
                    exact = np.exp(log_probability(scores, lambda path, j=j, best=best: path[j] == best[j]))
                    assert found == pytest.approx(exact, rel=1e-3)
    assert steered


def test_tags_that_are_set_and_not_among_the_labels_stay_and_say_nothing(tagged):
    doc = doc_of(tagged, "Ana vive en Madrid")
    alone = tagged(doc_of(tagged, "Ana vive en Madrid"))
    doc[1].tag_ = "VBZ"
    tagged(doc)
    assert [token.tag_ for token in doc] == [alone[0].tag_, "VBZ", alone[2].tag_, alone[3].tag_]
    expected = [alone[0]._.tag_confidence, np.nan, alone[2]._.tag_confidence, alone[3]._.tag_confidence]
    assert_array_equal([token._.tag_confidence for token in doc], expected)


def test_only_docs_with_tags_are_steered(tagged):
    docs = [doc_of(tagged, "Ana vive en Madrid") for _ in range(3)]
    docs[1][0].tag_ = "D"
    first, _, last = tagged.pipe(docs)
    assert read(first) == read(last) == read(tagged(doc_of(tagged, "Ana vive en Madrid")))


def test_tags_that_are_set_are_replaced_where_that_is_wanted(tagged):
    nlp = create(steps=0, overwrite=True)
    nlp.get_pipe(NAME).from_bytes(tagged.get_pipe(NAME).to_bytes())
    expected = tagged(doc_of(tagged, "Ana vive en Madrid"))
    doc = nlp(write(doc_of(nlp, "Ana vive en Madrid"), "tag", "D D X -"))
    assert read(doc) == read(expected) != "D D X N"
    assert [t._.tag_confidence for t in doc] == pytest.approx([t._.tag_confidence for t in expected], rel=1e-5)


def test_other_annotation_stays(unsure):
    words = ["Ana", "vive", "en", "Madrid", "y", "trabaja"]
    doc = Doc(
        unsure.vocab,
        words=words,
        heads=[1, 1, 3, 1, 5, 1],
        deps=["nsubj", "ROOT", "case", "obl", "cc", "conj"],
        lemmas=[word.lower() for word in words],
        morphs=["Number=Sing"] * 6,
        ents=["B-PER", "O", "O", "B-LOC", "O", "O"],
    )
    before = doc.to_json()
    after = unsure(doc).to_json()
    own = attribute_of(unsure)
    assert all(token.pop(own) for token in after["tokens"])
    assert after == before


# Confidence


def test_confidence_is_the_marginal_probability_of_the_tag(unsure):
    attribute, between = attribute_of(unsure), 0
    for ents, _, _ in TARGET_ANNOTATIONS:
        doc = Doc(unsure.vocab, words=parse(ents)[0])
        scores = log_scores(unsure.get_pipe(NAME), doc)
        for token in unsure(doc):
            tag = getattr(token, f"{attribute}_")
            exact = np.exp(log_probability(scores, lambda path, i=token.i, tag=tag: path[i] == tag))
            found = token._.get(f"{attribute}_confidence")
            assert type(found) is float and found == pytest.approx(exact, rel=1e-3)
            between += 0.1 < exact < 0.9
    assert between > 5


def test_taggers_of_both_attributes_do_not_mix_their_confidences(tagged):
    doc = tagged(doc_of(tagged, "Ana vive en Madrid"))
    alone = [token._.tag_confidence for token in doc]
    create(steps=2, attribute="pos").get_pipe(NAME)(doc)
    assert [token._.tag_confidence for token in doc] == alone
    assert all(0.0 < token._.pos_confidence != token._.tag_confidence for token in doc)
    assert all(token.tag_ and token.pos_ for token in doc)


def test_a_tag_that_was_there_has_no_confidence(tagged):
    doc = tagged(doc_of(tagged, "Ana vive en Madrid"))
    assert doc[1]._.tag_confidence
    doc[1].tag_ = "N"
    assert np.isnan([token._.tag_confidence for token in tagged(doc)]).all()
    for token in doc:
        token.tag_ = ""
    doc[1].tag_ = "N"
    tagged(doc)
    assert [np.isnan(token._.tag_confidence) for token in doc] == [False, True, False, False]


def test_confidence_can_be_left_out(tagged):
    nlp = create(steps=0, confidence=False)
    nlp.get_pipe(NAME).from_bytes(tagged.get_pipe(NAME).to_bytes())
    doc = nlp(doc_of(nlp, "Ana vive en Madrid"))
    assert read(doc) == read(tagged(doc_of(tagged, "Ana vive en Madrid")))
    assert np.isnan([token._.tag_confidence for token in doc]).all()


def test_confidence_is_saved_with_the_user_data(unsure):
    name = f"{attribute_of(unsure)}_confidence"
    doc = unsure(doc_of(unsure, "Ana vive en Madrid"))
    data = DocBin(docs=[doc], store_user_data=True).to_bytes()
    (loaded,) = DocBin().from_bytes(data).get_docs(spacy.blank("es").vocab)
    assert [token._.get(name) for token in loaded] == [token._.get(name) for token in doc]
    assert loaded[0]._.get(name) is not None


# Scores


def test_the_score_is_the_share_of_right_tags_among_those_that_are_annotated(unsure):
    attribute = attribute_of(unsure)
    examples = [eg for eg in examples_of(unsure.vocab, attribute) if resource_of(eg) == "target"]
    examples[0].reference[1].tag_ = examples[0].reference[1].pos_ = ""
    examples.append(as_examples([doc_of(unsure, "nada de nada")])[0])
    right = total = 0
    for example in examples:
        predicted = read(unsure(bare(example.reference)), attribute).split()
        pairs = list(zip(read(example.reference, attribute).split(), predicted, strict=True))
        right += sum(gold == found for gold, found in pairs)
        total += sum(gold != "-" for gold, _ in pairs)
    scores = unsure.evaluate(examples)
    assert total == sum(len(example.reference) for example in examples) - 4
    assert 0.1 < right / total < 0.95
    assert scores[f"{attribute}_acc"] == pytest.approx(right / total)
    assert f"{'pos' if attribute == 'tag' else 'tag'}_acc" not in scores
    assert unsure.evaluate(examples[-1:])[f"{attribute}_acc"] is None


@pytest.mark.parametrize(
    ("attribute", "weights", "warned"),
    [
        ("tag", {}, False),
        ("pos", {}, True),
        ("pos", {"pos_acc": 1.0, "tag_acc": None}, False),
        ("pos", {"pos_acc": 0.0}, False),
        ("pos", {"pos_acc": None}, False),
    ],
)
def test_a_score_that_does_not_choose_the_best_model_is_a_warning(attribute, weights, warned):
    nlp = spacy.blank("es")
    nlp.add_pipe(NAME, config={"model": SMALL_MODEL, "attribute": attribute})
    nlp.config["training"]["score_weights"] = weights
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        nlp.initialize(lambda: examples_of(nlp.vocab, attribute))
    assert any("[DN053]" in str(warning.message) and "pos_acc" in str(warning.message) for warning in caught) == warned


# Labels


def test_any_tag_set_is_possible_and_that_of_the_source_may_be_another():
    nlp = spacy.blank("es")
    pipe = nlp.add_pipe(NAME, config={"model": SMALL_MODEL})
    examples = examples_of(nlp.vocab, "tag")
    for example in examples:
        if resource_of(example) == "source":
            for token in example.reference:
                token.tag_ = f"en:{token.tag_}|{token.i % 2}"
    nlp.initialize(lambda: examples)
    assert pipe.labels == ("D", "N", "P", "R", "V")
    assert len(pipe.label_data["source"]) > 6 and all(tag.startswith("en:") for tag in pipe.label_data["source"])
    losses = nlp.update(examples, losses={})
    assert losses[f"{NAME}.source"] > 0.0 and losses[f"{NAME}.target"] > 0.0


@pytest.mark.parametrize(("attribute", "label"), [("pos", "NN"), ("pos", "noun"), ("pos", ""), ("tag", "")])
def test_labels_that_the_attribute_does_not_take_are_refused(attribute, label):
    nlp = spacy.blank("es")
    pipe = nlp.add_pipe(NAME, config={"model": SMALL_MODEL, "attribute": attribute})
    with pytest.raises(ValueError, match="DN022"):
        pipe.add_label(label)
    for resource in ("source", "target"):
        with pytest.raises(ValueError, match="DN022"):
            pipe.initialize(lambda: examples_of(nlp.vocab, attribute), labels={resource: ["NOUN", label]})
    assert not pipe.labels


def test_labels_of_universal_dependencies_are_possible():
    pipe = spacy.blank("es").add_pipe(NAME, config={"attribute": "pos"})
    labels = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X"
    assert [pipe.add_label(label) for label in labels.split()] == [1] * 17


def test_another_attribute_is_an_error():
    with pytest.raises(ValueError, match=r"DN021.*lemma.*tag, pos"):
        spacy.blank("es").add_pipe(NAME, config={"attribute": "lemma"})


def test_a_matcher_compares_confidences_also_where_there_is_none(tagged):
    doc = doc_of(tagged, "Ana vive en Madrid")
    doc = tagged(Doc(tagged.vocab, words=["Ana", "\n", *[token.text for token in doc[1:]]]))
    doc[0].tag_, doc.user_data = "other", {**doc.user_data}
    assert np.isnan(doc[1]._.tag_confidence)
    for operator, expected in (("<", False), (">=", True)):
        matcher = Matcher(tagged.vocab)
        matcher.add("SURE", [[{"_": {"tag_confidence": {operator: 0.0}}}]])
        assert {start for _, start, _ in matcher(doc)} == ({0, 2, 3, 4} if expected else set())
