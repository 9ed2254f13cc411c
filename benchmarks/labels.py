"""Many labels beside few, in one process on one thread: a training step, prediction, and the memory of prediction.

    python benchmarks/labels.py --few 20 --many 200

Networks are new, which changes nothing about their speed; sentences are of random words. Medians of several runs, the
pipelines in turn; times are those of the thread. The tagger has a tag for each label, `datnet_ner` four and one more.
"""

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from functools import partial
from random import Random

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, Span
from spacy.training import Example

TOKENS = 20


def annotate(doc: Doc, labels: list[str], rng: Random) -> Doc:
    """Give each token a tag, and two spans of the doc a label."""
    for token in doc:
        token.tag_ = rng.choice(labels)
    doc.set_ents([Span(doc, start, start + 2, label=rng.choice(labels)) for start in (2, 10)])
    return doc


def make(factory: str, n_labels: int, sentences: list[list[str]]) -> tuple[Language, list[Example], Callable]:
    """Make an initialised pipeline, examples, and what updates it."""
    rng, labels = Random(0), [f"L{i:03}" for i in range(n_labels)]
    nlp = spacy.blank("xx")
    nlp.add_pipe(factory, config={"loss": {"adversarial_training": False}, "model": {"transfer": "none"}})
    docs = [[Doc(nlp.vocab, words=words) for _ in range(2)] for words in sentences]
    examples = [Example(predicted, annotate(reference, labels, rng)) for predicted, reference in docs]
    nlp.config["initialize"]["components"][factory] = {"labels": labels}
    optimizer = nlp.initialize(lambda: examples)
    return nlp, examples, partial(nlp.update, sgd=optimizer)


def seconds_of(call: Callable, *args: object) -> float:
    """Time a call."""
    start = time.thread_time()
    call(*args)
    return time.thread_time() - start


def predict(nlp: Language, examples: list[Example]) -> None:
    """Label copies of the docs."""
    for _ in nlp.pipe(Doc(nlp.vocab, words=[token.text for token in example.predicted]) for example in examples):
        pass


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--few", type=int, default=20)
    parser.add_argument("--many", type=int, default=200)
    parser.add_argument("--sentences", type=int, default=800)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--factories", nargs="+", default=["datnet_ner", "datnet_tagger"])
    args = parser.parse_args()
    rng = Random(1)
    sentences = [[f"w{rng.randrange(5000)}" for _ in range(TOKENS)] for _ in range(args.sentences)]
    for factory in args.factories:
        made = {n: make(factory, n, sentences) for n in (args.few, args.many)}
        steps: dict[int, list[float]] = {n: [] for n in made}
        predictions: dict[int, list[float]] = {n: [] for n in made}
        for i in range(args.runs + 1):
            for n, (nlp, examples, update) in made.items():
                step, whole = seconds_of(update, examples[:64]), seconds_of(predict, nlp, examples)
                if i:  # the first run is a warm-up
                    steps[n].append(step)
                    predictions[n].append(whole)
        for what, found in (("a step", steps), ("prediction", predictions)):
            few, many = (statistics.median(found[n]) for n in (args.few, args.many))
            labels = f"{args.few} labels {1e3 * few:.0f} ms, {args.many} labels {1e3 * many:.0f} ms"
            print(f"{factory}, {what}: {labels}, {many / few:.2f} x")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        tags = {n: len(nlp.get_pipe(factory).tag_set_of("target")) for n, (nlp, _, _) in made.items()}
        print(f"{factory}: tags {tags}, peak of the process so far {peak} MB")


if __name__ == "__main__":
    main()
