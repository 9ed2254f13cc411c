"""spacy-datnet figures: the pictures of a grid."""

from pathlib import Path
from typing import Annotated

import typer

from ._app import app, failing_politely, import_code, say
from ._options import BaseOption, CodeOption, PictureFormat, RunsArgument


@app.command()
def figures(
    folder: RunsArgument,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write to.")],
    format: Annotated[PictureFormat, typer.Option("--format", "-f", help="Format of the pictures.")] = "png",
    base: BaseOption = None,
    code: CodeOption = None,
) -> None:
    """Draw the runs of a grid: whatever its corpora, variants, sizes and kept models allow.

    Learning curves, bars of the variants, curves over the one numeric setting in which the variants differ,
    the accuracy of the discriminator over time, the reliability of confidences, and shared features by t-SNE,
    which needs `run --keep-models`.
    """
    from ..experiments import explaining

    with failing_politely(), explaining():
        from ..experiments.figures import all_figures, save
        from ..experiments.results import read_results

        import_code(code)
        results = read_results(folder, base)
        output.mkdir(parents=True, exist_ok=True)
        for name, figure in all_figures(results):
            path = output / f"{name}.{format}"
            save(figure, path)
            say(f"Wrote {path}")
