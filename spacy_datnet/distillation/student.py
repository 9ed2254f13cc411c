"""The student: its corpora, its config, and what it is worth beside its teachers."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path

import spacy
from spacy.tokens import Doc
from spacy.training.initialize import convert_vectors
from spacy.util import is_package
from thinc.api import Config

from ..corpora import make_vocab, read_docs, replacing_folder, sample_sentences, split_sentences, write_docbin
from ..errors import Errors
from ..kinds import ATTRIBUTES, ENTS, group_of
from ..pipeline.annotations import annotation_of
from ..project.recipe import make_recipe, render_config
from ..resources import SOURCE, TARGET
from .sentences import RawSentence, read_sentences
from .teachers import Teacher, f_score, items_of

# of the gold sentences, what calibrates the student's confidences without a dev set; with fewer, nothing does
HELD_OUT, FEWEST = 0.2, 50
BATCH_SIZE = 32
# how often the labelled sentences are seen, within limits
PASSES, FEWEST_STEPS, MOST_STEPS = 15, 500, 20_000
# how much of a training goes by between two scores, and without a better one
BETWEEN, PATIENCE = 20, 4
# sentences on which pipelines are compared and timed
SAMPLE = 500


@dataclass(frozen=True)
class Corpora:
    """The annotated corpora of a distillation, in sentences.

    gold (List[Doc]): Sentences of the target that are learnt from.
    held (List[Doc]): Sentences of the target that calibrate, where there is no dev set.
    dev (List[Doc]): Sentences of the target that choose the step and calibrate.
    source (List[Doc]): Sentences of the source.
    """

    gold: list[Doc]
    held: list[Doc]
    dev: list[Doc]
    source: list[Doc]

    @classmethod
    def read(cls, lang: str, gold: str | None, dev: str | None, source: str | None) -> "Corpora":
        """Read corpora. Without a dev set, a part of the gold sentences is held out if there are enough."""

        def sentences(path: str | None) -> list[Doc]:
            docs = [] if path is None else read_docs(path, make_vocab(lang))
            return [sentence for doc in docs for sentence in split_sentences(doc)]

        found, held = sentences(gold), set[int]()
        if dev is None and len(found) >= FEWEST:
            held = {*sample_sentences(len(found), ratio=HELD_OUT, seed=0)}
        learnt = [doc for i, doc in enumerate(found) if i not in held]
        return cls(learnt, [found[i] for i in sorted(held)], sentences(dev), sentences(source))

    @property
    def known(self) -> set[tuple[str, ...]]:
        """The words of all sentences of the target, which no teacher shall label."""
        docs = chain(self.gold, self.held, self.dev)
        return {tuple(token.text for token in doc if not token.is_space) for doc in docs}

    def labels(self, kind: str) -> set[str]:
        """Collect the labels of the target."""
        docs = chain(self.gold, self.held, self.dev)
        return {label for doc in docs for label in annotation_of(kind).labels_of(doc)}

    def write(self, folder: Path) -> dict[str, str]:
        """Write what a training reads, and give the paths of a config."""
        parts = {"gold": self.gold, "dev": self.dev or self.held, "source": self.source}
        paths = {name: folder / f"{name}.spacy" for name, docs in parts.items() if docs or name == "dev"}
        for name, path in paths.items():
            write_docbin(parts[name], path)
        return {name: path.as_posix() for name, path in paths.items()}


def make_vectors(place: str, lang: str, folder: Path) -> str:
    """Name a pipeline with word vectors; it is made if they are in a text file. Raises DN426 if there is neither."""
    if Path(place).is_dir() or is_package(place):
        return place
    if not Path(place).is_file():
        raise ValueError(Errors.DN426.format(place=place, folder=Path.cwd()))
    if not folder.exists():
        nlp = spacy.blank(lang)
        convert_vectors(nlp, Path(place), truncate=0, prune=-1)
        with replacing_folder(folder) as unfinished:
            nlp.to_disk(unfinished)
    return folder.as_posix()


def make_config(
    kind: str,
    lang: str,
    labelled: Path,
    sentences: int,
    labels: Sequence[str],
    corpora: Corpora,
    paths: dict[str, str],
) -> Config:
    """Make the config of a student: the base network, or DATNet-F with a source.

    kind (str): What it learns: "ents", "tag", "pos" or "spans:KEY".
    lang (str): Its language.
    labelled (Path): The folder that the teachers labelled.
    sentences (int): How many sentences there are in it.
    labels (Sequence[str]): What the teachers gave.
    corpora (Corpora): The annotated corpora.
    paths (Dict[str, str]): The corpora's files, and possibly `vectors`.
    RETURNS (Config): The config, not interpolated.
    """
    annotation, key = annotation_of(kind), group_of(kind)
    target, source = (
        {label for doc in docs for label in annotation.labels_of(doc)} for docs in (corpora.gold, corpora.source)
    )
    every, shared = sorted({*labels, *target}), source <= {*labels, *target}
    has_dev, steps = bool(corpora.dev), min(max(PASSES * sentences // BATCH_SIZE, FEWEST_STEPS), MOST_STEPS)
    recipe = make_recipe(
        "ner" if kind == ENTS else "tagger" if kind in ATTRIBUTES else "chunker",
        "full" if corpora.source else "none",
        "vectors" if "vectors" in paths else "none",
        **({"attribute": kind} if kind in ATTRIBUTES else {}),
        **({} if key is None else {"spans_key": key}),
        lang=lang,
        paths={**paths, "train": labelled.as_posix()},
        labels={TARGET: every, SOURCE: sorted(source)} if corpora.source and not shared else every,
        source_annotation=None,
        own_vectors=False,
        share_decoder=bool(corpora.source) and shared,
        has_dev=has_dev,
        batch_size=BATCH_SIZE,
        decay=0.05,
        max_steps=steps,
        patience=steps // PATIENCE if has_dev else 0,
        eval_frequency=steps // BETWEEN if has_dev else steps,
    )
    config = Config().from_str(render_config(recipe), interpolate=False)
    config["paths"]["gold"] = paths.get("gold")
    config["corpora"]["train"] = {
        "@readers": "spacy-datnet.DistilledCorpus.v1",
        "labelled": "${paths.train}",
        "gold": "${paths.gold}",
        "source": "${paths.source}" if corpora.source else None,
        "soft": True,
    }
    config["training"]["max_epochs"] = -1  # a million sentences are read in parts
    if not has_dev:  # the last step is the best one, whatever the sentences say that calibrate
        weights = config["training"]["score_weights"]
        config["training"]["score_weights"] = {name: weight and 0.0 for name, weight in weights.items()}
    if corpora.held:
        config["training"]["before_to_disk"] = {"@callbacks": "spacy-datnet.calibrate.v1"}
    return config


@dataclass(frozen=True)
class Outcome:
    """What a pipeline is worth.

    place (str): The pipeline.
    dev (Optional[float]): F1 (of tags, accuracy) on the dev set; None without one.
    agreement (float): The same, with what the student says of raw text as the truth.
    speed (float): Words per second.
    """

    place: str
    dev: float | None
    agreement: float
    speed: float


def compare(teachers: Sequence[Teacher], student: Teacher, dev: Sequence[Doc], raw: Sequence[str]) -> list[Outcome]:
    """Compare teachers and student, which comes last, on the dev set and on raw text."""
    lang = student.nlp.lang or "xx"
    sample = list(islice(read_sentences(raw, lang), SAMPLE))
    gold, words = items_of(student.annotation, dev), [_bare(doc) for doc in dev]
    said, found = student.items(sample), []
    for one in (*teachers, student):
        on_dev = f_score(one.items(words), gold) if dev else None
        one.items(sample[:1])  # what is loaded at the first use is no matter of speed
        start = time.perf_counter()
        agreement = f_score(one.items(sample), said)
        speed = sum(len(sentence.words) for sentence in sample) / (time.perf_counter() - start)
        found.append(Outcome(one.place, on_dev, agreement, speed))
    return found


def _bare(doc: Doc) -> RawSentence:
    return RawSentence([token.text for token in doc], [bool(token.whitespace_) for token in doc])
