"""Speed of training and prediction beside peers: flair's SequenceTagger and spaCy's `ner` and `tagger`.

    python benchmarks/peers.py TRAIN.spacy VECTORS

The base model of the package (target only, without adversarial training) is what the peers have: words, characters,
BiLSTM, CRF, of the same sizes in flair's tagger. All read the same sentences with the same word vectors, in the same
batches, in one process on one thread; the tags of spaCy's `tagger` are the BILUO tags. An optimizer step is included.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import flair
import spacy
import torch
from flair.data import Dictionary
from flair.data import Sentence as FlairSentence
from flair.embeddings import CharacterEmbeddings, StackedEmbeddings, WordEmbeddings
from flair.models import SequenceTagger
from spacy.cli.init_config import init_config
from spacy.language import Language
from spacy.tokens import Doc, DocBin
from spacy.training import Example, biluo_tags_to_spans, offsets_to_biluo_tags
from spacy.training.initialize import init_nlp
from spacy.util import load_config

CONFIG = Path(__file__).resolve().parents[1] / "configs" / "base.cfg"
HIDDEN = 100
DROPOUT = 0.5
WARM_UP = 3

# one step of training on a batch, and the labelling of sentences, given by their numbers
Peer = tuple[Callable[[list[int]], None], Callable[[list[int]], None]]


def sentences_of(path: Path) -> list[Doc]:
    """Read the sentences of a corpus as docs of their own."""
    docs = DocBin().from_disk(path).get_docs(spacy.blank("es").vocab)
    return [sentence.as_doc() for doc in docs for sentence in doc.sents if len(sentence) > 1]


def biluo(doc: Doc) -> list[str]:
    """Give the BILUO tags of the entities."""
    return offsets_to_biluo_tags(doc, [(ent.start_char, ent.end_char, ent.label_) for ent in doc.ents])


def spacy_peer(nlp: Language, docs: list[Doc]) -> Peer:
    """Train and run a spaCy pipeline; the examples are made beforehand."""

    def example_of(doc: Doc) -> Example:
        bare = Doc(nlp.vocab, words=[token.text for token in doc])
        reference = bare.copy()
        reference.set_ents([reference.char_span(e.start_char, e.end_char, e.label_) for e in doc.ents])
        for token, tag in zip(reference, biluo(doc), strict=True):
            token.tag_ = tag
        return Example(bare, reference)

    examples = [example_of(doc) for doc in docs]
    nlp.initialize(lambda: examples)
    optimizer = nlp.create_optimizer()

    def train(batch: list[int]) -> None:
        nlp.update([examples[i] for i in batch], drop=DROPOUT, sgd=optimizer)

    def predict(batch: list[int]) -> None:
        for _ in nlp.pipe(Doc(nlp.vocab, words=[token.text for token in docs[i]]) for i in batch):
            pass

    return train, predict


def own_peer(docs: list[Doc], train_path: Path, vectors: Path) -> Peer:
    """Set up the base model of the package."""
    paths = {
        "nlp.lang": "es",
        "paths.train": str(train_path),
        "paths.dev": str(train_path),
        "paths.vectors": str(vectors),
    }
    return spacy_peer(init_nlp(load_config(CONFIG, overrides=paths)), docs)


def built_in_peer(component: str, docs: list[Doc], vectors: Path) -> Peer:
    """Set up a component of spaCy in its recommended CPU config, with the vectors."""
    config = init_config(lang="es", pipeline=[component], optimize="efficiency", gpu=False, silent=True)
    config["components"]["tok2vec"]["model"]["embed"]["include_static_vectors"] = True
    nlp = spacy.util.load_model_from_config(config, auto_fill=True)
    nlp.config["initialize"]["vectors"] = str(vectors)
    return spacy_peer(nlp, docs)


def flair_peer(docs: list[Doc], vectors: Path) -> Peer:
    """Set up flair's tagger: a BiLSTM over characters, the same vectors and sizes, a CRF."""
    flair.device = torch.device("cpu")
    table = spacy.load(vectors).vocab
    words = sorted({token.text for doc in docs for token in doc})
    characters, tags = Dictionary(), Dictionary(add_unk=False)
    for character in sorted({character for word in words for character in word}):
        characters.add_item(character)
    for label in sorted({ent.label_ for doc in docs for ent in doc.ents}):
        tags.add_item(label)
    tags.span_labels = True
    width = table.vectors.shape[1]
    fixed = WordEmbeddings(None, vocab={word: i for i, word in enumerate(words)}, embedding_length=width, name="words")
    for i, word in enumerate(words):
        fixed.embedding.weight.data[i] = torch.from_numpy(table[word].vector)
    tagger = SequenceTagger(
        embeddings=StackedEmbeddings([fixed, CharacterEmbeddings(characters, 30, 25)]),
        tag_dictionary=tags,
        tag_type="ner",
        hidden_size=HIDDEN,
        reproject_embeddings=False,
        dropout=DROPOUT,
        word_dropout=0.0,
        locked_dropout=0.0,
    )

    def sentence_of(doc: Doc, labelled: bool) -> FlairSentence:
        sentence = FlairSentence([token.text for token in doc])
        if labelled:
            for ent in biluo_tags_to_spans(doc, biluo(doc)):
                sentence[ent.start : ent.end].add_label("ner", ent.label_)
        return sentence

    labelled = [sentence_of(doc, labelled=True) for doc in docs]
    optimizer = torch.optim.Adam([p for p in tagger.parameters() if p.requires_grad], lr=0.002)

    def train(batch: list[int]) -> None:
        tagger.train()
        sentences = [labelled[i] for i in batch]
        loss, _ = tagger.forward_loss(sentences)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(tagger.parameters(), 5.0)
        optimizer.step()
        optimizer.zero_grad()
        for sentence in sentences:
            sentence.clear_embeddings()

    def predict(batch: list[int]) -> None:
        tagger.predict([sentence_of(docs[i], labelled=False) for i in batch], mini_batch_size=32)

    return train, predict


