"""What came out of a project, in a sentence: what was reached, whether the source helped, what would help next."""

from pathlib import Path

from ..experiments.tables import write_p
from .judge import Comparison, Judgement
from .plan import BASE, DATNET, SPACY

ADVICE = {
    "full": "the same without --quick",
    "source": "a source: a big corpus of a neighbouring language or domain with the same kind of annotation (--source)",
    "vectors": "word vectors (--vectors), of two languages in one space, or a multilingual checkpoint (--checkpoint)",
    "aligned": "word vectors of both languages that lie in one space (--vectors)",
    "coverage": "word vectors that know more of the words, such as some made from raw text of the target (--vectors)",
    "sentences": "more annotated target sentences: twice as many",
    "checkpoint": "a multilingual checkpoint (--checkpoint), or raw text of the target for better word vectors",
}


def conclude(judged: Judgement, wheel: Path | None, advice: str, *, crossed: bool = False) -> str:
    """Say what came out.

    judged (Judgement): What the variants reached.
    wheel (Optional[Path]): The wheel.
    advice (str): What would help most next, one of `ADVICE`.
    crossed (bool): Whether the scores are those of a cross-validation.
    RETURNS (str): One sentence.
    """
    name, own = judged.chosen, judged.scores[judged.chosen]
    measure = "% of the tags right" if judged.score.endswith("_acc") else " F1"
    how = "in a cross-validation over" if crossed else "on"
    parts = [
        f"{name} reaches {own.sentences:.1f}{measure} {how} {judged.test:,} test sentences and {own.paragraphs:.1f} on "
        "raw text with borders and tokens of its own",
        _source(judged),
    ]
    if (other := _other(judged)) is not None:
        parts.append(_against_spacy(other, name))
    seeds = max(score.seeds for score in judged.scores.values())
    if seeds == 1:
        parts.append("all of it from one seed, so that other sentences to train on may change the order")
    if wheel is not None:
        parts.append(f"the wheel is {wheel.as_posix()} ({name}: {judged.reason})")
    parts.append(f"what would help most next is {ADVICE[advice]}")
    return "; ".join(filter(None, parts)) + "."


def _source(judged: Judgement) -> str:
    network = next((name for name in judged.scores if name in DATNET.values()), None)
    found = judged.compare(network, BASE) if network and BASE in judged.scores else None
    if found is None:
        return "there was no source to learn from"
    return f"{_verdict(found)} ({_points(found)} the target alone, {BASE}, {_p(found)})"


def _verdict(found: Comparison) -> str:
    if not found.is_clear:
        return "whether the source helped is not certain"
    return "the source helped" if found.points > 0 else "the source did harm"


def _other(judged: Judgement) -> Comparison | None:
    name = next((name for name in judged.scores if name.startswith(SPACY)), None)
    of = judged.chosen
    if of == name:
        of = next((one for one in reversed(judged.scores) if one != name), of)
    return judged.compare(of, name) if name and of != name else None


def _against_spacy(found: Comparison, chosen: str) -> str:
    start = "it is" if found.of == chosen else f"{found.of} is"
    sure = "" if found.is_clear else ", not a certain difference"
    return f"{start} {_points(found)} {found.than} on the same sentences ({_p(found)}{sure})"


def _points(found: Comparison) -> str:
    return f"{abs(found.points):.1f} points {'above' if found.points >= 0 else 'below'}"


def _p(found: Comparison) -> str:
    written = write_p(found.p)
    return f"p {written}" if written.startswith("<") else f"p = {written}"
