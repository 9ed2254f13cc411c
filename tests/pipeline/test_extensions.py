"""The extension attributes that confidences are kept in, and those of applications."""

import math
import pickle
import subprocess
import sys

import pytest
import spacy
from spacy.tokens import Doc, DocBin, Span, Token

from spacy_datnet.pipeline.extensions import register_extension, register_extensions

# what an application does that reads saved docs, and then one with extensions of its own
APPLICATION = """
import sys
import spacy
from spacy.tokens import DocBin, Span, Token
from spacy_datnet.pipeline.extensions import register_extensions

NAMES = ((Span, "confidence"), (Span, "chunk_confidence"), (Token, "tag_confidence"), (Token, "pos_confidence"))
nlp = spacy.blank("es")  # imports the modules of all factories
assert not any(owner.has_extension(name) for owner, name in NAMES)
register_extensions()
(doc,) = DocBin().from_bytes(sys.stdin.buffer.read()).get_docs(nlp.vocab)
print(doc.ents[0]._.confidence, doc[0]._.tag_confidence, doc[0]._.pos_confidence, doc[0:2]._.chunk_confidence)
for owner, name in NAMES:
    owner.remove_extension(name)
    owner.set_extension(name, default=0.125)
nlp.add_pipe("datnet_ner")
print(Span.get_extension("confidence")[0])
"""


def test_an_application_reads_confidences_or_has_extensions_of_the_same_names():
    register_extensions()
    doc = spacy.blank("es")("Ana vive")
    doc.ents = [Span(doc, 0, 1, "PER")]
    doc.ents[0]._.confidence, doc[0]._.tag_confidence, doc[0:2]._.chunk_confidence = 0.25, 0.5, 0.75
    saved = DocBin(docs=[doc], store_user_data=True).to_bytes()
    done = subprocess.run([sys.executable, "-W", "error", "-c", APPLICATION], input=saved, capture_output=True)
    assert done.stdout.split() == [b"0.25", b"0.5", b"nan", b"0.75", b"0.125"], done.stderr


@pytest.fixture(params=[Span, Token])
def owner(request):
    yield request.param
    request.param.remove_extension("test_of_extensions")


def test_an_extension_is_registered_once(owner):
    for _ in range(2):
        register_extension(owner, "test_of_extensions")
        _, method, getter, _ = owner.get_extension("test_of_extensions")
        assert method is None and (getter is None) == (owner is Token)
    doc = spacy.blank("es")("Ana")
    value = (doc[:1] if owner is Span else doc[0])._.test_of_extensions
    assert value is None if owner is Span else math.isnan(value)


def test_an_own_extension_that_can_t_be_set_is_a_warning(owner):
    owner.set_extension("test_of_extensions", getter=lambda it: 0.5)
    with pytest.warns(UserWarning, match=rf"DN060.*{owner.__name__}._.test_of_extensions"):
        register_extension(owner, "test_of_extensions")


@pytest.fixture
def doc():
    register_extensions()
    doc = spacy.blank("es")("Ana vive en Nueva York")
    doc.ents = [Span(doc, 0, 1, "PER"), Span(doc, 3, 5, "LOC")]
    for ent, p in zip(doc.ents, (0.25, 0.5), strict=True):
        ent._.confidence = p
    return doc


def confidences(doc):
    return [ent._.confidence for ent in doc.ents]


def test_a_confidence_is_that_of_the_label_it_was_set_for(doc):
    assert confidences(doc) == [0.25, 0.5]
    assert (doc[0:1]._.confidence, doc[3:5]._.confidence, doc[1:2]._.confidence) == (0.25, 0.5, None)
    per, loc = doc.ents
    doc.ents = [Span(doc, 0, 1, "ORG"), loc]  # relabelled by hand
    assert confidences(doc) == [None, 0.5]
    assert doc[0:1]._.confidence is None and per._.confidence == 0.25
    doc.ents = [per, Span(doc, 4, 5, "LOC")]  # moved by hand
    assert confidences(doc) == [0.25, None]
    doc.ents = [Span(doc, 0, 1, "PER", kb_id="Q1")]  # what an entity linker adds changes nothing
    assert confidences(doc) == [0.25]
    doc.ents[0]._.confidence = None
    assert confidences(doc) == [None]


def test_a_ruler_that_overwrites_has_no_confidence(doc):
    nlp = spacy.blank("es", vocab=doc.vocab)
    ruler = nlp.add_pipe("entity_ruler", config={"overwrite_ents": True})
    ruler.add_patterns([{"label": "CITY", "pattern": "Nueva York"}])
    assert [(ent.label_, ent._.confidence) for ent in ruler(doc).ents] == [("PER", 0.25), ("CITY", None)]


def test_confidences_are_saved_copied_and_cut_with_their_docs(doc):
    vocab = doc.vocab
    assert confidences(pickle.loads(pickle.dumps(doc))) == [0.25, 0.5]
    assert confidences(Doc(vocab).from_bytes(doc.to_bytes())) == [0.25, 0.5]
    saved = DocBin(docs=[doc], store_user_data=True).to_bytes()
    assert [confidences(loaded) for loaded in DocBin().from_bytes(saved).get_docs(vocab)] == [[0.25, 0.5]]
    assert confidences(doc.copy()) == [0.25, 0.5]
    assert confidences(doc[2:5].as_doc(copy_user_data=True)) == [0.5]
    assert confidences(Doc.from_docs([doc, doc])) == [0.25, 0.5] * 2
    assert confidences(Doc(vocab).from_json(doc.to_json(underscore=["confidence"]))) == [0.25, 0.5]
