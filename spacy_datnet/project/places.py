"""Where the files of a project are: those of the user, and the corpora that are made of them."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..errors import Errors

# in bytes; what is larger stays where it is
LARGEST = 50_000_000
OWN_FILES = "project.yml config.cfg spacy.cfg grid.yaml final.yaml README.md assets corpus training".split()  # noqa: SIM905


@dataclass(frozen=True)
class Place:
    """A file of the user.

    role (str): What it is for: "target", "dev", "test" or "source".
    given (str): As the user named it.
    path (str): As the project names it, from its folder.
    copied (bool): Whether the project has a copy of its own.
    corpus (str): The .spacy file that it becomes.
    """

    role: str
    given: str
    path: str
    copied: bool
    corpus: str


def check_folder(folder: Path) -> None:
    """Make sure that nothing is overwritten. Raises DN422."""
    if folder.exists() and not folder.is_dir():
        raise ValueError(Errors.DN422.format(folder=folder, names="a file of this name"))
    there = [name for name in OWN_FILES if (folder / name).exists()]
    if there:
        raise ValueError(Errors.DN422.format(folder=folder, names=", ".join(there)))


def place_files(folder: Path, files: Mapping[str, Iterable[str]]) -> list[Place]:
    """Say where the project will have each file: in its folder, copied to assets/, or where it is.

    A file in the folder is named by its path from there. Any other is copied, unless it is large, in an archive, or one
    of a pattern.

    folder (Path): The folder of the project.
    files (Mapping): The files by their roles.
    RETURNS (List[Place]): Their places.
    """
    places = []
    for role, locations in files.items():
        locations = list(locations)
        for number, location in enumerate(locations, start=1):
            name = role if len(locations) == 1 else f"{role}-{number}"
            path, copied = place_of(folder, location, name)
            corpus = corpus_of(role) if len(locations) == 1 else f"corpus/{role}/{name}.spacy"
            places.append(Place(role, location, path, copied, corpus))
    return places


def place_of(folder: Path, location: str, name: str) -> tuple[str, bool]:
    """Say what a project calls a file, and whether it is copied."""
    path = Path(location)
    there = path.resolve() if path.exists() else Path.cwd() / path
    if there.is_relative_to(folder.resolve()):
        return there.relative_to(folder.resolve()).as_posix(), False
    if path.is_file() and path.stat().st_size <= LARGEST:
        suffixes = path.suffixes[-2:] if path.suffix == ".gz" else path.suffixes[-1:]
        return f"assets/{name}{re.sub(r'[^.A-Za-z0-9]', '', ''.join(suffixes))}", True
    return there.as_posix(), False


def corpus_of(role: str, several: bool = False) -> str:
    """Name the .spacy file of a role, or the folder of its files if there are several."""
    return f"corpus/{role}" if several else f"corpus/{role}.spacy"


def package_name(folder: Path) -> str:
    """Make a name for the wheel of that of a folder."""
    name = re.sub(r"\W+", "_", folder.resolve().name, flags=re.ASCII).strip("_").lower()
    return name if name and name[0].isalpha() else f"pipeline_{name}".rstrip("_")
