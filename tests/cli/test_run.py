"""A grid is run, goes on after a stop, and records what fails."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from spacy.util import load_config, load_model_from_config
from typer.testing import CliRunner
from util import SMALL_MODEL, task_examples, training_config, write_docs

from spacy_datnet.cli import app
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
sizes: [3, all]
seeds: [0]
"""
STEPS = 4


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """A folder with two corpora, a small config and a grid; the current one."""
    monkeypatch.chdir(tmp_path)
    parts: dict[str, list] = {"source": [], "target": []}
    for example in task_examples(spacy.blank("es").vocab, ["ents"]):
        parts[resource_of(example)].append(example.reference)
    for name, docs in parts.items():
        write_docs(tmp_path / f"{name}.spacy", docs)
    paths = {"source": Path("source.spacy"), "target": Path("target.spacy"), "dev": Path("target.spacy")}
    config = training_config({"datnet_ner": {"factory": "datnet_ner", "model": SMALL_MODEL}}, paths)
    config["training"] |= {"max_steps": STEPS, "eval_frequency": 2}
    load_model_from_config(config, auto_fill=True).config.to_disk("small.cfg")
    Path("grid.yaml").write_text(GRID)
    return tmp_path


def run(*options: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["run", "grid.yaml", "runs", *options])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def records() -> list[dict]:
    return list(Manifest(Path("runs")).records())


def test_a_grid_runs_once(folder):
    code, output = run("--workers", "2")
    assert code == 0, output
    assert "4 runs, 0 of them done" in output
    assert "| base |" in output and "| F |" in output
    found = records()
    assert {(record["variant"], record["size"]) for record in found} == {
        (variant, size) for variant in ("base", "F") for size in (3, "all")
    }
    for record in found:
        assert record["error"] is None
        assert len(record["ids"]) == (3 if record["size"] == 3 else 6)
        assert f_score(np.sum(record["counts"], 0)) == pytest.approx(100 * record["test"]["ents_f"])
        assert len(record["counts"]) == 6
        assert record["steps"] == STEPS and record["seconds"] > 0 and record["peak_mb"] > 50
        assert [row["step"] for row in record["curve"]] == [0, 2, 4]
        assert set(record["versions"]) == {"python", "spacy-datnet", "spacy", "thinc", "torch", "numpy"}
    assert sorted(path.name for path in Path("runs").iterdir()) == sorted(
        [".lock", "grid.json", "manifest.jsonl", *(record["key"] for record in found)]
    )

    before = Path("runs/manifest.jsonl").read_bytes()
    code, output = run()
    assert code == 0 and "4 runs, 4 of them done" in output
    assert "| base |" in output
    assert Path("runs/manifest.jsonl").read_bytes() == before


def test_a_record_repeats_the_run(folder):
    """The config in the folder of a run gives the same scores again, and the predictions are those that were scored."""
    run("--dry")
    assert records() == []
    Path("grid.yaml").write_text(GRID.replace("[3, all]", "[3]"))
    run("--keep-models")
    (record,) = [record for record in records() if record["variant"] == "F"]
    place = Path("runs") / record["key"]
    nlp = spacy.load(place / "models" / "model-best")
    gold = DocBin().from_disk("target.spacy")
    found = DocBin().from_disk(place / "test.spacy")
    for doc, reference in zip(found.get_docs(nlp.vocab), gold.get_docs(nlp.vocab), strict=True):
        again = nlp(Doc(nlp.vocab, words=[token.text for token in reference]))
        assert [(e.start, e.end, e.label_, e._.confidence) for e in doc.ents] == [
            (e.start, e.end, e.label_, pytest.approx(e._.confidence, rel=1e-5)) for e in again.ents
        ]
    config = load_config(place / "config.cfg")
    config["training"]["logger"].pop("output_file")
    config["corpora"]["train"].pop("ids")
    config.to_disk("again.cfg")
    command = [sys.executable, "-m", "spacy", "train", "again.cfg", "--output", "again"]
    subprocess.run(command, check=True, capture_output=True)
    meta = json.loads(Path("again/model-best/meta.json").read_text())
    assert meta["performance"]["ents_f"] == pytest.approx(record["dev"]["ents_f"]) == record["test"]["ents_f"]
    assert nlp.evaluate(list(Corpus("target.spacy")(nlp)))["ents_f"] == record["test"]["ents_f"]


