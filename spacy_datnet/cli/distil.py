"""spacy-datnet distil: pipelines label raw text, and a small and fast one learns from it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ._app import app, fail, failing_politely, import_code, say, warn
from ._options import CodeOption, LabelMapOption

LABELLED = "labelled"


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def distil(
    context: typer.Context,
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder for model-best and the labelled corpus.")],
    teacher: Annotated[
        list[str], typer.Option(metavar="P", help="A trained pipeline of any kind, folder or name; repeatable.")
    ],
    raw: Annotated[
        list[str],
        typer.Option(metavar="F", help="Raw text: .txt, .jsonl, .parquet or .spacy, or a folder; repeatable."),
    ],
    gold: Annotated[str | None, typer.Option(metavar="F", help="Annotated sentences of the same language.")] = None,
    source: Annotated[str | None, typer.Option(metavar="F", help="An annotated corpus next door.")] = None,
    dev: Annotated[
        str | None, typer.Option(metavar="F", help="Annotated sentences to choose the step and to judge by.")
    ] = None,
    vectors: Annotated[
        str | None,
        typer.Option(metavar="V", help="Word vectors: a pipeline or a text file. Without it, those of a teacher."),
    ] = None,
    lang: Annotated[str | None, typer.Option(help="Language code. Without it, that of the first teacher.")] = None,
    annotation: Annotated[
        str, typer.Option(metavar="KIND", help="What is learnt: ents, tag, pos or spans:KEY.")
    ] = "ents",
    label_map: LabelMapOption = None,
    restart: Annotated[bool, typer.Option("--restart", help="Start anew, whatever was done before.")] = False,
    code: CodeOption = None,
) -> None:
    """Let pipelines label raw text, and train a small and fast one on that, with annotated sentences kept as they are.

    From pipelines of this package the exact probabilities are learnt; what others predict counts as votes. New names
    are for the labels of the teachers. An interrupted run goes on where it was. Settings of the student's config can be
    changed with options like --training.max_steps 2000.
    """
    import shutil
    import sys
    import warnings

    from spacy.cli._util import parse_config_overrides

    from ..corpora import parse_label_maps, replacing
    from ..distillation.labelling import label_raw
    from ..distillation.student import Corpora, compare, make_config, make_vectors
    from ..distillation.teachers import Teacher
    from ..errors import Errors, Warnings
    from ..kinds import is_kind
    from ..training.folder import TrainingError
    from ..training.resume import train

    overrides = parse_config_overrides(context.args)
    with failing_politely():
        import_code(code)
        if not is_kind(annotation):
            raise ValueError(Errors.DN325.format(kind=annotation))
        labelled = output / LABELLED
        if output.exists() and any(output.iterdir()) and not labelled.exists():
            raise ValueError(Errors.DN324.format(path=output, name=min(one.name for one in output.iterdir())))
        if restart:
            shutil.rmtree(labelled, ignore_errors=True)
        maps = parse_label_maps(label_map or [])
        names = maps.get(annotation, maps.get(None))
        teachers = [Teacher(place, annotation, names) for place in teacher]
        spoken = lang or teachers[0].nlp.lang or "xx"
        corpora = Corpora.read(spoken, gold, dev, source)
        labelled.mkdir(parents=True, exist_ok=True)
        own = next((one.place for one in teachers if one.nlp.vocab.vectors.shape[0]), None)
        place = vectors or own
        table = {} if place is None else {"vectors": make_vectors(place, spoken, output / "vectors")}
        for one in teachers:
            say(f"Teacher {one.place}: " + ("its exact probabilities" if one.own else "its labels, as votes"))
        begun_with = {"annotation": annotation, "names": dict(names.names) if names else {}}
        made = label_raw(teachers, raw, labelled, lang=spoken, known=corpora.known, begun_with=begun_with)
        weights = ", ".join(f"{weight:.2f}" for weight in made["weights"])
        say(f"Labelled {made['sentences']:,} sentences, weights of the teachers: {weights}. See {labelled}")
        if corpora.labels(annotation) and (other := set(made["labels"]) - corpora.labels(annotation)):
            warn(Warnings.DN337.format(labels=", ".join(sorted(other))))
        paths = corpora.write(output / "corpus") | table
        say(f"Word vectors: {place or 'none, words are hashed; --vectors makes students much better'}")
        config = make_config(annotation, spoken, labelled, made["sentences"], made["labels"], corpora, paths)
        if not corpora.dev and not corpora.held:
            warn(Warnings.DN336.format(count=len(corpora.gold)))
        settings = type(config)().from_str(config.to_str(), overrides=overrides, interpolate=False)
        with replacing(output / "config.cfg") as file:
            file.write(settings.to_str().encode("utf8"))
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"\[DN150\]")  # without a dev corpus, the last step is what is wanted
            try:
                train(settings, output, restart=restart, code=code, stdout=sys.stdout, stderr=sys.stderr)
            except TrainingError as error:
                fail(str(error))
                raise typer.Exit(1) from error
        student = Teacher(str(output / "model-best"), annotation)
        outcomes = compare(teachers, student, corpora.dev, raw)
    say(f"{'':<40} {'dev':>6} {'agrees':>7} {'words/s':>9}")
    for row in outcomes:
        reached = "" if row.dev is None else f"{100 * row.dev:.1f}"
        say(f"{row.place[-40:]:<40} {reached:>6} {100 * row.agreement:>7.1f} {row.speed:>9,.0f}")
    best, own_dev = max(outcomes, key=lambda row: row.dev or 0.0), outcomes[-1].dev
    if best.dev is not None and own_dev is not None and own_dev < best.dev:
        warn(Warnings.DN335.format(teacher=best.place, student=100 * own_dev, best=100 * best.dev))
