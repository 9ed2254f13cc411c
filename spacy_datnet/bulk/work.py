"""What a worker does: one shard after the other, with a pipeline that it loads once."""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import import_file

from ..corpora import Part, Place, RawText, read_part, replacing
from ..errors import Errors
from .manifest import REJECTED, BulkError
from .shards import FORMATS

# characters of the documents that a pipeline gets at once
MOST = 1_000_000
# if so many documents of a shard, and all, are too much for the pipeline, then the fault is not theirs
HOPELESS = 10

Reject = Callable[[Place, str], None]


class Job(NamedTuple):
    """What is the same for all shards.

    pipeline (str): The pipeline, an absolute path or the name of a package.
    code (Optional[Path]): The Python file that it needs, an absolute path.
    folder (Path): The folder of the shards, an absolute path.
    format (str): What they are, see `shards.FORMATS`.
    """

    pipeline: str
    code: Path | None
    folder: Path
    format: str


@lru_cache(maxsize=1)
def load(pipeline: str, code: Path | None) -> Language:
    """Load a pipeline for this process, which computes with one thread."""
    torch.set_num_threads(1)
    if code is not None:
        import_file("python_code", code)
    return spacy.load(pipeline)


def annotate_shard(job: Job, number: int, parts: list[Part]) -> dict[str, Any]:
    """Annotate the documents of a shard and write it, whole or not at all.

    RETURNS (dict): The line on it in the manifest.
    """
    nlp = load(job.pipeline, job.code)
    path = job.folder / f"{number:06}.{job.format}"
    aside = path.with_suffix(REJECTED)
    counts = {"docs": 0, "ents": 0}
    rejected: list[dict[str, str]] = []

    def reject(place: Place, record: str) -> None:
        rejected.append({"place": str(place), "record": record})

    def annotated() -> Iterator[tuple[RawText, Doc]]:
        failed: list[str] = []
        for part in parts:
            for batch in _batches(read_part(part, reject), nlp.batch_size):
                with nlp.memory_zone():  # or the strings of all documents stay
                    for pair in apply(nlp, batch, reject, failed):
                        counts["docs"] += 1
                        counts["ents"] += len(pair[1].ents)
                        yield pair
                if len(failed) >= HOPELESS and not counts["docs"]:
                    raise BulkError(Errors.DN349.format(pipeline=job.pipeline, path=part.path, reason=failed[0]))

    with replacing(path) as file:
        FORMATS[job.format](file, annotated())
        if rejected:
            with replacing(aside) as other:
                other.writelines(json.dumps(one, ensure_ascii=False).encode("utf8") + b"\n" for one in rejected)
        size = file.tell()
    record = {"shard": number, "file": path.name, "bytes": size, **counts, "rejected": len(rejected)}
    if rejected:
        record |= {"aside": aside.name, "first": rejected[0]["place"]}
    return {**record, "parts": [{**part._asdict(), "path": str(part.path)} for part in parts]}


def _batches(raws: Iterable[RawText], size: int) -> Iterator[list[RawText]]:
    batch: list[RawText] = []
    characters = 0
    for raw in raws:
        batch.append(raw)
        characters += len(raw.text)
        if len(batch) == size or characters > MOST:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def apply(nlp: Language, batch: list[RawText], reject: Reject, failed: list[str]) -> list[tuple[RawText, Doc]]:
    """Annotate documents; those that the pipeline fails at are found by halves and set aside.

    failed (list): What was wrong with these is added to it.
    """
    try:
        docs = list(nlp.pipe(raw.make_doc(nlp) for raw in batch))
        return list(zip(batch, docs, strict=True))
    except Exception as error:  # whatever a component raises
        if len(batch) > 1:
            half = len(batch) // 2
            return [*apply(nlp, batch[:half], reject, failed), *apply(nlp, batch[half:], reject, failed)]
        failed.append(f"{type(error).__name__}: {error}".splitlines()[0])
        reject(batch[0].place._replace(text=failed[-1]), batch[0].text)
        return []
