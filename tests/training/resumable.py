"""Small trainings of every kind, and ways to end them."""

from collections.abc import Callable
from copy import deepcopy
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import spacy
from spacy.training.initialize import init_nlp
from spacy.training.loop import train as spacy_train
from thinc.api import Config
from util import SMALL_MODEL, TOK2VEC, task_examples, training_config, write_docs

from spacy_datnet.resources import resource_of
from spacy_datnet.training.resume import train

LOSS = {"epsilon_source": 0.3, "epsilon_target": 0.6, "epsilon_characters": 0.2}
HEARS_TOK2VEC = {"@architectures": "spacy.Tok2VecListener.v1", "width": 24}
HEARS_TRANSFORMER = {
    "@architectures": "spacy-transformers.TransformerListener.v1",
    "grad_factor": 1.0,
    "pooling": {"@layers": "reduce_mean.v1"},
}
TAGGER = {"factory": "tagger", "model": {"@architectures": "spacy.Tagger.v2", "tok2vec": HEARS_TOK2VEC}}
NER = {
    "factory": "ner",
    "model": {
        "@architectures": "spacy.TransitionBasedParser.v2",
        "state_type": "ner",
        "extra_state_tokens": False,
        "hidden_width": 16,
        "maxout_pieces": 2,
        "use_upper": True,
        "tok2vec": TOK2VEC,
    },
    # cuts sentences at random, with Python's generator, which the batches are shuffled by, too
    "update_with_oracle_cut_size": 3,
}
BY_WORDS = {
    "@batchers": "spacy.batch_by_words.v1",
    "size": {"@schedules": "compounding.v1", "start": 20, "stop": 60, "compound": 1.1},
    "tolerance": 0.2,
    "discard_oversize": False,
}


def ours(factory: str, **settings: Any) -> dict:
    """The settings of a component."""
    model = {**SMALL_MODEL, **settings.pop("model", {})}
    return {"factory": factory, "model": model, "loss": LOSS, **settings}


def listening(factory: str, **settings: Any) -> dict:
    """The settings of a component on a shared tok2vec."""
    return ours(factory, model={"tok2vec": HEARS_TOK2VEC}, **settings)


# components, settings of [training]
TRAININGS: dict[str, tuple[dict[str, dict], dict[str, Any]]] = {
    "ner": (
        {"datnet_ner": ours("datnet_ner", confidence=True)},
        {
            "before_update": {"@callbacks": "spacy-datnet.epoch_decay.v1", "rate": 0.05},
            "before_to_disk": {"@callbacks": "spacy-datnet.calibrate.v1"},
            "optimizer.use_averages": True,
        },
    ),
    "tagger": (
        {"datnet_tagger": ours("datnet_tagger", model={"transfer": "part"})},
        {"accumulate_gradient": 2, "optimizer.use_averages": False, "max_epochs": 6, "max_steps": 0},
    ),
    "chunker": (
        {"datnet_chunker": ours("datnet_chunker")},
        {"optimizer.@optimizers": "RAdam.v1", "patience": 9, "max_steps": 0},
    ),
    "streaming": ({"datnet_ner": ours("datnet_ner")}, {"max_epochs": -1, "batcher.pool": 2}),
    "spaCy's ner": ({"ner": NER}, {"batcher": BY_WORDS, "accumulate_gradient": 2}),
    "spaCy's ner, streaming": ({"ner": NER}, {"batcher": BY_WORDS, "max_epochs": -1}),
    "listeners": (
        {
            "tok2vec": {"factory": "tok2vec", "model": TOK2VEC},
            "tagger": TAGGER,
            "datnet_ner": listening("datnet_ner"),
            "datnet_chunker": listening("datnet_chunker"),
        },
        {
            "optimizer.learn_rate": {
                "@schedules": "warmup_linear.v1",
                "warmup_steps": 4,
                "total_steps": 40,
                "initial_rate": 0.01,
            },
            "annotating_components": ["tagger"],
        },
    ),
    "transformer": (
        {
            "transformer": {"factory": "transformer"},
            "datnet_ner": ours("datnet_ner", model={"tok2vec": HEARS_TRANSFORMER}),
            "datnet_tagger": ours("datnet_tagger", model={"tok2vec": HEARS_TRANSFORMER}),
        },
        {"optimizer.learn_rate": 0.003, "accumulate_gradient": 2},
    ),
}


