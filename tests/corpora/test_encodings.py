"""Which encoding a file is in: marks, UTF-8, and guesses."""

import random

import pytest

from spacy_datnet.corpora import CorpusError, survey_corpus
from spacy_datnet.corpora.content import Content

SPANISH = (
    "El Gobierno español anunció ayer en Logroño que la compañía Telefónica ampliará su capital .\n"
    "José María Muñoz , ministro de Economía , explicó que la decisión se tomó tras la reunión .\n"
    "La selección de Paraguay jugará mañana contra España en La Coruña , según la federación .\n"
)
POLISH = (
    "Wisła Kraków zagra w sobotę z drużyną z Łodzi , a mecz poprowadzi sędzia z Częstochowy .\n"
    "Minister powiedział , że rząd przyjął projekt ustawy i prześle go do Sejmu w środę .\n"
)


def as_column_file(text):
    return text.replace(" ", " O\n").replace(".\n", ". O\n\n")


@pytest.fixture
def text():
    return "José B-PER\ncanta O\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_unicode_is_detected_without_doubt(tmp_path, text, encoding):
    path = tmp_path / "corpus.conll"
    path.write_bytes(text.encode(encoding))
    found = Content(path).encoding
    assert (found.name, found.detected, found.doubt) == (encoding, True, None)
    assert next(Content(path, found.name).lines()) == ("", 1, "José B-PER\n")


def test_byte_order_mark_is_no_part_of_the_first_token(tmp_path, text):
    path = tmp_path / "corpus.conll"
    path.write_bytes(text.encode("utf-8-sig"))
    assert next(survey_corpus(path, encoding="utf-8").sentences()).words[0] == "José"


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [(SPANISH, "latin-1", "cp1252"), (POLISH, "cp1250", "cp1250")],
)
def test_legacy_encoding_is_guessed_with_a_warning(tmp_path, text, encoding, found):
    path = tmp_path / "corpus.conll"
    content = as_column_file(text)
    path.write_bytes(content.encode(encoding))
    guess = Content(path).encoding
    assert guess.name == found
    assert "DN252" in guess.doubt
    assert "".join(line for _, _, line in Content(path, guess.name).lines()) == content
    assert guess.doubt in survey_corpus(path).warnings


def test_named_encoding(tmp_path):
    path = tmp_path / "corpus.conll"
    path.write_bytes(as_column_file(SPANISH).encode("latin-1"))
    survey = survey_corpus(path, encoding="latin-1")
    assert not survey.warnings
    assert "español" in next(survey.sentences()).words


def test_bytes_like_nothing_are_an_error(tmp_path):
    path = tmp_path / "corpus.conll"
    path.write_bytes(random.Random(0).randbytes(2000).replace(b"\0", b""))
    with pytest.raises(CorpusError, match=r"^\[DN206\] .*like no other encoding"):
        survey_corpus(path)
