"""A user's own files of vectors, one for each corpus, as a store: memory-mapped, found by the words of a sentence."""

import struct
import zipfile
from collections.abc import Sequence
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.lib import format as npy
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpora.docbin import read_docbin, sentence_spans
from ..errors import Errors
from .sentence_vectors import beginning, finite
from .store import Rows, Sentence

# of a file inside a zip archive, before its name
ZIP_HEADER = 30


def load_arrays(corpus: str, array: str) -> "CorpusArrays":
    """Open the vectors of a corpus, once per process and version of the files. Raises DN034 if one is missing."""
    for path in (corpus, array):
        if not Path(path).exists():
            raise ValueError(Errors.DN034.format(path=path, folder=Path.cwd()))
    return _load_arrays(corpus, array, *(Path(path).stat().st_mtime_ns for path in (corpus, array)))


@lru_cache(maxsize=16)
def _load_arrays(corpus: str, array: str, *versions: int) -> "CorpusArrays":
    return CorpusArrays(Path(corpus), Path(array))


class CorpusArrays:
    """The vectors of a corpus, of its sentences and of whole docs.

    If a sentence occurs twice, the vectors of the first one stand for both.

    corpus (Path): The .spacy file.
    array (Path): The .npy or .npz file.
    """

    def __init__(self, corpus: Path, array: Path):
        self.path = array
        docs = list(read_docbin(corpus, Vocab()))
        if not docs:
            raise ValueError(Errors.DN109.format(path=corpus))
        parts = _rows_of(array, corpus, docs) if array.suffix == ".npy" else _members_of(array, docs)
        self.width = parts[0].shape[1]
        self._found: dict[Sentence, np.ndarray] = {}
        for doc, vectors in zip(docs, parts, strict=True):
            for span in (*sentence_spans(doc), doc[:]):
                texts = [token.text for token in span]  # the vocab is nobody's and knows no white space
                words = tuple(text for text in texts if not text.isspace())
                rows = vectors[span.start : span.end]
                # a choice of rows would be a copy, no longer mapped
                kept = rows if len(words) == len(texts) else rows[[not text.isspace() for text in texts]]
                self._found.setdefault(words, kept)

    def find(self, sentences: Sequence[Sentence]) -> Rows:
        """Yield those of the sentences that are there, with their vectors."""
        for sentence in sentences:
            if sentence in self._found:
                yield sentence, finite(self._found[sentence], sentence, self.path)

    def check_width(self, width: int | None) -> int:
        """Compare the width with that of other files; None is any."""
        if width not in (None, self.width):
            raise ValueError(Errors.DN039.format(path=self.path, found=self.width, width=width))
        return self.width


def _rows_of(array: Path, corpus: Path, docs: list[Doc]) -> list[np.ndarray]:
    """Divide the rows of an .npy file among docs."""
    rows = np.load(array, mmap_mode="r")
    borders = np.cumsum([0, *(len(doc) for doc in docs)])
    if rows.ndim != 2 or len(rows) != borders[-1]:
        raise ValueError(
            Errors.DN035.format(array=array, shape=rows.shape, corpus=corpus, tokens=borders[-1], docs=len(docs))
        )
    return [rows[start:end] for start, end in pairwise(borders)]


def _members_of(array: Path, docs: list[Doc]) -> list[np.ndarray]:
    """Map the arrays of an .npz file, one for each doc."""
    if not zipfile.is_zipfile(array):
        raise ValueError(Errors.DN040.format(array=array, name="arr_0", docs=len(docs)))
    memory = np.memmap(array, mode="r")
    parts: list[np.ndarray] = []
    with zipfile.ZipFile(array) as archive:
        members = {info.filename: info for info in archive.infolist() if info.compress_type == zipfile.ZIP_STORED}
        for i, doc in enumerate(docs):
            info = members.get(f"arr_{i}.npy")
            if info is None:
                raise ValueError(Errors.DN040.format(array=array, name=f"arr_{i}", docs=len(docs)))
            start = info.header_offset + ZIP_HEADER
            start += sum(struct.unpack("<HH", memory[start - 4 : start].tobytes()))  # lengths of its name and of more
            with archive.open(info) as file:
                read_header = npy.read_array_header_1_0 if npy.read_magic(file) == (1, 0) else npy.read_array_header_2_0
                shape, fortran, dtype = read_header(file)
                start += file.tell()
            width = parts[0].shape[1] if parts else "width"
            if len(shape) != 2 or shape[0] != len(doc) or (parts and shape[1] != width):
                words = beginning([token.text for token in doc])
                raise ValueError(
                    Errors.DN041.format(array=array, number=i, text=words, shape=shape, tokens=len(doc), width=width)
                )
            values = memory[start : start + shape[0] * shape[1] * dtype.itemsize].view(dtype)
            parts.append(values.reshape(shape, order="F" if fortran else "C"))
        if len(archive.namelist()) != len(docs):
            raise ValueError(Errors.DN040.format(array=array, name=f"arr_{len(docs)}", docs=len(docs)))
    return parts
