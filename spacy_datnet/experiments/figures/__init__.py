"""Pictures of the runs of a grid: plain functions from results to matplotlib figures."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from .._problems import has_sklearn
from ..predictions import reliability_of, sentences_of_variant
from ..results import Results
from ..shared_features import features_of_variants
from ._style import save as save
from ._style import to_svg as to_svg
from .insides import discriminator_accuracy, projections, reliability_diagram
from .scores import ablation_bars, learning_curves, setting_curves

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def all_figures(results: Results) -> Iterator[tuple[str, "Figure"]]:
    """Draw all that the runs allow.

    results (Results): The runs.
    YIELDS (Tuple[str, Figure]): Each picture with a name for its file.
    """
    for corpora in results.corpora:
        place = re.sub(r"\W+", "-", corpora)
        yield from ((f"{place}-{name}", figure) for name, figure in figures_of(results, corpora).items())


def figures_of(results: Results, corpora: str, *, forecast: str | None = None) -> dict[str, "Figure"]:
    """Draw all that the runs on corpora allow, by name; `forecast` is a variant whose learning curve is continued."""
    size = results.largest(corpora)
    setting = setting_curves(results, corpora)
    judged = results.judged(corpora, size)
    bins = {name: reliability_of(sentences_of_variant(results, corpora, name, size)) for name in judged}
    drawn = {
        "learning": learning_curves(results, corpora, forecast=forecast),
        "setting": setting,
        "variants": None if setting else ablation_bars(results, corpora),
        "discriminator": discriminator_accuracy(results, corpora, size),
        "reliability": reliability_diagram({name: one for name, one in bins.items() if one is not None}),
        "tsne": projections(features_of_variants(results, corpora, size)) if has_sklearn() else None,
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}
