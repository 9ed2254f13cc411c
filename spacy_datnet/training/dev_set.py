"""What the dev corpus must have for a training to choose its best step by it."""

import warnings

from confection import ConfigValidationError
from spacy.language import Language

from ..errors import Warnings
from ..pipeline.base import DATNetPipe
from ..resources import TARGET
from .callbacks import corpora_of


def check_dev_set(nlp: Language) -> None:
    """Warn if no score can come of the dev corpus: it is empty, not annotated, or has labels that are never learnt.

    It reads the corpus as far as the first label that each component learns, so hardly ever the whole.

    nlp (Language): The pipeline, initialised. Its config names the dev corpus.
    """
    pipes = {name: pipe for name, pipe in nlp.pipeline if isinstance(pipe, DATNetPipe)}
    try:
        (corpus,) = corpora_of(nlp, "dev_corpus")
        examples = iter(corpus(nlp))
    except (ValueError, ConfigValidationError):  # there is none, so this is no training by a config
        return
    empty, found = True, {name: set[str]() for name in pipes}
    for example in examples:
        empty = False
        for name, pipe in pipes.items():
            found[name].update(pipe.annotations[TARGET].labels_of(example.reference))
        if all(found[name].intersection(pipe.labels) for name, pipe in pipes.items()):
            return
    if empty:
        warnings.warn(Warnings.DN150, stacklevel=2)
        return
    for name, pipe in pipes.items():
        if not found[name]:
            warnings.warn(Warnings.DN153.format(name=name), stacklevel=2)
        elif not found[name].intersection(pipe.labels):
            known, others = ", ".join(pipe.labels), ", ".join(sorted(found[name]))
            warnings.warn(Warnings.DN152.format(name=name, known=known, found=others), stacklevel=2)
