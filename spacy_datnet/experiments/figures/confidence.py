"""Confidence against accuracy."""

from typing import TYPE_CHECKING

from .._extra import needs_report_extra
from ..calibration import BINS, Reliability
from ._style import COLOURS, HATCHES, drawing, legend_below, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@needs_report_extra
def reliability_diagram(variants: dict[str, Reliability]) -> "Figure | None":
    """Draw the accuracy of predictions against their confidence, and below, how many there are.

    variants (Dict[str, Reliability]): By name, the bins of each variant.
    RETURNS (Optional[Figure]): The picture; None without variants.
    """
    if not variants:
        return None
    with drawing():
        figure, (above, below) = new_figure(2, 1, height=4.6, width=4.8, sharex=True, height_ratios=[3, 1])
        above.plot([0, 1], [0, 1], color="#888888", linewidth=0.9, linestyle=":", label="perfect")
        for number, (name, found) in enumerate(variants.items()):
            x, y, counts = zip(*found.bins, strict=True)
            above.plot(x, y, label=f"{name}, ECE {found.ece:.3f}", clip_on=False, **style(number))
            share = [count / sum(counts) for count in counts]
            width = 0.9 / BINS / len(variants)
            lefts = [(min(int(BINS * one), BINS - 1) + 0.05) / BINS for one in x]
            middles = [left + width * (number + 0.5) for left in lefts]
            look = {"hatch": HATCHES[number % len(HATCHES)], "edgecolor": "black", "linewidth": 0.6}
            below.bar(middles, share, width=width, color=COLOURS[number % len(COLOURS)], alpha=0.5, **look)
        above.set_ylabel("share that is right")
        above.set_xlim(0, 1)
        above.set_ylim(0, 1.02)
        below.set_ylabel("share of\npredictions")
        below.set_xlabel("confidence")
        legend_below(figure, above, columns=2)
    return figure
