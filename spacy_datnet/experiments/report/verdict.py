"""What the runs say, in words: does the source help, which variant to take, what would more sentences bring."""

from dataclasses import dataclass
from typing import NamedTuple

from ..forecast import LEVEL, learning_curve
from ..grid import Size
from ..results import Results, Summary, in_percent
from ..tables import write_p

# differences with a larger p-value are called uncertain
SIGNIFICANT = 0.05


class Gain(NamedTuple):
    """A variant beside one that does without the source, at one size.

    sentences (int): How many target sentences there are.
    variant (str): The variant.
    found (Summary): Its scores.
    reference (Summary): The scores of the other one.
    points (float): How much better it is on the test sentences of all seeds that both have.
    p (float): The p-value of that.
    better (int): In how many seeds it is better.
    seeds (int): How many seeds both have.
    """

    sentences: int
    variant: str
    found: Summary
    reference: Summary
    points: float
    p: float
    better: int
    seeds: int

    @property
    def helps(self) -> bool:
        """Whether it is certainly better."""
        return self.points > 0 and self.p < SIGNIFICANT

    @property
    def harms(self) -> bool:
        """Whether it is certainly worse."""
        return self.points < 0 and self.p < SIGNIFICANT


@dataclass(frozen=True)
class Answer:
    """An answer to a question.

    question (str): The question.
    short (str): The answer in a few words.
    text (str): The answer in some more words.
    points (Tuple[str, ...]): What it rests on.
    """

    question: str
    short: str
    text: str = ""
    points: tuple[str, ...] = ()


def gains(results: Results, corpora: str, reference: str) -> list[Gain]:
    """Compare each variant that learns from the source with one that does not, at each size."""
    return [
        gain
        for size in by_sentences(results, corpora)
        for variant in results.variants(corpora)
        if variant != reference and results.uses_source(corpora, variant)
        if (gain := gain_of(results, corpora, variant, size, reference)) is not None
    ]


def gain_of(results: Results, corpora: str, variant: str, size: Size, reference: str) -> Gain | None:
    """Compare two variants at one size; None without a common seed."""
    difference = results.compare(corpora, variant, size, reference)
    if difference is None:
        return None
    scores, others = (
        {record["seed"]: in_percent(record) for record in results.select(corpora, name, size)}
        for name in (variant, reference)
    )
    common = scores.keys() & others.keys()
    return Gain(
        results.sentences(corpora, size),
        variant,
        results.summary(corpora, variant, size),
        results.summary(corpora, reference, size),
        *difference,
        sum(scores[seed] > others[seed] for seed in common),
        len(common),
    )


def by_sentences(results: Results, corpora: str) -> list[Size]:
    """Sort the sizes by the number of target sentences."""
    return sorted(results.sizes(corpora), key=lambda size: results.sentences(corpora, size))


def reference_of(results: Results, corpora: str) -> str | None:
    """Choose the variant that shows what the target alone gives: the base, if it does without the source."""
    alone = [name for name in results.variants(corpora) if not results.uses_source(corpora, name)]
    return results.base if results.base in alone else next(iter(alone), None)


def does_the_source_help(results: Results, corpora: str) -> Answer:
    """Answer from the variant with the best dev score among those that learn from the source, at each size."""
    question = "Does the source help?"
    reference = reference_of(results, corpora)
    users = [name for name in results.variants(corpora) if results.uses_source(corpora, name)]
    if not users:
        return Answer(question, "These runs can't tell.", "No variant with a result learns from the source.")
    if reference is None:
        text = "Every variant with a result learns from the source. Add one that does not, such as configs/base.cfg."
        return Answer(question, "These runs can't tell.", text)
    found = []
    for size in by_sentences(results, corpora):
        there = {name: results.summary(corpora, name, size, "dev") for name in users}
        there = {name: one.mean for name, one in there.items() if one}
        if there and (gain := gain_of(results, corpora, max(there, key=there.get), size, reference)):
            found.append(gain)
    if not found:
        text = f"No seed and size has a result both with the source and of {reference} yet."
        return Answer(question, "These runs can't tell yet.", text)
    text = (
        "At each size, the variant with the source that has the best score on the development set, "
        f"against {reference}, on the test set:"
    )
    if len({gain.seeds for gain in found}) == 1 and found[0].seeds == 1:
        text = f"There is one seed only: other target sentences may give another answer. {text}"
    return Answer(question, _short(found), text, tuple(map(_describe, found)))


def _short(found: list[Gain]) -> str:
    helps, harms = [gain for gain in found if gain.helps], [gain for gain in found if gain.harms]
    unclear = [gain for gain in found if not (gain.helps or gain.harms)]
    parts = []
    if helps:
        largest = max(helps, key=lambda gain: gain.points)
        where = "" if len(helps) == len(found) else f" with {_counts(helps)} target sentences"
        upto = "by" if len(helps) == 1 else "by up to"
        parts.append(f"Yes{where}, {upto} {largest.points:.1f} points.")
    if harms:
        parts.append(f"{'No, it' if not helps else 'It'} does harm with {_counts(harms)} target sentences.")
    if unclear:
        where = "" if len(unclear) == len(found) else f" with {_counts(unclear)} target sentences"
        parts.append(f"No difference is certain{where}.")
    return " ".join(parts)


