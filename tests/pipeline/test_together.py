"""The three components in one pipeline: each with word features of its own, or all listening to one tok2vec."""

from io import StringIO
from itertools import combinations

import numpy as np
import pytest
import spacy
from numpy.testing import assert_allclose
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus, Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import fix_random_seed, load_model_from_config
from util import SMALL_MODEL, bare, task_examples, training_config, write_docs

from spacy_datnet.pipeline.export import keep_target_only
from spacy_datnet.resources import resource_of
from spacy_datnet.training.corpus import configure_SourceTargetCorpus

TASKS = {"datnet_ner": "ents", "datnet_tagger": "tags", "datnet_chunker": "chunks"}
NAMES = list(TASKS)
SCORES = ("ents_f", "tag_acc", "spans_chunks_f")
LOSS = {"epsilon_source": 0.5, "epsilon_target": 0.5, "epsilon_characters": 0.2}
LISTENER = {"@architectures": "spacy.Tok2VecListener.v1", "width": 24}
TOK2VEC = {
    "@architectures": "spacy.HashEmbedCNN.v2",
    "width": 24,
    "depth": 1,
    "embed_size": 200,
    "window_size": 1,
    "maxout_pieces": 2,
    "subword_features": True,
    "pretrained_vectors": None,
}


def settings(shared: bool) -> dict:
    return {"model": {**SMALL_MODEL, **({"tok2vec": LISTENER} if shared else {})}, "loss": LOSS}


def create(names: list[str], *, shared: bool) -> Language:
    """Make a pipeline of some components and initialise it."""
    nlp = spacy.blank("es")
    if shared:
        nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
    for name in names:
        nlp.add_pipe(name, config=settings(shared))
    fix_random_seed(0)
    nlp.initialize(lambda: examples_of(nlp))
    return nlp


def examples_of(nlp: Language) -> list[Example]:
    return task_examples(nlp.vocab, list(TASKS.values()))


def target_of(nlp: Language) -> list[Example]:
    return [example for example in examples_of(nlp) if resource_of(example) == "target"]


def learn(nlp: Language, steps: int) -> dict[str, float]:
    sgd, examples = nlp.resume_training(), examples_of(nlp)
    sgd.learn_rate = 0.01
    for _ in range(steps):
        losses = nlp.update(examples, sgd=sgd, losses={})
    return losses


def read(doc: Doc) -> tuple[list, list, list]:
    """The annotation of a doc, with confidences if it is predicted."""
    return (
        [(ent.start, ent.end, ent.label_, ent._.confidence) for ent in doc.ents],
        [(token.tag_, token._.tag_confidence) for token in doc],
        [(span.start, span.end, span.label_, span._.chunk_confidence) for span in doc.spans.get("chunks", ())],
    )


def without_confidence(annotation: tuple[list, list, list]) -> list[list]:
    return [[entry[:-1] for entry in part] for part in annotation]


@pytest.fixture(scope="module", params=[False, True], ids=["apart", "shared tok2vec"])
def trained(request) -> Language:
    """A pipeline of all three that knows the examples. Tests must not change it."""
    nlp = create(NAMES, shared=request.param)
    learn(nlp, 40)
    return nlp


def test_all_three_learn_and_predict_in_one_pipeline(trained):
    examples = target_of(trained)
    expected = [without_confidence(read(example.reference)) for example in examples]
    docs = list(trained.pipe(bare(example.reference) for example in examples))
    assert [without_confidence(read(doc)) for doc in docs] == expected
    scores = trained.evaluate(examples)
    assert [scores[name] for name in SCORES] == [1.0, 1.0, 1.0]


def test_losses_are_reported_for_each(trained):
    nlp = spacy.blank("es").from_config(trained.config).from_bytes(trained.to_bytes())
    losses = learn(nlp, 1)
    for name in NAMES:
        assert losses[name] > 0.0 and f"{name}.discriminator" in losses


def test_a_saved_pipeline_predicts_the_same(trained, tmp_path):
    trained.to_disk(tmp_path)
    for loaded in (spacy.load(tmp_path), spacy.blank("es").from_config(trained.config).from_bytes(trained.to_bytes())):
        for example in target_of(trained):
            doc = bare(example.reference)
            assert read(loaded(bare(doc))) == read(trained(doc))


def test_each_says_what_it_says_alone(trained):
    """An entity and a chunk with the same borders don't share a confidence."""
    with_both = 0
    for example in target_of(trained):
        together = read(trained(bare(example.reference)))
        for i, name in enumerate(NAMES):
            with trained.select_pipes(disable=[other for other in NAMES if other != name]):
                alone = read(trained(bare(example.reference)))
            assert alone[i] == together[i]
        borders = {entry[:2]: entry[-1] for entry in together[2]}
        with_both += sum(entry[:2] in borders and entry[-1] != borders[entry[:2]] for entry in together[0])
    assert with_both > 3


