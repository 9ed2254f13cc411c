"""What a folder of runs holds: the grid that was asked for, and the records of its runs."""

import os
import statistics
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import srsly
from spacy.util import load_config

from ..corpora.files import replacing
from ..errors import Errors
from ._problems import ExperimentError
from .grid import Grid, Size
from .manifest import Manifest
from .significance import Difference, approximate_randomisation

GRID = "grid.json"
# in the folder of a run
CONFIG, CURVE, IDS, LOG, PREDICTIONS = "config.cfg", "curve.jsonl", "ids.txt", "log.txt", "test.spacy"
MODELS = "models"

# settings in which the runs of a variant differ
OF_RUN = (
    "system.seed",
    "training.seed",
    "training.logger.",
    "corpora.train.ids",
    "corpora.train.seed",
    "corpora.train.target_",
)

# what a run is called in a grid
OF_GRID = ("corpora", "variant", "size", "seed")

Record = dict[str, Any]
NAMES = {"ents_f": "F1 of entities", "tag_acc": "accuracy of tags", "pos_acc": "accuracy of tags"}


class Summary(NamedTuple):
    """The test scores of a variant at one size, in percent.

    mean (float): Their mean.
    std (Optional[float]): The standard deviation of the sample; None for a single seed.
    seeds (int): How many there are.
    """

    mean: float
    std: float | None
    seeds: int

    def __str__(self) -> str:
        spread = "" if self.std is None else f" ± {self.std:.2f}"
        return f"{self.mean:.2f}{spread}"


def write_grid(folder: Path, grid: Grid, command: str) -> None:
    """Write down what a folder of runs is for.

    folder (Path): The folder.
    grid (Grid): The grid that is run.
    command (str): How it was started.
    """
    runs = [
        {
            "key": run.key,
            "corpora": run.corpora,
            "variant": run.variant,
            "size": run.size,
            "seed": run.seed,
            "test": str(run.test),
        }
        for run in grid.runs
    ]
    paper = [
        [corpora, variant, size, value]
        for corpora, variants in grid.paper.items()
        for variant, sizes in variants.items()
        for size, value in sizes.items()
    ]
    content = {"title": grid.title, "command": command, "current": os.getcwd(), "paper": paper, "runs": runs}
    with replacing(folder / GRID) as file:
        file.write(srsly.json_dumps(content).encode("utf8"))


