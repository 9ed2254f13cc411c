"""Scores as curves: against the number of target sentences, or against one numeric setting."""

from typing import TYPE_CHECKING

import numpy as np

from .._extra import needs_report_extra
from ..forecast import learning_curve
from ..results import OF_RUN, Results, Summary, in_percent, name_of
from ._style import drawing, legend_below, new_figure, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# from this ratio of the largest to the smallest, an axis is logarithmic
WIDE = 5
# points that an axis shows at least, so that nothing does not look like something
LEAST_SPAN = 5
# how far a curve is continued
AHEAD = 2


@needs_report_extra
def learning_curves(results: Results, corpora: str, *, forecast: str | None = None) -> "Figure | None":
    """Draw the test score of each variant against the number of target sentences, with a band of a standard deviation.

    results (Results): The runs.
    corpora (str): The name of the corpora.
    forecast (Optional[str]): A variant whose curve is continued to twice the data. Defaults to none.
    RETURNS (Optional[Figure]): The picture; None if there is a single size.
    """
    sizes = results.sizes(corpora)
    if len(sizes) < 2:
        return None
    with drawing():
        figure, axes = new_figure()
        counts = {size: results.sentences(corpora, size) for size in sizes}
        ticks = sorted(counts.values())
        for number, variant in enumerate(results.variants(corpora)):
            found = {counts[size]: results.summary(corpora, variant, size) for size in sizes}
            _band(axes, {x: one for x, one in found.items() if one}, variant, number)
            if variant == forecast and _continue(axes, results, corpora, variant, number):
                ticks.append(AHEAD * ticks[-1])
        if ticks[-1] / ticks[0] >= WIDE:
            axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{count:,}" for count in ticks])
        axes.minorticks_off()
        axes.set_xlabel("target sentences")
        _finish(figure, axes, results, corpora)
    return figure


def _continue(axes: "Axes", results: Results, corpora: str, variant: str, number: int) -> bool:
    records = [r for r in results.done if (r["corpora"], r["variant"]) == (corpora, variant)]
    counts = [len(record["ids"]) for record in records]
    curve = learning_curve(counts, [in_percent(record) for record in records])
    if curve is None:
        return False
    x = np.geomspace(max(counts), AHEAD * max(counts), 20)
    score, low, high = np.array([curve.at(one) for one in x]).T
    colour = style(number)["color"]
    axes.plot(x, score, color=colour, linewidth=0.9, linestyle=(0, (1, 2)), label=f"{variant}, continued")
    axes.fill_between(x, low, high, facecolor="none", edgecolor=colour, hatch="....", linewidth=0.3, alpha=0.5)
    return True


@needs_report_extra
def setting_curves(results: Results, corpora: str) -> "Figure | None":
    """Draw the test score against the one numeric setting in which the variants differ, a curve per size.

    results (Results): The runs.
    corpora (str): The name of the corpora.
    RETURNS (Optional[Figure]): The picture; None if there is no such setting.
    """
    found = setting_of(results, corpora)
    if found is None:
        return None
    setting, values = found
    with drawing():
        figure, axes = new_figure()
        for number, size in enumerate(results.sizes(corpora)):
            points = {values[variant]: results.summary(corpora, variant, size) for variant in values}
            label = f"{results.sentences(corpora, size):,} target sentences"
            _band(axes, {x: points[x] for x in sorted(points) if points[x]}, label, number)
        axes.set_xlabel(setting.split(".")[-1].replace("_", " "))
        axes.set_xticks(sorted(values.values()), [f"{value:g}" for value in sorted(values.values())])
        _finish(figure, axes, results, corpora)
    return figure


def setting_of(results: Results, corpora: str) -> tuple[str, dict[str, float]] | None:
    """Find the numeric setting that each variant has another value of, if it is the only difference of their configs.

    RETURNS (Optional[Tuple[str, Dict[str, float]]]): Its dotted name, and its value in each variant.
    """
    configs = results.configs(corpora)
    if len(configs) < 2:
        return None
    names = {name for config in configs.values() for name in config if not name.startswith(OF_RUN)}
    different = [name for name in sorted(names) if len({repr(config.get(name)) for config in configs.values()}) > 1]
    if len(different) != 1:
        return None
    values = {variant: config.get(different[0]) for variant, config in configs.items()}
    if not all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in values.values()):
        return None
    return (different[0], values) if len(set(values.values())) == len(values) else None


def _band(axes: "Axes", points: dict[float, Summary], label: str, number: int) -> None:
    x = sorted(points)
    mean = np.array([points[one].mean for one in x])
    spread = np.array([points[one].std or 0.0 for one in x])
    look = style(number)
    axes.plot(x, mean, label=label, **look)
    axes.fill_between(x, mean - spread, mean + spread, color=look["color"], alpha=0.13, linewidth=0)


def _finish(figure: "Figure", axes: "Axes", results: Results, corpora: str) -> None:
    axes.set_ylabel(f"{name_of(results.score(corpora))}, %")
    axes.set_title(f"{results.title}: {corpora}", loc="left")
    bottom, top = axes.get_ylim()
    if top - bottom < LEAST_SPAN:
        axes.set_ylim((bottom + top - LEAST_SPAN) / 2, (bottom + top + LEAST_SPAN) / 2)
    legend_below(figure, axes)
