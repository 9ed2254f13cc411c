"""The test sentences of runs."""

import pytest
from spacy.tokens import Doc
from synthetic import VOCAB, make_results
from util import write_docs

from spacy_datnet.experiments.predictions import sentence_of, sentences_of_variant

VARIANTS = {"base": (False, lambda n, seed: 0.6)}


@pytest.mark.parametrize("task", ["ner", "tagger", "chunker"])
def test_sentences_agree_with_the_counts(task, tmp_path):
    results = make_results(tmp_path, VARIANTS, task=task, sizes=(10,), seeds=(0,))
    sentences = sentences_of_variant(results, "es", "base", "10")
    (record,) = results.done["record"]
    counts = [[len(one.gold & one.found.keys()), len(one.found), len(one.gold)] for one in sentences]
    assert counts == record.counts.tolist()
    assert sentences[3].words == ["w3", "Ana3", "Madrid3", "."]
    assert all(one.is_tagged == (task == "tagger") for one in sentences)


def test_tokens_without_a_gold_tag_have_no_item():
    gold = Doc(VOCAB, words=["a", "b"], tags=["N", ""])
    found = Doc(VOCAB, words=["a", "b"], tags=["V", "V"])
    one = sentence_of(gold, found, "tag_acc")
    assert one.gold == {(0, 1, "N")} and one.found == {(0, 1, "V"): None}


def test_a_corpus_that_is_gone_or_changed_is_no_error(tmp_path):
    results = make_results(tmp_path, VARIANTS, sizes=(10,), seeds=(0,))
    assert sentences_of_variant(results, "es", "base", "10")
    write_docs(tmp_path / "test.spacy", [Doc(VOCAB, words=["another"])])
    assert not sentences_of_variant(results, "es", "base", "10")
    (tmp_path / "test.spacy").unlink()
    assert not sentences_of_variant(results, "es", "base", "10")
