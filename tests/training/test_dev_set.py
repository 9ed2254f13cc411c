"""A dev corpus by which no step can be chosen is said when the training begins."""

import warnings
from io import StringIO
from pathlib import Path

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training.initialize import init_nlp
from spacy.util import registry
from util import SMALL_MODEL, entity_examples, training_config, write_docs

from spacy_datnet.training.loggers import is_short


@pytest.fixture(scope="module")
def trained(tmp_path_factory) -> tuple[Path, spacy.Language]:
    """A pipeline as it is when a training begins, and the folder of its corpora."""
    folder = tmp_path_factory.mktemp("corpora")
    docs = [example.reference for example in entity_examples(spacy.blank("es").vocab)]
    paths = {name: write_docs(folder / f"{name}.spacy", docs) for name in ("source", "target", "dev")}
    config = training_config({"datnet_ner": {"factory": "datnet_ner", "model": SMALL_MODEL}}, paths)
    config["training"]["gpu_allocator"] = None
    return folder, init_nlp(config)


def messages(nlp: spacy.Language, folder: Path, docs: list[Doc]) -> list[str]:
    write_docs(folder / "dev.spacy", docs)
    block = nlp.config.interpolate()["training"]["logger"]
    setup = registry.resolve({"logger": block})["logger"]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        setup(nlp, StringIO(), StringIO())
    return [str(warning.message) for warning in caught if "[DN15" in str(warning.message)]


def make_doc(nlp: spacy.Language, label: str | None) -> Doc:
    doc = Doc(nlp.vocab, words=["Ana", "vive", "en", "Lugo"])
    if label is not None:
        doc.set_ents([doc.char_span(12, 16, label)])
    return doc


def test_a_dev_set_with_known_labels_is_fine(trained):
    folder, nlp = trained
    known = nlp.get_pipe("datnet_ner").labels[0]
    assert messages(nlp, folder, [make_doc(nlp, None), make_doc(nlp, "OTHER"), make_doc(nlp, known)]) == []


@pytest.mark.parametrize(
    ("labels", "code"),
    [([], "DN150"), ([None, None], "DN153"), (["OTHER", None, "ANOTHER"], r"DN152")],
    ids=["empty", "not annotated", "unknown labels"],
)
def test_a_dev_set_that_gives_no_score_is_said(trained, labels, code):
    folder, nlp = trained
    (message,) = messages(nlp, folder, [make_doc(nlp, label) for label in labels])
    assert f"[{code}]" in message
    if code == "DN152":
        assert "ANOTHER, OTHER" in message and ", ".join(nlp.get_pipe("datnet_ner").labels) in message


@pytest.mark.parametrize(
    ("scores", "max_steps", "expected"),
    [
        ([0.1, 0.2, 0.3], 200, True),
        ([0.1, 0.3, 0.3], 200, False),  # the best came earlier
        ([0.1, 0.3, 0.2], 200, False),
        ([0.1, 0.2, 0.3], 300, False),  # patience or an interruption ended it
        ([0.1, 0.2, 0.3], 0, False),
        ([0.0, 0.0, 0.0], 200, False),
        ([0.1], 0, False),
    ],
)
def test_a_training_that_was_too_short_is_known(scores, max_steps, expected):
    evaluated = [(100 * i, score) for i, score in enumerate(scores)]
    assert is_short(evaluated, max_steps) is expected
