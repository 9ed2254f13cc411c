"""Folders of runs that were never trained: records, predictions and configs as `run` leaves them."""

from collections.abc import Callable, Iterable
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import spacy
from spacy.tokens import Doc, DocBin, Span
from thinc.api import Config
from util import write_docs

from spacy_datnet.experiments.grid import Grid, Run, Size
from spacy_datnet.experiments.manifest import Manifest, write_grid
from spacy_datnet.experiments.results import Results, read_results
from spacy_datnet.experiments.significance import counts_of
from spacy_datnet.pipeline.extensions import register_extensions

VOCAB = spacy.blank("es").vocab
SCORES = {"ner": "ents_f", "tagger": "tag_acc", "chunker": "spans_chunks_f"}
LABELS = {"ner": ("LOC", "PER"), "tagger": ("N", "V"), "chunker": ("NP", "VP")}
SENTENCES = 60

# what a variant is made of: does it see the source, and how good it is: (target sentences, seed) -> between 0 and 1
Variant = tuple[bool, Callable[[int, int], float]]


def annotate(task: str, words: list[str], labels: Iterable[str], confidence: float | None = None) -> Doc:
    """A sentence whose second and third word have a label each; an empty label is none."""
    register_extensions()
    doc = Doc(VOCAB, words=words)
    spans = [Span(doc, i, i + 1, label=label) for i, label in enumerate(labels, start=1) if label]
    if task == "tagger":
        for token in doc:
            token.tag_ = "X"
        for span in spans:
            span[0].tag_ = span.label_
        if confidence is not None:
            for token in doc:
                token._.tag_confidence = confidence
        return doc
    name = "confidence" if task == "ner" else "chunk_confidence"
    if confidence is not None:
        for span in spans:
            span._.set(name, confidence)
    if task == "ner":
        doc.set_ents(spans)
    else:
        doc.spans["chunks"] = spans
    return doc


def words_of(number: int) -> list[str]:
    return [f"w{number}", f"Ana{number}", f"Madrid{number}", "."]


def gold_docs(task: str) -> list[Doc]:
    first, second = LABELS[task]
    return [annotate(task, words_of(i), (first, second if i % 2 else first)) for i in range(SENTENCES)]


def predicted_docs(task: str, quality: float, seed: int) -> list[Doc]:
    """Each label is right with a probability, else the other one, or missing; the confidence is that probability."""
    rng = np.random.default_rng(seed)
    first, second = LABELS[task]
    docs = []
    for i in range(SENTENCES):
        labels = []
        for label in (first, second if i % 2 else first):
            wrong = rng.choice([second if label == first else first, "" if task != "tagger" else second])
            labels.append(label if rng.random() < quality else wrong)
        docs.append(annotate(task, words_of(i), labels, confidence=quality))
    return docs


def config_of(task: str, uses_source: bool, folder: Path, settings: dict[str, Any]) -> Config:
    config = Config(
        {
            "paths": {"source": str(folder / "source.spacy")},
            "system": {"seed": 0},
            "corpora": {
                "train": {
                    "source": "${paths.source}" if uses_source else None,
                    "target": str(folder / "target.spacy"),
                    "seed": 0,
                }
            },
            "components": {f"datnet_{task}": {"model": {"transfer": "full" if uses_source else "none"}, "loss": {}}},
        }
    )
    config["components"][f"datnet_{task}"]["loss"] |= settings
    return config


def make_results(
    folder: Path,
    variants: dict[str, Variant],
    *,
    task: str = "ner",
    corpora: Iterable[str] = ("es",),
    sizes: Iterable[Size] = (10, 100, 1000),
    seeds: Iterable[int] = (0, 1),
    settings: dict[str, dict[str, Any]] | None = None,
    paper: dict | None = None,
    failed: Callable[[Run], str | None] = lambda run: None,
    waiting: Callable[[Run], bool] = lambda run: False,
    title: str = "A grid",
) -> Results:
    """Write a folder of runs, and read it.

    settings (Optional[Dict[str, Dict[str, Any]]]): By variant, settings of its loss.
    failed (Callable): The error of a run, None if it ended well.
    waiting (Callable): Whether a run is not done yet.
    """
    runs_folder = folder / "runs"
    folder.mkdir(parents=True, exist_ok=True)
    test = write_docs(folder / "test.spacy", gold_docs(task))
    write_docs(folder / "source.spacy", [Doc(VOCAB, words=["the", "dog", f"has{i}"]) for i in range(30)])
    write_docs(folder / "target.spacy", gold_docs(task))
    config = folder / "small.cfg"
    config.write_text("[paths]\n")
    runs = []
    for which in product(corpora, variants, sizes, seeds):
        overrides = dict(zip(("corpora", "variant", "size", "seed"), which, strict=True))
        runs.append(Run(*which, config, overrides, test, {"test": str(test)}))
    manifest = Manifest(runs_folder)
    write_grid(runs_folder, Grid(title, runs, paper or {}), "python -m spacy_datnet run grid.yaml runs")
    for run in runs:
        if waiting(run):
            continue
        uses_source, quality = variants[run.variant]
        record = {"key": run.key, "corpora": run.corpora, "variant": run.variant, "size": run.size, "seed": run.seed}
        if error := failed(run):
            manifest.add({**record, "error": error, "traceback": ""})
            continue
        count = run.size if isinstance(run.size, int) else round(2000 * (1 if run.size == "all" else run.size))
        found = predicted_docs(task, quality(count, run.seed), 100 * run.seed + len(run.variant))
        place = runs_folder / run.key
        place.mkdir()
        DocBin(docs=found, store_user_data=True).to_disk(place / "test.spacy")
        config_of(task, uses_source, folder, (settings or {}).get(run.variant, {})).to_disk(place / "config.cfg")
        score = SCORES[task]
        counts = [counts_of(*pair, score) for pair in zip(gold_docs(task), found, strict=True)]
        correct, predicted, annotated = np.sum(counts, 0).tolist()
        value = 2 * correct / (predicted + annotated)
        told = [90.0, 70.0, 60.0 + run.seed] if uses_source else [0.0, 0.0, 0.0]
        manifest.add(
            {
                **record,
                "overrides": run.overrides,
                "score": score,
                "dev": {score: value},
                "test": {score: value},
                "counts": counts,
                "curve": [
                    {"step": 10 * i, "score": value, "losses": {f"datnet_{task}": {"accuracy": accuracy}}}
                    for i, accuracy in enumerate(told)
                ],
                "steps": 20,
                "best_step": 10,
                "ids": list(range(count)),
                "seconds": 1.5,
                "peak_mb": 300,
                "versions": {"python": "3.11", "spacy": "3.8"},
                "error": None,
            }
        )
    return read_results(runs_folder)
