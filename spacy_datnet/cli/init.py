"""spacy-datnet init: from annotated files to a project that ends in a wheel."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ._app import app, failing_politely, say, warn

if TYPE_CHECKING:
    from ..project.write import Project

Files = list[str] | None
AnyTask = Literal["auto", "ner", "tagger", "chunker"]


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder of the project, which gets its files.")],
    target: Annotated[
        list[str], typer.Option(help="Annotated file of the target, in any format that convert reads; repeatable.")
    ],
    source: Annotated[
        Files, typer.Option(help="Annotated file of the source, a big corpus next door; repeatable.")
    ] = None,
    dev: Annotated[Files, typer.Option(help="Annotated file of the target to choose steps by; repeatable.")] = None,
    test: Annotated[Files, typer.Option(help="Annotated file of the target to judge by; repeatable.")] = None,
    raw: Annotated[Files, typer.Option(help="Text of the target without annotation; repeatable.")] = None,
    vectors: Annotated[
        Files,
        typer.Option(
            help="Word vectors: a text file, also in gzip, or a pipeline. Given twice, those of the target first, then "
            "those of the source."
        ),
    ] = None,
    checkpoint: Annotated[
        str | None, typer.Option(help="A transformer: its folder, or its name on the hub. Needs transformers.")
    ] = None,
    lang: Annotated[
        str | None, typer.Option(help="Code of the target's language, if it can't be told from the files.")
    ] = None,
    task: Annotated[AnyTask, typer.Option(help="What to learn; auto finds it out from the target.")] = "auto",
    quick: Annotated[bool, typer.Option("--quick", help="A first look in a few minutes: fewer steps.")] = False,
) -> None:
    """Look into annotated files, and write a spaCy project that trains on them and ends in a wheel.

    It says what it found, what worries it, and what it chose, each with the reason and the place to change it. It asks
    nothing, and overwrites nothing. Then `spacy project run all FOLDER` does the rest: converts and checks the corpora,
    trains the base model, spaCy's own component and DATNet, compares them, and packages the best.
    """
    from ..project.prepare import prepare

    files = {"target": target, "dev": dev or [], "test": test or [], "source": source or []}
    with failing_politely():
        project = prepare(
            folder,
            {role: found for role, found in files.items() if found},
            raw=raw or [],
            vectors=vectors or [],
            checkpoint=checkpoint,
            lang=lang,
            task=task,
            quick=quick,
            command=shlex.join(["spacy-datnet", *sys.argv[1:]]),
        )
        project.write()
    _show(project)


def _show(project: Project) -> None:
    say("Found")
    for line in project.facts:
        say(f"  {line}")
    for message in project.worries:
        warn(message)
    say("Chosen")
    for one in project.plan.choices:
        say(f"  {one.name}: {one.value}. {one.reason[:1].upper()}{one.reason[1:]}.")
        say(f"    To change it: {one.where}.")
    say(f"Wrote {project.folder}. Go on with:")
    say(f"  {project.next_command}")
