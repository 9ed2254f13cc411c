"""`spacy-datnet suggest`: what is worth annotating, for annotation tools."""

import json
from pathlib import Path

import numpy as np
import pytest
import spacy
from spacy.tokens import Doc
from typer.testing import CliRunner
from util import SMALL_MODEL, TARGET_SENTENCES, entity_examples, parse, train_briefly, write_docs

from spacy_datnet.bulk.work import load
from spacy_datnet.cli import app
from spacy_datnet.corpora import read_docs
from spacy_datnet.pipeline.uncertainty import uncertainties
from spacy_datnet.selection import choose, collect

WORDS = ("Ana", "Luis", "Madrid", "Lima", "vive", "trabaja", "en", "no", "el", "tren", "va", "hoy", "llueve", "Eva")


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory):
    """A pipeline that has learnt a little, so that it is unsure."""
    nlp = spacy.blank("es")
    nlp.add_pipe("sentencizer")
    ner = nlp.add_pipe("datnet_ner", config={"model": SMALL_MODEL})
    with nlp.select_pipes(enable="datnet_ner"):
        train_briefly(nlp, entity_examples(nlp.vocab), 20)
    path = tmp_path_factory.mktemp("pipeline") / "nlp"
    nlp.to_disk(path)
    assert ner.labels
    yield path
    load.cache_clear()


@pytest.fixture(autouse=True)
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    random = np.random.default_rng(0)
    lines = [" ".join(random.choice(WORDS, 8)) + "." for _ in range(60)]
    Path("raw.txt").write_text("\n".join(f"{a} {b}" for a, b in zip(lines[::2], lines[1::2], strict=True)))
    return lines


def run(pipeline, *arguments, to="out.jsonl"):
    result = CliRunner().invoke(app, ["suggest", str(pipeline), "raw.txt", to, *map(str, arguments)])
    assert result.exit_code == 0, result.output
    return result.output


def records(path="out.jsonl"):
    return [json.loads(line) for line in Path(path).read_text(encoding="utf8").splitlines()]


def test_uncertainty_agrees_with_confidences(pipeline):
    nlp = spacy.load(pipeline)
    docs = list(nlp.pipe([Doc(nlp.vocab, parse(one)[0]) for one in TARGET_SENTENCES]))
    found = uncertainties(nlp.get_pipe("datnet_ner"), docs)
    n_ents = 0
    for doc, unsure in zip(docs, found, strict=True):
        likely = {span[:3]: span[3] for span in unsure.spans}
        for ent in doc.ents:
            n_ents += 1
            assert likely[ent.start, ent.end, ent.label_] == pytest.approx(ent._.confidence, abs=1e-4)
        assert len(unsure.entropy) == len(doc) and unsure.path <= 0
    assert n_ents
    assert uncertainties(nlp.get_pipe("datnet_ner"), [Doc(nlp.vocab, [" "]), docs[0]])[0] is None


def test_sentences_come_once_with_score_place_and_what_the_pipeline_thinks(pipeline, place):
    output = run(pipeline, "--budget", 100)
    found = records()
    assert "of 60 sentences" in output and 100 <= sum(len(one["tokens"]) for one in found) < 112
    texts = [one["text"] for one in found]
    assert len(set(texts)) == len(texts) and set(texts) <= set(place)
    assert all(one["meta"]["source"].startswith("raw.txt:") and one["score"] > 0 for one in found)
    assert all("answer" not in one for one in found)
    spans = [span for one in found for span in one["spans"]]
    assert spans and all(0 < span["confidence"] <= 1 for span in spans)
    before = Path("out.jsonl").read_bytes()
    run(pipeline, "--budget", 100)
    assert Path("out.jsonl").read_bytes() == before
    docs = list(read_docs("out.jsonl", spacy.blank("es").vocab))  # the tool's file is one of ours
    assert [doc.text for doc in docs] == texts


def test_seed_and_strategy_decide(pipeline):
    chosen = {}
    for arguments in (("random", 0), ("random", 1), ("least-confidence", 0), ("lowest-token", 0), ("token-entropy", 0)):
        run(pipeline, "--budget", 60, "--strategy", arguments[0], "--seed", arguments[1], "--no-diverse")
        chosen[arguments] = [one["text"] for one in records()]
        scores = [one["score"] for one in records()]
        assert scores == sorted(scores, reverse=True)
    assert len(set(map(tuple, chosen.values()))) == 5


def test_what_is_known_or_nearly_the_same_is_left_out(pipeline, place):
    nlp = spacy.blank("es")
    write_docs(Path("known.spacy"), [nlp.make_doc(place[0].upper()), nlp.make_doc(place[1])])
    twin = place[2].split()
    Path("raw.txt").write_text(
        "\n".join([*place[:3], " ".join([*twin, "hoy"]), "En 1998 no llueve nada.", "En 2024, no llueve nada!", "Sí."])
    )
    output = run(pipeline, "--budget", 1000, "--known", "known.spacy", "--no-diverse")
    texts = [one["text"] for one in records()]
    assert "DN365" in output and "En 1998 no llueve nada." in texts and len(texts) == 2, texts


def test_partial_asks_for_doubtful_spans_and_leaves_the_rest_missing(pipeline):
    run(pipeline, "--budget", 40, "--partial")
    for one in records():
        assert one["asked"] and all(
            {*range(s["token_start"], s["token_end"] + 1)} & {*one["asked"]} for s in one["spans"]
        )
    run(pipeline, "--budget", 40, "--partial", "--to", "conll", to="out.conll")
    docs = list(read_docs("out.conll", spacy.blank("es").vocab))
    known = sum(token.ent_iob_ != "" for doc in docs for token in doc)
    assert 40 <= known < sum(map(len, docs)) and known < 60


def test_diversity_spreads_over_the_best(pipeline):
    nlp = spacy.load(pipeline)
    candidates = list(collect(nlp, ["raw.txt"]))

    def nearest(chosen):
        vectors = np.array([one.vector / np.linalg.norm(one.vector) for one, _ in chosen])
        return (vectors @ vectors.T - 2 * np.eye(len(vectors))).max(1).mean()

    plain, spread = (choose(candidates, 90, strategy="span-entropy", diverse=diverse) for diverse in (False, True))
    assert nearest(spread) < nearest(plain)
    assert spread[0][0] is plain[0][0]


def test_a_pipeline_without_scores_says_what_it_lacks(tmp_path):
    nlp = spacy.blank("es")
    nlp.add_pipe("entity_ruler").add_patterns([{"label": "LOC", "pattern": "Lima"}])
    nlp.to_disk("plain")
    run("plain", "--budget", 50, "--strategy", "random")
    assert any(span["label"] == "LOC" and span["confidence"] is None for one in records() for span in one["spans"])
    for arguments, code in ((["--strategy", "span-entropy"], "DN362"), (["--strategy", "no"], "DN361")):
        result = CliRunner().invoke(app, ["suggest", "plain", "raw.txt", "no.jsonl", "--budget", "50", *arguments])
        assert result.exit_code == 1 and code in result.output and not Path("no.jsonl").exists()


def test_a_strategy_is_a_registered_function(pipeline):
    Path("code.py").write_text(
        "from spacy_datnet.selection import strategies\n"
        "@strategies('shortest')\ndef shortest(unsure):\n    return -len(unsure.marginal)\n"
    )
    run(pipeline, "--budget", 20, "--strategy", "shortest", "--no-diverse", "--code", "code.py")
    assert records()[0]["score"] == -9