@dataclass(frozen=True)
class Results:
    """The runs of a grid, as far as they are done.

    folder (Path): The folder of the runs.
    title (str): What the grid is about.
    command (str): How it was started.
    current (Path): The folder that it was started from; paths in configs are looked up there.
    runs (List[Dict[str, Any]]): All runs of the grid, in its order: key, corpora, variant, size, seed, test.
    done (List[Dict[str, Any]]): The records of those that ended well, in the same order.
    failed (List[Dict[str, Any]]): The records of those that failed.
    paper (Dict[Tuple[str, str, Size], float]): The paper's numbers, by corpora, variant and size.
    base (str): The variant that others are compared with.
    """

    folder: Path
    title: str
    command: str
    current: Path
    runs: list[dict[str, Any]]
    done: list[Record]
    failed: list[Record]
    paper: dict[tuple[str, str, Size], float]
    base: str
    # what took time to find out
    _configs: dict[str, dict[str, Any]] = field(default_factory=dict, init=False, repr=False)
    _differences: dict[tuple, Difference] = field(default_factory=dict, init=False, repr=False)

    @property
    def waiting(self) -> int:
        """How many runs are not done yet."""
        return len(self.runs) - len(self.done) - len(self.failed)

    @cached_property
    def corpora(self) -> list[str]:
        """The names of the corpora that have a result."""
        return _distinct(record["corpora"] for record in self.done)

    def variants(self, corpora: str) -> list[str]:
        """List the variants that have a result on corpora."""
        return _distinct(record["variant"] for record in self.done if record["corpora"] == corpora)

    def sizes(self, corpora: str) -> list[Size]:
        """List the sizes that have a result on corpora, in the order of the grid."""
        return _distinct(record["size"] for record in self.done if record["corpora"] == corpora)

    def select(self, corpora: str, variant: str, size: Size) -> list[Record]:
        """Collect the records of a variant at one size, one per seed."""
        wanted = (corpora, variant, size)
        return [record for record in self.done if (record["corpora"], record["variant"], record["size"]) == wanted]

    def summary(self, corpora: str, variant: str, size: Size, part: str = "test") -> Summary | None:
        """Sum up the scores of a variant at one size; None if there is no result.

        part (str): "test" or "dev". Defaults to "test".
        """
        scores = [in_percent(record, part) for record in self.select(corpora, variant, size)]
        return summarise(scores) if scores else None

    def sentences(self, corpora: str, size: Size) -> int:
        """Count the target sentences that a size means."""
        (record, *_) = [record for record in self.done if (record["corpora"], record["size"]) == (corpora, size)]
        return len(record["ids"])

    def largest(self, corpora: str) -> Size:
        """Give the size with the most target sentences."""
        return max(self.sizes(corpora), key=lambda size: self.sentences(corpora, size))

    def best(self, corpora: str, size: Size, among: Iterable[str] | None = None) -> str | None:
        """Choose the variant with the best mean dev score at a size; test scores must not decide what is reported.

        While a grid is running, the mean is that of the seeds that all of them have, if there are such.

        among (Optional[Iterable[str]]): The variants to choose from. Defaults to all.
        RETURNS (Optional[str]): The variant; None if none of them has a result at the size.
        """
        scores = {}
        for name in self.variants(corpora) if among is None else among:
            if records := self.select(corpora, name, size):
                scores[name] = {record["seed"]: in_percent(record, "dev") for record in records}
        if not scores:
            return None
        common = set.intersection(*(set(by_seed) for by_seed in scores.values()))
        return max(
            scores,
            key=lambda name: statistics.mean(
                score for seed, score in scores[name].items() if seed in common or not common
            ),
        )

    def judged(self, corpora: str, size: Size) -> list[str]:
        """List the variants that are looked at closely: the base and the best one, if they have a result at a size."""
        names = _distinct([self.base, self.best(corpora, size)])
        return [name for name in names if self.select(corpora, name, size)]

    def score(self, corpora: str) -> str:
        """Name the score of the runs on corpora, as in a config."""
        return next(record["score"] for record in self.done if record["corpora"] == corpora)

    def compare(self, corpora: str, variant: str, size: Size, base: str | None = None) -> Difference | None:
        """Compare a variant with another one on the test sentences, over all seeds that both have.

        The p-value is about other test sentences. About other sentences to train on, only several seeds can tell.

        base (Optional[str]): The other one. Defaults to `base`.
        RETURNS (Optional[Difference]): The difference; None for the base itself, without a common seed, or if the test
            set changed between the runs.
        """
        base = base or self.base
        others = {record["seed"]: record for record in self.select(corpora, base, size)}
        pairs = [
            (record["counts"], others[record["seed"]]["counts"])
            for record in self.select(corpora, variant, size)
            if record["seed"] in others
        ]
        if variant == base or len({len(counts) for pair in pairs for counts in pair}) != 1:
            return None
        asked = (corpora, variant, size, base)
        if asked not in self._differences:
            # (seeds, 2, sentences, 3) -> (2, sentences, 3)
            self._differences[asked] = approximate_randomisation(*np.sum(pairs, 0))
        return self._differences[asked]

    def config(self, record: Record) -> dict[str, Any]:
        """List the settings of a run by their dotted names, references resolved; empty if its config is gone."""
        key, path = record["key"], self.folder / record["key"] / CONFIG
        if key not in self._configs:
            self._configs[key] = dict(_flat(load_config(path, interpolate=True))) if path.exists() else {}
        return self._configs[key]

    def config_of(self, corpora: str, variant: str) -> dict[str, Any]:
        """List the settings of the first run of a variant."""
        return self.config(next(r for r in self.done if (r["corpora"], r["variant"]) == (corpora, variant)))

    def configs(self, corpora: str) -> dict[str, dict[str, Any]]:
        """List the settings of variants by name, all at the same size, since some settings depend on it.

        It is the size at which most variants have a result, and the largest of such; those without one are left out.
        """
        there = {
            size: {name: found for name in self.variants(corpora) if (found := self.select(corpora, name, size))}
            for size in self.sizes(corpora)
        }
        size = max(there, key=lambda size: (len(there[size]), self.sentences(corpora, size)))
        return {name: self.config(records[0]) for name, records in there[size].items()}

    def uses_source(self, corpora: str, variant: str) -> bool:
        """Tell whether a variant learns from the source: it reads it, and no component was told to do without."""
        settings = self.config_of(corpora, variant)
        transfer = [
            value
            for name, value in settings.items()
            if name.startswith("components.") and name.endswith(".model.transfer")
        ]
        # spaCy's own components have no such setting, and learn from all that is read
        return bool(settings.get("corpora.train.source")) and (not transfer or any(one != "none" for one in transfer))

    def test_path(self, record: Record) -> Path:
        """Find the corpus that a run was evaluated on."""
        return self.current / next(run["test"] for run in self.runs if run["key"] == record["key"])


def read_results(folder: Path, base: str | None = None) -> Results:
    """Read a folder of runs, also while the grid is running.

    folder (Path): The folder.
    base (Optional[str]): The variant that others are compared with. Defaults to the first one of the grid.
    RETURNS (Results): What it holds.
    """
    path = folder / GRID
    if not path.is_file():
        raise ExperimentError(Errors.DN309.format(folder=folder))
    content = srsly.read_json(path)
    records = Manifest(folder).latest()
    # the same run may have another name in this grid, and even several
    there = [
        records[run["key"]] | {name: run[name] for name in OF_GRID} for run in content["runs"] if run["key"] in records
    ]
    known = _distinct(run["variant"] for run in content["runs"])
    if base is not None and base not in known:
        raise ExperimentError(Errors.DN310.format(base=base, known=", ".join(known)))
    return Results(
        folder=folder,
        title=content["title"],
        command=content["command"],
        current=Path(content["current"]),
        runs=content["runs"],
        done=[record for record in there if not record["error"]],
        failed=[record for record in there if record["error"]],
        paper={(corpora, variant, size): value for corpora, variant, size, value in content["paper"]},
        base=base or known[0],
    )


def in_percent(record: Record, part: str = "test") -> float:
    """Give the main score of a run."""
    return 100 * record[part][record["score"]]


def summarise(scores: list[float]) -> Summary:
    """Sum up scores of several seeds."""
    return Summary(statistics.mean(scores), statistics.stdev(scores) if len(scores) > 1 else None, len(scores))


def name_of(score: str) -> str:
    """Name a score for people."""
    return NAMES.get(score, "F1 of spans" if score.startswith("spans_") else score)


def _distinct(values: Iterable[Any]) -> list[Any]:
    return list(dict.fromkeys(values))


def _flat(block: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in block.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{place}{name}.")
        else:
            yield f"{place}{name}", value
