"""A look into the files that a project is to be made of: what is in them, and what should worry their owner."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from ..corpora import DEV, TEST, TRAIN, CorpusError, Examination, compare, examine
from ..errors import Warnings
from ..kinds import ENTS, POS, TAG
from ..resources import SOURCE, TARGET
from .recipe import Task

CHUNKS = "spans:chunks"
AUTO = "auto"
# the kinds of annotation that a task learns, the likelier first
KINDS: dict[Task, tuple[str, ...]] = {"ner": (ENTS,), "tagger": (POS, TAG), "chunker": (CHUNKS,)}
MAX_LENGTH = 200
# ends of sentences, as spaCy's sentencizer takes them, in the scripts that are common
ENDS = frozenset(".!?。！？।؟")
# the part of the texts that may hold several sentences before it is said
SEVERAL = 0.3
# how often a label of the source should be found in the target by chance before its absence means something
EXPECTED = 5
# fewer say little about which step or variant is better
FEW = 50


@dataclass
class Part:
    """The files of one role.

    role (str): "target", "dev", "test" or "source".
    kind (str): The kind of annotation to learn from.
    found (list): What was found in each file.
    """

    role: str
    kind: str
    found: list[Examination]

    @property
    def locations(self) -> list[str]:
        """The files."""
        return [str(one.location) for one in self.found]

    @property
    def sentences(self) -> int:
        """The number of sentences."""
        return sum(one.counts.sentences for one in self.found)

    @property
    def tokens(self) -> int:
        """The number of tokens."""
        return sum(one.counts.tokens for one in self.found)

    @cached_property
    def labels(self) -> Counter[str]:
        """How often each label occurs."""
        layers = (one.counts.layers.get(self.kind) for one in self.found)
        return sum((layer.labels for layer in layers if layer), Counter())

    @cached_property
    def texts(self) -> Counter[str]:
        """The sentences, their words joined by spaces, and how often each occurs."""
        return sum((one.texts for one in self.found), Counter())

    @cached_property
    def words(self) -> Counter[str]:
        """The words, and how often each occurs."""
        words: Counter[str] = Counter()
        for text, n in self.texts.items():
            for word in text.split():
                words[word] += n
        return words

    @cached_property
    def several(self) -> float:
        """The part of the sentences that look as if they held several: words come after an end."""
        count = sum(n for text, n in self.texts.items() if _has_inner_end(text.split()))
        return count / max(self.sentences, 1)


@dataclass
class Look:
    """What is in the files.

    task (str): "ner", "tagger" or "chunker".
    parts (dict): The files by their roles.
    worries (list): What should be said of them.
    is_found (bool): Whether the task was found in the files, not named.
    """

    task: Task
    parts: dict[str, Part]
    worries: list[str] = field(default_factory=list)
    is_found: bool = False

    @property
    def target(self) -> Part:
        """What is to be trained on."""
        return self.parts[TARGET]

    @property
    def source(self) -> Part | None:
        """What is to be learnt from as well."""
        return self.parts.get(SOURCE)

    @property
    def same_kind(self) -> bool:
        """Whether the source is annotated with the same kind as the target."""
        return self.source is not None and self.source.kind == self.target.kind

    @property
    def shared_labels(self) -> list[str]:
        """The labels of target and source together."""
        return sorted({*self.target.labels, *(self.source.labels if self.source else ())})

    @property
    def same_labels(self) -> bool:
        """Whether source and target have the same labels, but for some that a few target sentences may lack.

        A label that is common in the source, and never in the target, is not annotated there.
        """
        if self.source is None or not self.same_kind:
            return False
        source, target = self.source.labels, self.target.labels
        scale = target.total() / max(source.total(), 1)
        missed = any(n * scale >= EXPECTED for label, n in source.items() if label not in target)
        return target.keys() <= source.keys() and not missed


def _has_inner_end(words: list[str]) -> bool:
    last = max((i for i, word in enumerate(words) if any(map(str.isalnum, word))), default=0)
    return not ENDS.isdisjoint(words[:last])


def look(files: Mapping[str, Sequence[str]], task: str = AUTO) -> Look:
    """Look into the files.

    files (Mapping): The files by their roles: "target", "dev", "test", "source".
    task (str): "ner", "tagger", "chunker", or "auto" to find it out from the target.
    RETURNS (Look): What is in them. Raises an error if one of them can't be used.
    """
    candidates = [kind for name, kinds in KINDS.items() if task in (AUTO, name) for kind in kinds]
    target = _first(TARGET, files[TARGET], candidates)
    parts = {TARGET: target}
    for role in (DEV, TEST):
        if files.get(role):
            parts[role] = _first(role, files[role], [target.kind])
    if files.get(SOURCE):
        kinds = dict.fromkeys([target.kind, TAG, POS, ENTS])
        parts[SOURCE] = _first(SOURCE, files[SOURCE], list(kinds))
    learnt = next(name for name, kinds in KINDS.items() if target.kind in kinds)
    found = Look(learnt, parts, is_found=task == AUTO)
    found.worries += dict.fromkeys(_worries(found))
    return found


def _first(role: str, locations: Iterable[str], kinds: Sequence[str]) -> Part:
    """Take the first kind of annotation that all files have, without an error."""
    errors: list[str] = []
    for kind in kinds:
        as_role = TRAIN if role == TARGET else role
        found = [examine(one, as_role, max_length=MAX_LENGTH, annotations={kind: None}) for one in locations]
        problems = [message for one in found for message in one.errors]
        if not problems:
            return Part(role, kind, found)
        errors = errors or problems
    raise CorpusError("\n".join(errors))


def _worries(found: Look) -> Iterator[str]:
    examinations = [one for part in found.parts.values() for one in part.found]
    for one in examinations:
        yield from one.warnings
    yield from compare(examinations)
    for role in (DEV, TEST):
        if (part := found.parts.get(role)) is not None and part.sentences < FEW:
            yield Warnings.DN451.format(role=role, count=part.sentences)
    for part in found.parts.values():
        if part.several >= SEVERAL:
            yield Warnings.DN450.format(role=part.role, share=part.several)
