"""What teachers of all kinds say, its mean, and the labelled corpus."""

import numpy as np
import pytest
import spacy
import srsly
from spacy.vocab import Vocab
from util import SMALL_MODEL, TARGET_SENTENCES, entity_examples, parse, train_briefly

from spacy_datnet.corpora import LabelMap, read_docbin
from spacy_datnet.distillation import labelling
from spacy_datnet.distillation.labelling import best_tags, label_raw, mean_of
from spacy_datnet.distillation.sentences import RawSentence
from spacy_datnet.distillation.teachers import Teacher, weights_of
from spacy_datnet.nn.tags import MISSING, SpanTags, TokenTags
from spacy_datnet.pipeline.posteriors import Posterior, posterior_of

SENTENCES = [RawSentence(words, [True] * len(words)) for words in (parse(sentence)[0] for sentence in TARGET_SENTENCES)]
PATTERNS = [{"label": "LOC", "pattern": "Madrid"}, {"label": "PERSON", "pattern": "Ana"}]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Pipelines: ours, spaCy's own ner, rules, a tagger."""
    folder, found = tmp_path_factory.mktemp("teachers"), {}
    for name, config in (("datnet_ner", {"model": {**SMALL_MODEL, "transfer": "none"}}), ("ner", {})):
        nlp = spacy.blank("es")
        nlp.add_pipe(name, config=config)
        found[name] = train_briefly(nlp, entity_examples(nlp.vocab)[:6], 12)
    found["rules"] = spacy.blank("es")
    found["rules"].add_pipe("entity_ruler").add_patterns(PATTERNS)
    found["both"] = spacy.blank("es")
    found["both"].add_pipe("datnet_ner", source=found["datnet_ner"])
    found["both"].add_pipe("entity_ruler").add_patterns(PATTERNS)
    for name, nlp in found.items():
        nlp.to_disk(folder / name)
    return {name: str(folder / name) for name in found}


@pytest.mark.parametrize(("name", "is_own"), [("datnet_ner", True), ("ner", False), ("rules", False), ("both", False)])
def test_any_pipeline_teaches(places, name, is_own):
    teacher = Teacher(places[name], "ents")
    assert (teacher.own is not None) == is_own
    said = teacher.label(SENTENCES)
    assert [one.length for one in said] == [len(sentence.words) for sentence in SENTENCES]
    if not is_own:
        assert all((one.unary[2] == 1.0).all() for one in said)
        tags = [next(best_tags([one], SpanTags(one.labels))) for one in said]
        spans = {
            (number, *span)
            for number, (one, own) in enumerate(zip(said, tags, strict=True))
            for span in SpanTags(one.labels).decode(own)
        }
        assert spans == teacher.items(SENTENCES)
    for one in said:  # from each token to the next there is one move
        assert one.moves[2].sum() == pytest.approx(one.length - 1, abs=0.05)


def test_labels_get_other_names_or_are_taken_away(places, tmp_path):
    names = LabelMap(tmp_path, {"PERSON": "PER", "LOC": ""})
    teacher = Teacher(places["rules"], "ents", names)
    posterior, *_ = teacher.label(SENTENCES)
    assert posterior.labels == ("PER",)
    (tags,) = best_tags([posterior], SpanTags(("PER",)))
    assert SpanTags(("PER",)).decode(tags) == [(0, 1, "PER")]
    assert {label for *_, label in teacher.items(SENTENCES)} == {"PER"}


def test_the_mean_of_votes():
    tag_set = SpanTags(("LOC", "PER"))
    one = Posterior.of_tags(["PER"], SpanTags(("PER",)).encode(3, [(0, 2, "PER")]))
    other = Posterior.of_tags(["LOC"], SpanTags(("LOC",)).encode(3, [(0, 2, "LOC")]))
    mean = mean_of([one, other], [0.25, 0.75], tag_set)
    unary, moves = mean.dense(len(tag_set), np.arange(len(tag_set)))
    names = tag_set.names
    assert unary[0, names.index("B-PER")] == 0.25 and unary[0, names.index("B-LOC")] == 0.75
    assert moves[names.index("L-LOC"), 0] == 0.75
    (tags,) = best_tags([mean], tag_set)
    assert tag_set.decode(tags) == [(0, 2, "LOC")]


def test_a_token_without_a_tag_has_no_vote():
    tag_set = TokenTags(("N", "V"))
    one, other = (Posterior.of_tags(tag_set.labels, np.array(tags)) for tags in ([0, MISSING, 1], [0, 1, 1]))
    assert [list(tags) for tags in best_tags([one, other], tag_set)] == [[0, MISSING, 1], [0, 1, 1]]


class Said:
    def __init__(self, *items):
        self.found = set(items)

    def items(self, sentences):
        return self.found


def test_who_disagrees_weighs_little():
    a, b, c = (0, 0, 1, "A"), (0, 1, 2, "B"), (0, 2, 3, "C")
    assert weights_of([Said(a), Said(c)], []) == [0.5, 0.5]
    assert weights_of([Said(a, b), Said(a, b), Said(c)], []) == pytest.approx([0.5, 0.5, 0.0])
    assert weights_of([Said(a), Said(b), Said(c)], []) == pytest.approx([1 / 3] * 3)


@pytest.fixture
def raw(tmp_path):
    lines = [" ".join(sentence.words) + " ." for sentence in SENTENCES] * 3
    (tmp_path / "raw.txt").write_text("\n".join(lines), encoding="utf8")
    return [str(tmp_path / "raw.txt")]


def test_an_interrupted_labelling_goes_on(places, raw, tmp_path, monkeypatch):
    monkeypatch.setattr(labelling, "SHARD", 4)
    teachers = [Teacher(places[name], "ents") for name in ("datnet_ner", "rules")]
    known = {(*SENTENCES[0].words, ".")}
    settings = {"lang": "es", "known": known, "begun_with": {"a": [1]}}
    whole = label_raw(teachers, raw, tmp_path / "whole", **settings)
    assert whole["sentences"] == 15 and whole["shards"] == 4 and set(whole["labels"]) >= {"LOC"}
    folder, write, left = tmp_path / "parts", labelling._write, [3]

    def interrupted(*arguments):
        if not left:
            raise KeyboardInterrupt
        left.pop()
        return write(*arguments)

    monkeypatch.setattr(labelling, "_write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        label_raw(teachers, raw, folder, **settings)
    assert srsly.read_json(folder / "meta.json")["shards"] == 1
    first = (folder / "00000.spacy").stat().st_mtime_ns
    left[:] = [1] * 9
    assert label_raw(teachers, raw, folder, **settings) == whole
    assert (folder / "00000.spacy").stat().st_mtime_ns == first and len(left) == 6
    for path in (tmp_path / "whole").glob("*.spacy"):
        one, other = (list(read_docbin(place / path.name, Vocab())) for place in (tmp_path / "whole", folder))
        assert [doc.to_json() for doc in one] == [doc.to_json() for doc in other]
        assert all(posterior_of(doc).length == len(doc) for doc in one)
        assert not any(tuple(token.text for token in doc) in known for doc in one)
    with pytest.raises(ValueError, match="DN321"):
        label_raw(teachers, raw, folder, **{**settings, "begun_with": {}})
    for damage in ("{", "[]", "{}"):
        (folder / "meta.json").write_text(damage)
        with pytest.raises(ValueError, match="DN321"):
            label_raw(teachers, raw, folder, **settings)
