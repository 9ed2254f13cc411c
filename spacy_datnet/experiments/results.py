"""What a folder of runs holds: the grid that was asked for, and the records of its runs."""

import re
from collections.abc import Iterable
from configparser import Error as ConfigParserError
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from spacy.util import dict_to_dot, load_config

from ..errors import Errors
from ._problems import ExperimentError
from .manifest import Done, GridRun, Manifest, read_grid_json
from .runs import label
from .significance import Difference, approximate_randomisation

# in the folder of a run
CONFIG, CURVE, IDS, LOG, PREDICTIONS = "config.cfg", "curve.jsonl", "ids.txt", "log.txt", "test.spacy"

# settings in which the runs of a variant differ
OF_RUN = (
    "system.seed",
    "training.seed",
    "training.logger.",
    "corpora.train.ids",
    "corpora.train.seed",
    "corpora.train.target_",
)
SCORES = {"ents_f": "F1 of entities", "tag_acc": "accuracy of tags", "pos_acc": "accuracy of tags"}


class Summary(NamedTuple):
    """The mean, in percent, the standard deviation (None for a single seed) and the number of scores."""

    mean: float
    std: float | None
    seeds: int

    def __str__(self) -> str:
        spread = "" if self.std is None else f" ± {self.std:.2f}"
        return f"{self.mean:.2f}{spread}"


@dataclass(frozen=True, eq=False)
class Results:
    """The runs of a grid, as far as they are done.

    folder (Path): The folder of the runs.
    title (str): What the grid is about.
    command (str): How it was started.
    current (Path): The folder that it was started from; paths in configs are looked up there.
    total (int): How many runs the grid has.
    done (DataFrame): A row for each run that ended well, in the order of the grid: key, corpora, variant, size, seed,
        test_path, score (which one), dev and test (its values in percent), sentences (of the target), steps, best_step,
        seconds, peak_mb, record.
    failed (DataFrame): A row for each run that failed, with its error.
    paper (Dict[Tuple[str, str, str], float]): The paper's numbers, by corpora, variant and size.
    base (str): The variant that others are compared with.
    """

    folder: Path
    title: str
    command: str
    current: Path
    total: int
    done: pd.DataFrame
    failed: pd.DataFrame
    paper: dict[tuple[str, str, str], float]
    base: str
    # what took time to find out
    _configs: dict[str, dict[str, Any]] = field(default_factory=dict, init=False, repr=False)
    _differences: dict[tuple, Difference] = field(default_factory=dict, init=False, repr=False)

    @property
    def waiting(self) -> int:
        """How many runs are not done yet."""
        return self.total - len(self.done) - len(self.failed)

    @property
    def corpora(self) -> list[str]:
        """The names of the corpora that have a result."""
        return list(self.done["corpora"].unique())

    def select(self, corpora: str, variant: str | None = None, size: str | None = None) -> pd.DataFrame:
        """Choose the runs on corpora, of a variant and at a size if these are given."""
        chosen = self.done["corpora"] == corpora
        for name, value in (("variant", variant), ("size", size)):
            chosen &= value is None or self.done[name] == value
        return self.done[chosen]

    def variants(self, corpora: str, size: str | None = None) -> list[str]:
        """List the variants that have a result on corpora, at a size if that is given."""
        return list(self.select(corpora, size=size)["variant"].unique())

    def sizes(self, corpora: str) -> list[str]:
        """List the sizes that have a result on corpora, in the order of the grid."""
        return list(self.select(corpora)["size"].unique())

    def summary(self, corpora: str, variant: str, size: str, part: str = "test") -> Summary | None:
        """Sum up the "test" or "dev" scores of a variant at one size; None if there is no result."""
        scores = self.select(corpora, variant, size)[part]
        if scores.empty:
            return None
        return Summary(float(scores.mean()), float(scores.std()) if len(scores) > 1 else None, len(scores))

    def sentences(self, corpora: str, size: str) -> int:
        """Count the target sentences that a size means."""
        return int(self.select(corpora, size=size)["sentences"].iloc[0])

    def largest(self, corpora: str) -> str:
        """Give the size with the most target sentences."""
        return max(self.sizes(corpora), key=lambda size: self.sentences(corpora, size))

    def best(self, corpora: str, size: str, among: Iterable[str] | None = None) -> str | None:
        """Choose the variant with the best mean dev score at a size; test scores must not decide what is reported.

        While a grid is running, the mean is that of the seeds that all of them have, if there are such.

        among (Optional[Iterable[str]]): The variants to choose from. Defaults to all.
        RETURNS (Optional[str]): The variant; None if none of them has a result at the size.
        """
        found = self.select(corpora, size=size)
        found = found if among is None else found[found["variant"].isin(list(among))]
        if found.empty:
            return None
        dev = found.pivot(index="seed", columns="variant", values="dev")[found["variant"].unique()]
        common = dev.dropna()
        return (dev if common.empty else common).mean().idxmax()

    def judged(self, corpora: str, size: str) -> list[str]:
        """List the variants that are looked at closely: the base and the best one, if they have a result at a size."""
        names = dict.fromkeys([self.base, self.best(corpora, size)])
        return [name for name in names if name is not None and not self.select(corpora, name, size).empty]

    def score(self, corpora: str) -> str:
        """Name the score of the runs on corpora, as in a config."""
        return self.select(corpora)["score"].iloc[0]

    def compare(self, corpora: str, variant: str, size: str, base: str | None = None) -> Difference | None:
        """Compare a variant with another one on the test sentences, over all seeds that both have.

        The p-value is about other test sentences. About other sentences to train on, only several seeds can tell.

        base (Optional[str]): The other one. Defaults to `base`.
        RETURNS (Optional[Difference]): The difference; None for the base itself, without a common seed, or if the test
            set changed between the runs.
        """
        base = base or self.base
        both = self.select(corpora, variant, size).merge(self.select(corpora, base, size), on="seed")
        pairs = [(one.counts, other.counts) for one, other in zip(both["record_x"], both["record_y"], strict=True)]
        if variant == base or len({len(counts) for pair in pairs for counts in pair}) != 1:
            return None
        asked = (corpora, variant, size, base)
        if asked not in self._differences:
            # (seeds, 2, sentences, 3) -> (2, sentences, 3)
            self._differences[asked] = approximate_randomisation(*np.sum(pairs, 0))
        return self._differences[asked]

    def config(self, key: str) -> dict[str, Any]:
        """List the settings of a run by their dotted names, references resolved; empty if its config is gone."""
        path = self.folder / key / CONFIG
        if key not in self._configs:
            try:
                self._configs[key] = dict_to_dot(load_config(path, interpolate=True)) if path.exists() else {}
            except (OSError, ValueError, ConfigParserError) as error:
                raise ExperimentError(Errors.DN314.format(path=self.folder, config=path, reason=error)) from error
        return self._configs[key]

    def config_of(self, corpora: str, variant: str) -> dict[str, Any]:
        """List the settings of the first run of a variant."""
        return self.config(self.select(corpora, variant)["key"].iloc[0])

    def configs(self, corpora: str) -> dict[str, dict[str, Any]]:
        """List the settings of variants by name, all at the same size, since some settings depend on it.

        It is the size at which most variants have a result, and the largest of such; those without one are left out.
        """
        firsts = {size: self.select(corpora, size=size).drop_duplicates("variant") for size in self.sizes(corpora)}
        size = max(firsts, key=lambda size: (len(firsts[size]), self.sentences(corpora, size)))
        return {run.variant: self.config(run.key) for run in firsts[size].itertuples()}

    def uses_source(self, corpora: str, variant: str) -> bool:
        """Tell whether a variant learns from the source: it reads it, and no component was told to do without."""
        settings = self.config_of(corpora, variant)
        transfer = [value for name, value in settings.items() if re.fullmatch(r"components\..*\.model\.transfer", name)]
        # spaCy's own components have no such setting, and learn from all that is read
        return bool(settings.get("corpora.train.source")) and (not transfer or any(one != "none" for one in transfer))

    def cut_short(self, corpora: str) -> list[str]:
        """Say which trainings were best at their last step, so that more steps would probably have been better."""
        found = []
        for (variant, size), runs in self.select(corpora).groupby(["variant", "size"], sort=False):
            last = int((runs["best_step"] == runs["steps"]).sum())
            if last:
                found.append(
                    f"Train longer: with {self.sentences(corpora, size):,} target sentences, {variant} was best on the "
                    f"development set at its last step ({runs['steps'].max():,}) in {last} of {len(runs)} "
                    f"{'run' if len(runs) == 1 else 'runs'}. Raise training.max_steps."
                )
        return found


