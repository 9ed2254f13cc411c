"""spacy-datnet tables: the scores of a grid."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from ._app import app, failing_politely, say
from ._options import BaseOption, RunsArgument, TableFormat


@app.command()
def tables(
    folder: RunsArgument,
    format: Annotated[TableFormat, typer.Option("--format", "-f", help="Markdown, LaTeX (booktabs) or CSV.")] = "md",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file to write to instead of showing them.")
    ] = None,
    base: BaseOption = None,
) -> None:
    """Show the test scores of the runs of a grid, with their differences to a base.

    Each row has the mean and the standard deviation over seeds, the number of seeds, the difference to
    the base with its p-value, and the paper's number. The p-value is that of approximate randomisation
    over the test sentences, two-sided, not corrected for the number of comparisons. It says nothing about other target
    sentences to train on; the deviation over seeds does.
    """
    from ..experiments import explaining

    with failing_politely(), explaining():
        from ..corpora import replacing
        from ..experiments.results import read_results
        from ..experiments.tables import FORMATS, rows

        results = read_results(folder, base)
        text = FORMATS[format](rows(results), results.base)
        if output is None:
            # a minus sign is not in every encoding; other characters are escaped
            encoding = sys.stdout.encoding or "utf8"
            say(text if "−".encode(encoding, "ignore") else text.replace("−", "-"))
            return
        with replacing(output) as file:
            file.write(f"{text}\n".encode())
    say(f"Wrote {output}")