def main() -> None:
    torch.set_num_threads(1)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("train", type=Path)
    parser.add_argument("vectors", type=Path)
    parser.add_argument("--steps", type=int, default=10)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--size", type=int, default=64, help="sentences in a batch")
    args = parser.parse_args()
    docs = sentences_of(args.train)[: args.size * (args.steps + WARM_UP)]
    batches = [list(range(i, i + args.size)) for i in range(0, len(docs), args.size)]
    peers = {
        "spacy-datnet base": own_peer(docs, args.train, args.vectors),
        f"flair {version('flair')} SequenceTagger": flair_peer(docs, args.vectors),
        f"spaCy {version('spacy')} ner": built_in_peer("ner", docs, args.vectors),
        f"spaCy {version('spacy')} tagger": built_in_peer("tagger", docs, args.vectors),
    }
    training = {name: [] for name in peers}
    for i, batch in enumerate(batches):
        for name, (train, _) in peers.items():
            start = time.perf_counter()
            train(batch)
            if i >= WARM_UP:
                training[name].append(sum(len(docs[j]) for j in batch) / (time.perf_counter() - start))
    prediction = {name: [] for name in peers}
    everything = list(range(len(docs)))
    words = sum(map(len, docs))
    for i in range(args.runs + 1):
        for name, (_, predict) in peers.items():
            start = time.perf_counter()
            predict(everything)
            if i:  # the first run is a warm-up
                prediction[name].append(words / (time.perf_counter() - start))
    print(f"torch {torch.__version__}, one thread, {words} words; medians of {args.steps} steps and {args.runs} runs")
    print("| | training, tokens/s | prediction, words/s |\n|---|---|---|")
    for name in peers:
        print(f"| {name} | {statistics.median(training[name]):,.0f} | {statistics.median(prediction[name]):,.0f} |")


if __name__ == "__main__":
    main()
