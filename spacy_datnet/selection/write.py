"""Writing what was chosen, with what the pipeline thinks of it, for an annotation tool."""

import json
from pathlib import Path
from typing import Any

from spacy.tokens import Doc, Span
from spacy.vocab import Vocab

from ..corpora import WRITERS, replacing
from ..corpora.docs import META
from ..corpora.formats.base import MODEL
from .candidates import Candidate
from .choose import Chosen

PRODIGY = "prodigy"
# spans that are neither sure to be there nor sure not to be are asked
DOUBTFUL = 0.05


def doubtful_tokens(candidate: Candidate) -> set[int]:
    """Find the tokens of spans of which it is not sure whether they are there."""
    spans = candidate.uncertainty.spans if candidate.uncertainty else []
    return {i for start, end, _, p in spans if DOUBTFUL <= p <= 1 - DOUBTFUL for i in range(start, end)}


def write_suggestions(chosen: Chosen, path: Path, *, to: str = PRODIGY, partial: bool = False) -> None:
    """Write the chosen sentences with the entities that the pipeline finds, whole or not at all.

    chosen (list): The sentences and their scores.
    path (Path): The file.
    to (str): The format, by its name in `corpora.WRITERS`. Prodigy's has scores and confidences as well.
    partial (bool): Whether only doubtful spans are asked: what is annotated elsewhere is missing, and never "outside".
    """
    vocab = Vocab()
    docs = [_doc(candidate, score, vocab, partial) for candidate, score in chosen]
    if to != PRODIGY:
        WRITERS[to].write(docs, path, False)
        return
    pairs = zip(WRITERS[to].dump(docs, False), chosen, docs, strict=True)
    with replacing(path) as file:
        file.writelines(_line(json.loads(line), one, doc, partial).encode() for line, (one, _), doc in pairs)


def _doc(candidate: Candidate, score: float, vocab: Vocab, partial: bool) -> Doc:
    doc = Doc(vocab, words=candidate.words, spaces=candidate.spaces)
    asked = doubtful_tokens(candidate) if partial else set(range(len(doc)))
    ents = [Span(doc, *ent[:3]) for ent in candidate.ents if asked.intersection(range(*ent[:2]))]
    outside = [doc[i : i + 1] for i in sorted(asked.difference(*(range(ent.start, ent.end) for ent in ents)))]
    doc.set_ents(ents, outside=outside, default="missing")
    doc.user_data |= {META: {"meta": candidate.meta, "score": round(score, 6)}, MODEL: "suggest"}
    return doc


def _line(record: dict[str, Any], candidate: Candidate, doc: Doc, partial: bool) -> str:
    sure = {ent[:2]: ent[3] for ent in candidate.ents}
    for span in record["spans"]:
        confidence = sure[span["token_start"], span["token_end"] + 1]
        span["confidence"] = None if confidence is None else round(confidence, 4)
    if partial:
        record["asked"] = [token.i for token in doc if token.ent_iob_]
    return json.dumps(record, ensure_ascii=False) + "\n"
