"""spacy-datnet report: what the runs of a grid say, as a page."""

from pathlib import Path
from typing import Annotated

import typer

from ._app import app, failing_politely, say
from ._options import BaseOption, RunsArgument


@app.command()
def report(
    folder: RunsArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="The page to write.")] = Path("report.html"),
    base: BaseOption = None,
) -> None:
    """Write a report on the runs of a grid: one HTML page that needs no network.

    It says in words whether the source helps, by how much, how certain that is, and which variant to take; then come
    tables, pictures, the worst mistakes with their sentences, the settings and the versions. A grid
    that is still running, or of which runs failed, has a report, too.
    """
    from ..experiments import explaining

    with failing_politely(), explaining():
        from ..corpora import replacing
        from ..experiments.report import write_report
        from ..experiments.results import read_results

        page = write_report(read_results(folder, base))
        with replacing(output) as file:
            file.write(page.encode("utf8"))
    say(f"Wrote {output}")
