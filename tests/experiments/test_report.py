"""The report: what it says is what the runs say, whatever is missing; and a browser shows it."""

import json
from html.parser import HTMLParser

import numpy as np
import pytest
from synthetic import make_results

from spacy_datnet.experiments.mistakes import Confusion
from spacy_datnet.experiments.predictions import Sentence
from spacy_datnet.experiments.report import write_report
from spacy_datnet.experiments.report.page import describe, render
from spacy_datnet.experiments.report.verdict import (
    does_the_source_help,
    warnings_of,
    what_would_more_bring,
    which_variant,
)

BAD, FAIR, GOOD = (lambda n, seed: 0.3), (lambda n, seed: 0.6), (lambda n, seed: 0.9)
HELPS = {"base": (False, BAD), "F": (True, GOOD)}
HARMS = {"base": (False, GOOD), "F": (True, BAD)}


def rising(n, seed):
    return 0.3 + 0.18 * np.log10(n)


def test_a_source_that_helps(tmp_path):
    answer = does_the_source_help(make_results(tmp_path, HELPS), "es")
    assert answer.short.startswith("Yes, by up to ") and "harm" not in answer.short
    assert len(answer.points) == 3 and all("better in 2 of 2 seeds" in point for point in answer.points)
    assert warnings_of(make_results(tmp_path / "again", HELPS), "es") == []


def test_negative_transfer_is_a_warning(tmp_path):
    results = make_results(tmp_path, HARMS)
    assert does_the_source_help(results, "es").short == (
        "No, it does harm with 10, 100 and 1,000 target sentences. From 2 seeds only."
    )
    warnings = warnings_of(results, "es")
    assert len(warnings) == 3 and all(warning.startswith("Negative transfer") for warning in warnings)
    assert which_variant(results, "es").short == "base"


def test_a_difference_that_is_not_clear_is_called_so(tmp_path):
    results = make_results(tmp_path, {"base": (False, FAIR), "F": (True, FAIR)}, sizes=(10,))
    assert results.compare("es", "F", "10").p > 0.05
    assert does_the_source_help(results, "es").short == "No difference is clear. From 2 seeds only."
    assert warnings_of(results, "es") == []


def test_sizes_are_told_apart(tmp_path):
    variants = {
        "base": (False, lambda n, seed: 0.3 if n == 10 else 0.9),
        "F": (True, lambda n, seed: 0.9 if n == 10 else 0.3),
    }
    short = does_the_source_help(make_results(tmp_path, variants, sizes=(10, 100)), "es").short
    assert short.startswith("Yes with 10 target sentences, by ") and "harm with 100 target sentences." in short


def test_a_difference_that_seeds_do_not_agree_on_is_not_clear(tmp_path):
    """Test sentences alone may say that a model is better which only two lucky seeds out of four made so."""
    variants = {"base": (False, FAIR), "F": (True, lambda n, seed: 0.95 if seed < 2 else 0.55)}
    results = make_results(tmp_path, variants, sizes=(10,), seeds=range(4))
    assert results.compare("es", "F", "10").points > 0 and results.compare("es", "F", "10").p < 0.001
    answer = does_the_source_help(results, "es")
    assert answer.short == "No difference is clear." and "better in" in answer.points[0]
    assert "over test sentences, p = 0." in answer.points[0] and "over seeds" in answer.points[0]
    turned = make_results(tmp_path / "turned", {"base": (False, variants["F"][1]), "F": (True, FAIR)}, seeds=range(4))
    assert warnings_of(turned, "es") == []


def test_many_seeds_that_agree_are_clear(tmp_path):
    answer = does_the_source_help(make_results(tmp_path, HELPS, sizes=(10,), seeds=range(4)), "es")
    assert answer.short.startswith("Yes, by ") and "seeds only" not in answer.short
    assert "other target sentences" not in answer.text and "better in 4 of 4 seeds" in answer.points[0]


def test_test_scores_do_not_choose_the_variant(tmp_path):
    results = make_results(tmp_path, {**HELPS, "P": (True, BAD)}, sizes=(10,))
    results.done["dev"] = 10.0 + 50 * (results.done["variant"] == "P")
    assert which_variant(results, "es").short == "P, but base, which needs no source, is not clearly worse."
    assert ": P " in does_the_source_help(results, "es").points[0]


def test_the_learning_curve_is_continued_with_its_doubt(tmp_path):
    answer = what_would_more_bring(make_results(tmp_path, {"base": (False, rising)}), "es")
    assert "points for twice as many, give or take" in answer.short
    assert "(2,000)" in answer.points[0] and "(4,000)" in answer.points[1] and "guess" in answer.text
    few = make_results(tmp_path / "few", {"base": (False, rising)}, sizes=(10, 100))
    assert what_would_more_bring(few, "es").short == "These runs can't tell."


def test_without_a_variant_to_compare_with_nothing_is_claimed(tmp_path):
    for name, variant in HELPS.items():
        results = make_results(tmp_path / name, {name: variant})
        assert does_the_source_help(results, "es").short == "These runs can't tell."


def test_mistakes_have_words():
    assert describe(Confusion("PER", "LOC")) == "PER taken for LOC"
    assert describe(Confusion("PER", "PER")) == "PER with wrong borders"
    assert describe(Confusion("PER", None)) == "PER not found"
    assert describe(Confusion(None, "PER")).startswith("PER where there is nothing")


