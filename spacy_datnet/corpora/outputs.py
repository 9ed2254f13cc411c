"""What the files are called that corpora are converted to."""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ..errors import Errors
from .content import STDIN, Location, exists, split_member
from .docbin import SUFFIX, check_docbin_output, is_docbin, is_shards
from .formats import SUFFIXES
from .problems import CorpusError


def docbin_paths(sources: Sequence[Location], output: Path) -> list[Path]:
    """Tell which .spacy file each corpus is to be converted to, before any work is done.

    sources (Sequence): The corpora.
    output (Path): The .spacy file of the only corpus, or a folder for files with the names of the corpora.
    RETURNS (list): The files, which can be written and overwrite no corpus.
    """
    try:
        is_folder = output.is_dir() and not is_shards(output)
    except OSError:  # said below
        is_folder = False
    if len(sources) == 1 and not is_folder:
        paths = [output]
    elif is_docbin(output) and not is_folder:
        raise CorpusError(Errors.DN248.format(output=output))
    else:
        paths = [output / f"{_name_of(source, output)}{SUFFIX}" for source in sources]
    first: dict[Path, Location] = {}
    for source, path in zip(sources, paths, strict=True):
        if path in first:
            raise CorpusError(Errors.DN249.format(first=first[path], second=source, output=path))
        first[path] = source
        check_docbin_output(path, *sources)
    return paths


def _name_of(source: Location, folder: Path) -> str:
    """Take the name of a corpus from that of its file, without what says no more than the format."""
    path, member = split_member(source)
    name = path.name if member is None else PurePosixPath(member).name
    is_pattern = bool(set(name) & set("*?[")) and (member is not None or not exists(path))
    if not name or is_pattern or str(source) == STDIN:
        raise CorpusError(Errors.DN250.format(source=source, folder=folder))
    stem = name.removesuffix(".gz") or name
    for suffix in SUFFIXES:
        if stem.endswith(suffix) and stem != suffix:
            return stem.removesuffix(suffix)
    return stem
