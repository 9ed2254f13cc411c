"""Components that listen to a transformer of spacy-transformers: gradients, training, and what a pipeline does."""

from itertools import chain

import numpy as np
import pytest
import spacy
import torch
from checkpoints import LETTERS, WIDTH, write_checkpoint
from numpy.testing import assert_allclose
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.util import fix_random_seed, load_model_from_config
from util import SMALL_MODEL, annotated, as_examples, bare, task_examples, training_config, write_docs

from spacy_datnet.models.batch import Batch
from spacy_datnet.pipeline.export import keep_target_only
from spacy_datnet.resources import SOURCE, TARGET, resource_of

LISTENER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": {"@layers": "reduce_mean.v1"},
}
FEED_FORWARD = {"@architectures": "spacy-datnet.FeedForward.v1", "hidden": 24}
SOFTMAX = {"@architectures": "spacy-datnet.Softmax.v1"}
MODELS = {
    "feed-forward + softmax, no characters": {"characters": None, "encoder": FEED_FORWARD, "decoder": SOFTMAX},
    "BiLSTM + CRF": {},
}
PLAIN = {"discriminator": "none", "adversarial_training": False}
FULL = {"epsilon_source": 0.3, "epsilon_target": 0.6, "epsilon_characters": 0.2}
TASKS = {"datnet_ner": "ents", "datnet_tagger": "tags"}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory) -> str:
    return str(write_checkpoint(tmp_path_factory.mktemp("checkpoint")))


def transformer(checkpoint: str) -> dict:
    spans = {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 32, "stride": 24}
    return {"@architectures": "spacy-transformers.TransformerModel.v3", "name": checkpoint, "get_spans": spans}


def settings(loss: dict = FULL, **model) -> dict:
    return {"model": {**SMALL_MODEL, "tok2vec": LISTENER, **model}, "loss": loss}


def create(checkpoint: str, names=("datnet_ner",), **component) -> tuple[Language, list[Example]]:
    """Make a pipeline of a transformer and components that listen, and its examples, source and target mixed."""
    nlp = spacy.blank("es")
    nlp.add_pipe("transformer", config={"model": transformer(checkpoint)})
    for name in names:
        nlp.add_pipe(name, config=settings(**component))
    examples = task_examples(nlp.vocab, list(TASKS.values()))
    fix_random_seed(0)
    nlp.initialize(lambda: examples)
    order = np.random.default_rng(0).permutation(len(examples))
    empty = Example(Doc(nlp.vocab), Doc(nlp.vocab))
    return nlp, [empty, *(examples[i] for i in order[:7]), empty, *(examples[i] for i in order[7:])]


def parameters(nlp: Language) -> dict[str, torch.nn.Parameter]:
    """The parameters of the transformer that words depend on: a key's bias, like the pooler, changes nothing."""
    named = nlp.get_pipe("transformer").model.transformer.named_parameters()
    return {name: parameter for name, parameter in named if "pooler" not in name and "key.bias" not in name}


def gradients(nlp: Language, examples: list[Example]) -> dict[str, torch.Tensor]:
    """The gradients of the transformer after one update, taken away from it."""
    nlp.update(examples, sgd=False)
    found = {}
    for name, parameter in parameters(nlp).items():
        found[name] = parameter.grad
        parameter.grad = None
    for name in nlp.pipe_names[1:]:
        nlp.get_pipe(name).model.shims[0].network.zero_grad()
    return found


