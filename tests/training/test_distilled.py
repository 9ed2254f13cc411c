"""The reader of what teachers labelled."""

from collections import Counter

import numpy as np
import pytest
import spacy
from spacy.tokens import DocBin
from spacy.util import fix_random_seed
from util import annotated, write_docs

from spacy_datnet.pipeline.posteriors import Posterior, posterior_of
from spacy_datnet.resources import SOURCE, resource_of
from spacy_datnet.training.distilled import configure_DistilledCorpus


@pytest.fixture
def nlp():
    return spacy.blank("es")


@pytest.fixture
def paths(nlp, tmp_path):
    """Three files of three labelled sentences each, two gold ones, one of the source."""
    (tmp_path / "labelled").mkdir()
    for i in range(3):
        docs = [annotated(nlp.vocab, f"labelled{i}{j} vive") for j in range(3)]
        for doc in docs:
            Posterior.of_tags(["PER"], np.zeros(2, np.int64)).attach(doc)
        DocBin(docs=docs, store_user_data=True).to_disk(tmp_path / "labelled" / f"{i}.spacy")
    gold = write_docs(tmp_path / "gold.spacy", [annotated(nlp.vocab, f"gold{i}/PER vive") for i in range(2)])
    source = write_docs(tmp_path / "source.spacy", [annotated(nlp.vocab, "Anna/PER lives")])
    return {"labelled": tmp_path / "labelled", "gold": gold, "source": source}


def firsts(examples):
    return Counter(example.reference[0].text for example in examples)


def test_a_pass_reads_a_part_of_the_labelled_and_all_others(nlp, paths):
    nlp.config["training"]["max_epochs"] = -1
    corpus = configure_DistilledCorpus(**paths, sentences=3, gold_share=0.5)
    fix_random_seed(0)
    passes = [firsts(corpus(nlp)) for _ in range(3)]
    labelled = Counter(word for one in passes for word in one if word.startswith("labelled"))
    assert len(labelled) == 9 and set(labelled.values()) == {1}
    for one in passes:
        # as many gold ones as labelled ones
        assert one["gold0"] + one["gold1"] == 3 and one["Anna"] == 1
    fix_random_seed(0)
    assert [firsts(configure_DistilledCorpus(**paths, sentences=3)(nlp)).keys() for _ in range(1)] == [passes[0].keys()]


def test_all_are_read_at_once_where_nothing_streams(nlp, paths):
    nlp.config["training"]["max_epochs"] = 0
    examples = list(configure_DistilledCorpus(**paths, sentences=3)(nlp))
    assert len(firsts(examples)) == 9 + 2 + 1
    for example in examples:
        name = example.reference[0].text
        assert (resource_of(example) == SOURCE) == (name == "Anna")
        assert (posterior_of(example.reference) is not None) == name.startswith("labelled")


def test_labels_alone(nlp, paths):
    examples = list(configure_DistilledCorpus(paths["labelled"], soft=False)(nlp))
    assert len(examples) == 9 and not any(posterior_of(example.reference) for example in examples)


def test_what_can_not_be(paths, tmp_path):
    with pytest.raises(ValueError, match="DN330"):
        configure_DistilledCorpus(**paths, gold_share=1.0)
    with pytest.raises(ValueError, match="DN331"):
        configure_DistilledCorpus(tmp_path / "nothing")
