"""A pipeline with known entities and confidences."""

import json

import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Span

from spacy_datnet.pipeline.extensions import ENT_CONFIDENCE, register_extension

CONFIDENCES = {"PER": 0.9, "LOC": 0.4}


@Language.component("known_confidences")
def known_confidences(doc):
    for ent in doc.ents:
        ent._.set(ENT_CONFIDENCE, CONFIDENCES.get(ent.label_))
    return doc


@pytest.fixture(scope="session")
def nlp():
    register_extension(Span, ENT_CONFIDENCE)
    nlp = spacy.blank("xx")
    patterns = {"Ana": "PER", "Lima": "LOC", "👩‍🔬": "PER", "Acme": "ORG", "دمشق": "LOC"}
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": text} for text, label in patterns.items()])
    nlp.add_pipe("known_confidences")
    return nlp


@pytest.fixture
def write_queue(tmp_path):
    def write(*records, name="suggestions.jsonl"):
        path = tmp_path / name
        path.write_text("".join(f"{json.dumps(one)}\n" for one in records), encoding="utf8")
        return path

    return write
