"""The console logger: what it prints and writes for what the training loop tells."""

from io import StringIO

import pytest
import spacy
import srsly
from util import SMALL_MODEL, entity_examples

from spacy_datnet.training.loggers import configure_ConsoleLogger, means

LOSSES = {
    "datnet_ner": 65.0,
    "datnet_ner.source": 10.0,
    "datnet_ner.target": 20.0,
    "datnet_ner.discriminator": 5.0,
    "datnet_ner.adversarial": 30.0,
    "datnet_ner.correct": 75.0,
    "datnet_ner.judged": 100.0,
    "datnet_ner.sentences": 10,
}
SCORES = {"ents_f": 0.5, "ents_p": 0.25, "ents_r": 0.75, "ents_per_type": {"LOC": {"f": 1.0}}, "speed": 1234.5}


def make_nlp(*names, others=()):
    nlp = spacy.blank("es")
    for name in names:
        nlp.add_pipe("datnet_ner", name, config={"model": SMALL_MODEL})
    for factory in others:
        nlp.add_pipe(factory)
    return nlp


def info(step, losses, scores=SCORES, score=0.5):
    return {
        "epoch": step // 10,
        "step": step,
        "score": score,
        "other_scores": scores,
        "losses": losses,
        "checkpoints": [],
        "seconds": 3,
        "words": 100,
    }


def log(nlp, *infos, **settings):
    """Give a logger some infos; return its lines."""
    stdout = StringIO()
    setup = configure_ConsoleLogger(**{"progress_bar": False, **settings})
    log_step, finalize = setup(nlp, stdout, StringIO())
    for one in infos:
        log_step(one)
    finalize()
    return stdout.getvalue().splitlines()


def test_columns_are_the_parts_of_the_objective_and_the_scores():
    header, line = log(make_nlp("datnet_ner"))
    expected = "E # L_S L_T L_GRAD L_AT D acc ents_f ents_p ents_r Score"
    assert " ".join(header.split()) == expected
    assert set(line) == {"-", " "}
    assert len(line) == len(header.rstrip())


def test_losses_are_means_since_the_row_before():
    zero = dict.fromkeys(LOSSES, 0.0)
    _, _, first, second, third = log(
        make_nlp("datnet_ner"),
        info(0, zero),
        info(10, LOSSES),
        info(15, {**LOSSES, "datnet_ner.sentences": 5}, score=1.0),
    )
    scores = ["50.00", "25.00", "75.00"]
    assert first.split() == ["0", "0", *["0.00"] * 5, *scores, "50.00"]
    assert second.split() == ["1", "10", "1.00", "2.00", "0.50", "3.00", "75.00", *scores, "50.00"]
    assert third.split() == ["1", "15", "2.00", "4.00", "1.00", "6.00", "75.00", *scores, "100.00"]


def test_a_step_of_two_updates_has_the_mean_of_both():
    nlp = spacy.blank("es")
    nlp.add_pipe("datnet_ner", config={"model": SMALL_MODEL})
    examples = entity_examples(nlp.vocab)
    nlp.initialize(lambda: examples)
    first, second = [nlp.update(part, sgd=False) for part in (examples[::2], examples[1::2])]
    both: dict = {}
    for part in (examples[::2], examples[1::2]):  # what spaCy does where gradients are accumulated
        nlp.update(part, sgd=False, losses=both)
    found, parts = means(both, "datnet_ner"), [means(losses, "datnet_ner") for losses in (first, second)]
    assert found["source"] > 0
    for column in ("source", "target", "adversarial"):
        assert found[column] == pytest.approx((parts[0][column] + parts[1][column]) / 2, rel=1e-3)


def test_steps_without_an_evaluation_print_nothing():
    assert len(log(make_nlp("datnet_ner"), info(0, LOSSES), None, None, info(3, LOSSES))) == 4


