"""What a project is to do with the files: which sentences judge, which network learns, for how long, and why."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ..corpora import DEV, TEST
from ..errors import Warnings
from ..kinds import POS, TAG, group_of
from .hold_out import HoldOut, hold_out
from .language import Language
from .look import Look
from .recipe import Features, Recipe, Transfer, make_recipe
from .vectors import Table, are_aligned

# steps with a source by the number of target sentences, where words have features from elsewhere
STEPS = {100: 1000, 500: 1600, 1000: 2000}
MOST_STEPS = 2400
# without such features, the network has to learn words from the corpora alone
PLAIN_STEPS = {50: 300, 500: 900}
MOST_PLAIN_STEPS = 1200
QUICK_STEPS = 200
# features that are trained along have their own dropout, and learn less from few sentences with more
PLAIN_DROPOUT = 0.3
EVALUATIONS = 8
LITTLE = 0.5
# tags: with so many target sentences a private encoder pays
MANY = 1000
# a source that is not so many times the target is said
SMALL = 3
# what spaCy's own component reads with, which has one table
BOTH_VECTORS = "corpus/both_vectors"
BASE, SPACY, DATNET = "base", "spaCy", {"full": "DATNet-F", "part": "DATNet-P"}


class Choice(NamedTuple):
    """A choice: what about, what was chosen, why, and where to change it."""

    name: str
    value: str
    reason: str
    where: str


@dataclass
class Plan:
    """What a project is to do.

    recipe (Recipe): The settings of its config.
    held (HoldOut): The sentences that do not train.
    variants (dict): What is trained: by name, the settings that differ from the config's.
    quick (bool): Whether it is for a first look.
    choices (list): What was chosen, and why.
    worries (list): What should be said.
    """

    recipe: Recipe
    held: HoldOut
    variants: dict[str, dict[str, Any]]
    quick: bool = False
    choices: list[Choice] = field(default_factory=list)
    worries: list[str] = field(default_factory=list)

    def notes(self, found: Look) -> dict[str, str]:
        """Say what each variant is."""
        recipe = self.recipe
        words = {"vectors": "the same word vectors", "none": "hashed features as well"}
        own = (
            f"spaCy's own component as `spacy init config` has it, with {words.get(recipe.features, 'no transformer')}"
        )
        if recipe.source_annotation:
            own += ", on the target alone, since the source is annotated otherwise"
        elif recipe.has_source:
            own += ", on source and target as one corpus"
            own += "; what it finds of labels that the target lacks is dropped" if foreign_labels(found) else ""
        notes = {name: own if name.startswith(SPACY) else "the config as it is" for name in self.variants}
        return notes | {BASE: "the target alone"}


def make_plan(
    found: Look,
    language: Language,
    *,
    tables: Sequence[Table] = (),
    checkpoint: str | None = None,
    has_raw: bool = False,
    quick: bool = False,
) -> Plan:
    """Choose everything.

    found (Look): What is in the files.
    language (Language): The language of the target.
    tables (Sequence[Table]): The word vectors of the target, and of the source if they are others.
    checkpoint (Optional[str]): A transformer, whose states are the word features if there are no vectors.
    has_raw (bool): Whether there is raw text, in whose contexts the transformer makes word vectors instead.
    quick (bool): Whether it is for a first look.
    RETURNS (Plan): The plan.
    """
    given = {role: role in found.parts for role in (DEV, TEST)}
    n = found.target.sentences
    held = hold_out(n, has_dev=given[DEV], has_test=given[TEST], quick=quick)
    n -= held.dev + held.test
    choices = [Choice("judging", _say(held), held.reason, "`--dev`, `--test`, and the command split in project.yml")]
    worries: list[str] = []
    features: Features = "vectors" if tables or (checkpoint and has_raw) else "frozen" if checkpoint else "none"
    transfer, reason = _transfer(found, n, features)
    changes: dict[str, Any] = {
        "lang": language.code,
        "output": "config.cfg",
        "has_dev": held.has_dev,
        "attribute": found.target.kind if found.task == "tagger" else POS,
        "spans_key": group_of(found.target.kind) or "chunks",
        # None: what the corpora have; a shared decoder needs the same labels for both
        "labels": found.shared_labels if found.same_labels else None,
    }
    if found.source is not None:
        changes["share_decoder"] = found.same_labels
        changes["source_annotation"] = None if found.same_kind else found.source.kind
        changes["own_vectors"] = len(tables) > 1
    choices.append(Choice("variant", {**DATNET, "none": "base model"}[transfer], reason, _where("transfer")))
    if found.source is not None:
        choices.append(Choice("decoder", *_decoder(found), _where("share_decoder")))
    choices.append(Choice("word features", *_features(tables, checkpoint, has_raw), "`--vectors` or `--checkpoint`"))
    steps, why = _steps(n, features, found, quick)
    changes |= {"max_steps": steps, **_rhythm(steps, held.has_dev)}
    place = "max_steps, patience and eval_frequency in [training] of config.cfg"
    choices.append(Choice("steps", f"{steps:,}", why, place))
    if features == "none":
        changes["dropout"] = PLAIN_DROPOUT
    if found.source is not None:
        worries += _worries_of(tables, found, n)
    recipe = make_recipe(found.task, transfer, features, **changes)
    share = "grows with the target" if recipe.target_share is None else f"{recipe.target_share:.0%} of them target"
    size = f"{recipe.batch_size} sentences"
    text = f"of source and target, {share}" if found.source is not None else "small, so that a pass has several updates"
    choices.append(Choice("batch", size, text, "[training.batcher] in config.cfg"))
    return Plan(recipe, held, _variants(recipe, found), quick, choices, worries)


def _say(held: HoldOut) -> str:
    if held.folds:
        return f"cross-validation in {held.folds} parts"
    if held.dev_is_test:
        return "fixed steps, dev judges"
    return "dev chooses the step, test judges" if held.has_dev else "fixed steps, test judges"


def _where(name: str) -> str:
    return f"{name} in [components.*.model] of config.cfg"


def _transfer(found: Look, n: int, features: Features) -> tuple[Transfer, str]:
    if found.source is None:
        return "none", "there is no source to learn from (`--source`)"
    if found.task == "tagger" and n >= MANY:
        return "part", f"a private encoder for each resource pays with {n:,} tagged sentences"
    text = "one encoder for source and target"
    if features == "none":
        return "full", f"{text}; without word vectors they share little but spelling, and spaCy's own may be ahead"
    return "full", f"{text}: ahead at every size in the measurements of this package"


def _decoder(found: Look) -> tuple[str, str]:
    if found.same_labels:
        return "shared", "the labels of the target are labels of the source"
    source = found.source
    if source is not None and not found.same_kind:
        return "separate", f"the source is annotated with {source.kind}, the target with {found.target.kind}"
    return "separate", "source and target have different labels"


def _features(tables: Sequence[Table], checkpoint: str | None, has_raw: bool) -> tuple[str, str]:
    if tables:
        known = " and ".join(f"{table.coverage:.0%}" for table in tables)
        which = " of the words of target and source" if len(tables) > 1 else " of the words of the target"
        return "word vectors", f"they are given, of width {tables[0].width}, and know {known}{which}"
    if checkpoint and has_raw:
        return (
            "word vectors",
            "the checkpoint makes them out of contexts in the raw text, and is not needed any more then",
        )
    if checkpoint:
        return "frozen transformer", "a checkpoint is given; its states are computed once and kept"
    return "hashed, trained along", "no word vectors and no checkpoint are given"


def _steps(n: int, features: Features, found: Look, quick: bool) -> tuple[int, str]:
    if quick:
        return QUICK_STEPS, "a first look; without --quick it takes longer and is better"
    by_size, most = (PLAIN_STEPS, MOST_PLAIN_STEPS) if features == "none" else (STEPS, MOST_STEPS)
    if found.source is None and features != "none":
        return make_recipe(found.task, "none", features).max_steps, "there is only the target to learn from"
    steps = next((steps for size, steps in by_size.items() if n < size), most)
    return steps, f"by the number of target sentences, {n:,}"


def _rhythm(steps: int, has_dev: bool) -> dict[str, int]:
    if not has_dev:
        return {"eval_frequency": steps, "patience": 0}
    frequency = max(1, steps // EVALUATIONS)
    return {"eval_frequency": frequency, "patience": 4 * frequency}


def own_component(found: Look) -> str | None:
    """Name spaCy's own component for the task."""
    if found.task == "tagger":
        return "tagger" if found.target.kind == TAG else "morphologizer"
    return "ner" if found.task == "ner" else None


