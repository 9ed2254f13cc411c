"""Tables of scores: mean and standard deviation over seeds, differences to the base, the paper's numbers."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from .results import Results, name_of

COLUMNS = ("corpora", "size", "variant", "score", "mean", "std", "seeds", "difference", "p", "paper")
ALIGN = "rlrrrrr"
LATEX = str.maketrans(
    {
        "\\": "\\textbackslash{}",
        **{character: f"\\{character}" for character in "&%$#_{}"},
        "~": "\\textasciitilde{}",
        "^": "\\textasciicircum{}",
        "±": "$\\pm$",
        "−": "$-$",
        "<": "$<$",
        ">": "$>$",
    }
)


def rows(results: Results) -> pd.DataFrame:
    """Collect all corpora, sizes and variants that have a result, in the order of the grid.

    RETURNS (DataFrame): The `COLUMNS`: corpora, size, variant, which score, mean and standard deviation of the test
        scores, number of seeds, the difference to the base and its p-value (see `Results.compare`), and the paper's
        number, all in percent; NaN where there is none.
    """
    found = []
    for corpora in results.corpora:
        for size in results.sizes(corpora):
            for variant in results.variants(corpora):
                if summary := results.summary(corpora, variant, size):
                    difference = results.compare(corpora, variant, size) or (None, None)
                    paper = results.paper.get((corpora, variant, size))
                    found.append((corpora, size, variant, results.score(corpora), *summary, *difference, paper))
    frame = pd.DataFrame(found, columns=list(COLUMNS))
    return frame.astype(dict.fromkeys(("mean", "std", "difference", "p", "paper"), float))


def overview(results: Results) -> str:
    """Make a small Markdown table per corpora: variants by sizes, test scores in percent; empty without results."""
    tables = []
    for corpora in results.corpora:
        sizes = results.sizes(corpora)
        table = pd.DataFrame(columns=[f"{corpora}, {results.score(corpora)}", *sizes])
        for variant in results.variants(corpora):
            cells = [results.summary(corpora, variant, size) for size in sizes]
            table.loc[len(table)] = [variant, *(str(cell or "") for cell in cells)]
            paper = [results.paper.get((corpora, variant, size)) for size in sizes]
            if any(value is not None for value in paper):
                numbers = ("" if value is None else f"{value:.2f}" for value in paper)
                table.loc[len(table)] = [f"{variant}, paper", *numbers]
        tables.append(_markdown(table, "l" * len(table.columns)))
    return "\n\n".join(tables)


def cells(frame: pd.DataFrame, base: str) -> pd.DataFrame:
    """Write rows of one corpora for people."""
    first = frame.iloc[0]
    return pd.DataFrame(
        {
            "sentences": frame["size"],
            f"{first['corpora']}: {name_of(first['score'])}, %": frame["variant"],
            "mean ± std": frame["mean"].map("{:.2f}".format) + _text(frame["std"], " ± {:.2f}".format),
            "seeds": frame["seeds"].astype(str),
            f"to {base}": _text(frame["difference"], write_signed),
            "p": _text(frame["p"], write_p),
            "paper": _text(frame["paper"], "{:.2f}".format),
        }
    )


def _text(column: pd.Series, write: Callable[[Any], str]) -> pd.Series:
    return column.map(write, na_action="ignore").astype(object).fillna("")


def write_p(p: float) -> str:
    """Write a p-value."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def write_signed(value: float, digits: int = 2) -> str:
    """Write a difference with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def to_markdown(frame: pd.DataFrame, base: str) -> str:
    """Write the rows as Markdown, a table per corpora."""
    return "\n\n".join(_markdown(cells(part, base), ALIGN) for part in _by_corpora(frame))


def to_latex(frame: pd.DataFrame, base: str) -> str:
    """Write the rows as LaTeX, a tabular per corpora with a line between sizes, for the package booktabs."""
    parts = []
    for part in _by_corpora(frame):
        table = cells(part, base)
        lines = [f"\\begin{{tabular}}{{{ALIGN}}}", "\\toprule", _latex(table.columns)]
        for _, of_size in table.groupby("sentences", sort=False):
            lines += ["\\midrule", *map(_latex, of_size.itertuples(index=False))]
        parts.append("\n".join([*lines, "\\bottomrule", "\\end{tabular}"]))
    return "\n\n".join(parts)


def to_csv(frame: pd.DataFrame, base: str) -> str:
    """Write the rows as one table of comma-separated values, numbers not rounded; what is not there is empty."""
    return frame.assign(base=base).to_csv(index=False, lineterminator="\n").rstrip("\n")


FORMATS = {"md": to_markdown, "latex": to_latex, "csv": to_csv}


def _by_corpora(frame: pd.DataFrame) -> list[pd.DataFrame]:
    return [part for _, part in frame.groupby("corpora", sort=False)]


def _latex(row: Any) -> str:
    return f"{' & '.join(cell.translate(LATEX) for cell in row)} \\\\"


def _markdown(table: pd.DataFrame, align: str) -> str:
    rule = ["---:" if letter == "r" else "---" for letter in align]
    lines = [[cell.replace("|", "\\|") for cell in row] for row in [table.columns, *table.itertuples(index=False)]]
    return "\n".join(f"| {' | '.join(row)} |" for row in [lines[0], rule, *lines[1:]])
