"""What the trained pipelines are worth, on sentences and on raw paragraphs, and which of them to take."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import spacy
from pydantic import TypeAdapter
from spacy.language import Language
from spacy.vocab import Vocab

from ..corpora import read_docbin
from ..corpora.progress import progress
from ..errors import Errors
from ..experiments.engines import MODELS
from ..experiments.paragraphs import counts_on_paragraphs, make_paragraphs
from ..experiments.results import Results
from ..experiments.significance import approximate_randomisation, f_score
from ..pipeline.export import keep_target_only, set_sentence_borders
from .plan import SPACY

# differences with a larger p-value are not called clear
SIGNIFICANT = 0.05


@dataclass
class Score:
    """What a variant reached.

    sentences (float): Its score on the test sentences, with their tokens and borders, in percent.
    paragraphs (float): Its score on raw text.
    dev (float): Its score on the dev set, which chose its step.
    seeds (int): How many trainings this is the mean of.
    seconds (float): How long a training took.
    """

    sentences: float
    paragraphs: float
    dev: float
    seeds: int
    seconds: float


@dataclass
class Comparison:
    """How far a variant is ahead of another one on the test sentences.

    of, than (str): The variants.
    points (float): The difference, in percent.
    p (float): The p-value over the test sentences, see `approximate_randomisation`.
    """

    of: str
    than: str
    points: float
    p: float

    @property
    def is_clear(self) -> bool:
        """Whether the choice of the test sentences is no likely reason."""
        return self.p < SIGNIFICANT


@dataclass
class Judgement:
    """What all variants reached, and which one to take.

    score (str): What is scored, as in a config.
    test (int): How many test sentences there are.
    scores (dict): What each variant reached.
    comparisons (list): Between the variants.
    chosen (str): The variant to take.
    reason (str): Why.
    model (str): The folder of its pipeline.
    """

    score: str
    test: int
    scores: dict[str, Score]
    comparisons: list[Comparison]
    chosen: str
    reason: str
    model: str

    def compare(self, of: str, than: str) -> Comparison | None:
        """Find a comparison, the one way or the other."""
        for one in self.comparisons:
            if (one.of, one.than) == (of, than):
                return one
            if (one.of, one.than) == (than, of):
                return Comparison(of, than, -one.points, one.p)
        return None


JSON = TypeAdapter(Judgement)


def read_judgement(path: Path) -> Judgement:
    """Read the file of a judgement. Raises DN431 if it is none."""
    try:
        return JSON.validate_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ValueError(Errors.DN431.format(path=path, reason=error)) from error


def usable(nlp: Language) -> Language:
    """Make of a trained pipeline what is exported: the target's part alone, after what sets sentence borders."""
    if any(hasattr(pipe, "drop_source") for _, pipe in nlp.components):
        keep_target_only(nlp)
    set_sentence_borders(nlp)
    return nlp


def judge(results: Results, has_dev: bool) -> Judgement:
    """Judge the variants of a grid of one project, all of whose runs are done.

    results (Results): The runs. Several corpora are the parts of a cross-validation.
    has_dev (bool): Whether a dev set chose the steps, and so may choose the variant.
    RETURNS (Judgement): What came out.
    """
    runs = results.done
    if not len(runs):
        raise ValueError(Errors.DN432.format(folder=results.folder))
    names = list(runs["variant"].unique())
    score = runs["score"].iloc[0]
    sentences: dict[str, list] = {name: [] for name in names}
    paragraphs: dict[str, list] = {name: [] for name in names}
    dev: dict[str, list] = {name: [] for name in names}
    with progress(total=len(runs), desc="Raw paragraphs", unit=" pipelines") as bar:
        for corpora in results.corpora:
            test = make_paragraphs(read_docbin(results.select(corpora)["test_path"].iloc[0], Vocab()), score)
            for name in names:
                found = results.select(corpora, name)
                sentences[name].append(np.sum([run.counts for run in found["record"]], 0))
                dev[name].append(np.sum([run.dev_counts for run in found["record"]], 0))
                on_text = []
                for key in found["key"]:
                    nlp = usable(spacy.load(_model(results, key)))
                    on_text.append(counts_on_paragraphs(nlp, test, score))
                    bar.update(1)
                paragraphs[name].append(np.sum(on_text, 0))
    # the parts of a cross-validation are one test set
    pooled, on_dev = ({name: np.concatenate(parts) for name, parts in one.items()} for one in (sentences, dev))
    scores = {}
    for name in names:
        found = runs[runs["variant"] == name]
        scores[name] = Score(
            sentences=float(f_score(pooled[name].sum(0))),
            paragraphs=float(f_score(np.concatenate(paragraphs[name]).sum(0))),
            dev=float(f_score(on_dev[name].sum(0))),
            seeds=int(found["seed"].nunique()),
            seconds=float(found["seconds"].sum()),
        )
    comparisons = compare_all(pooled)
    chosen, reason = choose(scores, compare_all(on_dev), has_dev)
    best = runs[runs["variant"] == chosen].sort_values("dev", kind="stable")["key"].iloc[-1]
    n_test = len(next(iter(pooled.values())))
    return Judgement(score, n_test, scores, comparisons, chosen, reason, str(_model(results, best)))


def compare_all(counts: Mapping[str, np.ndarray]) -> list[Comparison]:
    """Compare each variant with each before it, on the same sentences."""
    names = list(counts)
    return [
        Comparison(of, than, *map(float, approximate_randomisation(counts[of], counts[than])))
        for i, than in enumerate(names)
        for of in names[i + 1 :]
    ]


def choose(scores: Mapping[str, Score], comparisons: Sequence[Comparison], has_dev: bool) -> tuple[str, str]:
    """Choose the variant to take, and say why.

    The dev set chooses, since the test set could not judge any more what it has chosen; without one, there is only the
    test set. A component of spaCy's own is taken if it is clearly better: it does not tell how sure it is.

    scores (Mapping[str, Score]): What each variant reached.
    comparisons (Sequence[Comparison]): Between the variants, on the dev set.
    has_dev (bool): Whether there is a dev set.
    RETURNS (Tuple[str, str]): The variant and the reason.
    """
    where = "on the dev set" if has_dev else "on the test sentences, which flatters the best"
    names = list(scores)[::-1]  # of equals, the last
    ranked = sorted(names, key=lambda name: (-scores[name].dev, name.startswith(SPACY)))
    best, own = ranked[0], next((name for name in ranked if not name.startswith(SPACY)), ranked[0])
    if best == own:
        return best, f"it has the best score {where}"
    ahead = next(one for one in comparisons if {one.of, one.than} == {best, own})
    if ahead.is_clear:
        return best, f"it is clearly better {where}"
    return (
        own,
        f"{best} is ahead by {abs(ahead.points):.1f} points {where}, which is not certain, and has no confidences",
    )


def _model(results: Results, key: str) -> Path:
    return results.folder / key / MODELS / "model-best"
