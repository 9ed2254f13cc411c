"""How long it takes to load a pipeline, beside a pipeline like spaCy's small ones, each in new processes.

    python benchmarks/loading.py PIPELINE TRAIN.spacy --runs 7

The other pipeline has the components of spaCy's small models (tok2vec, tagger, morphologizer, parser, lemmatizer, ner),
with the default settings for a CPU; it is initialised on the first sentences of TRAIN.spacy and not trained, which
makes no difference to loading. The time is that of `spacy.load` after `import spacy`; with --whole that of the whole
process, imports included.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from itertools import islice
from pathlib import Path

import spacy
from spacy.cli.init_config import init_config
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example

COMPONENTS = ["tagger", "morphologizer", "trainable_lemmatizer", "parser", "ner"]
LOAD = """
import sys, time, spacy
start = time.perf_counter()
spacy.load(sys.argv[1])
print(time.perf_counter() - start)
"""


def make_small(train: Path, out: Path) -> None:
    """Write a pipeline with the components of spaCy's small models."""
    config = init_config(lang="es", pipeline=COMPONENTS, optimize="efficiency", gpu=False, silent=True)
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    examples = []
    for doc in islice(DocBin().from_disk(train).get_docs(nlp.vocab), 100):
        size = len(doc)
        words = [token.text for token in doc]
        ents = [Span(doc, ent.start, ent.end, label=ent.label_) for ent in doc.ents]
        gold = Doc(
            nlp.vocab,
            words=words,
            tags=[word[:1].upper() for word in words],
            pos=["X"] * size,
            morphs=["Number=Sing"] * size,
            lemmas=[word.lower() for word in words],
            heads=[0] * size,
            deps=["ROOT"] + ["dep"] * (size - 1),
        )
        gold.ents = [Span(gold, ent.start, ent.end, label=ent.label_) for ent in ents]
        examples.append(Example(Doc(nlp.vocab, words=words), gold))
    nlp.initialize(lambda: examples)
    nlp.to_disk(out)


def seconds_of(path: Path, whole: bool) -> float:
    """Load a pipeline in a new process."""
    start = time.perf_counter()
    output = subprocess.run([sys.executable, "-c", LOAD, path], check=True, capture_output=True, text=True).stdout
    return time.perf_counter() - start if whole else float(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pipeline", type=Path)
    parser.add_argument("train", type=Path)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--whole", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        small = Path(folder) / "small"
        make_small(args.train, small)
        seconds: dict[Path, list[float]] = {args.pipeline: [], small: []}
        for _ in range(args.runs):
            for path, times in seconds.items():
                times.append(seconds_of(path, args.whole))
        ratio = statistics.median(a / b for a, b in zip(*seconds.values(), strict=True))
        ours, theirs = (statistics.median(times) for times in seconds.values())
    print(f"{args.pipeline}: {ours:.2f} s, like a small model: {theirs:.2f} s, ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
