"""Builders that several test modules share."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

import pytest
import torch
from spacy.language import Language
from spacy.tokens import Doc, DocBin, Span
from spacy.training import Example
from spacy.util import fix_random_seed
from spacy.vocab import Vocab
from thinc.api import Config

from spacy_datnet.nn import crf, moves
from spacy_datnet.nn.crf import MISSING
from spacy_datnet.nn.datnet import DATNet, Sizes
from spacy_datnet.nn.datnet_encoder import Inputs
from spacy_datnet.nn.decoders import CRF
from spacy_datnet.nn.encoders import BiLSTM, CharCNN
from spacy_datnet.nn.objective import Gold
from spacy_datnet.nn.sentences import Sentences
from spacy_datnet.nn.tags import SpanTags
from spacy_datnet.resources import SOURCE, TARGET, stamp

LABELS = ("LOC", "PER")
ROWS = 12  # of the character table


def make_network(transfer="full", *, words=4, labels=None, seed=0, **settings) -> DATNet:
    """A small float64 network whose parameters are all random and whose tags are BILUO."""
    labels = labels or {"source": LABELS, "target": LABELS}
    settings = {
        "characters": partial(CharCNN, rows=ROWS, embedding_width=3, filters=3, window=3),
        "encoder": partial(BiLSTM, hidden=3, depth=1),
        "decoder": CRF,
        "share_decoder": False,
        "attention_width": 4,
        **settings,
    }
    torch.manual_seed(seed)
    schemes = {resource: SpanTags(names) for resource, names in labels.items()}
    sizes = Sizes(words=words, tags={resource: len(tags) for resource, tags in schemes.items()})
    network = DATNet(sizes, transfer=transfer, **settings).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.normal_(std=0.5)
        if network.characters is not None:
            network.characters.embedding.weight[0] = 0.0
    for resource, decoder in network.decoders.items():
        decoder.constrain(*(torch.from_numpy(part) for part in schemes[resource].legal()))
    return network


def make_inputs(lengths, is_source, *, width=4, seed=0) -> Inputs:
    """Random sentences, those of the source first; each token has a word form of its own, of one to four characters."""
    assert is_source == sorted(is_source, reverse=True)
    rng = torch.Generator().manual_seed(seed)
    sentence = [i for i, length in enumerate(lengths) for _ in range(length)]
    words = torch.randn(len(sentence), width, generator=rng, dtype=torch.float64)
    form_lengths = torch.randint(1, 5, (len(sentence),), generator=rng)
    forms = torch.randperm(len(sentence), generator=rng)
    characters, owners = [0], []
    for size, token in zip(form_lengths.tolist(), forms.argsort().tolist(), strict=True):
        characters += [*torch.randint(1, ROWS, (size,), generator=rng).tolist(), 0]
        owners += [sentence[token]] * (size + 1)
    return Inputs(
        words=words,
        sentences=make_sentences(lengths),
        n_source=sum(is_source),
        characters=torch.tensor(characters),
        form_lengths=form_lengths,
        forms=forms,
        owners=torch.tensor([*owners, owners[-1]]),
    )


def make_sentences(lengths) -> Sentences:
    return Sentences(torch.tensor(lengths, dtype=torch.int64))


def pick(values, lengths, chosen) -> torch.Tensor:
    """The values of some sentences, (their tokens, ...), from those of all, (tokens, ...)."""
    parts = values.split(lengths)
    return torch.cat([parts[i] for i in chosen])


def choose(inputs: Inputs, chosen) -> Inputs:
    """Some sentences of a batch alone, those of the source first."""
    lengths = inputs.sentences.host_lengths.tolist()
    from_source = [i < inputs.n_source for i in chosen]
    assert from_source == sorted(from_source, reverse=True)
    return replace(
        inputs,
        words=pick(inputs.words, lengths, chosen),
        sentences=make_sentences([lengths[i] for i in chosen]),
        n_source=sum(from_source),
        forms=pick(inputs.forms, lengths, chosen),
        owners=None,
    )


def make_gold(inputs: Inputs, *, missing=0.0, seed=0) -> dict[str, Gold]:
    """Random entities for each resource of a batch; some tags are hidden."""
    rng = torch.Generator().manual_seed(seed)
    scheme, gold = SpanTags(LABELS), {}
    for resource, sentences in inputs.resources.items():
        parts = []
        for i, length in enumerate(sentences.host_lengths.tolist()):
            start, end = sorted(torch.randint(length, (2,), generator=rng).tolist())
            parts.append(torch.from_numpy(scheme.encode(length, [(start, end + 1, LABELS[i % 2])])))
        tags = torch.cat(parts)
        tags[torch.rand(tags.shape, generator=rng) < missing] = MISSING
        gold[resource] = Gold(tags, missing == 0.0)
    return gold


def assert_sentences_are_apart(compute, values, lengths) -> None:
    """What a sentence gets within a row, and the gradient of that, is what it gets alone; the others have no gradient.

    compute (Callable): From values, (tokens, ...), and `Sentences` to one tensor per sentence.
    """
    row = values.detach().clone().requires_grad_()
    together = compute(row, make_sentences(lengths))
    assert len(together) == len(lengths)
    for i, length in enumerate(lengths):
        alone = pick(values, lengths, [i]).detach().clone().requires_grad_()
        (expected,) = compute(alone, make_sentences([length]))
        torch.testing.assert_close(together[i], expected)
        weights = torch.randn(expected.shape, generator=torch.Generator().manual_seed(i), dtype=expected.dtype)
        (truth,) = torch.autograd.grad((expected * weights).sum(), alone)
        (found,) = torch.autograd.grad((together[i] * weights).sum(), row, retain_graph=True)
        assert truth.any()
        for j, gradient in enumerate(found.split(lengths)):
            if j == i:
                torch.testing.assert_close(gradient, truth)
            else:
                assert not gradient.any()


# Docs, examples and pipelines

# a tok2vec to listen to
TOK2VEC = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": 24,
        "attrs": ["NORM", "SHAPE"],
        "rows": [200, 100],
        "include_static_vectors": False,
    },
    "encode": {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        "width": 24,
        "window_size": 1,
        "maxout_pieces": 2,
        "depth": 1,
    },
}
# settings that make a model small enough for a test
SMALL_MODEL: dict[str, Any] = {
    "tok2vec": {"width": 24, "rows": [200, 200, 200, 200]},
    "characters": {"embedding_width": 8, "filters": 16, "rows": 256},
    "encoder": {"hidden": 24},
    "attention_width": 8,
}

# entities, tags and chunks of each sentence
TARGET_ANNOTATIONS = (
    ("Ana/PER vive en Madrid/LOC", "N V P N", "Ana/NP vive/VP en Madrid/NP"),
    (
        "Luis_García/PER trabaja en San_José/LOC",
        "N N V P N N",
        "Luis_García/NP trabaja/VP en San_José/NP",
    ),
    ("Eva/PER no vive en Madrid/LOC", "N R V P N", "Eva/NP no_vive/VP en Madrid/NP"),
    ("el tren va a Nueva_York/LOC", "D N V P N N", "el_tren/NP va/VP a Nueva_York/NP"),
    ("hoy llueve mucho", "R V R", "hoy llueve/VP mucho"),
    ("María_Luisa_Pérez/PER llega a Lima/LOC", "N N N V P N", "María_Luisa_Pérez/NP llega/VP a Lima/NP"),
)
# each is longer than any of the target, and each kind of annotation has a label more
SOURCE_ANNOTATIONS = (
    (
        "Anna/PER lives with Ed/PER in London/LOC today",
        "N V P N P N R",
        "Anna/NP lives/VP with Ed/NP in London/NP today/ADVP",
    ),
    (
        "John_Smith/PER works for the Acme/ORG over there",
        "N N V P D N R R",
        "John_Smith/NP works/VP for the_Acme/NP over_there/ADVP",
    ),
    (
        "the fast train goes to New_York/LOC every morning",
        "D J N V P N N D N",
        "the_fast_train/NP goes/VP to New_York/NP every_morning/NP",
    ),
    (
        "it rains a lot in this country now",
        "N V D N P D N R",
        "it/NP rains/VP a_lot/NP in this_country/NP now/ADVP",
    ),
    (
        "Mary/PER left Big_Blue/ORG in South_Boston/LOC last year",
        "N V N N P N N J N",
        "Mary/NP left/VP Big_Blue/NP in South_Boston/NP last_year/NP",
    ),
    (
        "Acme/ORG pays John/PER and Mary/PER much too little",
        "N V N P N R R R",
        "Acme/NP pays/VP John/NP and Mary/NP much_too_little/ADVP",
    ),
)
TARGET_SENTENCES, SOURCE_SENTENCES = (
    tuple(ents for ents, _, _ in sentences) for sentences in (TARGET_ANNOTATIONS, SOURCE_ANNOTATIONS)
)


def parse(sentence: str) -> tuple[list[str], list[tuple[int, int, str]]]:
    """Words and spans; `_` joins the words of a span and `/` comes before its label."""
    words, spans = [], []
    for chunk in sentence.split():
        text, _, label = chunk.partition("/")
        start = len(words)
        words += text.split("_")
        if label:
            spans.append((start, len(words), label))
    return words, spans


def annotated(vocab: Vocab, sentence: str, resource: str | None = None) -> Doc:
    """A doc with entities, see `parse`."""
    words, spans = parse(sentence)
    doc = Doc(vocab, words=words)
    doc.set_ents([Span(doc, *span) for span in spans])
    if resource is not None:
        stamp(doc, resource)
    return doc


def chunked(vocab: Vocab, sentence: str, key: str = "chunks") -> Doc:
    """A doc with chunks, see `parse`."""
    words, spans = parse(sentence)
    doc = Doc(vocab, words=words)
    doc.spans[key] = [Span(doc, *span) for span in spans]
    return doc


def bare(doc: Doc) -> Doc:
    """The words of a doc without annotation and stamp."""
    return Doc(doc.vocab, words=[token.text for token in doc])


def with_line_breaks(doc: Doc, random: Random) -> tuple[Doc, list[int]]:
    """Put tokens of white space between the words of a doc, without changing its annotation.

    RETURNS (Tuple[Doc, List[int]]): The doc, and where its words are now.
    """
    words, places = [], []
    for token in doc:
        words += ["\n"] * random.choice([0, 0, 1, 2])
        places.append(len(words))
        words.append(token.text)
    words += ["\n"] * random.choice([0, 1])
    other = Doc(doc.vocab, words=words)
    moved = partial(_move, other, places)
    other.set_ents([moved(ent) for ent in doc.ents], default="outside" if doc.has_annotation("ENT_IOB") else "missing")
    for key, group in doc.spans.items():
        other.spans[key] = [moved(span) for span in group]
    for token, place in zip(doc, places, strict=True):
        other[place].tag_, other[place].pos_ = token.tag_, token.pos_
    if doc.has_annotation("SENT_START"):
        starts = {places[token.i] for token in doc if token.is_sent_start}
        for token in other:
            token.is_sent_start = token.i in starts
    other.user_data |= doc.user_data
    return other, places


def _move(doc: Doc, places: list[int], span: Span) -> Span:
    return Span(doc, places[span.start], places[span.end - 1] + 1, label=span.label_)


def as_examples(docs: list[Doc]) -> list[Example]:
    """Examples of annotated docs."""
    return [Example(bare(doc), doc) for doc in docs]


def task_examples(vocab: Vocab, tasks: Sequence[str]) -> list[Example]:
    """A dozen stamped sentences with "ents", "tags" and "chunks", or some of these; the target's come first."""
    docs = []
    for resource, sentences in ((TARGET, TARGET_ANNOTATIONS), (SOURCE, SOURCE_ANNOTATIONS)):
        for ents, tags, chunks in sentences:
            doc = annotated(vocab, ents, resource) if "ents" in tasks else Doc(vocab, words=parse(ents)[0])
            if "tags" in tasks:
                for token, tag in zip(doc, tags.split(), strict=True):
                    token.tag_ = tag
            if "chunks" in tasks:
                doc.spans["chunks"] = [Span(doc, *span) for span in parse(chunks)[1]]
            stamp(doc, resource)
            docs.append(doc)
    return as_examples(docs)


