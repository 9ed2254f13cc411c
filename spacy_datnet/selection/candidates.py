"""The sentences that may be annotated: those of raw text, each once, with what a pipeline says of them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.util import minibatch

from ..corpora import RawText, read_docs, read_raw, sentence_spans
from ..corpora.content import Location
from ..pipeline.extensions import ENT_CONFIDENCE
from ..pipeline.ner import DATNetNER
from ..pipeline.uncertainty import DocUncertainty, uncertainties

# words of the sentences that are worth annotating: shorter ones are headings and numbers
SHORTEST, LONGEST = 4, 80
_AT_ONCE = 256
_NUMBER, _WORD = re.compile(r"\d"), re.compile(r"\w")


class SelectionError(ValueError):
    """Sentences can't be chosen as asked."""


@dataclass(frozen=True)
class Candidate:
    """A sentence, without the Doc, which would take too much memory.

    words (list): Its tokens.
    spaces (list): Whether a space comes after each.
    ents (list): Start, end, label and confidence of the entities that the pipeline finds, None for no confidence.
    meta (dict): The other fields of its document, with its `source`, file and line.
    key (tuple): What is the same for a sentence that differs in case, numbers or punctuation alone.
    vector (ndarray): (width,), the mean of the encoder's states or of the word vectors; empty if there are none.
    uncertainty (Optional[DocUncertainty]): How unsure the component of entities is; None if it is not of this package.
    """

    words: list[str]
    spaces: list[bool]
    ents: list[tuple[int, int, str, float | None]]
    meta: dict[str, Any]
    key: tuple[str, ...]
    vector: np.ndarray
    uncertainty: DocUncertainty | None

    def __len__(self) -> int:
        return len(self.words)


def component_of(nlp: Language) -> DATNetNER | None:
    """Find the component that finds entities and knows how sure it is, the last one if there are several."""
    return next((pipe for _, pipe in reversed(nlp.pipeline) if isinstance(pipe, DATNetNER)), None)


def collect(nlp: Language, raw: Iterable[Location], known: Iterable[Location] = ()) -> Iterator[Candidate]:
    """Read raw text, let a pipeline annotate it, and give each of its sentences once.

    nlp (Language): The pipeline, which also sets the sentence borders.
    raw (Iterable): Files, folders and patterns of raw text.
    known (Iterable): Corpora whose sentences are left out.
    YIELDS (Candidate): The sentences, without those that are too short or too long.
    """
    seen = {key_of(span) for path in known for doc in read_docs(path, nlp.vocab) for span in sentence_spans(doc)}
    pipe = component_of(nlp)
    for some in minibatch(read_raw(raw), _AT_ONCE):
        docs = nlp.pipe(one.make_doc(nlp) for one in some)
        chosen = []
        for one, doc in zip(some, docs, strict=True):
            for span in sentence_spans(doc):
                key = key_of(span)
                if len(key) >= SHORTEST and len(span) <= LONGEST and key not in seen:
                    seen.add(key)
                    chosen.append((one, key, span))
        parts = [_bare(span) for _, _, span in chosen]
        unsure = uncertainties(pipe, parts) if pipe and parts else [None] * len(parts)
        yield from map(_candidate, chosen, parts, unsure)


def key_of(span: Span) -> tuple[str, ...]:
    """Reduce a sentence to what makes it another one: its words in lower case, without numbers."""
    return tuple(_NUMBER.sub("0", token.lower_) for token in span if _WORD.search(token.lower_))


def _bare(span: Span) -> Doc:
    """Make a Doc of a sentence, without white space and annotation."""
    tokens = [token for token in span if not token.is_space]
    spaces = [bool(token.whitespace_) or token.nbor().is_space for token in tokens[:-1]]
    starts: list[bool | int | None] = [True, *[False] * (len(tokens) - 1)]
    return Doc(span.doc.vocab, words=[token.text for token in tokens], spaces=[*spaces, False], sent_starts=starts)


def _candidate(chosen: tuple[RawText, tuple[str, ...], Span], part: Doc, unsure: DocUncertainty | None) -> Candidate:
    raw, key, span = chosen
    place = np.cumsum([0, *(not token.is_space for token in span)])
    has_confidence = Span.has_extension(ENT_CONFIDENCE)
    ents = []
    for ent in span.ents:
        start, end = int(place[ent.start - span.start]), int(place[ent.end - span.start])
        if start < end:
            ents.append((start, end, ent.label_, ent._.get(ENT_CONFIDENCE) if has_confidence else None))
    vector = part.vector if unsure is None else unsure.state
    return Candidate(
        words=[token.text for token in part],
        spaces=[bool(token.whitespace_) for token in part],
        ents=ents,
        meta={**raw.meta, "source": f"{raw.place.path}:{raw.place.line}"},
        key=key,
        vector=np.asarray(vector, dtype="float32"),
        uncertainty=unsure,
    )
