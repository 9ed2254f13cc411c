"""The files of a corpus: reading text that is plain, gzipped or in a zip archive; writing whole or not at all."""

import gzip
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Union

from ..errors import Errors
from .problems import CorpusError

Location = Union[str, Path]

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_READ_ERRORS = (OSError, EOFError, zlib.error, zipfile.BadZipFile, RuntimeError)
_UNDECODED = re.compile("[\udc80-\udcff]")  # what the error handler surrogateescape leaves behind


def split_member(location: Location) -> tuple[Path, str | None]:
    """Split the name of a file inside a zip archive, written archive.zip:folder/file.

    location (Location): A path, or archive and member.
    RETURNS (tuple): The path of the file or archive, and the member or None.
    """
    text = str(location)
    archive, colon, member = text.partition(".zip:")
    if colon and not Path(text).exists():
        return Path(f"{archive}.zip"), member
    return Path(text), None


@contextmanager
def open_bytes(location: Location) -> Iterator[IO[bytes]]:
    """Open a file for reading; what is compressed comes out uncompressed.

    location (Location): A path, or archive and member.
    YIELDS (IO): The bytes.
    """
    path, member = split_member(location)
    try:
        with ExitStack() as stack:
            file = stack.enter_context(path.open("rb"))
            magic = file.peek(len(_ZIP))
            if member is not None or magic.startswith(_ZIP):
                archive = stack.enter_context(zipfile.ZipFile(file))
                file = stack.enter_context(_open_member(archive, path, member))
            elif magic.startswith(_GZIP):
                file = stack.enter_context(gzip.GzipFile(fileobj=file))
            yield file
    except FileNotFoundError as error:
        raise CorpusError(Errors.DN201.format(path=path, folder=Path.cwd())) from error
    except _READ_ERRORS as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CorpusError(Errors.DN202.format(path=location, reason=reason)) from error


def _open_member(archive: zipfile.ZipFile, path: Path, member: str | None) -> IO[bytes]:
    members = [info.filename for info in archive.infolist() if not info.is_dir()]
    if member not in members:
        raise CorpusError(
            Errors.DN203.format(
                archive=path,
                member=member or "",
                example=members[0] if members else "FILE",
                members=", ".join(members),
            )
        )
    return archive.open(member)


def read_lines(location: Location, encoding: str) -> Iterator[tuple[int, str]]:
    """Read a text file line by line.

    location (Location): A path, or archive and member.
    encoding (str): The name of an encoding.
    YIELDS (tuple): The number of the line, from 1, and the line with its end.
    """
    with open_bytes(location) as file:
        try:
            lines = io.TextIOWrapper(file, encoding, errors="surrogateescape", newline="")
        except (LookupError, ValueError) as error:
            raise CorpusError(Errors.DN204.format(encoding=encoding)) from error
        number = 0
        try:
            for number, line in enumerate(lines, start=1):
                if not line.isascii() and _UNDECODED.search(line):
                    raise _undecodable(location, number, encoding, repr(line.strip())[:60])
                yield number, line.removeprefix("\ufeff") if number == 1 else line
        except UnicodeError as error:
            raise _undecodable(location, number + 1, encoding, "the text") from error


def _undecodable(location: Location, line: int, encoding: str, text: str) -> CorpusError:
    return CorpusError(Errors.DN205.format(path=location, line=line, text=text, encoding=encoding))


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
