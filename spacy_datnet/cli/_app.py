"""The command line application, and what all of its commands do alike."""

import io
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

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
def failing_politely() -> Iterator[None]:
    """Turn an error that has a code, so is meant for the user, into a message and exit code 1, without a traceback."""
    try:
        yield
    except ValueError as error:
        if not str(error).startswith("[DN"):
            raise
        fail(str(error))
        raise typer.Exit(1) from error
