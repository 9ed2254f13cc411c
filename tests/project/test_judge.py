"""Which pipeline to take, and what is said of it."""

from pathlib import Path

import pytest

from spacy_datnet.project.conclude import ADVICE, conclude
from spacy_datnet.project.judge import JSON, Comparison, Judgement, Score, choose


def judgement(base, spacy, datnet, *, p=0.001, dev=None, has_dev=True):
    values = {"base": base, "spaCy ner": spacy, "DATNet-F": datnet}
    scores = {name: Score(value, value - 3, (dev or values)[name], 1, 1.0) for name, value in values.items()}
    names = list(values)
    comparisons = [
        Comparison(of, than, values[of] - values[than], p) for i, than in enumerate(names) for of in names[i + 1 :]
    ]
    dev_values = dev or values
    on_dev = [
        Comparison(of, than, dev_values[of] - dev_values[than], p)
        for i, than in enumerate(names)
        for of in names[i + 1 :]
    ]
    return Judgement("ents_f", 100, scores, comparisons, *choose(scores, on_dev, has_dev), "model")


@pytest.mark.parametrize(
    ("scores", "settings", "chosen"),
    [
        ((50, 60, 70), {}, "DATNet-F"),
        ((50, 80, 70), {}, "spaCy ner"),
        ((50, 80, 70), {"dev": {"base": 1, "spaCy ner": 2, "DATNet-F": 3}}, "DATNet-F"),
        ((90, 60, 70), {}, "base"),
        ((70, 60, 70), {}, "DATNet-F"),
        ((70, 70, 60), {}, "base"),
        ((50, 71, 70), {"has_dev": False, "p": 0.6}, "DATNet-F"),
        ((50, 71, 70), {"p": 0.6}, "DATNet-F"),
        ((72, 75, 70), {"p": 0.06}, "base"),
        ((50, 80, 70), {"has_dev": False}, "spaCy ner"),
    ],
)
def test_choice(scores, settings, chosen):
    assert judgement(*scores, **settings).chosen == chosen


def test_the_choice_is_not_made_by_the_test_set_where_there_is_a_dev_set():
    assert judgement(50, 60, 70, dev={"base": 9, "spaCy ner": 1, "DATNet-F": 2}).chosen == "base"


@pytest.mark.parametrize(
    ("scores", "p", "text"),
    [
        ((50, 60, 70), 0.001, "the source helped (20.0 points above the target alone"),
        ((50, 60, 51), 0.4, "whether the source helped is not certain"),
        ((70, 60, 50), 0.001, "the source did harm (20.0 points below"),
    ],
)
def test_the_sentence_says_whether_the_source_helped(scores, p, text):
    said = conclude(judgement(*scores, p=p), Path("x.whl"), "vectors")
    assert text in said and "x.whl" in said and ADVICE["vectors"] in said and "one seed" in said
    assert said.endswith(".") and "\n" not in said


def test_a_better_pipeline_of_spacy_is_said():
    said = conclude(judgement(50, 80, 70), None, "sentences")
    assert said.startswith("spaCy ner reaches 80.0 F1 on 100 test sentences and 77.0 on raw text")
    assert "DATNet-F is 10.0 points below spaCy ner" in said


def test_a_judgement_goes_through_json():
    found = judgement(50, 60, 70)
    assert JSON.validate_json(JSON.dump_json(found)) == found
