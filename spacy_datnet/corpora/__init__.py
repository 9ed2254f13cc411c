"""Corpora: reading, checking and sampling annotated text in the formats of the field.

A format (`columns`, `conllu`, `brackets`) is read into sentences (`sentences`), sentences become Docs (`docs`), Docs
become .spacy files (`docbin`). A new format needs a `Format` and a line in `formats`; the rest stays.
"""

from .columns import DELIMITERS
from .counts import LayerCounts
from .docbin import check_docbin_output, docbin_paths, split_sentences, write_docbin
from .docs import conversion_warnings, make_docs, make_vocab, read_docs
from .doctor import DEV, TEST, TRAIN, Examination, compare, examine
from .files import check_output, replacing
from .formats import FORMATS, parse_annotations
from .labels import LabelMap, parse_label_maps, read_label_map
from .problems import CorpusError
from .sampling import sample_sentences, write_sample
from .schemes import SCHEMES
from .survey import Survey, survey_corpus

__all__ = [
    "DELIMITERS",
    "DEV",
    "FORMATS",
    "SCHEMES",
    "TEST",
    "TRAIN",
    "CorpusError",
    "Examination",
    "LabelMap",
    "LayerCounts",
    "Survey",
    "check_docbin_output",
    "check_output",
    "compare",
    "conversion_warnings",
    "docbin_paths",
    "examine",
    "make_docs",
    "make_vocab",
    "parse_annotations",
    "parse_label_maps",
    "read_docs",
    "read_label_map",
    "replacing",
    "sample_sentences",
    "split_sentences",
    "survey_corpus",
    "write_docbin",
    "write_sample",
]
