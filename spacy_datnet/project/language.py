"""Which language a corpus is in: what the names of its files say, and what its commonest words say."""

import importlib
import math
import pkgutil
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import PurePath

import spacy.lang

from ..errors import Errors

ANY = "xx"
# below, hardly any word is a stop word: spaCy has too few of the language, or there is too little text
FEWEST = 0.05
# how far the first must be ahead of the second: Galician is as near to Portuguese as to Spanish
AHEAD = 1.2
# a name is believed if its language is not far behind the first: Danish and Norwegian, Indonesian and Malay
NEAR = 0.6


@dataclass(frozen=True)
class Language:
    """The language of a corpus.

    code (str): Its code, as spaCy has it.
    reason (str): How it is known.
    """

    code: str
    reason: str


@cache
def stop_words() -> dict[str, frozenset[str]]:
    """Collect the stop words of each language that spaCy has, without those that are no words."""
    found = {}
    for module in pkgutil.iter_modules(spacy.lang.__path__):
        if module.ispkg and module.name != ANY:
            try:
                words = importlib.import_module(f"spacy.lang.{module.name}.stop_words").STOP_WORDS
            except ImportError:
                words = ()
            found[module.name] = frozenset(word.lower() for word in words if word.isalpha())
    return found


def find_language(named: str | None, locations: Iterable[object], words: Mapping[str, int]) -> Language:
    """Find out the language of a corpus.

    named (Optional[str]): Its code, if the user says it. Raises DN421 if spaCy doesn't have it.
    locations (Iterable): Where the corpus is.
    words (Mapping[str, int]): Its words, and how often each occurs.
    RETURNS (Language): The language. Raises DN420 if it can't be told.
    """
    known = stop_words()
    if named is not None:
        if named not in known and named != ANY:
            raise ValueError(Errors.DN421.format(lang=named, known=", ".join([*sorted(known), ANY])))
        return Language(named, "as named")
    votes = votes_of(words)
    (first, most), (second, less) = votes.most_common(2)
    is_clear = most >= FEWEST and most >= AHEAD * less
    in_names = sorted({code for location in locations for code in _codes(location) if code in known})
    for code in in_names:
        if not is_clear or votes[code] >= NEAR * most:
            said = "and its words agree" if code == first and is_clear else "which its words can't decide"
            if len(in_names) == 1 or code == first:
                return Language(code, f"the name of the file says so, {said}")
    if is_clear:
        contrary = f", though the name of the file has {' and '.join(in_names)}" if in_names else ""
        return Language(first, f"a guess from its commonest words, by spaCy's stop words{contrary}")
    likely = f"{first} or {second}" if most >= FEWEST else "none that spaCy has stop words of"
    raise ValueError(Errors.DN420.format(path=", ".join(map(str, locations)), likely=likely))


def votes_of(words: Mapping[str, int]) -> Counter[str]:
    """Sum up for each language which part of the words are stop words of it; those of many languages count less."""
    owners = Counter(word for stops in stop_words().values() for word in stops)
    counts: Counter[str] = Counter()
    for word, n in words.items():
        counts[word.lower()] += n
    total = sum(n for word, n in counts.items() if any(map(str.isalpha, word))) or 1
    return Counter(
        {
            code: sum(counts[word] / (1 + math.log(owners[word])) for word in stops & counts.keys()) / total
            for code, stops in stop_words().items()
        }
    )


def _codes(location: object) -> set[str]:
    """Find what may be language codes in the name of a file and of its folder, as in da_ddt/train.conllu."""
    path = PurePath(str(location))
    return {part for name in (path.name, path.parent.name) for part in re.split("[^a-z]+", name.lower())}
