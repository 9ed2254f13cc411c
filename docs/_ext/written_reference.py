"""Sphinx extension: the pages of the reference that are written from the package itself, so that none goes stale.

Commands and options come from the command line, settings from the docstrings and signatures of what is registered,
messages from the package `errors`.
"""

import inspect
import re
from collections.abc import Iterator
from configparser import ConfigParser
from importlib import import_module
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import typer

import spacy_datnet
from spacy_datnet.cli import app as commands
from spacy_datnet.errors import Errors, Warnings

ROOT = Path(__file__).resolve().parents[2]
ENTRY = re.compile(r"^([*\w]+(?:, [*\w]+)*) \((.+?)\): (.*)$")
RESULT = re.compile(r"^(RETURNS|YIELDS) \((.+?)\): (.*)$")
GROUPS = {
    "spacy_factories": ("components", "Components", "Factories for `nlp.add_pipe` and `[components]`."),
    "spacy_architectures": ("architectures", "Architectures", "`@architectures`: the network and its parts."),
    "others": ("training", "Training", "What `[training]`, `[corpora]` and `[initialize]` name."),
}


class Documented(NamedTuple):
    """A docstring in spaCy's form."""

    text: str
    settings: list[tuple[str, str, str]]  # name, type, meaning
    result: tuple[str, str, str] | None  # RETURNS or YIELDS, type, meaning


def read_docstring(function: object) -> Documented:
    """Divide a docstring into its text, its settings and its result."""
    text, settings, result = [], [], None
    lines = inspect.cleandoc(inspect.getdoc(function) or "").splitlines()
    for line in lines:
        if found := RESULT.match(line):
            result = found.groups()
        elif found := ENTRY.match(line):
            names, kind, meaning = found.groups()
            settings += [(name, kind, meaning) for name in names.split(", ")]
        elif line.startswith("    ") and (settings or result):
            if result:
                result = (*result[:2], f"{result[2]} {line.strip()}")
            else:  # the meaning that goes on, of all names that share it
                shared = settings[-1][2]
                settings = [(n, k, f"{m} {line.strip()}" if m == shared else m) for n, k, m in settings]
        else:
            text.append(line)
    return Documented("\n".join(text).strip(), settings, result)


def defined(term: str, meaning: str) -> str:
    """Write an entry of a list of definitions, which is as readable on a telephone as on a wide screen."""
    return f"{term}\n: {' '.join(meaning.split()) or 'See above.'}"


def shown_default(parameter: inspect.Parameter) -> str:
    """Tell the default of a parameter as a config has it."""
    if parameter.default is inspect.Parameter.empty:
        return ""
    value = {True: "true", False: "false", None: "null"}.get(parameter.default, parameter.default)
    return f"`{value}`" if isinstance(value, str | int | float) else ""


def describe(function: object) -> Iterator[str]:
    """Write what a function or class is, as Markdown."""
    documented = read_docstring(function)
    yield documented.text
    try:
        parameters = inspect.signature(function).parameters
    except (TypeError, ValueError):
        parameters = {}
    if documented.settings:
        for name, kind, meaning in documented.settings:
            default = shown_default(parameters[name]) if name in parameters else ""
            yield defined(f"`{name}` ({kind}{default and f', {default}'})", meaning)
    if documented.result:
        kind, of_type, meaning = documented.result
        yield f"{kind.capitalize()} {of_type}: {meaning}"


def registered() -> dict[str, list[tuple[str, str, str]]]:
    """Read the entry points: registry, name and place of each, by page."""
    parser = ConfigParser(delimiters=("=",))
    parser.optionxform = str
    parser.read(ROOT / "setup.cfg", encoding="utf8")
    found: dict[str, list] = {group: [] for group in GROUPS}
    for group, lines in parser["options.entry_points"].items():
        if group == "console_scripts":
            continue
        for line in lines.strip().splitlines():
            name, place = (part.strip() for part in line.split("=", 1))
            found[group if group in GROUPS else "others"].append((group.partition("_")[2], name, place))
    return found


