"""Sentences with their annotation, by displaCy."""

from collections.abc import Iterable
from html import escape

from spacy import displacy

from ..mistakes import Confusion
from ..predictions import Item, Sentence


def describe(confusion: Confusion) -> str:
    """Say a kind of mistake."""
    gold, found = confusion
    if gold is None:
        return f"{found} where there is nothing, or beside the right one"
    if found is None:
        return f"{gold} not found"
    if gold == found:
        return f"{gold} with wrong borders"
    return f"{gold} taken for {found}"


def render(sentence: Sentence, items: Iterable[Item]) -> str:
    """Mark items in a sentence; of tags, only those that are wrong.

    sentence (Sentence): The sentence.
    items (Iterable[Tuple[int, int, str]]): Its annotated or its predicted items.
    RETURNS (str): HTML, in which all that comes from the corpus is escaped.
    """
    text, starts = "", []
    for word, space in zip(sentence.words, sentence.spaces, strict=True):
        starts.append(len(text))
        text += word + (" " if space else "")
    if sentence.is_tagged:
        right = sentence.gold & sentence.found.keys()
        items = [item for item in items if item not in right]
    # displaCy escapes the text, but not the labels
    ents = [
        {"start": starts[start], "end": starts[end - 1] + len(sentence.words[end - 1]), "label": escape(label)}
        for start, end, label in sorted(items)
    ]
    return displacy.render([{"text": text, "ents": ents}], style="ent", manual=True, jupyter=False, minify=True)
