"""The reader of sentences that teachers labelled, beside those that are annotated."""

import random
from collections.abc import Callable, Iterable, Iterator
from itertools import cycle, islice, zip_longest
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import ensure_path, registry

from ..corpora import read_docbin
from ..errors import Errors
from ..pipeline.posteriors import harden
from ..resources import RESOURCES, SOURCE, TARGET, resource_of
from .corpus import configure_SourceTargetCorpus


@registry.readers("spacy-datnet.DistilledCorpus.v1")
def configure_DistilledCorpus(
    labelled: Path,
    gold: Path | None = None,
    source: Path | None = None,
    soft: bool = True,
    gold_share: float = 0.1,
    sentences: int = 20_000,
) -> Callable[[Language], Iterator[Example]]:
    """Configure a reader of sentences that teachers labelled, see `spacy-datnet distil`, and of annotated ones.

    With `max_epochs = -1`, a pass reads so many of the labelled sentences and the next pass others, so that memory
    stays bounded; else all are read at once. The annotated ones are in every pass.

    labelled (Path): The folder of .spacy files that `distil` writes.
    gold (Optional[Path]): Annotated sentences of the target. Defaults to none.
    source (Optional[Path]): Annotated sentences of the source. Defaults to none.
    soft (bool): Whether to learn from the teachers' probabilities and not from the labels alone. Defaults to True.
    gold_share (float): Gold sentences are repeated until they are this part of the target's. Defaults to 0.1.
    sentences (int): Labelled sentences of a pass. Defaults to 20,000.
    RETURNS (Callable): The reader.
    """
    if not 0.0 <= gold_share < 1.0:
        raise ValueError(Errors.DN330.format(share=gold_share))
    if not any(ensure_path(labelled).glob("*.spacy")):
        raise ValueError(Errors.DN331.format(path=labelled))
    annotated = configure_SourceTargetCorpus(source, gold) if gold or source else None
    files = sorted(ensure_path(labelled).glob("*.spacy"))
    return DistilledCorpus(files, annotated, soft=soft, gold_share=gold_share, sentences=sentences)


class DistilledCorpus:
    """Iterate over what teachers labelled and what is annotated, see `configure_DistilledCorpus`."""

    def __init__(
        self,
        files: list[Path],
        annotated: Callable[[Language], Iterable[Example]] | None,
        *,
        soft: bool,
        gold_share: float,
        sentences: int,
    ):
        self.files = files
        self.annotated = annotated
        self.soft = soft
        self.gold_share = gold_share
        self.sentences = sentences
        self._left: list[Path] = []
        self._annotated: dict[str, list[Example]] | None = None
        self._whole: list[Example] | None = None

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield the examples of a pass: of the source, gold and labelled ones in turn.

        nlp (Language): The pipeline that is trained.
        YIELDS (Example): The examples, those of the source stamped.
        """
        if self._annotated is None:
            self._annotated = {resource: [] for resource in RESOURCES}
            for example in self.annotated(nlp) if self.annotated else ():
                self._annotated[resource_of(example)].append(example)
        labelled = self._labelled(nlp)
        gold = self._annotated[TARGET]
        repeated = round(len(labelled) * self.gold_share / (1 - self.gold_share))
        parts = self._annotated[SOURCE], islice(cycle(gold), max(len(gold), repeated)), labelled
        for examples in zip_longest(*parts):
            yield from (example for example in examples if example is not None)

    def _labelled(self, nlp: Language) -> list[Example]:
        if self._whole is not None:
            return self._whole
        streams = nlp.config["training"].get("max_epochs") == -1
        part: list[Example] = []
        used = 0
        while used < len(self.files) and not (streams and len(part) >= self.sentences):
            self._left = self._left or random.sample(self.files, len(self.files))
            part += self._read(nlp, self._left.pop())
            used += 1
        if used == len(self.files):
            self._whole = part
        return part

    def _read(self, nlp: Language, path: Path) -> Iterator[Example]:
        for doc in read_docbin(path, nlp.vocab):
            if not self.soft:
                harden(doc)
            words, spaces = [token.text for token in doc], [bool(token.whitespace_) for token in doc]
            yield Example(Doc(nlp.vocab, words=words, spaces=spaces), doc)