def entity_examples(vocab: Vocab) -> list[Example]:
    """A dozen stamped sentences with entities, the target's first."""
    return task_examples(vocab, ["ents"])


def train_briefly(nlp: Language, examples: list[Example], steps: int) -> Language:
    """Initialize a pipeline on examples and train it on all of them at once, some steps."""
    fix_random_seed(0)
    sgd = nlp.initialize(lambda: examples)
    sgd.learn_rate = 0.01
    for _ in range(steps):
        nlp.update(examples, sgd=sgd)
    return nlp


def write_docs(path: Path, docs: list[Doc]) -> Path:
    """Write a .spacy file."""
    DocBin(docs=docs).to_disk(path)
    return path


TRAINING = """
[paths]
source = null
target = null
dev = null

[nlp]
lang = "es"
pipeline = []

[components]

[corpora]

[corpora.train]
@readers = "spacy-datnet.SourceTargetCorpus.v1"
source = ${paths.source}
target = ${paths.target}

[corpora.dev]
@readers = "spacy.Corpus.v1"
path = ${paths.dev}

[training]
seed = 0
max_steps = 60
eval_frequency = 20
dropout = 0.1

[training.batcher]
@batchers = "spacy-datnet.mixed_batches.v1"
size = 8
target_share = 0.5

[training.logger]
@loggers = "spacy-datnet.ConsoleLogger.v1"
progress_bar = false

[training.optimizer]
@optimizers = "Adam.v1"
learn_rate = 0.01
"""


def training_config(components: dict[str, dict], paths: dict[str, Path | None]) -> Config:
    """A training config for a pipeline of components, each with its settings."""
    config = Config().from_str(TRAINING, interpolate=False)
    config["nlp"]["pipeline"] = list(components)
    config["components"] = components
    config["paths"] = {name: path and str(path) for name, path in paths.items()}
    return config


def crf_as_on_a_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the CRF compute in PyTorch, as it does where the tensors are not on the host."""

    class TorchMoves(moves.Moves):
        def __init__(self, weights):
            self.weights, self.both = weights, torch.stack([weights, weights.T])

    monkeypatch.setattr(crf, "on_host", lambda *tensors: [torch, *tensors])
    monkeypatch.setattr(crf, "moves_of", TorchMoves)
