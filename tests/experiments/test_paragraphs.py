"""Test sentences as raw text."""

import pytest
import spacy
from spacy.tokens import Doc

from spacy_datnet.experiments.paragraphs import counts_on_paragraphs, make_paragraphs, spaces_of

VOCAB = spacy.blank("en").vocab


def sentence(words: str, tags: list[str] | None = None, spaces: list[bool] | None = None, **more) -> Doc:
    return Doc(VOCAB, words=words.split(), ents=tags, spaces=spaces, **more)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("Ana ( 30 ) lives in New York .", "Ana (30) lives in New York."),
        ('He said " no , no " and left !', 'He said "no, no" and left!'),
        ("¿ Dónde está Lugo ?", "¿Dónde está Lugo?"),
        ("« Oui » , dit-il", "«Oui», dit-il"),
    ],
)
def test_texts_are_written_as_usual(words, text):
    doc = sentence(words)
    doc.has_unknown_spaces = True
    joined = "".join(t.text + " " * s for t, s in zip(doc, spaces_of(doc[:]), strict=True))
    assert joined.rstrip() == text


def test_known_spaces_are_kept_and_spans_are_found_again():
    docs = [
        sentence("Ana-Maria left .", ["B-PER", "O", "O"], [True, False, False]),
        sentence("New York !", ["B-LOC", "I-LOC", "O"], [True, True, False]),
        sentence("Nothing .", ["O", "O"]),
    ]
    (first, second) = make_paragraphs(docs, "ents_f", size=2)
    assert first.text == "Ana-Maria left. New York !"
    assert {(first.text[start:end], label) for start, end, label in first.gold} == {
        ("Ana-Maria", "PER"),
        ("New York", "LOC"),
    }
    assert not second.gold


def test_documents_are_not_joined():
    docs = [sentence("a b c d", sent_starts=[True, False, True, False]), sentence("e f", sent_starts=[True, False])]
    assert [one.text for one in make_paragraphs(docs, "ents_f")] == ["a b c d", "e f"]


def test_counts_of_entities_and_tags():
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": "LOC", "pattern": "New York"}, {"label": "PER", "pattern": "left"}])
    docs = [sentence("Ana left New York .", ["B-PER", "O", "B-LOC", "I-LOC", "O"])]
    assert counts_on_paragraphs(nlp, make_paragraphs(docs, "ents_f"), "ents_f") == [(1, 2, 2)]
    tagged = [Doc(VOCAB, words=["Ana", "left", "New", "York", "."], tags=["N", "V", "N", "", "P"])]
    nlp = spacy.blank("en")
    ruler = nlp.add_pipe("attribute_ruler")
    ruler.add([[{"LOWER": "ana"}]], {"TAG": "N"})
    ruler.add([[{"LOWER": "left"}]], {"TAG": "N"})
    ruler.add([[{"LOWER": "york"}]], {"TAG": "N"})
    assert counts_on_paragraphs(nlp, make_paragraphs(tagged, "tag_acc"), "tag_acc") == [(1, 4, 4)]
