"""The second pass over a corpus: its size, whether everything is in order, and which scheme the tags are in."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from spacy.parts_of_speech import IDS as UPOS

from ..errors import Errors, Warnings
from ..kinds import ATTRIBUTES, POS, group_of
from .counts import CorpusCounts, LayerCounts
from .encodings import AUTO
from .files import Location
from .formats import find_format
from .labels import LabelMap, Relabelling
from .problems import N_PLACES, CorpusError, Occurrences
from .schemes import SchemeEvidence, Verdict, parse_tag
from .sentences import MISSING, Format, Sentence

# spaCy knows parts of speech that Universal Dependencies 2 does not have: CONJ is its CCONJ in version 1
OUTDATED_POS = ("CONJ", "EOL", "SPACE")


@dataclass
class Survey:
    """What is known about a corpus after reading all of it once.

    location (Location): The corpus.
    format (Format): How to read it.
    schemes (dict): The tagging scheme of each kind of annotation that has one.
    prefixes (dict): The prefixes of its tags.
    counts (CorpusCounts): The size of the corpus, without the sentences that have errors.
    label_maps (Mapping): The new names of labels, for each kind of annotation that gets some.
    errors (list): Why the corpus can't be used.
    warnings (list): What was repaired or guessed.
    """

    location: Location
    format: Format
    schemes: dict[str, str]
    prefixes: dict[str, list[str]]
    counts: CorpusCounts
    label_maps: Mapping[str, LabelMap] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def sentences(self) -> Iterator[Sentence]:
        """Read the sentences, with their new labels, or raise the first error.

        RETURNS (Iterator): The sentences.
        """
        if self.errors:
            raise CorpusError(self.errors[0])
        sentences = self.format.read(self.location).strictly()
        return map(Relabelling(self.label_maps).apply, sentences) if self.label_maps else sentences


def survey_corpus(
    location: Location,
    *,
    scheme: str = AUTO,
    label_maps: Mapping[str | None, LabelMap] | None = None,
    keep: int = N_PLACES,
    **options: Any,
) -> Survey:
    """Survey a corpus.

    location (Location): The corpus: plain files, gzip, zip archives, or patterns: see `Files`.
    scheme (str): The tagging scheme of entities and other spans: "iob1", "iob2", "bioes" or "auto".
    label_maps (Optional[Mapping]): New names of labels, for each kind of annotation that gets some. The key None is the
        only kind of annotation.
    keep (int): How many places a message names.
    options: How to read the corpus, if not as detected: see `find_format`.
    RETURNS (Survey): What was found.
    """
    form = find_format(location, **options)
    maps = _maps_by_kind(location, form.kinds, label_maps or {})
    inspection = _Inspection(form, Relabelling(maps), keep)
    reading = form.read(location, keep)
    for sentence in reading:
        inspection.add(sentence)
    errors = [*reading.errors(), *inspection.errors(location)]
    verdicts = {kind: evidence.verdict(str(location), scheme) for kind, evidence in inspection.evidence.items()}
    errors += filter(None, (verdict.error for verdict in verdicts.values()))
    if not errors and not inspection.counts.sentences:
        raise CorpusError(Errors.DN207.format(path=location, reason="there are no tokens"))
    survey = Survey(
        location=location,
        format=form,
        schemes={kind: verdict.scheme for kind, verdict in verdicts.items()},
        prefixes={kind: sorted(evidence.prefixes) for kind, evidence in inspection.evidence.items()},
        counts=inspection.counts,
        label_maps=maps,
        errors=errors,
    )
    survey.warnings.extend(_warnings(survey, verdicts.values()))
    return survey


def _maps_by_kind(
    location: Location, kinds: tuple[str, ...], maps: Mapping[str | None, LabelMap]
) -> dict[str, LabelMap]:
    """Find out which annotation each label map is for."""
    found = {}
    for kind, label_map in maps.items():
        if (kind is None and len(kinds) > 1) or (kind is not None and kind not in kinds):
            raise CorpusError(Errors.DN241.format(path=location, map=label_map.path, kinds=", ".join(kinds)))
        kind = kind or kinds[0]
        if kind in found:
            raise CorpusError(Errors.DN247.format(option="--label-map", kind=kind))
        found[kind] = label_map
    return found


class _Inspection:
    """Look at the tags of each sentence, and keep what is wrong apart from what can be counted."""

    def __init__(self, form: Format, relabelling: Relabelling, keep: int):
        self.form = form
        self.relabelling = relabelling
        self.unsound = {kind: Occurrences(keep) for kind in form.kinds}
        self.unannotated = {kind: Occurrences(keep) for kind in form.kinds if group_of(kind)}
        self.evidence = {kind: SchemeEvidence(keep) for kind in form.kinds if kind not in ATTRIBUTES}
        self.counts = CorpusCounts(layers={kind: LayerCounts() for kind in form.kinds})

    def add(self, sentence: Sentence) -> None:
        unsound = [kind for kind in self.evidence if not self._spans_are_sound(sentence, kind)]
        if unsound:
            return
        for kind, evidence in self.evidence.items():
            evidence.add(sentence, kind)
        if self.relabelling.maps:
            sentence = self.relabelling.apply(sentence)
        if POS not in sentence.layers or self._pos_is_sound(sentence):
            self.counts.add(sentence)

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

    def errors(self, location: Location) -> Iterator[str]:
        for kind, unsound in self.unsound.items():
            where = self.form.where(kind)
            if unsound and kind == POS:
                yield Errors.DN243.format(path=location, count=unsound.count, places=unsound, where=where)
            elif unsound:
                yield Errors.DN212.format(path=location, count=unsound.count, places=unsound, where=where)
        for kind, unannotated in self.unannotated.items():
            if unannotated:
                yield Errors.DN242.format(path=location, count=unannotated.count, places=unannotated, kind=kind)
        yield from self.relabelling.errors(location)


def _warnings(survey: Survey, verdicts: Iterable[Verdict]) -> Iterator[str]:
    if survey.format.encoding.doubt:
        yield survey.format.encoding.doubt
    for verdict in verdicts:
        if verdict.repaired and not verdict.error:
            yield Warnings.DN251.format(
                path=survey.location,
                count=verdict.repaired.count,
                scheme=verdict.scheme.upper(),
                places=verdict.repaired,
            )
    yield from outdated_pos(survey.location, survey.counts)


def outdated_pos(location: Location, counts: CorpusCounts) -> Iterator[str]:
    """Warn of parts of speech that spaCy takes, but that are no longer in Universal Dependencies.

    location (Location): The corpus.
    counts (CorpusCounts): What is in it.
    YIELDS (str): The warning.
    """
    labels = counts.layers[POS].labels if POS in counts.layers else {}
    found = [f"{label} ({labels[label]})" for label in OUTDATED_POS if label in labels]
    if found:
        yield Warnings.DN261.format(path=location, labels=", ".join(found))
