"""What is to be annotated: files, cut into parts of which so many as make a shard go together."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from spacy.util import get_package_path, is_package

from ..corpora import Part, checksum, cut_raw, raw_files
from ..errors import Errors
from .manifest import BulkError

# the bytes of a shard's documents: a thousand shards, but none too small to be worth a file, or too big to do again
SHARDS, SMALLEST, LARGEST = 1000, 1 << 18, 1 << 22


class Plan(NamedTuple):
    """What is to be done.

    shards (list): The parts of each shard.
    counts (list): How many documents each has, at most.
    start (dict): What a run that goes on must agree in.
    """

    shards: list[list[Part]]
    counts: list[int]
    start: dict[str, str]


def make_plan(pipeline: str, locations: Iterable[str | Path], code: Path | None, output: Path) -> Plan:
    """Look into all files, and cut them.

    pipeline (str): The pipeline, a path or the name of a package.
    locations (Iterable): Files, folders and patterns of raw text.
    code (Optional[Path]): The Python file that the pipeline needs.
    output (Path): The folder of the shards, which are no documents to annotate even if it lies among them.
    RETURNS (Plan): What is to be done. The same files always give the same shards.
    """
    path = Path(pipeline)
    if not path.exists():
        if not is_package(pipeline):
            raise BulkError(Errors.DN344.format(pipeline=pipeline, folder=Path.cwd()))
        path = get_package_path(pipeline)
    files = [file.absolute() for file in raw_files(locations) if output.absolute() not in file.absolute().parents]
    size = min(max(sum(file.stat().st_size for file in files) // SHARDS, SMALLEST), LARGEST)
    shards: list[list[Part]] = []
    counts: list[int] = []
    room = 0
    for file in files:
        for part, count in cut_raw(file, size):
            if room <= 0 or part.start:  # small files share a shard
                shards.append([])
                counts.append(0)
                room = size
            shards[-1].append(part)
            counts[-1] += count
            room -= file.stat().st_size
    named = {"the pipeline": path, **({"the code": code} if code else {}), **{str(file): file for file in files}}
    return Plan(shards, counts, {name: checksum(one) for name, one in named.items()})
