"""Corpora: reading, checking and sampling annotated text in the formats of the field.

The bytes of a corpus (`content`) are in some format (`formats`), which reads them into sentences (`sentences`). These
are surveyed (`survey`), examined (`doctor`), or become Docs (`docs`) and .spacy files (`docbin`). A new format is a
file with a `Format`, and a line in `formats`; the rest stays.
"""

from .counts import LayerCounts
from .docbin import check_docbin_output, read_docbin, sentence_spans, split_sentences, write_docbin
from .docs import conversion_warnings, export_corpus, export_docs, make_docs, make_vocab, read_docs, write_corpus
from .doctor import DEV, TEST, TRAIN, Examination, compare, examine
from .files import check_output, checksum, replacing, replacing_folder
from .formats import FORMATS, WRITERS, parse_annotations
from .formats.columns import DELIMITERS
from .labels import LabelMap, parse_label_maps, read_label_map
from .outputs import docbin_paths
from .problems import CorpusError, Place
from .raw import Part, RawText, cut_raw, predict, raw_files, read_part, read_raw
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
    "WRITERS",
    "CorpusError",
    "Examination",
    "LabelMap",
    "LayerCounts",
    "Part",
    "Place",
    "RawText",
    "Survey",
    "check_docbin_output",
    "check_output",
    "checksum",
    "compare",
    "conversion_warnings",
    "cut_raw",
    "docbin_paths",
    "examine",
    "export_corpus",
    "export_docs",
    "make_docs",
    "make_vocab",
    "parse_annotations",
    "parse_label_maps",
    "predict",
    "raw_files",
    "read_docbin",
    "read_docs",
    "read_label_map",
    "read_part",
    "read_raw",
    "replacing",
    "replacing_folder",
    "sample_sentences",
    "sentence_spans",
    "split_sentences",
    "survey_corpus",
    "write_corpus",
    "write_docbin",
    "write_sample",
]
