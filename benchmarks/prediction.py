"""Speed of `nlp.pipe` beside another pipeline, in one process on one thread, on docs that are tokenized already.

    python benchmarks/prediction.py PIPELINE OTHER_PIPELINE TEST.spacy --words 200000

Medians of several runs, the pipelines in turn. Besides: what the confidence costs, how fast the first hundred sentences
after loading are, and whether a batch is labelled as its docs alone are.
"""

import argparse
import statistics
import time
from collections.abc import Iterable
from pathlib import Path

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, DocBin

COLD = 100


def load(path: Path, confidence: bool = True) -> Language:
    """Load a pipeline, if asked without the confidence of its predictions."""
    nlp = spacy.load(path)
    for _, pipe in nlp.pipeline:
        if hasattr(pipe, "confidence"):
            pipe.confidence = confidence
    return nlp


def seconds_of(nlp: Language, sentences: Iterable[list[str]]) -> float:
    """Time `nlp.pipe` on new docs, without the making of the docs."""
    docs = [Doc(nlp.vocab, words=words) for words in sentences]
    start = time.perf_counter()
    for _ in nlp.pipe(docs):
        pass
    return time.perf_counter() - start


def count_differences(nlp: Language, sentences: list[list[str]]) -> int:
    """Count the sentences that are labelled differently in a batch and alone."""
    together = nlp.pipe(Doc(nlp.vocab, words=words) for words in sentences)
    alone = (nlp(Doc(nlp.vocab, words=words)) for words in sentences)

    def read(doc: Doc) -> list[tuple]:
        return [(ent.start, ent.end, ent.label_) for ent in doc.ents]

    return sum(read(one) != read(other) for one, other in zip(together, alone, strict=True))


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("pipeline", "other", "test"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--words", type=int, default=200_000, help="repeat the test sentences up to so many words")
    args = parser.parse_args()
    docs = DocBin().from_disk(args.test).get_docs(spacy.blank("xx").vocab)
    test = [[token.text for token in sentence] for doc in docs for sentence in doc.sents]

    cold = {}
    for path in (args.pipeline, args.other):
        start = time.perf_counter()
        nlp = spacy.load(path)
        cold[path] = (time.perf_counter() - start, seconds_of(nlp, test[:COLD]))
    for path, (loading, first) in cold.items():
        words = sum(map(len, test[:COLD]))
        print(f"{path}: loads in {loading:.2f} s, first {COLD} sentences at {words / first:.0f} words/s")
    print(f"sentences labelled differently in a batch and alone: {count_differences(load(args.pipeline), test)}")

    copies = -(-args.words // sum(map(len, test)))
    sentences = test * copies
    words = sum(map(len, sentences))
    runs = {
        str(args.pipeline): (load(args.pipeline), []),
        f"{args.pipeline} without confidence": (load(args.pipeline, confidence=False), []),
        str(args.other): (load(args.other), []),
    }
    for i in range(args.runs + 1):
        for nlp, seconds in runs.values():
            value = seconds_of(nlp, sentences)
            if i:  # the first run is a warm-up
                seconds.append(value)
    _, reference = runs[str(args.other)]
    for name, (_, seconds) in runs.items():
        ratio = statistics.median(b / a for a, b in zip(seconds, reference, strict=True))
        rate = words / statistics.median(seconds)
        print(f"{name}: {rate:.0f} words/s, {ratio:.2f} x {args.other} (median of {args.runs}, {words} words)")


if __name__ == "__main__":
    main()
