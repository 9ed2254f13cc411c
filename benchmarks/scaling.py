"""How the time of `nlp.pipe` grows: with batch size, sentence length, number of labels and processes; and its memory.

    python benchmarks/scaling.py time PIPELINE TEST.spacy OUT_FOLDER --other OTHER_PIPELINE
    python benchmarks/scaling.py memory PIPELINE TEST.spacy

`time` writes scaling.json, a table and scaling.png (needs matplotlib); everything on one thread, medians of several
runs. With another pipeline, that is run in one and two processes, too: Docs travel between processes at a price of
spaCy's own. `memory` labels a hundred thousand and a million short sentences and prints the peak memory of each.
"""

import argparse
import json
import resource
import statistics
import time
from collections.abc import Iterator
from itertools import chain, cycle, islice
from pathlib import Path

import spacy
import torch
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example
from thinc.api import Config

BATCH_SIZES = (1, 8, 32, 128, 512, 2048)
LENGTHS = (5, 10, 25, 50, 100, 250, 500)
LABELS = (2, 4, 8, 16, 25)  # 9 to 101 tags
PROCESSES = (1, 2)
SHORT = 8  # tokens at most


def words_of(path: Path) -> list[list[str]]:
    """Read the sentences of a corpus."""
    docs = DocBin().from_disk(path).get_docs(spacy.blank("xx").vocab)
    return [[token.text for token in sentence] for doc in docs for sentence in doc.sents]


def cut(sentences: list[list[str]], length: int, words: int) -> list[list[str]]:
    """Cut the running text of a corpus into sentences of one length."""
    text = list(islice(cycle(chain.from_iterable(sentences)), words))
    return [text[i : i + length] for i in range(0, words - length + 1, length)]


def microseconds(nlp: Language, sentences: list[list[str]], runs: int, **settings) -> float:
    """Time `nlp.pipe` per word, without the making of the docs."""
    seconds = []
    for i in range(runs + 1):
        docs = [Doc(nlp.vocab, words=words) for words in sentences]
        start = time.perf_counter()
        for _ in nlp.pipe(docs, **settings):
            pass
        if i:  # the first run is a warm-up
            seconds.append(time.perf_counter() - start)
    return 1e6 * statistics.median(seconds) / sum(map(len, sentences))


def with_labels(path: Path, count: int) -> Language:
    """Make a pipeline like the one given, but untrained and for other labels."""
    nlp = spacy.load(path)
    config = Config(nlp.config["components"]["datnet_ner"])
    del config["factory"]
    config["model"]["transfer"] = "none"
    other = spacy.blank(nlp.lang, vocab=nlp.vocab)
    pipe = other.add_pipe("datnet_ner", config=config)
    example = Example.from_dict(Doc(nlp.vocab, words=["a"]), {"entities": ["O"]})
    pipe.initialize(lambda: [example], nlp=other, labels={"target": [f"L{i}" for i in range(count)]})
    return other


def measure(args: argparse.Namespace) -> None:
    """Measure every dimension, the others at their usual values."""
    nlp, sentences = spacy.load(args.pipeline), words_of(args.test)
    usual = cut(sentences, 25, args.words)
    results = {
        "sentences in a batch": {n: microseconds(nlp, usual, args.runs, batch_size=n) for n in BATCH_SIZES},
        "tokens in a sentence": {n: microseconds(nlp, cut(sentences, n, args.words), args.runs) for n in LENGTHS},
        "tags": {1 + 4 * n: microseconds(with_labels(args.pipeline, n), usual, args.runs) for n in LABELS},
        "processes": {n: microseconds(nlp, usual, args.runs, n_process=n) for n in PROCESSES},
    }
    if args.other:
        other = spacy.load(args.other)
        found = {n: microseconds(other, usual, args.runs, n_process=n) for n in PROCESSES}
        results[f"processes, {'+'.join(other.pipe_names)}"] = found
    args.out.mkdir(parents=True, exist_ok=True)
    (args.out / "scaling.json").write_text(json.dumps(results, indent=2) + "\n")
    for name, values in results.items():
        print(f"| {name} | " + " | ".join(map(str, values)) + " |")
        print("|---|" + "---|" * len(values))
        print("| µs a word | " + " | ".join(f"{value:.1f}" for value in values.values()) + " |\n")
    draw(results, args.out / "scaling.png")


def draw(results: dict[str, dict[int, float]], path: Path) -> None:
    """Draw the time of a word against each dimension."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(1, len(results), figsize=(3.4 * len(results), 3), layout="constrained")
    for axis, (name, values) in zip(axes, results.items(), strict=True):
        axis.plot(list(values), list(values.values()), color="black", marker="o")
        axis.set(xlabel=name, xscale="log")
        axis.set_xticks(list(values), labels=list(map(str, values)), minor=False)
        axis.minorticks_off()
        axis.grid(axis="y", color="0.85")
        axis.set_ylim(0, None)
    axes[0].set(ylabel="µs a word")
    figure.savefig(path, dpi=150)


def memory(args: argparse.Namespace) -> None:
    """Print the peak memory after a hundred thousand and after a million short sentences."""
    nlp = spacy.load(args.pipeline)
    sentences = [words[:SHORT] for words in words_of(args.test)]

    def docs(count: int) -> Iterator[Doc]:
        return (Doc(nlp.vocab, words=words) for words in islice(cycle(sentences), count))

    for count in (100_000, 1_000_000):
        for _ in nlp.pipe(docs(count)):
            pass
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        print(f"{count:,} sentences: peak {peak:.0f} MB")


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("time")
    two = commands.add_parser("memory")
    for command in (one, two):
        command.add_argument("pipeline", type=Path)
        command.add_argument("test", type=Path)
    one.add_argument("out", type=Path)
    one.add_argument("--other", type=Path)
    one.add_argument("--runs", type=int, default=5)
    one.add_argument("--words", type=int, default=50_000)
    one.set_defaults(run=measure)
    two.set_defaults(run=memory)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
