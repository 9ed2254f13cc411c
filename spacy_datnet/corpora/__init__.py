"""Corpora: reading, checking and sampling annotated text in the formats of the field.

A format is read into sentences (`columns`), sentences become Docs (`docs`), Docs become .spacy
files (`docbin`). A new format needs a reader that yields `Sentence`; the rest stays.
"""

from .columns import Layout, read_blocks, read_sentences
from .compare import compare
from .convert import conversion_warnings, docs_from_survey, make_vocab, read_docs
from .docbin import read_docbin, split_sentences, write_docbin
from .docs import TASKS, make_docs
from .evidence import SCHEMES
from .examine import Examination, examine
from .layout import DELIMITERS, detect_layout
from .output import check_output, replacing
from .problems import CorpusError
from .sampling import sample_sentences
from .sentences import Sentence
from .subset import write_sample
from .survey import Survey, survey_columns

__all__ = [
    "DELIMITERS",
    "SCHEMES",
    "TASKS",
    "CorpusError",
    "Examination",
    "Layout",
    "Sentence",
    "Survey",
    "check_output",
    "compare",
    "conversion_warnings",
    "detect_layout",
    "docs_from_survey",
    "examine",
    "make_docs",
    "make_vocab",
    "read_blocks",
    "read_docbin",
    "read_docs",
    "read_sentences",
    "replacing",
    "sample_sentences",
    "split_sentences",
    "survey_columns",
    "write_docbin",
    "write_sample",
]
