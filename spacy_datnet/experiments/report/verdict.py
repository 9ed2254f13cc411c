"""What the runs say, in words: does the source help, which variant to take, what would more sentences bring."""

from math import isnan
from typing import NamedTuple

from ..forecast import LEVEL, learning_curve
from ..results import Results, Summary
from ..tables import write_p

# differences with a larger p-value are not called clear
SIGNIFICANT = 0.05
# with fewer, nothing is said about other sentences to train on
FEWEST_SEEDS = 3


class Gain(NamedTuple):
    """A variant beside one that does without the source, at one size: by how many points it is better on the test
    sentences, over the seeds that both have, and in how many of these. Would it be so on other test sentences (`p`, see
    `Results.compare`), and with other target sentences to train on (`p_of_seeds`, None with fewer than three seeds)?"""

    sentences: int
    variant: str
    found: Summary
    reference: Summary
    points: float
    p: float
    p_of_seeds: float | None
    better: int
    seeds: int

    @property
    def is_clear(self) -> bool:
        """Whether neither the choice of test sentences nor, as far as is known, that of seeds explains it."""
        return self.p < SIGNIFICANT and (self.p_of_seeds is None or self.p_of_seeds < SIGNIFICANT)

    @property
    def helps(self) -> bool:
        """Whether it is clearly better."""
        return self.points > 0 and self.is_clear

    @property
    def harms(self) -> bool:
        """Whether it is clearly worse."""
        return self.points < 0 and self.is_clear


class Answer(NamedTuple):
    """An answer to a question: in a few words, in some more, and the points that it rests on."""

    question: str
    short: str
    text: str = ""
    points: tuple[str, ...] = ()


def gain_of(results: Results, corpora: str, variant: str, size: str, reference: str) -> Gain | None:
    """Compare two variants at one size; None without a common seed."""
    difference = results.compare(corpora, variant, size, reference)
    found, of_reference = (results.summary(corpora, name, size) for name in (variant, reference))
    if difference is None or found is None or of_reference is None:
        return None
    one, other = (results.select(corpora, name, size).set_index("seed")["test"] for name in (variant, reference))
    common = one.index.intersection(other.index)
    p_of_seeds = None
    if len(common) >= FEWEST_SEEDS:
        from scipy.stats import ttest_rel

        p = float(ttest_rel(one[common], other[common]).pvalue)
        p_of_seeds = 1.0 if isnan(p) else p  # no seed differs
    better = int((one[common] > other[common]).sum())
    count = results.sentences(corpora, size)
    return Gain(count, variant, found, of_reference, *difference, p_of_seeds, better, len(common))


def by_sentences(results: Results, corpora: str) -> list[str]:
    """Sort the sizes by the number of target sentences."""
    return sorted(results.sizes(corpora), key=lambda size: results.sentences(corpora, size))


def sides(results: Results, corpora: str) -> tuple[str | None, list[str]]:
    """Choose the variant that shows what the target alone gives, the base if it does without the source; and list those
    that learn from the source."""
    users = [name for name in results.variants(corpora) if results.uses_source(corpora, name)]
    alone = [name for name in results.variants(corpora) if name not in users]
    return results.base if results.base in alone else next(iter(alone), None), users


def does_the_source_help(results: Results, corpora: str) -> Answer:
    """Answer from the variant with the best dev score among those that learn from the source, at each size."""
    question = "Does the source help?"
    reference, users = sides(results, corpora)
    if not users:
        return Answer(question, "These runs can't tell.", "No variant with a result learns from the source.")
    if reference is None:
        text = "Every variant with a result learns from the source. Add one that does not, such as configs/base.cfg."
        return Answer(question, "These runs can't tell.", text)
    best = {size: results.best(corpora, size, among=users) for size in by_sentences(results, corpora)}
    gains = [gain_of(results, corpora, name, size, reference) for size, name in best.items() if name is not None]
    found = [gain for gain in gains if gain is not None]
    if not found:
        text = f"No seed and size has a result both with the source and of {reference} yet."
        return Answer(question, "These runs can't tell yet.", text)
    text = (
        "At each size, the variant with the source that has the best score on the development set, "
        f"against {reference}, on the test set:"
    )
    if any(gain.p_of_seeds is None for gain in found):
        text = f"With fewer than three seeds, other target sentences to train on may give another answer. {text}"
    return Answer(question, _short(found), text, tuple(map(_describe, found)))


def _short(found: list[Gain]) -> str:
    helps, harms = [gain for gain in found if gain.helps], [gain for gain in found if gain.harms]
    unclear = [gain for gain in found if not gain.is_clear or not gain.points]
    parts = []
    if helps:
        largest = max(gain.points for gain in helps)
        where = "" if len(helps) == len(found) else f" with {_counts(helps)} target sentences"
        parts.append(f"Yes{where}, {'by' if len(helps) == 1 else 'by up to'} {largest:.1f} points.")
    if harms:
        parts.append(f"{'It does' if helps else 'No, it does'} harm with {_counts(harms)} target sentences.")
    if unclear:
        where = "" if len(unclear) == len(found) else f" with {_counts(unclear)} target sentences"
        parts.append(f"No difference is clear{where}.")
    if (most := max(gain.seeds for gain in found)) < FEWEST_SEEDS:
        parts.append("From one seed only." if most == 1 else f"From {most} seeds only.")
    return " ".join(parts)


