"""Install a packaged pipeline into a fresh environment and check that it predicts what it was made from."""

import math
import subprocess
import sys
import tempfile
import venv
from pathlib import Path
from typing import Annotated

import spacy
import srsly
import typer
from spacy.tokens import DocBin
from wasabi import Printer

# texts that are shown with what was found in them
SHOWN = 3
REPOSITORY = Path(__file__).resolve().parents[2]

# runs in the fresh environment: nothing is imported but spaCy and the pipeline itself
PREDICT = """
import sys, srsly, spacy
nlp = spacy.load(sys.argv[1])
docs = nlp.pipe(srsly.read_json(sys.argv[2]))
sure = lambda ent: ent._.confidence if ent.has_extension("confidence") else None
ents = [[[e.text, e.start_char, e.label_, sure(e)] for e in doc.ents] for doc in docs]
srsly.write_json(sys.argv[3], ents)
"""


def try_wheel(
    package: Annotated[Path, typer.Argument(help="The directory that `spacy package` wrote.")],
    model: Annotated[Path, typer.Argument(help="The pipeline that was packaged.")],
    corpus: Annotated[Path, typer.Argument(help="A .spacy file whose texts are predicted.")],
) -> None:
    """Install, predict, compare; exit with 1 if a prediction differs."""
    msg = Printer()
    (wheel,) = (package / "dist").glob("*.whl")
    name = wheel.name.split("-")[0]
    nlp = spacy.load(model)
    texts = [doc.text for doc in DocBin().from_disk(corpus).get_docs(nlp.vocab)]
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        msg.info(f"Installing {wheel.name} into a scratch environment")
        venv.create(scratch / "env", with_pip=True)
        python = scratch / "env" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        # this package may not be on the registry that pip uses: its wheel is made from the repository
        build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", str(REPOSITORY)]
        subprocess.run([*build, "--wheel-dir", str(scratch)], check=True)
        constraint = ["--constraint", str(REPOSITORY / "constraints.txt")]
        install = [str(python), "-m", "pip", "install", "--quiet", *constraint]
        subprocess.run([*install, "--find-links", str(scratch), str(wheel.resolve())], check=True)
        srsly.write_json(scratch / "texts.json", texts)
        arguments = [name, scratch / "texts.json", scratch / "ents.json"]
        # from the scratch folder, so that nothing is imported from here
        subprocess.run([str(python), "-c", PREDICT, *map(str, arguments)], check=True, cwd=scratch)
        found = srsly.read_json(scratch / "ents.json")
    # spaCy's own components are not sure of anything
    expected = [[[e.text, e.start_char, e.label_, e._.confidence] for e in doc.ents] for doc in nlp.pipe(texts)]
    msg.good(f"{wheel.name}: {wheel.stat().st_size / 1e6:.2f} MB, installs and loads by name")
    different = sum(not same_entities(*pair) for pair in zip(found, expected, strict=True))
    if different:
        msg.fail(f"Predictions differ in {different} of {len(texts)} docs", exits=1)
    msg.good(f"{sum(map(len, found))} entities in {len(texts)} docs, the same as the trained pipeline's")
    for text, ents in list(zip(texts, found, strict=True))[:SHOWN]:
        msg.text(f"\n{text}")
        for entity, _, label, confidence in ents:
            msg.text(f"  {entity} ({label}{'' if confidence is None else f', {confidence:.2f}'})")


def same_entities(one: list, other: list) -> bool:
    """Compare the entities of a doc; confidences to four digits, because other cores round differently."""
    return [ent[:3] for ent in one] == [ent[:3] for ent in other] and all(
        a[3] == b[3] or math.isclose(a[3], b[3], abs_tol=1e-4) for a, b in zip(one, other, strict=True)
    )


if __name__ == "__main__":
    typer.run(try_wheel)
