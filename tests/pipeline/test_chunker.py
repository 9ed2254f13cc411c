"""What is special about `datnet_chunker`: its annotation, its key, confidence, scores."""

import warnings
from functools import partial

import numpy as np
import pytest
import spacy
from paths import agree, log_probability, log_scores, may_follow_biluo, tags_of
from seqeval.metrics import f1_score, precision_score, recall_score
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from util import SMALL_MODEL, TARGET_ANNOTATIONS, as_examples, bare, chunked, parse, task_examples, train_briefly

from spacy_datnet.resources import resource_of

NAME = "datnet_chunker"
PLAIN_LOSS = {"discriminator": "none", "adversarial_training": False}


def create(*, steps: int, examples: list[Example] | None = None, **settings) -> Language:
    """Make a pipeline and train it for some steps."""
    nlp = spacy.blank("es")
    nlp.add_pipe(NAME, config={"model": SMALL_MODEL, "loss": PLAIN_LOSS, **settings})
    return train_briefly(nlp, examples or task_examples(nlp.vocab, ["chunks"]), steps)


@pytest.fixture(scope="module")
def unsure() -> Language:
    """A pipeline that has begun to learn, so that its probabilities are far from 0 and 1."""
    return create(steps=10)


def read(doc: Doc, key: str = "chunks") -> list[tuple[str, str]]:
    return [(span.text, span.label_) for span in doc.spans[key]]


def sentences(nlp: Language) -> list[Doc]:
    return [Doc(nlp.vocab, words=parse(chunks)[0]) for _, _, chunks in TARGET_ANNOTATIONS]


# Annotation

# words of the predicted doc, the reference with its chunks, and the tag that each predicted word must have, which white
# space is not
ANNOTATION = {
    "full": ("Ana vive en Nueva York", "Ana/NP vive/VP en Nueva_York/NP", "U-NP U-VP O B-NP L-NP"),
    "touching": ("Ana no vive", "Ana/NP no_vive/VP", "U-NP B-VP L-VP"),
    "no chunks": ("hoy llueve mucho", "hoy llueve mucho", "O O O"),
    "unknown label": ("Ana vive en Nueva York", "Ana/NP vive/VP en Nueva_York/PP", "U-NP U-VP O - -"),
    "merged": ("Ana vive enLima", "Ana/NP vive/VP en Lima/NP", "U-NP U-VP -"),
    "merged outside": ("enel tren va", "en el tren/NP va/VP", "O U-NP U-VP"),
    "split": ("Ana vive en San José", "Ana/NP vive/VP en SanJosé/NP", "U-NP U-VP O B-NP L-NP"),
    "split outside": ("Ana vive e n Lima", "Ana/NP vive/VP en Lima/NP", "U-NP U-VP O O U-NP"),
    "white space": ("Ana \n vive", "Ana/NP vive/VP", "U-NP U-VP"),
}


@pytest.mark.parametrize("case", ANNOTATION)
def test_loss_is_that_of_all_paths_which_the_annotation_allows(unsure, case):
    words, reference, meant = ANNOTATION[case]
    words = words.split(" ")
    example = Example(Doc(unsure.vocab, words=words, spaces=[False] * len(words)), chunked(unsure.vocab, reference))
    tags = [None if tag == "-" else tag for tag in meant.split()]
    pipe = unsure.get_pipe(NAME)
    scores = log_scores(pipe, example.predicted, may_follow=may_follow_biluo)
    expected = -log_probability(scores, partial(agree, tags))
    assert pipe.update([example])[f"{NAME}.target"] == pytest.approx(expected, rel=1e-4)
    assert expected > 0.01


@pytest.mark.parametrize("words", ["Ana vive en Lima", "Ana vive enLima", "Ana \n vive en Lima"])
def test_a_doc_without_the_group_is_not_annotated(unsure, words):
    words = words.split(" ")
    reference = Doc(unsure.vocab, words=["Ana", "vive", "en", "Lima"])
    reference.spans["other"] = [reference[0:1]]
    predicted = Doc(unsure.vocab, words=words, spaces=[False] * len(words))
    assert unsure.get_pipe(NAME).update([Example(predicted, reference)])[NAME] == 0.0