def test_a_run_that_fails_is_recorded_and_does_not_stop_the_others(folder):
    Path("grid.yaml").write_text(GRID.replace("[3, all]", "[7, 3]").replace("  F: {config: small.cfg}\n", ""))
    code, output = run()
    assert code == 1
    failed, done = records()
    assert (failed["size"], done["size"], done["error"]) == (7, 3, None)
    assert "DN225" in failed["error"] and "Traceback" in failed["traceback"]
    assert "1 runs failed" in output and "--retry" in output
    code, output = run()
    assert code == 1 and "2 runs, 2 of them done" in output and len(records()) == 2
    code, output = run("--retry")
    assert code == 1 and "2 runs, 1 of them done" in output and len(records()) == 3


def listen_to_interrupts() -> None:
    """Undo what shells do to commands in the background, so that the tests may run there."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def worker_of(pid: int) -> int | None:
    """A process that has a training of a grid: forked by the server that a process has started."""
    for server in children_of(pid):
        if b"forkserver" in Path(f"/proc/{server}/cmdline").read_bytes() and (workers := children_of(server)):
            return workers[0]
    return None


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL])
def test_a_killed_worker_is_recorded_and_a_killed_grid_goes_on(folder, how):
    config = load_config("small.cfg")
    config["training"]["max_steps"] = 2000
    config["training"]["eval_frequency"] = 2000
    config.to_disk("small.cfg")
    Path("grid.yaml").write_text(GRID.replace("[3, all]", "[3]"))
    command = [sys.executable, "-m", "spacy_datnet", "run", "grid.yaml", "runs"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=listen_to_interrupts
    )

    def wait_for(condition):
        end = time.monotonic() + 180
        while not (value := condition()):
            assert time.monotonic() < end and process.poll() is None
            time.sleep(0.05)
        return value

    first = wait_for(lambda: list(Path("runs").glob("*.unfinished")))
    os.kill(wait_for(lambda: worker_of(process.pid)), signal.SIGKILL)
    wait_for(records)
    (record,) = records()
    assert record["variant"] == "base" and "DN306" in record["error"] and "-9" in record["error"]
    wait_for(lambda: set(Path("runs").glob("*.unfinished")) - set(first))
    second = worker_of(process.pid)
    process.send_signal(how)
    process.wait(180)
    end = time.monotonic() + 20
    while Path(f"/proc/{second}").exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert len(records()) == 1 and not [path for path in Path("runs").iterdir() if path.name == record["key"]]

    # now both to the end
    config["training"] |= {"max_steps": STEPS, "eval_frequency": 2}
    config.to_disk("small.cfg")
    code, output = run()
    assert code == 0, output
    assert [record["error"] for record in records()[1:]] == [None, None]
    assert not list(Path("runs").glob("*.unfinished"))


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="there are no such signals")
def test_an_interrupted_training_goes_on_and_comes_to_the_same(folder):
    config = load_config("small.cfg")
    config["training"] |= {"max_steps": 300, "eval_frequency": 50}
    config.to_disk("small.cfg")
    Path("grid.yaml").write_text(re.sub(r"  base: .*\n", "", GRID).replace("[3, all]", "[3]"))
    command = [sys.executable, "-m", "spacy_datnet", "run", "grid.yaml", "runs"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, preexec_fn=listen_to_interrupts
    )
    end = time.monotonic() + 180
    while not any(len(path.read_text().splitlines()) > 1 for path in Path("runs").glob("*.unfinished/curve.jsonl")):
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    process.wait(180)
    assert records() == [] and len(list(Path("runs").glob("*.unfinished"))) == 1
    code, output = run()
    assert code == 0, output
    (record,) = records()
    log = (Path("runs") / record["key"] / "log.txt").read_text(encoding="utf8")
    assert "Interrupted" in log and "Going on after step" in log
    Path("runs").rename("interrupted")
    assert run()[0] == 0
    (other,) = records()
    for one in (record, other):
        for row in one["curve"]:
            del row["seconds"]
    for name in ("test", "dev", "counts", "curve", "ids", "steps", "best_step"):
        assert record[name] == other[name], name
    assert not (Path("runs") / record["key"] / "models").exists()


def test_the_small_form_is_part_of_the_whole(folder):
    Path("grid.yaml").write_text(GRID + "small: {variants: [F], sizes: [3]}\n")
    code, output = run("--small")
    assert code == 0 and "1 runs, 0 of them done" in output, output
    code, output = run("--dry")
    assert "4 runs, 1 of them done" in output


def test_runs_of_another_grid_are_reused(folder):
    small = GRID.replace("[3, all]", "[3]")
    Path("grid.yaml").write_text(small)
    run("--keep-models")
    variants = """
  DATNet-F: {config: small.cfg}
  γ = 2: {config: small.cfg, overrides: {components.datnet_ner.loss.gamma: 2.0}}
  γ = 1: {config: small.cfg, overrides: {components.datnet_ner.loss.gamma: 1.0}}