def read_results(folder: Path, base: str | None = None) -> Results:
    """Read a folder of runs, also while the grid is running.

    folder (Path): The folder.
    base (Optional[str]): The variant that others are compared with. Defaults to the first one of the grid.
    RETURNS (Results): What it holds.
    """
    grid = read_grid_json(folder)
    known = list(dict.fromkeys(run.variant for run in grid.runs))
    if base is not None and base not in known:
        raise ExperimentError(Errors.DN310.format(base=base, known=", ".join(known)))
    records = Manifest(folder).checked()
    current = Path(grid.current)
    done, failed = [], []
    for run in grid.runs:
        if (record := records.get(run.key)) is None:
            continue
        # the same run may have several names in a grid, and another one than in its record
        row = {**run.model_dump(exclude={"test"}), "size": label(run.size), "test_path": current / run.test}
        if isinstance(record, Done):
            done.append(row | _numbers(record))
        else:
            failed.append({**row, "error": record.error})
    columns = [*GridRun.model_fields, "test_path"]
    return Results(
        folder=folder,
        title=grid.title,
        command=grid.command,
        current=current,
        total=len(grid.runs),
        done=pd.DataFrame(done, columns=None if done else columns),
        failed=pd.DataFrame(failed, columns=None if failed else columns),
        paper={(corpora, variant, label(size)): value for corpora, variant, size, value in grid.paper},
        base=base or known[0],
    )


def _numbers(record: Done) -> dict[str, Any]:
    """Pick what a row has of a record."""
    scores = {part: 100 * getattr(record, part)[record.score] for part in ("dev", "test")}
    same = {name: getattr(record, name) for name in ("score", "steps", "best_step", "seconds", "peak_mb")}
    return {**same, **scores, "sentences": len(record.ids), "record": record}


def name_of(score: str) -> str:
    """Name a score for people."""
    return SCORES.get(score, "F1 of spans" if score.startswith("spans_") else score)
