"""A user's own files of vectors, one for each corpus, as a store: found by the words of a sentence."""

import zipfile
from collections.abc import Sequence
from functools import lru_cache
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..corpora.docbin import read_docbin, sentence_spans
from ..errors import Errors
from .sentence_vectors import SAMPLE, beginning, finite
from .store import Rows, Sentence


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

    def beginning(self) -> np.ndarray:
        """Give the vectors of the first sentences: (words, width)."""
        return np.concatenate([*islice(self._found.values(), SAMPLE)])

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
    """Read the arrays of an .npz file, one for each doc."""
    names = [f"arr_{i}" for i in range(len(docs))]
    try:
        with np.load(array) as archive:
            if odd := sorted(set(names) ^ set(archive.files)):
                raise ValueError(odd[0])
            parts = [archive[name] for name in names]
    except (OSError, EOFError, ValueError, AttributeError, zipfile.BadZipFile) as error:
        raise ValueError(Errors.DN040.format(array=array, docs=len(docs), reason=error)) from error
    for i, (doc, part) in enumerate(zip(docs, parts, strict=True)):
        width = parts[0].shape[-1] if i else "width"
        if part.shape[:1] != (len(doc),) or part.ndim != 2 or (i and part.shape[1] != width):
            words = beginning([token.text for token in doc])
            raise ValueError(
                Errors.DN041.format(array=array, number=i, text=words, shape=part.shape, tokens=len(doc), width=width)
            )
    return parts