class Text(HTMLParser):
    """Collect tags, and the text outside of style."""

    def __init__(self, page: str):
        super().__init__()
        self.tags, self.text, self.hidden = [], "", False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.hidden = tag == "style"

    def handle_endtag(self, tag):
        self.hidden = False

    def handle_data(self, data):
        self.text += "" if self.hidden else data


def test_rendered_sentences_are_escaped():
    sentence = Sentence(["<b>", "&", "x"], [True, True, False], {(0, 2, "<i>")}, {})
    page = Text(render(sentence, sentence.gold))
    assert "".join(page.text.split()) == "<b>&<i>x" and not {"b", "i"} & set(page.tags)


@pytest.mark.parametrize("task", ["ner", "tagger", "chunker"])
def test_a_whole_report(tmp_path, task):
    results = make_results(tmp_path, HELPS, task=task, paper={"es": {"base": {10: 12.34}}})
    page = Text(write_report(results))
    for wanted in ("Does the source help?", "Yes, by up to", "12.34", "The proxy A-distance", "Label by label"):
        assert wanted in page.text
    for wanted in ("The most frequent mistakes of F", "expected calibration error", results.command, "spacy 3.8"):
        assert wanted in page.text
    assert page.tags.count("svg") == 4 and "script" not in page.tags and "mark" in page.tags


CASES = {
    "one size": {"sizes": (100,)},
    "all": {"sizes": ("all",), "seeds": (0,)},
    "one seed": {"seeds": (7,)},
    "unfinished": {"waiting": lambda run: run.size == 1000 or (run.variant == "F" and run.size == 100)},
    "base not done": {"waiting": lambda run: run.variant == "base"},
    "failed": {"failed": lambda run: "<ValueError>" if run.seed == 1 else None},
    "all failed": {"failed": lambda run: "out of memory"},
    "nothing done": {"waiting": lambda run: True},
    "two corpora": {"corpora": ("es", "a <b> & c")},
}


@pytest.mark.parametrize("case", CASES)
def test_a_report_on_what_there_is(tmp_path, case):
    page = Text(write_report(make_results(tmp_path, HELPS, **CASES[case])))
    assert page.tags.count("html") == 1 and "A grid" in page.text
    if case == "one seed":
        assert "From one seed only." in page.text and "fewer than three seeds" in page.text
    if case in ("unfinished", "base not done", "nothing done"):
        assert "not done yet" in page.text
    if case == "failed":
        assert "6 failed" in page.text and "<ValueError>" in page.text
    if case == "two corpora":
        assert "a <b> & c" in page.text and page.text.count("Which variant should I take?") == 2


def test_only_a_base(tmp_path):
    page = Text(write_report(make_results(tmp_path, {"base": (False, rising)})))
    assert "These runs can't tell." in page.text and "base: there is no other" in page.text


def test_predictions_that_are_gone_leave_sections_out(tmp_path):
    results = make_results(tmp_path, HELPS)
    (tmp_path / "test.spacy").unlink()
    (tmp_path / "source.spacy").unlink()
    page = Text(write_report(results))
    assert "Yes, by up to" in page.text
    assert "Label by label" not in page.text and "proxy A-distance" not in page.text


# In a browser


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    folder = tmp_path_factory.mktemp("report")
    long = "a very long name of a variant, with_an_underscored_part_that_has_no_place_to_break"
    variants = {**HARMS, long: (True, FAIR)}
    results = make_results(folder, variants, sizes=(10, 50, 100, 500, 1000), title="<script>x</script> & a title")
    path = folder / "report.html"
    path.write_text(write_report(results), encoding="utf8")
    return path


@pytest.mark.parametrize("width", [375, 1200])
def test_a_browser_shows_the_page(browser, page_file, width):
    screen = {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", screen)
    browser.get_log("performance")
    browser.get(page_file.as_uri())
    browser.execute_script("document.querySelectorAll('details').forEach(one => one.open = true)")
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [m["params"]["request"]["url"] for m in messages if m["method"] == "Network.requestWillBeSent"]
    assert page_file.as_uri() in asked
    assert [url for url in asked if not url.startswith(("data:", page_file.as_uri()))] == []
    assert browser.get_log("browser") == []
    root = "document.documentElement"
    assert browser.execute_script(f"return {root}.scrollWidth <= {root}.clientWidth")
    assert browser.execute_script(f"return {root}.clientWidth") <= width
    assert browser.title == "<script>x</script> & a title"
    short = browser.find_element("css selector", ".verdict .short")
    assert short.is_displayed() and short.text.startswith("No, it does harm")
    assert short.rect["y"] < 800  # without scrolling
    assert browser.find_element("css selector", ".warning").is_displayed()
    pictures = browser.find_elements("css selector", "figure svg")
    assert len(pictures) == 4
    for picture in pictures:
        assert picture.is_displayed() and picture.rect["width"] > 250 and picture.rect["height"] > 100
    assert browser.execute_script(
        "return [...document.querySelectorAll('svg use')].every("
        "one => document.querySelector(one.getAttribute('xlink:href').replace(/[^\\w#-]/g, '\\\\$&')))"
    )
