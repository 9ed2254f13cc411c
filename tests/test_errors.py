"""The coded messages: each is used, each that is used exists, and each is given what it asks for."""

import ast
import re
from pathlib import Path
from string import Formatter

import pytest

import spacy_datnet
from spacy_datnet.errors import Errors, Warnings

ROOT = Path(spacy_datnet.__file__).parent
COUNTING = ("error", "warning", "note")
TABLES = {"Errors": Errors, "Warnings": Warnings}


def declared():
    """List (table, code) in the order of the source; a code that stands twice is listed twice."""
    return [
        (table.name, target.id)
        for path in sorted((ROOT / "errors").glob("*.py"))
        for table in ast.parse(path.read_text(encoding="utf8")).body
        if isinstance(table, ast.ClassDef) and table.name in TABLES
        for line in table.body
        if isinstance(line, ast.Assign)
        for target in line.targets
    ]


def uses():
    """Yield (table, code, names given to `format`, place) of each use; None if it isn't formatted."""
    for path in sorted(ROOT.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf8"))
        given = {
            id(node.func.value): node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format"
        }
        # problems.error(Errors.DN208, width=3), which is told the path, the count and the places
        counted = {
            id(node.args[0]): node
            for node in ast.walk(tree)
            if isinstance(node, ast.Call)
            and node.args
            and ast.unparse(node.func).endswith(("error", "warning", "note"))
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in TABLES:
                call = given.get(id(node)) or counted.get(id(node))
                names = None if call is None else {keyword.arg for keyword in call.keywords}
                names = names | {"path", "count", "places"} if id(node) in counted else names
                yield node.value.id, node.attr, names, f"{path.name}:{node.lineno}"


DECLARED, USES = declared(), list(uses())


def test_codes_are_unique():
    codes = [code for _, code in DECLARED]
    assert sorted(codes) == sorted(set(codes))
    assert all(re.fullmatch(r"DN\d{3}", code) for code in codes)


def test_every_code_is_used():
    assert not set(DECLARED) - {use[:2] for use in USES}


def test_every_used_code_exists():
    assert not {use[:2] for use in USES} - set(DECLARED)


@pytest.mark.parametrize("table, code, names, place", USES, ids=[use[1] for use in USES])
def test_a_message_is_given_what_it_asks_for(table, code, names, place):
    wanted = {name for _, name, _, _ in Formatter().parse(getattr(TABLES[table], code)) if name}
    assert (names or set()) == wanted


def test_messages_begin_with_their_code():
    for table, code in DECLARED:
        assert getattr(TABLES[table], code).startswith(f"[{code}] ")


def test_an_unknown_code_is_an_error():
    with pytest.raises(AttributeError):
        Errors.DN000  # noqa: B018
