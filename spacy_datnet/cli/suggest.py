"""spacy-datnet suggest: the sentences that are worth annotating next."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..errors import Warnings
from ._app import app, failing_politely, import_code, say, warn
from ._options import CodeOption, ExportFormat


@app.command()
def suggest(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="Path or name of a trained pipeline.")],
    raw: Annotated[
        list[str], typer.Argument(metavar="RAW...", help="Raw text, as `annotate` reads it: files, folders, patterns.")
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The file to write.")],
    budget: Annotated[int, typer.Option(metavar="TOKENS", min=1, help="How many tokens you want to annotate.")],
    strategy: Annotated[
        str,
        typer.Option(
            help="What decides: random, least-confidence, lowest-token, token-entropy, span-entropy, or one of --code."
        ),
    ] = "random",
    diverse: Annotated[
        bool, typer.Option("--diverse/--no-diverse", help="Of the best, take those that differ most.")
    ] = True,
    partial: Annotated[
        bool, typer.Option("--partial", help="Ask only for doubtful spans; the rest is missing annotation.")
    ] = False,
    known: Annotated[
        list[str] | None,
        typer.Option(help="A corpus that is annotated already, as `convert` reads it; its sentences are left out."),
    ] = None,
    to: Annotated[ExportFormat, typer.Option(help="The tool to write for.")] = "prodigy",
    seed: Annotated[int, typer.Option(help="Seed of the random choice.")] = 0,
    code: CodeOption = None,
) -> None:
    """Suggest the sentences to annotate next, with what the pipeline thinks of them.

    Sentences that are annotated already, or repeat another one but for numbers or punctuation, are left out. With a
    strategy other than random, those of which the pipeline is least sure come first, as its CRF has it exactly.
    """
    from ..bulk.work import load
    from ..corpora import WRITERS, check_output
    from ..corpora.progress import progress
    from ..selection import choose, collect, doubtful_tokens, write_suggestions

    with failing_politely(OSError):
        import_code(code)
        check_output(output, *raw, is_folder=WRITERS[to].writes_folder(output))
        nlp = load(pipeline, None)
        candidates = list(progress(collect(nlp, raw, known or ()), unit="sentence"))
        cost = (lambda one: len(doubtful_tokens(one))) if partial else len
        chosen = choose(candidates, budget, strategy=strategy, seed=seed, diverse=diverse, cost=cost)
        spent = sum(cost(one) for one, _ in chosen)
        if spent < budget:
            warn(Warnings.DN365.format(budget=budget, spent=spent))
        write_suggestions(chosen, output, to=to, partial=partial)
    say(f"Wrote {len(chosen):,} of {len(candidates):,} sentences with {spent:,} tokens to annotate to {output}")
