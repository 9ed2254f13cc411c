"""The commands of a project: what `spacy project run all` does, one after the other."""

import shlex
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from ..corpora import DEV, TEST, TRAIN
from ..resources import SOURCE, TARGET
from .hold_out import SEED, HoldOut
from .places import Place, corpus_of
from .plan import BOTH_VECTORS, SPACY

RUN = "python -m spacy_datnet"
# the pipelines with the word vectors of target and source
VECTORS = ("corpus/vectors", "corpus/source_vectors")
MANIFEST = "training/manifest.jsonl"
WHEEL = "packages/${vars.lang}_${vars.name}-${vars.version}"
ALL = "all"
# the configs of the network and of spaCy's own component
CONFIG, OWN = "config.cfg", "spacy.cfg"


@dataclass
class Step:
    """A command of project.yml.

    name (str): Its name.
    help (str): What it does.
    script (List[str]): Its lines.
    deps (List[str]): What it needs.
    outputs (List[str]): What it makes. A command is skipped if neither these nor the former have changed.
    """

    name: str
    help: str
    script: list[str]
    deps: list[str] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Material:
    """What the steps work on.

    places (List[Place]): The files.
    kinds (Mapping): The annotation of the files of each role.
    langs (Mapping): Their languages.
    held (HoldOut): The sentences that do not train.
    borders (Collection[str]): The roles whose sentence borders have to be found.
    vectors (Mapping): Text files of word vectors: by the folder to write, the language and the file.
    contexts (Tuple[str, ...]): A checkpoint that makes word vectors, and the raw texts.
    merged (Tuple[str, ...]): The pipelines with the vectors of target and of source, if these are two.
    variants (Mapping): What is trained, by name.
    advice (str): What would help most next, see `conclude`.
    """

    places: list[Place]
    kinds: Mapping[str, str]
    langs: Mapping[str, str]
    held: HoldOut
    borders: Collection[str]
    vectors: Mapping[str, tuple[str, str]]
    contexts: tuple[str, ...]
    merged: tuple[str, ...]
    variants: Mapping[str, object]
    advice: str

    def converted(self, role: str) -> str | None:
        """Name the corpus of a role: a file, or a folder; None if there is none."""
        count = sum(one.role == role for one in self.places)
        return corpus_of(role, several=count > 1) if count else None

    def corpus(self, role: str) -> str | None:
        """Name the corpus of a role, with sentence borders."""
        return corpus_of(f"{role}-sentences") if role in self.borders else self.converted(role)

    @property
    def configs(self) -> list[str]:
        """The configs of what is trained."""
        return [CONFIG, *([OWN] if any(name.startswith(SPACY) for name in self.variants) else [])]

    @property
    def corpora(self) -> dict[str, str]:
        """The corpora by their uses: train, or all with a cross-validation; dev, test and source if there are such."""
        held = self.held
        found: dict[str, str | None] = {SOURCE: self.corpus(SOURCE)}
        if held.folds:
            found[ALL] = corpus_of(ALL)
        else:
            found[TRAIN] = corpus_of(TRAIN) if held.splits else self.corpus(TARGET)
            found[DEV] = corpus_of(DEV) if held.dev else self.corpus(DEV)
            found[TEST] = corpus_of(TEST) if held.test else self.corpus(TEST)
            if held.dev_is_test:
                found[DEV], found[TEST] = None, found[DEV]
        return {use: path for use, path in found.items() if path is not None}


def steps_of(material: Material) -> list[Step]:
    """List the commands of a project."""
    used = sorted(material.corpora.values())
    steps = [_convert(material)]
    if material.borders:
        steps.append(_borders(material))
    if material.held.splits:
        steps.append(_split(material))
    uses = [f"--{'train' if use == ALL else use} {path}" for use, path in material.corpora.items()]
    steps.append(Step("check", "Look for mistakes in the corpora", [f"{RUN} check {' '.join(uses)}"], used))
    vectors = _vectors(material)
    steps += [vectors] if vectors.script else []
    steps += [
        Step(
            "train",
            f"Train {', '.join(material.variants)}, and evaluate; interrupted, it goes on where it was",
            [f"{RUN} run grid.yaml training --keep-models --show --retry"],
            [*material.configs, "grid.yaml", *used, *vectors.outputs],
            [MANIFEST],
        ),
        Step(
            "judge",
            "Score them on raw paragraphs, too, and choose one",
            [f"{RUN} project judge training metrics.json{'' if material.held.has_dev else ' --no-dev'}"],
            [MANIFEST],
            ["metrics.json"],
        ),
        Step(
            "report",
            "Write the report page",
            [f"{RUN} report training --output report.html"],
            [MANIFEST],
            ["report.html"],
        ),
        _export(material, used),
        Step(
            "package",
            "Build the wheel",
            [f"{RUN} project package export packages --name ${{vars.name}} --version ${{vars.version}}"],
            ["export"],
            [WHEEL],
        ),
        Step(
            "conclude",
            "Say what came out",
            [
                f"{RUN} project conclude metrics.json {WHEEL} --advice {material.advice}"
                + (" --crossed" if material.held.folds else "")
            ],
            ["metrics.json", WHEEL],
        ),
    ]
    return steps


def _convert(material: Material) -> Step:
    alike: dict[tuple[str, str, str], list[Place]] = {}
    for one in material.places:
        # a corpus that does not have the name of its file is named by itself
        has_name = one.copied or PurePosixPath(one.path).stem == PurePosixPath(one.corpus).stem
        output = PurePosixPath(one.corpus).parent.as_posix() if has_name else one.corpus
        alike.setdefault((output, material.langs[one.role], material.kinds[one.role]), []).append(one)
    lines = []
    for (output, lang, kind), places in alike.items():
        paths = " ".join(shlex.quote(one.path) for one in places)
        output = output if len(places) > 1 else places[0].corpus
        lines.append(f"{RUN} convert {paths} {output} --lang {lang} --annotation {kind}")
    deps, outputs = [one.path for one in material.places], [one.corpus for one in material.places]
    # a file in an archive, or a pattern of files, is none that can be looked for
    deps = [path for path in deps if ".zip:" not in path and not set("*?[") & set(path)]
    return Step("convert", "Convert the corpora to spaCy's format", lines, deps, outputs)


def _vectors(material: Material) -> Step:
    lines = [
        f"python -m spacy init vectors {lang} {shlex.quote(file)} {out}"
        for out, (lang, file) in material.vectors.items()
    ]
    outputs = [*material.vectors]
    if material.merged:
        names = " ".join(map(shlex.quote, material.merged))
        lines.append(f"{RUN} project merge {names} {BOTH_VECTORS} --lang {material.langs[TARGET]}")
        outputs.append(BOTH_VECTORS)
    files = [file for _, file in material.vectors.values()]
    if material.contexts:
        checkpoint, *raw = material.contexts
        read = [*raw, *(path for path in (material.converted(TARGET), material.converted(SOURCE)) if path)]
        names = " ".join(map(shlex.quote, [checkpoint, *read]))
        line = f"{RUN} vectors {names} {VECTORS[0]} --lang {material.langs[TARGET]} --force"
        return Step("vectors", "Make word vectors out of contexts in raw text and corpora", [line], read, [VECTORS[0]])
    return Step("vectors", "Convert the word vectors; spaCy's own component gets those of both", lines, files, outputs)


def _borders(material: Material) -> Step:
    pairs = [(material.converted(role) or "", material.corpus(role) or "", role) for role in material.borders]
    lines = [f"{RUN} project borders {old} {new} --lang {material.langs[role]}" for old, new, role in pairs]
    return Step(
        "borders", "Find the sentences of texts", lines, [old for old, *_ in pairs], [new for _, new, _ in pairs]
    )


def _split(material: Material) -> Step:
    held, target = material.held, material.corpus(TARGET) or corpus_of(TARGET)
    options = f"--dev {held.dev} --test {held.test} --folds {held.folds} --seed {SEED} --lang {material.langs[TARGET]}"
    line = f"{RUN} project split {target} corpus {options}"
    if held.folds:
        folds = [f"fold-{i}/{part}" for i in range(1, held.folds + 1) for part in (TRAIN, TEST)]
        names = [ALL, *folds]
    else:
        names = [TRAIN, *([DEV] if held.dev else []), *([TEST] if held.test else [])]
    return Step("split", f"Split the target: {held.reason}", [line], [target], [*map(corpus_of, names)])


def _export(material: Material, used: list[str]) -> Step:
    line, deps = f"{RUN} project export metrics.json export", ["metrics.json"]
    if not material.held.folds:
        text = "Export the chosen one for use, with sentence borders"
        return Step("export", text, [line], deps, ["export"])
    text = "Train the chosen one on all target sentences, and export it for use, with sentence borders"
    return Step(
        "export", text, [f"{line} --final final.yaml"], [*deps, *material.configs, "final.yaml", *used], ["export"]
    )
