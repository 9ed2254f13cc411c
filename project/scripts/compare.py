"""Show the scores that `spacy evaluate` wrote for several models side by side."""

from pathlib import Path
from typing import Annotated

import srsly
import typer
from wasabi import Printer

SCORES = {"ents_p": "P", "ents_r": "R", "ents_f": "F"}


def compare(
    metrics: Annotated[list[Path], typer.Argument(help="metrics.json of each model, the one to compare with first.")],
) -> None:
    """Print precision, recall and F1 in percent, the difference to the first file, and F1 per label."""
    results = {path.parent.name: srsly.read_json(path) for path in metrics}
    first = next(iter(results.values()))
    labels = sorted(set().union(*((result["ents_per_type"] or {}) for result in results.values())))
    rows = []
    for name, result in results.items():
        per_type = result["ents_per_type"] or {}
        row = [100 * result[score] for score in SCORES]
        row.append(100 * (result["ents_f"] - first["ents_f"]))
        row += [100 * per_type.get(label, {}).get("f", 0.0) for label in labels]
        rows.append(
            [name, *(f"{value:.2f}" for value in row[:3]), f"{row[3]:+.2f}", *(f"{value:.2f}" for value in row[4:])]
        )
    header = ["model", *SCORES.values(), "difference", *labels]
    Printer().table(rows, header=header, divider=True, aligns=["l", *["r"] * (len(header) - 1)])


if __name__ == "__main__":
    typer.run(compare)
