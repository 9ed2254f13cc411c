"""What stands in the columns of a file: which one has the tokens, which the tags, and what is odd about them."""

import re
from collections.abc import Iterable, Iterator, Sequence

from ..schemes import parse_tag
from ..sentences import MISSING, OUTSIDE

Rows = list[list[str]]  # the fields of each line of a sentence

# labels of chunks; a column of such tags beside one of entities is another annotation, and not an outer level of it
_PHRASES = frozenset({"NP", "VP", "PP", "ADJP", "ADVP", "SBAR", "PRT", "CONJP", "INTJ", "LST", "UCP", "NC", "VC", "PC"})
# WikiANN writes the language before each token
_PREFIX = re.compile(r"([a-z]{2,3}(?:[-_][a-z]+)*|simple):(?=.)")
_BRACKET = re.compile(r"(?:\(([^\s()*]+))?\*?(\)?)")
_FEW = 0.3  # of the tokens are outside of phrases; most are outside of entities
_NO_TAGS, _TAGS = 0.1, 0.99  # the share of tags in a column that is none of tags, and in one that is


def is_running(sentences: Iterable[Sequence[str]]) -> bool:
    """Tell whether words are the running numbers of tokens, from 1 or 0 in each sentence or going on after the last."""
    has_second, expected = False, 1
    for words in sentences:
        if words[0] in ("0", "1"):
            expected = int(words[0])
        if any(word != str(i) for i, word in enumerate(words, expected)):
            return False
        expected += len(words)
        has_second = has_second or len(words) > 1
    return has_second


def language_prefixes(sentences: Iterable[Sequence[str]]) -> list[str]:
    """List the language codes that stand before the words, if one stands before each of them."""
    found, n_words = set(), 0
    for words in sentences:
        for word in words:
            match = _PREFIX.match(word)
            if match is None:
                return []
            found.add(match[1])
            n_words += 1
    return sorted(found) if n_words > 1 else []


def without_prefix(word: str) -> str:
    """Take the language code off a word."""
    match = _PREFIX.match(word)
    return word[match.end() :] if match else word


def is_bracketed(values: Sequence[str]) -> bool:
    """Tell whether a column holds spans in brackets, as OntoNotes has them: (PERSON* * *)."""
    return all(map(_BRACKET.fullmatch, values)) and any(value != "*" for value in values)


def from_brackets(values: Iterable[str]) -> list[str]:
    """Read spans in brackets as tags of IOB2; a bracket that does not fit stays as it is, and is no tag."""
    tags: list[str] = []
    label = ""
    for value in values:
        match = _BRACKET.fullmatch(value)
        if match is None or bool(match[1] and label) or (match[2] and not (match[1] or label)):
            tags.append(value)
            continue
        tags.append(f"B-{match[1]}" if match[1] else f"I-{label}" if label else OUTSIDE)
        label = "" if match[2] else match[1] or label
    if label:
        tags[-1] = f"({label}*"  # never closed
    return tags


class TagColumn:
    """The tags of entities that a column may hold.

    sentences (list): The rows of some sentences.
    column (int): The index of the column.
    """

    def __init__(self, sentences: list[Rows], column: int):
        self.column = column
        self.values = [row[column] for rows in sentences for row in rows]
        parsed = [parse_tag(value) for value in self.values]
        self.share = sum(tag is not None for tag in parsed) / max(1, len(parsed))
        self.labelled = [tag is not None and bool(tag[1]) for tag in parsed]
        self.labels = {tag[1] for tag in parsed if tag is not None and tag[1]}

    @property
    def is_empty(self) -> bool:
        """Whether it is no column of tags at all."""
        return self.share < _NO_TAGS or all(value == MISSING for value in self.values)

    @property
    def is_entities(self) -> bool:
        """Whether it holds tags, which are not those of chunks."""
        return self.share >= _TAGS and OUTSIDE in self.values and not self.is_phrases

    @property
    def is_phrases(self) -> bool:
        """Whether it holds tags of chunks."""
        return bool(self.labels & _PHRASES) or self.values.count(OUTSIDE) < _FEW * len(self.values)

    def is_within(self, outer: "TagColumn") -> bool:
        """Tell whether these are entities within those of another column."""
        if not outer.labels:
            return False
        if 2 * sum(any(_are_related(label, other) for other in outer.labels) for label in self.labels) >= len(
            self.labels
        ):
            return True
        return all(outer.labelled[i] for i, is_labelled in enumerate(self.labelled) if is_labelled)


def _are_related(label: str, other: str) -> bool:
    label, other = label.casefold(), other.casefold()
    return label.startswith(other) or other.startswith(label)


def find_tags(sentences: list[Rows], token_column: int, width: int) -> tuple[int, list[int]]:
    """Find the column with the tags of entities.

    That is the last; unless it has no such tags and another has, or its entities are within those of the column before.

    sentences (list): The rows of some sentences.
    token_column (int): The index of the column with the tokens.
    width (int): The number of columns.
    RETURNS (tuple): The index of the column, and those of all that hold such tags.
    """
    columns = {i: TagColumn(sentences, i) for i in range(width) if i != token_column}
    chosen = width - 1
    candidates = [i for i, column in columns.items() if column.is_entities]
    labelled = [i for i in candidates if columns[i].labels]
    if chosen in columns and columns[chosen].is_empty and labelled:
        chosen = labelled[-1]
    while chosen - 1 in candidates and chosen in candidates and columns[chosen].is_within(columns[chosen - 1]):
        chosen -= 1
    return chosen, candidates


def take(blocks: Iterable[Rows], n_rows: int) -> Iterator[Rows]:
    """Take the first sentences, of about that many rows."""
    for rows in blocks:
        yield rows
        n_rows -= len(rows)
        if n_rows <= 0:
            return
