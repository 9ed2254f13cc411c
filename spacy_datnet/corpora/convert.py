"""Column files to Docs."""

import warnings
from collections.abc import Iterator
from typing import Any

from spacy.tokens import Doc
from spacy.util import get_lang_class
from spacy.vocab import Vocab, create_vocab

from ..errors import Errors, Warnings
from .docs import TASKS, make_docs
from .files import Location
from .problems import CorpusError
from .survey import Survey, survey_columns


def make_vocab(lang: str) -> Vocab:
    """Make the vocab of a language without loading any pipeline components.

    lang (str): The language code, as in `spacy.blank`.
    RETURNS (Vocab): The vocab.
    """
    try:
        language = get_lang_class(lang)
    except ImportError as error:
        raise CorpusError(Errors.DN222.format(lang=lang)) from error
    return create_vocab(lang, language.Defaults)


def docs_from_survey(survey: Survey, vocab: Vocab, task: str = "ner") -> Iterator[Doc]:
    """Make the Docs of a column file that was surveyed; an error found there is raised now.

    survey (Survey): The survey.
    vocab (Vocab): The vocab of the Docs.
    task (str): What the tags are: one of `TASKS`.
    RETURNS (Iterator): The Docs.
    """
    return make_docs(survey.sentences(), vocab, TASKS[task])


def conversion_warnings(survey: Survey) -> list[str]:
    """Tell what the user should know about a file that is converted.

    survey (Survey): The survey of the file.
    RETURNS (list): Messages.
    """
    messages = list(survey.warnings)
    if not survey.counts.entities:
        messages.append(Warnings.DN253.format(path=survey.location))
    return messages


def read_docs(location: Location, vocab: Vocab, *, task: str = "ner", **options: Any) -> Iterator[Doc]:
    """Read a column file as Docs: one per document, or per sentence if it has no documents.

    What had to be repaired or guessed is said in a warning.

    location (Location): The file: plain, in gzip, or in a zip archive as archive.zip:folder/file.
    vocab (Vocab): The vocab of the Docs.
    task (str): What the tags are: one of `TASKS`.
    options: How to read the file, if not as detected: see `survey_columns`.
    RETURNS (Iterator): The Docs.
    """
    survey = survey_columns(location, **options)
    docs = docs_from_survey(survey, vocab, task)
    for message in conversion_warnings(survey):
        warnings.warn(message, stacklevel=2)
    return docs
