"""spacy-datnet train: what `spacy train` does, to be interrupted at any moment."""

import logging
from pathlib import Path
from typing import Annotated

import typer

from ._app import app, fail, failing_politely, import_code
from ._options import CodeOption


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def train(
    context: typer.Context,
    config: Annotated[
        Path,
        typer.Argument(
            metavar="CONFIG", exists=True, dir_okay=False, allow_dash=True, help="The config; - reads it from stdin."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder for model-best and model-last.")],
    save_every: Annotated[
        int | None,
        typer.Option(
            metavar="STEPS",
            min=1,
            help="Save the state after so many steps; without it, as often as takes 3 % of the time.",
        ),
    ] = None,
    restart: Annotated[bool, typer.Option("--restart", help="Start anew, whatever was done before.")] = False,
    code: CodeOption = None,
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="The number of a GPU, -1 for the CPU.")] = -1,
    verbose: Annotated[bool, typer.Option("--verbose", "-V", help="Show more of what is going on.")] = False,
) -> None:
    """Train a pipeline as `spacy train` does; after an interruption, the same command goes on.

    Whatever ends the process, also in the middle of saving: what comes out is what an uninterrupted training gives, on
    a CPU to the byte. Settings of the config can be changed with options like --training.max_steps 2000. A training
    goes on only with the config and the corpora that it was begun with.
    """
    from spacy import util
    from spacy.cli._util import parse_config_overrides, setup_gpu, show_validation_error

    from ..training.folder import TrainingError
    from ..training.resume import train as train_pipeline

    if verbose:
        util.logger.setLevel(logging.DEBUG)
    overrides = parse_config_overrides(context.args)
    with failing_politely():
        import_code(code)
        setup_gpu(gpu_id)
        with show_validation_error(config):
            settings = util.load_config(config, overrides=overrides, interpolate=False)
        try:
            with show_validation_error(config, hint_fill=False):
                train_pipeline(settings, output, save_every=save_every, restart=restart, use_gpu=gpu_id, code=code)
        except TrainingError as error:
            fail(str(error))
            raise typer.Exit(1) from error
