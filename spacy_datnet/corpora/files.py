"""The files of a corpus: reading text that is plain, gzipped or in a zip archive; writing whole or not at all."""

import glob
import gzip
import io
import os
import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager
from fnmatch import fnmatchcase
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


class Files:
    """The files of a corpus, opened one after the other; what is compressed comes out uncompressed.

    Iterating yields for each file its name, empty if the location is that of one file, and the bytes.

    location (Location): A path, or archive and member; or a pattern of either, as in folder/*.conllu or
        treebank.zip:combined/*.mrg. What matches a pattern comes in the order of the names.
    """

    def __init__(self, location: Location):
        self.location = location
        self.current: Location = location  # for messages

    def __iter__(self) -> Iterator[tuple[str, IO[bytes]]]:
        path, member = split_member(self.location)
        paths = _matching_paths(path)
        if not paths:
            raise CorpusError(Errors.DN201.format(path=path, folder=Path.cwd()))
        for one in paths:
            name = "" if one == path else str(one)
            self.current = self.location if one == path else one
            with one.open("rb") as file:
                magic = file.peek(len(_ZIP))
                if member is not None or magic.startswith(_ZIP):
                    with zipfile.ZipFile(file) as archive:
                        yield from self._members(archive, one, member, is_one=not name)
                elif magic.startswith(_GZIP):
                    with gzip.GzipFile(fileobj=file) as unzipped:
                        yield name, unzipped
                else:
                    yield name, file

    def _members(
        self, archive: zipfile.ZipFile, path: Path, pattern: str | None, is_one: bool
    ) -> Iterator[tuple[str, IO[bytes]]]:
        members = [info.filename for info in archive.infolist() if not info.is_dir()]
        chosen = [pattern] if pattern in members else sorted(name for name in members if _matches(name, pattern or ""))
        if not chosen:
            raise CorpusError(
                Errors.DN203.format(
                    archive=path,
                    member=pattern or "",
                    example=members[0] if members else "FILE",
                    members=", ".join(members),
                )
            )
        for member in chosen:
            self.current = f"{path}:{member}"
            with archive.open(member) as file:
                yield "" if is_one and member == pattern else self.current, file


def _matching_paths(path: Path) -> list[Path]:
    """List the files that a path names, which may be a pattern."""
    if path.exists():
        return [path]
    return sorted(one for one in map(Path, glob.glob(str(path))) if one.is_file())


def _matches(name: str, pattern: str) -> bool:
    """Tell whether the name of a member matches a pattern, in which * stands for anything but a slash."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


@contextmanager
def open_files(location: Location) -> Iterator[Iterator[tuple[str, IO[bytes]]]]:
    """Open the files of a corpus for reading, one after the other; what fails is said with the name of the file.

    location (Location): A path, or archive and member, or a pattern: see `Files`.
    YIELDS (Iterator): The name and the bytes of each file.
    """
    files = Files(location)
    try:
        with closing(iter(files)) as each:
            yield each
    except _READ_ERRORS as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CorpusError(Errors.DN202.format(path=files.current, reason=reason)) from error


def read_lines(location: Location, encoding: str) -> Iterator[tuple[str, int, str]]:
    """Read the text of a corpus line by line.

    location (Location): A path, or archive and member, or a pattern: see `Files`.
    encoding (str): The name of an encoding.
    YIELDS (tuple): The name of the file, empty if there is one only; the number of the line, from 1 in each file; and
        the line with its end.
    """
    with open_files(location) as files:
        for name, file in files:
            try:
                lines = io.TextIOWrapper(file, encoding, errors="surrogateescape", newline="")
            except (LookupError, ValueError) as error:
                raise CorpusError(Errors.DN204.format(encoding=encoding)) from error
            number = 0
            try:
                for number, line in enumerate(lines, start=1):
                    if not line.isascii() and _UNDECODED.search(line):
                        raise _undecodable(name or location, number, encoding, repr(line.strip())[:60])
                    yield name, number, line.removeprefix("\ufeff") if number == 1 else line
            except UnicodeError as error:
                raise _undecodable(name or location, number + 1, encoding, "the text") from error


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
        named = split_member(source)[0]
        if path.resolve() in (one.resolve() for one in [named, *_matching_paths(named)]):
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
