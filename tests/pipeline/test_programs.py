"""What programs do with a trained pipeline, and what other libraries in them change."""

import asyncio
import pickle
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from random import Random

import numpy as np
import pytest
import spacy
import torch
from numpy.testing import assert_allclose
from spacy import displacy
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from util import SMALL_MODEL, TARGET_SENTENCES, parse, task_examples, train_briefly

from spacy_datnet.training.replay import random_states

LOSS = {"epsilon_source": 0.5, "epsilon_target": 0.5, "epsilon_characters": 0.2}
SETTINGS = {"model": SMALL_MODEL, "loss": LOSS, "confidence": True}
NAMES = ("datnet_ner", "datnet_tagger", "datnet_chunker")
TEXTS = [" ".join(parse(sentence)[0]) for sentence in TARGET_SENTENCES]


def create() -> Language:
    nlp = spacy.blank("es")
    for name in NAMES:
        nlp.add_pipe(name, config=SETTINGS)
    return nlp


@pytest.fixture(scope="module")
def nlp() -> Language:
    """A pipeline that knows the examples. Tests leave it as it is."""
    nlp = create()
    return train_briefly(nlp, task_examples(nlp.vocab, ["ents", "tags", "chunks"]), 40)


@pytest.fixture(scope="module")
def folder(nlp, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("pipeline")
    nlp.to_disk(path)
    return path


def entities(doc: Doc) -> list[tuple]:
    return [(ent.text, ent.label_, ent._.confidence) for ent in doc.ents]


def read(doc: Doc) -> tuple:
    """All annotation, with confidences."""
    return (
        entities(doc),
        [(token.tag_, token._.tag_confidence) for token in doc],
        [(span.text, span.label_, span._.chunk_confidence) for span in doc.spans.get("chunks", ())],
    )


def assert_like(found: list[tuple], expected: list[tuple]) -> None:
    """Compare annotation; confidences may differ by rounding, because docs of other batches are rounded otherwise."""
    for one, other in zip(found, expected, strict=True):
        for part, truth in zip(one, other, strict=True):
            assert [entry[:-1] for entry in part] == [entry[:-1] for entry in truth]
            assert_allclose([entry[-1] for entry in part], [entry[-1] for entry in truth], atol=1e-4)


@pytest.fixture(scope="module")
def expected(nlp) -> list[tuple]:
    found = [read(nlp(text)) for text in TEXTS]
    assert sum(len(ents) for ents, _, _ in found) > 5
    return found


# Programs


def test_threads_share_a_pipeline(nlp, expected):
    def work(seed: int) -> list[tuple]:
        order = list(range(len(TEXTS)))
        Random(seed).shuffle(order)
        found = {i: read(nlp(f"{TEXTS[i]}")) for i in order}
        return [found[i] for i in range(len(TEXTS))]

    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(work, range(24)):
            assert_like(found, expected)


def test_an_event_loop_hands_texts_to_threads(nlp, expected):
    async def serve() -> list[Doc]:
        return await asyncio.gather(*(asyncio.to_thread(nlp, text) for text in TEXTS))

    assert_like([read(doc) for doc in asyncio.run(serve())], expected)


def test_predicting_draws_no_random_numbers(nlp):
    before = random_states()
    list(nlp.pipe(TEXTS))
    assert random_states() == before


def test_contexts_travel_with_their_texts(nlp, expected):
    pairs = list(nlp.pipe(zip(TEXTS, range(len(TEXTS)), strict=True), as_tuples=True, batch_size=2))
    assert [context for _, context in pairs] == list(range(len(TEXTS)))
    assert_like([read(doc) for doc, _ in pairs], expected)


def test_docs_that_are_tokenized_already(nlp, expected):
    docs = [nlp.make_doc(text) for text in TEXTS]
    for doc in docs:
        doc.user_data["id"] = doc.text
    assert_like([read(doc) for doc in nlp.pipe(docs)], expected)
    assert all(doc.user_data["id"] == doc.text for doc in docs)


def test_a_memory_zone_leaves_nothing_behind(nlp, expected):
    for turn in range(3):
        with nlp.memory_zone():
            for i in range(200):
                nlp(f"Zwerg{turn}x{i} vive en Ort{i}y{turn}")
        assert_like([read(nlp(text)) for text in TEXTS], expected)


def test_components_are_switched_off_and_on(nlp, folder, expected):
    with nlp.select_pipes(enable="datnet_tagger"):
        doc = nlp(TEXTS[0])
        assert not doc.ents and "chunks" not in doc.spans and doc.has_annotation("TAG")
    other = spacy.load(folder, disable=["datnet_ner"])
    assert not other(TEXTS[0]).ents
    other.enable_pipe("datnet_ner")
    other.disable_pipe("datnet_chunker")
    other.enable_pipe("datnet_chunker")
    assert_like([read(other(text)) for text in TEXTS], expected)


def test_a_component_of_one_s_own_comes_after(folder):
    seen = []

    @Language.component("company_reader")
    def company_reader(doc: Doc) -> Doc:
        seen.append(entities(doc))
        doc.ents = [ent for ent in doc.ents if ent.label_ == "PER"]
        return doc

    other = spacy.load(folder)
    other.add_pipe("company_reader", after="datnet_ner")
    docs = list(other.pipe(TEXTS))
    assert [[ent for ent in before if ent[1] == "PER"] for before in seen] == [entities(doc) for doc in docs]


def test_settings_are_changed_while_loading(folder):
    other = spacy.load(folder, config={"components.datnet_ner.confidence": False, "nlp.batch_size": 3})
    doc = other(TEXTS[0])
    assert doc.ents and all(ent._.confidence is None for ent in doc.ents)


def test_components_are_sourced_under_other_names(folder, expected):
    source = spacy.load(folder)
    other = spacy.blank("es")
    other.add_pipe("datnet_ner", source=source, name="people")
    assert [entities(other(text)) for text in TEXTS] == [ents for ents, _, _ in expected]
    examples = task_examples(other.vocab, ["ents"])
    losses = other.update(examples, sgd=other.resume_training(), losses={})
    assert "people" in losses


def test_two_pipelines_share_a_vocab(nlp, folder, expected):
    other = spacy.load(folder, vocab=nlp.vocab)
    for text, truth in zip(TEXTS, expected, strict=True):
        assert_like([read(other(text)), read(nlp(text))], [truth, truth])


def test_two_recognizers_in_one_pipeline(folder, expected):
    other = spacy.load(folder, exclude=["datnet_tagger", "datnet_chunker"])
    other.add_pipe("datnet_ner", source=spacy.load(folder), name="again")
    # what the first one set stays, with its confidence
    assert [entities(other(text)) for text in TEXTS] == [ents for ents, _, _ in expected]


# Docs


def test_copies_of_docs(nlp, expected):
    docs = [nlp(text) for text in TEXTS]
    assert_like([read(doc.copy()) for doc in docs], expected)
    assert_like([read(pickle.loads(pickle.dumps(doc))) for doc in docs], expected)
    assert_like([read(Doc(nlp.vocab).from_bytes(doc.to_bytes())) for doc in docs], expected)
    docbin = DocBin(docs=docs, store_user_data=True)
    assert_like([read(doc) for doc in DocBin().from_bytes(docbin.to_bytes()).get_docs(nlp.vocab)], expected)


def test_docs_put_together_and_taken_apart(nlp, expected):
    docs = [nlp(text) for text in TEXTS]
    whole = Doc.from_docs(docs)
    assert entities(whole) == [ent for ents, _, _ in expected for ent in ents]
    assert [token._.tag_confidence for token in whole] == [p for _, tags, _ in expected for _, p in tags]
    starts = np.cumsum([0, *(len(doc) for doc in docs)])
    parts = [whole[a:b].as_doc(copy_user_data=True) for a, b in pairwise(starts)]
    assert [entities(part) for part in parts] == [ents for ents, _, _ in expected]


def test_entities_are_merged(nlp, expected):
    doc = nlp(TEXTS[1])
    before = entities(doc)
    with doc.retokenize() as retokenizer:
        for ent in doc.ents:
            retokenizer.merge(ent)
    assert entities(doc) == before and all(len(ent) == 1 for ent in doc.ents)
    merging = spacy.blank("es")
    merging.add_pipe("datnet_ner", source=nlp)
    merging.add_pipe("merge_entities")
    assert [entities(merging(text)) for text in TEXTS] == [ents for ents, _, _ in expected]


def test_displacy_draws_all(nlp):
    doc = nlp(TEXTS[1])
    assert "PER" in displacy.render(doc, style="ent", jupyter=False)
    assert "NP" in displacy.render(doc, style="span", options={"spans_key": "chunks"}, jupyter=False)


# Global settings of other libraries


@contextmanager
def numpy_raises() -> Iterator[None]:
    with np.errstate(all="raise"):
        yield


@contextmanager
def warnings_raise() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@contextmanager
def deterministic() -> Iterator[None]:
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


@pytest.mark.parametrize("setting", [numpy_raises, warnings_raise, deterministic, torch.no_grad])
def test_settings_of_others(setting, folder, expected):
    with setting():
        other = spacy.load(folder)
        assert_like([read(other(text)) for text in TEXTS], expected)
        assert_like([read(doc) for doc in other.pipe(TEXTS)], expected)
    # and nothing is left of it
    examples = task_examples(other.vocab, ["ents", "tags", "chunks"])
    other.update(examples, sgd=other.resume_training(), losses={})


@pytest.mark.parametrize("setting", [numpy_raises, warnings_raise, deterministic])
def test_training_under_settings_of_others(setting):
    with setting():
        nlp = create()
        train_briefly(nlp, task_examples(nlp.vocab, ["ents", "tags", "chunks"]), 2)
        nlp.evaluate(task_examples(nlp.vocab, ["ents", "tags", "chunks"])[:6])


def test_a_span_of_one_s_own_has_no_confidence_of_another(nlp):
    doc = nlp(TEXTS[1])
    doc.ents = [Span(doc, 0, 1, label="ORG")]
    assert [ent._.confidence for ent in doc.ents] == [None]


def test_prefer_gpu_without_one(folder, expected):
    if torch.cuda.is_available():
        pytest.skip("there is one")
    assert not spacy.prefer_gpu()
    other = spacy.load(folder)
    assert_like([read(other(text)) for text in TEXTS], expected)
