"""spacy-datnet sample: a seeded random part of a corpus."""

from pathlib import Path
from typing import Annotated

import typer

from ._app import app, failing_politely, say
from ._options import EncodingOption


@app.command()
def sample(
    source: Annotated[str, typer.Argument(metavar="IN", help="A .spacy file, or a column file or CoNLL-U.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write, in the format of IN.")],
    seed: Annotated[int, typer.Option(help="Seed of the random choice.")],
    count: Annotated[int | None, typer.Option(help="How many sentences.")] = None,
    ratio: Annotated[float | None, typer.Option(help="Which share of the sentences.")] = None,
    rest: Annotated[
        Path | None,
        typer.Option(help="Also write the sentences that were not chosen, to split a corpus in two."),
    ] = None,
    ids: Annotated[
        Path | None,
        typer.Option(help="Also write the numbers of the sentences, from 0, one per line."),
    ] = None,
    encoding: EncodingOption = "auto",
) -> None:
    """Write a random sample of the sentences of a corpus.

    The same seed chooses the same sentences, and a smaller sample is part of a larger one. The
    sentences of a .spacy file become one Doc each; those of a column file or CoNLL-U stay as they are.
    """
    from ..corpora import check_output, replacing, write_sample

    with failing_politely():
        if ids is not None:
            check_output(ids, source, output, *([rest] if rest else []))
        chosen = write_sample(source, output, count=count, ratio=ratio, seed=seed, rest=rest, encoding=encoding)
        if ids is not None:
            with replacing(ids) as file:
                file.writelines(b"%d\n" % number for number in chosen)
    say(f"Wrote {len(chosen):,} sentences to {output}" + (f", and the others to {rest}" if rest else ""))
