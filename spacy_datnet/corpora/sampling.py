"""Random samples of a corpus: which sentences, the one choice behind every low-resource corpus, and writing them."""

import gzip
import io
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, cast

from spacy.tokens import Doc
from spacy.vocab import Vocab

from ..errors import Errors
from .content import Content, Location
from .docbin import is_docbin, read_docbin, sentence_spans, split_sentences, write_docbin
from .encodings import AUTO
from .files import check_output, replacing
from .formats import KNOWN
from .formats.blocks import Block, find_table, is_comment_only, read_blocks
from .formats.columns import Columns
from .formats.conllu import Conllu, document_comment
from .problems import CorpusError


def sample_sentences(
    n_available: int,
    *,
    count: int | None = None,
    ratio: float | None = None,
    seed: int,
) -> list[int]:
    """Choose sentences at random.

    Samples of the same sentences under the same seed are nested: the smaller is part of the larger.

    n_available (int): The number of sentences to choose from.
    count (Optional[int]): How many to choose, or
    ratio (Optional[float]): which share of them to choose, rounded, but at least one.
    seed (int): The seed of the choice.
    RETURNS (list): The numbers of the sentences, from 0, sorted.
    """
    if (count is None) == (ratio is None):
        raise CorpusError(Errors.DN223.format(count=count, ratio=ratio))
    if ratio is not None:
        if not 0 < ratio <= 1:
            raise CorpusError(Errors.DN224.format(value=ratio))
        count = max(1, round(ratio * n_available))
    if count is None or count < 1:
        raise CorpusError(Errors.DN224.format(value=count))
    if count > n_available:
        raise CorpusError(Errors.DN225.format(count=count, available=n_available))
    order = list(range(n_available))
    random.Random(seed).shuffle(order)
    return sorted(order[:count])


def write_sample(
    source: Location,
    output: Path,
    *,
    count: int | None = None,
    ratio: float | None = None,
    seed: int,
    rest: Path | None = None,
    encoding: str = AUTO,
) -> list[int]:
    """Write a random sample of the sentences of a .spacy file, a column file or a CoNLL-U file.

    The sentences of a .spacy file become one Doc each. Those of other files are copied as they
    stand, with the -DOCSTART- line or # newdoc comment of each document of which a sentence was chosen.

    source (Location): The file to sample from.
    output (Path): The file to write.
    count (Optional[int]): How many sentences to choose, or
    ratio (Optional[float]): which share of them to choose.
    seed (int): The seed of the choice.
    rest (Optional[Path]): A file for the sentences that were not chosen.
    encoding (str): The encoding of a file that is no .spacy file, or "auto".
    RETURNS (list): The numbers of the chosen sentences, from 0, sorted.
    """
    outputs = [output] if rest is None else [output, rest]
    for i, path in enumerate(outputs):
        check_output(path, source, *outputs[:i])
        if is_docbin(source) != is_docbin(path):
            raise CorpusError(Errors.DN226.format(source=source, output=path))
    choice: dict[str, Any] = {"count": count, "ratio": ratio, "seed": seed}
    if is_docbin(source):
        docs = list(read_docbin(source, Vocab()))
        n_available = sum(len(sentence_spans(doc)) for doc in docs)
        chosen = sample_sentences(n_available, **choice)
        for path, part in zip(outputs, _parts(chosen, n_available), strict=False):
            write_docbin(_pick_docs(docs, part), path)
    else:
        content = Content(source, encoding)
        for form in KNOWN:
            if form not in (Columns, Conllu) and form.recognises(content):
                raise CorpusError(Errors.DN244.format(path=source, format=form.title))
        n_available = sum(1 for _ in _blocks(content))
        chosen = sample_sentences(n_available, **choice)
        for path, part in zip(outputs, _parts(chosen, n_available), strict=False):
            with replacing(path) as file, _open_text(file, path, content.encoding.name) as text:
                text.writelines(_pick_lines(content, part))
    return chosen


def _parts(chosen: list[int], n_available: int) -> tuple[set[int], set[int]]:
    """Split the numbers of sentences into those that were chosen and the rest."""
    return set(chosen), set(range(n_available)).difference(chosen)


def _pick_docs(docs: list[Doc], chosen: set[int]) -> Iterator[Doc]:
    number = 0
    for doc in docs:
        for sentence in split_sentences(doc):
            if number in chosen:
                yield sentence
            number += 1


def _blocks(content: Content) -> Iterator[Block]:
    """Read the sentences as they stand in the file, without what is nothing but comments."""
    delimiter, width, _ = find_table(content)
    return (block for block in read_blocks(content) if not is_comment_only(block, delimiter, width))


def _pick_lines(content: Content, chosen: set[int]) -> Iterator[str]:
    has_comments = Conllu.recognises(content)
    opener, comment = "", ""  # of a document whose first sentence is not chosen
    for number, block in enumerate(_blocks(content)):
        opener = block.opener or opener
        own_comment = document_comment(block.rows) if has_comments else ""
        comment = own_comment or comment
        if number not in chosen:
            continue
        line_end = "\r\n" if block.rows[0].endswith("\r\n") else "\n"
        if opener:
            yield from (opener, line_end)
            opener = ""
        if comment and not own_comment:
            yield comment
        comment = ""
        yield from (row.rstrip("\r\n") + line_end for row in block.rows)
        yield line_end


@contextmanager
def _open_text(file: IO[bytes], path: Path, encoding: str) -> Iterator[IO[str]]:
    """Write text into an open file, compressed if the path says so."""
    with ExitStack() as stack:
        if path.suffix == ".gz":
            # Without name and time in the header, the same sample is the same file.
            file = cast(IO[bytes], stack.enter_context(gzip.GzipFile("", "wb", fileobj=file, mtime=0)))
        text = io.TextIOWrapper(file, encoding, newline="")
        yield text
        text.detach()
