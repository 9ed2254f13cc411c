"""A grid is run, goes on after a stop, and records what fails."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from multiprocessing import active_children
from pathlib import Path
from threading import Thread

import catalogue
import numpy as np
import pytest
import spacy
from spacy.cli.train import train
from spacy.tokens import Doc, DocBin
from spacy.util import load_config, load_model_from_config
from typer.testing import CliRunner
from util import SMALL_MODEL, task_examples, training_config, write_docs

from spacy_datnet.cli import app
from spacy_datnet.experiments.engines import run_locally, run_on_ray
from spacy_datnet.experiments.grid import read_grid
from spacy_datnet.experiments.manifest import Manifest, locked
from spacy_datnet.experiments.results import read_results
from spacy_datnet.experiments.significance import f_score
from spacy_datnet.resources import resource_of

GRID = """
corpora:
  es: {source: source.spacy, target: target.spacy, train: target.spacy, dev: target.spacy, test: target.spacy}
variants:
  base: {config: small.cfg, overrides: {components.datnet_ner.model.transfer: none}}
  F: {config: small.cfg}
sizes: [7, 3]
seeds: [0]
small: {variants: [F], sizes: [3]}
"""
STEPS = 4
CODE = """
import spacy

@spacy.registry.callbacks("code.nothing.v1")
def make_nothing():
    return lambda nlp: nlp
