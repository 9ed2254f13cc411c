"""`spacy-datnet annotate`: every document once, whatever happens."""

import json
import multiprocessing
import os
import signal
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import spacy
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_datnet.bulk import plan as planning
from spacy_datnet.bulk.work import load
from spacy_datnet.cli import app

# a component that kills its process at some document, once; and fails at others
CODE = """
import os, signal
from pathlib import Path
from spacy.language import Language

MARK, LOADS = Path({mark!r}), Path({loads!r})
with LOADS.open("a") as file:
    file.write(f"{{os.getpid()}}\\n")

@Language.component("trouble")
def trouble(doc):
    if "kill" in doc.text and not MARK.exists():
        MARK.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    if "fail" in doc.text:
        raise KeyError("no way")
    return doc
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A pipeline, and a text of 100 lines in shards of ten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(planning, "SMALLEST", 150)
    Path("code.py").write_text(CODE.format(mark=str(tmp_path / "mark"), loads=str(tmp_path / "loads")))
    nlp = spacy.blank("es")
    nlp.add_pipe("sentencizer")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Lima"}, {"label": "PER", "pattern": "Ana"}])
    nlp.to_disk("plain")
    spacy.util.import_file("python_code", Path("code.py"))
    nlp.add_pipe("trouble")
    nlp.to_disk("trouble")
    write([f"{i:03} Ana en Lima" for i in range(100)])
    load.cache_clear()
    yield tmp_path
    load.cache_clear()


def write(lines, name="in.txt"):
    Path(name).write_text("".join(f"{line}\n" for line in lines), encoding="utf8")


def run(*arguments):
    return CliRunner().invoke(app, ["annotate", *map(str, arguments)])


def shards(folder="out", form="jsonl"):
    return sorted(Path(folder).glob(f"*.{form}"))


def records(folder="out"):
    return [json.loads(line) for path in shards(folder) for line in path.read_text(encoding="utf8").splitlines()]


def test_what_a_pipeline_sets_and_what_a_record_has_are_written(place):
    rows = [{"id": "a", "text": "Sí, Ana en Lima 🎈", "more": {"x": 1}}, {"id": 2, "text": ""}, {"text": "nada"}]
    write(map(json.dumps, rows), "in.jsonl")
    result = run("plain", "in.jsonl", "out", "--workers", 1)
    assert result.exit_code == 0 and "3 documents with 2 entities" in result.output, result.output
    found = records()
    assert [{name: one[name] for name in row} for one, row in zip(found, rows, strict=True)] == rows
    first = {"start": 4, "end": 7, "label": "PER", "text": "Ana", "confidence": None}
    assert found[0]["ents"][0] == first and found[0]["text"][11:15] == found[0]["ents"][1]["text"] == "Lima"

    assert run("plain", "in.jsonl", "table", "--format", "parquet", "--workers", 1).exit_code == 0
    table = pq.read_table(shards("table", "parquet")[0]).to_pylist()
    assert [row["id"] for row in table] == ["a", "2", None] and json.loads(table[0]["meta"]) == {"more": {"x": 1}}
    assert table[0]["ents"][0] == first and table[2]["ents"] == [] and table[0]["tokens"] is None

    assert run("plain", "in.jsonl", "docs", "--format", "spacy", "--workers", 1).exit_code == 0
    docs = list(DocBin().from_disk(shards("docs", "spacy")[0]).get_docs(Vocab()))
    assert [doc.user_data.get("meta", {}).get("id") for doc in docs] == ["a", 2, None]
    assert [ent.label_ for ent in docs[0].ents] == ["PER", "LOC"] and docs[0].has_annotation("SENT_START")


@pytest.mark.parametrize("kill_at", [0, 37, 99])
def test_after_a_kill_the_same_command_goes_on_and_every_document_is_there_once(place, kill_at):
    lines = [f"{i:03} Ana en Lima" for i in range(100)]
    lines[kill_at] += " kill"
    write(lines)
    arguments = ("trouble", "in.txt", "out", "--workers", 1, "--code", "code.py")
    child = multiprocessing.get_context("fork").Process(target=run, args=arguments)
    child.start()
    child.join()
    assert child.exitcode == -signal.SIGKILL
    assert len(shards()) == kill_at // 10 and list(Path("out").glob(".*.tmp"))
    # a line of the manifest that was not finished, and a shard without its line
    with Path("out/manifest.ndjson").open("ab") as file:
        file.write(b'{"shard": 9')
    Path("out/000009.jsonl").write_text("half")
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    assert [one["text"] for one in records()] == lines
    assert not list(Path("out").glob(".*.tmp"))
    again = run(*arguments)
    assert "10 of 10 shards are done" in again.output and "(0 now" in again.output
    assert [one["text"] for one in records()] == lines


def test_a_bad_record_is_said_and_set_aside_and_the_run_goes_on(place):
    lines = [f"{i:03} Ana" for i in range(40)]
    lines[7] += " fail"
    write(lines)
    data = Path("in.txt").read_bytes().replace(b"023 Ana", b"023 \xff")
    Path("in.txt").write_bytes(data)
    result = run("trouble", "in.txt", "out", "--workers", 1, "--code", "code.py")
    assert result.exit_code == 0, result.output
    assert [one["text"] for one in records()] == lines[:7] + lines[8:23] + lines[24:]
    aside = [json.loads(line) for path in sorted(Path("out").glob("*.rejected.ndjson")) for line in path.open()]
    assert [one["record"] for one in aside] == [lines[7], "023 \\xff"]
    for line, reason in ((8, "KeyError: 'no way'"), (24, "utf-8")):
        assert f"in.txt, line {line} (" in result.output and reason in result.output
    assert "38 documents" in result.output and "2 record(s)" in result.output


def test_a_pipeline_that_fails_at_everything_ends_the_run(place):
    write(["fail"] * 100)
    result = run("trouble", "in.txt", "out", "--workers", 1, "--code", "code.py")
    assert result.exit_code == 1 and "DN349" in result.output and "no way" in result.output


@pytest.mark.parametrize("what", ["in.txt", "plain/tokenizer", "more"])
def test_other_documents_or_another_pipeline_are_refused(place, what):
    assert run("plain", "in*.txt", "out", "--workers", 1).exit_code == 0
    if what == "more":
        write(["one more"], "in2.txt")
    else:
        path = Path(what)
        path.write_bytes(path.read_bytes() + b" ")
    result = run("plain", "in*.txt", "out", "--workers", 1)
    assert result.exit_code == 1 and "DN348" in result.output and "--restart" in result.output
    assert len(records()) == 100
    if what != "plain/tokenizer":
        result = run("plain", "in*.txt", "out", "--workers", 1, "--restart")
        assert result.exit_code == 0 and len(records()) == 100 + (what == "more"), result.output


def test_what_can_t_be_done_is_said_before_anything_is_written(place):
    Path("other").mkdir()
    write(["mine"], "other/mine.txt")
    for arguments, code in [
        (("plain", "in.txt", "other"), "DN345"),
        (("plain", "in.txt", "code.py"), "DN345"),
        (("nothing", "in.txt", "out"), "DN344"),
        (("plain", "no*.txt", "out"), "DN201"),
        (("plain", "code.py", "out"), "DN340"),
    ]:
        result = run(*arguments)
        assert result.exit_code == 1 and code in result.output, result.output
    assert not Path("out").exists()


def test_shards_among_the_documents_are_no_documents(place):
    for _ in range(2):
        result = run("plain", ".", "out", "--workers", 1)
        assert result.exit_code == 0 and len(records()) == 100, result.output


@pytest.mark.parametrize("size, shared", [(10, 1), (200, 3)])
def test_small_files_share_a_shard(place, size, shared):
    for i in range(3):
        write(["x" * size], f"small{i}.txt")
    plan = planning.make_plan("plain", ["small*.txt"], None, Path("out"))
    assert len(plan.shards) == shared and sum(plan.counts) == 3
    assert [part.path.name for shard in plan.shards for part in shard] == [f"small{i}.txt" for i in range(3)]


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["local", "ray"])
def test_a_worker_that_is_killed_is_replaced(place, engine):
    lines = [f"{i:03} Ana en Lima" for i in range(100)]
    lines[55] += " kill"
    write(lines)
    result = run("trouble", "in.txt", "out", "--workers", 2, "--engine", engine, "--code", "code.py")
    assert result.exit_code == 0, result.output
    assert Path("mark").exists() and [one["text"] for one in records()] == lines
    loads = Path("loads").read_text().split()
    assert str(os.getpid()) in loads
    workers = [process for process in loads if process != str(os.getpid())]
    assert len(set(workers)) == len(workers) >= 3  # each has loaded the pipeline once, and one is dead
