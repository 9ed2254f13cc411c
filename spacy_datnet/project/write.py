"""Writing a project: project.yml, the config, the grid of what is compared, and a README with its facts."""

import shlex
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..corpora import DEV, TEST, TRAIN
from .hold_out import SEED
from .language import Language
from .look import Look, Part
from .own import own_config
from .places import package_name
from .plan import BASE, SPACY, Plan, foreign_labels, own_component
from .recipe import environment, render_config
from .steps import ALL, CONFIG, OWN, Material, steps_of
from .vectors import Table, are_aligned

# labels that are listed, the commonest first
LABELS = 12


@dataclass(frozen=True)
class Project:
    """All that is known when a project is written.

    folder (Path): Its folder.
    command (str): How it was made.
    found (Look): What is in the files.
    language (Language): The language of the target.
    source_language (Optional[str]): The code of that of the source.
    plan (Plan): What to do.
    material (Material): What the commands work on.
    tables (List[Table]): The word vectors.
    """

    folder: Path
    command: str
    found: Look
    language: Language
    source_language: str | None
    plan: Plan
    material: Material
    tables: list[Table]

    @property
    def name(self) -> str:
        """The name of the wheel, without the language."""
        return package_name(self.folder)

    @property
    def worries(self) -> list[str]:
        """What should be said of the files."""
        return [*self.found.worries, *self.plan.worries]

    @property
    def next_command(self) -> str:
        """How to go on."""
        return f"python -m spacy project run all {shlex.quote(str(self.folder))}"

    @property
    def facts(self) -> list[str]:
        """What is in the files, a line each."""
        lines = [_describe(part) for part in self.found.parts.values()]
        how = "found in the files" if self.found.is_found else "as named"
        lines.append(f"task: {self.found.task}, from {self.found.target.kind} ({how})")
        lines.append(f"language: {self.language.code} ({self.language.reason})")
        if self.source_language is not None:
            lines[-1] += f"; of the source: {self.source_language}"
        for table in self.tables:
            known = f"{table.width} numbers, {table.coverage:.0%} of the words known"
            lines.append(f"vectors: {table.place}, {known}")
        if len(self.tables) == 2:
            space = {True: "in one space", False: "not in one space", None: "in one space or not: can't be told"}
            lines.append(f"vectors of target and source are {space[are_aligned(*self.tables)]}")
        for one in self.material.places:
            lines.append(f"{one.role} {one.given}: {'copied to' if one.copied else 'stays at'} {one.path}")
        return lines

    def grid(self, final: bool = False) -> dict[str, Any]:
        """Say what the grid holds, or that of the last training after a cross-validation."""
        corpora = self.material.corpora
        paths = {name: value for name, value in self.plan.recipe.paths.items() if name not in (TRAIN, DEV)}
        held = self.plan.held
        parts: dict[str, tuple[str | None, ...]]
        if not held.folds or final:
            train = corpora.get(ALL, corpora.get(TRAIN))
            test = corpora.get(TEST, train)
            parts = {self.name: (train, corpora.get(DEV, test), test)}
        else:
            parts = {
                f"{self.name}, part {i}": (f"corpus/fold-{i}/train.spacy", *[f"corpus/fold-{i}/test.spacy"] * 2)
                for i in range(1, held.folds + 1)
            }
        uses = (TRAIN, DEV, TEST)
        return {
            "title": self.name,
            "seed": SEED,
            "corpora": {name: {**paths, **dict(zip(uses, part, strict=True))} for name, part in parts.items()},
            "variants": self.plan.variants,
            "configs": {name: OWN if name.startswith(SPACY) else CONFIG for name in self.plan.variants},
            "notes": self.plan.notes(self.found),
        }

    def texts(self) -> dict[str, str]:
        """Render all files."""
        steps = steps_of(self.material)
        facts = {
            "project": self,
            "places": self.material.places,
            "plan": self.plan,
            "notes": self.plan.notes(self.found),
            "steps": steps,
            "workflow": [step.name for step in steps],
            "seed": SEED,
            "base": BASE,
        }
        templates = environment()
        found = {name: templates.get_template(f"{name}.jinja").render(**facts) for name in ("project.yml", "README.md")}
        found["grid.yaml"] = templates.get_template("grid.yaml.jinja").render(**self.grid())
        if self.plan.held.folds:
            found["final.yaml"] = templates.get_template("grid.yaml.jinja").render(**self.grid(final=True))
        found[CONFIG] = render_config(self.plan.recipe)
        if (component := own_component(self.found)) is not None:
            labels = sorted(self.found.target.labels) if foreign_labels(self.found) else ()
            config = own_config(
                self.plan.recipe, component, with_source=self.found.same_kind, labels=labels, quick=self.plan.quick
            )
            found[OWN] = config.to_str()
        found[".gitignore"] = "corpus/\ntraining/\nexport/\npackages/\n"
        return found

    def write(self) -> None:
        """Write the files and copy those of the user; if something fails, nothing is left behind."""
        texts = self.texts()
        existed = self.folder.exists()
        written: list[Path] = []
        try:
            for one in self.material.places:
                if one.copied:
                    path = self.folder / one.path
                    path.parent.mkdir(parents=True, exist_ok=True)
                    written.append(path)
                    shutil.copyfile(one.given, path)
            for name, text in texts.items():
                path = self.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                if name == ".gitignore" and path.exists():
                    continue
                written.append(path)
                path.write_text(text, encoding="utf8", newline="\n")
        except BaseException:
            for path in written:
                path.unlink(missing_ok=True)
            if not existed:
                shutil.rmtree(self.folder, ignore_errors=True)
            raise


def _describe(part: Part) -> str:
    labels = ", ".join(f"{label} {n:,}" for label, n in part.labels.most_common(LABELS))
    rest = len(part.labels) - LABELS
    more = f" and {rest} more labels" if rest > 0 else ""
    size = f"{part.sentences:,} sentences, {part.tokens:,} tokens"
    how = " and ".join(dict.fromkeys(f"{one.how}" for one in part.found))
    return f"{part.role}: {', '.join(map(str, part.locations))} ({how}): {size}, {part.kind}: {labels}{more}"
