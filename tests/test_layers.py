"""The direction of imports between the rooms of the package."""

import ast
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

import spacy_datnet

ROOT = Path(spacy_datnet.__file__).parent
PACKAGE = ROOT.name
MODULES = sorted(ROOT.rglob("*.py"))
FORBIDDEN = {
    "nn": [
        "spacy",
        "thinc",
        "features",
        "models",
        "pipeline",
        "training",
        "corpora",
        "bulk",
        "selection",
        "experiments",
        "project",
        "serve",
        "cli",
        "resources",
    ],
    "features": [
        "nn",
        "models",
        "pipeline",
        "training",
        "bulk",
        "selection",
        "experiments",
        "project",
        "distillation",
        "cli",
    ],
    "models": ["pipeline", "training", "bulk", "selection", "experiments", "project", "distillation", "cli"],
    "pipeline": ["training", "bulk", "selection", "experiments", "project", "distillation", "cli"],
    "training": ["bulk", "selection", "experiments", "project", "distillation", "cli"],
    "corpora": [
        "nn",
        "features",
        "models",
        "pipeline",
        "training",
        "torch",
        "bulk",
        "selection",
        "experiments",
        "project",
        "distillation",
        "cli",
    ],
    "bulk": ["training", "selection", "experiments", "project", "distillation", "cli"],
    "selection": ["training", "bulk", "experiments", "project", "distillation", "cli"],
    "experiments": ["bulk", "selection", "project", "distillation", "cli"],
    "project": ["bulk", "selection", "serve", "distillation", "cli"],
    "serve": [
        "nn",
        "features",
        "models",
        "training",
        "bulk",
        "selection",
        "experiments",
        "project",
        "distillation",
        "cli",
    ],
    "distillation": ["bulk", "selection", "experiments", "cli"],
}


def imports_of(path, source=None):
    """Yield the absolute names of all that a module imports, also inside of functions."""
    package = ".".join(path.relative_to(ROOT.parent).parts[:-1])
    for node in ast.walk(ast.parse(source or path.read_text(encoding="utf8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = resolve_name("." * node.level + (node.module or ""), package)
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_part_of(name, module):
    return name == module or name.startswith(f"{module}.")


def violations(path, names):
    room = path.relative_to(ROOT).parts[0]
    for other in FORBIDDEN.get(room, []):
        module = f"{PACKAGE}.{other}" if (ROOT / other).exists() or (ROOT / f"{other}.py").exists() else other
        yield from (name for name in names if is_part_of(name, module))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_go_in_one_direction(path):
    assert not list(violations(path, list(imports_of(path))))


@pytest.mark.parametrize(
    "line",
    [
        "import spacy",
        "from thinc.api import Model",
        "from ..models import datnet",
        "from .. import pipeline",
        "from ..training.losses import Objective",
        "def f():\n    from ..cli import app",
        "import spacy_datnet.models.shim",
        "from ..resources import SOURCE",
    ],
)
def test_a_wrong_import_is_found(line):
    path = ROOT / "nn" / "crf.py"
    assert list(violations(path, list(imports_of(path, line))))


def test_rooms_that_have_rules_exist():
    assert all((ROOT / room).is_dir() for room in FORBIDDEN)


def test_the_network_needs_neither_spacy_nor_thinc():
    code = (
        f"import sys, {PACKAGE}.nn.objective\n"
        "assert 'torch' in sys.modules\n"
        "assert not {'spacy', 'thinc'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_importing_a_room_imports_no_other_that_it_may_not_need():
    # spaCy itself imports torch where it is installed, so only the package's own modules can be told
    modules = [".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in MODULES]
    names = [name.removesuffix(".__init__") for name in modules if not name.endswith("__main__")]
    code = (
        f"import importlib, sys, {PACKAGE}.corpora\n"
        f"assert not [m for m in sys.modules if m.startswith(('{PACKAGE}.nn', '{PACKAGE}.models'))]\n"
        f"for name in {names!r}: importlib.import_module(name)\n"
        "assert 'spacy' in sys.modules\n"
        "assert not {'transformers', 'spacy_transformers', 'tokenizers'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
