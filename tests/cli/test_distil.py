"""spacy-datnet distil, from raw text to a student."""

import pytest
import spacy
from spacy.vocab import Vocab
from typer.testing import CliRunner
from util import SMALL_MODEL, SOURCE_SENTENCES, TARGET_SENTENCES, annotated, entity_examples, train_briefly, write_docs

from spacy_datnet.cli import app
from spacy_datnet.corpora import read_docbin
from spacy_datnet.training import callbacks

FEW = ["--training.max_steps", "4", "--training.eval_frequency", "4", "--training.logger.progress_bar", "false"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A teacher, raw text, gold sentences, a source."""
    folder, nlp = tmp_path_factory.mktemp("distil"), spacy.blank("es")
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, "transfer": "none"}})
    train_briefly(nlp, entity_examples(nlp.vocab)[:6], 8).to_disk(folder / "teacher")
    sentences = [f"Eva{i}/PER vive en Lima/LOC {i} ." for i in range(60)]
    write_docs(folder / "gold.spacy", [annotated(nlp.vocab, sentence) for sentence in sentences])
    write_docs(folder / "source.spacy", [annotated(nlp.vocab, sentence) for sentence in SOURCE_SENTENCES])
    write_docs(folder / "dev.spacy", [annotated(nlp.vocab, sentence) for sentence in TARGET_SENTENCES])
    texts = [" ".join(token.text for token in annotated(nlp.vocab, one)) for one in (*TARGET_SENTENCES, sentences[0])]
    (folder / "raw.txt").write_text("\n".join(texts * 5), encoding="utf8")
    return folder


def run(folder, out, *options):
    arguments = ["distil", out, "--teacher", folder / "teacher", "--raw", folder / "raw.txt", *options]
    return CliRunner().invoke(app, [*map(str, arguments), *FEW])


def words(doc):
    return [token.text for token in doc]


def test_a_student_without_a_dev_set(folder, tmp_path, monkeypatch):
    calibrated = []
    monkeypatch.setattr(
        callbacks, "calibrate", lambda nlp, examples: calibrated.append([words(one.reference) for one in examples])
    )
    result = run(folder, tmp_path / "out", "--gold", folder / "gold.spacy", "--source", folder / "source.spacy")
    assert result.exit_code == 0, result.output
    assert "its exact probabilities" in result.output and "Labelled 30 sentences" in result.output
    labelled, gold = (
        [words(doc) for doc in read_docbin(tmp_path / "out" / name, Vocab())]
        for name in ("labelled", "corpus/gold.spacy")
    )
    assert len(labelled) == 30 and len(gold) == 48
    # confidences are fitted to gold sentences that nobody has learnt from
    assert calibrated and not any(one in labelled or one in gold for one in calibrated[-1])
    assert len(calibrated[-1]) == 12
    trained = spacy.load(tmp_path / "out" / "model-best")
    assert set(trained.get_pipe("datnet_ner").labels) == {"LOC", "PER"}
    # no score chooses the step
    best, last = (tmp_path / "out" / name / "datnet_ner" / "model" for name in ("model-best", "model-last"))
    assert best.read_bytes() == last.read_bytes()
    kept = [last, tmp_path / "out" / "labelled" / "00000.spacy"]
    before = [path.stat().st_mtime_ns for path in kept]
    again = run(folder, tmp_path / "out", "--gold", folder / "gold.spacy", "--source", folder / "source.spacy")
    assert again.exit_code == 0 and [path.stat().st_mtime_ns for path in kept] == before
    other = run(folder, tmp_path / "out", "--lang", "xx")
    assert other.exit_code == 1 and "DN321" in other.output


def test_a_worse_student_is_said(folder, tmp_path):
    result = run(folder, tmp_path / "out", "--dev", folder / "dev.spacy")
    assert result.exit_code == 0, result.output
    assert "DN335" in result.output and "words/s" in result.output
    # dev sentences are no raw text
    assert "Labelled 5 sentences" in result.output


def test_teachers_and_raw_text_are_enough(folder, tmp_path):
    result = run(folder, tmp_path / "out")
    assert result.exit_code == 0, result.output
    assert "DN336" in result.output and "Labelled 35 sentences" in result.output
    assert spacy.load(tmp_path / "out" / "model-best").pipe_names == ["datnet_ner"]


@pytest.mark.parametrize(
    ("options", "code"),
    [
        (["--teacher", "nowhere"], "DN320"),
        (["--annotation", "nonsense"], "DN325"),
        (["--annotation", "spans:x"], "DN323"),
        (["--raw", "nowhere.txt"], "DN201"),
        (["--gold", "nowhere.conll"], "DN201"),
        (["--vectors", "nowhere"], "DN426"),
    ],
)
def test_what_can_not_be(folder, tmp_path, options, code):
    result = run(folder, tmp_path / "out", *options)
    assert result.exit_code == 1 and code in result.output


def test_nothing_else_is_overwritten(folder):
    result = run(folder, folder)
    assert result.exit_code == 1 and "DN324" in result.output
