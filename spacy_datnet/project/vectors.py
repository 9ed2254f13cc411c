"""What is known about word vectors before anything is trained: width, coverage, and in which space they are."""

import gzip
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spacy
from spacy.language import Language
from spacy.util import is_package
from spacy.vectors import Vectors
from spacy.vocab import Vocab

from ..corpora.progress import progress
from ..errors import Errors
from ..features import alignment
from ..features.alignment import common_words
from ..features.word_vectors import load_vectors, look_up

GZIP = b"\x1f\x8b"


@dataclass(frozen=True)
class Table:
    """The vectors of the words of a corpus.

    place (str): The file, folder or package.
    is_text (bool): Whether it is a text file, which `spacy init vectors` has to convert.
    width (int): Numbers of a vector.
    vectors (dict): The vector of each word that has one.
    coverage (float): The part of the corpus that has one.
    """

    place: str
    is_text: bool
    width: int
    vectors: dict[str, np.ndarray]
    coverage: float


def read_table(place: str, words: Mapping[str, int], others: Iterable[str] = ()) -> Table:
    """Read the vectors of some words, as they are written or else in lower case.

    place (str): A text file of vectors, also in gzip; or the folder or the name of a pipeline.
    words (Mapping[str, int]): The words, and how often each occurs.
    others (Iterable[str]): More words, to compare with another table.
    RETURNS (Table): Their vectors. Raises DN425 if the file has none.
    """
    asked = {*words, *others}
    wanted = asked | {word.lower() for word in asked}
    is_text = Path(place).is_file()
    if is_text:
        known = dict(_read_text(Path(place), wanted))
    elif Path(place).is_dir() or is_package(place):
        vectors, vocab = load_vectors(place), Vocab()
        listed = sorted(wanted)
        forms = np.array([vocab.strings.add(word) for word in listed], dtype=np.uint64)
        rows = look_up(vectors, forms, vocab, known_only=True)
        known = {word: row for word, row in zip(listed, np.asarray(rows), strict=True) if row.any()}
    else:
        raise ValueError(Errors.DN426.format(place=place, folder=Path.cwd()))
    if not known:
        raise ValueError(Errors.DN425.format(place=place))
    found = {word: vector for word in asked if (vector := known.get(word, known.get(word.lower()))) is not None}
    width = len(next(iter(known.values())))
    coverage = sum(n for word, n in words.items() if word in found) / max(sum(words.values()), 1)
    return Table(place, is_text, width, found, coverage)


def _read_text(path: Path, wanted: set[str]) -> Iterator[tuple[str, np.ndarray]]:
    with path.open("rb") as raw:
        is_zipped = raw.read(2) == GZIP
    width = None
    with (
        gzip.open(path) if is_zipped else path.open("rb") as file,
        progress(unit=" vectors", desc=path.name) as bar,
    ):
        for number, line in enumerate(file, start=1):
            bar.update(1)
            word, *numbers = line.decode("utf8", errors="replace").rstrip().split(" ")
            if number == 1 and len(numbers) == 1:  # the header of word2vec
                bar.total = int(word) if word.isdecimal() else None
                continue
            width = width or len(numbers)
            if len(numbers) != width:
                raise ValueError(Errors.DN427.format(path=path, line=number, count=len(numbers), width=width))
            if word in wanted:
                try:
                    yield word, np.array(numbers, dtype=np.float32)
                except ValueError as error:
                    raise ValueError(Errors.DN428.format(path=path, line=number, reason=error)) from error


def merge(one: str, other: str, lang: str) -> Language:
    """Put the word vectors of two pipelines into one, for a component that reads source and target alike.

    one (str): The folder or the name of the first, whose vector is taken for a word that both have.
    other (str): That of the second.
    lang (str): Code of the language of what comes out.
    RETURNS (Language): A pipeline with nothing but the vectors.
    """
    nlp = spacy.blank(lang)
    words: dict[str, np.ndarray] = {}
    for name in (one, other):
        vocab = spacy.load(name).vocab
        for key, row in vocab.vectors.key2row.items():
            words.setdefault(vocab.strings[key], vocab.vectors.data[row])
    nlp.vocab.vectors = Vectors(
        data=np.stack(list(words.values())), keys=[nlp.vocab.strings.add(word) for word in words]
    )
    return nlp


def are_aligned(one: Table, other: Table) -> bool | None:
    """Tell whether two tables are in one space: words that both have, such as names and numbers, lie together then.

    RETURNS (Optional[bool]): None if too few words are in both to tell.
    """
    common = common_words(sorted(one.vectors), other.vectors)
    rows = (np.array([table.vectors[word] for word in common]).reshape(-1, table.width) for table in (one, other))
    return alignment.are_aligned(*rows)