"""
SETTINGS = {"settings": {"threads": 1, "use_gpu": -1, "code": Path("code.py")}, "keep_models": False}
needs_proc = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")


def call(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, arguments)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def run(*options: str) -> tuple[int, str]:
    return call("run", "grid.yaml", "runs", "--code", "code.py", "--show", *options)


def records(folder: str = "runs") -> list[dict]:
    return list(Manifest(Path(folder)).records())


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """A folder with a grid that was run: of each variant, a size that trained, and one that the corpus is too small
    for. The config names a function of a file of code."""
    folder = tmp_path_factory.mktemp("grid")
    parts: dict[str, list] = {"source": [], "target": []}
    for example in task_examples(spacy.blank("es").vocab, ["ents"]):
        parts[resource_of(example)].append(example.reference)
    for name, docs in parts.items():
        write_docs(folder / f"{name}.spacy", docs)
    paths = {"source": Path("source.spacy"), "target": Path("target.spacy"), "dev": Path("target.spacy")}
    config = training_config({"datnet_ner": {"factory": "datnet_ner", "model": SMALL_MODEL}}, paths)
    config["training"] |= {"max_steps": STEPS, "eval_frequency": 2}
    config = load_model_from_config(config, auto_fill=True).config
    config["nlp"]["before_creation"] = {"@callbacks": "code.nothing.v1"}
    config.to_disk(folder / "small.cfg")
    for name, text in (("grid.yaml", GRID), ("code.py", CODE)):
        (folder / name).write_text(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        code, output = run("--keep-models")
    return folder, code, output


@pytest.fixture
def folder(done, tmp_path, monkeypatch) -> Path:
    """A copy of that folder without its runs; the current one."""
    shutil.copytree(done[0], tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("runs"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def there(done, monkeypatch) -> Path:
    """That folder itself, to be looked at; the current one."""
    monkeypatch.chdir(done[0])
    return done[0]


def test_all_runs_are_recorded_also_those_that_fail(done, there):
    _, code, output = done
    assert code == 1 and "4 runs, 0 of them done" in output and "2 runs failed" in output and "--retry" in output
    assert "| base |" in output and "| F |" in output
    assert [(record["variant"], record["size"]) for record in records()] == [
        (variant, size) for variant in ("base", "F") for size in (7, 3)
    ]
    for record in records():
        if record["size"] == 7:
            assert "DN225" in record["error"] and "Traceback" in record["traceback"]
            continue
        assert record["error"] is None and len(record["ids"]) == 3 and len(record["counts"]) == 6
        assert f_score(np.sum(record["counts"], 0)) == pytest.approx(100 * record["test"]["ents_f"])
        assert record["steps"] == STEPS and record["seconds"] > 0 and record["peak_mb"] > 50
        assert [row["step"] for row in record["curve"]] == [0, 2, 4]
        assert set(record["versions"]) == {"python", "spacy-datnet", "spacy", "thinc", "torch", "numpy"}
        assert (Path("runs") / record["key"] / "models").is_dir()
    assert not list(Path("runs").glob("*.unfinished/models/model-best"))


def test_what_is_done_is_not_done_again(done, folder):
    shutil.copytree(done[0] / "runs", "runs")
    before = records()
    code, output = run()
    assert code == 1 and "4 runs, 4 of them done" in output and records() == before
    code, output = run("--retry")
    assert code == 1 and "4 runs, 2 of them done" in output and len(records()) == 6
    assert "1 runs, 1 of them done" in run("--small", "--dry")[1]


def test_a_record_repeats_the_run(done, there, tmp_path):
    """The config in the folder of a run gives the same scores again, and the predictions are those that were scored."""
    (record,) = [record for record in records() if (record["variant"], record["size"]) == ("F", 3)]
    place = Path("runs") / record["key"]
    nlp = spacy.load(place / "models" / "model-best")
    gold, found = (DocBin().from_disk(path).get_docs(nlp.vocab) for path in ("target.spacy", place / "test.spacy"))
    for doc, reference in zip(found, gold, strict=True):
        again = nlp(Doc(nlp.vocab, words=[token.text for token in reference]))
        assert [(e.start, e.end, e.label_, e._.confidence) for e in doc.ents] == [
            (e.start, e.end, e.label_, pytest.approx(e._.confidence, rel=1e-5)) for e in again.ents
        ]
    config = load_config(place / "config.cfg")
    config["training"]["logger"].pop("output_file")
    config["corpora"]["train"].pop("ids")
    config.to_disk(tmp_path / "again.cfg")
    train(tmp_path / "again.cfg", tmp_path / "again")
    performance = spacy.util.load_meta(tmp_path / "again/model-best/meta.json")["performance"]
    assert performance["ents_f"] == pytest.approx(record["dev"]["ents_f"]) == record["test"]["ents_f"]


def test_figures_need_the_code_of_the_models(done, there, tmp_path):
    name = ("spacy", "callbacks", "code.nothing.v1")
    function = catalogue._remove(name)
    try:
        code, output = call("figures", "runs", str(tmp_path))
        assert code == 1 and "code.nothing.v1" in output
        code, output = call("figures", "runs", str(tmp_path), "--code", "code.py")
    finally:
        catalogue._set(name, function)
    assert code == 0 and "es-learning" not in output and (tmp_path / "es-variants.png").is_file()


def test_runs_of_another_grid_are_reused(done, folder):
    variants = """
  DATNet-F: {config: small.cfg}
  γ = 2: {config: small.cfg, overrides: {components.datnet_ner.loss.gamma: 2.0}}
