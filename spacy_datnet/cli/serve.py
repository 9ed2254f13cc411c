"""spacy-datnet serve: a local web application for one pipeline."""

from pathlib import Path
from typing import Annotated

import typer

from ..errors import Errors, Warnings
from ._app import app, failing_politely, import_code, say, warn
from ._options import CodeOption


@app.command()
def serve(
    model: Annotated[str, typer.Argument(metavar="PIPELINE", help="Path or name of any spaCy pipeline.")],
    queue: Annotated[
        Path | None,
        typer.Option(help="Texts to annotate: JSON lines as `suggest` and Prodigy write them, or a text per line."),
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="The port; 0 takes any that is free.")] = 8000,
    host: Annotated[str, typer.Option(help="The address to listen at; without it, this machine only.")] = "127.0.0.1",
    code: CodeOption = None,
) -> None:
    """Show what a pipeline predicts in a browser, and annotate a queue of texts.

    The page needs nothing from the network. Each answer is saved at once in an SQLite file beside the queue, and the
    same command goes on where it was left. Answers are exported to Prodigy, doccano, Label Studio and others.
    Programs ask for entities by POST /entities; /openapi.json documents it.
    """
    import socket

    with failing_politely(OSError):
        try:
            import uvicorn

            from ..serve.app import make_app
        except ModuleNotFoundError as error:
            if error.name not in ("fastapi", "uvicorn"):
                raise
            raise ValueError(Errors.DN370.format(package=error.name)) from error
        import spacy

        from ..serve.store import Queue

        import_code(code)
        tasks = None if queue is None else Queue(queue)
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            listening = socket.create_server((host, port), family=family)
        except OSError as error:
            raise ValueError(Errors.DN374.format(host=host, port=port, reason=error.strerror or error)) from error
        nlp = spacy.load(model)
        web = make_app(nlp, tasks, host)
    if host not in ("127.0.0.1", "::1", "localhost"):
        warn(Warnings.DN385.format(host=host))
    if tasks is not None:
        say(f"{len(tasks.tasks):,} texts, {tasks.progress()['open']:,} of them open; the answers are in {tasks.file}")
        if strangers := len(set(tasks.saved()) - set(tasks.keys)):
            warn(Warnings.DN386.format(path=tasks.file, count=strangers))
    say(f"http://{f'[{host}]' if ':' in host else host}:{listening.getsockname()[1]}/ (Ctrl+C ends it)")
    uvicorn.Server(uvicorn.Config(web, log_level="warning")).run(sockets=[listening])
