"""Scores: against the number of target sentences, against one numeric setting, and side by side."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..forecast import learning_curve
from ..results import OF_RUN, Results, Summary, name_of
from ._style import WIDTH, bar, drawing, legend_below, line, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# from this ratio of the largest to the smallest, an axis is logarithmic
WIDE = 5
# points that an axis shows at least, so that nothing does not look like something
LEAST_SPAN = 5
# how far a curve is continued
AHEAD = 2
MOST_PANELS = 4


def learning_curves(results: Results, corpora: str, *, forecast: str | None = None) -> "Figure | None":
    """Draw the test score of each variant against the number of target sentences, with a band of a standard deviation.

    results (Results): The runs.
    corpora (str): The name of the corpora.
    forecast (Optional[str]): A variant whose curve is continued to twice the data. Defaults to none.
    RETURNS (Optional[Figure]): The picture; None if there is a single size.
    """
    counts = {size: results.sentences(corpora, size) for size in results.sizes(corpora)}
    if len(counts) < 2:
        return None
    with drawing():
        figure, axes = new_figure()
        ticks = sorted(counts.values())
        for number, variant in enumerate(results.variants(corpora)):
            _band(axes, {n: results.summary(corpora, variant, size) for size, n in counts.items()}, variant, number)
            if variant == forecast and _continue(axes, results.select(corpora, variant), number):
                ticks.append(AHEAD * ticks[-1])
        smallest = next((count for count in ticks if count), 1)
        if ticks[-1] / smallest >= WIDE:
            # no sentences at all, which have no logarithm, are as far from the fewest as these from ten times as many
            axes.set_xscale("log") if ticks[0] else axes.set_xscale("symlog", linthresh=smallest)
        axes.set_xticks(ticks, [f"{count:,}" for count in ticks])
        axes.minorticks_off()
        axes.set_xlabel("target sentences")
        _finish(figure, axes, results, corpora)
    return figure


def _continue(axes: "Axes", runs: pd.DataFrame, number: int) -> bool:
    """Draw the continuation of a curve, if there is one."""
    curve, most = learning_curve(runs["sentences"], runs["test"]), runs["sentences"].max()
    if curve is None:
        return False
    x = np.geomspace(most, AHEAD * most, 20)
    score, low, high = np.array([curve.at(one) for one in x]).T
    colour, name = line(number)["color"], runs["variant"].iloc[0]
    axes.plot(x, score, color=colour, linewidth=0.9, linestyle=(0, (1, 2)), label=f"{name}, continued")
    axes.fill_between(x, low, high, facecolor="none", edgecolor=colour, hatch="....", linewidth=0.3, alpha=0.5)
    return True


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
            _band(axes, points, f"{results.sentences(corpora, size):,} target sentences", number)
        axes.set_xlabel(setting.split(".")[-1].replace("_", " "))
        axes.set_xticks(sorted(values.values()), [f"{value:g}" for value in sorted(values.values())])
        _finish(figure, axes, results, corpora)
    return figure


def setting_of(results: Results, corpora: str) -> tuple[str, dict[str, float]] | None:
    """Find the numeric setting that each variant has another value of, if it is the only difference of their configs.

    RETURNS (Optional[Tuple[str, Dict[str, float]]]): Its dotted name, and its value in each variant.
    """
    configs = results.configs(corpora)
    names = {name for config in configs.values() for name in config if not name.startswith(OF_RUN)}
    different = [name for name in names if len({repr(config.get(name)) for config in configs.values()}) > 1]
    if len(different) != 1:
        return None
    values: dict[str, float] = {}
    for variant, config in configs.items():
        value = config.get(different[0])
        if not isinstance(value, (int, float)) or isinstance(value, bool) or value in values.values():
            return None
        values[variant] = value
    return different[0], values


def _band(axes: "Axes", points: dict[float, Summary | None], label: str, number: int) -> None:
    found = sorted((one, summary.mean, summary.std or 0.0) for one, summary in points.items() if summary)
    x, mean, spread = np.array(found).reshape(-1, 3).T
    axes.plot(x, mean, label=label, **line(number))
    axes.fill_between(x, mean - spread, mean + spread, color=line(number)["color"], alpha=0.13, linewidth=0)


def _finish(figure: "Figure", axes: "Axes", results: Results, corpora: str) -> None:
    axes.set_ylabel(f"{name_of(results.score(corpora))}, %")
    axes.set_title(f"{results.title}: {corpora}", loc="left")
    bottom, top = axes.get_ylim()
    if top - bottom < LEAST_SPAN:
        axes.set_ylim((bottom + top - LEAST_SPAN) / 2, (bottom + top + LEAST_SPAN) / 2)
    legend_below(figure, axes)


def ablation_bars(results: Results, corpora: str) -> "Figure | None":
    """Draw the test score of each variant as a bar with its standard deviation, a panel per size.

    results (Results): The runs.
    corpora (str): The name of the corpora.
    RETURNS (Optional[Figure]): The picture; None if there is a single variant.
    """
    variants, sizes = results.variants(corpora), results.sizes(corpora)[-MOST_PANELS:]
    if len(variants) < 2:
        return None
    with drawing():
        width, height = WIDTH if len(sizes) < 3 else 1.35 * WIDTH, 1.3 + 0.36 * len(variants)
        figure, panels = new_figure(1, len(sizes), width=width, height=height, squeeze=False, sharey=True)
        for axes, size in zip(panels[0], sizes, strict=True):
            for place, variant in enumerate(variants):
                found = results.summary(corpora, variant, size)
                if found is None:
                    axes.text(0, place, " no result", va="center", fontsize=8, color="#555555")
                    continue
                axes.barh(place, found.mean, height=0.66, **bar(place, 0.45))
                spread = found.std or 0.0
                if spread:
                    axes.errorbar(found.mean, place, xerr=spread, color="black", capsize=2.5, linewidth=1)
                end, where = (found.mean + spread, place), {"xytext": (4, 0), "textcoords": "offset points"}
                axes.annotate(f"{found.mean:.1f}", end, va="center", fontsize=8, **where)
            axes.set_title(f"{results.sentences(corpora, size):,} target sentences", loc="left", fontsize=9)
            axes.set_yticks(range(len(variants)), variants)
            axes.margins(x=0.22)
            axes.set_xlim(left=0)
            axes.grid(axis="y", visible=False)
        panels[0][0].invert_yaxis()
        figure.supxlabel(f"{name_of(results.score(corpora))}, %", fontsize=9)
        figure.suptitle(f"{results.title}: {corpora}", x=0.01, ha="left", fontsize=10)
    return figure
