"""Variants side by side."""

from typing import TYPE_CHECKING

from .._extra import needs_report_extra
from ..results import Results, name_of
from ._style import COLOURS, HATCHES, WIDTH, drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_PANELS = 4


@needs_report_extra
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
        width = WIDTH if len(sizes) < 3 else 1.35 * WIDTH
        height = 1.3 + 0.36 * len(variants)
        figure, panels = new_figure(1, len(sizes), width=width, height=height, squeeze=False, sharey=True)
        for axes, size in zip(panels[0], sizes, strict=True):
            for place, variant in enumerate(variants):
                found = results.summary(corpora, variant, size)
                if found is None:
                    axes.text(0, place, " no result", va="center", fontsize=8, color="#555555")
                    continue
                look = {"hatch": HATCHES[place % len(HATCHES)], "edgecolor": "black", "linewidth": 0.7}
                # pale, so that the hatch and the error bar are seen
                colour = [*_rgb(COLOURS[place % len(COLOURS)]), 0.45]
                axes.barh(place, found.mean, height=0.66, facecolor=colour, **look)
                spread = found.std or 0.0
                if spread:
                    axes.errorbar(found.mean, place, xerr=spread, color="black", capsize=2.5, linewidth=1)
                axes.annotate(
                    f"{found.mean:.1f}",
                    (found.mean + spread, place),
                    xytext=(4, 0),
                    textcoords="offset points",
                    va="center",
                    fontsize=8,
                )
            axes.set_title(f"{results.sentences(corpora, size):,} target sentences", loc="left", fontsize=9)
            axes.set_yticks(range(len(variants)), variants)
            axes.margins(x=0.22)
            axes.set_xlim(left=0)
            axes.grid(axis="y", visible=False)
        panels[0][0].invert_yaxis()
        figure.supxlabel(f"{name_of(results.score(corpora))}, %", fontsize=9)
        figure.suptitle(f"{results.title}: {corpora}", x=0.01, ha="left", fontsize=10)
    return figure


def _rgb(colour: str) -> tuple[float, float, float]:
    from matplotlib.colors import to_rgb

    return to_rgb(colour)
