"""The second pass over a column file: its size, whether every line is in order, and which scheme the tags are in."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from ..errors import Errors, Warnings
from .columns import (
    Block,
    Layout,
    Sentence,
    detect_layout,
    note_ragged,
    ragged_message,
    read_blocks,
    read_sentences,
    split_fields,
)
from .encodings import AUTO
from .files import Location
from .problems import N_PLACES, CorpusError, Occurrences
from .schemes import MISSING, OUTSIDE, SchemeEvidence, Verdict, decode, parse_tag


@dataclass
class CorpusCounts:
    """How much of everything a corpus holds.

    documents (int): Documents.
    sentences (int): Sentences.
    tokens (int): Tokens.
    missing (int): Tokens without annotation.
    outside (int): Tokens annotated as outside of entities.
    labels (Counter): Entities per label.
    """

    documents: int = 0
    sentences: int = 0
    tokens: int = 0
    missing: int = 0
    outside: int = 0
    labels: Counter[str] = field(default_factory=Counter)

    def add(self, sentence: Sentence) -> None:
        """Count one more sentence, whose tags are entity tags."""
        self.documents += sentence.opens_document
        self.sentences += 1
        self.tokens += len(sentence.words)
        self.missing += sentence.tags.count(MISSING)
        self.outside += sentence.tags.count(OUTSIDE)
        self.labels.update(label for _, _, label in decode(sentence.tags))

    @property
    def entities(self) -> int:
        """The number of entities."""
        return self.labels.total()

    @property
    def mean_length(self) -> float:
        """The mean number of tokens in a sentence."""
        return self.tokens / self.sentences if self.sentences else 0.0


@dataclass
class Survey:
    """What is known about a column file of entities after reading all of it once.

    location (Location): The file.
    layout (Layout): How to read it.
    scheme (str): The tagging scheme.
    prefixes (list): The prefixes of the tags.
    counts (CorpusCounts): The size of the file, without the sentences that have errors.
    errors (list): Why the file can't be used.
    warnings (list): What was repaired or guessed.
    """

    location: Location
    layout: Layout
    scheme: str
    prefixes: list[str]
    counts: CorpusCounts
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def sentences(self) -> Iterator[Sentence]:
        """Read the sentences, or raise the first error.

        RETURNS (Iterator): The sentences.
        """
        if self.errors:
            raise CorpusError(self.errors[0])
        return read_sentences(self.location, self.layout)


def survey_columns(
    location: Location,
    *,
    encoding: str = AUTO,
    delimiter: str = AUTO,
    token_column: int = 1,
    tag_column: int = -1,
    scheme: str = AUTO,
    keep: int = N_PLACES,
) -> Survey:
    """Survey a column file of entities.

    location (Location): The file.
    encoding (str): The name of its encoding, or "auto".
    delimiter (str): What separates the columns: "tab", "space" or "auto".
    token_column (int): The column with the tokens, counted from 1, or from the end with -1.
    tag_column (int): The column with the tags, counted likewise.
    scheme (str): The tagging scheme: "iob1", "iob2", "bioes" or "auto".
    keep (int): How many places a message names.
    RETURNS (Survey): What was found.
    """
    layout = detect_layout(
        location,
        encoding=encoding,
        delimiter=delimiter,
        token_column=token_column,
        tag_column=tag_column,
    )
    inspection = _Inspection(layout, keep)
    for block in read_blocks(location, layout.encoding.name):
        inspection.add(block)
    verdict = inspection.evidence.verdict(str(location), scheme)
    survey = Survey(
        location=location,
        layout=layout,
        scheme=verdict.scheme,
        prefixes=sorted(inspection.evidence.prefixes),
        counts=inspection.counts,
        errors=[*inspection.errors(location), *filter(None, [verdict.error])],
    )
    survey.warnings.extend(_warnings(survey, verdict))
    return survey


class _Inspection:
    """Look at each sentence, and keep what is wrong apart from what can be counted."""

    def __init__(self, layout: Layout, keep: int):
        self.layout = layout
        self.ragged = Occurrences(keep)
        self.nameless = Occurrences(keep)
        self.untagged = Occurrences(keep)
        self.evidence = SchemeEvidence(keep)
        self.counts = CorpusCounts()

    def add(self, block: Block) -> None:
        layout = self.layout
        rows = [split_fields(row, layout.delimiter) for row in block.rows]
        n_ragged = self.ragged.count
        note_ragged(self.ragged, block, rows, layout.width)
        if self.ragged.count > n_ragged:
            return
        sentence = layout.to_sentence(block, rows)
        if all(sentence.words) and None not in map(parse_tag, sentence.tags):
            self.evidence.add(sentence)
            self.counts.add(sentence)
            return
        for i, (word, tag) in enumerate(zip(sentence.words, sentence.tags, strict=True)):
            if not word:
                self.nameless.add(sentence.line + i, repr("\t".join(rows[i])))
            elif parse_tag(tag) is None:
                self.untagged.add(sentence.line + i, f"{word} {tag}")

    def errors(self, location: Location) -> Iterator[str]:
        if self.ragged:
            yield ragged_message(location, self.layout, self.ragged)
        if self.nameless:
            yield Errors.DN217.format(path=location, count=self.nameless.count, places=self.nameless)
        if self.untagged:
            yield Errors.DN212.format(
                path=location,
                count=self.untagged.count,
                places=self.untagged,
                column=self.layout.tag_column + 1,
                width=self.layout.width,
            )


def _warnings(survey: Survey, verdict: Verdict) -> Iterator[str]:
    if survey.layout.encoding.doubt:
        yield survey.layout.encoding.doubt
    if verdict.repaired and not verdict.error:
        yield Warnings.DN251.format(
            path=survey.location,
            count=verdict.repaired.count,
            scheme=verdict.scheme.upper(),
            places=verdict.repaired,
        )