"""
    text = GRID.partition("small:")[0].replace("[7, 3]", "[3]").replace("\n  F: {config: small.cfg}\n", variants)
    Path("grid.yaml").write_text(text)
    code, output = run("--reuse", str(done[0]))
    assert code == 0, output
    # DATNet-F and γ = 2 come to the same
    assert "2 runs, 0 of them done" in output
    reused = [line for line in output.splitlines() if line.endswith(": reused")]
    assert reused == ["es base 3 seed 0: reused", "es DATNet-F 3 seed 0: reused"]
    before = [record["test"] for record in records(done[0] / "runs") if record["size"] == 3]
    assert [record["test"] for record in records()] == before
    results = read_results(Path("runs"))
    for name, test in [("base", before[0]), ("DATNet-F", before[1]), ("γ = 2", before[1])]:
        (record,) = results.select("es", name, "3")["record"]
        assert record.test == test and f"| {name} |" in output
    assert "2 runs, 2 of them done" in run("--reuse", str(done[0]))[1]


def wait_for(condition: Callable) -> object:
    end = time.monotonic() + 240
    while not (value := condition()):
        assert time.monotonic() < end
        time.sleep(0.02)
    return value


@needs_proc
def test_a_killed_worker_is_recorded_and_an_interrupted_training_goes_on(folder):
    config = load_config("small.cfg")
    config["training"] |= {"max_steps": 200, "eval_frequency": 100}
    config.to_disk("small.cfg")
    Path("grid.yaml").write_text(GRID.replace("[7, 3]", "[3]"))
    base, network = read_grid(Path("grid.yaml")).runs
    unfinished = [Path("runs") / f"{run.key}.unfinished" for run in (base, network)]

    def kill():
        wait_for(unfinished[0].is_dir)
        active_children()[0].kill()

    Thread(target=kill).start()
    outcomes = run_locally([base, network], Path("runs"), workers=1, **SETTINGS)
    run_, record = next(outcomes)
    assert run_ is base and "DN306" in record["error"] and "-9" in record["error"]

    def interrupt():
        wait_for((unfinished[1] / "curve.jsonl").is_file)
        active_children()[0].terminate()

    Thread(target=interrupt).start()
    _, record = next(outcomes)
    assert "DN306" in record["error"] and list(outcomes) == []
    ((_, record),) = run_locally([network], Path("runs"), workers=1, **SETTINGS)
    assert record["error"] is None
    assert (Path("runs") / network.key).is_dir() and not unfinished[1].exists()
    log = (Path("runs") / network.key / "log.txt").read_text(encoding="utf8")
    assert "Interrupted" in log and "Going on after step" in log
    assert [row["step"] for row in record["curve"]] == [0, 100, 200]


@needs_proc
def test_workers_end_with_a_grid_that_is_killed(folder):
    command = [sys.executable, "-m", "spacy_datnet", "run", "grid.yaml", "runs", "--code", "code.py", "--small"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    children = f"/proc/{process.pid}/task/{process.pid}/children"
    wait_for(lambda: list(Path("runs").glob("*.unfinished")))
    servers = [Path(f"/proc/{pid}/task/{pid}/children") for pid in Path(children).read_text().split()]
    workers = [pid for server in servers for pid in server.read_text().split()]
    assert workers
    process.kill()
    process.wait()
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert records() == []


def test_a_folder_in_which_runs_are_done_is_left_alone(folder):
    with locked(Path("runs")):
        code, output = run()
    assert code == 1 and "[DN312]" in output
    assert [path.name for path in Path("runs").iterdir()] == [".lock"]


def test_help_says_where_paths_are_looked_up():
    output = call("run", "--help")[1]
    assert "looked up from the folder that its file is in" in " ".join(output.replace("│", " ").split())


def test_a_mistake_in_the_grid_is_a_message(folder):
    Path("grid.yaml").write_text(GRID.replace("seeds:", "seed:", 1))
    code, output = run()
    assert code == 1
    assert "Error: [DN302] grid.yaml: in the grid, missing: seeds; unknown: seed" in output
    assert not Path("runs").exists()


def worker_of_ray(task: str) -> int | None:
    """A process of Ray that is doing a task."""
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if path.read_bytes().startswith(f"ray::{task}".encode()):
                return int(path.parent.name)
        except OSError:
            continue
    return None


@needs_proc
def test_ray_does_the_same_and_a_killed_worker_loses_and_repeats_nothing(done, folder):
    pytest.importorskip("ray")
    (small,) = read_grid(Path("grid.yaml"), small=True).runs
    killer = Thread(target=lambda: os.kill(wait_for(lambda: worker_of_ray("_work_in")), signal.SIGKILL))
    killer.start()
    ((_, record),) = run_on_ray([small], Path("runs"), workers=1, **SETTINGS)
    killer.join()
    (expected,) = [one for one in records(done[0] / "runs") if one["key"] == small.key]
    assert record["error"] is None and record["test"] == expected["test"]
    assert [path.name for path in Path("runs").iterdir()] == [small.key]


def test_without_ray_there_is_a_message(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, output = run("--engine", "ray")
    assert code == 1 and "[DN307]" in output and "spacy-datnet[ray]" in output