def loss_of(nlp: Language, examples: list[Example]) -> float:
    losses = nlp.update(examples, sgd=False, losses={})
    return losses["datnet_ner"] / losses["datnet_ner.sentences"]


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
def test_the_gradient_of_the_transformer_is_that_of_finite_differences(checkpoint, model):
    nlp, examples = create(checkpoint, loss=PLAIN, **model)
    found = gradients(nlp, examples)
    rng = torch.Generator().manual_seed(0)
    for name, parameter in parameters(nlp).items():
        direction = torch.randn(parameter.shape, generator=rng)
        direction += 3.0 * found[name] / found[name].norm().clamp(min=1e-6)
        direction /= direction.norm()
        slope = float((found[name] * direction).sum())
        original, step, values = parameter.data, 0.001, []
        for sign in (1, -1):
            parameter.data = original + sign * step * direction
            values.append(loss_of(nlp, examples))
        parameter.data = original
        assert slope == pytest.approx((values[0] - values[1]) / (2 * step), rel=0.05, abs=5e-3), name


def hand_wired(nlp: Language, docs: list[Doc]) -> torch.Tensor:
    """The words of docs, (tokens, width): each is the mean of its letters, each doc is read alone."""
    rows = []
    for doc in docs:
        # numbers of the pieces as `write_checkpoint` gives them: special ones, beginnings, continuations
        pieces = [
            [4 + LETTERS.index(letter) + len(LETTERS) * (i > 0) for i, letter in enumerate(plain(token.text))]
            for token in doc
        ]
        if pieces:
            ids = torch.tensor([[2, *chain(*pieces), 3]])
            states = nlp.get_pipe("transformer").model.transformer(ids).last_hidden_state[0, 1:-1]
            rows += [part.mean(0) for part in states.split([len(word) for word in pieces])]
    return torch.stack(rows)


def plain(word: str) -> str:
    return word.lower().translate(str.maketrans("áéíóúñ", "aeioun"))


@pytest.mark.parametrize("transfer", ["full", "part"])
def test_the_gradient_with_both_adversaries_is_that_of_a_network_wired_by_hand(checkpoint, transfer):
    nlp, examples = create(checkpoint, transfer=transfer)
    found = gradients(nlp, examples)
    pipe, docs = nlp.get_pipe("datnet_ner"), [example.predicted for example in examples]
    words = hand_wired(nlp, docs)
    # one sentence per doc that is not empty
    from_source = np.array([resource_of(example) == SOURCE for example in examples if len(example.predicted)])
    flags = np.array([resource_of(example) == SOURCE for example in examples])
    for doc in docs:
        doc._.trf_data = None
    features, _ = pipe.model.get_ref("features")(Batch(docs, flags), False)
    features.words[:] = words.detach()
    sentences = np.concatenate([np.flatnonzero(from_source), np.flatnonzero(~from_source)])
    inputs = features.inputs(sentences, own_forms=True)
    inputs.words.requires_grad_(True)
    pipe.loss(pipe.model.shims[0].network, inputs, pipe._gold(examples, features))
    borders = np.cumsum([0, *(len(doc) for doc in docs if len(doc))])
    gradient = torch.zeros_like(words)
    start = 0
    for i in sentences:
        length = borders[i + 1] - borders[i]
        gradient[borders[i] : borders[i + 1]] = inputs.words.grad[start : start + length]
        start += length
    words.backward(gradient / len(sentences))
    for name, parameter in parameters(nlp).items():
        assert found[name].abs().max() > 0
        assert_allclose(found[name], parameter.grad, atol=2e-4 * float(parameter.grad.abs().max()), err_msg=name)


def test_two_components_on_one_transformer_add_their_gradients(checkpoint):
    both, examples = create(checkpoint, names=TASKS)
    joint = gradients(both, examples)
    parts = []
    for name in TASKS:
        with both.select_pipes(enable=["transformer", name]):
            alone = spacy.blank("es")
            alone.add_pipe("transformer", config={"model": transformer(checkpoint)})
            alone.add_pipe(name, config=settings())
            alone.from_bytes(both.to_bytes())
            parts.append(gradients(alone, examples))
    for name, gradient in joint.items():
        assert parts[0][name].abs().max() > 0 < parts[1][name].abs().max()
        expected = parts[0][name] + parts[1][name]
        assert_allclose(gradient, expected, atol=1e-4 * float(expected.abs().max()), err_msg=name)