def write_corpora(folder: Path) -> dict[str, Path]:
    """Write a source and a target corpus with entities, tags and chunks."""
    vocab = spacy.blank("es").vocab
    docs: dict[str, list] = {"source": [], "target": []}
    for example in task_examples(vocab, ["ents", "tags", "chunks"]):
        docs[resource_of(example)].append(example.reference)
    return {name: write_docs(folder / f"{name}.spacy", some * 2) for name, some in docs.items()}


def configure(name: str, folder: Path, log: Path | None = None, steps: int = 17) -> Config:
    """Make the config of a training.

    folder (Path): The folder that `write_corpora` wrote to, and `write_checkpoint` to its `checkpoint`.
    log (Optional[Path]): The file of the logger.
    """
    components, settings = deepcopy(TRAININGS[name])
    for component in components.values():
        if component["factory"] == "transformer":
            component["model"] = {
                "@architectures": "spacy-transformers.TransformerModel.v3",
                "name": str(folder / "checkpoint"),
                "get_spans": {"@span_getters": "spacy-transformers.strided_spans.v1", "window": 32, "stride": 24},
                # the checkpoint of the tests has none, so that a step can be repeated
                "transformer_config": {"hidden_dropout_prob": 0.1, "attention_probs_dropout_prob": 0.1},
            }
    paths = {corpus: folder / f"{corpus}.spacy" for corpus in ("source", "target")}
    config = training_config(components, {**paths, "dev": paths["target"]})
    config["training"] |= {"max_steps": steps, "eval_frequency": 5, "gpu_allocator": None}
    if log is not None:
        config["training"]["logger"]["output_file"] = str(log)
    for key, value in settings.items():
        section, *names = ("training", *key.split("."))
        place = config[section]
        for part in names[:-1]:
            place = place[part]
        place[names[-1]] = value
    return config


class Killed(BaseException):
    """The end of a process, as far as one process can play it."""


def kill_at(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str, call: int) -> None:
    """Let a call of a function be the end."""
    function, calls = getattr(owner, name), 0

    def counted(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == call:
            raise Killed
        return function(*args, **kwargs)

    monkeypatch.setattr(owner, name, counted)


def spacy_trains(config: Config, output: Path) -> str:
    """What `spacy train` does, which is the truth."""
    stdout = StringIO()
    output.mkdir()
    spacy_train(init_nlp(config.copy()), output, stdout=stdout)
    return stdout.getvalue()


def we_train(config: Config, output: Path, **settings: Any) -> str:
    """What `spacy-datnet train` does."""
    stdout = StringIO()
    train(config.copy(), output, stdout=stdout, **settings)
    return stdout.getvalue()


def contents(folder: Path) -> dict[str, bytes]:
    """Read all files of model-best and model-last."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for name in ("model-best", "model-last")
        for path in sorted((folder / name).rglob("*"))
        if path.is_file()
    }


def assert_same(folder: Path, truth: Path) -> None:
    """Compare the pipelines of two trainings, to the byte."""
    found, expected = contents(folder), contents(truth)
    assert found.keys() == expected.keys() and found
    different = [name for name in expected if found[name] != expected[name]]
    assert not different, different


def interrupted(
    monkeypatch: pytest.MonkeyPatch, kill: Callable[[pytest.MonkeyPatch], None], config: Config, output: Path, **kw: Any
) -> None:
    """Train until the end that `kill` prepares."""
    with monkeypatch.context() as patched:
        kill(patched)
        with pytest.raises(Killed):
            we_train(config, output, **kw)
