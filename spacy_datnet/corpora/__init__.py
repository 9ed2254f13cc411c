"""Corpora: reading, checking and sampling annotated text in the formats of the field.

A format is read into sentences (`columns`), sentences become Docs (`docs`), Docs become .spacy
files (`docbin`). A new format needs a reader that yields `Sentence`; the rest stays.
"""

from .columns import DELIMITERS
from .docbin import check_docbin_output, split_sentences, write_docbin
from .docs import conversion_warnings, make_docs, make_vocab, read_docs
from .doctor import DEV, TEST, TRAIN, Examination, compare, examine
from .files import check_output, replacing
from .problems import CorpusError
from .sampling import sample_sentences, write_sample
from .schemes import SCHEMES
from .survey import Survey, survey_columns

__all__ = [
    "DELIMITERS",
    "DEV",
    "SCHEMES",
    "TEST",
    "TRAIN",
    "CorpusError",
    "Examination",
    "Survey",
    "check_docbin_output",
    "check_output",
    "compare",
    "conversion_warnings",
    "examine",
    "make_docs",
    "make_vocab",
    "read_docs",
    "replacing",
    "sample_sentences",
    "split_sentences",
    "survey_columns",
    "write_docbin",
    "write_sample",
]