"""
    Path("grid.yaml").write_text(small.replace("\n  F: {config: small.cfg}\n", variants))
    Path("runs").rename("before")
    code, output = run("--reuse", ".")
    assert code == 0, output
    # DATNet-F and γ = 2 come to the same
    assert "3 runs, 0 of them done" in output
    reused = [line for line in output.splitlines() if line.endswith(": reused")]
    assert reused == ["es base 3 seed 0: reused", "es DATNet-F 3 seed 0: reused"]
    before = [record["test"] for record in Manifest(Path("before")).records()]
    assert len(records()) == 3 and [record["test"] for record in records()[:2]] == before
    results = read_results(Path("runs"))
    for name, test in [("base", before[0]), ("DATNet-F", before[1]), ("γ = 2", before[1])]:
        (record,) = results.select("es", name, "3")["record"]
        assert record.test == test
        assert f"| {name} |" in output
    assert "3 runs, 3 of them done" in run("--reuse", ".")[1]


def test_a_folder_in_which_runs_are_done_is_left_alone(folder):
    with locked(Path("runs")):
        code, output = run()
    assert code == 1 and "[DN312]" in output
    assert [path.name for path in Path("runs").iterdir()] == [".lock"]


def test_help_says_where_paths_are_looked_up():
    output = CliRunner().invoke(app, ["run", "--help"]).output
    assert "looked up from the folder that its file is in" in " ".join(output.replace("│", " ").split())


def test_a_mistake_in_the_grid_is_a_message(folder):
    Path("grid.yaml").write_text(GRID.replace("seeds:", "seed:"))
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


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for processes in /proc")
def test_ray_does_the_same_and_a_killed_worker_loses_and_repeats_nothing(folder):
    pytest.importorskip("ray")
    Path("grid.yaml").write_text(GRID.replace("[3, all]", "[3]"))
    code, output = run()
    assert code == 0, output
    expected = {record["key"]: record["test"] for record in records()}
    command = [sys.executable, "-m", "spacy_datnet", "run", "grid.yaml", "others", "--engine", "ray", "--workers", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    end = time.monotonic() + 90
    while (victim := worker_of_ray("_work_in")) is None:
        assert time.monotonic() < end and process.poll() is None
        time.sleep(0.02)
    os.kill(victim, signal.SIGKILL)
    output, _ = process.communicate(timeout=300)
    assert process.returncode == 0, output
    found = list(Manifest(Path("others")).records())
    assert len(found) == len(expected) == 2
    assert {record["key"]: record["test"] for record in found} == expected
    assert sorted(path.name for path in Path("others").iterdir()) == sorted(
        [".lock", "grid.json", "manifest.jsonl", *expected]
    )


def test_without_ray_there_is_a_message(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    code, output = run("--engine", "ray")
    assert code == 1
    assert "[DN307]" in output and "spacy-datnet[ray]" in output
