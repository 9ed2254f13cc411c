"""spacy-datnet annotate: millions of documents, each once."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ..errors import Warnings
from ._app import app, failing_politely, import_code, say, warn
from ._options import AddressOption, CodeOption, Engine, ShardFormat


@app.command()
def annotate(
    pipeline: Annotated[str, typer.Argument(metavar="PIPELINE", help="Path or name of a spaCy pipeline.")],
    sources: Annotated[
        list[str],
        typer.Argument(
            metavar="IN...",
            help="Files, folders or patterns: .txt with a document on each line, .jsonl and .parquet with a `text`, "
            ".spacy with the tokens to use.",
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write the shards to.")],
    format: Annotated[ShardFormat, typer.Option(help="What the shards are.")] = "jsonl",
    engine: Annotated[Engine, typer.Option(help="Who annotates: processes of this machine, or Ray.")] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many processes; without it, one for each processor.")
    ] = None,
    address: AddressOption = None,
    restart: Annotated[bool, typer.Option("--restart", help="Start anew, whatever was done before.")] = False,
    code: CodeOption = None,
) -> None:
    """Annotate documents in bulk: entities, spans and tags of any pipeline, with offsets and confidences.

    The other fields of a document, such as its id, come along. The shards come in the order of the documents. If the
    command is interrupted, even killed, the same command goes on, and each document is there once. A record that can't
    be used is said with its place and set aside in a file beside its shard. Another pipeline or other documents than
    at the beginning are refused.
    """
    from ..bulk import ENGINES, PROCESSORS, Job, Manifest, check_format, make_plan
    from ..corpora.progress import progress

    with failing_politely(OSError):
        import_code(code)
        check_format(format)
        plan = make_plan(pipeline, sources, code, output)
        place = Path(pipeline)
        job = Job(
            str(place.absolute()) if place.exists() else pipeline,
            code and code.absolute(),
            output.absolute(),
            format,
        )
        manifest = Manifest(output)
        began = time.perf_counter()
        with manifest.open({**plan.start, "the format": format}, restart):
            if manifest.done:
                say(f"Going on: {len(manifest.done):,} of {len(plan.shards):,} shards are done")
            left = {number: parts for number, parts in enumerate(plan.shards) if number not in manifest.done}
            before = sum(plan.counts[number] for number in manifest.done)
            docs = 0
            with progress(total=sum(plan.counts), initial=before, unit="doc") as bar:
                for record in ENGINES[engine](job, left, workers or PROCESSORS, address):
                    manifest.add(record)
                    docs += record["docs"]
                    bar.update(plan.counts[record["shard"]])
                    if record["rejected"]:
                        count, first, aside = (record[name] for name in ("rejected", "first", "aside"))
                        more = " and others" if count > 1 else ""
                        warn(Warnings.DN355.format(count=count, path=output / aside, first=first, more=more))
        speed = docs / (time.perf_counter() - began)
        total = {name: sum(record[name] for record in manifest.done.values()) for name in ("docs", "ents", "rejected")}
    aside = f"; {total['rejected']:,} record(s) were set aside" if total["rejected"] else ""
    say(
        f"Wrote {total['docs']:,} documents with {total['ents']:,} entities to {output} ({docs:,} now, {speed:,.0f} "
        f"per second){aside}"
    )
