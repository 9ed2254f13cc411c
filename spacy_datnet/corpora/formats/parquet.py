"""Parquet, as Hugging Face datasets have it: records like those in JSON, whose tags are numbers with names beside."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ...errors import Errors
from ..content import Content
from ..files import replacing
from ..problems import CorpusError
from .jsons import Raw

SUFFIX = ".parquet"
_MAGIC = b"PAR1"
_FEATURES = "huggingface"  # in the metadata of the schema


def is_parquet(content: Content) -> bool:
    """Tell by the name or the first bytes."""
    is_named = str(content.location).endswith(SUFFIX)
    return is_named or any(file.data.startswith(_MAGIC) for file in content.files[:1])


def read_parquet(content: Content) -> Iterator[Raw]:
    """Read the records of files in Parquet: see `read_json`."""
    for name, data in content.files:
        number = 0
        try:
            for batch in import_parquet(name or content.location).ParquetFile(io.BytesIO(data)).iter_batches(1000):
                for raw in batch.to_pylist():
                    number += 1
                    yield name, number, raw
        except (ValueError, OSError, KeyError, TypeError, OverflowError, NotImplementedError) as error:
            if isinstance(error, CorpusError):
                raise
            reason = " ".join(str(error).split())
            raise CorpusError(Errors.DN202.format(path=name or content.location, reason=reason)) from error


def read_features(content: Content) -> Any:
    """Read what the dataset says of its columns, as far as that is in the metadata of the first file."""
    try:
        metadata = import_parquet(content.location).read_schema(io.BytesIO(content.files[0].data)).metadata or {}
        return json.loads(metadata.get(_FEATURES.encode(), b"{}"))["info"]["features"]
    except (ValueError, OSError, KeyError, TypeError, RecursionError) as error:
        if isinstance(error, CorpusError):
            raise
        return {}


def write_parquet(tokens: list[list[str]], tags: list[list[int]], names: list[str], path: Path) -> None:
    """Write records with tokens, and tags that are numbers.

    tokens (list): The tokens of each sentence.
    tags (list): The numbers of their tags.
    names (list): What the numbers are called, for the metadata.
    path (Path): The file, which is written whole or not at all.
    """
    parquet = import_parquet(path)
    import pyarrow

    text = {"dtype": "string", "_type": "Value"}
    features = {
        "id": text,
        "tokens": {"feature": text, "_type": "Sequence"},
        "ner_tags": {"feature": {"names": names, "_type": "ClassLabel"}, "_type": "Sequence"},
    }
    types = [pyarrow.string(), pyarrow.list_(pyarrow.string()), pyarrow.list_(pyarrow.int64())]
    metadata = {_FEATURES: json.dumps({"info": {"features": features}})}
    schema = pyarrow.schema(list(zip(features, types, strict=True)), metadata=metadata)
    columns = {"id": [str(number) for number in range(len(tokens))], "tokens": tokens, "ner_tags": tags}
    with replacing(path) as file:
        parquet.write_table(pyarrow.table(columns, schema=schema), file)


def import_parquet(path: object) -> Any:
    """Import what reads and writes Parquet; a coded error says how to install it.

    path (object): The file, for the message.
    RETURNS (Any): The module `pyarrow.parquet`.
    """
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise CorpusError(Errors.DN342.format(path=path)) from error
    return pyarrow.parquet
