"""What a format of corpora has to offer: see `Format`."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from spacy.tokens import Doc

from ...errors import Errors
from ..content import Content
from ..encodings import AUTO
from ..files import replacing
from ..problems import CorpusError, Problems
from ..sentences import Sentence

MODEL = "model"  # in the user data of a Doc: the name of the pipeline that has annotated it


@dataclass(frozen=True)
class Options:
    """How a corpus is to be read, as far as the user says so.

    format (str): The name of a format, or "auto". Whoever names the separator or the column of the tokens or the tags
        means a column file.
    annotations (Mapping): The kinds of annotation to read, and in a column file the column of each, None for that of
        the tags; in CoNLL-U it is the 4th or 5th, None for that which the kind usually has. If there are none, those
        that the format usually has.
    encoding (str): The name of the encoding, or "auto".
    delimiter (str): What separates the columns of a column file: "tab", "space" or "auto".
    token_column (Optional[int]): The column with the tokens, counted from 1, or from the end with -1. If not given,
        the first that does not count the tokens.
    tag_column (Optional[int]): The column with the tags, counted likewise. If not given, the last with such tags.
    scheme (str): The tagging scheme of entities and other spans, or "auto".
    keep_prefixes (bool): Whether a language code before each token stays, as WikiANN has it.
    lang (str): The language code of the tokenizer, for texts without tokens.
    tag_names (Sequence): The names of tags that are numbers, from 0.
    """

    format: str = AUTO
    annotations: Mapping[str, int | None] = field(default_factory=dict)
    encoding: str = AUTO
    delimiter: str = AUTO
    token_column: int | None = None
    tag_column: int | None = None
    scheme: str = AUTO
    keep_prefixes: bool = False
    lang: str = "xx"
    tag_names: Sequence[str] = ()

    @property
    def names_columns(self) -> bool:
        """Whether the columns of a column file are named."""
        return self.delimiter != AUTO or self.token_column is not None or self.tag_column is not None

    @property
    def has_columns(self) -> bool:
        """Whether an annotation is named with its column."""
        return any(column is not None for column in self.annotations.values())


class Format(ABC):
    """How one corpus is to be read, found out from all of it. A new format is a subclass, and a line in `formats`.

    content (Content): The corpus.
    options (Options): What the user says of it.
    """

    name: ClassVar[str]  # as in --format
    title: ClassVar[str]  # in messages and tables
    suffixes: ClassVar[tuple[str, ...]] = ()  # of files that are in this format whatever is in them
    unit: ClassVar[str] = "line"  # what is numbered in the file
    is_text: ClassVar[bool] = True  # and so has an encoding, and tags that may be anything
    takes_columns: ClassVar[bool] = False  # whether tokens and tags have columns to name
    takes_annotation_columns: ClassVar[bool] = False
    takes_delimiter: ClassVar[bool] = False
    keeps_missing: ClassVar[bool] = True  # whether what is written tells tokens without annotation from those outside

    kinds: tuple[str, ...]  # the kinds of annotation to read
    also: Sequence[str] = ()  # annotation that is in the file, but is not read
    has_documents: bool = False  # whether it says where documents begin; if not, each sentence is one

    def __init__(self, content: Content, options: Options):
        self.content = content
        self.detected = options.format == AUTO
        if (options.names_columns and not self.takes_columns) or (
            options.has_columns and not self.takes_annotation_columns
        ):
            raise CorpusError(Errors.DN239.format(path=content.location, format=self.title))

    @classmethod
    @abstractmethod
    def recognises(cls, content: Content) -> bool:
        """Tell whether a corpus looks as if it were in this format."""

    @abstractmethod
    def read(self, problems: Problems) -> Iterator[Sentence]:
        """Read the sentences that are in order, and note what is wrong with the others.

        problems (Problems): Where to note it.
        YIELDS (Sentence): The sentences.
        """

    def strictly(self) -> Iterator[Sentence]:
        """Read the sentences, and raise an error if anything is wrong with others."""
        problems = Problems(self.content.location, unit=self.unit)
        yield from self.read(problems)
        for message in problems.errors:
            raise CorpusError(message)

    @property
    def warnings(self) -> list[str]:
        """What was guessed about the corpus."""
        return [self.content.encoding.doubt] if self.is_text and self.content.encoding.doubt else []

    @classmethod
    def write(cls, docs: Iterable[Doc], path: Path, has_documents: bool) -> None:
        """Write Docs with their entities in this format, whole or not at all, if it can be written: see `WRITERS`.

        docs (Iterable): The Docs. Those that a pipeline has annotated have its name in their user data, under MODEL.
        path (Path): The file, or the folder if `writes_folder` says so.
        has_documents (bool): Whether they are documents, and not single sentences.
        """
        with replacing(path) as file:
            for text in cls.dump(docs, has_documents):
                file.write(text.encode())

    @classmethod
    def dump(cls, docs: Iterable[Doc], has_documents: bool) -> Iterator[str]:
        """Make the text of the file of `write`, piece by piece."""
        raise NotImplementedError

    @classmethod
    def writes_folder(cls, path: Path) -> bool:
        """Tell whether what is written there is a folder."""
        return False

    @abstractmethod
    def where(self, kind: str) -> str:
        """Say where in the file an annotation stands, and how to name another place."""

    @property
    def summary(self) -> tuple[str, str]:
        """What there is to say about the format in a table: a heading and a text."""
        return "Format", f"{self.title} ({'detected' if self.detected else 'as named'})"

    def refuse(self, kind: str, known: tuple[str, ...]) -> CorpusError:
        """Make the error that a kind of annotation can't be in this format."""
        path, others = self.content.location, ", ".join(known)
        return CorpusError(Errors.DN233.format(path=path, format=self.title, kind=kind, known=others))
