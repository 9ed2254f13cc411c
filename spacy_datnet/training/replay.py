"""Going through the steps of a training again without computing them: batches, evaluations and the log."""

import contextlib
import random
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any

import numpy as np
import torch
from spacy.language import Language
from spacy.training import Example


def _numpy_state() -> tuple:
    state: Any = np.random.get_state()
    _, keys, position, has_gauss, cached = state
    return keys.tobytes(), position, has_gauss, cached


def _set_numpy(state: Iterable[Any]) -> None:
    keys, *rest = state
    np.random.set_state(("MT19937", np.frombuffer(keys, dtype=np.uint32), *rest))


def _set_python(state: Iterable[Any]) -> None:
    version, internal, gauss = state
    random.setstate((version, tuple(internal), gauss))


def _set_torch(state: bytes) -> None:
    torch.set_rng_state(torch.frombuffer(bytearray(state), dtype=torch.uint8))


# what reads and what sets the state of each generator that a reader or a batcher may draw from
GENERATORS: dict[str, tuple[Callable[[], Any], Callable[[Any], None]]] = {
    "python": (random.getstate, _set_python),
    "numpy": (_numpy_state, _set_numpy),
    "torch": (lambda: torch.get_rng_state().numpy().tobytes(), _set_torch),
}


def random_states() -> dict[str, Any]:
    """Read the state of each generator."""
    return {name: read() for name, (read, _) in GENERATORS.items()}


def set_random_states(states: dict[str, Any]) -> None:
    """Set the state of each generator that is given."""
    for name, state in states.items():
        GENERATORS[name][1](state)


class Trail:
    """Call functions that draw random numbers so that the same calls can be repeated without what is between them.

    The batches of a training and its updates draw from the same generators. To get the same batches again without the
    updates, it is enough to know the state before those calls that draw from a generator which something else has
    drawn from since the last one that did.

    recorded (Iterable): States of an earlier process: number of the call, generator, state. Without any, calls are
        recorded; otherwise they are repeated until `go_on`.
    """

    def __init__(self, recorded: Iterable[tuple[int, str, Any]] | None = None):
        self.recorded = {(call, name): state for call, name, state in recorded or ()}
        self._repeats = recorded is not None
        self._calls = 0
        # the states that a repetition would have now
        self._known: dict[str, Any] = {}

    def __call__(self, function: Callable, *args: Any) -> Any:
        """Call a function."""
        call = self._calls
        self._calls += 1
        if self._repeats:
            set_random_states({name: state for (i, name), state in self._of(call)})
            return function(*args)
        before = random_states()
        try:
            return function(*args)
        finally:
            for name, state in random_states().items():
                if state != before[name]:
                    if self._known.get(name) != before[name]:
                        self.recorded[call, name] = before[name]
                    self._known[name] = state

    def iterate(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Take batches so that the same ones can be taken again."""
        batches = iter(batches)
        with contextlib.suppress(StopIteration):
            while True:
                yield self(next, batches)

    def _of(self, call: int) -> Iterator[tuple[tuple[int, str], Any]]:
        for name in GENERATORS:
            if (call, name) in self.recorded:
                yield (call, name), self.recorded[call, name]

    def go_on(self) -> None:
        """Record from now on."""
        self._repeats = False
        drawn = {name for _, name in self.recorded}
        self._known = {name: state for name, state in random_states().items() if name in drawn}

    def to_list(self) -> list[tuple[int, str, Any]]:
        """Say what was recorded, as another process takes it."""
        return [(call, name, state) for (call, name), state in self.recorded.items()]


class Muted:
    """A stream that can be silent."""

    def __init__(self, stream: IO):
        self.stream = stream
        self.silent = False

    def write(self, text: str) -> int:
        """Write a text, or not."""
        return len(text) if self.silent else self.stream.write(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


class Rehearsal:
    """A pipeline as the loop sees it: nothing is computed before the training goes on.

    nlp (Language): The pipeline.
    evaluations (List[Dict[str, Any]]): What is known of the evaluations; later ones are added.
    repeats (bool): Whether these are to be repeated.
    """

    def __init__(self, nlp: Language, evaluations: list[dict[str, Any]], *, repeats: bool):
        self._nlp = nlp
        self.evaluations = evaluations
        self.repeats = repeats
        self._repeated = iter(list(evaluations))
        self._evaluation: dict[str, Any] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._nlp, name)

    @property
    def pipeline(self) -> list[tuple[str, Any]]:
        """The components that finish an update."""
        return [] if self.repeats else self._nlp.pipeline

    def update(self, examples: Iterable[Example], **settings: Any) -> None:
        """Update the components."""
        if not self.repeats:
            self._nlp.update(examples, **settings)

    def evaluate(self, examples: Iterable[Example]) -> dict[str, Any]:
        """Find the scores, or say what they were."""
        if self.repeats:
            self._evaluation = next(self._repeated)
            return dict(self._evaluation["scores"])
        scores = self._nlp.evaluate(examples)
        self._evaluation = {"scores": dict(scores)}
        return scores

    def complete(self, info: dict[str, Any]) -> None:
        """Keep what the loop says of a step with an evaluation, or say what it said."""
        if self.repeats:
            info["seconds"] = self._evaluation["seconds"]
            info["losses"].update(self._evaluation["losses"])
        else:
            self.evaluations.append({**self._evaluation, "seconds": info["seconds"], "losses": dict(info["losses"])})
