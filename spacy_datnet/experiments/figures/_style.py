"""How all pictures look: told apart without colours, and the same on every machine."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .._problems import about, explaining

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito (2008), told apart by the colour-blind; next to each other, light and dark take turns
COLOURS = ("#000000", "#E69F00", "#0072B2", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#7F7F7F")
LINES = ("-", "--", "-.", ":", (0, (5, 1)), (0, (3, 1, 1, 1, 1, 1)), (0, (1, 1)), (0, (8, 3)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
HATCHES = ("", "///", "...", "\\\\\\", "xx", "--", "++", "oo")
SETTINGS = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.6,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
    "legend.frameon": False,
    "hatch.linewidth": 0.6,
    "svg.hashsalt": "spacy-datnet",
    "svg.fonttype": "path",
    # names of variants and corpora may have dollar signs, which are no formulas
    "text.parse_math": False,
    "savefig.dpi": 160,
}
WIDTH, HEIGHT = 6.2, 3.8


@contextmanager
def drawing() -> Iterator[None]:
    """Draw with the settings above; the user's own stay as they are."""
    with explaining():
        import matplotlib
    with matplotlib.rc_context(SETTINGS):
        yield


def new_figure(rows: int = 1, columns: int = 1, *, width: float = WIDTH, height: float = HEIGHT, **how: Any):
    """Make a figure that no window knows: (Figure, axes)."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(rows, columns, **how)


def line(number: int) -> dict[str, Any]:
    """Give the colour, line and marker of the variant with a number."""
    parts = {"color": COLOURS, "linestyle": LINES, "marker": MARKERS}
    return {name: looks[number % len(looks)] for name, looks in parts.items()}


def bar(number: int, strength: float) -> dict[str, Any]:
    """Give the filling of the variant with a number, pale, so that the hatch and the error bar are seen."""
    fill = (COLOURS[number % len(COLOURS)], strength)
    return {"facecolor": fill, "hatch": HATCHES[number % len(HATCHES)], "edgecolor": "black", "linewidth": 0.6}


def legend_below(figure: "Figure", axes: "Axes", columns: int = 3) -> None:
    """Put the legend under the plot, where it hides nothing."""
    handles, labels = axes.get_legend_handles_labels()
    if handles:
        figure.legend(handles, labels, loc="outside lower center", ncols=min(columns, len(handles)), handlelength=3.2)


def to_svg(figure: "Figure", name: str, title: str) -> str:
    """Draw a figure as an SVG element for a page that has others, too.

    figure (Figure): The figure.
    name (str): A name that no other figure of the page has.
    title (str): What is to be seen, for those who can't see it.
    RETURNS (str): The element. It scales with the width of what it is in.
    """
    file = io.StringIO()
    with drawing():
        figure.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    svg = file.getvalue()
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    # ids are the same in every figure of matplotlib
    svg = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", svg)
    width, height = (float(size) for size in re.findall(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)[0])
    opening = (
        f'<svg role="img" aria-label="{escape(title)}" viewBox="0 0 {width:g} {height:g}" '
        f'style="max-width: {width:g}pt" '
        'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    return re.sub(r"^<svg[^>]*>", lambda _: opening, svg)


def save(figure: "Figure", path: Path) -> None:
    """Write a figure to a file, in the format of its name."""
    metadata = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}.get(path.suffix)
    with drawing(), about(path):
        figure.savefig(path, metadata=metadata)
