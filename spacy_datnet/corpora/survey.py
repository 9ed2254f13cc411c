"""A corpus read through once: its size, whether everything is in order, and which scheme the tags are in."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spacy.parts_of_speech import IDS as UPOS

from ..errors import Errors, Warnings
from ..kinds import ATTRIBUTES, POS, group_of
from .content import Location
from .counts import CorpusCounts, LayerCounts
from .formats import Format, Options, find_format
from .labels import LabelMap, Relabelling
from .problems import N_PLACES, CorpusError, Problems
from .schemes import IO, SchemeEvidence, Verdict, add_prefixes, parse_tag
from .sentences import MISSING, Sentence
from .words import WordCheck

# spaCy knows parts of speech that Universal Dependencies 2 does not have: CONJ is its CCONJ in version 1
OUTDATED_POS = ("CONJ", "EOL", "SPACE")


@dataclass
class Survey:
    """What is known about a corpus after reading all of it once.

    format (Format): How it is read.
    counts (CorpusCounts): The size of the corpus, without the sentences that have errors.
    label_maps (Mapping): The new names of labels, for each kind of annotation that gets some.
    schemes (dict): The tagging scheme of each kind of annotation that has one.
    prefixes (dict): The prefixes of its tags.
    errors (list): Why the corpus can't be used.
    warnings (list): What was repaired or guessed.
    """

    format: Format
    counts: CorpusCounts
    label_maps: Mapping[str, LabelMap]
    schemes: dict[str, str] = field(default_factory=dict)
    prefixes: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def location(self) -> Location:
        """Where the corpus is."""
        return self.format.content.location

    def sentences(self) -> Iterator[Sentence]:
        """Read the sentences, with their new labels, or raise the first error.

        RETURNS (Iterator): The sentences.
        """
        if self.errors:
            raise CorpusError(self.errors[0])
        sentences = self.format.strictly()
        if IO in self.schemes.values():
            sentences = map(_add_prefixes, sentences)
        return map(Relabelling(self.label_maps).apply, sentences) if self.label_maps else sentences


def survey_corpus(
    location: Location,
    *,
    label_maps: Mapping[str | None, LabelMap] | None = None,
    keep: int = N_PLACES,
    visit: Callable[[Sentence], None] | None = None,
    **options: Any,
) -> Survey:
    """Survey a corpus.

    location (Location): The corpus: plain files, gzip, zip archives, patterns, or - for standard input: see `Content`.
    label_maps (Optional[Mapping]): New names of labels, for each kind of annotation that gets some. The key None is the
        only kind of annotation.
    keep (int): How many places a message names.
    visit (Optional[Callable]): What to do with each sentence that is in order, beside counting it.
    options: How to read the corpus, if not as detected: see `Options`.
    RETURNS (Survey): What was found.
    """
    chosen = Options(**{name: value for name, value in options.items() if value is not None})
    form = find_format(location, chosen)
    maps = _maps_by_kind(location, form.kinds, label_maps or {})
    problems, unsound = Problems(location, keep, form.unit), Problems(location, keep, form.unit)
    inspection, words = _Inspection(form, Relabelling(maps), unsound), WordCheck(keep, form.unit)
    for sentence in form.read(problems):
        if chosen.scheme == IO:
            sentence = _add_prefixes(sentence)
        words.add(sentence)
        if inspection.takes(sentence) and visit is not None:
            visit(sentence)
    survey = Survey(form, inspection.counts, maps, warnings=list(form.warnings))
    survey.errors += [*problems.errors, *unsound.errors, *inspection.relabelling.errors(location)]
    for kind, evidence in inspection.evidence.items():
        verdict = evidence.verdict(str(location), chosen.scheme)
        survey.schemes[kind], survey.prefixes[kind] = verdict.scheme, sorted(evidence.prefixes)
        if verdict.error:
            survey.errors.append(verdict.error)
        elif verdict.repaired:
            survey.warnings.append(_repair(location, verdict))
    if not survey.errors and not inspection.counts.sentences:
        raise CorpusError(Errors.DN207.format(path=location, reason="there are no tokens"))
    survey.warnings += [*problems.warnings, *words.warnings(location), *_outdated_pos(location, survey.counts)]
    return survey


def _maps_by_kind(
    location: Location, kinds: tuple[str, ...], maps: Mapping[str | None, LabelMap]
) -> dict[str, LabelMap]:
    """Find out which annotation each label map is for."""
    found: dict[str, LabelMap] = {}
    for kind, label_map in maps.items():
        if (kind is None and len(kinds) != 1) or (kind is not None and kinds and kind not in kinds):
            raise CorpusError(Errors.DN241.format(path=location, map=label_map.path, kinds=", ".join(kinds)))
        kind = kind or kinds[0]
        if kind in found:
            raise CorpusError(Errors.DN247.format(option="--label-map", kind=kind))
        found[kind] = label_map
    return found


def _add_prefixes(sentence: Sentence) -> Sentence:
    layers = {kind: tags if kind in ATTRIBUTES else add_prefixes(tags) for kind, tags in sentence.layers.items()}
    return sentence._replace(layers=layers)


class _Inspection:
    """Look at the tags of each sentence, and keep what is wrong apart from what can be counted."""

    def __init__(self, form: Format, relabelling: Relabelling, problems: Problems):
        self.relabelling = relabelling
        self.counts = CorpusCounts(layers={kind: LayerCounts() for kind in form.kinds})
        self.evidence: dict[str, SchemeEvidence] = {}
        self.checked = form.kinds if form.is_text else ()
        self.unsound = {
            kind: problems.error(Errors.DN243, where=form.where(kind))
            if kind == POS
            else problems.error(Errors.DN212, where=form.where(kind))
            for kind in self.checked
        }
        self.unannotated = {kind: problems.error(Errors.DN242, kind=kind) for kind in self.checked if group_of(kind)}
        if form.is_text:
            self.evidence = {kind: SchemeEvidence(problems.keep) for kind in form.kinds if kind not in ATTRIBUTES}

    def takes(self, sentence: Sentence) -> bool:
        """Take account of a sentence, and tell whether it is in order."""
        unsound = [kind for kind in self.evidence if not self._spans_are_sound(sentence, kind)]
        if unsound:
            return False
        for kind, evidence in self.evidence.items():
            evidence.add(sentence, kind)
        if self.relabelling.maps:
            sentence = self.relabelling.apply(sentence)
        if POS in self.checked and not self._pos_is_sound(sentence):
            return False
        self.counts.add(sentence)
        return True

    def _spans_are_sound(self, sentence: Sentence, kind: str) -> bool:
        tags = sentence.layers[kind]
        if None not in map(parse_tag, tags) and not (kind in self.unannotated and MISSING in tags):
            return True
        for i, tag in enumerate(tags):
            if parse_tag(tag) is None:
                sentence.note(self.unsound[kind], i, f"{sentence.words[i]} {tag}")
            elif tag == MISSING and kind in self.unannotated:
                sentence.note(self.unannotated[kind], i, f"{sentence.words[i]} {tag}")
        return False

    def _pos_is_sound(self, sentence: Sentence) -> bool:
        tags = sentence.layers[POS]
        if UPOS.keys() >= set(tags):
            return True
        for i, tag in enumerate(tags):
            if tag not in UPOS:
                sentence.note(self.unsound[POS], i, f"{sentence.words[i]} {tag}")
        return False


def _repair(location: Location, verdict: Verdict) -> str:
    repaired = verdict.repaired
    return Warnings.DN251.format(path=location, count=repaired.count, scheme=verdict.scheme.upper(), places=repaired)


def _outdated_pos(location: Location, counts: CorpusCounts) -> Iterator[str]:
    """Warn of parts of speech that spaCy takes, but that are no longer in Universal Dependencies."""
    labels = counts.layers[POS].labels if POS in counts.layers else {}
    found = [f"{label} ({labels[label]})" for label in OUTDATED_POS if label in labels]
    if found:
        yield Warnings.DN261.format(path=location, labels=", ".join(found))
