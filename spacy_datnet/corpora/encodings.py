"""Which encoding a text file is in: named by the user, or found in the bytes."""

import codecs
import io
from collections.abc import Iterable
from itertools import islice
from typing import NamedTuple

from charset_normalizer import CharsetMatch, from_bytes

from ..errors import Errors, Warnings
from .problems import CorpusError

AUTO = "auto"

# UTF-32 first: its mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# Several legacy encodings make equally good words of most texts. Of those that come close to the
# best, in lack of mess and in likeness to a language, the first of these is taken.
_WIDESPREAD = ("cp1252", "cp1250", "iso8859_2")
_CLOSE_CHAOS, _CLOSE_COHERENCE = 0.01, 0.02
_SAMPLE_WORDS = 5000
_EXAMPLES = 12


class Encoding(NamedTuple):
    """An encoding and how it is known.

    name (str): The name, as Python knows it.
    detected (bool): Whether it was detected, not named.
    doubt (Optional[str]): A warning if it is no more than a guess.
    """

    name: str
    detected: bool = False
    doubt: str | None = None


def detect_encoding(location: object, files: Iterable[tuple[str, bytes]]) -> Encoding:
    """Find out the encoding of a corpus from all of its bytes.

    location (Location): The corpus, for messages.
    files (Iterable): The name and the content of each file.
    RETURNS (Encoding): The encoding.
    """
    n_utf8 = 0
    strange: list[bytes] = []
    for name, data in files:
        for mark, encoding in _MARKS.items():
            if data.startswith(mark):
                return Encoding(encoding, detected=True)
        if b"\0" in data:
            raise CorpusError(Errors.DN206.format(path=name or location, reason="it holds zero bytes"))
        if data.isascii():
            continue
        for line in io.BytesIO(data):
            if not line.isascii():
                if _is_utf8(line):
                    n_utf8 += 1
                elif len(strange) < _SAMPLE_WORDS:
                    strange.append(line)
    # In a file that mostly is UTF-8, a strange line is damage: reading as UTF-8 will point at it.
    if n_utf8 >= len(strange):
        return Encoding("utf-8", detected=True)
    return _guess(location, strange)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _guess(location: object, lines: list[bytes]) -> Encoding:
    fields = (field for line in lines for field in line.split() if not field.isascii())
    words = list(islice(dict.fromkeys(fields), _SAMPLE_WORDS))
    matches = list(from_bytes(b" ".join(words)))
    if not matches:
        reason = "it is not UTF-8 and like no other encoding either"
        raise CorpusError(Errors.DN206.format(path=location, reason=reason))
    name = _most_plausible(matches)
    examples = ", ".join(word.decode(name, "replace") for word in _telling_words(words))
    doubt = Warnings.DN252.format(path=location, encoding=name, words=examples)
    return Encoding(name, detected=True, doubt=doubt)


def _most_plausible(matches: list[CharsetMatch]) -> str:
    chaos = min(match.chaos for match in matches) + _CLOSE_CHAOS
    tidy = [match for match in matches if match.chaos <= chaos]
    coherence = max(match.coherence for match in tidy) - _CLOSE_COHERENCE
    names = [match.encoding for match in tidy if match.coherence >= coherence]
    return next((name for name in _WIDESPREAD if name in names), names[0])


def _telling_words(words: list[bytes]) -> list[bytes]:
    """Choose words that show each strange byte once."""
    seen: set[int] = set()
    telling = []
    for word in words:
        strange = {byte for byte in word if byte > 127}
        if not strange <= seen:
            seen |= strange
            telling.append(word)
    return telling[:_EXAMPLES]
