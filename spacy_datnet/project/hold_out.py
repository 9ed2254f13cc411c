"""The sentences of the target that do not train, but choose the step or judge."""

from dataclasses import dataclass

from ..corpora import DEV, TEST

SEED = 0
# from so many target sentences on, some can be spared to choose the step and to judge: this part, at most so many
SPARE = 200
SHARE = 0.2
MOST = 500
FOLDS = 3


@dataclass(frozen=True)
class HoldOut:
    """The sentences that do not train.

    dev (int): How many target sentences are split off to choose the step; 0 if there are others, or none.
    test (int): How many are split off to judge.
    folds (int): Into how many parts the target is split for a cross-validation; 0 for none.
    has_dev (bool): Whether there is a dev set, which chooses the step; otherwise the steps are fixed.
    dev_is_test (bool): Whether the given dev set judges, and so chooses nothing.
    reason (str): Why.
    """

    dev: int
    test: int
    folds: int
    has_dev: bool
    dev_is_test: bool
    reason: str

    @property
    def splits(self) -> bool:
        """Whether the target is split at all."""
        return bool(self.dev or self.test or self.folds)


def hold_out(n: int, *, has_dev: bool, has_test: bool, quick: bool = False) -> HoldOut:
    """Choose the sentences that do not train.

    n (int): How many target sentences there are to train on.
    has_dev (bool): Whether a dev set is given.
    has_test (bool): Whether a test set is given.
    quick (bool): Whether it is for a first look.
    RETURNS (HoldOut): The choice.
    """
    part = min(round(SHARE * n), MOST)
    if has_dev and has_test:
        return HoldOut(0, 0, 0, True, False, "dev and test are given")
    if n >= SPARE:
        dev, test = (0 if has_dev else part), (0 if has_test else part)
        named = " and ".join(f"{count} for {name}" for name, count in ((DEV, dev), (TEST, test)) if count)
        return HoldOut(dev, test, 0, True, False, f"of {n:,} target sentences, {named}, chosen at random (seed {SEED})")
    few = f"{n} target sentences are too few to spare any (from {SPARE} on, {SHARE:.0%} would be)"
    if has_test:
        return HoldOut(0, 0, 0, False, False, f"{few}: no dev set, a fixed number of steps, all of them train")
    if has_dev:
        return HoldOut(0, 0, 0, False, True, f"{few}: the dev set judges instead, and chooses no step")
    if quick:
        test = max(1, n // FOLDS)
        return HoldOut(0, test, 0, False, False, f"a first look: {test} of {n} target sentences judge (seed {SEED})")
    folds = min(FOLDS, n)
    text = f"{few}: each of {folds} parts is judged by what learns from the others (seed {SEED}), then all train"
    return HoldOut(0, 0, folds, False, False, text)
