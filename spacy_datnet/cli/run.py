"""python -m spacy_datnet run: the trainings of a grid."""

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from tqdm import tqdm

from ..experiments.engines import run_locally
from ..experiments.grid import read_grid
from ..experiments.manifest import Manifest
from ..experiments.ray_engine import run_on_ray
from ..experiments.tables import markdown
from ._app import app, fail, failing_politely, say, warn


class Engine(str, Enum):
    """What starts the runs."""

    local = "local"
    ray = "ray"


@app.command()
def run(
    grid: Annotated[Path, typer.Argument(metavar="GRID", help="A YAML file: corpora, variants, sizes, seeds.")],
    folder: Annotated[Path, typer.Argument(metavar="RUNS", help="The folder of the runs; manifest.jsonl is in it.")],
    workers: Annotated[int, typer.Option(min=1, help="How many runs at once, each a process.")] = 1,
    engine: Annotated[
        Engine, typer.Option(help="What starts the runs: processes of this machine, or Ray.")
    ] = Engine.local,
    address: Annotated[
        str | None,
        typer.Option(help="The address of a Ray cluster; without one, Ray is started on this machine."),
    ] = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch in each process.")] = 1,
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="The number of a GPU, -1 for the CPU.")] = -1,
    retry: Annotated[bool, typer.Option(help="Do runs again that failed before.")] = False,
    keep_models: Annotated[bool, typer.Option(help="Keep the trained models.")] = False,
    dry: Annotated[bool, typer.Option("--dry", help="Only list what is to be done.")] = False,
) -> None:
    """Train and evaluate every combination of a grid, and print a table of the scores.

    What is in the manifest is not done again, so the same command goes on after a stop. A run that fails is recorded
    with its error. Each run has a folder with its config, its log and the predicted test set.
    """
    with failing_politely():
        experiment = read_grid(grid)
        manifest = Manifest(folder)
        done = manifest.latest()
    todo = [one for one in experiment.runs if one.key not in done or (retry and done[one.key]["error"])]
    say(f"{len(experiment.runs)} runs, {len(experiment.runs) - len(todo)} of them done")
    if dry:
        for one in todo:
            say(one.name)
        return
    settings = {"threads": threads, "use_gpu": gpu_id}
    how = {"workers": workers, "settings": settings, "keep_models": keep_models}
    if engine is Engine.ray:
        results = run_on_ray(todo, folder, address=address, **how)
    else:
        results = run_locally(todo, folder, **how)
    with failing_politely():
        for one, record in tqdm(results, total=len(todo), disable=None, unit="run"):
            manifest.add(record)
            done[one.key] = record
            if record["error"]:
                warn(f"{one.name}: {record['error']}")
            else:
                score = record["score"]
                tqdm.write(f"{one.name}: {score} {100 * record['test'][score]:.2f} in {record['seconds']} s")
    records = [done[one.key] for one in experiment.runs]
    say(markdown(records, experiment.paper))
    if failed := sum(1 for record in records if record["error"]):
        fail(f"{failed} runs failed. The manifest has their errors; --retry does them again.")
        raise typer.Exit(1)
