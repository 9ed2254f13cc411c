"""The spaCy project: its README is fresh, its commands resolve, its scripts check what they are given."""

import gzip
import hashlib
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import srsly
from spacy.cli._util import app as spacy_app
from typer.testing import CliRunner

from spacy_datnet.cli import app

PROJECT = Path(__file__).resolve().parents[1] / "project"


def run(*arguments, cwd):
    return subprocess.run([sys.executable, *map(str, arguments)], cwd=cwd, capture_output=True, text=True)


def spacy_project(command, *arguments):
    """Run a command of `spacy project` in this process."""
    return CliRunner().invoke(spacy_app, ["project", command, *map(str, arguments)])


@pytest.fixture
def project(tmp_path) -> Path:
    copy = tmp_path / "project"
    copy.mkdir()
    shutil.copytree(PROJECT / "scripts", copy / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("project.yml", "README.md"):
        shutil.copy(PROJECT / name, copy)
    return copy


def test_readme_is_what_document_writes(project):
    result = spacy_project("document", project, "--output", project / "README.md")
    assert result.exit_code == 0, result.output
    assert (project / "README.md").read_text() == (PROJECT / "README.md").read_text()


@pytest.mark.parametrize("workflow", ["all", "conll", "ud", "chunking", "grid-small", "grid-full"])
def test_workflow_can_be_shown(project, workflow):
    options = ["--dry", "--vars.target_size", "77", "--vars.grid", "figure5"]
    result = spacy_project("run", workflow, project, *options)
    assert result.exit_code == 0, result.output
    assert ("--corpora.train.target_count 77" in result.output) == (workflow in ("conll", "ud", "chunking"))
    assert ("run grids/figure5.yaml" in result.output) == workflow.startswith("grid")
    assert ("--small" in result.output) == (workflow == "grid-small")


def test_languages_of_universal_dependencies_are_variables(project):
    options = ["--dry", "--vars.ud_source", "it", "--vars.ud_target", "eu"]
    result = spacy_project("run", "ud", project, *options)
    assert result.exit_code == 0, result.output
    assert "'assets/ud/it/*.conllu' corpus/ud/it-eu/source.spacy --lang it" in result.output
    assert "assets/ud/eu/dev.conllu assets/ud/eu/test.conllu corpus/ud/it-eu --lang eu" in result.output
    assert "--paths.vectors corpus/vectors_eu --paths.source_vectors corpus/vectors_it" in result.output


def test_every_asset_has_a_checksum_or_no_public_address():
    for asset in srsly.read_yaml(PROJECT / "project.yml")["assets"]:
        assert ("url" in asset) == ("checksum" in asset), asset
        assert asset["description"]


PUBLISHED = {
    "assets/conll2003/": "raw/conll2003/",
    "assets/wnut16/": "raw/wnut16/",
    "assets/ud/en/": "raw/ud/en_ewt-r1.2/",
    "assets/ud/nl/": "raw/ud/nl_lassysmall-r1.4/",
    "assets/ud/eu/": "raw/ud/eu_bdt-r1.2/",
    "assets/ud/id/": "raw/ud/id_gsd-r1.2/",
    "assets/ud/sv/": "raw/ud/sv_lines-2019/",
    "assets/ud/it/": "raw/ud/it_partut/",
    "assets/": "raw/nltk/",
}


@pytest.mark.real
def test_checksums_are_those_of_the_published_files(real_data):
    for asset in srsly.read_yaml(PROJECT / "project.yml")["assets"]:
        if "checksum" in asset:
            folder = next(folder for folder in PUBLISHED if asset["dest"].startswith(folder))
            path = real_data / asset["dest"].replace(folder, PUBLISHED[folder], 1)
            assert hashlib.md5(path.read_bytes()).hexdigest() == asset["checksum"], path


def test_files_of_the_commands_exist():
    for command in srsly.read_yaml(PROJECT / "project.yml")["commands"]:
        for dependency in command.get("deps", []):
            if dependency.startswith("../") and "${" not in dependency:
                assert (PROJECT / dependency).exists(), dependency


@pytest.mark.parametrize("workflow", ["conll", "grid-small", "grid-full", "chunking"])
def test_a_workflow_verifies_the_assets_that_it_reads(workflow):
    config = srsly.read_yaml(PROJECT / "project.yml")
    commands = {command["name"]: command for command in config["commands"]}
    verify, *others = (commands[name] for name in config["workflows"][workflow])
    beginnings = verify["script"][0].split()[2:]
    read = {dep for command in others for dep in command.get("deps", []) if dep.startswith("assets/")}
    assert {dep for dep in read if dep.startswith(tuple(beginnings))} == read
    checked = {asset["dest"] for asset in config["assets"] if asset["dest"].startswith(tuple(beginnings))}
    assert checked == read


@pytest.mark.parametrize("language", ["eu", "id", "it", "nl", "sv"])
def test_a_target_of_universal_dependencies_has_all_assets_that_its_workflow_reads(language):
    assets = {asset["dest"] for asset in srsly.read_yaml(PROJECT / "project.yml")["assets"]}
    treebank = {dest for dest in assets if dest.startswith(f"assets/ud/{language}/")}
    assert treebank == {f"assets/ud/{language}/{part}.conllu" for part in ("train", "dev", "test")}
    assert f"assets/vectors/{language}.vec.gz" in assets


def test_the_source_of_universal_dependencies_has_assets():
    config = srsly.read_yaml(PROJECT / "project.yml")
    source, target = config["vars"]["ud_source"], config["vars"]["ud_target"]
    assets = {asset["dest"] for asset in config["assets"]}
    assert {f"assets/ud/{source}/dev.conllu", f"assets/vectors/{source}.vec.gz"} <= assets
    (verify,) = (command for command in config["commands"] if command["name"] == "verify-ud")
    for beginning in verify["script"][0].split()[2:]:
        filled = beginning.replace("${vars.ud_source}", source).replace("${vars.ud_target}", target)
        assert any(asset.startswith(filled) for asset in assets), filled


def test_a_language_of_wikiann_is_a_variable(project, monkeypatch):
    for part in ("train", "dev", "test"):
        path = project / "assets" / "wikiann" / f"gl.{part}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("Vigo B-LOC\n. O\n")
    with gzip.open(project / "assets" / "wikiann" / "gl.vec.gz", "wt") as file:
        file.write("1 2\nVigo 0.5 1.0\n")
    dry = spacy_project("run", "convert-wikiann", project, "--dry", "--vars.wikiann", "gl")
    commands = [shlex.split(line.partition(" -m ")[2]) for line in dry.output.splitlines() if " -m spacy" in line]
    assert [arguments[:2] for arguments in commands] == [*[["spacy_datnet", "convert"]] * 3, ["spacy", "init"]]
    monkeypatch.chdir(project)
    for module, *arguments in commands:
        result = CliRunner().invoke(spacy_app if module == "spacy" else app, arguments)
        assert result.exit_code == 0, result.output
    wanted = {"gl.spacy", "gl-dev.spacy", "gl-test.spacy", "vectors_gl"}
    assert {path.name for path in (project / "corpus" / "wikiann").iterdir()} == wanted
    missing = spacy_project("run", "convert-wikiann", project, "--vars.wikiann", "ru")
    assert missing.exit_code == 1 and "ru.train" in missing.output


def test_a_workflow_of_grids_ends_in_results(project):
    result = spacy_project("run", "grid-small", project, "--dry", "--vars.grid", "table9")
    assert "run grids/table9.yaml training/grids/table9 --small" in result.output
    assert "report training/grids/table9 --output training/results/table9/report.html" in result.output


def test_assets_are_verified(project):
    config = srsly.read_yaml(project / "project.yml")
    content = b"token O\n"
    right = hashlib.md5(content).hexdigest()
    config["assets"] = [
        {"dest": "assets/a", "url": "https://example.com/a", "checksum": right, "description": ""},
        {"dest": "assets/b", "description": "private"},
    ]
    srsly.write_yaml(project / "project.yml", config)
    (project / "assets").mkdir()
    missing = run("scripts/verify_assets.py", cwd=project)
    assert missing.returncode == 1
    assert "assets/a is missing" in missing.stdout
    assert "assets/b is missing" in missing.stdout
    (project / "assets" / "b").write_bytes(b"")
    (project / "assets" / "a").write_bytes(b"stale")
    stale = run("scripts/verify_assets.py", cwd=project)
    assert stale.returncode == 1
    assert "assets/a is not the published file" in " ".join(stale.stdout.split())
    (project / "assets" / "a").write_bytes(content)
    assert run("scripts/verify_assets.py", cwd=project).returncode == 0
    (project / "assets" / "b").unlink()
    assert run("scripts/verify_assets.py", "assets/a", cwd=project).returncode == 0
    assert run("scripts/verify_assets.py", "assets/a", "assets/b", cwd=project).returncode == 1
    unknown = run("scripts/verify_assets.py", "assets/a", "assets/c", cwd=project)
    assert unknown.returncode == 1
    assert "no asset assets/c" in unknown.stdout
