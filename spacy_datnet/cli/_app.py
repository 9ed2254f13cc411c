"""The command line application, and what all of its commands do alike."""

import io
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer

from ..errors import Errors

# of this package or of spaCy
CODED = re.compile(r"\[(DN|E|W)\d+\]")

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


@app.callback()
def main() -> None:
    """Dual adversarial transfer for sequence labelling with spaCy."""
    # what the terminal can't show is escaped: no label or path may end a command
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def say(message: str) -> None:
    """Show a result, on stdout."""
    typer.echo(message)


def warn(message: str) -> None:
    """Show a warning, on stderr."""
    typer.secho(f"Warning: {message}", fg="yellow", err=True)


def fail(message: str) -> None:
    """Show an error, on stderr."""
    typer.secho(f"Error: {message}", fg="red", err=True)


@contextmanager
def failing_politely(*others: type[Exception]) -> Iterator[None]:
    """Turn an error that has a code, so is meant for the user, into a message and exit code 1, without a traceback.

    others (Type[Exception]): Errors of other kinds that are meant for the user as well.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, others) and not (isinstance(error, ValueError) and CODED.match(str(error))):
            raise
        fail(str(error))
        raise typer.Exit(1) from error


def import_code(path: Path | None) -> None:
    """Import a file of Python code that registers what a pipeline or a config names."""
    from spacy.util import import_file

    if path is None:
        return
    try:
        import_file("python_code", path)
    except Exception as error:  # whatever it is, it is a mistake in the file
        raise ValueError(Errors.DN407.format(path=path, reason=f"{type(error).__name__}: {error}")) from error
