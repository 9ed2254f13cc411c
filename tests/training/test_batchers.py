"""Batches that mix source and target."""

import random
from collections import Counter

import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from util import bare

from spacy_datnet.resources import SOURCE, TARGET, resource_of, stamp
from spacy_datnet.training.batchers import configure_mixed_batches

VOCAB = spacy.blank("xx").vocab


def make(resource, count, seed=0):
    """Examples of one resource, of one to thirty words."""
    rng = random.Random(seed)
    examples = []
    for _ in range(count):
        doc = Doc(VOCAB, words=["word"] * rng.randint(1, 30))
        stamp(doc, resource)
        examples.append(Example(bare(doc), doc))
    return examples


def batches_of(examples, *, seed=0, **settings):
    random.seed(seed)
    return list(configure_mixed_batches(**settings)(iter(examples)))


def count_of(batch, resource):
    return sum(resource_of(example) == resource for example in batch)


def uses(batches, examples):
    """How often the batches have each of the examples."""
    found = Counter(id(example) for batch in batches for example in batch)
    return [found[id(example)] for example in examples]


def padding(batches):
    """The share of padding in the padded batches."""
    lengths = [[len(example.predicted) for example in batch] for batch in batches]
    return 1 - sum(map(sum, lengths)) / sum(max(batch) * len(batch) for batch in lengths)


@pytest.mark.parametrize(
    "size, share, n_target",
    [(8, 0.5, 4), (8, 0.25, 2), (10, 0.33, 3), (8, 0.01, 1), (8, 0.99, 7), (2, 0.5, 1), (2, 0.9, 1)],
)
def test_batches_have_the_chosen_share_of_the_target(size, share, n_target):
    n_source = size - n_target
    batches = batches_of([*make(SOURCE, 12 * n_source), *make(TARGET, 50)], size=size, target_share=share)
    assert len(batches) == 12
    for batch in batches:
        assert (count_of(batch, SOURCE), count_of(batch, TARGET)) == (n_source, n_target)


@pytest.mark.parametrize("count, n_target", [(1, 1), (10, 1), (100, 16), (1000, 32), (2000, 37), (20_000, 38)])
def test_the_share_grows_with_the_target(count, n_target):
    source, target = make(SOURCE, 200), make(TARGET, 1) * count
    full = max(batches_of([*source, *target], size=64), key=len)
    assert (count_of(full, SOURCE), count_of(full, TARGET)) == (64 - n_target, n_target)


@pytest.mark.parametrize("n_source", [1, 39, 40, 41, 300])
def test_a_pass_sees_the_source_once(n_source):
    source, target = make(SOURCE, n_source), make(TARGET, 20)
    batches = batches_of([*source, *target], size=8, target_share=0.5)
    assert uses(batches, source) == [1] * n_source


