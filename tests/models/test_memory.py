"""Memory that training returns to the system."""

import platform
from pathlib import Path

import numpy as np
import pytest
import spacy
from util import SMALL_MODEL, entity_examples, train_briefly

from spacy_datnet.models import shim


def resident_megabytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 // 2**20


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc keeps holes, and only it can trim them")
def test_the_holes_between_blocks_in_use_are_returned():
    blocks = [np.ones(12_000) for _ in range(4_000)]  # 96 kB each: too small for a mapping of their own
    blocks = blocks[::50]
    before = resident_megabytes()
    shim.trim_heap()
    assert before - resident_megabytes() > 200
    assert all(block.sum() == len(block) for block in blocks)


def test_a_system_without_trimming_is_left_alone(monkeypatch):
    monkeypatch.setattr(shim.ctypes, "CDLL", lambda name: object())
    shim._malloc_trim.cache_clear()
    shim.trim_heap()
    shim._malloc_trim.cache_clear()


def test_training_trims_every_so_many_updates(monkeypatch):
    calls = []
    monkeypatch.setattr(shim, "trim_heap", lambda: calls.append(pipe.model.shims[0].updates))
    monkeypatch.setattr(shim, "TRIM_EVERY", 2)
    nlp = spacy.blank("es")
    pipe = nlp.add_pipe("datnet_ner", config={"model": SMALL_MODEL})
    train_briefly(nlp, entity_examples(nlp.vocab), 5)
    assert calls == [2, 4]
