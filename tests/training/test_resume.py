"""Training that goes on: after whatever end, the pipelines are those of `spacy train`, to the byte."""

import errno
import os
import random
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import srsly
import torch
from checkpoints import write_checkpoint
from hypothesis import given
from hypothesis import strategies as st
from resumable import (
    TRAININGS,
    assert_same,
    configure,
    contents,
    interrupted,
    kill_at,
    spacy_trains,
    we_train,
    write_corpora,
)
from spacy.language import Language
from spacy.training.loop import fix_random_seed
from thinc.api import Config
from typer.testing import CliRunner
from util import TARGET_SENTENCES, annotated, write_docs

from spacy_datnet.cli import app
from spacy_datnet.training import folder as folder_module
from spacy_datnet.training import resume, state
from spacy_datnet.training.folder import TrainingError
from spacy_datnet.training.replay import Trail, random_states, set_random_states

QUICK = "spaCy's ner"
# how many real kills of each training; a few dozen take half an hour
KILLS = int(os.environ.get("SPACY_DATNET_KILLS", "0"))


@pytest.fixture(scope="module")
def corpora(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("corpora")
    write_corpora(path)
    write_checkpoint(path / "checkpoint")
    return path


@pytest.fixture(scope="module")
def truth(corpora, tmp_path_factory) -> Callable[[str], Path]:
    """Give the output of `spacy train`."""
    folder, made = tmp_path_factory.mktemp("truth"), {}

    def output(name: str) -> Path:
        if name not in made:
            made[name] = folder / str(len(made))
            spacy_trains(configure(name, corpora), made[name])
        return made[name]

    return output


@pytest.mark.parametrize("name", TRAININGS)
def test_interrupted_training_is_that_of_spacy(name, corpora, truth, monkeypatch, tmp_path):
    config = configure(name, corpora)
    for update in (9, 7):  # counted anew in each process; with two parts of a batch, two updates are a step
        kill = partial(kill_at, owner=Language, name="update", call=update)
        interrupted(monkeypatch, kill, config, tmp_path, save_every=2)
    shown = we_train(config, tmp_path, save_every=2)
    assert "Going on after step" in shown
    assert_same(tmp_path, truth(name))


@pytest.mark.parametrize(
    ("owner", "name", "call"),
    [
        (Language, "update", 3),  # before anything is saved
        (Language, "evaluate", 2),
        (Language, "to_disk", 2),
        (resume.shutil, "copytree", 1),  # model-best, the first time
        (resume, "replace_folder", 4),
        (folder_module.Path, "rename", 5),
        (state.zipfile.ZipFile, "writestr", 4),
        (state.np, "save", 30),
        (os, "fsync", 9),
        (state.State, "restore", 1),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_whatever_is_interrupted(owner, name, call, corpora, truth, monkeypatch, tmp_path):
    config = configure(QUICK, corpora)
    if owner is state.State:  # there must be one
        interrupted(
            monkeypatch, partial(kill_at, owner=Language, name="evaluate", call=2), config, tmp_path, save_every=2
        )
    interrupted(monkeypatch, partial(kill_at, owner=owner, name=name, call=call), config, tmp_path, save_every=2)
    we_train(config, tmp_path, save_every=2)
    assert_same(tmp_path, truth(QUICK))
    assert {path.name for path in tmp_path.iterdir()} == {"model-best", "model-last", "training-state"}
    assert {path.name for path in (tmp_path / "training-state").iterdir()} <= {"start.json", "lock"}


def test_model_best_is_that_of_the_state(corpora, truth, monkeypatch, tmp_path):
    config = configure(QUICK, corpora)
    interrupted(monkeypatch, partial(kill_at, owner=Language, name="evaluate", call=3), config, tmp_path, save_every=3)
    shutil.rmtree(tmp_path / "model-best")
    shutil.rmtree(tmp_path / "model-last")
    we_train(config, tmp_path, save_every=3)
    assert_same(tmp_path, truth(QUICK))


@pytest.mark.parametrize("logger", ["spacy-datnet.ConsoleLogger.v1", "spacy.ConsoleLogger.v3"])
def test_the_log_goes_on(logger, corpora, monkeypatch, tmp_path):
    def settings(log: Path) -> Config:
        config = configure("listeners", corpora)
        config["training"]["logger"] = {"@loggers": logger, "output_file": str(log)}
        return config

    def rows(log: Path) -> list[dict]:
        return [{**row, "seconds": 0} for row in srsly.read_jsonl(log)]

    whole, parts = tmp_path / "whole.jsonl", tmp_path / "parts.jsonl"
    expected = spacy_trains(settings(whole), tmp_path / "whole").splitlines()
    for evaluation in (3, 1):
        kill = partial(kill_at, owner=Language, name="evaluate", call=evaluation)
        interrupted(monkeypatch, kill, settings(parts), tmp_path / "parts", save_every=1)
    shown = we_train(settings(parts), tmp_path / "parts", save_every=1).splitlines()
    assert rows(parts) == rows(whole)
    assert [row["step"] for row in rows(parts)] == [0, 5, 10, 15]
    # on the terminal there is a header and what is new
    steps = [line.split()[1] for line in shown if line.split()[1:2] in (["0"], ["5"], ["10"], ["15"])]
    assert steps == ["10", "15"]
    assert [line for line in expected if line.split()[1:2] == ["15"]] == [
        line for line in shown if line.split()[1:2] == ["15"]
    ]


@pytest.fixture
def begun(corpora, monkeypatch, tmp_path) -> tuple[Config, Path]:
    """A training that was interrupted, with corpora of its own."""
    paths = tmp_path / "corpora"
    shutil.copytree(corpora, paths)
    config = configure(QUICK, paths)
    output = tmp_path / "output"
    interrupted(monkeypatch, partial(kill_at, owner=Language, name="evaluate", call=3), config, output, save_every=3)
    return config, output


def test_changes_are_refused(begun, tmp_path):
    config, output = begun
    changed = config.copy()
    changed["training"]["dropout"] = 0.2
    with pytest.raises(TrainingError, match=r"DN113.*training\.dropout: 0\.1 is now 0\.2"):
        we_train(changed, output)
    target = tmp_path / "corpora" / "target.spacy"
    before = target.read_bytes()
    write_docs(target, [annotated(Language().vocab, sentence) for sentence in TARGET_SENTENCES])
    with pytest.raises(TrainingError, match=r"DN113.*target\.spacy \(corpora\.train\.target\)"):
        we_train(config, output)
    with pytest.raises(TrainingError, match=r"DN113.*--code"):
        we_train(config, output, code=Path(__file__))
    target.write_bytes(before)
    we_train(config, output)
    truth = tmp_path / "truth"
    spacy_trains(config, truth)
    assert_same(output, truth)
    with pytest.raises(TrainingError, match="DN113"):
        we_train(changed, output)
    assert "Going on" not in we_train(changed, output, restart=True)
    with pytest.raises(AssertionError, match="ner/model"):
        assert_same(output, truth)
    we_train(config, output, restart=True)
    assert_same(output, truth)


def test_what_is_done_is_not_done_again(begun):
    config, output = begun
    we_train(config, output)
    before = contents(output)
    (output / "model-best" / "meta.json").write_text("{}")
    assert "is done" in we_train(config, output)
    assert (output / "model-best" / "meta.json").read_text() == "{}"
    shutil.rmtree(output / "model-last")  # but there must be something
    we_train(config, output)
    assert contents(output) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_save(number, corpora, truth, monkeypatch, tmp_path):
    def send(patched: pytest.MonkeyPatch) -> None:
        update, calls = Language.update, iter(range(100))

        def updated(*args, **kwargs):
            if next(calls) == 7:
                os.kill(os.getpid(), number)
            return update(*args, **kwargs)

        patched.setattr(Language, "update", updated)

    config = configure("ner", corpora)
    before = signal.getsignal(number)
    with monkeypatch.context() as patched, pytest.raises(SystemExit) as stop:
        send(patched)
        we_train(config, tmp_path)
    assert stop.value.code == 128 + number
    assert signal.getsignal(number) is before
    assert "Going on after step 7" in we_train(config, tmp_path)
    assert_same(tmp_path, truth("ner"))


def test_a_full_disk_is_said_and_loses_nothing(begun, monkeypatch, tmp_path):
    config, output = begun
    before = (output / "training-state" / "state.zip").read_bytes()

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(TrainingError, match=r"DN112.*No space left"):
        patched.setattr(os, "fsync", full)
        we_train(config, output, save_every=1)
    assert (output / "training-state" / "state.zip").read_bytes() == before
    we_train(config, output)
    spacy_trains(config, tmp_path / "truth")
    assert_same(output, tmp_path / "truth")


def test_outputs_that_cannot_be(corpora, tmp_path):
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(TrainingError, match=r"DN112.*file"):
        we_train(configure(QUICK, corpora), file / "output")


def test_one_process_at_a_time(begun):
    config, output = begun
    lock = output / "training-state" / "lock"
    line = f"import filelock; lock = filelock.FileLock({str(lock)!r}); lock.acquire(); print(flush=True); input()"
    other = subprocess.Popen([sys.executable, "-c", line], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    other.stdout.readline()
    before = contents(output)
    with pytest.raises(TrainingError, match=r"DN131.*output"):
        we_train(config, output, restart=True)
    assert contents(output) == before
    other.kill()  # and not one that is gone
    other.communicate()
    assert "Going on" in we_train(config, output)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("state.zip", lambda data: data[: len(data) // 2] + b"?" * 99 + data[len(data) // 2 + 99 :]),
        ("start.json", lambda data: data[:99]),
        ("start.json", lambda data: b"[]"),
        ("start.json", lambda data: b'{"settings": 1}'),
    ],
)
def test_damage_is_said(name, damage, begun):
    config, output = begun
    path = output / "training-state" / name
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(TrainingError, match=f"DN114.*{name}.*--restart"):
        we_train(config, output)
    assert "Going on" not in we_train(config, output, restart=True)


def test_without_a_seed_the_random_numbers_go_on(corpora, monkeypatch, tmp_path):
    config = configure(QUICK, corpora)
    config["training"]["seed"] = None
    fix_random_seed(5)
    we_train(config, tmp_path / "whole")
    fix_random_seed(5)
    kill = partial(kill_at, owner=Language, name="evaluate", call=3)
    interrupted(monkeypatch, kill, config, tmp_path / "parts", save_every=3)
    fix_random_seed(6)
    we_train(config, tmp_path / "parts")
    assert_same(tmp_path / "parts", tmp_path / "whole")


@given(st.lists(st.sampled_from("pntPNT-"), max_size=30), st.integers(0, 30))
def test_trails_lead_to_the_same_numbers(actions, stop):
    """Capital letters draw between the calls that are to be repeated, small ones in them."""
    draw = {"p": random.random, "n": np.random.random, "t": lambda: float(torch.rand(1)), "-": lambda: 0.0}

    def go(trail: Trail, actions: list[str], between: bool) -> list[float]:
        drawn = []
        for action in actions:
            if action in draw:
                drawn.append(trail(draw[action]))
            elif between:
                draw[action.lower()]()
        return drawn

    fix_random_seed(0)
    trail = Trail()
    expected = go(trail, actions[:stop], between=True)
    end = random_states()
    later = go(trail, actions[stop:], between=True)

    fix_random_seed(1)
    again = Trail([entry for entry in trail.to_list() if entry[0] < len(expected)])
    assert go(again, actions[:stop], between=False) == expected
    again.go_on()
    set_random_states(end)
    assert go(again, actions[stop:], between=True) == later
    fix_random_seed(2)
    assert go(Trail(again.to_list()), actions, between=False) == expected + later


# In processes of their own


def command(config: Path, output: Path, *options: str) -> list[str]:
    return [sys.executable, "-m", "spacy_datnet", "train", str(config), "--output", str(output), *options]


def test_the_command_goes_on_after_a_kill(corpora, truth, tmp_path, monkeypatch):
    monkeypatch.setattr(Language, "update", Language.update)  # the last command imports the code here
    config = tmp_path / "config.cfg"
    configure(QUICK, corpora).to_disk(config)
    code = tmp_path / "code.py"
    code.write_text(
        "import os, signal\nfrom pathlib import Path\nfrom spacy.language import Language\n"
        "update, calls = Language.update, iter(range(99))\n"
        "def updated(*args, **kwargs):\n"
        "    if next(calls) == 29 and not Path(r'%s').exists():\n"
        "        Path(r'%s').touch(); os.kill(os.getpid(), getattr(signal, 'SIGKILL', signal.SIGTERM))\n"
        "    return update(*args, **kwargs)\n"
        "Language.update = updated\n" % ((tmp_path / "killed",) * 2)
    )
    line = command(config, tmp_path / "output", "--save-every", "2", "--code", str(code), "--training.dropout", "0.1")
    killed = subprocess.run(line, capture_output=True, text=True)
    assert killed.returncode not in (0, 1), killed.stderr
    goes_on = subprocess.run(line, capture_output=True, text=True)
    assert goes_on.returncode == 0 and "Going on after step" in goes_on.stdout, goes_on.stderr
    assert_same(tmp_path / "output", truth(QUICK))
    assert "does not exist" in CliRunner().invoke(app, ["train", "none.cfg", "--output", str(tmp_path / "none")]).output
    refused = CliRunner().invoke(app, [*line[3:-1], "0.2"])
    assert refused.exit_code == 1 and "DN113" in refused.output


@pytest.mark.skipif(not KILLS, reason="takes long: set SPACY_DATNET_KILLS to the number of kills")
@pytest.mark.parametrize("name", TRAININGS)
def test_many_kills(name, corpora, tmp_path):
    config, chance = tmp_path / "config.cfg", random.Random(name)
    steps = 17 if "max_steps" in TRAININGS[name][1] else 60
    configure(name, corpora, tmp_path / "log.jsonl", steps=steps).to_disk(config)
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    subprocess.run(command(config, whole), check=True, capture_output=True)
    (tmp_path / "log.jsonl").rename(tmp_path / "whole.jsonl")
    kills = 0
    while kills < KILLS:
        line = command(config, parts, "--save-every", str(chance.randint(1, 4)))
        process = subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # from the first step on
        for row in islice(iter(process.stdout.readline, b""), 1000):
            if b"------" in row:
                break
        try:
            process.wait(chance.uniform(0.0, 1.0))
        except subprocess.TimeoutExpired:
            process.kill()
            kills += 1
        process.wait()
        if process.returncode == 0:
            _compare(parts, whole, tmp_path)
            shutil.rmtree(parts)
            (tmp_path / "log.jsonl").unlink()
        else:
            assert process.returncode == -signal.SIGKILL, process.stdout.read().decode()
    subprocess.run(command(config, parts), check=True, capture_output=True)
    _compare(parts, whole, tmp_path)


def _compare(parts: Path, whole: Path, logs: Path) -> None:
    assert_same(parts, whole)
    rows, expected = (
        [{**row, "seconds": 0} for row in srsly.read_jsonl(logs / name)] for name in ("log.jsonl", "whole.jsonl")
    )
    assert rows == expected
