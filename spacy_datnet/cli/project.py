"""spacy-datnet project: the steps of a project that `spacy-datnet init` wrote, which project.yml calls."""

from pathlib import Path
from typing import Annotated

import typer

from ._app import app, failing_politely, say
from ._tables import show_table

steps = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(steps, name="project", help="The steps of a project that init wrote; its project.yml calls them.")

JudgementArgument = Annotated[Path, typer.Argument(metavar="METRICS", help="What judge wrote.")]


@steps.command()
def borders(
    corpus: Annotated[Path, typer.Argument(metavar="IN", help="A .spacy file, or a folder of them.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The .spacy file to write.")],
    lang: Annotated[str, typer.Option(help="Language code.")],
) -> None:
    """Find the sentences of texts as the exported pipeline will, but none that ends within an annotated span."""
    import spacy

    from ..corpora import read_docbin, write_docbin
    from ..pipeline.export import SENTENCIZER
    from ..project.split import set_borders

    with failing_politely():
        nlp = spacy.blank(lang)
        nlp.add_pipe(SENTENCIZER)
        write_docbin((set_borders(nlp, doc) for doc in read_docbin(corpus, nlp.vocab)), output)
    say(f"Wrote {output}")


@steps.command()
def split(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="A .spacy file, or a folder of them.")],
    folder: Annotated[Path, typer.Argument(metavar="OUT", help="The folder for the parts.")],
    lang: Annotated[str, typer.Option(help="Language code.")],
    dev: Annotated[int, typer.Option(min=0, help="How many sentences choose the step.")] = 0,
    test: Annotated[int, typer.Option(min=0, help="How many sentences judge.")] = 0,
    folds: Annotated[int, typer.Option(min=0, help="The parts of a cross-validation, instead.")] = 0,
    seed: Annotated[int, typer.Option(help="Seed of the choice.")] = 0,
) -> None:
    """Split a target corpus: what trains, what chooses the step, what judges. Same sentences stay together."""
    from ..corpora import make_vocab
    from ..project.split import split_target

    with failing_politely():
        counts = split_target(target, folder, make_vocab(lang), dev=dev, test=test, folds=folds, seed=seed)
    for name, count in counts.items():
        say(f"{folder / name}: {count:,} sentences")


@steps.command()
def merge(
    first: Annotated[str, typer.Argument(metavar="VECTORS", help="A pipeline with word vectors.")],
    second: Annotated[str, typer.Argument(metavar="MORE", help="Another one, for the words that the first lacks.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of the pipeline to write.")],
    lang: Annotated[str, typer.Option(help="Language code.")],
) -> None:
    """Put the word vectors of source and target into one table, for spaCy's own component."""
    from ..project.finish import save
    from ..project.vectors import merge as merge_vectors

    with failing_politely():
        save(merge_vectors(first, second, lang), output)
    say(f"Wrote {output}")


@steps.command()
def judge(
    runs: Annotated[Path, typer.Argument(metavar="RUNS", help="The folder of the runs, with their models.")],
    output: Annotated[Path, typer.Argument(metavar="METRICS", help="The file to write.")],
    no_dev: Annotated[bool, typer.Option("--no-dev", help="No dev set chose the steps.")] = False,
) -> None:
    """Score what was trained on raw paragraphs, too, compare it, and choose one."""
    from ..corpora import replacing
    from ..experiments.results import name_of, read_results
    from ..project.judge import JSON
    from ..project.judge import judge as judge_runs

    with failing_politely():
        found = judge_runs(read_results(runs), has_dev=not no_dev)
        with replacing(output) as file:
            file.write(JSON.dump_json(found, indent=2))
    rows = []
    for name, score in found.scores.items():
        dev = "-" if no_dev else f"{score.dev:.1f}"
        rows.append((name, dev, f"{score.sentences:.1f}", f"{score.paragraphs:.1f}", f"{score.seconds:.0f}"))
    say(f"{name_of(found.score)} in percent, {found.test:,} test sentences")
    header = ("", "dev", "test sentences", "raw paragraphs", "seconds")
    show_table(rows, header=header, aligns=("l", "r", "r", "r", "r"))
    say(f"Chosen: {found.chosen}, because {found.reason}")


@steps.command()
def export(
    metrics: JudgementArgument,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of the pipeline.")],
    final: Annotated[
        Path | None, typer.Option(help="A grid whose variant of that name is trained first, on all sentences.")
    ] = None,
) -> None:
    """Export the pipeline that was chosen, with sentence borders and without what only training needs."""
    from ..project.finish import export_chosen

    with failing_politely():
        export_chosen(metrics, output, final)
    say(f"Wrote {output}")


@steps.command()
def package(
    pipeline: Annotated[Path, typer.Argument(metavar="PIPELINE", help="The folder of the pipeline.")],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder of packages.")],
    name: Annotated[str, typer.Option(help="The name of the package, without the language.")],
    version: Annotated[str, typer.Option(help="Its version.")],
) -> None:
    """Build a wheel as `spacy package` does, but without a network."""
    from ..project.finish import build_wheel

    with failing_politely():
        wheel = build_wheel(pipeline, output, name=name, version=version)
    say(f"Wrote {wheel}: {wheel.stat().st_size / 1e6:.1f} MB")


@steps.command()
def conclude(
    metrics: JudgementArgument,
    folder: Annotated[Path, typer.Argument(metavar="PACKAGE", help="The folder that package wrote.")],
    advice: Annotated[str, typer.Option(help="What would help most next, as init found.")],
    crossed: Annotated[bool, typer.Option("--crossed", help="The scores are those of a cross-validation.")] = False,
) -> None:
    """Say in one sentence what came out."""
    from ..project.conclude import conclude as say_all
    from ..project.judge import read_judgement

    with failing_politely():
        judged = read_judgement(metrics)
    wheel = next(iter(sorted((folder / "dist").glob("*.whl"))), None)
    say(say_all(judged, wheel, advice, crossed=crossed))
