"""The manifest: what is written is read, and what was not finished is not there."""

import signal
import subprocess
import sys

import pytest

from spacy_datnet.experiments import ExperimentError
from spacy_datnet.experiments.manifest import Manifest, locked

RECORDS = [{"key": "a", "test": {"ents_f": 0.5}}, {"key": "b", "error": "línea\nrota"}, {"key": "a", "error": None}]


@pytest.fixture
def manifest(tmp_path) -> Manifest:
    found = Manifest(tmp_path / "new" / "runs")
    for record in RECORDS:
        found.add(record)
    return found


def test_an_empty_folder_has_no_records(tmp_path):
    assert list(Manifest(tmp_path).records()) == []


def test_records_are_read_as_they_were_written(manifest):
    assert list(manifest.records()) == RECORDS
    assert len(manifest.path.read_text(encoding="utf8").splitlines()) == len(RECORDS)
    assert manifest.latest() == {"a": RECORDS[2], "b": RECORDS[1]}


@pytest.mark.parametrize("rest", ['{"key": "c"', '{"key": "c", "text": "caf\u00e9', "x"])
def test_a_line_that_was_not_finished_is_no_record_and_makes_room(manifest, rest):
    whole = manifest.path.read_bytes()
    manifest.path.write_bytes(whole + rest.encode()[:-1])
    assert list(manifest.records()) == RECORDS
    manifest.add({"key": "d"})
    assert list(manifest.records()) == [*RECORDS, {"key": "d"}]
    assert manifest.path.read_bytes() == whole + b'{"key": "d"}\n'


def test_a_manifest_that_is_nothing_but_an_unfinished_line(tmp_path):
    manifest = Manifest(tmp_path)
    manifest.path.write_text('{"key"')
    manifest.add({"key": "d"})
    assert list(manifest.records()) == [{"key": "d"}]


def test_a_damaged_line_is_named(manifest):
    lines = manifest.path.read_text(encoding="utf8").splitlines(keepends=True)
    manifest.path.write_text(lines[0] + "{]\n" + lines[2], encoding="utf8")
    with pytest.raises(ExperimentError, match=r"DN305.*manifest.jsonl, line 2"):
        list(manifest.records())


HOLD = """
import sys, time
from pathlib import Path
from spacy_datnet.experiments.manifest import locked

with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(600)
"""


def test_two_processes_do_not_do_runs_in_one_folder(tmp_path):
    folder = tmp_path / "runs"
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(folder)], stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout.readline() == "locked\n"
        with pytest.raises(ExperimentError, match=r"DN312.*runs"), locked(folder):
            pass
        with locked(tmp_path / "others"):
            pass
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    with locked(folder):  # a lock ends with its process
        pass
    with locked(folder):
        pass
