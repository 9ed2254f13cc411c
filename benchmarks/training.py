"""Speed of a training step of DATNet-F: with and without adversarial training, beside a plain rendering, by part.

    python benchmarks/training.py CONFIG SOURCE.spacy TRAIN.spacy VECTORS SOURCE_VECTORS

Everything runs in one process on one thread, the things compared in turn on the same batches; medians are printed.
A step is `nlp.update` with the optimizer; the reference gets its tensors ready-made. The reference is timed a second
time on the same sentences in batches of no particular length, as a plain rendering would have them; that is compared by
tokens per second. Before that, losses and gradients of both are compared.
"""

import argparse
import random
import statistics
import time
from dataclasses import replace
from itertools import islice

import numpy as np
import torch
from reference import Reference, parts_of
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.util import fix_random_seed, load_config, registry, resolve_dot_names

from spacy_datnet.models.batch import Batch
from spacy_datnet.nn.datnet_encoder import Inputs
from spacy_datnet.nn.objective import Gold
from spacy_datnet.resources import RESOURCES, SOURCE, resource_of

WARM_UP = 3
DROPOUT = 0.5
Batches = list[list[Example]]


def set_up(args: argparse.Namespace) -> tuple[Language, dict, Batches]:
    """Initialise the pipeline of the config; give it back with its training settings and the batches."""
    paths = {
        "paths.source": args.source,
        "paths.train": args.train,
        "paths.dev": args.train,
        "paths.vectors": args.vectors,
        "paths.source_vectors": args.source_vectors,
        "corpora.train.target_count": args.target_count,
        "training.batcher.size": args.batch_size,
    }
    fix_random_seed(0)
    nlp = init_nlp(load_config(args.config, overrides=paths, interpolate=False))
    config = nlp.config.interpolate()
    training = registry.resolve(config["training"], schema=ConfigSchemaTraining)
    (corpus,) = resolve_dot_names(config, [training["train_corpus"]])
    batches = list(islice(training["batcher"](list(corpus(nlp))), args.steps + WARM_UP))
    return nlp, training, batches


def tensors_of(nlp: Language, batch: list[Example]) -> tuple[Inputs, dict[str, Gold]]:
    """Compute what the network gets for a batch."""
    pipe = nlp.get_pipe("datnet_ner")
    is_source = np.array([resource_of(example) == SOURCE for example in batch])
    features = pipe.model.get_ref("features").predict(Batch([example.predicted for example in batch], is_source))
    sentences = np.concatenate([features.sentences_of(resource) for resource in RESOURCES])
    return features.inputs(sentences, own_forms=True), pipe._gold(batch, features)


def compare(nlp: Language, batches: Batches) -> None:
    """Print how far losses and gradients of one step without dropout are from those of the reference.

    A word that a sentence has twice is perturbed once by the package and twice by the reference, and where a word has
    the same characters twice, the gradient of a maximum may go either way: sentences with such words are left out.
    """
    batch = [
        example
        for example in (example for batch in batches for example in batch)
        if len({token.orth for token in example.predicted}) == len(example)
        and all(len(set(token.text)) == len(token.text) for token in example.predicted)
    ]
    pipe = nlp.get_pipe("datnet_ner")
    network = pipe.model.shims[0].network
    reference = Reference(network)
    inputs, gold = tensors_of(nlp, batch)
    parts = parts_of(inputs, gold, network.characters.embedding.num_embeddings)
    expected = reference.step(parts, pipe.loss)
    found = pipe.loss(network, inputs, gold).total / len(inputs.sentences)
    worst = 0.0
    for name, gradient in reference.values_of(network, lambda parameter: parameter.grad).items():
        truth = reference.get_parameter(name).grad
        gradient = gradient / len(inputs.sentences)  # what the optimizer gets
        worst = max(worst, ((gradient - truth).abs().max() / truth.abs().max()).item())
    network.zero_grad()
    print(
        f"loss {found:.6f}, reference {expected:.6f}; largest error of a gradient, relative to the largest: {worst:.1e}"
    )


def without_buckets(batches: Batches) -> Batches:
    """Deal the sentences of the batches out anew: the same numbers of source and target ones, of any length."""
    rng = random.Random(0)
    is_source = [[resource_of(example) == SOURCE for example in batch] for batch in batches]
    sentences = {True: [], False: []}
    for batch, flags in zip(batches, is_source, strict=True):
        for example, flag in zip(batch, flags, strict=True):
            sentences[flag].append(example)
    for part in sentences.values():
        rng.shuffle(part)
    return [[sentences[flag].pop() for flag in flags] for flags in is_source]


