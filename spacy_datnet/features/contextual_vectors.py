"""Vectors in context that some encoder outside of spaCy gave, as word features: from files, and from a function."""

import struct
import zipfile
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import pairwise
from pathlib import Path

import numpy as np
from spacy.tokens import Doc
from spacy.util import registry
from spacy.vocab import Vocab
from thinc.api import Model
from thinc.types import Floats2d

from ..corpora.docbin import read_docbin, sentence_spans
from ..errors import Errors
from .sentence_vectors import Sentence, encode_docs
from .word_vectors import Words

# the words of some sentences -> an array for each, (words, width)
Encoder = Callable[[list[list[str]]], Sequence[np.ndarray]]
# of a file inside a zip archive, before its name
ZIP_HEADER = 30


@registry.architectures("spacy-datnet.ContextualVectors.v1")
def build_ContextualVectors(
    corpora: list[Path] | None = None, arrays: list[Path] | None = None, encoder: Encoder | None = None
) -> Words:
    """Build a layer that gives the vectors of another encoder, which it does not train.

    The vectors of the corpora are read from files, memory-mapped. Sentences are told apart by their words, so that a
    corpus may be shuffled, sampled and cut into sentences; what is in no file is given to the function.

    corpora (Optional[List[Path]]): .spacy files. Defaults to none.
    arrays (Optional[List[Path]]): A file for each: .npy with a row for each token of the corpus, or .npz as
        `numpy.savez(file, *arrays)` writes it, with an array for each doc that has tokens. Defaults to none.
    encoder (Optional[Callable[[List[List[str]]], List[ndarray]]]): Gives an array, (words, width), for each sentence.
        Defaults to None: then only sentences of the corpora can be read.
    RETURNS (Model): The layer.
    """
    corpora, arrays = corpora or [], arrays or []
    if len(corpora) != len(arrays):
        raise ValueError(Errors.DN033.format(corpora=len(corpora), arrays=len(arrays)))
    files = tuple((str(corpus), str(array)) for corpus, array in zip(corpora, arrays, strict=True))
    return Model(
        "contextual_vectors",
        partial(forward, files=files, encoder=encoder),
        init=partial(init, files=files, encoder=encoder),
        dims={"nO": None},
        attrs={"static": True},
    )


Files = tuple[tuple[str, str], ...]


def init(model: Words, X: list[Doc] | None = None, Y: None = None, *, files: Files, encoder: Encoder | None) -> None:
    """Check the files, and read the width off them or off what the function gives."""
    if not X:
        return
    width = None
    for pair in files:
        width = load_arrays(*pair).check_width(width)
    if width is None:
        sentence = tuple(token.text for token in X[0] if not token.is_space) or ("x",)
        width = dict(call(encoder, [sentence], None))[sentence].shape[1]
    model.set_dim("nO", width, force=True)


def forward(
    model: Words, docs: list[Doc], is_train: bool, *, files: Files, encoder: Encoder | None
) -> tuple[list[Floats2d], Callable]:
    """Find the sentences of docs in the files, or call the function."""
    return encode_docs(model, docs, partial(find_or_call, files=files, encoder=encoder, width=model.get_dim("nO")))


def find_or_call(
    sentences: Sequence[Sentence], *, files: Files, encoder: Encoder | None, width: int
) -> Iterator[tuple[Sentence, np.ndarray]]:
    """Yield the vectors of sentences."""
    # a pipeline that was moved has the function alone
    known = [load_arrays(*pair) for pair in files if Path(pair[0]).exists() and Path(pair[1]).exists()]
    missing = []
    for part in known:
        part.check_width(width)
    for sentence in sentences:
        part = next((part for part in known if part.get(sentence) is not None), None)
        if part is None:
            missing.append(sentence)
        else:
            yield sentence, finite(part.get(sentence), sentence, part.path)
    yield from call(encoder, missing, width)


def call(
    encoder: Encoder | None, sentences: Sequence[Sentence], width: int | None
) -> Iterator[tuple[Sentence, np.ndarray]]:
    """Give sentences to the function and check what comes back. A width of None is any."""
    if not sentences:
        return
    if encoder is None:
        raise ValueError(Errors.DN036.format(text=beginning(sentences[0])))
    found = encoder([list(sentence) for sentence in sentences])
    if len(found) != len(sentences):
        raise ValueError(Errors.DN037.format(found=len(found), expected=len(sentences)))
    for sentence, vectors in zip(sentences, found, strict=True):
        shape = np.shape(vectors)
        if len(shape) != 2 or shape[0] != len(sentence) or shape[1] != (shape[1] if width is None else width):
            expected = f"({len(sentence)}, {'width' if width is None else width})"
            raise ValueError(Errors.DN038.format(text=beginning(sentence), shape=shape, expected=expected))
        yield sentence, finite(np.asarray(vectors), sentence, "The encoder of ContextualVectors")


def finite(vectors: np.ndarray, sentence: Sentence, where: Path | str) -> np.ndarray:
    """Raise DN047 if vectors are not all numbers: a loss that is none would not say where it comes from."""
    if not np.isfinite(vectors).all():
        raise ValueError(Errors.DN047.format(where=where, text=beginning(sentence)))
    return vectors


def beginning(words: Sequence[str]) -> str:
    """Write the first words of a sentence for a message."""
    return " ".join(words[:6]) + (" …" if len(words) > 6 else "")


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
    """The vectors of a corpus: memory-mapped, found by the words of a sentence or of a whole doc.

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
        self._found: dict[Sentence, np.ndarray] = {}
        for doc, vectors in zip(docs, parts, strict=True):
            for span in (*sentence_spans(doc), doc[:]):
                texts = [token.text for token in span]  # the vocab is nobody's and knows no white space
                words = tuple(text for text in texts if not text.isspace())
                rows = vectors[span.start : span.end]
                # a choice of rows would be a copy, no longer mapped
                kept = rows if len(words) == len(texts) else rows[[not text.isspace() for text in texts]]
                self._found.setdefault(words, kept)
        self.width = next(iter(self._found.values())).shape[1]

    def get(self, sentence: Sentence) -> np.ndarray | None:
        """Look up a sentence: (words, width), or None."""
        return self._found.get(sentence)

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
    parts = []
    with zipfile.ZipFile(array) as archive:
        names = set(archive.namelist())
        for i, doc in enumerate(docs):
            name = f"arr_{i}.npy"
            info = archive.getinfo(name) if name in names else None
            if info is None or info.compress_type != zipfile.ZIP_STORED:
                raise ValueError(Errors.DN040.format(array=array, name=f"arr_{i}", docs=len(docs)))
            name_length, extra = struct.unpack("<HH", memory[info.header_offset :][26:ZIP_HEADER].tobytes())
            start = info.header_offset + ZIP_HEADER + name_length + extra
            with archive.open(name) as file:
                version = np.lib.format.read_magic(file)
                header = (
                    np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
                )
                shape, fortran, dtype = header(file)
                start += file.tell()
            if len(shape) != 2 or shape[0] != len(doc) or (parts and shape[1] != parts[0].shape[1]):
                width = parts[0].shape[1] if parts else "width"
                words = beginning([token.text for token in doc])
                raise ValueError(
                    Errors.DN041.format(array=array, number=i, text=words, shape=shape, tokens=len(doc), width=width)
                )
            values = memory[start : start + shape[0] * shape[1] * dtype.itemsize].view(dtype)
            parts.append(values.reshape(shape, order="F" if fortran else "C"))
    if len(names) != len(docs):
        raise ValueError(Errors.DN040.format(array=array, name=f"arr_{len(docs)}", docs=len(docs)))
    return parts
