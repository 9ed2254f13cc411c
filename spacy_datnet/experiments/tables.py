"""Tables of scores: mean and standard deviation over seeds."""

import statistics
from collections.abc import Iterable
from typing import Any

from .grid import Size

Records = Iterable[dict[str, Any]]
Paper = dict[str, dict[Size, float]]


def in_percent(record: dict[str, Any], part: str = "test") -> float:
    """Give the main score of a run."""
    return 100 * record[part][record["score"]]


def mean_and_spread(values: list[float]) -> str:
    """Write a mean with the standard deviation of the sample, if there are several values."""
    spread = f" ± {statistics.stdev(values):.2f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.2f}{spread}"


def markdown(records: Records, paper: Paper | None = None) -> str:
    """Make a Markdown table per corpora: variants by sizes, test scores in percent. Failed runs are left out.

    records (Iterable[Dict[str, Any]]): Records of a manifest.
    paper (Optional[Dict[str, Dict[Size, float]]]): The paper's numbers, by variant and size.
    RETURNS (str): The tables.
    """
    records = [record for record in records if not record["error"]]
    tables = []
    for corpora in dict.fromkeys(record["corpora"] for record in records):
        part = [record for record in records if record["corpora"] == corpora]
        sizes = list(dict.fromkeys(record["size"] for record in part))
        score = part[0]["score"]
        rows = [[f"{corpora}, {score}", *map(str, sizes)], ["---"] * (1 + len(sizes))]
        for variant in dict.fromkeys(record["variant"] for record in part):
            cells = []
            for size in sizes:
                scores = [in_percent(r) for r in part if (r["variant"], r["size"]) == (variant, size)]
                cells.append(mean_and_spread(scores) if scores else "")
            rows.append([variant, *cells])
            if known := (paper or {}).get(variant):
                rows.append([f"{variant}, paper", *(f"{known[size]:.2f}" if size in known else "" for size in sizes)])
        tables.append("\n".join(f"| {' | '.join(row)} |" for row in rows))
    return "\n\n".join(tables)
