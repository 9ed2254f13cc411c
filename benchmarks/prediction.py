"""Speed beside another pipeline, in one process on one thread: of `nlp.pipe`, and of `nlp(text)`, one text at a time.

    python benchmarks/prediction.py PIPELINE OTHER_PIPELINE TEST.spacy --words 200000

Medians of several runs, the pipelines in turn; `nlp.pipe` on docs that are tokenized already. Times are those of the
thread, so that other processes disturb them little. Besides: where the time of one text goes, what the confidence
costs, how fast the first hundred sentences after loading are, and whether a batch is labelled as its docs alone are,
and as a plain rendering of the network would: packed `nn.LSTM`, a character CNN over every token, a Viterbi loop.
"""

import argparse
import contextlib
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import spacy
import torch
from reference import as_LSTM
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from torch.nn import functional as F

from spacy_datnet.models import batch
from spacy_datnet.models.batch import Batch
from spacy_datnet.nn import crf
from spacy_datnet.nn.datnet import DATNet
from spacy_datnet.nn.datnet_encoder import Inputs
from spacy_datnet.nn.decoders import Decoder
from spacy_datnet.pipeline.base import DATNetPipe

COLD = 100
# tokens of the texts that are labelled one at a time
LENGTHS = (10, 34)
# what is timed within a call, as "module: function"
PARTS = {
    "word features": (batch, "_word_features"),
    "layout": (batch.Layout, "of"),
    "spelling": (batch.Spelling, "of"),
    "character CNN": (DATNet, "features"),
    "LSTM": (DATNet, "contexts"),
    "Viterbi": (crf, "viterbi"),
    "forward-backward": (crf, "forward_backward"),
    "decoder, all of it": (Decoder, "decode"),
    "prediction, all of it": (DATNetPipe, "predict"),
}


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
    start = time.thread_time()
    for _ in nlp.pipe(docs):
        pass
    return time.thread_time() - start


def time_alone(pipelines: dict[str, Language], sentences: list[list[str]], runs: int) -> dict[str, float]:
    """Time `nlp(text)`, the pipelines in turn: the median milliseconds of each."""
    texts = [" ".join(words) for words in sentences]
    seconds: dict[str, list[float]] = {name: [] for name in pipelines}
    for i in range(runs + 1):
        for text in texts:
            for name, nlp in pipelines.items():
                start = time.thread_time()
                nlp(text)
                if i:  # the first run is a warm-up
                    seconds[name].append(time.thread_time() - start)
    return {name: 1e3 * statistics.median(values) for name, values in seconds.items()}


def time_parts(nlp: Language, sentences: list[list[str]]) -> dict[str, float]:
    """Time the parts of `nlp(text)`: the mean milliseconds of each, and of the whole call."""
    spent = dict.fromkeys(PARTS, 0.0)

    def timed(name: str, call: Callable) -> Callable:
        def run(*args: Any, **kwargs: Any) -> Any:
            start = time.thread_time()
            found = call(*args, **kwargs)
            spent[name] += time.thread_time() - start
            return found

        return run

    with contextlib.ExitStack() as stack:
        for name, (owner, function) in PARTS.items():
            stack.enter_context(patch.object(owner, function, timed(name, getattr(owner, function))))
        start = time.thread_time()
        for words in sentences:
            nlp(" ".join(words))
        spent["everything"] = time.thread_time() - start
    return {name: 1e3 * seconds / len(sentences) for name, seconds in spent.items()}


def count_differences(nlp: Language, sentences: list[list[str]]) -> int:
    """Count the sentences that are labelled differently in a batch and alone."""
    together = nlp.pipe(Doc(nlp.vocab, words=words) for words in sentences)
    alone = (nlp(Doc(nlp.vocab, words=words)) for words in sentences)

    def read(doc: Doc) -> list[tuple]:
        spans = [*doc.ents, *(span for group in doc.spans.values() for span in group)]
        return [(token.tag_, token.pos_) for token in doc] + [(span.start, span.end, span.label_) for span in spans]

    return sum(read(one) != read(other) for one, other in zip(together, alone, strict=True))


def plain_tags(network: DATNet, inputs: Inputs) -> list[int]:
    """Find the best path of one sentence with nothing of the package but its weights."""
    chars = network.characters
    window, width = chars.window, chars.embedding.weight.shape[1]
    rows = len(chars.embedding.weight)
    kernel = chars.filters.weight.view(-1, window, width).transpose(1, 2)
    border = torch.zeros(1, dtype=torch.int64)
    forms, start = [], 1
    for length in inputs.form_lengths.tolist():
        points = torch.cat([border, 1 + inputs.characters[start : start + length] % (rows - 1), border])
        found = F.conv1d(chars.embedding.weight[points].T, kernel, chars.filters.bias, padding=window // 2)
        forms.append(F.relu(found[:, 1:-1].amax(1)))
        start += length + 1
    features = torch.cat([torch.stack(forms)[inputs.forms], inputs.words], 1)[None]
    encoders = [network.shared, *([network.private["target"]] if network.private else [])]
    states = torch.cat([as_LSTM(encoder)(features)[0] for encoder in encoders], 2)[0]
    decoder = network.decoders["target"]
    emissions = decoder.emit(states)
    legal = decoder.legal_start, decoder.legal_transitions, decoder.legal_end
    start, transitions, end = (
        score.masked_fill(~may, -torch.inf)
        for score, may in zip((decoder.start, decoder.transitions, decoder.end), legal, strict=True)
    )
    best, pointers = start + emissions[0], []
    for emission in emissions[1:]:
        best, pointer = (best[:, None] + transitions).max(0)
        best = best + emission
        pointers.append(pointer)
    tags = [int((best + end).argmax())]
    for pointer in reversed(pointers):
        tags.append(int(pointer[tags[-1]]))
    return tags[::-1]


@torch.no_grad()
def count_differences_from_plain(nlp: Language, sentences: list[list[str]]) -> int:
    """Count the sentences that a plain rendering of the network labels differently."""
    (pipe,) = (pipe for _, pipe in nlp.pipeline if isinstance(pipe, DATNetPipe))
    docs = [Doc(nlp.vocab, words=words) for words in sentences]
    differences = 0
    for doc, prediction in zip(docs, pipe.predict(docs), strict=True):
        inputs = pipe.model.get_ref("features").predict(Batch([doc])).inputs(np.arange(1))
        differences += plain_tags(pipe.model.shims[0].network, inputs) != prediction.tags.tolist()
    return differences


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
    print(f"and by a plain rendering: {count_differences_from_plain(load(args.pipeline), test)} of {len(test)}")

    alone = {str(args.pipeline): load(args.pipeline), str(args.other): load(args.other)}
    for length in LENGTHS:
        chosen = [words for words in test if abs(len(words) - length) <= 1][:100]
        times = time_alone(alone, chosen, args.runs)
        for name, found in times.items():
            ratio = found / times[str(args.other)]
            print(f"{name}: {found:.2f} ms a text of {length} tokens, {ratio:.2f} x {args.other}")
        parts = time_parts(alone[str(args.pipeline)], chosen)
        print("; ".join(f"{name} {found:.2f}" for name, found in parts.items()))

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
