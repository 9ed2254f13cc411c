"""Fixtures that several tests of corpora share."""

import pytest
from spacy.vocab import Vocab

from spacy_datnet.corpora import make_docs
from spacy_datnet.corpora.sentences import Sentence


@pytest.fixture
def sentences():
    return [
        Sentence(["Ana", "vive", "."], {"ents": ["B-PER", "O", "O"]}, range(1, 4), True),
        Sentence(["Nueva", "York", "?", "!"], {"ents": ["B-LOC", "I-LOC", "-", "O"]}, range(5, 9), False),
        Sentence(["Sí"], {"ents": ["O"]}, [10], True),
    ]


@pytest.fixture
def docs(sentences):
    return list(make_docs(sentences, Vocab()))