def foreign_labels(found: Look) -> bool:
    """Whether a component that learns entities from both corpora learns some that the target does not have."""
    return found.task == "ner" and found.same_kind and not found.same_labels


def _variants(recipe: Recipe, found: Look) -> dict[str, dict[str, Any]]:
    """Say what is trained, by the settings that differ from the config's."""
    variants: dict[str, dict[str, Any]] = {BASE: {}}
    if recipe.has_source:
        base = make_recipe(recipe.task, "none", recipe.features)
        steps = min(base.max_steps, recipe.max_steps)
        variants[BASE] = {
            "corpora.train.source": None,
            f"components.{recipe.component}.model.transfer": "none",
            f"components.{recipe.component}.loss.discriminator": "none",
            f"components.{recipe.component}.loss.adversarial_training": False,
            "training.batcher.size": base.batch_size,
            "training.batcher.target_share": None,
            "training.before_update.rate": 0.0,
            "training.optimizer.learn_rate": base.learn_rate,
            "training.max_steps": steps,
            **{f"training.{name}": value for name, value in _rhythm(steps, recipe.has_dev).items()},
        }
    if (own := own_component(found)) is not None:
        variants[f"{SPACY} {own}"] = {"paths.vectors": BOTH_VECTORS} if recipe.own_vectors else {}
    if recipe.has_source:
        variants[DATNET[recipe.transfer]] = {}
    return variants


def _worries_of(tables: Sequence[Table], found: Look, n: int) -> list[str]:
    worries = []
    for table in tables:
        if table.coverage < LITTLE:
            worries.append(Warnings.DN452.format(place=table.place, share=table.coverage))
    if len(tables) == 1 and found.source is not None:
        known = sum(n for word, n in found.source.words.items() if word in tables[0].vectors)
        share = known / max(sum(found.source.words.values()), 1)
        if share < LITTLE:
            worries.append(Warnings.DN455.format(share=share))
    if found.source is not None and found.source.sentences < SMALL * n:
        worries.append(Warnings.DN456.format(ratio=found.source.sentences / n))
    if len(tables) == 2:
        aligned = are_aligned(*tables)
        if aligned is None:
            worries.append(Warnings.DN454)
        elif not aligned:
            worries.append(Warnings.DN453)
    return worries