def _counts(found: list[Gain]) -> str:
    *first, last = [f"{gain.sentences:,}" for gain in found]
    return f"{', '.join(first)} and {last}" if first else last


def _describe(gain: Gain) -> str:
    seeds = "" if gain.seeds == 1 else f", better in {gain.better} of {gain.seeds} seeds"
    return (
        f"{gain.sentences:,} target sentences: {gain.variant} {gain.found}, without the source {gain.reference}. "
        f"{abs(gain.points):.1f} points {'more' if gain.points >= 0 else 'less'} ({say_p(gain.p)}{seeds})."
    )


def say_p(p: float) -> str:
    """Say a p-value, and whether it counts."""
    written = write_p(p)
    return f"p {written}" if written.startswith("<") else f"p = {written}"


def which_variant(results: Results, corpora: str) -> Answer:
    """Recommend the variant with the best dev score at the largest size."""
    size = results.largest(corpora)
    best = results.best(corpora, size)
    count = results.sentences(corpora, size)
    question = "Which variant should I take?"
    others = [name for name in results.variants(corpora) if name != best and results.select(corpora, name, size)]
    if not others:
        return Answer(question, f"{best}: there is no other with {count:,} target sentences.")
    text = (
        f"With {count:,} target sentences it has the best score on the development set "
        f"({results.summary(corpora, best, size, 'dev')}); on the test set it reaches "
        f"{results.summary(corpora, best, size)}."
    )
    equal = []
    for name in others:
        difference = results.compare(corpora, name, size, best)
        if difference is not None and (difference.points > 0 or difference.p >= SIGNIFICANT):
            equal.append(f"{name} ({results.summary(corpora, name, size)}, {say_p(difference.p)})")
    if equal:
        text += f" Not certainly worse on the test set: {', '.join(equal)}."
    points = []
    for other in by_sentences(results, corpora)[:-1]:
        if (name := results.best(corpora, other)) != best:
            fewer, score = results.sentences(corpora, other), results.summary(corpora, name, other)
            points.append(f"With {fewer:,} target sentences, {name} is best on the development set (test {score}).")
    short = best
    reference = reference_of(results, corpora)
    if reference is not None and results.uses_source(corpora, best):
        gain = gain_of(results, corpora, best, size, reference)
        if gain is not None and not gain.helps:
            short = f"{best}, but {reference}, which needs no source, is not certainly worse."
    return Answer(question, short, text, tuple(points))


def what_would_more_bring(results: Results, corpora: str) -> Answer:
    """Continue the learning curve of the recommended variant to twice and four times the sentences."""
    question = "What would more annotated sentences bring?"
    best = results.best(corpora, results.largest(corpora))
    records = [record for record in results.done if (record["corpora"], record["variant"]) == (corpora, best)]
    counts = [len(record["ids"]) for record in records]
    if len(set(counts)) < 3:
        text = "A learning curve can be continued from three sizes on. Add some to `sizes` in the grid."
        return Answer(question, "These runs can't tell.", text)
    curve = learning_curve(counts, [in_percent(record) for record in records])
    if curve is None:
        text = f"In these runs, more sentences do not raise the score of {best}, so its curve can't be continued."
        return Answer(question, "These runs can't tell.", text)
    now, most = curve.at(max(counts)).score, max(counts)
    points = []
    for factor, word in ((2, "Twice"), (4, "Four times")):
        new = curve.at(factor * most)
        points.append(
            f"{word} as many ({factor * most:,}): about {new.score:.1f}; {LEVEL:.0%} of new runs should lie "
            f"between {new.low:.1f} and {new.high:.1f}."
        )
    text = (
        f"This continues the curve of {best} as a power law from {most:,} sentences on, where it is at {now:.1f}. "
        f"It is a guess from {len(set(counts))} sizes, surer near them than far from them. It takes for granted that "
        "new sentences are like the ones you have and annotated alike; real curves flatten sooner or later, at the "
        "latest where annotators disagree."
    )
    twice = curve.at(2 * most)
    doubt = (twice.high - twice.low) / 2
    short = f"About {twice.score - now:.1f} points for twice as many, give or take {doubt:.1f}."
    return Answer(question, short, text, tuple(points))


def warnings_of(results: Results, corpora: str) -> list[str]:
    """List negative transfer: variants that are certainly worse with the source than without."""
    reference = reference_of(results, corpora)
    found = [] if reference is None else [gain for gain in gains(results, corpora, reference) if gain.harms]
    return [
        f"Negative transfer: with {gain.sentences:,} target sentences, {gain.variant} is {abs(gain.points):.1f} points "
        f"worse than {reference}, which does not see the source ({say_p(gain.p)}). Do not take it at this size: the "
        "source may be too different, or the training too short."
        for gain in found
    ]
