"""What a folder of runs holds."""

import numpy as np
import pytest
from synthetic import make_results

from spacy_datnet.experiments import ExperimentError
from spacy_datnet.experiments.results import read_results
from spacy_datnet.experiments.significance import f_score

VARIANTS = {"base": (False, lambda n, seed: 0.3), "F": (True, lambda n, seed: 0.8), "P": (True, lambda n, seed: 0.5)}


@pytest.fixture
def results(tmp_path):
    return make_results(
        tmp_path,
        VARIANTS,
        corpora=("es", "nl"),
        sizes=(100, 10, "all", 0.5),
        seeds=(3, 4, 5),
        paper={"es": {"base": {10: 21.5, "all": 80}}},
        failed=lambda run: "no memory" if run.corpora == "nl" and run.seed == 4 else None,
        waiting=lambda run: run.corpora == "nl" and run.variant == "P",
    )


def test_runs_are_done_failed_or_waiting(results):
    assert (len(results.done), len(results.failed), results.waiting) == (36 + 16, 8, 12)
    assert results.corpora == ["es", "nl"] and results.base == "base"
    assert results.variants("es") == ["base", "F", "P"] and results.variants("nl") == ["base", "F"]
    assert results.sizes("es") == [100, 10, "all", 0.5] and results.largest("es") == "all"
    assert results.paper == {("es", "base", 10): 21.5, ("es", "base", "all"): 80}


def test_summaries_are_those_of_numpy(results):
    for variant in ("base", "F"):
        scores = [100 * record["test"]["ents_f"] for record in results.select("es", variant, 10)]
        assert results.summary("es", variant, 10) == pytest.approx((np.mean(scores), np.std(scores, ddof=1), 3))
    assert results.summary("nl", "P", 10) is None
    assert results.summary("nl", "F", 10).seeds == 2


def test_a_difference_is_that_of_the_seeds_that_both_have(results):
    found = results.compare("nl", "F", 10)
    totals = [
        np.sum([counts for record in results.select("nl", name, 10) for counts in record["counts"]], 0)
        for name in ("F", "base")
    ]
    assert found.points == pytest.approx(f_score(totals[0]) - f_score(totals[1]))
    assert found.p < 0.001
    assert results.compare("es", "base", 10) is None and results.compare("nl", "P", 10) is None
    assert results.compare("es", "base", 10, "F").points == pytest.approx(-results.compare("es", "F", 10).points)


def test_seeds_that_only_one_variant_has_do_not_count(tmp_path):
    results = make_results(
        tmp_path, VARIANTS, sizes=(10,), failed=lambda run: "x" if (run.variant, run.seed) == ("F", 0) else None
    )
    (record,) = results.select("es", "F", 10)
    other = results.select("es", "base", 10)[1]
    assert record["seed"] == other["seed"] == 1
    expected = f_score(np.sum(record["counts"], 0)) - f_score(np.sum(other["counts"], 0))
    assert results.compare("es", "F", 10).points == pytest.approx(expected)


def test_variants_that_learn_from_the_source_are_known(results):
    assert [results.uses_source("es", name) for name in ("base", "F", "P")] == [False, True, True]


def test_the_best_variant_is_that_of_the_dev_set(results):
    assert results.best("es", 10) == "F" and results.judged("es", 10) == ["base", "F"]
    for record in results.done:
        record["dev"]["ents_f"] = float(record["variant"] == "base")
    assert results.best("es", 10) == "base" and results.judged("es", 10) == ["base"]


def test_another_base_can_be_named(results):
    assert read_results(results.folder, "F").base == "F"
    with pytest.raises(ExperimentError, match=r"DN310.*'Q'.*base, F, P"):
        read_results(results.folder, "Q")


def test_a_folder_without_runs_is_named(tmp_path):
    with pytest.raises(ExperimentError, match=r"DN309.*nothing"):
        read_results(tmp_path / "nothing")
