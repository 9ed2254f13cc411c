"""Pictures of the runs of a grid: plain functions from results to matplotlib figures. They need the extra [report]."""

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from ..calibration import reliability_of
from ..results import Results
from ..shared_features import features_of_variants
from ._style import save as save
from ._style import to_svg as to_svg
from .bars import ablation_bars
from .confidence import reliability_diagram
from .curves import learning_curves, setting_curves
from .discriminator import discriminator_accuracy
from .projection import projections

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
    """Draw all that the runs on corpora allow, by name.

    results (Results): The runs.
    corpora (str): The name of the corpora.
    forecast (Optional[str]): A variant whose learning curve is continued. Defaults to none.
    RETURNS (Dict[str, Figure]): The pictures.
    """
    size = results.largest(corpora)
    drawn = {
        "learning": learning_curves(results, corpora, forecast=forecast),
        "setting": setting_curves(results, corpora),
    }
    drawn["variants"] = None if drawn["setting"] else ablation_bars(results, corpora)
    drawn["discriminator"] = discriminator_accuracy(results, corpora, size)
    bins = {name: reliability_of(results, corpora, name, size) for name in results.judged(corpora, size)}
    drawn["reliability"] = reliability_diagram({name: one for name, one in bins.items() if one})
    drawn["tsne"] = projections(features_of_variants(results, corpora, size))
    return {name: figure for name, figure in drawn.items() if figure is not None}
