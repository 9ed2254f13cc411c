"""spacy-datnet run: the trainings of a grid."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._app import app, fail, failing_politely, import_code, say, warn
from ._options import AddressOption, CodeOption, Engine

if TYPE_CHECKING:
    from ..experiments.grid import Grid, Run
    from ..experiments.manifest import Manifest


@app.command()
def run(
    grid: Annotated[Path, typer.Argument(metavar="GRID", help="A YAML file: corpora, variants, sizes, seeds.")],
    folder: Annotated[Path, typer.Argument(metavar="RUNS", help="The folder of the runs; manifest.jsonl is in it.")],
    workers: Annotated[int, typer.Option(min=1, help="How many runs at once, each a process.")] = 1,
    engine: Annotated[Engine, typer.Option(help="What starts the runs: processes of this machine, or Ray.")] = "local",
    address: AddressOption = None,
    threads: Annotated[int, typer.Option(min=1, help="Threads of torch in each process.")] = 1,
    gpu_id: Annotated[int, typer.Option("--gpu-id", "-g", help="The number of a GPU, -1 for the CPU.")] = -1,
    retry: Annotated[bool, typer.Option(help="Do runs again that failed before.")] = False,
    keep_models: Annotated[bool, typer.Option(help="Keep the trained models.")] = False,
    reuse: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FOLDER",
            help="Other folders of runs, or a folder that holds such: what they have done is copied. Repeatable.",
        ),
    ] = None,
    code: CodeOption = None,
    small: Annotated[bool, typer.Option("--small", help="Do only what the grid has under `small`.")] = False,
    show: Annotated[
        bool,
        typer.Option(
            "--show",
            help="One run after the other in this process, each with its training shown.",
        ),
    ] = False,
    dry: Annotated[bool, typer.Option("--dry", help="Only list what is to be done.")] = False,
) -> None:
    """Train and evaluate every combination of a grid, and print a table of the scores.

    Paths in the grid are looked up from the folder that its file is in.

    What is in the manifest is not done again, so the same command goes on after a stop. A run that fails is recorded
    with its error. Each run has a folder with its config, its log and the predicted test set.
    """
    from tqdm import tqdm

    from ..experiments import explaining
    from ..experiments.engines import remove_unfinished, run_here, run_locally, run_on_ray
    from ..experiments.grid import read_grid
    from ..experiments.manifest import Manifest, locked, write_grid

    how: dict[str, Any] = {
        "workers": workers,
        "settings": {"threads": threads, "use_gpu": gpu_id, "code": code},
        "keep_models": keep_models,
    }
    if engine == "ray":
        how["address"] = address
    with failing_politely(), explaining():
        import_code(code)
        from ..experiments.results import read_results
        from ..experiments.reuse import reuse as copy_runs
        from ..experiments.tables import overview

        experiment = read_grid(grid, small=small)
        if dry:
            for one in _todo(experiment, Manifest(folder), retry):
                say(one.name)
            return
        with locked(folder):
            command = shlex.join(["python", "-m", "spacy_datnet", *sys.argv[1:]])
            write_grid(folder, experiment, command)
            manifest = Manifest(folder)
            todo = _todo(experiment, manifest, retry)
            copied = set()
            for one, record in copy_runs(todo, folder, reuse or (), with_models=keep_models):
                manifest.add(record)
                copied.add(one.key)
                say(f"{one.name}: reused")
            todo = [one for one in todo if one.key not in copied]
            remove_unfinished(folder, todo)
            start = run_on_ray if engine == "ray" else run_here if show else run_locally
            outcomes = start(todo, folder, **how)
            for one, record in outcomes if show else tqdm(outcomes, total=len(todo), disable=None, unit="run"):
                manifest.add(record)
                if record["error"]:
                    warn(f"{one.name}: {record['error']}")
                else:
                    score = record["score"]
                    tqdm.write(f"{one.name}: {score} {100 * record['test'][score]:.2f} in {record['seconds']} s")
            write_grid(folder, experiment, command)  # a run may have another key now than its old record
        results = read_results(folder)
        say(overview(results))
        for corpora in results.corpora:
            for message in results.cut_short(corpora):
                warn(f"{corpora}: {message}")
    if len(results.failed):
        fail(f"{len(results.failed)} runs failed. The manifest has their errors; --retry does them again.")
        raise typer.Exit(1)


def _todo(experiment: Grid, manifest: Manifest, retry: bool) -> list[Run]:
    done = manifest.latest()
    runs: dict[str, Run] = {}
    for one in experiment.runs:
        runs.setdefault(one.key_in(done), one)  # two variants may come to the same
    todo = [one for key, one in runs.items() if key not in done or (retry and done[key].get("error"))]
    say(f"{len(runs)} runs, {len(runs) - len(todo)} of them done")
    if unsure := sum("files" not in done[key] for key in runs if key in done):
        warn(
            f"{unsure} of them are known by the names of their corpora and vectors, not by what is in them. If that "
            f"has changed since, remove their lines from the manifest in {manifest.folder}."
        )
    return todo
