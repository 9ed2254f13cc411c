"""spacy-datnet export: a trained pipeline without what only training needs, or its encoder alone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._app import app, fail, say

if TYPE_CHECKING:
    from spacy.language import Language


@app.command()
def export(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Path or name of a trained pipeline.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The directory to write.")],
    encoder: Annotated[
        str | None,
        typer.Option(metavar="COMPONENT", help="Write only the encoder of this component, as a tok2vec to be sourced."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace OUT if it exists.")] = False,
) -> None:
    """Write a target-only copy of a pipeline, ready for `spacy package`.

    It predicts the same. The source's word features, private encoder and decoder are gone, and so is the
    discriminator. With --encoder the decoder is gone, too: what is left is a `tok2vec` for spaCy's own components.
    """
    import spacy

    from ..pipeline.export import keep_encoder_only, keep_target_only

    if output.exists() and not force:
        fail(f"{output} exists. Name another directory, or replace it with --force.")
        raise typer.Exit(1)
    unfinished = output.with_name(f"{output.name}.unfinished")
    try:
        nlp = spacy.load(model)
        before = sizes_of(nlp)
        if encoder is None:
            changed = {name: name for name in keep_target_only(nlp)}
        else:
            nlp = keep_encoder_only(nlp, encoder)
            changed = {encoder: nlp.pipe_names[0]}
        output.parent.mkdir(parents=True, exist_ok=True)
        nlp.to_disk(unfinished)
    except (OSError, ValueError) as error:
        shutil.rmtree(unfinished, ignore_errors=True)
        fail(str(error))
        raise typer.Exit(1) from error
    if output.is_dir():
        shutil.rmtree(output)
    else:
        output.unlink(missing_ok=True)
    unfinished.rename(output)
    after = sizes_of(nlp)
    for old, new in changed.items():
        say(f"{new}: {megabytes(before[old])} before, {megabytes(after[new])} after")
    vectors = nlp.vocab.vectors.data.nbytes
    total = sum(path.stat().st_size for path in output.rglob("*") if path.is_file())
    say(f"Wrote {output}: {megabytes(total)}, of which word vectors {megabytes(vectors)}")


def sizes_of(nlp: Language) -> dict[str, int]:
    """Measure the model of each component, in bytes as saved."""
    from thinc.api import Model

    models = {name: getattr(pipe, "model", None) for name, pipe in nlp.components}
    # spaCy's lemmatizers have None
    return {name: len(model.to_bytes()) for name, model in models.items() if isinstance(model, Model)}


def megabytes(size: int) -> str:
    """Write a number of bytes for people."""
    return f"{size / 1e6:.2f} MB"
