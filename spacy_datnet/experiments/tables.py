"""Tables of scores: mean and standard deviation over seeds, differences to the base, the paper's numbers."""

import csv
import io
from dataclasses import asdict, dataclass, fields

from .grid import Size
from .results import Results, name_of


@dataclass(frozen=True)
class Row:
    """A variant at one size. Scores and differences are in percent.

    corpora (str): The name of the corpora.
    size (Size): The target sentences, as the grid has them.
    variant (str): The name of the variant.
    score (str): Which score, as in a config.
    mean (float): Mean test score.
    std (Optional[float]): Standard deviation of the sample; None for a single seed.
    seeds (int): Number of seeds.
    difference (Optional[float]): To the base, over the test sentences of all seeds that both have; None for the base.
    p (Optional[float]): The p-value of the difference, see `Results.compare`; not corrected for the number of
        comparisons.
    paper (Optional[float]): The paper's number.
    """

    corpora: str
    size: Size
    variant: str
    score: str
    mean: float
    std: float | None
    seeds: int
    difference: float | None
    p: float | None
    paper: float | None


def rows(results: Results) -> list[Row]:
    """Collect the rows of all corpora, sizes and variants that have a result, in the order of the grid."""
    found = []
    for corpora in results.corpora:
        for size in results.sizes(corpora):
            for variant in results.variants(corpora):
                summary = results.summary(corpora, variant, size)
                if summary is None:
                    continue
                difference, p = results.compare(corpora, variant, size) or (None, None)
                paper = results.paper.get((corpora, variant, size))
                found.append(Row(corpora, size, variant, results.score(corpora), *summary, difference, p, paper))
    return found


def overview(results: Results) -> str:
    """Make a small Markdown table per corpora: variants by sizes, test scores in percent; empty without results."""
    tables = []
    for corpora in results.corpora:
        sizes = results.sizes(corpora)
        table = [[f"{corpora}, {results.score(corpora)}", *map(str, sizes)]]
        for variant in results.variants(corpora):
            cells = [results.summary(corpora, variant, size) for size in sizes]
            table.append([variant, *(str(cell or "") for cell in cells)])
            paper = [results.paper.get((corpora, variant, size)) for size in sizes]
            if any(value is not None for value in paper):
                table.append([f"{variant}, paper", *("" if value is None else f"{value:.2f}" for value in paper)])
        tables.append(_markdown(table, "l" * len(table[0])))
    return "\n\n".join(tables)


def to_markdown(found: list[Row], base: str) -> str:
    """Write the rows as Markdown, a table per corpora."""
    return "\n\n".join(_markdown(table, ALIGN) for table in _tables(found, base))


def to_latex(found: list[Row], base: str) -> str:
    """Write the rows as LaTeX, a tabular per corpora, for the package booktabs."""
    parts = []
    for header, *body in _tables(found, base):
        lines = [f"\\begin{{tabular}}{{{ALIGN}}}", "\\toprule", _latex(header)]
        size = None
        for row in body:
            lines += ["\\midrule"] if row[0] != size else []
            lines.append(_latex(row))
            size = row[0]
        parts.append("\n".join([*lines, "\\bottomrule", "\\end{tabular}"]))
    return "\n\n".join(parts)


def to_csv(found: list[Row], base: str) -> str:
    """Write the rows as one table of comma-separated values, numbers not rounded; what is not there is empty."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow([field.name for field in fields(Row)] + ["base"])
    writer.writerows([*asdict(row).values(), base] for row in found)
    return file.getvalue().rstrip("\n")


FORMATS = {"md": to_markdown, "latex": to_latex, "csv": to_csv}
ALIGN = "rlrrrrr"


def _tables(found: list[Row], base: str) -> list[list[list[str]]]:
    """Lay out a table per corpora: its header and its rows."""
    tables = []
    for corpora in dict.fromkeys(row.corpora for row in found):
        part = [row for row in found if row.corpora == corpora]
        title = f"{corpora}: {name_of(part[0].score)}, %"
        table = [["sentences", title, "mean ± std", "seeds", f"to {base}", "p", "paper"]]
        table += [cells(row) for row in part]
        tables.append(table)
    return tables


def cells(row: Row) -> list[str]:
    """Write the cells of a row: size, variant, score, seeds, difference, p, paper."""
    spread = "" if row.std is None else f" ± {row.std:.2f}"
    return [
        str(row.size),
        row.variant,
        f"{row.mean:.2f}{spread}",
        str(row.seeds),
        "" if row.difference is None else f"{row.difference:+.2f}".replace("-", "−"),
        "" if row.p is None else write_p(row.p),
        "" if row.paper is None else f"{row.paper:.2f}",
    ]


def write_p(p: float) -> str:
    """Write a p-value."""
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


LATEX = {
    "\\": "\\textbackslash{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "±": "$\\pm$",
    "−": "$-$",
    "<": "$<$",
    ">": "$>$",
}


def _latex(row: list[str]) -> str:
    written = ["".join(LATEX.get(character, character) for character in cell) for cell in row]
    return f"{' & '.join(written)} \\\\"


def _markdown(table: list[list[str]], align: str) -> str:
    rule = ["---:" if letter == "r" else "---" for letter in align]
    written = [[cell.replace("|", "\\|") for cell in row] for row in table]
    return "\n".join(f"| {' | '.join(row)} |" for row in [written[0], rule, *written[1:]])
