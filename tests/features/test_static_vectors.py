"""Static word vectors out of a checkpoint, against the same computed word by word."""

import re

import numpy as np
import pytest
import spacy
from checkpoints import LAYERS, WIDTH, write_checkpoint
from numpy.testing import assert_allclose
from spacy.tokens import Doc
from typer.testing import CliRunner
from util import write_docs

from spacy_datnet.cli import app
from spacy_datnet.features import static_vectors
from spacy_datnet.features.checkpoint import Checkpoint
from spacy_datnet.features.ngrams import count_words
from spacy_datnet.features.static_vectors import ALONE, Space, Text, collect, default_layers
from spacy_datnet.features.word_vectors import build_WordVectors
from spacy_datnet.nn.perturbation import LENGTH

SENTENCES = [
    *[("ana", "vive", "en", "madrid"), ("luis", "canta", "en", "lima"), ("el", "tren", "va", "en", "madrid")],
    *[("en", "en", "en"), ("luis", "vive"), ("hoy",), ("una", "frase", "larga", "con", "ana", "y", "luis")],
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_checkpoint(tmp_path_factory.mktemp("checkpoint"))


@pytest.fixture(scope="module")
def checkpoint(folder):
    return Checkpoint.from_folder(folder)


def test_sentences_are_chosen_until_each_word_has_enough():
    text = Text.of(iter([("e",), ("a", "b"), ("a",), ("a", "b"), ("b", "c"), ("c", "c"), ("a", "d")]), 1)
    assert text.sentences == [("a", "b"), ("b", "c"), ("a", "d")]
    assert text.words[0] == "a" and sorted(text.words) == ["a", "b", "c", "d", "e"]
    assert Text.of(iter([("a",)]), 0).sentences == []
    with pytest.raises(ValueError, match="DN077"):
        Text.of(iter([]), 1)


def plainly(checkpoint, layers, contexts):
    """Mean in context and alone of each word, and its number of contexts."""

    def read(sentence):
        return dict(checkpoint.encode([sentence], layers))[0]

    seen: dict = {}
    for sentence in SENTENCES:
        for word, vector in zip(sentence, read(sentence), strict=True):
            seen.setdefault(word, []).extend([vector] if len(sentence) > 1 else [])
    return {
        word: (read((word,))[0], np.sum(found[:contexts], 0), len(found[:contexts])) for word, found in seen.items()
    }


@pytest.mark.parametrize("contexts", [1, 3, 20])
def test_hidden_states_are_those_of_each_word(checkpoint, contexts, tmp_path):
    text = Text.of(SENTENCES, 20)  # all sentences
    hidden = collect(checkpoint, text, (1, 3), contexts, tmp_path / "state")
    for word, (alone, total, count) in plainly(checkpoint, (1, 3), contexts).items():
        i = text.words.index(word)
        assert hidden.counts[i] == count
        assert_allclose(hidden.alone[i], alone, atol=1e-5)
        assert_allclose(hidden.sums[i], total, atol=1e-5)


def test_vectors_are_the_mixture_in_one_space(checkpoint, tmp_path):
    text = Text.of(SENTENCES, 20)
    hidden = collect(checkpoint, text, (2,), 20, tmp_path / "state")
    bare = text.words.index("hoy")  # without context
    space = Space.fit(hidden, 5)
    vectors = space.vectors(hidden)
    assert vectors.shape == (len(text.words), 5)
    assert np.linalg.norm(vectors, axis=1).mean() == pytest.approx(LENGTH, rel=1e-4)
    # the same in other words: standardised clouds, word by word, and singular values
    has = [i for i in range(len(text.words)) if i != bare]
    means = np.stack([hidden.sums[i] / hidden.counts[i] for i in has])
    means = (means - means.mean(0)) / means.std(0) * hidden.alone[has].std(0) + hidden.alone[has].mean(0)
    mixed = hidden.alone.copy()
    for i, mean in zip(has, means, strict=True):
        n = hidden.counts[i]
        mixed[i] = (n * mean + ALONE * hidden.alone[i]) / (n + ALONE)
    standard = (mixed - mixed.mean(0)) / mixed.std(0)
    left, values, _ = np.linalg.svd(standard, full_matrices=False)
    expected = left[:, :5] * values[:5]
    expected *= LENGTH / np.linalg.norm(expected, axis=1).mean()
    assert_allclose(vectors @ vectors.T, expected @ expected.T, atol=1e-2)
    space.save(tmp_path / "space")
    assert_allclose(Space.load(tmp_path / "space", WIDTH).vectors(hidden), vectors)
    with pytest.raises(ValueError, match=f"DN079.*{WIDTH} wide.*are 7"):
        Space.load(tmp_path / "space", 7)
    with pytest.raises(ValueError, match="DN079"):
        Space.load(tmp_path / "state", WIDTH)
    with pytest.raises(ValueError, match=f"DN078.*17.*1 to {min(WIDTH, len(text.words))}"):
        Space.fit(hidden, 17)


def test_an_interrupted_run_goes_on_and_gives_the_same(checkpoint, tmp_path, monkeypatch):
    monkeypatch.setattr(static_vectors, "PART", 3)
    text = Text.of(SENTENCES, 20)
    expected = collect(checkpoint, text, (2,), 20, tmp_path / "whole")
    calls, encode = [], Checkpoint.encode

    def failing(self, sentences, layers):
        calls.append(len(sentences))
        if len(calls) == 6:
            raise KeyboardInterrupt
        return encode(self, sentences, layers)

    monkeypatch.setattr(Checkpoint, "encode", failing)
    with pytest.raises(KeyboardInterrupt):
        collect(checkpoint, text, (2,), 20, tmp_path / "state")
    found = collect(checkpoint, text, (2,), 20, tmp_path / "state")
    # one part was read twice
    assert sum(calls) == len(text.words) + len(text.sentences) + 3
    for name in ("alone", "sums", "counts"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    # what is known of other settings or a damaged file is not used
    for change in ({"layers": (1,)}, {"contexts": 1}):
        before = sum(calls)
        collect(checkpoint, text, **{"layers": (2,), "contexts": 20, **change}, state=tmp_path / "state")
        assert sum(calls) - before == len(text.words) + len(text.sentences)
    (tmp_path / "state").write_bytes(b"damaged")
    np.testing.assert_array_equal(collect(checkpoint, text, (2,), 20, tmp_path / "state").sums, expected.sums)


def test_layers(checkpoint, tmp_path):
    assert default_layers(12) == (3, 6, 9) and default_layers(1) == (1,)
    with pytest.raises(ValueError, match=f"DN030.*layer 4.*1 to {LAYERS}"):
        collect(checkpoint, Text.of(SENTENCES, 1), (4,), 1, tmp_path / "state")


def run(*arguments):
    return CliRunner().invoke(app, ["vectors", *map(str, arguments)])


def test_the_command_reads_raw_text_and_corpora(folder, tmp_path):
    (tmp_path / "a.txt").write_text("Ana vive en Madrid. Luis canta en Lima.\n\nHoy llueve.\n", encoding="utf8")
    (tmp_path / "b.jsonl").write_text('{"text": "El tren va en Madrid."}\n\n{"text": "Ana, Luis."}\n', encoding="utf8")
    (tmp_path / "c.conll").write_text("una O\nfrase O\n\nen O\nLima B-LOC\n", encoding="utf8")
    write_docs(tmp_path / "d.spacy", [Doc(spacy.blank("es").vocab, words=["otra", "\n", "frase"])])
    corpora = [tmp_path / name for name in ("a.txt", "b.jsonl", "c.conll", "d.spacy")]
    result = run(folder, *corpora, tmp_path / "out", "--width", 4, "--lang", "es")
    assert result.exit_code == 0, result.output
    assert "mean length 6.00" in result.output and "100% of the words" in result.output
    assert sorted(path.name for path in tmp_path.iterdir() if "unfinished" in path.name or path.name[0] == ".") == []
    layer = build_WordVectors(str(tmp_path / "out"))
    doc = Doc(spacy.blank("es").vocab, words=["Ana", "otra", "Lima", ".", "desconocida"])
    layer.initialize(X=[doc])
    (features,) = layer.predict([doc])
    assert layer.get_dim("nO") == 4 and np.abs(features).min() > 0
    nlp = spacy.load(tmp_path / "out")
    assert count_words(nlp.vocab.vectors) == 17 < nlp.vocab.vectors.n_keys and "\n" not in nlp.vocab.vectors
    # another table in the same space: a word read the same way has the same vector
    again = run(folder, *corpora, tmp_path / "again", "--lang", "es", "--space", tmp_path / "out")
    assert again.exit_code == 0, again.output
    assert_allclose(spacy.load(tmp_path / "again").vocab["Ana"].vector, nlp.vocab["Ana"].vector, atol=1e-5)
    assert run(folder, corpora[0], tmp_path / "out").exit_code == 1
    assert run(folder, corpora[0], tmp_path / "out", "--force", "--width", 3).exit_code == 0
    assert spacy.load(tmp_path / "out").vocab.vectors.shape[1] == 3
    (tmp_path / "mine").mkdir()
    assert run(folder, corpora[0], tmp_path / "mine", "--force").exit_code == 1


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", b"\n \n", "DN077"),
        ("a.txt", b"caf\xe9\n", "DN341.*a.txt"),
        ("a.jsonl", b'{"text": 3}', "DN341.*a.jsonl"),
        ("a.jsonl", b'{"tekst": "a"}', "DN341.*a.jsonl"),
        ("a.jsonl", b"no json", "DN341.*a.jsonl"),
        ("a.spacy", b"no docs", "DN221"),
    ],
)
def test_text_that_can_t_be_read(folder, name, content, message, tmp_path):
    (tmp_path / name).write_bytes(content)
    result = run(folder, tmp_path / name, tmp_path / "out")
    assert result.exit_code == 1 and not (tmp_path / "out").exists()
    assert re.search(message, result.output), result.output
