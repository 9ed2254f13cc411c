"""The reader of source and target examples."""

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Corpus
from spacy.util import registry
from util import annotated, write_docs

from spacy_datnet.resources import SOURCE, TARGET, resource_of
from spacy_datnet.training.corpus import configure_SourceTargetCorpus


@pytest.fixture
def nlp():
    return spacy.blank("es")


@pytest.fixture
def paths(nlp, tmp_path):
    """Files of 5 source and 20 target sentences, numbered by their first word."""
    made = {}
    for name, count in (("source", 5), ("target", 20)):
        docs = [annotated(nlp.vocab, f"{name}{i} vive en Madrid/LOC") for i in range(count)]
        made[name] = write_docs(tmp_path / f"{name}.spacy", docs)
    return made


def numbers(corpus, nlp, resource="target"):
    """The numbers of the sentences that a corpus yields."""
    texts = [eg.reference[0].text for eg in corpus(nlp) if resource_of(eg) == resource]
    return [int(text.removeprefix(resource)) for text in texts]


def test_examples_are_stamped_with_their_resource(nlp, paths):
    examples = list(configure_SourceTargetCorpus(**paths)(nlp))
    assert [resource_of(example) for example in examples] == [SOURCE] * 5 + [TARGET] * 20
    for example in examples:
        assert example.reference[0].text.startswith(resource_of(example))
        assert [ent.text for ent in example.reference.ents] == ["Madrid"]
        assert not example.predicted.ents


@pytest.mark.parametrize("resource", ["source", "target"])
def test_a_folder_without_sentences_is_an_error(nlp, paths, tmp_path, resource):
    (tmp_path / "empty").mkdir()
    with pytest.warns(UserWarning, match="W090"), pytest.raises(ValueError, match=r"DN109.*empty"):
        list(configure_SourceTargetCorpus(**{**paths, resource: tmp_path / "empty"})(nlp))


def test_the_numbers_of_all_sentences_are_written_without_a_choice(nlp, paths, tmp_path):
    list(configure_SourceTargetCorpus(None, paths["target"], ids=tmp_path / "ids")(nlp))
    assert (tmp_path / "ids").read_text().split() == [str(i) for i in range(20)]


def test_without_a_source_all_is_target(nlp, paths):
    examples = list(configure_SourceTargetCorpus(source=None, target=paths["target"])(nlp))
    assert [resource_of(example) for example in examples] == [TARGET] * 20


def test_examples_of_a_plain_corpus_are_target(nlp, paths):
    assert {resource_of(example) for example in Corpus(paths["source"])(nlp)} == {TARGET}


def test_sentences_of_a_document_are_all_stamped(nlp, paths, tmp_path):
    words, starts = ["Ana", "vive", "hoy", "llueve"], [True, False, True, False]
    path = write_docs(tmp_path / "docs.spacy", [Doc(nlp.vocab, words=words, sent_starts=starts)])
    corpus = configure_SourceTargetCorpus(source=path, target=paths["target"])
    source = [example for example in corpus(nlp) if resource_of(example) == SOURCE]
    assert [example.reference.text.strip() for example in source] == ["Ana vive", "hoy llueve"]
    whole = configure_SourceTargetCorpus(source=path, target=paths["target"], gold_preproc=False)
    assert next(iter(whole(nlp))).reference.text.strip() == "Ana vive hoy llueve"


def test_long_documents_are_cut_or_left_out(nlp, tmp_path):
    docs = [Doc(nlp.vocab, words=["Ana"] * 5), Doc(nlp.vocab, words=["Eva"] * 3)]
    path = write_docs(tmp_path / "docs.spacy", docs)
    corpus = configure_SourceTargetCorpus(None, path, gold_preproc=False, max_length=4)
    assert [len(example.reference) for example in corpus(nlp)] == [3]


def test_a_directory_is_read_like_a_file(nlp, paths):
    corpus = configure_SourceTargetCorpus(source=None, target=paths["target"].parent)
    assert len(list(corpus(nlp))) == 25


@pytest.mark.parametrize("settings", [{"target_count": 7}, {"target_ratio": 0.35}])
def test_the_chosen_part_of_the_target_is_used(nlp, paths, settings):
    corpus = configure_SourceTargetCorpus(**paths, **settings)
    chosen = numbers(corpus, nlp)
    assert len(set(chosen)) == len(chosen) == 7
    assert numbers(corpus, nlp, "source") == [0, 1, 2, 3, 4]
    assert numbers(corpus, nlp) == chosen


