"""Two tables in one space, and words that no table has."""

import numpy as np
import pytest
import spacy
from scipy.stats import ortho_group
from spacy.tokens import Doc
from spacy.vectors import Vectors
from typer.testing import CliRunner

from spacy_datnet.cli import app
from spacy_datnet.features.alignment import are_aligned
from spacy_datnet.features.ngrams import add_ngrams, guess, ngrams_of
from spacy_datnet.features.word_vectors import build_WordVectors

WIDTH = 12
WORDS = [f"{a}{b}{c}" for a in ("casa", "mar", "Rio", "sol") for b in ("bl", "tr", "qu", "n") for c in "aeiouxyz"]


@pytest.fixture(scope="module")
def vectors():
    """A word is the sum of its parts, and a little of its own."""
    rng = np.random.default_rng(0)
    parts = {gram: rng.normal(size=WIDTH) for word in WORDS for gram in (word[:3], word[-3:-1], word[-1])}
    return np.stack([parts[w[:3]] + parts[w[-3:-1]] + parts[w[-1]] + 0.1 * rng.normal(size=WIDTH) for w in WORDS])


def write(path, words, vectors):
    nlp = spacy.blank("xx")
    keys = [nlp.vocab.strings.add(word) for word in words]
    nlp.vocab.vectors = Vectors(data=np.asarray(vectors, "f"), keys=keys)
    nlp.to_disk(path)
    return path


def run(*arguments):
    return CliRunner().invoke(app, ["vectors", *map(str, arguments)])


@pytest.mark.parametrize("translated", [False, True])
def test_a_table_that_was_rotated_is_recovered(vectors, translated, tmp_path):
    rotated = vectors @ ortho_group.rvs(WIDTH, random_state=1)
    others = [f"{word}os" for word in WORDS] if translated else WORDS
    assert are_aligned(vectors, vectors) and not are_aligned(vectors, rotated)
    one = write(tmp_path / "one", WORDS, vectors)
    other = write(tmp_path / "other", ["only", *others], np.concatenate([vectors[:1], rotated]))
    pairs = tmp_path / "pairs.txt"
    pairs.write_text("".join(f"{a}\t{b}\n" for a, b in zip(WORDS, others, strict=True)) + "casa\n", encoding="utf8")
    result = run(one, other, tmp_path / "out", "--align", *(["--dictionary", pairs] if translated else []))
    assert result.exit_code == 0, result.output
    assert f"{len(WORDS)} pairs" in result.output.replace("\n", " ")
    vocab = spacy.load(tmp_path / "out").vocab
    for word, vector in zip(others, vectors, strict=True):
        np.testing.assert_allclose(vocab[word].vector, vector, atol=1e-3)


def test_tables_that_can_t_be_aligned(vectors, tmp_path):
    one = write(tmp_path / "one", WORDS, vectors)
    unrelated = write(tmp_path / "unrelated", WORDS, np.random.default_rng(1).normal(size=vectors.shape))
    foreign = write(tmp_path / "foreign", [f"{word}os" for word in WORDS], vectors)
    narrow = write(tmp_path / "narrow", WORDS, vectors[:, :4])
    spacy.blank("xx").to_disk(tmp_path / "empty")
    cases = {"DN116": unrelated, "DN115": foreign, "DN115.*12 and 4 wide": narrow, "DN118": tmp_path / "empty"}
    for message, other in cases.items():
        result = run(one, other, tmp_path / "out", "--align")
        assert result.exit_code == 1 and not (tmp_path / "out").exists()
        assert message[:5] in result.output
    assert "DN117" in run(one, one, one, tmp_path / "out", "--align").output


def test_words_of_no_table_have_vectors_of_their_n_grams(vectors):
    held = np.arange(len(WORDS)) % 5 == 0
    words = [word for word, out in zip(WORDS, held, strict=True) if not out]
    keys, table = add_ngrams(words, vectors[~held])
    assert keys[: len(words)] == words
    np.testing.assert_allclose(table[: len(words)], vectors[~held], rtol=1e-6)
    nlp = spacy.blank("xx")
    nlp.vocab.vectors = Vectors(data=table, keys=[nlp.vocab.strings.add(key) for key in keys])
    unknown = [word for word, out in zip(WORDS, held, strict=True) if out]
    guessed = np.stack([guess(word, nlp.vocab.vectors) for word in unknown])
    # the same in other words
    rows = dict(zip(keys, table, strict=True))
    known = [rows[gram] for gram in ngrams_of(unknown[0]) if gram in rows]
    np.testing.assert_allclose(guessed[0], vectors[~held].mean(0) + np.sum(known, 0) / len(known) ** 0.5, rtol=1e-4)
    errors = ((guessed - vectors[held]) ** 2).sum() / ((vectors[held] - vectors.mean(0)) ** 2).sum()
    assert errors < 0.3
    layer = build_WordVectors()
    doc = Doc(nlp.vocab, words=[words[0], unknown[0], "§"])
    layer.initialize(X=[doc])
    (features,) = layer.predict([doc])
    np.testing.assert_allclose(features / layer.attrs["scale"], [table[0], guessed[0], rows["\ufdd0"]], rtol=1e-5)
