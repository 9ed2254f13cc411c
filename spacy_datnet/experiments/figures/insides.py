"""What is inside of the models: confidences, the discriminator, and shared features in the plane."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from ..predictions import BINS, calibration_error
from ..results import Results
from ..shared_features import mixing
from ._style import WIDTH, bar, drawing, legend_below, line, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# name, marker, face and edge: told apart by shape and tone, without colours, too
RESOURCES = (("source", "o", "none", "#0072B2"), ("target", "^", "#E69F00", "#000000"))
PERPLEXITY = 30.0


def reliability_diagram(variants: dict[str, pd.DataFrame]) -> "Figure | None":
    """Draw the accuracy of predictions against their confidence, and below, how many there are.

    variants (Dict[str, DataFrame]): By name, the bins of each variant, see `reliability`.
    RETURNS (Optional[Figure]): The picture; None without variants.
    """
    if not variants:
        return None
    with drawing():
        figure, (above, below) = new_figure(2, 1, height=4.6, width=4.8, sharex=True, height_ratios=[3, 1])
        above.plot([0, 1], [0, 1], color="#888888", linewidth=0.9, linestyle=":", label="perfect")
        width = 0.9 / BINS / len(variants)
        for number, (name, bins) in enumerate(variants.items()):
            label = f"{name}, ECE {calibration_error(bins):.3f}"
            above.plot(bins["confidence"], bins["accuracy"], label=label, clip_on=False, **line(number))
            middles = (bins.index + 0.05) / BINS + width * (number + 0.5)
            below.bar(middles, bins["count"] / bins["count"].sum(), width=width, **bar(number, 0.5))
        above.set(ylabel="share that is right", xlim=(0, 1), ylim=(0, 1.02))
        below.set(ylabel="share of\npredictions", xlabel="confidence")
        legend_below(figure, above, columns=2)
    return figure


def discriminator_accuracy(results: Results, corpora: str, size: str) -> "Figure | None":
    """Draw the share of sentences whose resource the discriminator tells, over the steps of training, mean of seeds.

    results (Results): The runs.
    corpora (str): The name of the corpora.
    size (str): The size.
    RETURNS (Optional[Figure]): The picture; None if no variant has a discriminator.
    """
    with drawing():
        figure, axes = new_figure(height=3.4)
        for number, variant in enumerate(results.variants(corpora)):
            curve = accuracy_over_time(results, corpora, variant, size)
            if len(curve) > 1:
                axes.plot(list(curve), list(curve.values()), label=variant, **line(number))
        if not axes.lines:
            return None
        axes.set(xlabel="steps of training", ylabel="resources told by\nthe discriminator, %")
        axes.set_ylim(top=101)
        axes.set_title(f"{corpora}, {results.sentences(corpora, size):,} target sentences", loc="left")
        legend_below(figure, axes)
    return figure


def accuracy_over_time(results: Results, corpora: str, variant: str, size: str) -> dict[int, float]:
    """Average over seeds what the discriminator told: by step, in percent; empty without a discriminator.

    Steps that only some of the seeds have come to are left out, and so is the first evaluation, before any learning.
    """
    curves = [
        {row.step: parts.get("accuracy") for row in record.curve for parts in row.losses.values()}
        for record in results.select(corpora, variant, size)["record"]
    ]
    told = pd.DataFrame([curve for curve in curves if any(curve.values())], dtype=float).dropna(axis="columns")
    return told.mean().drop(0, errors="ignore").sort_index().to_dict()


def projections(variants: dict[str, tuple[np.ndarray, np.ndarray]], *, seed: int = 0) -> "Figure | None":
    """Draw the sentences of source and target by t-SNE (van der Maaten and Hinton 2008), a panel per variant.

    The number beside a name says how far source and target mix in the features themselves, see `mixing`.

    variants (Dict[str, Tuple[ndarray, ndarray]]): By name, features (sentences, width) and which sentences are the
        source's, (sentences,) bool; see `shared_features`.
    seed (int): Seed of the projection. Defaults to 0.
    RETURNS (Optional[Figure]): The picture; None without variants.
    """
    if not variants:
        return None
    from sklearn.manifold import TSNE

    with drawing():
        columns = min(len(variants), 3)
        rows, width = -(-len(variants) // columns), WIDTH if columns < 3 else 1.3 * WIDTH
        height = rows * width / columns + 0.35
        figure, panels = new_figure(rows, columns, width=width, height=height, squeeze=False)
        for axes, (name, (features, is_source)) in zip(panels.flat, variants.items(), strict=False):
            perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
            plane = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(features.astype(float))
            for (resource, marker, fill, edge), chosen in zip(RESOURCES, (is_source, ~is_source), strict=True):
                look = {"marker": marker, "facecolor": fill, "edgecolor": edge, "linewidth": 0.6}
                axes.scatter(*plane[chosen].T, s=13, label=resource, **look)
            mixed = mixing(features, is_source)
            axes.set_title(name if mixed is None else f"{name}: {100 * mixed:.0f} %", loc="left")
            axes.set(xticks=[], yticks=[])
            axes.grid(visible=False)
            axes.spines[:].set_visible(True)
        for axes in panels.flat[len(variants) :]:
            axes.set_visible(False)
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
