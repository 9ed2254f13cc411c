"""spacy-datnet vectors: static word vectors of many languages in one space, out of a checkpoint or of two tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

import typer

from ._app import app, fail, failing_politely, say

RAW = (".txt", ".jsonl")
SPACE = "space.safetensors"


@app.command()
def vectors(
    checkpoint: Annotated[
        str, typer.Argument(metavar="CHECKPOINT", help="Folder or name of a transformer. With --align, of a table.")
    ],
    corpora: Annotated[
        list[str],
        typer.Argument(
            metavar="CORPUS...",
            help="Raw text (.txt, or .jsonl with a text in each line), or corpora as `convert` reads them. "
            "With --align, the table that shall be turned.",
        ),
    ],
    output: Annotated[Path, typer.Argument(metavar="OUT", help="The folder to write, for `vectors` in a config.")],
    width: Annotated[int, typer.Option(help="The width of a vector.")] = 200,
    contexts: Annotated[int, typer.Option(min=0, help="How many occurrences of a word are read at most.")] = 20,
    layer: Annotated[
        list[int] | None,
        typer.Option(help="A layer to read, more than once for the mean of several. Defaults to 3, 6 and 9 of 12."),
    ] = None,
    lang: Annotated[str, typer.Option(help="Language code of the tokenizer for raw text.")] = "xx",
    space: Annotated[
        Path | None, typer.Option(help="OUT of an earlier run of this checkpoint, whose space the words shall share.")
    ] = None,
    align: Annotated[
        bool,
        typer.Option(
            "--align",
            help="Turn the second of two tables into the space of the first, by the words that both have. Tables are "
            "pipelines with vectors, such as the output of `spacy init vectors`.",
        ),
    ] = False,
    dictionary: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            dir_okay=False,
            help="With --align, a file with a word of the first table and one of the second in each line.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", "-f", help="Replace OUT if it exists.")] = False,
) -> None:
    """Make word vectors of all languages of some corpora, in one space, ready for WordVectors.

    The vector of a word is averaged over its occurrences in the text and mixed with that of the word
    alone. Annotation is not read. An interrupted run goes on where it was if it is started again. Words
    that are in no text get vectors from character n-grams, which are part of the table.
    """
    if output.exists() and not (force and (output / "vocab" / "vectors").exists()):
        fail(f"{output} exists. Name another folder" + (", or replace it with --force." if not force else "."))
        raise typer.Exit(1)
    import numpy as np
    import spacy
    from spacy.vectors import Vectors

    from ..corpora import make_vocab, replacing_folder
    from ..errors import Errors
    from ..features.alignment import turn
    from ..features.checkpoint_shim import load_checkpoint
    from ..features.ngrams import add_ngrams
    from ..features.static_vectors import Space, Text, collect, default_layers

    def write(words: Sequence[str], table: np.ndarray, known: Space | None, said: str) -> None:
        nlp = spacy.blank(lang)
        keys, rows = add_ngrams(words, table)
        nlp.vocab.vectors = Vectors(data=rows, keys=[nlp.vocab.strings.add(key) for key in keys])
        with replacing_folder(output) as folder:
            nlp.to_disk(folder)
            if known is not None:
                known.save(folder / SPACE)
        length = np.linalg.norm(table, axis=1).mean()
        size = f"{len(words):,} words and {len(keys) - len(words):,} n-grams for all others, {table.shape[1]} wide"
        say(f"Wrote {output}: {size}, mean length {length:.2f}, {said}")

    with failing_politely():
        make_vocab(lang)  # complains of a language that spaCy does not know
        if align:
            if len(corpora) != 1:
                raise ValueError(Errors.DN117.format(found=1 + len(corpora)))
            words, table, pairs = turn(checkpoint, corpora[0], dictionary)
            write(words, table, None, f"in the space of {checkpoint} by {pairs:,} pairs of words")
            return
        network = load_checkpoint(checkpoint)
        known = None if space is None else Space.load(space / SPACE, network.width)
        text = Text.of((sentence for path in corpora for sentence in sentences_of(path, lang)), contexts)
        say(f"{len(text.words):,} words, {len(text.sentences):,} sentences to read them in")
        state = output.with_name(f"{output.name}.unfinished.safetensors")
        hidden = collect(network, text, tuple(layer or default_layers(network.depth)), contexts, state)
        known = known or Space.fit(hidden, width)
        share = (hidden.counts > 0).mean()
        write(text.words, known.vectors(hidden), known, f"{share:.0%} of the words with a context")
        state.unlink(missing_ok=True)


def sentences_of(path: str, lang: str) -> Iterator[tuple[str, ...]]:
    """Read the sentences of a corpus or of raw text, as words."""
    import spacy
    from spacy.vocab import Vocab

    from ..corpora import read_docs, read_raw, sentence_spans
    from ..features.static_vectors import split

    if path.endswith(RAW):
        nlp = spacy.blank(lang)
        nlp.add_pipe("sentencizer")
        nlp.max_length = 1 << 40  # nothing but the tokenizer reads it
        docs = nlp.pipe(raw.text for raw in read_raw([path]))
        yield from (part for doc in docs for span in doc.sents for part in split(words_of(span)))
    else:
        for doc in read_docs(path, Vocab()):
            for span in sentence_spans(doc):
                yield from split(words_of(span))


def words_of(tokens) -> list[str]:
    """List the words among tokens."""
    return [token.text for token in tokens if not token.text.isspace()]
