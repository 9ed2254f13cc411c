"""What the resource discriminator still tells while the encoder learns to fool it."""

from typing import TYPE_CHECKING

import numpy as np

from .._extra import needs_report_extra
from ..grid import Size
from ..results import Results
from ._style import drawing, legend_below, new_figure, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@needs_report_extra
def discriminator_accuracy(results: Results, corpora: str, size: Size) -> "Figure | None":
    """Draw the share of sentences whose resource the discriminator tells, over the steps of training, mean of seeds.

    results (Results): The runs.
    corpora (str): The name of the corpora.
    size (Union[int, float, str]): The size.
    RETURNS (Optional[Figure]): The picture; None if no variant has a discriminator.
    """
    with drawing():
        figure, axes = new_figure(height=3.4)
        for number, variant in enumerate(results.variants(corpora)):
            curve = accuracy_over_time(results, corpora, variant, size)
            if len(curve) > 1:
                axes.plot(list(curve), list(curve.values()), label=variant, **style(number))
        if not axes.lines:
            return None
        axes.set_ylim(top=101)
        axes.set_xlabel("steps of training")
        axes.set_ylabel("resources told by\nthe discriminator, %")
        axes.set_title(f"{corpora}, {results.sentences(corpora, size):,} target sentences", loc="left")
        legend_below(figure, axes)
    return figure


def accuracy_over_time(results: Results, corpora: str, variant: str, size: Size) -> dict[int, float]:
    """Average over seeds what the discriminator told: by step, in percent; empty without a discriminator.

    Steps that only some of the seeds have come to are left out, and so is the first evaluation, before any learning.
    """
    curves = [
        {row["step"]: parts["accuracy"] for row in record["curve"] for parts in row["losses"].values()}
        for record in results.select(corpora, variant, size)
        if any(parts["accuracy"] for row in record["curve"] for parts in row["losses"].values())
    ]
    if not curves:
        return {}
    steps = sorted(set.intersection(*(set(curve) for curve in curves)) - {0})
    return {step: float(np.mean([curve[step] for curve in curves])) for step in steps}
