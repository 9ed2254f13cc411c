"""spacy-datnet export: a trained pipeline without what only training needs, or its encoder alone."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import Warnings
from ._app import app, failing_politely, import_code, say, warn
from ._options import CodeOption

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
    sentences: Annotated[
        bool,
        typer.Option(
            "--sentences/--no-sentences", help="Add a sentencizer to a pipeline in which nothing sets sentence borders."
        ),
    ] = True,
    code: CodeOption = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace OUT if it is a pipeline.")] = False,
) -> None:
    """Write a target-only copy of a pipeline, ready for `spacy package`.

    It predicts the same for a sentence. The source's word features, private encoder and decoder are gone, and so is the
    discriminator. Texts are read sentence by sentence, as in training: if nothing in the pipeline sets sentence
    borders, it gets a sentencizer, which ends sentences at punctuation. With --encoder the decoder is gone, too: what
    is left is a `tok2vec` for spaCy's own components.
    """
    import spacy

    from ..corpora.files import replacing_folder
    from ..pipeline.export import check_place, keep_encoder_only, keep_target_only

    with failing_politely(OSError):
        place = check_place(output, model, force=force)
        import_code(code)
        nlp = spacy.load(model)
        before = sizes_of(nlp)
        if encoder is None:
            changed = {name: name for name in keep_target_only(nlp)}
            if sentences:
                _set_borders(nlp)
        else:
            nlp = keep_encoder_only(nlp, encoder)
            changed = {encoder: nlp.pipe_names[0]}
        with replacing_folder(place) as folder:
            nlp.to_disk(folder)
    after = sizes_of(nlp)
    for old, new in changed.items():
        say(f"{new}: {megabytes(before[old])} before, {megabytes(after[new])} after")
    vectors = nlp.vocab.vectors.data.nbytes
    total = sum(path.stat().st_size for path in place.rglob("*") if path.is_file())
    say(f"Wrote {output}: {megabytes(total)}, of which word vectors {megabytes(vectors)}")


def _set_borders(nlp: Language) -> None:
    """Give a pipeline sentence borders and say what sets them."""
    from ..pipeline.export import set_sentence_borders

    had = set(nlp.pipe_names)
    name = set_sentence_borders(nlp)
    if name is None:
        warn(Warnings.DN440)
    elif name in had:
        say(f"Sentence borders are set by {name}")
    else:
        say(f"Added a {name}: sentences end at punctuation (--no-sentences leaves it out)")


def sizes_of(nlp: Language) -> dict[str, int]:
    """Measure the model of each component, in bytes as saved."""
    from thinc.api import Model

    models = {name: getattr(pipe, "model", None) for name, pipe in nlp.components}
    # spaCy's lemmatizers have None
    return {name: len(model.to_bytes()) for name, model in models.items() if isinstance(model, Model)}


def megabytes(size: int) -> str:
    """Write a number of bytes for people."""
    return f"{size / 1e6:.2f} MB"
