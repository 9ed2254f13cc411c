"""Static word vectors of many languages in one space, out of a multilingual checkpoint and raw text.

A word's vector is the mean of its vectors in some contexts, mixed with that of the word alone in a sentence; the more
contexts, the less of the word alone. As words in context and words alone lie in two clouds, the one is brought to the
mean and spread of the other before. One principal component analysis over all words makes them shorter.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load_file, save
from tqdm import tqdm

from ..corpora import replacing
from ..errors import Errors
from .checkpoint import Checkpoint
from .store import Sentence
from .word_vectors import LENGTH

# the word alone counts as much as so many contexts
ALONE = 2.0
# sentences are read in parts of so many, and what is known is saved after each
PART = 2048


@dataclass(frozen=True)
class Text:
    """What is read of corpora.

    words (List[str]): The distinct words, the most frequent ones first.
    sentences (List[Tuple[str, ...]]): Sentences with enough contexts for each of the words.
    """

    words: list[str]
    sentences: list[Sentence]

    @classmethod
    def of(cls, sentences: Iterable[Sentence], contexts: int) -> "Text":
        """Choose sentences until each word has so many contexts, or as many as there are. Raises DN077 without any."""
        seen: Counter[str] = Counter()
        chosen = []
        for sentence in sentences:
            # a word alone has no context
            if len(sentence) > 1 and any(seen[word] < contexts for word in sentence):
                chosen.append(sentence)
            seen.update(sentence)
        if not seen:
            raise ValueError(Errors.DN077)
        return cls([word for word, _ in seen.most_common()], chosen)


@dataclass(frozen=True)
class Hidden:
    """Hidden states of words.

    alone (ndarray): (words, hidden), of each word alone.
    sums (ndarray): (words, hidden), summed over its contexts.
    counts (ndarray): (words,), the number of its contexts.
    done (ndarray): (), the number of sentences that were read.
    """

    alone: np.ndarray
    sums: np.ndarray
    counts: np.ndarray
    done: np.ndarray


def collect(checkpoint: Checkpoint, text: Text, layers: Sequence[int], contexts: int, state: Path) -> Hidden:
    """Read words alone and in their contexts.

    checkpoint (Checkpoint): The transformer.
    text (Text): The words and sentences.
    layers (Sequence[int]): The layers whose mean is taken. Raises DN030 if there is no such layer.
    contexts (int): How many contexts of a word are used at most.
    state (Path): A file that holds what is known so far. Where it is there already and is of the same text and
        settings, the work goes on from there.
    RETURNS (Hidden): The hidden states.
    """
    for layer in layers:
        if layer == 0 or abs(layer) > checkpoint.depth:
            raise ValueError(Errors.DN030.format(layer=layer, name="checkpoint", depth=checkpoint.depth))
    sentences = [*((word,) for word in text.words), *text.sentences]
    origin = blake2b(repr((checkpoint.fingerprint, list(layers), contexts, sentences)).encode("utf8", "replace"))
    size = (len(text.words), checkpoint.width)
    hidden = _load_state(state, origin.hexdigest()) or Hidden(
        np.zeros(size, np.float32), np.zeros(size, np.float32), np.zeros(len(text.words), np.int32), np.zeros((), int)
    )
    row = {word: i for i, word in enumerate(text.words)}
    n_words, first = sum(map(len, sentences)), int(hidden.done)
    with tqdm(total=n_words, initial=sum(map(len, sentences[:first])), disable=None, unit="word") as progress:
        for start in range(first, len(sentences), PART):
            part = sentences[start : start + PART]
            found = dict(checkpoint.encode(part, layers))
            for i, sentence in enumerate(part):
                if start + i < len(text.words):
                    hidden.alone[start + i] = found[i][0]
                    continue
                for word, vector in zip(sentence, found[i], strict=True):
                    if hidden.counts[row[word]] < contexts:
                        hidden.sums[row[word]] += vector
                        hidden.counts[row[word]] += 1
            progress.update(sum(map(len, part)))
            hidden.done[...] = start + len(part)
            with replacing(state) as file:
                file.write(save(asdict(hidden), {"origin": origin.hexdigest()}))
    return hidden


def _load_state(path: Path, origin: str) -> Hidden | None:
    """Load what was saved of the same text and settings, if anything."""
    try:
        with safe_open(path, "numpy") as file:
            is_same = (file.metadata() or {}).get("origin") == origin
        return Hidden(**load_file(path)) if is_same else None
    except (OSError, SafetensorError):
        return None


@dataclass(frozen=True)
class Space:
    """A space that words of many languages share: how hidden states become vectors.

    shift, scale (ndarray): (hidden,), what brings words in context to the mean and spread of words alone.
    mean, spread (ndarray): (hidden,), of the words.
    axes (ndarray): (hidden, width), principal axes.
    """

    shift: np.ndarray
    scale: np.ndarray
    mean: np.ndarray
    spread: np.ndarray
    axes: np.ndarray

    @classmethod
    def fit(cls, hidden: Hidden, width: int) -> "Space":
        """Fit a space to words. Raises DN078 if there are fewer words, or numbers in a hidden state, than `width`."""
        if width > (most := min(hidden.alone.shape)) or width < 1:
            raise ValueError(Errors.DN078.format(width=width, most=most))
        has = hidden.counts > 0
        alone, contexts = hidden.alone[has], hidden.sums[has] / hidden.counts[has, None]
        scale, shift = np.ones_like(hidden.alone[0]), np.zeros_like(hidden.alone[0])
        if has.sum() > 1:
            scale = alone.std(0) / np.maximum(contexts.std(0), 1e-6)
            shift = alone.mean(0) - contexts.mean(0) * scale
        mixed = _mix(hidden, shift, scale)
        mean, spread = mixed.mean(0), np.maximum(mixed.std(0), 1e-6)
        standard = ((mixed - mean) / spread).astype(np.float64)
        _, axes = np.linalg.eigh(standard.T @ standard)
        axes = axes[:, ::-1][:, :width]
        axes *= np.sign(axes[np.abs(axes).argmax(0), np.arange(width)])  # the same on every machine
        axes *= LENGTH / np.linalg.norm(standard @ axes, axis=1).mean()
        return cls(shift, scale, mean, spread, axes.astype(np.float32))

    def vectors(self, hidden: Hidden) -> np.ndarray:
        """Compute the vectors of words: (words, width)."""
        return ((_mix(hidden, self.shift, self.scale) - self.mean) / self.spread) @ self.axes

    def save(self, path: Path) -> None:
        """Write the space to a file."""
        path.write_bytes(save({name: np.ascontiguousarray(array) for name, array in asdict(self).items()}))

    @classmethod
    def load(cls, path: Path, hidden: int) -> "Space":
        """Load a space for hidden states of some width. Raises DN079 if it is none."""
        try:
            found = cls(**load_file(path))
        except (OSError, SafetensorError, TypeError) as error:
            raise ValueError(Errors.DN079.format(path=path, reason=error)) from error
        if len(found.axes) != hidden:
            reason = f"it is of hidden states {len(found.axes)} wide, but those of this checkpoint are {hidden}"
            raise ValueError(Errors.DN079.format(path=path, reason=reason))
        return found


def _mix(hidden: Hidden, shift: np.ndarray, scale: np.ndarray) -> np.ndarray:
    counts = hidden.counts[:, None]
    weight = (counts / (counts + ALONE)).astype(np.float32)
    contexts = hidden.sums / np.maximum(counts, 1) * scale + shift
    return weight * contexts + (1.0 - weight) * hidden.alone


def default_layers(depth: int) -> tuple[int, ...]:
    """Take the layers at a quarter, a half and three quarters of a network: 3, 6 and 9 of 12."""
    return tuple(sorted({max(1, round(depth * part)) for part in (0.25, 0.5, 0.75)}))


def split(words: Sequence[str], longest: int = 256) -> Iterator[Sentence]:
    """Cut what is longer than any sentence should be."""
    for start in range(0, len(words), longest):
        yield tuple(words[start : start + longest])
