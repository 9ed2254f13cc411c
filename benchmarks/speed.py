"""Speed of a training step with and without adversarial training, and of prediction beside spaCy's `ner`.

    python benchmarks/speed.py step CONFIG SOURCE.spacy TRAIN.spacy VECTORS SOURCE_VECTORS
    python benchmarks/speed.py predict PIPELINE OTHER_PIPELINE TEST.spacy

Everything runs in one process on one thread, the things compared in turn; medians and ratios are printed.
"""

import argparse
import statistics
import time
from itertools import islice

import spacy
import torch
from spacy.schemas import ConfigSchemaTraining
from spacy.tokens import Doc, DocBin
from spacy.training.initialize import init_nlp
from spacy.util import fix_random_seed, load_config, registry, resolve_dot_names

LOSS = "components.datnet_ner.loss.adversarial_training"


def step(args: argparse.Namespace) -> None:
    """Time full updates, optimizer included, on the same batches."""
    paths = {
        "paths.source": args.source,
        "paths.train": args.train,
        "paths.dev": args.train,
        "paths.vectors": args.vectors,
        "paths.source_vectors": args.source_vectors,
        "corpora.train.target_count": 1000,
    }
    runs = {}
    for on in (False, True):
        fix_random_seed(0)
        nlp = init_nlp(load_config(args.config, overrides={**paths, LOSS: on}, interpolate=False))
        config = nlp.config.interpolate()
        training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
        (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
        if not runs:
            batches = list(islice(training["batcher"](list(corpus(nlp))), args.steps + 5))
        runs[on] = (nlp, training["optimizer"], [])
    for i, batch in enumerate(batches):
        for nlp, optimizer, seconds in runs.values():
            start = time.perf_counter()
            nlp.update(batch, drop=0.5, sgd=optimizer)
            if i >= 5:
                seconds.append(time.perf_counter() - start)
    tokens = sum(len(example) for batch in batches[5:] for example in batch)
    for on, (_, _, seconds) in runs.items():
        name = "with" if on else "without"
        print(f"{name} AT: {1000 * statistics.median(seconds):.1f} ms a step, {tokens / sum(seconds):.0f} tokens/s")
    ratio = statistics.median(a / b for a, b in zip(runs[True][2], runs[False][2], strict=True))
    print(f"with / without, median of {len(batches) - 5} pairs: {ratio:.2f}")


def predict(args: argparse.Namespace) -> None:
    """Time `nlp.pipe` on docs that are tokenized already."""
    runs = {}
    for name in (args.pipeline, args.other):
        nlp = spacy.load(name)
        sentences = [
            [token.text for token in sentence]
            for doc in DocBin().from_disk(args.test).get_docs(nlp.vocab)
            for sentence in doc.sents
        ]
        runs[name] = (nlp, [])
    variants = [(name, nlp, seconds) for name, (nlp, seconds) in runs.items()]
    quiet = spacy.load(args.pipeline)
    for _, pipe in quiet.pipeline:
        if hasattr(pipe, "confidence"):
            pipe.confidence = False
    variants.append((f"{args.pipeline} without confidence", quiet, []))
    words = args.copies * sum(map(len, sentences))
    for i in range(args.runs + 1):
        for _, nlp, seconds in variants:
            docs = [Doc(nlp.vocab, words=words) for _ in range(args.copies) for words in sentences]
            start = time.perf_counter()
            for _ in nlp.pipe(docs):
                pass
            if i:  # the first run is a warm-up
                seconds.append(time.perf_counter() - start)
    reference = variants[1][2]
    for name, _, seconds in variants:
        ratio = statistics.median(b / a for a, b in zip(seconds, reference, strict=True))
        rate = words / statistics.median(seconds)
        print(f"{name}: {rate:.0f} words/s, {ratio:.2f} x {args.other} (median of {args.runs}, {words} words)")


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    one = commands.add_parser("step")
    for name in ("config", "source", "train", "vectors", "source_vectors"):
        one.add_argument(name)
    one.add_argument("--steps", type=int, default=40)
    one.set_defaults(run=step)
    two = commands.add_parser("predict")
    for name in ("pipeline", "other", "test"):
        two.add_argument(name)
    two.add_argument("--runs", type=int, default=5)
    two.add_argument("--copies", type=int, default=1)
    two.set_defaults(run=predict)
    args = parser.parse_args()
    args.run(args)


if __name__ == "__main__":
    main()
