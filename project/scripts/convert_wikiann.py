"""Convert the column files and word vectors of the grid table4, of as many of its languages as there are."""

import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer
from wasabi import Printer

# the code that spaCy knows a language by; it has none for Galician
LANGUAGES = {"es": "es", "pt": "pt", "ru": "ru", "pl": "pl", "gl": "xx"}
PARTS = {"train": "{}.spacy", "dev": "{}-dev.spacy", "test": "{}-test.spacy"}


def convert(
    source: Annotated[Path, typer.Argument(help="The folder of LANG.train, LANG.dev, LANG.test and LANG.vec.gz.")],
    output: Annotated[Path, typer.Argument(help="The folder to write to.")],
) -> None:
    """Convert what is there; exit with 1 if nothing is."""
    msg = Printer()
    found = False
    for name, code in LANGUAGES.items():
        jobs = [
            ["spacy_datnet", "convert", source / f"{name}.{part}", output / target.format(name), "--lang", code]
            for part, target in PARTS.items()
        ]
        jobs.append(["spacy", "init", "vectors", code, source / f"{name}.vec.gz", output / f"vectors_{name}"])
        missing = [job[2] for job in jobs[:3] if not job[2].exists()] + [jobs[3][4]] * (not jobs[3][4].exists())
        if missing:
            msg.warn(f"{name} is left out: there is no {missing[0]}")
            continue
        found = True
        for job in jobs:
            subprocess.run([sys.executable, "-m", *map(str, job)], check=True)
    if not found:
        msg.fail(f"There is nothing to convert in {source}", exits=1)


if __name__ == "__main__":
    typer.run(convert)
