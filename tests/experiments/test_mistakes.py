"""Scores per label against spaCy's scorer; kinds of mistakes by hand."""

from collections import Counter

import pytest
from spacy.scorer import Scorer
from spacy.training import Example
from synthetic import gold_docs, predicted_docs

from spacy_datnet.experiments.mistakes import Confusion, confusions_in, count_confusions, examples_of, label_scores
from spacy_datnet.experiments.predictions import Sentence, sentence_of


def test_scores_per_label_are_those_of_spacy():
    gold, found = gold_docs("ner"), predicted_docs("ner", 0.6, 0)
    pairs = list(zip(gold, found, strict=True))
    scores = label_scores([sentence_of(*pair, "ents_f") for pair in pairs])
    truth = Scorer.score_spans([Example(b, a) for a, b in pairs], "ents")["ents_per_type"]
    assert {one.label for one in scores} == set(truth) == {"LOC", "PER"}
    for one in scores:
        expected = [100 * truth[one.label][key] for key in "prf"]
        assert [one.precision, one.recall, one.f] == pytest.approx(expected)
    assert [one.annotated for one in scores] == [90, 30]


def sentence(gold, found, length=10):
    return Sentence([f"w{i}" for i in range(length)], [True] * length, set(gold), dict.fromkeys(found))


@pytest.mark.parametrize(
    ("gold", "found", "expected"),
    [
        ([(0, 2, "A")], [(0, 2, "A")], []),
        ([(0, 2, "A")], [(0, 2, "B")], [("A", "B")]),
        ([(0, 2, "A")], [(0, 1, "A")], [("A", "A")]),
        ([(0, 2, "A")], [(1, 3, "B")], [("A", "B")]),
        ([(0, 2, "A")], [], [("A", None)]),
        ([], [(0, 2, "A")], [(None, "A")]),
        ([(0, 2, "A")], [(3, 4, "A")], [("A", None), (None, "A")]),
        # the one that covers most of it, then that with the same label
        ([(0, 5, "A")], [(0, 1, "A"), (1, 5, "B")], [("A", "B")]),
        ([(0, 2, "A")], [(0, 1, "B"), (1, 2, "A")], [("A", "A")]),
        # one prediction over two entities
        ([(0, 1, "A"), (2, 3, "B")], [(0, 3, "A")], [("A", "A"), ("B", "A")]),
    ],
)
def test_kinds_of_mistakes(gold, found, expected):
    assert [tuple(kind) for kind, _ in confusions_in(sentence(gold, found))] == expected


def test_mistakes_of_tags_are_pairs_of_tags():
    gold, found = gold_docs("tagger"), predicted_docs("tagger", 0.6, 0)
    pairs = list(zip(gold, found, strict=True))
    counts = count_confusions(sentence_of(*pair, "tag_acc") for pair in pairs)
    truth = Counter(
        (a.tag_, b.tag_) for one, other in pairs for a, b in zip(one, other, strict=True) if a.tag_ != b.tag_
    )
    assert counts == {Confusion(*pair): count for pair, count in truth.items()}


def test_examples_show_the_mistake_once_each_short_and_sure_ones_first():
    def mistaken(length, confidence, name):
        words = [f"{name}{i}" for i in range(length)]
        return Sentence(words, [True] * length, {(0, 1, "A")}, {(0, 1, "B"): confidence})

    long, unsure, sure = mistaken(50, 0.9, "l"), mistaken(5, 0.2, "u"), mistaken(6, 0.9, "s")
    right = sentence([(0, 1, "A")], [(0, 1, "A")])
    chosen = examples_of(Confusion("A", "B"), [right, long, unsure, sure, sure], count=5, longest=30)
    assert [one.words[0][0] for one in chosen] == ["s", "u", "l"]
    # of a sentence that several seeds got wrong, the surest one counts
    unsure_too = Sentence(sure.words, sure.spaces, sure.gold, dict.fromkeys(sure.found, 0.1))
    chosen = examples_of(Confusion("A", "B"), [unsure_too, unsure, sure], count=1, longest=30)
    assert [one.found for one in chosen] == [sure.found]
    assert examples_of(Confusion("A", None), [right, sure], count=5, longest=30) == []