def operations(inputs: Inputs, network: torch.nn.Module) -> float:
    """Count the floating-point operations of the matrix products that a step with fixed word vectors needs."""
    tokens, characters = inputs.sentences.tokens, len(inputs.characters)
    lstm, filters = network.shared, network.characters.filters.weight
    width, gates = lstm.weights_input[0].shape[2], 2 * lstm.weights_input[0].shape[1]
    words = width - network.characters.width
    states = lstm.width * network.discriminator.attention.out_features
    tags = network.decoders["target"].emit.out_features
    product = 2 * tokens * gates
    one_pass = 3 * product * width + 3 * product * lstm.width // 2 - product * words  # words of the pass at x + eta
    one_pass += 3 * 2 * tokens * (states + lstm.width * tags)
    one_pass += 3 * 2 * characters * filters.numel()
    one_pass += 3 * 2 * tokens * tags * tags  # forward, backward and expected transitions of the CRF
    return 2 * one_pass + product * words


def gemm_rate(size: int = 1024, runs: int = 20) -> float:
    """Measure the floating-point operations per second of a large matrix product."""
    a, b = torch.rand(size, size), torch.rand(size, size)
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        a @ b
        seconds.append(time.perf_counter() - start)
    return 2 * size**3 / statistics.median(seconds)


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("config", "source", "train", "vectors", "source_vectors"):
        parser.add_argument(name)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--target-count", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=64)
    args = parser.parse_args()
    nlp, training, batches = set_up(args)
    pipe = nlp.get_pipe("datnet_ner")
    network = pipe.model.shims[0].network
    compare(nlp, batches)

    reference = Reference(network)
    adam = torch.optim.Adam(reference.parameters(), lr=0.002)
    with_at = pipe.loss
    without_at = replace(pipe.loss, adversarial_training=False)

    def step(loss) -> float:
        pipe.loss = loss
        start = time.perf_counter()
        nlp.update(batch, drop=DROPOUT, sgd=training["optimizer"])
        return time.perf_counter() - start

    def reference_step(batch: list[Example]) -> float:
        parts = parts_of(*tensors_of(nlp, batch), network.characters.embedding.num_embeddings)
        start = time.perf_counter()
        reference.step(parts, with_at, DROPOUT)
        torch.nn.utils.clip_grad_norm_(reference.parameters(), 5.0)
        adam.step()
        adam.zero_grad()
        return time.perf_counter() - start

    seconds = {"with AT": [], "without AT": [], "reference": [], "reference, no buckets": []}
    needed, rates = [], []
    for i, (batch, mixed) in enumerate(zip(batches, without_buckets(batches), strict=True)):
        times = {"with AT": step(with_at), "without AT": step(without_at)}
        times |= {"reference": reference_step(batch), "reference, no buckets": reference_step(mixed)}
        if i < WARM_UP:
            continue
        for name, value in times.items():
            seconds[name].append(value)
        needed.append(operations(tensors_of(nlp, batch)[0], network))
        rates.append(gemm_rate(runs=5))
    tokens = sum(len(example) for batch in batches[WARM_UP:] for example in batch)
    for name, values in seconds.items():
        print(f"{name}: {1000 * statistics.median(values):.1f} ms a step, {tokens / sum(values):.0f} tokens/s")

    def ratio(one: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(seconds[one], seconds[other], strict=True))

    print(f"with / without AT, median of {len(needed)} pairs: {ratio('with AT', 'without AT'):.2f}")
    print(f"reference / with AT, median of {len(needed)} pairs: {ratio('reference', 'with AT'):.2f}")
    print(f"the same without buckets, all steps: {sum(seconds['reference, no buckets']) / sum(seconds['with AT']):.2f}")
    rate = statistics.median(rates)
    share = statistics.median(n / s / r for n, s, r in zip(needed, seconds["with AT"], rates, strict=True))
    flop = statistics.mean(needed)
    print(f"{flop / 1e9:.2f} Gflop a step, matrix product {rate / 1e9:.0f} Gflop/s: {share:.0%} of it")


if __name__ == "__main__":
    main()