@pytest.mark.parametrize("name", NAMES)
def test_sentences_may_be_annotated_for_some_of_the_tasks(trained, name):
    nlp = spacy.blank("es").from_config(trained.config).from_bytes(trained.to_bytes())
    losses = nlp.update(task_examples(nlp.vocab, [TASKS[name]]), sgd=False, losses={})
    for other in NAMES:
        annotated = [losses[f"{other}.{resource}"] > 0.0 for resource in ("source", "target")]
        assert annotated == [other == name] * 2


@pytest.mark.parametrize("pair", list(combinations(NAMES, 2)), ids="+".join)
def test_a_shared_tok2vec_learns_from_each_listener(pair):
    def gradients(names: tuple[str, ...]) -> list[np.ndarray]:
        nlp = spacy.blank("es")
        nlp.add_pipe("tok2vec", config={"model": TOK2VEC})
        for name in names:
            nlp.add_pipe(name, config=settings(shared=True))
        nlp.from_bytes(both.to_bytes())
        nlp.update(examples_of(nlp), sgd=False)
        return [n.get_grad(p) for n in nlp.get_pipe("tok2vec").model.walk() for p in sorted(n.param_names)]

    both = create(list(pair), shared=True)
    for joint, first, second in zip(gradients(pair), gradients(pair[:1]), gradients(pair[1:]), strict=True):
        assert np.abs(first).max() > 1e-3 < np.abs(second).max()
        assert_allclose(joint, first + second, atol=1e-5)


def test_the_source_is_dropped_from_each(trained, tmp_path):
    nlp = spacy.blank("es").from_config(trained.config).from_bytes(trained.to_bytes())
    assert keep_target_only(nlp) == NAMES
    for name in NAMES:
        pipe = nlp.get_pipe(name)
        assert list(pipe.label_data) == ["target"]
        parameters = [n for n, _ in pipe.model.shims[0].network.named_parameters()]
        assert not [n for n in parameters if "source" in n or "discriminator" in n]
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for example in target_of(trained):
        expected = read(trained(bare(example.reference)))
        assert read(nlp(bare(example.reference))) == expected
        assert read(loaded(bare(example.reference))) == expected


@pytest.fixture
def paths(tmp_path) -> dict:
    examples = task_examples(spacy.blank("es").vocab, list(TASKS.values()))
    parts = {"source": [], "target": []}
    for example in examples:
        parts[resource_of(example)].append(example.reference)
    files = {name: write_docs(tmp_path / f"{name}.spacy", docs) for name, docs in parts.items()}
    return {**files, "dev": files["target"]}


def test_spacy_trains_all_three(paths, tmp_path):
    components = {name: {"factory": name, **settings(shared=True)} for name in NAMES}
    components = {"tok2vec": {"factory": "tok2vec", "model": TOK2VEC}, **components}
    config = training_config(components, paths)
    config["corpora"]["dev"] = {
        "@readers": "spacy-datnet.SourceTargetCorpus.v1",
        "source": None,
        "target": "${paths.dev}",
    }
    printed = StringIO()
    train(init_nlp(load_model_from_config(config, auto_fill=True).config), tmp_path, stdout=printed)
    best = spacy.load(tmp_path / "model-best")
    assert [best.meta["performance"][name] for name in SCORES] == [1.0, 1.0, 1.0]
    assert all(f"{name} L_T" in printed.getvalue() for name in NAMES)


def test_sentences_keep_their_chunks_in_this_package_s_reader_and_not_in_spacy_s(trained, tmp_path):
    doc = Doc.from_docs([example.reference for example in target_of(trained)], exclude=["user_data"])
    starts = {0, *np.cumsum([len(example.reference) for example in target_of(trained)]).tolist()}
    for token in doc:
        token.is_sent_start = token.i in starts
    path = write_docs(tmp_path / "doc.spacy", [doc])
    ours, theirs = (
        list(reader(trained)) for reader in (configure_SourceTargetCorpus(None, path), Corpus(path, gold_preproc=True))
    )
    assert len(ours) == len(theirs) == 6
    assert trained.evaluate(ours)["spans_chunks_f"] == 1.0
    with pytest.warns(UserWarning, match="DN054"):
        scores = trained.evaluate(theirs)
    assert scores["spans_chunks_f"] is None and scores["tag_acc"] == 1.0


def test_one_task_without_a_source_and_others_with_one():
    nlp = spacy.blank("es")
    for name in NAMES[:2]:
        nlp.add_pipe(name, config=settings(shared=False))
    nlp.add_pipe("datnet_chunker", config={"model": {**SMALL_MODEL, "transfer": "none"}, "loss": LOSS})
    fix_random_seed(0)
    nlp.initialize(lambda: examples_of(nlp))
    losses = learn(nlp, 2)
    assert [losses[f"{name}.source"] > 0.0 for name in NAMES] == [True, True, False]
    docs = [bare(example.reference) for example in target_of(nlp)]
    expected = [read(nlp(bare(doc))) for doc in docs]
    assert keep_target_only(nlp) == NAMES
    assert [read(nlp(doc)) for doc in docs] == expected