def test_spans_without_tokens_annotate_nothing(unsure):
    (plain,), (strange,) = (as_examples([chunked(unsure.vocab, "Ana/NP vive en Lima/NP")]) for _ in range(2))
    spans = strange.reference.spans["chunks"]
    spans.append(Span(strange.reference, 2, 2, label="VP"))
    losses = [unsure.get_pipe(NAME).update([example])[NAME] for example in (plain, strange)]
    assert losses[0] == pytest.approx(losses[1], rel=1e-6)


@pytest.mark.parametrize("order", [1, -1])
def test_chunks_that_overlap_are_an_error_that_names_the_doc(unsure, order):
    reference = chunked(unsure.vocab, "el_tren/NP va/VP a Lima/NP")
    spans = [*reference.spans["chunks"], Span(reference, 1, 3, label="VP")][::order]
    reference.spans["chunks"] = spans
    examples = [*task_examples(unsure.vocab, ["chunks"]), *as_examples([reference])]
    pipe = spacy.blank("es").add_pipe(NAME, config={"model": SMALL_MODEL})
    for use in (lambda: unsure.get_pipe(NAME).update(examples), lambda: pipe.initialize(lambda: examples)):
        with pytest.raises(ValueError, match=r"DN023.*'el tren' and 'tren va' in the doc .*'el tren va a Lima"):
            use()


def test_chunks_without_a_label_are_possible():
    examples = task_examples(spacy.blank("es").vocab, ["chunks"])
    for doc in (example.reference for example in examples):
        doc.spans["chunks"] = [Span(doc, span.start, span.end) for span in doc.spans["chunks"]]
    nlp = create(steps=40, examples=examples)
    assert nlp.get_pipe(NAME).labels == ("",)
    target = [example for example in examples if resource_of(example) == "target"]
    for example in target:
        assert read(nlp(bare(example.reference))) == read(example.reference)
    assert nlp.evaluate(target)["spans_chunks_f"] == 1.0


# The key


def test_the_key_says_where_chunks_are_read_and_written():
    vocab = spacy.blank("es").vocab
    examples = task_examples(vocab, ["chunks"])
    for example in examples:
        spans = example.reference.spans
        spans["np"] = [span for span in spans["chunks"] if span.label_ == "NP"]
    with pytest.warns(UserWarning, match=r"\[DN053\].*spans_np_f"):
        nlp = create(steps=40, examples=examples, spans_key="np")
    assert nlp.get_pipe(NAME).label_data == {"source": ["NP"], "target": ["NP"]}
    doc = chunked(nlp.vocab, "Ana/X vive en Madrid/Y")
    nlp(doc)
    assert read(doc, "np") == [("Ana", "NP"), ("Madrid", "NP")]
    assert read(doc) == [("Ana", "X"), ("Madrid", "Y")]
    scores = nlp.evaluate([example for example in examples if resource_of(example) == "target"])
    assert scores["spans_np_f"] == 1.0 and "spans_chunks_f" not in scores


def test_a_pipeline_is_loaded_with_another_key(unsure, tmp_path):
    unsure.to_disk(tmp_path)
    other = spacy.load(tmp_path, config={"components": {NAME: {"spans_key": "other"}}})
    doc = other(Doc(other.vocab, words=["Ana", "vive"]))
    assert list(doc.spans) == ["other"]
    examples = as_examples([chunked(other.vocab, "Ana/NP vive/VP", key="other")])
    assert other.evaluate(examples)["spans_other_f"] is not None


def test_chunks_that_are_set_are_replaced(unsure):
    expected = unsure(Doc(unsure.vocab, words=["Ana", "vive", "en", "Madrid"]))
    doc = chunked(unsure.vocab, "Ana_vive/XP en_Madrid/XP")
    assert read(unsure(doc)) == read(expected) != []


# Confidence


