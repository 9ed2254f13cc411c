"""The proxy A-distance at its ends."""

import numpy as np
import pytest
from spacy.tokens import Doc
from synthetic import VOCAB
from util import write_docs

from spacy_datnet.experiments.domains import proxy_a_distance, read_texts

SYLLABLES = {"one": ["ka", "lo", "mi"], "other": ["xu", "wy", "zé"]}


def sentences(kind, seed, count=300):
    rng = np.random.default_rng(seed)
    return [" ".join("".join(rng.choice(SYLLABLES[kind], 2)) for _ in range(6)) for _ in range(count)]


def test_the_same_language_is_near():
    assert proxy_a_distance(sentences("one", 0), sentences("one", 1)) < 0.3


def test_another_alphabet_is_far():
    assert proxy_a_distance(sentences("one", 0), sentences("other", 1, 90)) == pytest.approx(2.0)


def test_a_mixture_lies_between():
    # half of the sentences give their corpus away, one in two of the others is guessed: err = 1/4
    mixed = sentences("one", 1, 150) + sentences("other", 2, 150)
    assert proxy_a_distance(sentences("one", 0), mixed) == pytest.approx(1.0, abs=0.2)


def test_a_handful_of_sentences_says_nothing():
    assert proxy_a_distance(sentences("one", 0), sentences("other", 1, 5)) is None


def test_texts_are_sentences_chosen_by_a_seed(tmp_path):
    docs = [Doc(VOCAB, words=["a", str(i), "b"], sent_starts=[True, False, True]) for i in range(5)]
    path = write_docs(tmp_path / "a.spacy", docs)
    everything = read_texts(path)
    assert sorted(everything) == sorted([f"a {i}" for i in range(5)] + ["b"] * 5)
    assert read_texts(path, 4) == read_texts(tmp_path, 4) != read_texts(path, 4, seed=1)
    assert len(read_texts(path, 4)) == 4
