"""Counts against seqeval and spaCy's scorer; approximate randomisation against all exchanges."""

from itertools import product

import numpy as np
import pytest
import spacy
from hypothesis import given, settings
from hypothesis import strategies as st
from seqeval.metrics import f1_score
from spacy.scorer import Scorer
from spacy.tokens import Doc
from spacy.training import Example

from spacy_datnet.experiments.significance import approximate_randomisation, counts_of, f_score

VOCAB = spacy.blank("en").vocab
TAGS = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]


def entity_doc(tags):
    legal = [
        tag if tag[0] != "I" or (i and tags[i - 1][1:] == tag[1:] and tags[i - 1] != "O") else "O"
        for i, tag in enumerate(tags)
    ]
    legal = [tag if tag[0] != "I" or legal[i - 1] != "O" else "O" for i, tag in enumerate(legal)]
    return Doc(VOCAB, words=["x"] * len(tags), ents=legal), legal


sentences = st.lists(st.tuples(st.sampled_from(TAGS), st.sampled_from(TAGS)), min_size=1, max_size=8)


@given(st.lists(sentences, min_size=1, max_size=5))
@settings(deadline=None)
def test_f_score_of_entities_is_that_of_seqeval_and_spacy(pairs):
    gold, found = ([entity_doc([pair[side] for pair in sentence]) for sentence in pairs] for side in (0, 1))
    counts = [counts_of(a, b, "ents_f") for (a, _), (b, _) in zip(gold, found, strict=True)]
    expected = 100 * f1_score([tags for _, tags in gold], [tags for _, tags in found], zero_division=0)
    assert f_score(np.sum(counts, 0)) == pytest.approx(expected)
    examples = [Example(b, a) for (a, _), (b, _) in zip(gold, found, strict=True)]
    if any(tag != "O" for _, tags in gold for tag in tags):
        assert f_score(np.sum(counts, 0)) == pytest.approx(100 * Scorer.score_spans(examples, "ents")["ents_f"])


def test_tokens_without_a_gold_tag_do_not_count():
    gold = Doc(VOCAB, words=["a", "b", "c", "d"], tags=["N", "", "V", "N"])
    found = Doc(VOCAB, words=["a", "b", "c", "d"], tags=["N", "N", "N", "N"])
    counts = counts_of(gold, found, "tag_acc")
    assert counts == (2, 3, 3)
    assert f_score(np.array(counts)) == pytest.approx(
        100 * Scorer.score_token_attr([Example(found, gold)], "tag")["tag_acc"]
    )


def test_chunks_are_those_of_the_key():
    gold, found = (Doc(VOCAB, words=["a", "b", "c"]) for _ in range(2))
    gold.spans["np"] = [gold[0:2], gold[2:3]]
    found.spans["np"] = [found[0:2]]
    found.spans["chunks"] = [found[2:3]]
    assert counts_of(gold, found, "spans_np_f") == (1, 1, 2)
    assert counts_of(gold, found, "spans_chunks_f") == (0, 1, 0)


def test_nothing_annotated_and_nothing_predicted_is_zero():
    assert f_score(np.zeros((2, 3))).tolist() == [0.0, 0.0]


def exact_p(first, second):
    """The share of all exchanges that leave the models as far apart or further."""
    observed = abs(f_score(first.sum(0)) - f_score(second.sum(0)))
    differences = []
    for swap in product([False, True], repeat=len(first)):
        swap = np.array(swap)[:, None]
        one, other = np.where(swap, second, first), np.where(swap, first, second)
        differences.append(abs(f_score(one.sum(0)) - f_score(other.sum(0))))
    return np.mean(np.array(differences) >= observed - 1e-9)


def some_counts(seed, n=9, gain=0):
    rng = np.random.default_rng(seed)
    gold = rng.integers(1, 6, n)
    models = []
    for better in (gain, 0):
        predicted = np.maximum(0, gold + rng.integers(-1, 2, n))
        correct = np.minimum(np.minimum(gold, predicted), rng.integers(0, 4, n) + better)
        models.append(np.stack([correct, predicted, gold], 1))
    return models


@pytest.mark.parametrize(("seed", "gain"), [(0, 0), (1, 0), (2, 1), (3, 2), (4, 5)])
def test_p_is_that_of_all_exchanges(seed, gain):
    first, second = some_counts(seed, gain=gain)
    found = approximate_randomisation(first, second, samples=20_000)
    assert found.points == pytest.approx(float(f_score(first.sum(0)) - f_score(second.sum(0))))
    assert found.p == pytest.approx(exact_p(first, second), abs=0.012)
    other = approximate_randomisation(second, first, samples=20_000)
    assert other.points == -found.points and other.p == pytest.approx(found.p, abs=0.02)


def test_equal_models_do_not_differ():
    first, _ = some_counts(0)
    assert approximate_randomisation(first, first, samples=99) == (0.0, 1.0)


def test_a_large_difference_has_the_least_p_that_the_samples_allow():
    first, second = some_counts(5, n=400, gain=5)
    assert approximate_randomisation(first, second, samples=999).p == 1 / 1000


def test_p_is_even_where_there_is_no_difference():
    """Under the null hypothesis, p is uniform: one in five pairs of like models has p below 0.2."""
    below = [
        approximate_randomisation(*some_counts(seed, n=60), samples=199, seed=seed).p <= 0.2 for seed in range(200)
    ]
    assert 0.13 < np.mean(below) < 0.28
