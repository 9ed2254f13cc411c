"""The web application: what it answers, what it refuses, and that no answer is lost."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from spacy.tokens import DocBin

pytest.importorskip("fastapi")
pytest.importorskip("httpx")
from fastapi.testclient import TestClient

from spacy_datnet.corpora import WRITERS, CorpusError, survey_corpus
from spacy_datnet.serve.app import BYTES, make_app
from spacy_datnet.serve.store import Answer, Queue

EMOJI = "👩‍🔬 Ana in Lima"
TASKS = (
    {"text": "Ana in Lima", "spans": [{"start": 7, "end": 11, "label": "LOC", "score": 0.5}], "meta": {"source": "a"}},
    {"text": EMOJI},
    {"text": "دمشق مدينة", "tokens": [{"start": 0, "end": 4, "text": "دمشق"}, {"start": 5, "end": 10}], "extra": 7},
)


def client_of(nlp, queue=None, **settings):
    return TestClient(make_app(nlp, queue, **settings), base_url="http://127.0.0.1:8000")


@pytest.fixture
def queue(write_queue):
    return Queue(write_queue(*TASKS))


@pytest.fixture
def client(nlp, queue):
    client = client_of(nlp, queue)
    page = client.get("/").text
    client.headers["X-Token"] = page.partition('name="token" content="')[2].partition('"')[0]
    return client


def answer(client, number, version, kind="accept", spans=(), **others):
    body = {"version": version, "answer": kind, "spans": list(spans), **others}
    return client.post(f"/queue/{number}", json=body)


def test_entities_of_texts(nlp):
    client = client_of(nlp)
    (found, nothing) = client.post("/entities", json={"texts": [EMOJI, ""]}).json()["results"]
    assert nothing == []
    assert [(one["text"], one["label"], one["confidence"]) for one in found] == [
        ("👩‍🔬", "PER", 0.9),
        ("Ana", "PER", 0.9),
        ("Lima", "LOC", 0.4),
    ]
    utf16 = EMOJI.encode("utf-16-le")
    for one in found:
        assert EMOJI[one["start"] : one["end"]] == one["text"]
        assert utf16[2 * one["start_utf16"] : 2 * one["end_utf16"]].decode("utf-16-le") == one["text"]
    (kept,) = client.post("/entities", json={"texts": ["Ana in Lima, Acme"], "threshold": 0.5}).json()["results"]
    assert [one["text"] for one in kept] == ["Ana", "Acme"]  # no threshold applies without a confidence
    assert "/entities" in client.get("/openapi.json").json()["paths"]
    assert client.get("/queue").status_code == 404


def test_programs_ask_at_once(nlp):
    client = client_of(nlp)

    def ask(i):
        texts = [f"Ana in Lima {i}", "Acme"][: i % 2 + 1]
        return len(client.post("/entities", json={"texts": texts}).json()["results"])

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ask, range(40))) == [i % 2 + 1 for i in range(40)]


@pytest.mark.parametrize(
    "body, status",
    [
        ({"texts": "Ana"}, 422),
        ({}, 422),
        ({"texts": ["a"] * 1001}, 422),
        ({"texts": ["a" * 200_001]}, 422),
        ({"texts": ["\ud83d"]}, 422),
        ({"texts": ["a" * BYTES]}, 413),
    ],
)
def test_requests_that_are_none(nlp, body, status):
    response = client_of(nlp).post("/entities", content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert response.status_code == status and len(response.content) < 1000


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example:8000"},
        {"Host": "[::1"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://127.0.0.1:9000"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    ],
)
def test_other_pages_are_refused(client, headers):
    for path in ("/", "/queue/0", "/export"):
        assert client.get(path, headers=headers).status_code == 403
    assert client.post("/entities", json={"texts": []}, headers=headers).status_code == 403
    assert client.post("/queue/0", json={}, headers=headers).status_code == 403


def test_hosts_that_are_ours(nlp):
    client = client_of(nlp, host="box.example")
    for host in ("localhost:8000", "[::1]:8000", "192.168.1.7", "BOX.example"):
        assert client.get("/", headers={"Host": host, "Origin": f"http://{host}"}).status_code == 200


def test_answers_need_the_token_of_the_page(client):
    for token in ("", "x"):
        refused = client.post(
            "/queue/0", json={"version": 0, "answer": "accept", "spans": []}, headers={"X-Token": token}
        )
        assert refused.status_code == 403 and "DN376" in refused.json()["detail"]
    assert client.get("/queue").json()["progress"]["open"] == 3


def test_the_page_needs_nothing_else(client):
    page = client.get("/")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    for name in ("page.js", "page.css", "report.css"):
        found = client.get(f"/page/{name}")
        assert found.status_code == 200 and "http" not in found.text and name in page.text


def test_the_way_through_a_queue(client, queue, nlp):
    assert client.get("/queue").json() == {
        "name": "suggestions.jsonl",
        "labels": ["LOC", "ORG", "PER"],
        "progress": {"total": 3, "open": 3, "seconds": None},
    }
    first = client.get("/queue/next").json()
    assert first["tokens"] == [[0, 3], [4, 6], [7, 11]] and first["meta"] == {"source": "a"}
    assert first["spans"] == TASKS[0]["spans"]  # those of the queue, not those of the pipeline
    span = {"start": 0, "end": 3, "label": " PER "}
    assert answer(client, 0, 0, spans=[span], seconds=4).json()["version"] == 1
    second = client.get("/queue/next?after=0").json()
    assert second["number"] == 1 and [one["score"] for one in second["spans"]] == [0.9, 0.9, 0.4]
    answer(client, 1, 0, "reject", seconds=8)
    assert client.get("/queue").json()["progress"] == {
        "total": 3,
        "open": 1,
        "seconds": 6.0,
        "accept": 1,
        "reject": 1,
    }
    answer(client, 2, 0, "ignore")
    assert client.get("/queue/next?after=2").json() is None
    answer(client, 0, 1, None, spans=[span])  # undone: open again, the spans are kept
    again = client.get("/queue/next?after=2").json()
    assert (again["number"], again["version"], again["answer"]) == (0, 2, None)
    assert again["spans"] == [{**span, "label": "PER"}]
    assert client.get("/queue/3").status_code == client.get("/queue/-1").status_code == 422
    # the next process goes on, with the token of an open page
    restarted = client_of(nlp, Queue(queue.path))
    assert (
        restarted.post(
            "/queue/0", json={"version": 2, "answer": "reject", "spans": []}, headers=client.headers
        ).status_code
        == 200
    )
    assert queue.progress()["reject"] == 2


def test_tabs_do_not_overwrite_each_other(client):
    mine, theirs = [{"start": 0, "end": 3, "label": "PER"}], [{"start": 7, "end": 11, "label": "LOC"}]
    assert answer(client, 0, 0, spans=theirs).status_code == 200
    for version in (0, 2, -1):
        refused = answer(client, 0, version, spans=mine)
        assert refused.status_code == 409 and "DN377" in refused.json()["detail"]["message"]
        assert refused.json()["detail"]["item"]["spans"] == theirs
    assert answer(client, 0, 1, spans=mine).status_code == 200
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: answer(client, 1, 0).status_code, range(16)))
    assert sorted(statuses) == [200] + [409] * 15


@pytest.mark.parametrize(
    "span",
    [{"start": 3, "end": 3}, {"start": 0, "end": 99}, {"start": -1, "end": 2}, {"start": 0, "end": 3, "label": " "}],
)
def test_spans_that_are_none(client, span):
    assert answer(client, 0, 0, spans=[{"label": "PER", **span}]).status_code == 422
    assert answer(client, 0, 0, "maybe").status_code == 422


def test_a_queue_that_is_written_anew_finds_its_answers(write_queue):
    answers = Queue(write_queue({"text": "a"}, {"text": "b"}, {"text": "b"}))
    for number in (0, 2):
        assert answers.save(number, Answer(version=0, answer="accept", spans=[]))
    again = Queue(write_queue({"text": "b"}, {"text": "b"}, {"text": "c"}))
    assert [again.next_open(after) for after in (-1, 0, 1, 2)] == [0, 2, 2, 0]


@pytest.mark.parametrize("kind", [*WRITERS, "spacy"])
def test_what_is_exported_is_read_again(client, tmp_path, nlp, kind):
    refused = client.get(f"/export?to={kind}")
    assert refused.status_code == (200 if kind == "prodigy" else 409)  # nothing is answered
    spans = [{"start": 0, "end": 4, "label": "PER"}, {"start": 11, "end": 15, "label": "LOC"}]
    assert [EMOJI[one["start"] : one["end"]].strip() for one in spans] == ["👩‍🔬", "Lima"]
    answer(client, 1, 0, spans=spans)
    answer(client, 0, 0, "reject")
    response = client.get(f"/export?to={kind}")
    assert response.status_code == 200 and 'filename="suggestions.' in response.headers["Content-Disposition"]
    path = tmp_path / ("export.spacy" if kind == "spacy" else "export.zip" if kind == "brat" else "export")
    path.write_bytes(response.content)
    survey = survey_corpus(f"{path}:*" if kind == "brat" else path, format="columns" if kind == "conll" else kind)
    (sentence,) = survey.sentences()
    assert "".join(sentence.words).replace(" ", "").startswith("👩‍🔬Ana")
    assert survey.counts.layers["ents"].labels == {"PER": 1, "LOC": 1}
    assert client.get("/export?to=nothing").status_code == 409
    if kind == "spacy":
        (doc,) = DocBin().from_bytes(response.content).get_docs(nlp.vocab)
        assert doc.text == EMOJI


def test_the_answers_are_records_of_prodigy(client):
    answer(client, 2, 0, "ignore", spans=[{"start": 0, "end": 4, "label": "LOC", "score": 0.25}])
    (record,) = map(json.loads, client.get("/export").text.splitlines())
    assert record["extra"] == 7 and record["answer"] == "ignore"
    assert record["spans"] == [{"start": 0, "end": 4, "label": "LOC", "score": 0.25}]
    assert [one["text"] for one in record["tokens"]] == ["دمشق", "مدينة"]


def test_what_was_not_asked_stays_missing(nlp, write_queue):
    """As `suggest --partial` writes it: only the tokens in `asked` are annotated."""
    tokens = [{"start": start, "end": end} for start, end in ((0, 3), (4, 8), (9, 11), (12, 16))]
    spans = [{"start": 0, "end": 3, "label": "PER", "confidence": 0.6, "token_start": 0, "token_end": 0}]
    client = client_of(
        nlp, Queue(write_queue({"text": "Ana vive en Lima", "tokens": tokens, "spans": spans, "asked": [0, 1]}))
    )
    client.headers["X-Token"] = client.get("/").text.partition('name="token" content="')[2].partition('"')[0]
    item = client.get("/queue/0").json()
    assert item["asked"] == [0, 1] and item["spans"][0]["score"] == 0.6
    answer(client, 0, 0, spans=item["spans"])
    (doc,) = DocBin().from_bytes(client.get("/export?to=spacy").content).get_docs(nlp.vocab)
    assert [token.ent_iob_ for token in doc] == ["B", "O", "", ""]
    answer(client, 0, 1, spans=[{"start": 12, "end": 16, "label": "LOC"}])
    (doc,) = DocBin().from_bytes(client.get("/export?to=spacy").content).get_docs(nlp.vocab)
    assert [token.ent_iob_ for token in doc] == ["O", "O", "", "B"]


def test_lines_of_text_are_a_queue(tmp_path):
    path = tmp_path / "raw.txt"
    path.write_bytes("\ufeffAna\r\n\r\n  Łódź \n".encode())
    assert [task.text for task in Queue(path).tasks] == ["Ana", "  Łódź "]


@pytest.mark.parametrize(
    "record, message",
    [
        ({"spans": []}, "line 1"),
        ({"text": "Ana", "spans": [{"start": 0, "end": 4, "label": "PER"}]}, "0 to 4 is no part"),
        ([1], "DN341"),
    ],
)
def test_queues_that_are_none(write_queue, record, message):
    with pytest.raises(CorpusError, match=message):
        Queue(write_queue(record))


def test_files_that_are_none(write_queue, tmp_path):
    with pytest.raises(CorpusError, match="DN372"):
        Queue(write_queue())
    with pytest.raises(CorpusError, match="DN201"):
        Queue(tmp_path / "missing.jsonl")
    path = write_queue({"text": "a"})
    path.with_suffix(".answers.sqlite").write_text("this is no database, and long enough to be seen as such" * 20)
    with pytest.raises(CorpusError, match="DN373"):
        Queue(path)


def test_overlapping_suggestions_keep_the_longest(write_queue):
    spans = [{"start": 0, "end": 3, "label": "A"}, {"start": 0, "end": 6, "label": "B"}]
    assert [one.label for one in Queue(write_queue({"text": "Ana in", "spans": spans})).tasks[0].spans] == ["B"]


def test_a_process_that_is_killed_loses_no_answer(write_queue):
    path = write_queue(*({"text": f"text {i}"} for i in range(400)))
    Queue(path)
    # the schema and the statement of the store, without the seconds that importing spaCy takes
    code = """
import sqlite3, sys
database = sqlite3.connect(sys.argv[1], isolation_level=None)
database.execute("PRAGMA synchronous=FULL")
for key in sys.argv[3:]:
    database.execute(sys.argv[2], {"key": key, "version": 0, "answer": "accept", "spans": "[]", "seconds": 1.0})
    print(key, flush=True)
"""
    from spacy_datnet.serve.store import SAVE

    queue = Queue(path)
    command = [sys.executable, "-c", code, str(queue.file), SAVE, *queue.keys]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        told = [process.stdout.readline().strip() for _ in range(50)]
        os.kill(process.pid, signal.SIGKILL)
        told += process.stdout.read().split()
    saved = Queue(path).saved()
    assert set(told) <= set(saved) and len(saved) - len(told) <= 1