@pytest.fixture(scope="module")
def paths(tmp_path_factory) -> dict:
    folder = tmp_path_factory.mktemp("corpora")
    parts: dict[str, list] = {SOURCE: [], TARGET: []}
    for example in task_examples(spacy.blank("es").vocab, list(TASKS.values())):
        parts[resource_of(example)].append(example.reference)
    files = {name: write_docs(folder / f"{name}.spacy", docs) for name, docs in parts.items()}
    return {**files, "dev": files[TARGET]}


def config_of(checkpoint: str, paths: dict, names=TASKS, **model):
    components = {name: {"factory": name, **settings(**model)} for name in names}
    return training_config(
        {"transformer": {"factory": "transformer", "model": transformer(checkpoint)}, **components}, paths
    )


@pytest.fixture(scope="module")
def trained(checkpoint, paths, tmp_path_factory) -> Language:
    """What `spacy train` makes of a transformer and two components. Tests must not change it."""
    folder = tmp_path_factory.mktemp("training")
    config = config_of(checkpoint, paths, encoder=FEED_FORWARD)
    config["training"] |= {"max_steps": 80, "eval_frequency": 40}
    config["training"]["optimizer"]["learn_rate"] = 0.005
    train(init_nlp(load_model_from_config(config, auto_fill=True).config), folder)
    return spacy.load(folder / "model-last")


def read(doc: Doc) -> list:
    return [
        *((ent.start, ent.end, ent.label_, ent._.confidence) for ent in doc.ents),
        *((token.tag_, token._.tag_confidence) for token in doc),
    ]


def target_docs(nlp: Language) -> list[Doc]:
    examples = task_examples(nlp.vocab, list(TASKS.values()))
    return [bare(example.reference) for example in examples if resource_of(example) == TARGET]


def assert_same(found: list[Doc], expected: list[Doc]) -> None:
    for one, other in zip(found, expected, strict=True):
        for a, b in zip(read(one), read(other), strict=True):
            assert a[:-1] == b[:-1] and a[-1] == pytest.approx(b[-1], abs=1e-4)


def test_spacy_trains_the_transformer_with_the_components(trained, checkpoint):
    examples = task_examples(trained.vocab, list(TASKS.values()))
    scores = trained.evaluate([example for example in examples if resource_of(example) == TARGET])
    assert scores["ents_f"] == scores["tag_acc"] == 1.0
    fresh, _ = create(checkpoint)
    moved = [
        float((parameter - before).detach().abs().max())
        for parameter, before in zip(parameters(trained).values(), parameters(fresh).values(), strict=True)
    ]
    assert min(moved) > 1e-3


def test_docs_are_predicted_the_same_alone_and_in_company(trained):
    together = list(trained.pipe([Doc(trained.vocab), *target_docs(trained), Doc(trained.vocab)]))
    assert_same(together[1:-1], [trained(doc) for doc in target_docs(trained)])
    assert not together[0].ents and not trained("").ents
    assert [doc.text for doc in trained.pipe(["", ""])] == ["", ""]


def test_a_saved_pipeline_predicts_the_same(trained, tmp_path):
    trained.to_disk(tmp_path / "saved")
    loaded = spacy.load(tmp_path / "saved")
    other = spacy.blank("es").from_config(trained.config).from_bytes(trained.to_bytes())
    expected = list(trained.pipe(target_docs(trained)))
    assert_same(list(loaded.pipe(target_docs(loaded))), expected)
    assert_same(list(other.pipe(target_docs(other))), expected)


