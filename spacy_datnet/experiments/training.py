"""One run: train, evaluate, and tell all that is needed to repeat and to judge it."""

import contextlib
import platform
import shutil
import sys
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import spacy
import srsly
import torch
from spacy.cli._util import setup_gpu
from spacy.language import Language
from spacy.scorer import Scorer
from spacy.tokens import DocBin
from spacy.training import Example
from spacy.util import import_file, load_config
from spacy.vocab import Vocab
from thinc.api import Config

from ..corpora.docbin import read_docbin, split_sentences
from ..resources import TARGET
from ..training.corpus import configure_SourceTargetCorpus
from ..training.features import compute_features
from ..training.folder import NAME, TrainingError
from ..training.resume import train
from .engines import MODELS
from .results import CONFIG, CURVE, IDS, LOG, PREDICTIONS
from .runs import Run
from .significance import counts_of

DEV_PREDICTIONS = "dev.spacy"
# errors of a training that is better begun anew: it was another one, or its state is damaged
CAN_NOT_GO_ON = ("[DN113]", "[DN114]")
PACKAGES = ("spacy-datnet", "spacy", "thinc", "torch", "numpy")


def execute(
    run: Run, folder: Path, *, threads: int = 1, use_gpu: int = -1, code: Path | None = None, show: bool = False
) -> dict[str, Any]:
    """Train and evaluate. A training that was interrupted goes on where it was.

    run (Run): What to do.
    folder (Path): A folder that is empty, or has the beginning of the same run. It gets the config, what the training
        prints, the models, and the docs of the test set as predicted, with their confidences.
    threads (int): Threads that torch may use. Defaults to 1.
    use_gpu (int): The number of a GPU. Defaults to -1, the CPU.
    code (Optional[Path]): A Python file that registers what the config names. Defaults to none.
    show (bool): Whether to show the training. Defaults to False: what it prints goes to a file.
    RETURNS (Dict[str, Any]): The record for the manifest. Its `error` is None.
    """
    torch.set_num_threads(threads)
    if code is not None:
        import_file("python_code", code)
    overrides = {**run.overrides, "corpora.train.ids": str(folder / IDS)}
    config = load_config(run.config, overrides=overrides, interpolate=False)
    config["training"]["logger"] = {
        "@loggers": "spacy-datnet.ConsoleLogger.v1",
        "progress_bar": show,
        "output_file": str(folder / CURVE),
    }
    config.to_disk(folder / CONFIG)
    start = time.perf_counter()
    with contextlib.ExitStack() as stack:
        if not show:
            log = stack.enter_context(open(folder / LOG, "a", encoding="utf8"))
            stack.enter_context(contextlib.redirect_stdout(log))
            stack.enter_context(contextlib.redirect_stderr(log))
        setup_gpu(use_gpu, silent=not show)
        _train(config, folder / MODELS, use_gpu=use_gpu, code=code, stdout=sys.stdout, stderr=sys.stderr)
        seconds = time.perf_counter() - start
        nlp = spacy.load(folder / MODELS / "model-best")
        dev_path = Path(config.interpolate()["paths"]["dev"])
        dev = evaluate(nlp, dev_path, folder / DEV_PREDICTIONS)
        dev_counts = counts_on(nlp.vocab, dev_path, folder / DEV_PREDICTIONS, main_score(nlp))
        test = evaluate(nlp, run.test, folder / PREDICTIONS)
        counts = counts_on(nlp.vocab, run.test, folder / PREDICTIONS, main_score(nlp))
    shutil.rmtree(folder / MODELS / NAME)  # what is needed to go on
    curve = list(srsly.read_jsonl(folder / CURVE))
    return {
        **run.facts(),
        "score": main_score(nlp),
        "dev": dev,
        "test": test,
        "counts": counts,
        "dev_counts": dev_counts,
        "curve": curve,
        "steps": curve[-1]["step"],
        "best_step": max(curve, key=lambda row: row["score"])["step"],
        "ids": [int(line) for line in (folder / IDS).read_text(encoding="utf8").split()],
        "seconds": max(round(seconds, 1), curve[-1]["seconds"]),  # the latter in all processes
        "peak_mb": peak_megabytes(),
        "versions": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "error": None,
    }


def _train(config: Config, output: Path, **how: Any) -> None:
    """Train, or go on, but not with what was begun otherwise or is damaged."""
    try:
        train(config, output, **how)
    except TrainingError as error:
        if not str(error).startswith(CAN_NOT_GO_ON):
            raise
        shutil.rmtree(output)
        Path(config["training"]["logger"]["output_file"]).unlink(missing_ok=True)
        train(config, output, **how)


def evaluate(nlp: Language, path: Path, predictions: Path | None = None) -> dict[str, Any]:
    """Score a pipeline on the sentences of a corpus.

    nlp (Language): The pipeline.
    path (Path): The corpus.
    predictions (Optional[Path]): Where to write the predicted docs, with their confidences. Defaults to nowhere.
    RETURNS (Dict[str, Any]): The scores that are numbers, and those per label.
    """
    examples = list(configure_SourceTargetCorpus(None, path)(nlp))
    compute_features(nlp, (example.predicted for example in examples), TARGET)
    # as `nlp.evaluate`, which keeps the predicted docs to itself
    docs = list(nlp.pipe(example.predicted for example in examples))
    scores = Scorer(nlp).score([Example(*pair) for pair in zip(docs, (eg.reference for eg in examples), strict=True)])
    if predictions is not None:
        DocBin(docs=docs, store_user_data=True).to_disk(predictions)
    return {name: score for name, score in scores.items() if isinstance(score, (int, float, Mapping))}


def counts_on(vocab: Vocab, path: Path, predictions: Path, score: str) -> list[tuple[int, int, int]]:
    """Count what a score is made of, for each sentence of a corpus: correct ones, predicted ones, annotated ones."""
    found = DocBin().from_disk(predictions).get_docs(vocab)
    gold = (sentence for doc in read_docbin(path, vocab) for sentence in split_sentences(doc))
    return [counts_of(*pair, score) for pair in zip(gold, found, strict=True)]


def main_score(nlp: Language) -> str:
    """Name the score that has the largest weight in the choice of the best model."""
    weights = nlp.config["training"]["score_weights"]
    return max(weights, key=lambda name: weights[name] or 0.0)


def peak_megabytes() -> int | None:
    """Tell how much memory this process has taken at most, in MB; None where the system doesn't say, as on Windows."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform != "darwin" else peak // 1024**2