def _counts(found: list[Gain]) -> str:
    *first, last = [f"{gain.sentences:,}" for gain in found]
    return f"{', '.join(first)} and {last}" if first else last


def _describe(gain: Gain) -> str:
    return (
        f"{gain.sentences:,} target sentences: {gain.variant} {gain.found}, without the source {gain.reference}. "
        f"{abs(gain.points):.1f} points {'more' if gain.points >= 0 else 'less'}, better in {gain.better} of "
        f"{gain.seeds} {'seed' if gain.seeds == 1 else 'seeds'} ({say_p(gain)})."
    )


def say_p(gain: Gain) -> str:
    """Say the p-values of a gain."""
    found = [(gain.p, "test sentences"), (gain.p_of_seeds, "seeds")]
    written = [(write_p(p), over) for p, over in found if p is not None]
    return ", ".join(f"p {p if p.startswith('<') else f'= {p}'} over {over}" for p, over in written)


def which_variant(results: Results, corpora: str) -> Answer:
    """Recommend the variant with the best dev score at the largest size."""
    question, size = "Which variant should I take?", results.largest(corpora)
    best, count = results.best(corpora, size), results.sentences(corpora, size)
    others = [name for name in results.variants(corpora, size) if name != best]
    if best is None or not others:
        return Answer(question, f"{best}: there is no other with {count:,} target sentences.")
    text = (
        f"With {count:,} target sentences it has the best score on the development set "
        f"({results.summary(corpora, best, size, 'dev')}); on the test set it reaches "
        f"{results.summary(corpora, best, size)}."
    )
    gains = [gain_of(results, corpora, name, size, best) for name in others]
    equal = [f"{gain.variant} ({gain.found}; {say_p(gain)})" for gain in gains if gain is not None and not gain.harms]
    if equal:
        text += f" Not clearly worse on the test set: {', '.join(equal)}."
    points = []
    for other in by_sentences(results, corpora)[:-1]:
        if (name := results.best(corpora, other)) is not None and name != best:
            fewer, score = results.sentences(corpora, other), results.summary(corpora, name, other)
            points.append(f"With {fewer:,} target sentences, {name} is best on the development set (test {score}).")
    short, (reference, users) = best, sides(results, corpora)
    if reference is not None and best in users:
        gain = gain_of(results, corpora, best, size, reference)
        if gain is not None and not gain.helps:
            short = f"{best}, but {reference}, which needs no source, is not clearly worse."
    return Answer(question, short, text, tuple(points))


def what_would_more_bring(results: Results, corpora: str) -> Answer:
    """Continue the learning curve of the recommended variant to twice and four times the sentences."""
    question, doubt = "What would more annotated sentences bring?", "These runs can't tell."
    best = results.best(corpora, results.largest(corpora))
    runs = results.select(corpora, best)
    sizes = set(runs["sentences"]) - {0}
    if len(sizes) < 3:
        text = "A learning curve can be continued from three sizes on. Add sizes to the grid."
        return Answer(question, doubt, text)
    curve = learning_curve(runs["sentences"], runs["test"])
    if curve is None:
        text = f"In these runs, more sentences do not raise the score of {best}, so its curve can't be continued."
        return Answer(question, doubt, text)
    most = int(max(sizes))
    now, twice, fourfold = (curve.at(factor * most) for factor in (1, 2, 4))
    points = tuple(
        f"{word} as many ({factor * most:,}): about {new.score:.1f}; if the law holds, {LEVEL:.0%} of new runs "
        f"lie between {new.low:.1f} and {new.high:.1f}."
        for word, factor, new in (("Twice", 2, twice), ("Four times", 4, fourfold))
    )
    text = (
        f"This continues the curve of {best} as a power law from {most:,} sentences on, where it is at "
        f"{now.score:.1f}. It is a guess from {len(sizes)} sizes, surer near them than far from them. "
        "It takes for granted that new sentences are like the ones you have and annotated alike; "
        "real curves flatten sooner or later, at the latest where annotators disagree."
    )
    short = (
        f"About {twice.score - now.score:.1f} points for twice as many, give or take "
        f"{(twice.high - twice.low) / 2:.1f} in a single run."
    )
    return Answer(question, short, text, points)


def warnings_of(results: Results, corpora: str) -> list[str]:
    """List negative transfer: variants that are clearly worse with the source than without."""
    reference, users = sides(results, corpora)
    gains = [
        gain_of(results, corpora, variant, size, reference)
        for size in by_sentences(results, corpora)
        for variant in users
        if reference is not None
    ]
    return [
        f"Negative transfer: with {gain.sentences:,} target sentences, {gain.variant} is {abs(gain.points):.1f} points "
        f"worse than {reference}, which does not see the source ({say_p(gain)}). Do not take it at this size: the "
        "source may be too different, or the training too short."
        for gain in gains
        if gain is not None and gain.harms
    ]
