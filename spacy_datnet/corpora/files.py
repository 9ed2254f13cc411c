"""Writing files whole or not at all."""

import hashlib
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ..errors import Errors
from .content import Location, matching_paths, split_member
from .problems import CorpusError

NUMBERED = "{:05}"  # the stem of such files
_NUMBERED = re.compile(r"[0-9]{5,}\.[a-z]+")


def check_output(path: Path, *sources: Location, is_folder: bool = False) -> None:
    """Make sure that a file or folder can be written, before any work is done.

    path (Path): The file or folder to write.
    sources (Location): Files that must not be overwritten.
    is_folder (bool): Whether it is to be a folder. One that is there must hold nothing but numbered files.
    """
    try:
        resolved = path.resolve()
        if path.is_dir():
            if not is_folder:
                raise CorpusError(Errors.DN219.format(path=path))
            if not is_numbered(path) and any(path.iterdir()):
                raise CorpusError(Errors.DN231.format(path=path, reason="it is a folder with other files in it"))
        elif path.exists() and (is_folder or not path.is_file()):
            if path.is_file():
                raise CorpusError(Errors.DN231.format(path=path, reason="it is a file, and this format is a folder"))
            raise CorpusError(Errors.DN231.format(path=path, reason="it is a device or a pipe"))
        for source in sources:
            named = split_member(source)[0]
            if resolved in (one.resolve() for one in [named, *matching_paths(named)]):
                raise CorpusError(Errors.DN220.format(path=path))
    except (OSError, RuntimeError) as error:  # RuntimeError is a circle of symbolic links
        raise _unwritable(path, error) from error
    except ValueError as error:
        if isinstance(error, CorpusError):
            raise
        raise _unwritable(path, error) from error


def is_numbered(path: Path) -> bool:
    """Tell whether a folder holds numbered files only, as this package writes them: it may be written anew."""
    try:
        names = [one.name for one in path.iterdir()]
    except (OSError, ValueError):  # no folder, or no possible name
        return False
    return bool(names) and all(map(_NUMBERED.fullmatch, names))


@contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Write a file under a temporary name in the same folder and rename it when it is complete.

    path (Path): The file to write, in a folder that is made if need be. An existing file stays as it is if anything
        goes wrong.
    YIELDS (IO): Where to write the bytes.
    """
    check_output(path)
    with _temporary(path) as temporary:
        with temporary.open("wb") as file:
            yield file
        temporary.replace(path.resolve())


@contextmanager
def replacing_folder(path: Path) -> Iterator[Path]:
    """Write a folder of files under a temporary name and rename it when it is complete: see `replacing`.

    path (Path): The folder to write. What has its name already is moved aside first, and removed in the end.
    YIELDS (Path): The folder to write to.
    """
    with _temporary(path) as temporary:
        temporary.mkdir()
        yield temporary
        old = temporary.with_name(f"{temporary.name}.old")
        if path.exists():
            path.rename(old)
        try:
            temporary.rename(path)
        except OSError:
            if old.exists():
                old.rename(path)
            raise
        _remove(old)


@contextmanager
def _temporary(path: Path) -> Iterator[Path]:
    """Give a temporary name beside a path; say what can't be written, and leave nothing there."""
    temporary = path.with_name(f".{os.getpid()}-{secrets.token_hex(4)}.tmp")  # short, whatever the path is called
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        _remove(temporary)


def checksum(path: Path, without: Path | None = None) -> str:
    """Sum up the content of a file, or of a folder with the names in it.

    path (Path): The file or folder.
    without (Optional[Path]): A folder that does not count where it is in that one.
    RETURNS (str): The same for the same content.
    """
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    content = hashlib.blake2b(digest_size=16)
    for file in files:
        if (without and without.resolve() in file.resolve().parents) or "__pycache__" in file.parts:
            continue
        content.update(str(file.relative_to(path)).encode() + b"\0")
        with file.open("rb") as opened:
            while part := opened.read(1 << 20):
                content.update(part)
    return content.hexdigest()


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _unwritable(path: Path, error: Exception) -> CorpusError:
    return CorpusError(Errors.DN231.format(path=path, reason=getattr(error, "strerror", None) or str(error)))