def test_the_choice_depends_on_the_seed_and_is_not_the_first_sentences(nlp, paths):
    def choice(seed):
        return numbers(configure_SourceTargetCorpus(**paths, target_count=7, seed=seed), nlp)

    assert choice(0) == choice(0)
    assert choice(0) != choice(1)
    assert choice(0) != list(range(7))


def test_larger_choices_contain_smaller_ones(nlp, paths):
    chosen = [
        set(numbers(configure_SourceTargetCorpus(**paths, target_count=count, seed=3), nlp)) for count in (1, 4, 10, 20)
    ]
    assert chosen[0] < chosen[1] < chosen[2] < chosen[3] == set(range(20))


def test_the_numbers_of_the_chosen_sentences_are_written(nlp, paths, tmp_path):
    ids = tmp_path / "ids.txt"
    chosen = numbers(configure_SourceTargetCorpus(**paths, target_count=7, ids=ids), nlp)
    assert [int(line) for line in ids.read_text().splitlines()] == chosen


@pytest.mark.parametrize("missing", ["source", "target"])
def test_a_missing_corpus_is_named(paths, tmp_path, missing):
    paths[missing] = tmp_path / "nowhere.spacy"
    with pytest.raises(ValueError, match=r"DN108.*nowhere\.spacy"):
        configure_SourceTargetCorpus(**paths)


def test_more_sentences_than_there_are_can_t_be_chosen(nlp, paths):
    with pytest.raises(ValueError, match=r"DN225.* 21 .* 20"):
        list(configure_SourceTargetCorpus(**paths, target_count=21)(nlp))


@pytest.mark.parametrize("settings", [{"target_count": -1}, {"target_ratio": 0.0}, {"target_ratio": 1.5}])
def test_choices_that_make_no_sense_are_refused(nlp, paths, settings):
    with pytest.raises(ValueError, match="DN224"):
        list(configure_SourceTargetCorpus(**paths, **settings)(nlp))


def test_count_and_ratio_exclude_each_other(paths):
    with pytest.raises(ValueError, match="DN107"):
        configure_SourceTargetCorpus(**paths, target_count=1, target_ratio=0.5)


@pytest.mark.parametrize("settings", [{"target": None}, {"target_count": 0}, {"target": None, "target_count": 0}])
def test_without_a_target_all_is_source(nlp, paths, tmp_path, settings):
    corpus = configure_SourceTargetCorpus(**{**paths, **settings}, ids=tmp_path / "ids")
    assert [resource_of(example) for example in corpus(nlp)] == [SOURCE] * 5
    assert (tmp_path / "ids").read_text() == ""


@pytest.mark.parametrize("settings", [{"target": None}, {"target_count": 0}])
def test_there_must_be_something_to_read(paths, settings):
    with pytest.raises(ValueError, match="DN110"):
        configure_SourceTargetCorpus(**{**paths, "source": None, **settings})


def test_what_an_augmenter_makes_is_of_the_same_resource(nlp, paths):
    augmenter = registry.augmenters.get("spacy.lower_case.v1")(level=1.0)
    examples = list(configure_SourceTargetCorpus(**paths, augmenter=augmenter)(nlp))
    assert [resource_of(example) for example in examples] == [SOURCE] * 5 + [TARGET] * 20
    assert examples[0].reference.text.strip() == examples[0].predicted.text.strip() == "source0 vive en madrid"

    def twice(nlp, example):
        yield example
        yield from augmenter(nlp, example)

    chosen = configure_SourceTargetCorpus(**paths, augmenter=twice, target_count=3)
    assert len(numbers(chosen, nlp)) == 6 and len(numbers(chosen, nlp, "source")) == 10


def test_examples_come_in_turn_where_the_training_streams(nlp, paths):
    nlp.config["training"]["max_epochs"] = -1
    examples = list(configure_SourceTargetCorpus(**paths)(nlp))
    assert [resource_of(example) for example in examples] == [SOURCE, TARGET] * 5 + [TARGET] * 15


@pytest.mark.parametrize("gold_preproc", [False, True])
def test_categories_are_kept_where_plain_spacy_keeps_them(nlp, tmp_path, gold_preproc):
    docs = [Doc(nlp.vocab, words=["a", "b"], sent_starts=starts) for starts in (None, [True, False], [True, True])]
    for doc in docs:
        doc.cats = {"A": 1.0}
    path = write_docs(tmp_path / "docs.spacy", docs)
    found = [eg.reference.cats for eg in configure_SourceTargetCorpus(None, path, gold_preproc=gold_preproc)(nlp)]
    plain = [eg.reference.cats for eg in Corpus(path, gold_preproc=gold_preproc)(nlp)]
    assert found[0] == found[1] == plain[0] == {"A": 1.0}
    assert found[2:] == plain[2:]