def test_the_target_is_repeated_evenly_for_as_long_as_the_source_lasts():
    source, target = make(SOURCE, 300), make(TARGET, 21)
    found = uses(batches_of([*source, *target], size=8, target_share=0.5), target)
    assert sum(found) == 300
    assert set(found) == {300 // 21, 300 // 21 + 1}


def test_every_target_example_appears_where_a_pass_has_room_for_it():
    source, target = make(SOURCE, 100), make(TARGET, 100)
    assert uses(batches_of([*source, *target], size=10, target_share=0.5), target) == [1] * 100


def test_the_last_batch_has_the_rest_of_the_source_and_a_full_share_of_the_target():
    batches = batches_of([*make(SOURCE, 4 * 5 + 3), *make(TARGET, 50)], size=8, target_share=0.5)
    sizes = sorted((count_of(batch, SOURCE), count_of(batch, TARGET)) for batch in batches)
    assert sizes == [(3, 4), *[(4, 4)] * 5]


def test_a_target_smaller_than_its_share_is_repeated_within_the_batch():
    source, target = make(SOURCE, 12), make(TARGET, 2)
    batches = batches_of([*source, *target], size=8, target_share=0.5)
    assert [count_of(batch, TARGET) for batch in batches] == [4, 4, 4]
    assert uses(batches, target) == [6, 6]


def test_sentences_of_a_batch_differ_where_the_target_is_large_enough():
    batches = batches_of([*make(SOURCE, 400), *make(TARGET, 40)], size=16, target_share=0.5)
    repeated = [len(batch) - len({id(example) for example in batch}) for batch in batches]
    # only where one round of the target ends and the next begins may a sentence meet itself
    assert sum(count > 0 for count in repeated) <= 400 // 40


@pytest.mark.parametrize("ratio, expected", [(0.25, 25), (0.5, 50), (0.001, 1), (1.0, 100)])
def test_a_pass_sees_the_chosen_part_of_the_source(ratio, expected):
    source, target = make(SOURCE, 100), make(TARGET, 10)
    random.seed(0)
    batcher = configure_mixed_batches(size=8, source_ratio=ratio)
    passes = [uses(list(batcher([*source, *target])), source) for _ in range(2)]
    for found in passes:
        assert sorted(found) == [0] * (100 - expected) + [1] * expected
    assert passes[0] != passes[1] or ratio == 1.0


@pytest.mark.parametrize("resource", [SOURCE, TARGET])
@pytest.mark.parametrize("count", [1, 8, 300])
def test_one_resource_alone_is_seen_once_in_full_batches(resource, count):
    examples = make(resource, count)
    batches = batches_of(examples, size=8, target_share=0.5)
    assert uses(batches, examples) == [1] * count
    assert sorted(map(len, batches), reverse=True) == [8] * (count // 8) + [count % 8] * (count % 8 > 0)


def test_no_examples_give_no_batches():
    assert batches_of([], size=8, target_share=0.5) == []


@pytest.mark.parametrize("resources", [(SOURCE, TARGET), (TARGET,)])
def test_the_same_seed_gives_the_same_batches(resources):
    examples = [example for resource in resources for example in make(resource, 100)]

    def order(seed):
        return [[id(example) for example in batch] for batch in batches_of(examples, size=8, seed=seed)]

    assert order(1) == order(1)
    assert order(1) != order(2)


@pytest.mark.parametrize("resource", [SOURCE, TARGET])
def test_passes_differ_in_both_resources(resource):
    examples = [*make(SOURCE, 400), *make(TARGET, 400)]
    random.seed(0)
    batcher = configure_mixed_batches(size=8, target_share=0.5)

    def chosen():
        return [{id(eg) for eg in batch if resource_of(eg) == resource} for batch in batcher(examples)]

    first, second = chosen(), chosen()
    assert sum(batch in second for batch in first) < 0.1 * len(first)


@pytest.mark.parametrize("resources", [(SOURCE, TARGET), (TARGET,)])
def test_batches_of_like_length_have_less_padding(resources):
    # the target must fill a pool for its lengths to be sorted
    examples = [example for resource in resources for example in make(resource, 16 * 16)]
    batches = batches_of(examples, size=16, target_share=0.5)
    shuffled = random.sample(examples, len(examples))
    at_random = [shuffled[i : i + 16] for i in range(0, len(shuffled), 16)]
    assert padding(batches) < 0.5 * padding(at_random)


def test_a_small_pool_has_less_padding_where_a_large_one_repeats_the_target():
    examples = [*make(SOURCE, 600), *make(TARGET, 50)]
    large, small = (batches_of(examples, size=16, target_share=0.5, pool=pool) for pool in (16, 4))
    assert padding(small) < 0.75 * padding(large)
    assert uses(small, examples[:600]) == [1] * 600


@pytest.mark.parametrize("resources", [(SOURCE, TARGET), (TARGET,)])
def test_a_pool_of_one_batch_is_not_sorted(resources):
    examples = [example for resource in resources for example in make(resource, 16 * 16)]
    batches = batches_of(examples, size=16, target_share=0.5, pool=1)
    shuffled = random.sample(examples, len(examples))
    at_random = [shuffled[i : i + 16] for i in range(0, len(shuffled), 16)]
    assert padding(batches) == pytest.approx(padding(at_random), rel=0.15)


@pytest.mark.parametrize("resources", [(SOURCE, TARGET), (TARGET,)])
def test_lengths_are_not_in_order_over_a_pass(resources):
    examples = [example for resource in resources for example in make(resource, 8 * 16)]
    longest = [
        max(len(example.predicted) for example in batch) for batch in batches_of(examples, size=16, target_share=0.5)
    ]
    assert longest not in (sorted(longest), sorted(longest, reverse=True))


@pytest.mark.parametrize(
    "settings, code",
    [
        ({"size": 0}, "DN104"),
        ({"target_share": 0.0}, "DN105"),
        ({"target_share": 1.0}, "DN105"),
        ({"source_ratio": 0.0}, "DN106"),
        ({"source_ratio": 1.1}, "DN106"),
        ({"pool": 0}, "DN111"),
    ],
)
def test_settings_that_make_no_sense_are_refused(settings, code):
    with pytest.raises(ValueError, match=code):
        configure_mixed_batches(**settings)