def registered_page(group: str, entries: list[tuple[str, str, str]]) -> str:
    """Write the page of registered functions."""
    _, title, text = GROUPS[group]
    parts = [f"# {title}", text]
    for kind, name, place in entries:
        module, _, attribute = place.partition(":")
        parts.append(f"## {name}")
        if group == "others":
            parts.append(f"`@{kind}`, in `{module}`")
        else:
            parts.append(f"In `{module}`.")
        parts += describe(getattr(import_module(module), attribute))
    return "\n\n".join(parts) + "\n"


def python_page() -> str:
    """Write the page of the names that programs import."""
    parts = ["# Python", "What programs import from `spacy_datnet`; pipelines need no import."]
    for name in spacy_datnet.__all__:
        value = getattr(spacy_datnet, name)
        parts.append(f"## {name}")
        if callable(value):
            parts.append(f"```\n{name}{inspect.signature(value)}\n```")
            parts += describe(value)
        else:
            parts.append(f"The value `{value!r}`.")
    return "\n\n".join(parts) + "\n"


def command_page() -> str:
    """Write the page of the command line."""
    group = typer.main.get_command(commands)
    parts = ["# Command line", "`spacy-datnet COMMAND`, or `python -m spacy_datnet COMMAND`."]
    for name, command in sorted(all_commands(group)):
        context = command.make_context(f"spacy-datnet {name}", [], resilient_parsing=True)
        parts += [f"## {name}", f"```\n{command.get_usage(context).removeprefix('Usage: ')}\n```"]
        parts.append(inspect.cleandoc(command.help or ""))
        # typer has arguments among the options, without saying so
        for parameter in command.params:
            written, meaning = parameter.get_help_record(context) or (parameter.name, "")
            if "--help" not in parameter.opts:
                written = re.sub(r"<(?:list\[)?(\w+)[^>|]*>", lambda kind: kind[1].upper(), written)
                parts.append(defined(f"`{written}`", meaning))
    return "\n\n".join(parts) + "\n"


def all_commands(group: Any, before: str = "") -> Iterator[tuple[str, Any]]:
    """List the commands of a group and of the groups in it, by what is typed."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from all_commands(command, f"{before}{name} ")
        else:
            yield f"{before}{name}", command


def message_page() -> str:
    """Write the page of all messages, to be searched by code."""
    found = {}
    for owner, kind in ((Errors, "error"), (Warnings, "warning")):
        for code in dir(owner):
            if code.startswith("DN"):
                found[code] = (kind, getattr(owner, code).removeprefix(f"[{code}] "))
    parts = [
        "# Messages",
        "Every message has a code. `{…}` stands for what the message fills in.",
    ]
    wings = {"DN0": "Components and word features", "DN1": "Training", "DN2": "Corpora", "DN3": "Experiments"}
    wings["DN4"] = "Commands"
    for wing, codes in groupby(sorted(found), key=lambda code: code[:3]):
        parts.append(f"## {wings[wing]}")
        for code in codes:
            kind, text = found[code]
            parts.append(f"### {code}\n\n*{kind}*\n\n```text\n{text}\n```")
    return "\n\n".join(parts) + "\n"


def write_pages(application: object) -> None:
    """Write all pages; one that is as before is left alone, so that it is not built again."""
    folder = Path(application.srcdir) / "reference"
    folder.mkdir(exist_ok=True)
    pages = {GROUPS[group][0]: registered_page(group, entries) for group, entries in registered().items()}
    pages |= {"python": python_page(), "commands": command_page(), "messages": message_page()}
    for name, text in pages.items():
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf8") != text:
            path.write_text(text, encoding="utf8")


def setup(application: object) -> dict:
    """Register the extension with Sphinx."""
    application.connect("builder-inited", write_pages)
    return {"parallel_read_safe": True}
