"""python -m spacy_datnet check: the corpus doctor."""

from typing import Annotated

import typer
from tqdm import tqdm
from wasabi import table

from ..corpora import DEV, TEST, TRAIN, CorpusError, Examination, compare, examine
from ..errors import Errors
from ..resources import SOURCE, TARGET
from ._app import app, fail, failing_politely, say, warn
from ._options import (
    Delimiter,
    DelimiterOption,
    EncodingOption,
    Scheme,
    SchemeOption,
    TagColumnOption,
    TokenColumnOption,
)

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
    encoding: EncodingOption = "auto",
    delimiter: DelimiterOption = Delimiter("auto"),
    token_column: TokenColumnOption = 1,
    tag_column: TagColumnOption = -1,
    scheme: SchemeOption = Scheme("auto"),
) -> None:
    """Look for errors and dangers in the corpora of a transfer: column files or .spacy files.

    Every file is examined by itself: its counts, its format, sentences too long to train on. With
    roles given, the files are compared as well: sentences of dev and test that are in train,
    labels that train lacks, labels in which source and target differ, repeated training sentences.

    The exit code is 1 if there are errors, and 0 if there are only warnings.
    """
    roles = {TARGET: files, TRAIN: train, DEV: dev, TEST: test, SOURCE: source}
    jobs = [(location, role) for role, locations in roles.items() for location in locations or ()]
    with failing_politely():
        if not jobs:
            raise CorpusError(Errors.DN229)
    examinations = [
        examine(
            location,
            role,
            max_length=max_length,
            keep=limit,
            encoding=encoding,
            delimiter=delimiter.value,
            token_column=token_column,
            tag_column=tag_column,
            scheme=scheme.value,
        )
        for location, role in tqdm(jobs, unit="file", disable=None, leave=False)
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
    for i, found in enumerate(examinations, start=1):
        say(f"({i}) {found.role}: {found.location}")
    counts = [found.counts for found in examinations]
    rows = [
        ("Documents", [f"{one.documents:,}" for one in counts]),
        ("Sentences", [f"{one.sentences:,}" for one in counts]),
        ("Tokens", [f"{one.tokens:,}" for one in counts]),
        ("Tokens per sentence", [f"{one.mean_length:.1f}" for one in counts]),
        ("Entities", [f"{one.entities:,}" for one in counts]),
    ]
    for label in sorted({label for one in counts for label in one.labels}):
        rows.append((f"  {label}", [f"{one.labels[label]:,}" for one in counts]))
    header = ["", *(f"({i})" for i in range(1, len(counts) + 1))]
    aligns = ["l"] + ["r"] * len(counts)
    say(table([(name, *cells) for name, cells in rows], header=header, aligns=aligns))
