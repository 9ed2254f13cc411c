"""spacy-datnet init-config: the config of a training."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import Errors
from ._app import app, failing_politely, say
from ._options import Features, Task, Transfer


@app.command()
def init_config(
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The config to write.")],
    task: Annotated[
        Task, typer.Option(help="What to learn: entities, tags (UPOS if not changed) or chunks in doc.spans.")
    ] = "ner",
    transfer: Annotated[
        Transfer, typer.Option(help="none is the target alone, full is DATNet-F, part is DATNet-P.")
    ] = "full",
    features: Annotated[
        Features,
        typer.Option(
            help="What words are seen by: nothing but the corpora, word vectors, a frozen transformer, or one that is "
            "fine-tuned."
        ),
    ] = "none",
    gpu: Annotated[bool, typer.Option("--gpu", help="Settings for a GPU.")] = False,
    lang: Annotated[
        str | None, typer.Option(help="Code of the target's language; without it, the training needs --nlp.lang.")
    ] = None,
    encoder: Annotated[
        bool, typer.Option("--encoder", help="spaCy's own ner on the encoder of DATNet, without a source.")
    ] = False,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace OUT if it exists.")] = False,
) -> None:
    """Write a complete config for `spacy train`, with comments: it needs the paths of the corpora and nothing else.

    Its first lines have the command to train with. The settings are those of the experiments of this package: found
    on dev sets of corpora with a hundred target sentences or so.
    """
    from ..corpora import replacing
    from ..project.recipe import make_recipe, render_config

    options: dict[str, Any] = {"task": task, "transfer": "none" if encoder else transfer, "features": features}
    flags: dict[str, Any] = {"gpu": gpu, "encoder": encoder}
    command = ["spacy-datnet init-config", output.as_posix()]
    command += [f"--{name} {value}" for name, value in options.items() if not encoder]
    command += [f"--{name}" for name, given in flags.items() if given]
    command += [f"--lang {lang}"] if lang else []
    with failing_politely():
        if output.exists() and not force:
            raise ValueError(Errors.DN401.format(path=output))
        recipe = make_recipe(**options, **flags, lang=lang, output=output.as_posix(), command=" ".join(command))
        text = render_config(recipe)
        with replacing(output) as file:
            file.write(text.encode("utf8"))
    say(f"Wrote {output}")
