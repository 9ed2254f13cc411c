"""Entry points: what setup.cfg declares is what the source registers and what spaCy finds."""

import ast
import subprocess
import sys
from configparser import ConfigParser
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import pytest
import spacy
from spacy.language import Language

import spacy_datnet

ROOT = Path(spacy_datnet.__file__).parent


def declared():
    """Yield (group, name, module:object) of each entry point in setup.cfg."""
    parser = ConfigParser(delimiters=("=",))
    parser.optionxform = str  # names are case-sensitive
    parser.read(Path(__file__).parents[1] / "setup.cfg", encoding="utf8")
    for group, lines in parser["options.entry_points"].items():
        if group == "console_scripts":
            continue
        for line in lines.strip().splitlines():
            name, _, target = line.partition("=")
            yield group, name.strip(), target.strip()


def registered():
    """Yield (kind, name, function) of each decorator in the source that registers."""
    for path in ROOT.rglob("*.py"):
        module = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            for decorator in getattr(node, "decorator_list", []):
                if not isinstance(decorator, ast.Call) or not isinstance(decorator.func, ast.Attribute):
                    continue
                owner, kind = ast.unparse(decorator.func.value), decorator.func.attr
                if owner.endswith("registry") or (owner.endswith("Language") and kind in ("factory", "component")):
                    yield kind, ast.literal_eval(decorator.args[0]), f"{module}:{node.name}"


ENTRY_POINTS = list(declared())


def kind_of(group):
    """The registry of an entry point group: the part behind spacy_ or thinc_."""
    return group.partition("_")[2]


@pytest.mark.parametrize("group, name, target", ENTRY_POINTS, ids=[name for _, name, _ in ENTRY_POINTS])
def test_an_entry_point_is_found_by_its_name(group, name, target):
    if kind_of(group) == "factories":
        found = spacy.registry._entry_point_factories.get(name)  # the import registers it
        assert Language.get_factory_meta(name).factory == name
    else:
        found = spacy.registry.get(kind_of(group), name)
    module, _, attribute = target.partition(":")
    assert found is getattr(import_module(module), attribute)


def test_whatever_is_registered_is_declared():
    found = set()
    for kind, name, target in registered():
        found.add(("factories" if kind == "factory" else kind, name, target))
    assert found  # or the search is broken
    assert found == {(kind_of(group), name, target) for group, name, target in ENTRY_POINTS}


def test_groups_are_those_that_spacy_reads():
    for group in {group for group, _, _ in ENTRY_POINTS}:
        kind = kind_of(group)
        registry = spacy.registry._entry_point_factories if kind == "factories" else getattr(spacy.registry, kind)
        assert registry.entry_point_namespace == group


def test_registered_names_carry_the_package_and_a_version():
    for group, name, _ in ENTRY_POINTS:
        if kind_of(group) == "factories":
            assert name.startswith("datnet_")
        else:
            package, _, version = name.split(".")
            assert package == "spacy-datnet"
            assert version[0] == "v" and version[1:].isdigit()


def test_a_pipeline_finds_the_components_without_an_import():
    names = [name for group, name, _ in ENTRY_POINTS if kind_of(group) == "factories"]
    code = f"import spacy\nnlp = spacy.blank('xx')\nfor name in {names!r}: nlp.add_pipe(name)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_import_is_light_and_without_a_warning():
    code = "import sys, spacy_datnet\nassert not {'spacy', 'thinc', 'torch', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_the_version_is_that_of_the_distribution():
    assert spacy_datnet.__version__ == version("spacy-datnet")


def test_an_application_without_metadata_registers_by_a_plain_import():
    names = [(kind_of(group), name) for group, name, _ in ENTRY_POINTS]
    code = f"""
import importlib.metadata as metadata
def not_found(name): raise metadata.PackageNotFoundError(name)
metadata.distribution = metadata.version = not_found
metadata.entry_points = lambda **selection: metadata.EntryPoints(())
import spacy_datnet, spacy
from spacy.language import Language
assert spacy_datnet.__version__
for kind, name in {names!r}:
    if kind == "factories":
        assert spacy.blank("xx").add_pipe(name)
    else:
        assert spacy.registry.get(kind, name)
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_names_that_users_import_are_there():
    assert all(getattr(spacy_datnet, name) is not None for name in spacy_datnet.__all__)
    assert set(spacy_datnet.__all__) <= set(dir(spacy_datnet))
    assert all(name in spacy_datnet.__doc__ for name in spacy_datnet.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        spacy_datnet.nothing  # noqa: B018
