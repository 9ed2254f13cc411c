"""The language of a corpus, from the names of its files and from its words."""

from collections import Counter

import pytest

from spacy_datnet.project.language import find_language

TEXTS = {
    "es": "El pleno duró casi seis horas y terminó a gritos porque la alcaldesa no quiso que se votara con los otros",
    "en": "The meeting took almost six hours and it ended with shouts because the mayor did not want them to vote",
    "nl": "De vergadering duurde bijna zes uur en eindigde met geschreeuw omdat de burgemeester het niet wilde",
    "ru": "Он не мог бы сказать что это было так как они хотели и я не знал где мне быть",
}


@pytest.mark.parametrize("lang", TEXTS)
def test_words_tell(lang):
    found = find_language(None, ["train.conll"], Counter(TEXTS[lang].split()))
    assert found.code == lang and "guess" in found.reason


def test_a_name_is_believed_where_words_cannot_tell():
    assert find_language(None, ["gl.conll", "eu_bdt/train.conllu"], Counter(["zzz"])).code == "eu"
    assert find_language(None, ["id_gsd/train.conllu"], Counter(["yang", "dan", "itu", "dengan"])).code == "id"


def test_clear_words_are_believed_against_a_name():
    found = find_language(None, ["en/train.conll"], Counter(TEXTS["es"].split()))
    assert found.code == "es" and "though the name of the file has en" in found.reason


def test_what_is_named_is_taken():
    found = find_language("xx", ["es.conll"], Counter(TEXTS["es"].split()))
    assert found.code == "xx"


@pytest.mark.parametrize(("named", "words", "code"), [(None, ["zzz"], "DN420"), ("gl", ["o"], "DN421")])
def test_what_cannot_be_told_is_an_error(named, words, code):
    with pytest.raises(ValueError, match=code):
        find_language(named, ["train.conll"], Counter(words))
