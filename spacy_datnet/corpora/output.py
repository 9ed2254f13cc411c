"""Writing files whole or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from ..errors import Errors
from .files import Location, split_member
from .problems import CorpusError


def check_output(path: Path, *sources: Location) -> None:
    """Make sure that a file can be written, before any work is done.

    path (Path): The file to write.
    sources (Location): Files that must not be overwritten.
    """
    if path.is_dir():
        raise CorpusError(Errors.DN219.format(path=path))
    for source in sources:
        if split_member(source)[0].resolve() == path.resolve():
            raise CorpusError(Errors.DN220.format(path=path))


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file under a temporary name in the same folder and rename it when it is complete.

    path (Path): The file to write, in a folder that is made if need be. An existing file stays as it is if anything
        goes wrong.
    YIELDS (IO): Where to write the bytes.
    """
    check_output(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path)
    except OSError as error:
        raise CorpusError(Errors.DN231.format(path=path, reason=error.strerror)) from error
    finally:
        temporary.unlink(missing_ok=True)
