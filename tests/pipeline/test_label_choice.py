"""The labels of each decoder, as functions of plain data."""

import pytest

from spacy_datnet.pipeline.annotations import Entities, Tags
from spacy_datnet.pipeline.labels import (
    Seen,
    check_labels,
    choose_labels,
    compare_labels,
    is_zero_shot,
    name_some,
    read_labels,
)

ENTS = {"source": Entities(), "target": Entities()}


@pytest.mark.parametrize(
    ("labels", "shared", "expected"),
    [
        (None, False, {}),
        (None, True, {}),
        ([], False, {"target": set()}),
        (["B", "A"], False, {"target": {"A", "B"}}),
        (["B", "A"], True, {"source": {"A", "B"}, "target": {"A", "B"}}),
        ({"source": ["A"]}, True, {"source": {"A"}}),
    ],
)
def test_given_labels_are_sorted_by_resource(labels, shared, expected):
    assert read_labels(labels, shared) == expected


@pytest.mark.parametrize(
    ("known", "given", "found", "settings", "expected"),
    [
        # what is not given is found in the examples
        ([], {}, {"source": {"A", "B"}, "target": {"A"}}, {}, {"source": {"A", "B"}, "target": {"A"}}),
        ([], {"target": {"C"}}, {"source": {"A"}, "target": {"A"}}, {}, {"source": {"A"}, "target": {"C"}}),
        ([], {"source": {"C"}}, {"target": {"A"}}, {}, {"source": {"C"}, "target": {"A"}}),
        # known ones stay unless others are given
        (["K"], {}, {"source": {"A"}, "target": {"A"}}, {}, {"source": {"A"}, "target": {"A", "K"}}),
        (["K"], {"target": {"C"}}, {"target": {"A"}}, {}, {"target": {"C"}}),
        (["K"], {}, {"source": {"A"}, "target": {"A"}}, {"shared": True}, {"source": {"A", "K"}, "target": {"A", "K"}}),
        # a base model has no decoder for the source
        ([], {}, {"source": {"B"}, "target": {"A"}}, {"transfers": False}, {"target": {"A"}}),
        ([], {"source": {"B"}}, {"target": {"A"}}, {"transfers": False}, {"target": {"A"}}),
        # without a target, its decoder learns from the source
        (["K"], {}, {"source": {"B"}}, {"transfers": False, "zero_shot": True}, {"target": {"B", "K"}}),
        ([], {"source": {"S"}}, {"source": {"B"}}, {"transfers": False, "zero_shot": True}, {"target": {"S"}}),
        ([], {"target": {"T"}}, {"source": {"B"}}, {"transfers": False, "zero_shot": True}, {"target": {"T"}}),
    ],
)
def test_labels_are_chosen(known, given, found, settings, expected):
    settings = {"transfers": True, "zero_shot": False, "shared": False, **settings}
    before = {resource: set(names) for resource, names in found.items()}
    assert choose_labels(known, given, found, **settings) == expected
    assert found == before


def test_without_a_target_the_source_is_all_there_is():
    assert not is_zero_shot("ner", {"source", "target"}, ENTS, "full")
    assert not is_zero_shot("ner", {"target"}, ENTS, "none")
    assert not is_zero_shot("ner", set(), ENTS, "none")
    with pytest.warns(UserWarning, match="DN057"):
        assert is_zero_shot("ner", {"source"}, ENTS, "none")
    with pytest.raises(ValueError, match="DN042"):
        is_zero_shot("ner", {"source"}, ENTS, "part")
    with pytest.raises(ValueError, match="DN044"):
        is_zero_shot("ner", {"source"}, {**ENTS, "source": Tags("tag")}, "none")


@pytest.mark.parametrize(
    ("labels", "shared", "code"),
    [
        ({"target": set()}, False, "DN011"),
        ({"target": {"A"}, "source": set()}, False, "DN012"),
        ({"target": {"A"}, "source": {"A", "B"}}, True, "DN013"),
        ({"target": {1}}, False, "DN009"),
    ],
)
def test_labels_that_can_not_be_are_refused(labels, shared, code):
    with pytest.raises(ValueError, match=code):
        check_labels("ner", labels, ENTS, transfers=True, shared=shared)


def test_labels_that_can_be_are_not(recwarn):
    check_labels("ner", {"target": {"A"}, "source": {"B"}}, ENTS, transfers=True, shared=False)
    check_labels("ner", {"target": {"A"}, "source": {"A"}}, ENTS, transfers=True, shared=True)
    check_labels("ner", {"target": {"A"}}, ENTS, transfers=False, shared=True)
    assert not recwarn
    with pytest.warns(UserWarning, match="DN051"):
        check_labels("ner", {"target": {"A"}}, ENTS, transfers=True, shared=False)


@pytest.mark.parametrize(
    ("labels", "seen", "zero_shot", "code"),
    [
        ({"target": {"A"}}, {"target": Seen(2, {"A", "B"})}, False, "DN059.*'B'.*target"),
        ({"target": {"A"}}, {"target": Seen(2, set())}, False, "DN061.*target"),
        ({"target": {"A"}, "source": {"A"}}, {"source": Seen(2, {"A", "B"})}, False, "DN059.*'B'.*source"),
        ({"target": {"A"}}, {"source": Seen(2, {"A", "B"})}, True, "DN059.*'B'.*source"),
    ],
)
def test_labels_that_are_missing_are_said(labels, seen, zero_shot, code):
    with pytest.warns(UserWarning, match=code):
        compare_labels("ner", labels, seen, zero_shot=zero_shot)


def test_labels_that_fit_need_no_word(recwarn):
    compare_labels("ner", {"target": {"A", "B"}}, {"target": Seen(2, {"A"})}, zero_shot=False)
    compare_labels("ner", {"target": {"A"}}, {"target": Seen(1, set())}, zero_shot=False)
    compare_labels("ner", {"target": {"A"}}, {"source": Seen(2, {"B"})}, zero_shot=False)
    assert not recwarn


def test_labels_of_which_none_is_there_are_refused():
    with pytest.raises(ValueError, match=r"DN045.*'A'.*'B', 'C'"):
        compare_labels("ner", {"target": {"A"}}, {"target": Seen(2, {"B", "C"})}, zero_shot=False)


def test_many_labels_are_not_all_named():
    assert name_some({"b", "a"}) == "'a', 'b'"
    assert name_some({f"{i:02}" for i in range(12)}, most=2) == "'00', '01' and 10 more"
