"""python -m spacy_datnet tables: the scores of a grid."""

from enum import Enum
from typing import Annotated

import typer

from ..experiments.results import read_results
from ..experiments.tables import FORMATS, rows
from ._app import app, failing_politely, say
from ._options import BaseOption, RunsArgument

Format = Enum("Format", [(name, name) for name in FORMATS], type=str)


@app.command()
def tables(
    folder: RunsArgument,
    format: Annotated[Format, typer.Option("--format", "-f", help="Markdown, LaTeX (booktabs) or CSV.")] = Format("md"),
    base: BaseOption = None,
) -> None:
    """Print the test scores of the runs of a grid, with their differences to a base.

    Each row has the mean and the standard deviation over seeds, the number of seeds, the difference to
    the base with its p-value, and the paper's number. The p-value is that of approximate randomisation
    over the test sentences of all seeds, two-sided, not corrected for the number of comparisons.
    """
    with failing_politely():
        results = read_results(folder, base)
    say(FORMATS[format.value](rows(results), results.base))