def test_confidence_is_the_posterior_of_the_chunk(unsure):
    between = {True: 0, False: 0}
    for doc in sentences(unsure):
        scores = log_scores(unsure.get_pipe(NAME), doc, may_follow=may_follow_biluo)
        group = unsure(doc).spans["chunks"]
        assert group.attrs["scores"].tolist() == [span._.chunk_confidence for span in group]
        for span in group:
            tags = tags_of(span)
            exact = np.exp(log_probability(scores, lambda path, s=span, tags=tags: path[s.start : s.end] == tags))
            assert type(span._.chunk_confidence) is float
            assert span._.chunk_confidence == pytest.approx(exact, rel=1e-3)
            between[len(span) > 1] += 0.02 < exact < 0.98
    assert between[True] >= 2 and between[False] >= 2


def test_confidence_can_be_left_out(unsure):
    nlp = create(steps=0, confidence=False)
    nlp.get_pipe(NAME).from_bytes(unsure.get_pipe(NAME).to_bytes())
    for doc, expected in zip(sentences(nlp), sentences(unsure), strict=True):
        assert read(nlp(doc)) == read(unsure(expected))
        assert [span._.chunk_confidence for span in doc.spans["chunks"]] == [None] * len(doc.spans["chunks"])
        assert "scores" not in doc.spans["chunks"].attrs


def test_confidence_is_saved(unsure):
    docs = [unsure(doc) for doc in sentences(unsure)]
    data = DocBin(docs=docs, store_user_data=True).to_bytes()
    for doc, loaded in zip(docs, DocBin().from_bytes(data).get_docs(spacy.blank("es").vocab), strict=True):
        ours, theirs = doc.spans["chunks"], loaded.spans["chunks"]
        assert read(loaded) == read(doc)
        assert [span._.chunk_confidence for span in theirs] == [span._.chunk_confidence for span in ours]
        assert theirs.attrs["scores"].tolist() == ours.attrs["scores"].tolist()
    assert any(len(doc.spans["chunks"]) for doc in docs)


# Scores


def iob(doc: Doc) -> list[str]:
    tags = ["O"] * len(doc)
    for span in doc.spans["chunks"]:
        tags[span.start : span.end] = [f"I-{span.label_}"] * len(span)
        tags[span.start] = f"B-{span.label_}"
    return tags


def test_scores_are_those_of_seqeval(unsure):
    examples = task_examples(unsure.vocab, ["chunks"])
    scores = unsure.evaluate(examples)
    gold = [iob(example.reference) for example in examples]
    found = [iob(doc) for doc in unsure.pipe(bare(example.reference) for example in examples)]
    assert 0.1 < scores["spans_chunks_f"] < 0.95
    assert scores["spans_chunks_f"] == pytest.approx(f1_score(gold, found))
    assert scores["spans_chunks_p"] == pytest.approx(precision_score(gold, found))
    assert scores["spans_chunks_r"] == pytest.approx(recall_score(gold, found))
    for label in ("NP", "VP"):
        only = [
            [[tag if tag.endswith(f"-{label}") else "O" for tag in tags] for tags in side] for side in (gold, found)
        ]
        assert scores["spans_chunks_per_type"][label]["f"] == pytest.approx(f1_score(*only))


def test_docs_without_annotation_do_not_count_and_none_at_all_is_a_warning(unsure):
    examples = task_examples(unsure.vocab, ["chunks"])
    unknown = as_examples([bare(example.reference) for example in examples])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        expected = unsure.evaluate(examples)["spans_chunks_f"]
        assert unsure.evaluate([*unknown, *examples])["spans_chunks_f"] == expected
        assert unsure.get_pipe(NAME).score([])["spans_chunks_f"] is None
    with pytest.warns(UserWarning, match=r"\[DN054\].*chunks"):
        assert unsure.evaluate(unknown)["spans_chunks_f"] is None


def test_the_f_score_of_chunks_chooses_the_best_model(unsure):
    weights = unsure.config["training"]["score_weights"]
    assert {name: weight for name, weight in weights.items() if weight} == {"spans_chunks_f": 1.0}
    assert set(unsure.get_pipe_meta(NAME).scores) == set(weights)
    assert set(weights) == {f"spans_chunks_{part}" for part in ("f", "p", "r", "per_type")}
