"""The shared features of sentences in the plane."""

from typing import TYPE_CHECKING

import numpy as np

from .._extra import needs_report_extra
from ..shared_features import mixing
from ._style import WIDTH, drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# name, marker, face and edge: told apart by shape and tone, without colours, too
LOOKS = (("source", "o", "none", "#0072B2"), ("target", "^", "#E69F00", "#000000"))
PERPLEXITY = 30.0


@needs_report_extra
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
        rows = -(-len(variants) // columns)
        width = WIDTH if columns < 3 else 1.3 * WIDTH
        size = width / columns
        figure, panels = new_figure(rows, columns, width=width, height=rows * size + 0.35, squeeze=False)
        for axes, (name, (features, is_source)) in zip(panels.flat, variants.items(), strict=False):
            perplexity = min(PERPLEXITY, (len(features) - 1) / 3)
            plane = TSNE(perplexity=perplexity, init="pca", random_state=seed).fit_transform(features.astype(float))
            for (resource, marker, fill, edge), chosen in zip(LOOKS, (is_source, ~is_source), strict=True):
                points = plane[chosen].T
                look = {"marker": marker, "facecolor": fill, "edgecolor": edge, "linewidth": 0.6}
                axes.scatter(*points, s=13, label=resource, **look)
            mixed = mixing(features, is_source)
            axes.set_title(name if mixed is None else f"{name}: {100 * mixed:.0f} %", loc="left")
            axes.set_xticks([])
            axes.set_yticks([])
            axes.grid(visible=False)
            for spine in axes.spines.values():
                spine.set_visible(True)
        for axes in panels.flat[len(variants) :]:
            axes.set_visible(False)
        figure.legend(*panels[0][0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure
