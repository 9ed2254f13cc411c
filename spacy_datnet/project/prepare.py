"""From files to a project that is ready to be written: look, choose, and say so."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import spacy

from ..corpora import DEV, TEST, TRAIN
from ..errors import Errors, Warnings
from ..resources import SOURCE, TARGET
from .hold_out import FOLDS
from .language import ANY, Language, find_language
from .look import AUTO, SEVERAL, Look, look
from .places import check_folder, place_files
from .plan import LITTLE, make_plan
from .steps import ALL, VECTORS, Material
from .vectors import Table, are_aligned, read_table
from .write import Project

# with fewer target sentences, more of them help most
ENOUGH = 1000


def prepare(
    folder: Path,
    files: Mapping[str, Sequence[str]],
    *,
    raw: Sequence[str] = (),
    vectors: Sequence[str] = (),
    checkpoint: str | None = None,
    lang: str | None = None,
    task: str = AUTO,
    quick: bool = False,
    command: str = "",
) -> Project:
    """Look into files and choose what a project does with them. Nothing is written yet.

    folder (Path): The folder of the project.
    files (Mapping): The annotated files by their roles: "target", and possibly "source", "dev" and "test".
    raw (Sequence[str]): Files of text without annotation.
    vectors (Sequence[str]): Word vectors of the target, and of the source if they are others.
    checkpoint (Optional[str]): A transformer.
    lang (Optional[str]): The code of the target's language.
    task (str): "ner", "tagger", "chunker" or "auto".
    quick (bool): Whether it is for a first look.
    command (str): How it is made.
    RETURNS (Project): The project.
    """
    check_folder(folder)
    found = look(files, task)
    if found.target.sentences < FOLDS:
        raise ValueError(Errors.DN424.format(role=TARGET, count=found.target.sentences, least=FOLDS))
    language = find_language(lang, files[TARGET], found.target.words)
    langs = dict.fromkeys(files, language.code)
    if found.source is not None:
        langs[SOURCE] = _source_language(found).code
    _check_blank(language)
    if checkpoint is not None and find_spec("transformers") is None:
        raise ValueError(Errors.DN434.format(checkpoint=checkpoint))
    tables = _read_tables(vectors, found)
    missing = [path for path in raw if not Path(path).is_file()]
    if missing:
        raise ValueError(Errors.DN426.format(place=missing[0], folder=Path.cwd()))
    plan = make_plan(found, language, tables=tables, checkpoint=checkpoint, has_raw=bool(raw), quick=quick)
    makes_vectors = checkpoint is not None and bool(raw) and not tables
    material = Material(
        places=place_files(folder, files),
        kinds={role: part.kind for role, part in found.parts.items()},
        langs=langs,
        held=plan.held,
        borders=[role for role, part in found.parts.items() if part.several >= SEVERAL],
        vectors=_conversions(folder, tables, langs),
        contexts=(_outside(folder, checkpoint or ""), *(_outside(folder, one) for one in raw)) if makes_vectors else (),
        merged=_vector_paths(folder, tables) if len(tables) > 1 else (),
        variants=plan.variants,
        advice=_advice(found, tables, checkpoint, quick),
    )
    paths = {name: path for name, path in _paths(material, tables, checkpoint, folder).items() if path is not None}
    plan.recipe = replace(plan.recipe, paths=paths)
    plan.worries += [] if makes_vectors else [Warnings.DN457.format(path=path) for path in raw]
    return Project(folder, command, found, language, langs.get(SOURCE), plan, material, tables)


def _source_language(found: Look) -> Language:
    source = found.source
    assert source is not None
    try:
        return find_language(None, source.locations, source.words)
    except ValueError:  # it changes nothing but what a vocabulary knows of a word
        return Language(ANY, "it can't be told, which changes nothing")


def _check_blank(language: Language) -> None:
    """Make sure that the language can be used: some need packages of their own."""
    try:
        spacy.blank(language.code)
    except ImportError as error:
        raise ValueError(Errors.DN423.format(lang=language.code, reason=error)) from error


def _read_tables(vectors: Sequence[str], found: Look) -> list[Table]:
    if len(vectors) > 2:
        raise ValueError(Errors.DN433.format(places=", ".join(vectors)))
    parts = [found.target, found.source or found.target]
    # the second is the source's, the only one is for both
    pairs = zip(vectors, parts, reversed(parts), strict=False)
    tables = [read_table(place, part.words, other.words) for place, part, other in pairs]
    if len({table.width for table in tables}) > 1:
        raise ValueError(Errors.DN429.format(target=tables[0].width, source=tables[1].width))
    return tables


def _conversions(folder: Path, tables: Sequence[Table], langs: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    """Name the folders of the vectors that have to be converted."""
    names = zip(VECTORS, (TARGET, SOURCE), tables, strict=False)
    return {name: (langs.get(role, ANY), _outside(folder, table.place)) for name, role, table in names if table.is_text}


def _outside(folder: Path, place: str) -> str:
    """Name a file or folder for those who look from the project's; a package stays a package."""
    if not Path(place).exists():
        return place
    path = Path(place).resolve()
    return path.relative_to(folder.resolve()).as_posix() if path.is_relative_to(folder.resolve()) else path.as_posix()


def _paths(material: Material, tables: Sequence[Table], checkpoint: str | None, folder: Path) -> dict[str, str | None]:
    corpora = material.corpora
    train = corpora.get(TRAIN, corpora.get(ALL))
    names = ("vectors", "source_vectors")
    return {
        "source": corpora.get(SOURCE),
        "train": train,
        "dev": corpora.get(DEV, corpora.get(TEST, train)),
        **({"vectors": VECTORS[0]} if material.contexts else {}),
        "transformer": None if material.contexts or checkpoint is None else _outside(folder, checkpoint),
        **dict(zip(names, _vector_paths(folder, tables), strict=False)),
    }


def _vector_paths(folder: Path, tables: Sequence[Table]) -> tuple[str, ...]:
    """Name the pipelines with the vectors of target and source, as the project sees them."""
    return tuple(
        made if table.is_text else _outside(folder, table.place) for made, table in zip(VECTORS, tables, strict=False)
    )


def _advice(found: Look, tables: Sequence[Table], checkpoint: str | None, quick: bool) -> str:
    """Say what would help most next: a key of `conclude.ADVICE`."""
    if quick:
        return "full"
    if found.source is None:
        return "source"
    if not tables and checkpoint is None:
        return "vectors"
    if len(tables) == 2 and are_aligned(*tables) is False:
        return "aligned"
    if tables and tables[0].coverage < LITTLE:
        return "coverage"
    return "sentences" if found.target.sentences < ENOUGH else "checkpoint"
