"""The pipeline that was chosen: exported for use, and packaged as a wheel."""

import shutil
import subprocess
import sys
from pathlib import Path

import spacy
import torch
from spacy.cli.package import package
from spacy.language import Language
from spacy.util import load_config

from ..corpora.files import replacing_folder
from ..errors import Errors
from ..experiments.grid import read_grid
from ..pipeline.export import check_place
from ..training.resume import train
from .judge import read_judgement, usable

# the backend that the package's own setup.py names; called here because `build` would want a network to install it
BUILD = "import sys, setuptools.build_meta as backend; backend.build_wheel(sys.argv[1])"


def export_chosen(metrics: Path, output: Path, final: Path | None = None) -> None:
    """Export the pipeline that was chosen, ready for use.

    metrics (Path): What `judge` wrote.
    output (Path): The folder of the pipeline.
    final (Optional[Path]): A grid with the variants, of which the chosen one is trained first, in training/final beside
        the grid: after a cross-validation, on all target sentences. If that was interrupted, it goes on.
    """
    judged = read_judgement(metrics)
    model = Path(judged.model)
    if final is not None:
        run = next(run for run in read_grid(final).runs if run.variant == judged.chosen)
        folder = final.parent / "training" / "final" / run.key
        torch.set_num_threads(1)
        config = load_config(run.config, overrides=run.overrides, interpolate=False)
        train(config, folder, stdout=sys.stdout, stderr=sys.stderr)
        model = folder / "model-best"
    save(usable(spacy.load(model)), output)


def save(nlp: Language, output: Path) -> None:
    """Write a pipeline whole or not at all, in the place of an older one, but of nothing else."""
    with replacing_folder(check_place(output, force=True)) as folder:
        nlp.to_disk(folder)


def build_wheel(pipeline: Path, output: Path, *, name: str, version: str) -> Path:
    """Package a pipeline as `spacy package` does, and build its wheel without a network.

    pipeline (Path): The folder of the pipeline.
    output (Path): The folder of packages.
    name (str): The name of the package, without the language.
    version (str): Its version.
    RETURNS (Path): The wheel.
    """
    output.mkdir(parents=True, exist_ok=True)
    package(pipeline, output, name=name, version=version, create_sdist=False, create_wheel=False, force=True)
    lang = spacy.util.load_meta(pipeline / "meta.json")["lang"]
    folder = output / f"{name if name.startswith(f'{lang}_') else f'{lang}_{name}'}-{version}"
    wheels = folder / "dist"
    shutil.rmtree(wheels, ignore_errors=True)
    wheels.mkdir()
    done = subprocess.run(
        [sys.executable, "-c", BUILD, str(wheels.resolve())], cwd=folder, capture_output=True, text=True
    )
    found = list(wheels.glob("*.whl"))
    if done.returncode or not found:
        raise ValueError(Errors.DN430.format(folder=folder, reason=(done.stderr or done.stdout).strip()[-800:]))
    return found[0]
