"""Raw text that teachers label, as a folder of .spacy files that can be gone on with."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import srsly
import torch
from spacy.tokens import Doc, DocBin, Span
from spacy.util import minibatch

from ..corpora import make_vocab, replacing
from ..errors import Errors
from ..kinds import group_of
from ..nn.crf import Scores, viterbi
from ..nn.tags import MISSING, SpanTags, TagSet
from ..pipeline.posteriors import Posterior
from .sentences import RawSentence, read_sentences
from .teachers import Teacher, weights_of

# sentences of a file: what an interruption may cost
SHARD = 2000
# sentences on which teachers are compared to weigh them
WEIGHED = 500
# sentences that are labelled at once
BATCH = 250
META = "meta.json"
Words = tuple[str, ...]


def label_raw(
    teachers: Sequence[Teacher],
    raw: Sequence[str],
    folder: Path,
    *,
    lang: str,
    known: Collection[Words] = (),
    begun_with: Mapping[str, Any],
) -> dict[str, Any]:
    """Label raw text by the mean of what teachers say, and write it as docs that carry its probabilities.

    The files that an earlier call has completed are kept. Raises DN321 if that was begun with something else.

    teachers (Sequence[Teacher]): The teachers.
    raw (Sequence[str]): Where the raw text is, see `read_sentences`.
    folder (Path): The folder of the files.
    lang (str): The language of the raw text.
    known (Collection[Tuple[str, ...]]): The words of sentences that are left out, because it is known what they have.
    begun_with (Mapping[str, Any]): What else decides about the result, to be compared.
    RETURNS (Dict[str, Any]): What was done: the `weights` of the teachers, the `labels`, and how many `sentences`.
    """
    left_out = frozenset(known)
    digest = blake2b(repr((lang, sorted(left_out))).encode("utf8", "replace"), digest_size=8).hexdigest()
    begun_with = {**begun_with, "teachers": {one.place: _files(one.nlp.path or one.place) for one in teachers}}
    begun_with |= {"raw": {one: _files(one) for one in raw}, "known": digest}
    meta: dict[str, Any] = {
        "begun_with": begun_with,
        "weights": [],
        "labels": [],
        "shards": 0,
        "sentences": 0,
        "done": False,
    }
    if (folder / META).exists():
        try:
            meta = srsly.read_json(folder / META)
            is_other = meta["begun_with"] != begun_with
        except (ValueError, KeyError, TypeError):  # damaged: nobody can tell what it was begun with
            is_other = True
        if is_other:
            raise ValueError(Errors.DN321.format(folder=folder))
    if meta["done"]:
        return meta
    texts = read_sentences(raw, lang, show=True)
    sentences = (sentence for sentence in texts if tuple(sentence.words) not in left_out)
    for _ in islice(sentences, meta["shards"] * SHARD):
        pass
    for shard in minibatch(sentences, SHARD):
        meta["weights"] = meta["weights"] or weights_of(teachers, shard[:WEIGHED])
        labels = _write(teachers, meta["weights"], shard, folder / f"{meta['shards']:05}.spacy", lang)
        meta["labels"] = sorted({*meta["labels"], *labels})
        meta["shards"] += 1
        meta["sentences"] += len(shard)
        _save(meta, folder)
    if not meta["sentences"]:
        raise ValueError(Errors.DN322.format(raw=", ".join(raw)))
    if not meta["labels"]:
        raise ValueError(Errors.DN323.format(kind=teachers[0].kind, teachers=", ".join(one.place for one in teachers)))
    meta["done"] = True
    _save(meta, folder)
    return meta


def _files(place: str | Path) -> list[list[Any]]:
    """Tell what a file, or a folder of files, is: names, sizes and times. Empty for what is neither."""
    path = Path(place)
    files = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
    return [[one.name, one.stat().st_size, one.stat().st_mtime_ns] for one in files if one.is_file()]


def _save(meta: dict[str, Any], folder: Path) -> None:
    with replacing(folder / META) as file:
        file.write(srsly.json_dumps(meta, indent=1).encode("utf8"))


def _write(
    teachers: Sequence[Teacher], weights: Sequence[float], shard: list[RawSentence], path: Path, lang: str
) -> set[str]:
    """Label sentences, and write them to a file, whole or not at all. Gives the labels that they have."""
    vocab, tag_set_of = make_vocab(lang), teachers[0].annotation.tag_set
    docbin, found = DocBin(store_user_data=True), set[str]()
    with ExitStack() as stack:
        for teacher in teachers:  # their vocabularies forget the words
            stack.enter_context(teacher.nlp.memory_zone())
        for part in minibatch(shard, BATCH):
            said = list(zip(*(teacher.label(part) for teacher in teachers), strict=True))
            tag_set = tag_set_of(tuple(sorted({label for each in said for one in each for label in one.labels})))
            means = [mean_of(each, weights, tag_set) for each in said]
            for sentence, mean, tags in zip(part, means, best_tags(means, tag_set), strict=True):
                doc = Doc(vocab, words=sentence.words, spaces=sentence.spaces)
                found.update(_annotate(doc, teachers[0].kind, tag_set, tags))
                mean.attach(doc)
                docbin.add(doc)
    with replacing(path) as file:
        file.write(docbin.to_bytes())
    return found


def mean_of(posteriors: Sequence[Posterior], weights: Sequence[float], tag_set: TagSet) -> Posterior:
    """Average what teachers say of a sentence.

    posteriors (Sequence[Posterior]): What each says.
    weights (Sequence[float]): How much each weighs, all together 1.
    tag_set (TagSet): The tags of the mean, among which are those of each.
    RETURNS (Posterior): The mean.
    """
    if all(one.labels == tag_set.labels for one in posteriors) and len(posteriors) == 1:
        return posteriors[0]
    numbers = [tag_set.from_names(type(tag_set)(one.labels).names) for one in posteriors]
    dense = [one.dense(len(tag_set), number) for one, number in zip(posteriors, numbers, strict=True)]
    return Posterior.of(tag_set.labels, *(np.average(part, 0, weights) for part in zip(*dense, strict=True)))


def best_tags(posteriors: Sequence[Posterior], tag_set: TagSet) -> Iterator[np.ndarray]:
    """Find for each sentence the legal tags of which most are right, in expectation; `MISSING` for none."""
    if not len(tag_set):
        yield from (np.full(one.length, MISSING) for one in posteriors)
        return
    lengths = torch.tensor([one.length for one in posteriors])
    unary = torch.zeros(len(posteriors), int(lengths.max()), len(tag_set), dtype=torch.float64)
    for row, one in zip(unary, posteriors, strict=True):
        row[one.unary[0], one.unary[1]] = torch.from_numpy(one.unary[2]).double()
    scores = Scores(*(torch.from_numpy(np.where(legal, 0.0, -np.inf)) for legal in tag_set.legal()))
    tags = viterbi(unary, lengths, scores).masked_fill_(~unary.any(2), MISSING)
    yield from (row[:length] for row, length in zip(tags.numpy(), lengths.tolist(), strict=True))


def _annotate(doc: Doc, kind: str, tag_set: TagSet, tags: np.ndarray) -> Iterator[str]:
    """Set tags on a doc, and give their labels."""
    if isinstance(tag_set, SpanTags):
        spans = [Span(doc, start, end, label=label) for start, end, label in tag_set.decode(tags)]
        if (key := group_of(kind)) is None:
            doc.set_ents(spans)
        else:
            doc.spans[key] = spans
        yield from (span.label_ for span in spans)
        return
    for token, tag in zip(doc, tags, strict=True):
        if tag != MISSING:
            setattr(token, f"{kind}_", tag_set.labels[tag])
            yield tag_set.labels[tag]
