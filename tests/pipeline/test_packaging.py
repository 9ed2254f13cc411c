"""A pipeline with a transformer is packaged, installed and loaded where there is no network."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import spacy
import srsly
from checkpoints import write_checkpoint
from spacy.cli.package import package
from util import SMALL_MODEL, task_examples, train_briefly

from spacy_datnet.pipeline.export import keep_target_only

TEXTS = ["Ana vive en Madrid", "el tren va a Lima"]
OFFLINE = """
import socket, sys
def refuse(*args, **kwargs): raise OSError("no network")
socket.socket.connect = socket.create_connection = refuse
import spacy, srsly
nlp = spacy.load(sys.argv[1])
docs = nlp.pipe(srsly.read_json(sys.argv[2]))
srsly.write_json(sys.argv[3], [[[e.text, e.label_, e._.confidence] for e in doc.ents] for doc in docs])
"""


def pipeline(checkpoint: Path, kind: str) -> spacy.Language:
    nlp = spacy.blank("es")
    tok2vec = {"@architectures": "spacy-datnet.FrozenTransformer.v1", "name": str(checkpoint)}
    if kind == "listener":
        model = {
            "@architectures": "spacy-transformers.TransformerModel.v3",
            "name": str(checkpoint),
            "get_spans": {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 32, "stride": 24},
        }
        nlp.add_pipe("transformer", config={"model": model})
        pooling = {"@layers": "reduce_mean.v1"}
        tok2vec = {
            "@architectures": "spacy-transformers.TransformerListener.v1",
            "grad_factor": 1.0,
            "pooling": pooling,
        }
    nlp.add_pipe("datnet_ner", config={"model": {**SMALL_MODEL, "tok2vec": tok2vec}})
    return train_briefly(nlp, task_examples(nlp.vocab, ["ents"]), 60 if kind == "frozen" else 20)


@pytest.mark.parametrize(("kind", "needed"), [("frozen", "transformers"), ("listener", "spacy-transformers")])
def test_a_package_loads_by_name_without_network_and_without_the_checkpoint(tmp_path, kind, needed):
    checkpoint = write_checkpoint(tmp_path / "checkpoint")
    nlp = pipeline(checkpoint, kind)
    keep_target_only(nlp)
    expected = [[[ent.text, ent.label_, ent._.confidence] for ent in doc.ents] for doc in nlp.pipe(TEXTS)]
    assert any(expected)
    nlp.to_disk(tmp_path / "pipeline")
    checkpoint.rename(tmp_path / "hidden")
    (tmp_path / "packages").mkdir()
    package(tmp_path / "pipeline", tmp_path / "packages", name="ner", version="1.0.0", create_sdist=False, silent=True)
    (folder,) = (tmp_path / "packages").iterdir()
    requirements = [line.partition(">")[0] for line in srsly.read_json(folder / "meta.json")["requirements"]]
    assert {"spacy-datnet", needed} <= set(requirements)
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--no-build-isolation"]
    subprocess.run([*install, "--target", str(tmp_path / "site"), str(folder)], check=True)
    srsly.write_json(tmp_path / "texts.json", TEXTS)
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "site"), "HF_HOME": str(tmp_path / "empty")}
    arguments = ["es_ner", str(tmp_path / "texts.json"), str(tmp_path / "ents.json")]
    subprocess.run([sys.executable, "-c", OFFLINE, *arguments], check=True, env=environment, cwd=tmp_path)
    for found, wanted in zip(srsly.read_json(tmp_path / "ents.json"), expected, strict=True):
        assert [ent[:2] for ent in found] == [ent[:2] for ent in wanted]
        assert [ent[2] for ent in found] == pytest.approx([ent[2] for ent in wanted], abs=2e-3)
