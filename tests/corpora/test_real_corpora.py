"""The published corpora: sentences, tokens, entities, scheme, and their known slips."""

import pytest

from spacy_datnet.corpora import survey_corpus

ES, NL = (f"raw/nltk/conll2002.zip:conll2002/{language}" for language in ("esp", "ned"))

CORPORA = [
    (f"{ES}.train", "iob2", 8_323, 8_323, 264_715, 18_798, "line 221619 (San I-LOC)"),
    (f"{ES}.testa", "iob2", 1_915, 1_915, 52_923, 4_352, "line 30882 (Río I-LOC)"),
    (f"{ES}.testb", "iob2", 1_517, 1_517, 51_533, 3_559, "line 9291 (Calidad I-MISC)"),
    (f"{NL}.train", "iob2", 287, 15_806, 202_644, 13_344, None),
    ("raw/conll2003/eng.train", "iob1", 946, 14_041, 203_621, 23_499, "line 152428"),
    ("raw/conll2003/eng.testa", "iob1", 216, 3_250, 51_362, 5_942, None),
    ("raw/conll2003/eng.testb", "iob1", 231, 3_453, 46_435, 5_648, None),
    ("raw/wnut16/train", "iob2", 2_394, 2_394, 46_469, 1_496, None),
    ("raw/wnut16/dev", "iob2", 1_000, 1_000, 16_261, 661, None),
    ("raw/wnut16/test", "iob2", 3_850, 3_850, 61_908, 3_473, None),
]


@pytest.mark.real
@pytest.mark.parametrize(("name", "scheme", "documents", "sentences", "tokens", "entities", "slip"), CORPORA)
def test_counts(real_data, name, scheme, documents, sentences, tokens, entities, slip):
    survey = survey_corpus(f"{real_data}/{name}")
    counts = survey.counts
    assert not survey.errors
    assert survey.schemes == {"ents": scheme}
    assert (counts.documents, counts.sentences) == (documents, sentences)
    assert (counts.tokens, counts.layers["ents"].total) == (tokens, entities)
    if slip is None:
        assert not survey.warnings
    else:
        (warning,) = survey.warnings
        assert slip in warning
