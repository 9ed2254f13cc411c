"""What a folder of runs holds."""

import numpy as np
import pytest
from synthetic import make_results
from thinc.api import Config

from spacy_datnet.experiments import ExperimentError
from spacy_datnet.experiments.results import read_results
from spacy_datnet.experiments.significance import approximate_randomisation, f_score

VARIANTS = {"base": (False, lambda n, seed: 0.3), "F": (True, lambda n, seed: 0.8), "P": (True, lambda n, seed: 0.5)}


def records_of(results, variant):
    return results.select("es", variant, "10")["record"].tolist()


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
    assert results.sizes("es") == ["100", "10", "all", "0.5"] and results.largest("es") == "all"
    assert results.paper == {("es", "base", "10"): 21.5, ("es", "base", "all"): 80}


def test_summaries_are_those_of_numpy(results):
    for variant in ("base", "F"):
        scores = [100 * record.test["ents_f"] for record in results.select("es", variant, "10")["record"]]
        assert results.summary("es", variant, "10") == pytest.approx((np.mean(scores), np.std(scores, ddof=1), 3))
    assert results.summary("nl", "P", "10") is None
    assert results.summary("nl", "F", "10").seeds == 2


def test_a_difference_is_that_of_the_seeds_that_both_have(results):
    found = results.compare("nl", "F", "10")
    totals = [
        np.sum([counts for record in results.select("nl", name, "10")["record"] for counts in record.counts], 0)
        for name in ("F", "base")
    ]
    assert found.points == pytest.approx(f_score(totals[0]) - f_score(totals[1]))
    assert found.p < 0.001
    assert results.compare("es", "base", "10") is None and results.compare("nl", "P", "10") is None
    assert results.compare("es", "base", "10", "F").points == pytest.approx(-results.compare("es", "F", "10").points)


def test_the_same_outputs_of_more_seeds_are_no_more_evidence(tmp_path):
    variants = {"base": VARIANTS["P"], "F": (True, lambda n, seed: 0.6)}
    results = make_results(tmp_path, variants, sizes=(10,), seeds=range(5))
    for variant in variants:
        first, *others = results.select("es", variant, "10")["record"]
        for record in others:
            record.counts = first.counts
    one = approximate_randomisation(*(records_of(results, name)[0].counts for name in ("F", "base")))
    assert 0.001 < one.p < 0.5 and results.compare("es", "F", "10") == pytest.approx(one)


def test_a_test_set_that_changed_is_not_compared(tmp_path):
    results = make_results(tmp_path, VARIANTS, sizes=(10,))
    record = records_of(results, "F")[0]
    record.counts = record.counts[:-1]
    assert results.compare("es", "F", "10") is None and results.compare("es", "P", "10") is not None


def test_seeds_that_only_one_variant_has_do_not_count(tmp_path):
    results = make_results(
        tmp_path, VARIANTS, sizes=(10,), failed=lambda run: "x" if (run.variant, run.seed) == ("F", 0) else None
    )
    (record,) = records_of(results, "F")
    other = records_of(results, "base")[1]
    assert record.seed == other.seed == 1
    expected = f_score(record.counts.sum(0)) - f_score(other.counts.sum(0))
    assert results.compare("es", "F", "10").points == pytest.approx(expected)


def test_variants_that_learn_from_the_source_are_known(results):
    assert [results.uses_source("es", name) for name in ("base", "F", "P")] == [False, True, True]


@pytest.mark.parametrize(
    ("source", "model", "uses"),
    [
        ("a.spacy", {"transfer": "none"}, False),
        ("a.spacy", {"transfer": "full"}, True),
        ("a.spacy", {}, True),  # a component of spaCy
        (None, {"transfer": "full"}, False),
        (None, {}, False),
    ],
)
def test_a_source_is_used_by_who_reads_it_and_was_not_told_otherwise(tmp_path, source, model, uses):
    results = make_results(tmp_path, {"base": VARIANTS["base"]}, sizes=(10,), seeds=(0,))
    config = Config({"corpora": {"train": {"source": source}}, "components": {"ner": {"model": model}}})
    config.to_disk(results.folder / results.done["key"][0] / "config.cfg")
    assert results.uses_source("es", "base") == uses


def test_settings_are_those_of_one_size(tmp_path):
    results = make_results(
        tmp_path,
        VARIANTS,
        seeds=(0,),
        waiting=lambda run: run.size == 1000 and run.variant == "P",
        failed=lambda run: "x" if (run.variant, run.size) == ("F", 10) else None,
    )
    for record in results.done["record"]:
        path = results.folder / record.key / "config.cfg"
        config = Config().from_disk(path, interpolate=False)
        config["training"] = {"max_steps": record.size}
        config.to_disk(path)
    assert {name: one["training.max_steps"] for name, one in results.configs("es").items()} == dict.fromkeys(
        VARIANTS, 100
    )


def test_the_best_variant_is_that_of_the_dev_set(results):
    assert results.best("es", "10") == "F" and results.judged("es", "10") == ["base", "F"]
    results.done["dev"] = 100.0 * (results.done["variant"] == "base")
    assert results.best("es", "10") == "base" and results.judged("es", "10") == ["base"]


def test_the_best_variant_is_chosen_from_seeds_that_all_have(tmp_path):
    """A variant is not better because its easy seeds were done first."""
    results = make_results(
        tmp_path, VARIANTS, sizes=(10,), seeds=(0, 1), waiting=lambda run: (run.variant, run.seed) == ("P", 0)
    )
    results.done["dev"] = 50.0 * results.done["seed"] + 10.0 * (results.done["variant"] == "F")
    assert results.best("es", "10") == "F"
    assert results.best("es", "10", among=["base", "P"]) == "base"  # the first of equals
    assert results.best("es", "10", among=[]) is None
    apart = make_results(
        tmp_path / "apart", VARIANTS, sizes=(10,), waiting=lambda run: (run.variant == "F") == (run.seed == 0)
    )
    assert apart.best("es", "10") == "F"


def test_another_base_can_be_named(results):
    assert read_results(results.folder, "F").base == "F"
    with pytest.raises(ExperimentError, match=r"DN310.*'Q'.*base, F, P"):
        read_results(results.folder, "Q")


def test_a_folder_without_runs_is_named(tmp_path):
    with pytest.raises(ExperimentError, match=r"DN309.*nothing"):
        read_results(tmp_path / "nothing")
