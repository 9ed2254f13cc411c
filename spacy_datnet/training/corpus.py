"""The reader that joins a source and a target corpus."""

from collections.abc import Callable, Iterable, Iterator
from itertools import chain, zip_longest
from pathlib import Path

from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Corpus, Example
from spacy.training.corpus import FILE_TYPE, walk_corpus
from spacy.util import ensure_path, registry

from ..corpora import replacing, sample_sentences, split_sentences
from ..errors import Errors
from ..resources import SOURCE, TARGET, stamp


@registry.readers("spacy-datnet.SourceTargetCorpus.v1")
def configure_SourceTargetCorpus(
    source: Path | None,
    target: Path | None,
    target_count: int | None = None,
    target_ratio: float | None = None,
    seed: int = 0,
    ids: Path | None = None,
    gold_preproc: bool = True,
    max_length: int = 0,
    augmenter: Callable[[Language, Example], Iterator[Example]] | None = None,
) -> "SourceTargetCorpus":
    """Configure a reader of source and target examples, each stamped with its resource.

    source (Optional[Path]): The source corpus, a .spacy file or a directory of them. None for target-only training.
    target (Optional[Path]): The target corpus. None for zero-shot transfer, that is, training on the source only.
    target_count (Optional[int]): Use so many target sentences, chosen at random; 0 is the same as no target. Defaults
        to all.
    target_ratio (Optional[float]): Use this part of the target's sentences instead. Defaults to all.
    seed (int): Seed of the choice. The same seed with a larger count chooses a superset. Defaults to 0.
    ids (Optional[Path]): Write the numbers of the chosen sentences, from 0, to this file, one per line, as
        `python -m spacy_datnet sample --ids` does. Defaults to not writing.
    gold_preproc (bool): Train on gold sentences and tokens, see `spacy.Corpus.v1`; if not, what is chosen and numbered
        is docs instead of sentences. Defaults to True.
    max_length (int): Longest doc without `gold_preproc`, see `spacy.Corpus.v1`. Defaults to 0, no limit.
    augmenter (Optional[Callable]): Makes other examples of each, such as `spacy.lower_case.v1`, see `spacy.Corpus.v1`;
        they are of the same resource. Target examples are chosen before. Defaults to none.
    RETURNS (SourceTargetCorpus): The reader.
    """
    if target_count is not None and target_ratio is not None:
        raise ValueError(Errors.DN107)
    return SourceTargetCorpus(
        source,
        target,
        target_count=target_count,
        target_ratio=target_ratio,
        seed=seed,
        ids=ids,
        gold_preproc=gold_preproc,
        max_length=max_length,
        augmenter=augmenter,
    )


class SourceTargetCorpus:
    """Iterate over the examples of two corpora, see `configure_SourceTargetCorpus`."""

    def __init__(
        self,
        source: Path | None,
        target: Path | None,
        *,
        target_count: int | None,
        target_ratio: float | None,
        seed: int,
        ids: Path | None,
        gold_preproc: bool,
        max_length: int,
        augmenter: Callable[[Language, Example], Iterator[Example]] | None,
    ):
        def checked(path: Path | None) -> Path | None:
            if path is None:
                return None
            path = ensure_path(path)
            if not path.exists():
                raise ValueError(Errors.DN108.format(path=path))
            return path

        self.source = checked(source)
        self.target = checked(target)
        if source is None and (target is None or target_count == 0):
            raise ValueError(Errors.DN110)
        self.target_count = target_count
        self.target_ratio = target_ratio
        self.seed = seed
        self.ids = ensure_path(ids)
        self.gold_preproc = gold_preproc
        self.max_length = max_length
        self.augmenter = augmenter

    def __call__(self, nlp: Language) -> Iterator[Example]:
        """Yield the examples: the source's, then those of the target that were chosen.

        Where the training streams (`max_epochs = -1`) they come in turn, because the components are initialised with
        the first hundred.

        nlp (Language): The pipeline that tokenizes.
        YIELDS (Example): The examples, stamped.
        """
        parts = self._stamped(nlp, self._source(nlp), SOURCE), self._stamped(nlp, self._target(nlp), TARGET)
        if nlp.config["training"].get("max_epochs") != -1:
            yield from chain(*parts)
            return
        for pair in zip_longest(*parts):
            yield from (example for example in pair if example is not None)

    def _source(self, nlp: Language) -> Iterator[Example]:
        if self.source is None:
            return
        empty = True
        for example in self._examples(nlp, self.source):
            empty = False
            yield example
        if empty:
            raise ValueError(Errors.DN109.format(path=self.source))

    def _target(self, nlp: Language) -> Iterator[Example]:
        target = [] if self.target is None else list(self._examples(nlp, self.target))
        if not target and self.target is not None:
            raise ValueError(Errors.DN109.format(path=self.target))
        yield from self._choose(target)

    def _stamped(self, nlp: Language, examples: Iterable[Example], resource: str) -> Iterator[Example]:
        for example in examples:
            # stamped last: what an augmenter makes has a reference of its own
            for augmented in [example] if self.augmenter is None else self.augmenter(nlp, example):
                stamp(augmented.reference, resource)
                yield augmented

    def _examples(self, nlp: Language, path: Path) -> Iterator[Example]:
        corpus = Corpus(path, max_length=self.max_length)
        if not self.gold_preproc:
            yield from corpus(nlp)
            return
        # the same as with `gold_preproc` of spaCy's reader, which copies the whole doc once per sentence
        for doc in corpus.read_docbin(nlp.vocab, walk_corpus(path, FILE_TYPE)):
            for sentence in split_sentences(doc) if doc.has_annotation("SENT_START") else [doc]:
                if len(sentence) == len(doc):  # of several, none is known to have the doc's categories
                    sentence.cats = dict(doc.cats)
                words, spaces = [token.text for token in sentence], [bool(token.whitespace_) for token in sentence]
                yield Example(Doc(nlp.vocab, words=words, spaces=spaces), sentence)

    def _choose(self, examples: list[Example]) -> list[Example]:
        count = self.target_count
        if self.target is None:
            count = 0
        elif count is None and self.target_ratio is None:
            count = len(examples)
        chosen = []
        if count != 0:
            chosen = sample_sentences(len(examples), count=count, ratio=self.target_ratio, seed=self.seed)
        if self.ids is not None:
            with replacing(self.ids) as file:
                file.writelines(b"%d\n" % number for number in chosen)
        return [examples[i] for i in chosen]
