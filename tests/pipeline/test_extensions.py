"""The extension attributes that confidences are kept in, and those of applications."""

import subprocess
import sys

import pytest
import spacy
from spacy.tokens import DocBin, Span, Token

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
    assert done.stdout.split() == [b"0.25", b"0.5", b"None", b"0.75", b"0.125"], done.stderr


@pytest.fixture(params=[Span, Token])
def owner(request):
    yield request.param
    request.param.remove_extension("test_of_extensions")


def test_an_extension_is_registered_once(owner):
    for _ in range(2):
        register_extension(owner, "test_of_extensions")
        assert owner.get_extension("test_of_extensions") == (None, None, None, None)
    doc = spacy.blank("es")("Ana")
    assert (doc[:1] if owner is Span else doc[0])._.test_of_extensions is None


def test_an_own_extension_that_can_t_be_set_is_a_warning(owner):
    owner.set_extension("test_of_extensions", getter=lambda it: 0.5)
    with pytest.warns(UserWarning, match=rf"DN060.*{owner.__name__}._.test_of_extensions"):
        register_extension(owner, "test_of_extensions")
