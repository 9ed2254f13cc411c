"""Fixtures that several tests of corpora share."""

import pytest
from spacy.vocab import Vocab

from spacy_datnet.corpora import make_docs
from spacy_datnet.corpora.columns import Sentence


@pytest.fixture
def sentences():
    return [
        Sentence(["Ana", "vive", "."], ["B-PER", "O", "O"], 1, True),
        Sentence(["Nueva", "York", "?", "!"], ["B-LOC", "I-LOC", "-", "O"], 5, False),
        Sentence(["Sí"], ["O"], 10, True),
    ]


@pytest.fixture
def docs(sentences):
    return list(make_docs(sentences, Vocab()))
