"""Where the time of a training step goes, part by part: each part is run forward and backward alone, on real batches.

    python benchmarks/parts.py CONFIG SOURCE.spacy TRAIN.spacy VECTORS SOURCE_VECTORS

Milliseconds of a whole step with adversarial training: what a pass needs counts twice. Medians over the batches, each
the best of several runs; one thread.
"""

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from spacy.language import Language, _copy_examples
from spacy.training import Example
from thinc.api import Optimizer
from torch.nn.functional import embedding
from training import DROPOUT, WARM_UP, set_up

from spacy_datnet.models.batch import Batch
from spacy_datnet.nn.encoders import drop
from spacy_datnet.nn.objective import _tagging_losses
from spacy_datnet.resources import RESOURCES, SOURCE, resource_of

RUNS = 5


def milliseconds(run: Callable[[], object]) -> float:
    """Time the best of several runs."""
    seconds = []
    for _ in range(RUNS):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return 1000 * min(seconds)


def parts_of_step(nlp: Language, batch: list[Example], optimizer: Optimizer) -> dict[str, float]:
    """Time the parts of one step."""
    pipe = nlp.get_pipe("datnet_ner")
    network, objective, featurizer = pipe.model.shims[0].network, pipe.loss, pipe.model.get_ref("features")
    examples = _copy_examples(batch)
    is_source = np.array([resource_of(example) == SOURCE for example in examples])
    docs = Batch([example.predicted for example in examples], is_source)
    features, _ = featurizer.begin_update(docs)
    sentences = np.concatenate([features.sentences_of(resource) for resource in RESOURCES])
    inputs, gold = features.inputs(sentences, own_forms=True), pipe._gold(examples, features)
    encoded = torch.rand(len(inputs.form_lengths), network.characters.width, requires_grad=True)
    words = inputs.words.clone().requires_grad_()
    beside = torch.rand(len(words), network.characters.width, requires_grad=True)
    states = torch.rand(len(words), network.shared.width, requires_grad=True)

    def characters() -> None:
        found = network.characters(network.embed_characters(inputs), inputs.form_lengths)
        found.backward(torch.ones_like(found))

    def spread() -> None:
        found = drop(embedding(inputs.forms, encoded), DROPOUT)
        found.backward(torch.ones_like(found))

    def lstm(words: torch.Tensor) -> None:
        found = network.shared((beside, words), inputs.sentences)
        found.backward(torch.ones_like(found))

    def dropout() -> None:
        for values in (words, states):
            found = drop(values, DROPOUT)
            found.backward(torch.ones_like(found))

    def crf() -> None:
        sum(_tagging_losses(network, inputs, states, gold).values()).backward()

    def discriminator() -> None:
        logits = network.discriminator(states, inputs.sentences, objective.reversal)
        objective._resource_loss(logits, inputs.is_source).backward()

    times = {
        "spaCy: copies of the examples": milliseconds(lambda: _copy_examples(batch)),
        "features from Docs": milliseconds(lambda: featurizer.begin_update(docs))
        + milliseconds(lambda: features.inputs(sentences, own_forms=True)),
        "annotation to tags": milliseconds(lambda: pipe._gold(examples, features)),
        "character CNN": 2 * (milliseconds(characters) + milliseconds(spread)),
        "LSTM": milliseconds(lambda: lstm(words)) + milliseconds(lambda: lstm(inputs.words.detach())),
        "dropout": 2 * milliseconds(dropout),
        "CRF": 2 * milliseconds(crf),
        "discriminator": 2 * milliseconds(discriminator),
    }
    inputs.words.requires_grad_(False)
    whole = milliseconds(lambda: objective(network, inputs, gold, dropout=DROPOUT))
    start = time.perf_counter()
    pipe.finish_update(optimizer)
    times["optimizer"] = 1000 * (time.perf_counter() - start)
    outside = ("spaCy: copies of the examples", "features from Docs", "annotation to tags", "optimizer")
    times["perturbation and the rest"] = whole - sum(value for name, value in times.items() if name not in outside)
    times["all"] = whole + sum(times[name] for name in outside)
    return times


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("config", "source", "train", "vectors", "source_vectors"):
        parser.add_argument(name)
    parser.add_argument("--steps", type=int, default=15)
    parser.add_argument("--target-count", type=int, default=1000)
    parser.add_argument("--batch-size", type=int, default=64)
    nlp, training, batches = set_up(parser.parse_args())
    for batch in batches[:WARM_UP]:
        nlp.update(batch, drop=DROPOUT, sgd=training["optimizer"])
    found = [parts_of_step(nlp, batch, training["optimizer"]) for batch in batches[WARM_UP:]]
    medians = {name: statistics.median(times[name] for times in found) for name in found[0]}
    print("| | ms | share |\n|---|---|---|")
    for name, value in medians.items():
        print(f"| {name} | {value:.1f} | {value / medians['all']:.0%} |")


if __name__ == "__main__":
    main()