@pytest.mark.parametrize("losses, scores", [({}, {}), (LOSSES, {"ents_f": None})])
def test_what_is_not_told_is_zero(losses, scores):
    row = log(make_nlp("datnet_ner"), info(0, losses, scores))[2].split()
    assert row[7:] == ["0.00", "0.00", "0.00", "50.00"]
    assert losses or set(row[2:7]) == {"0.00"}


def test_several_components_have_columns_of_their_own():
    nlp = make_nlp("one", "two")
    losses = {"one.source": 1.0, "two.source": 2.0, "two.judged": 4.0, "two.correct": 1.0}
    header, _, row = log(nlp, info(0, losses))
    assert header.index("one L_S") < header.index("one D acc") < header.index("two L_S")
    assert row.split()[2:12] == [
        *["1.00", "0.00", "0.00", "0.00", "0.00"],
        *["2.00", "0.00", "0.00", "0.00", "25.00"],
    ]


def test_other_trainable_components_show_their_loss():
    nlp = make_nlp("datnet_ner", others=["tagger", "sentencizer"])
    header, _, row = log(nlp, info(0, {**LOSSES, "tagger": 12.25}))
    assert "Loss tagger" in header
    assert "sentencizer" not in header
    assert row.split()[7] == "12.25"


def test_columns_stand_under_their_heads():
    header, _, row = log(make_nlp("datnet_ner"), info(10, LOSSES))
    for head, value in (("L_S", "1.00"), ("L_AT", "3.00"), ("Score", "50.00")):
        assert row.rindex(value) + len(value) == header.index(head) + len(head)


def test_rows_are_written_to_a_file_too(tmp_path):
    path = tmp_path / "new" / "log.jsonl"
    log(make_nlp("datnet_ner"), info(0, LOSSES), info(10, LOSSES), output_file=path)
    first, second = srsly.read_jsonl(path)
    assert first["step"] == 0
    assert second == {
        "epoch": 1,
        "step": 10,
        "seconds": 3,
        "words": 100,
        "score": 0.5,
        "losses": {
            "datnet_ner": {
                "source": 1.0,
                "target": 2.0,
                "discriminator": 0.5,
                "adversarial": 3.0,
                "accuracy": 75.0,
            }
        },
        "scores": {"ents_f": 50.0, "ents_p": 25.0, "ents_r": 75.0},
    }


def test_rows_are_in_the_file_before_training_ends(tmp_path):
    path = tmp_path / "log.jsonl"
    log_step, finalize = configure_ConsoleLogger(False, path)(make_nlp("datnet_ner"), StringIO(), StringIO())
    log_step(info(0, LOSSES))
    assert len(path.read_text().splitlines()) == 1
    finalize()


def test_the_progress_bar_keeps_quiet_where_there_is_no_terminal():
    stderr = StringIO()
    log_step, finalize = configure_ConsoleLogger(True)(make_nlp("datnet_ner"), StringIO(), stderr)
    for one in (info(0, LOSSES), None, None, info(3, LOSSES)):
        log_step(one)
    finalize()
    assert stderr.getvalue() == ""


def test_speed_is_no_percentage():
    nlp = make_nlp("datnet_ner")
    nlp.config["training"]["score_weights"]["speed"] = 0.0
    header, _, row = log(nlp, info(0, LOSSES))
    assert dict(zip(header.replace("D acc", "D_acc").split(), row.split(), strict=True))["speed"] == "1234.50"


def test_a_rising_score_at_the_last_step_asks_for_more():
    nlp = make_nlp("datnet_ner")
    nlp.config["training"]["max_steps"] = 20
    *_, last = log(nlp, info(10, LOSSES, score=0.4), info(20, LOSSES, score=0.5))
    assert "The last step is the best" in last and "--training.max_steps, now 20" in last
    *_, last = log(nlp, info(10, LOSSES, score=0.5), info(20, LOSSES, score=0.4))
    assert "best" not in last
