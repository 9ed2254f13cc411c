"""Pictures: what they show is what the results say, read back from the axes of matplotlib."""

import sys
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from synthetic import make_results

from spacy_datnet.experiments import ExperimentError
from spacy_datnet.experiments.figures import (
    ablation_bars,
    all_figures,
    discriminator_accuracy,
    learning_curves,
    projections,
    reliability_diagram,
    save,
    setting_curves,
    to_svg,
)
from spacy_datnet.experiments.figures.insides import accuracy_over_time
from spacy_datnet.experiments.figures.scores import setting_of
from spacy_datnet.experiments.predictions import calibration_error, reliability_of, sentences_of_variant

VARIANTS = {
    "base": (False, lambda n, seed: 0.3 + 0.1 * np.log10(n)),
    "F": (True, lambda n, seed: 0.6 + 0.1 * np.log10(n)),
}


@pytest.fixture
def results(tmp_path):
    return make_results(tmp_path, VARIANTS)


def lines(axes) -> dict[str, np.ndarray]:
    return {line.get_label(): line.get_xydata() for line in axes.lines}


def test_learning_curves_are_means_against_sentences(results):
    (axes,) = learning_curves(results, "es").axes
    assert set(lines(axes)) == {"base", "F"} and axes.get_xscale() == "log"
    for variant, points in lines(axes).items():
        assert points[:, 0].tolist() == [10, 100, 1000]
        assert points[:, 1].tolist() == [results.summary("es", variant, size).mean for size in ("10", "100", "1000")]
    # from the mean less a standard deviation to the mean more it
    band = axes.collections[0].get_paths()[0].vertices
    low, high = ([row[1] for row in band if row[0] == 10] for _ in range(2))
    summary = results.summary("es", "base", "10")
    assert (min(low), max(high)) == pytest.approx((summary.mean - summary.std, summary.mean + summary.std))


def test_variants_differ_without_colours(results):
    (axes,) = learning_curves(results, "es").axes
    looks = [(line.get_linestyle(), line.get_marker()) for line in axes.lines]
    assert len({line for line, _ in looks}) == len({marker for _, marker in looks}) == 2
    (axes, *_) = ablation_bars(results, "es").axes
    assert len({bar.get_hatch() for bar in axes.patches}) == 2


def test_a_curve_is_continued_to_twice_the_sentences(results):
    (axes,) = learning_curves(results, "es", forecast="F").axes
    points = lines(axes)["F, continued"]
    assert points[0, 0] == pytest.approx(1000) and points[-1, 0] == pytest.approx(2000)
    assert axes.get_xticks().tolist() == [10, 100, 1000, 2000]


def test_a_single_size_has_no_learning_curve(tmp_path):
    assert learning_curves(make_results(tmp_path, VARIANTS, sizes=("all",)), "es") is None


def test_bars_are_means_with_deviations(results):
    panels = ablation_bars(results, "es").axes
    assert len(panels) == 3
    for axes, size in zip(panels, ("10", "100", "1000"), strict=True):
        assert f"{int(size):,}" in axes.get_title(loc="left")
        expected = [results.summary("es", name, size).mean for name in ("base", "F")]
        assert [bar.get_width() for bar in axes.patches] == expected
    assert [label.get_text() for label in panels[0].get_yticklabels()] == ["base", "F"]
    assert ablation_bars(make_results(results.folder / "one", {"base": VARIANTS["base"]}), "es") is None


def test_a_variant_without_a_result_is_told_in_its_place(tmp_path):
    results = make_results(tmp_path, VARIANTS, waiting=lambda run: (run.variant, run.size) == ("F", 10))
    first, second, _ = ablation_bars(results, "es").axes
    assert len(first.patches) == 1 and "no result" in [text.get_text().strip() for text in first.texts]
    assert len(second.patches) == 2


ALPHAS = {name: (True, lambda n, seed: 0.5) for name in ("a", "b", "c")}


def test_the_numeric_setting_is_found(tmp_path):
    values = {"a": {"alpha": 0.5, "gamma": 2.0}, "b": {"alpha": 0.1, "gamma": 2.0}, "c": {"alpha": 0.25, "gamma": 2.0}}
    results = make_results(tmp_path, ALPHAS, settings=values)
    assert setting_of(results, "es") == ("components.datnet_ner.loss.alpha", {"a": 0.5, "b": 0.1, "c": 0.25})
    (axes,) = setting_curves(results, "es").axes
    assert axes.get_xlabel() == "alpha"
    for size, (label, points) in zip(("10", "100", "1000"), lines(axes).items(), strict=True):
        assert label == f"{int(size):,} target sentences"
        assert points[:, 0].tolist() == [0.1, 0.25, 0.5]
        assert points[:, 1].tolist() == [results.summary("es", name, size).mean for name in ("b", "c", "a")]


