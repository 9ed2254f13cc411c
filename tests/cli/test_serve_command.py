"""spacy-datnet serve: what it says before it listens."""

import socket
import sys

import pytest
import spacy
from typer.testing import CliRunner

from spacy_datnet.cli import app

uvicorn = pytest.importorskip("uvicorn")
pytest.importorskip("fastapi")


@pytest.fixture
def serve(tmp_path, monkeypatch):
    spacy.blank("es").to_disk(tmp_path / "pipeline")
    (tmp_path / "raw.txt").write_text("Ana\nLima\n", encoding="utf8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(uvicorn.Server, "run", lambda self, sockets: sockets[0].close())
    return lambda *options: CliRunner().invoke(app, ["serve", "pipeline", *options])


def test_it_says_where_it_is(serve):
    shown = serve("--queue", "raw.txt", "--port", "0")
    assert shown.exit_code == 0 and "http://127.0.0.1:" in shown.stdout
    assert "2 texts, 2 of them open" in shown.stdout and "raw.answers.sqlite" in shown.stdout
    assert "DN385" in serve("--port", "0", "--host", "0.0.0.0").stderr


def test_what_is_missing(serve, monkeypatch):
    assert "DN201" in serve("--queue", "missing.jsonl").stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        shown = serve("--port", str(taken.getsockname()[1]))
    assert shown.exit_code == 1 and "DN374" in shown.stderr
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert "spacy-datnet[serve]" in serve().stderr
