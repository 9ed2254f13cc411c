"""The bytes of a corpus, read once: plain files, gzip, members of zip archives, patterns, pipes, standard input."""

import glob
import gzip
import io
import re
import stat
import sys
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Union

from ..errors import Errors
from .encodings import AUTO, Encoding, detect_encoding
from .problems import CorpusError
from .progress import progress

Location = Union[str, Path]

STDIN = "-"
MAX_LINE = 1_000_000  # characters; what is longer has no line ends, and is no text of lines

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
_UNDECODED = re.compile("[\udc80-\udcff]")  # what the error handler surrogateescape leaves behind


class File(NamedTuple):
    """One file of a corpus.

    name (str): Its name, empty if the location of the corpus is that of one file.
    data (bytes): What is in it, uncompressed.
    """

    name: str
    data: bytes


class Content:
    """What is in the files of a corpus. They are read when they are first asked for, and only once.

    location (Location): A path; "-" for standard input; or archive and member, as in treebank.zip:folder/file; or a
        pattern of paths or of members, as in folder/*.conllu. What matches a pattern comes in the order of the names.
    encoding (str): The name of the encoding, or "auto" to detect it.
    """

    def __init__(self, location: Location, encoding: str = AUTO):
        self.location = location
        self.named = encoding
        self.memory: dict[str, Any] = {}  # what formats make of the files, to make it once

    @cached_property
    def files(self) -> list[File]:
        """The files, what is compressed uncompressed."""
        if str(self.location) == STDIN:
            return [File("", _read(STDIN))]
        path, member = split_member(self.location)
        paths = matching_paths(path)
        if not paths:
            raise CorpusError(Errors.DN201.format(path=path, folder=Path.cwd()))
        files: list[File] = []
        for one in paths:
            is_named = one == path
            if one.is_dir():
                files += [File(str(file), _read(file)) for file in sorted(one.rglob("*")) if _is_text(file)]
            elif member is not None or zipfile_begins(one):
                files += _read_members(one, member, is_one=is_named)
            else:
                files.append(File("" if is_named else str(one), _read(one)))
        if not files:
            raise CorpusError(Errors.DN202.format(path=path, reason="it is a folder without files"))
        return files

    @cached_property
    def encoding(self) -> Encoding:
        """The encoding of the text."""
        if self.named == AUTO:
            return detect_encoding(self.location, self.files)
        return Encoding(self.named)

    def lines(self) -> Iterator[tuple[str, int, str]]:
        """Decode the text line by line.

        YIELDS (tuple): The name of the file, empty if there is one only; the number of the line, from 1 in each file;
            and the line with its end.
        """
        encoding = self.encoding.name
        for name, data in self.files:
            try:
                lines = io.TextIOWrapper(io.BytesIO(data), encoding, errors="surrogateescape", newline="")
            except (LookupError, ValueError) as error:
                raise CorpusError(Errors.DN204.format(encoding=encoding)) from error
            number = 0
            bar = progress(total=len(data), desc=name or str(self.location), unit="B", unit_scale=True)
            try:
                for number, line in enumerate(lines, start=1):
                    bar.update(len(line))
                    if not line.isascii() and _UNDECODED.search(line):
                        raise self._undecodable(name, number, repr(line.strip())[:60])
                    if len(line) > MAX_LINE:
                        path = name or self.location
                        raise CorpusError(Errors.DN264.format(path=path, line=number, length=len(line), limit=MAX_LINE))
                    yield name, number, line.removeprefix("\ufeff") if number == 1 else line
            except UnicodeError as error:
                raise self._undecodable(name, number + 1, "the text") from error
            finally:
                bar.close()

    def texts(self) -> Iterator[tuple[str, str]]:
        """Decode each file as a whole.

        YIELDS (tuple): The name of the file, empty if there is one only, and its text.
        """
        encoding = self.encoding.name
        for name, data in self.files:
            try:
                yield name, data.decode(encoding).removeprefix("\ufeff")
            except LookupError as error:
                raise CorpusError(Errors.DN204.format(encoding=encoding)) from error
            except UnicodeError as error:
                line = data[: getattr(error, "start", 0)].count(b"\n") + 1
                raise self._undecodable(name, line, "the text") from error

    def _undecodable(self, name: str, line: int, text: str) -> CorpusError:
        path, encoding = name or self.location, self.encoding.name
        return CorpusError(Errors.DN205.format(path=path, line=line, text=text, encoding=encoding))


def split_member(location: Location) -> tuple[Path, str | None]:
    """Split the name of a file inside a zip archive, written archive.zip:folder/file.

    location (Location): A path, or archive and member.
    RETURNS (tuple): The path of the file or archive, and the member or None.
    """
    text = str(location)
    archive, colon, member = text.partition(".zip:")
    if colon and not exists(Path(text)):
        return Path(f"{archive}.zip"), member
    return Path(text), None


def exists(path: Path) -> bool:
    """Tell whether there is such a file or folder; a name that no system allows is none."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def matching_paths(path: Path) -> list[Path]:
    """List the files that a path names, which may be a pattern."""
    if exists(path):
        return [path]
    try:
        return sorted(one for one in map(Path, glob.glob(str(path))) if one.is_file())
    except (OSError, ValueError, re.error):
        return []


def _is_text(path: Path) -> bool:
    """Tell whether a file of a folder is part of a corpus: neither hidden nor the configuration of a tool."""
    return path.is_file() and not path.name.startswith(".") and path.suffix != ".conf"


def zipfile_begins(path: Path) -> bool:
    """Tell whether a file begins as a zip archive does; only plain files can be read twice."""
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            return file.read(len(_ZIP)) == _ZIP
    except OSError:
        return False


def _read(path: Location) -> bytes:
    """Read a file or standard input, and uncompress it."""
    try:
        if str(path) == STDIN:
            data = sys.stdin.buffer.read()
        else:
            with Path(path).open("rb") as file:
                mode = Path(path).stat().st_mode
                if stat.S_ISBLK(mode) or (stat.S_ISCHR(mode) and not file.isatty()):
                    raise OSError("it is a device")
                data = file.read()
        return gzip.decompress(data) if data.startswith(_GZIP) else data
    except Exception as error:  # besides OSError, whatever gzip makes of other bytes
        raise _unreadable(path, error) from error


def _read_members(path: Path, pattern: str | None, is_one: bool) -> Iterator[File]:
    """Read the members of a zip archive that a pattern names."""
    current: Location = path if pattern is None else f"{path}:{pattern}"
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info.filename for info in archive.infolist() if info.filename and not info.is_dir()]
            chosen = [pattern] if pattern in members else sorted(one for one in members if _matches(one, pattern or ""))
            if not chosen:
                lack = "" if pattern is None else f" without a file {pattern!r}"
                example, names = members[0] if members else "FILE", ", ".join(members) or "no files"
                raise CorpusError(Errors.DN203.format(archive=path, lack=lack, example=example, members=names))
            for member in chosen:
                current = f"{path}:{member}"
                yield File("" if is_one and member == pattern else current, archive.read(member))
    except CorpusError:
        raise
    except Exception as error:  # zipfile raises whatever it and the decompressors make of other bytes
        raise _unreadable(current, error) from error


def _matches(name: str, pattern: str) -> bool:
    """Tell whether the name of a member matches a pattern, in which * stands for anything but a slash."""
    parts, wanted = name.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _unreadable(path: Location, error: Exception) -> CorpusError:
    reason = getattr(error, "strerror", None) or " ".join(str(error).split()) or type(error).__name__
    return CorpusError(Errors.DN202.format(path=path, reason=reason))