def test_listeners_are_replaced_by_a_copy_of_the_transformer(trained, tmp_path):
    nlp = spacy.blank("es").from_config(trained.config).from_bytes(trained.to_bytes())
    nlp.replace_listeners("transformer", "datnet_ner", ["model.tok2vec"])
    assert nlp.get_pipe("transformer").listening_components == ["datnet_tagger"]
    assert_same(list(nlp.pipe(target_docs(nlp))), list(trained.pipe(target_docs(trained))))
    # it goes on learning: its own copy, from its own gradients
    examples = task_examples(nlp.vocab, ["ents"])
    before = nlp.get_pipe("datnet_ner").model.get_ref("features").layers[0].to_bytes()
    nlp.update(examples, sgd=nlp.resume_training())
    assert nlp.get_pipe("datnet_ner").model.get_ref("features").layers[0].to_bytes() != before


def test_pipe_in_two_processes(trained):
    # the child would warn that it was forked
    expected = list(trained.pipe(target_docs(trained)))
    assert_same(list(trained.pipe(target_docs(trained), n_process=2, batch_size=3)), expected)


def test_the_export_keeps_the_transformer(trained, tmp_path):
    nlp = spacy.blank("es").from_config(trained.config).from_bytes(trained.to_bytes())
    assert keep_target_only(nlp) == list(TASKS)
    nlp.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    assert_same(list(loaded.pipe(target_docs(loaded))), list(trained.pipe(target_docs(trained))))


def test_a_frozen_transformer_that_annotates_stays_as_it_is(trained, checkpoint, paths, tmp_path):
    trained.to_disk(tmp_path / "saved")
    config = config_of(checkpoint, paths, names=["datnet_ner"])
    config["components"]["transformer"] = {"source": str(tmp_path / "saved")}
    config["training"] |= {"frozen_components": ["transformer"], "annotating_components": ["transformer"]}
    config["training"] |= {"max_steps": 80, "eval_frequency": 40, "gpu_allocator": None}
    nlp = init_nlp(config)
    train(nlp, tmp_path)
    assert nlp.meta["performance"]["ents_f"] == 1.0
    for name, parameter in parameters(nlp).items():
        assert torch.equal(parameter, parameters(trained)[name]), name
    loaded = spacy.load(tmp_path / "model-best")
    assert loaded.pipe_names == ["transformer", "datnet_ner"]
    assert loaded("Ana vive en Madrid").ents[0].text == "Ana"


def test_a_listener_hears_both_resources_and_so_there_is_no_second_one(checkpoint):
    nlp = spacy.blank("es")
    with pytest.raises(ValueError, match="DN018"):
        nlp.add_pipe("datnet_ner", config=settings(source_tok2vec=LISTENER))


def test_the_width_is_that_of_the_transformer(trained):
    assert trained.get_pipe("datnet_ner").model.get_ref("features").get_dim("nO") == WIDTH


def test_an_update_without_tokens_leaves_the_next_one_as_it_is(checkpoint):
    nlp, examples = create(checkpoint)
    expected = gradients(nlp, examples)
    nlp.update([Example(Doc(nlp.vocab), Doc(nlp.vocab))], sgd=False)
    for name, gradient in gradients(nlp, examples).items():
        assert torch.equal(gradient, expected[name])


def test_target_only_and_source_only_batches_reach_the_transformer(checkpoint):
    nlp, examples = create(checkpoint)
    for resource in (SOURCE, TARGET):
        part = [example for example in examples if len(example.predicted) and resource_of(example) == resource]
        assert all(gradient.abs().max() > 0 for gradient in gradients(nlp, part).values())


def test_unannotated_target_sentences_give_the_transformer_the_discriminator_s_gradient_alone(checkpoint):
    nlp, _ = create(checkpoint)
    unknown = as_examples([annotated(nlp.vocab, "Ana vive en Madrid", TARGET)])
    for example in unknown:
        example.reference.set_ents([], default="missing")
    losses = nlp.update(unknown, sgd=False, losses={})
    assert losses["datnet_ner.target"] == 0.0 < losses["datnet_ner.discriminator"]
    assert all(parameter.grad.abs().max() > 0 for parameter in parameters(nlp).values())