@pytest.mark.parametrize(
    "values",
    [
        {"a": {"alpha": 0.5}, "b": {"alpha": 0.1}, "c": {"alpha": 0.1}},
        {"a": {"alpha": 0.5}, "b": {"alpha": 0.1}, "c": {"gamma": 0.1}},
        {"a": {"discriminator": "ad"}, "b": {"discriminator": "grad"}, "c": {"discriminator": "none"}},
        {"a": {"at": True}, "b": {"at": False}, "c": {"at": True}},
        {},
    ],
    ids=["equal", "two settings", "words", "switch", "none"],
)
def test_other_differences_are_no_numeric_setting(tmp_path, values):
    results = make_results(tmp_path, ALPHAS, settings=values, sizes=(10,))
    assert setting_of(results, "es") is None and setting_curves(results, "es") is None


def test_the_accuracy_of_the_discriminator_is_the_mean_of_the_seeds(results):
    assert accuracy_over_time(results, "es", "F", "10") == {10: 70.0, 20: 60.5}  # 60 and 61, see `synthetic`
    assert accuracy_over_time(results, "es", "base", "10") == {}
    (axes,) = discriminator_accuracy(results, "es", "10").axes
    assert {name: points.tolist() for name, points in lines(axes).items()} == {"F": [[10.0, 70.0], [20.0, 60.5]]}
    alone = make_results(results.folder / "one", {"base": VARIANTS["base"]})
    assert discriminator_accuracy(alone, "es", "10") is None


def test_the_reliability_diagram_shows_the_bins(results):
    found = reliability_of(sentences_of_variant(results, "es", "F", "10"))
    above, below = reliability_diagram({"F": found}).axes
    points = lines(above)[f"F, ECE {calibration_error(found):.3f}"]
    assert points.tolist() == found[["confidence", "accuracy"]].values.tolist()
    assert sum(bar.get_height() for bar in below.patches) == pytest.approx(1)
    assert reliability_diagram({}) is None


def test_projections_show_each_sentence_once():
    rng = np.random.default_rng(0)
    is_source = np.repeat([True, False], [12, 8])
    features = rng.normal(size=(20, 5)) + 50 * is_source[:, None]
    (axes,) = projections({"F": (features, is_source)}).axes
    source, target = (part.get_offsets().data for part in axes.collections)
    assert (len(source), len(target)) == (12, 8)
    # clusters that are far apart stay apart
    middles = [source.mean(0), target.mean(0)]
    assert all(np.argmin([np.linalg.norm(point - middle) for middle in middles]) == 0 for point in source)
    assert projections({}) is None


def test_all_figures_can_be_written(results, tmp_path):
    names = []
    for name, figure in all_figures(results):
        for suffix in ("png", "svg", "pdf"):
            path = tmp_path / f"{name}.{suffix}"
            save(figure, path)
            assert path.stat().st_size > 1000
        names.append(name)
    assert names == ["es-learning", "es-variants", "es-discriminator", "es-reliability"]


def test_svg_elements_have_ids_of_their_own(results):
    figure = learning_curves(results, "es")
    trees = [ElementTree.fromstring(to_svg(figure, name, 'a "title" & <more>')) for name in ("x", "y")]
    first, second = ({element.get("id") for element in tree.iter()} - {None} for tree in trees)
    assert first and not first & second
    link = "{http://www.w3.org/1999/xlink}href"
    uses = {element.get(link)[1:] for element in trees[0].iter() if element.get(link)}
    assert uses and uses <= first
    assert trees[0].get("aria-label") == 'a "title" & <more>'


def test_names_are_no_formulas(tmp_path):
    """A dollar sign is a dollar sign."""
    name = "$\\nosuch$ & <b>"
    results = make_results(tmp_path, {"base": VARIANTS["base"], name: VARIANTS["F"]}, title=name)
    for _, figure in all_figures(results):
        ElementTree.fromstring(to_svg(figure, "x", "y"))
    assert name in lines(learning_curves(results, "es").axes[0])


def test_without_matplotlib_there_is_a_message(results, monkeypatch):
    for name in [name for name in sys.modules if name.split(".")[0] == "matplotlib"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ExperimentError, match=r"DN311.*matplotlib.*spacy-datnet\[experiments\]"):
        learning_curves(results, "es")
