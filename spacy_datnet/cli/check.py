"""spacy-datnet check: the corpus doctor."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import Errors
from ..kinds import ENTS
from ._app import app, fail, failing_politely, say, warn
from ._options import (
    AnnotationOption,
    DelimiterOption,
    EncodingOption,
    FormatOption,
    KeepPrefixesOption,
    LabelMapOption,
    SchemeOption,
    TagColumnOption,
    TagNamesOption,
    TokenColumnOption,
)
from ._tables import N_LABELS, heading, show_table

if TYPE_CHECKING:
    from ..corpora import Examination

Files = list[str] | None


@app.command()
def check(
    files: Annotated[Files, typer.Argument(metavar="[FILE]...", help="Target files, whatever their use.")] = None,
    train: Annotated[Files, typer.Option(help="Training file of the target; repeatable.")] = None,
    dev: Annotated[Files, typer.Option(help="Development file of the target; repeatable.")] = None,
    test: Annotated[Files, typer.Option(help="Test file of the target; repeatable.")] = None,
    source: Annotated[Files, typer.Option(help="File of the source; repeatable.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="How many places a message names.")] = 10,
    max_length: Annotated[
        int, typer.Option(min=1, help="How many tokens a sentence may have without a warning.")
    ] = 200,
    format: FormatOption = "auto",
    annotation: AnnotationOption = None,
    label_map: LabelMapOption = None,
    encoding: EncodingOption = "auto",
    delimiter: DelimiterOption = "auto",
    token_column: TokenColumnOption = None,
    tag_column: TagColumnOption = None,
    scheme: SchemeOption = "auto",
    keep_prefixes: KeepPrefixesOption = False,
    tag_names: TagNamesOption = None,
) -> None:
    """Look for errors and dangers in the corpora of a transfer: in any format that convert reads, or .spacy files.

    Every file is examined by itself: its counts, its format, sentences too long to train on. With
    roles given, the files are compared as well: sentences of dev and test that are in train,
    labels that train lacks, labels in which source and target differ, repeated training sentences.
    All of it goes for every kind of annotation: entities, tags, parts of speech, groups of spans. A
    .spacy file is examined as it is, for the annotation that it has or that --annotation names: the other
    options of a format are not for it.

    The exit code is 1 if there are errors, and 0 if there are only warnings.
    """
    from ..corpora import DEV, TEST, TRAIN, CorpusError, compare, examine, parse_annotations, parse_label_maps
    from ..resources import SOURCE, TARGET

    roles = {TARGET: files, TRAIN: train, DEV: dev, TEST: test, SOURCE: source}
    jobs = [(location, role) for role, locations in roles.items() for location in locations or ()]
    with failing_politely():
        if not jobs:
            raise CorpusError(Errors.DN229)
        annotations, label_maps = parse_annotations(annotation or ()), parse_label_maps(label_map or ())
    examinations = [
        examine(
            location,
            role,
            max_length=max_length,
            keep=limit,
            format=format,
            annotations=annotations,
            label_maps=label_maps,
            encoding=encoding,
            delimiter=delimiter,
            token_column=token_column,
            tag_column=tag_column,
            scheme=scheme,
            keep_prefixes=keep_prefixes,
            tag_names=tag_names and tag_names.split(","),
        )
        for location, role in jobs
    ]
    _show(examinations)
    warnings = [message for found in examinations for message in found.warnings]
    errors = [message for found in examinations for message in found.errors]
    for message in [*warnings, *compare(examinations)]:
        warn(message)
    for message in errors:
        fail(message)
    if errors:
        raise typer.Exit(1)
    say("No errors")


def _show(examinations: list[Examination]) -> None:
    from ..corpora import LayerCounts

    for i, found in enumerate(examinations, start=1):
        say(f"({i}) {found.role}: {found.location}")
    counts = [found.counts for found in examinations]
    rows = [
        ("Documents", [f"{one.documents:,}" for one in counts]),
        ("Sentences", [f"{one.sentences:,}" for one in counts]),
        ("Tokens", [f"{one.tokens:,}" for one in counts]),
        ("Tokens per sentence", [f"{one.mean_length:.1f}" for one in counts]),
    ]
    for kind in sorted({kind for one in counts for kind in one.layers}) or [ENTS]:
        layers = [one.layers.get(kind, LayerCounts()) for one in counts]
        rows.append((heading(kind), [f"{layer.total:,}" for layer in layers]))
        labels = sum((layer.labels for layer in layers), Counter())
        for label, _ in sorted(labels.most_common(N_LABELS)):
            rows.append((f"  {label}", [f"{layer.labels[label]:,}" for layer in layers]))
        if len(labels) > N_LABELS:
            rows.append((f"  and {len(labels) - N_LABELS} rarer labels", [""] * len(counts)))
    header = ["", *(f"({i})" for i in range(1, len(counts) + 1))]
    aligns = ["l"] + ["r"] * len(counts)
    show_table([(name, *cells) for name, cells in rows], header=header, aligns=aligns)
