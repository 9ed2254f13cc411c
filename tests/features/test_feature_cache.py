"""Vectors on disk: what is written is read, by any process; what is damaged or half-written is not."""

import os
import signal
import subprocess
import sys
import time
import warnings

import numpy as np
import pytest

from spacy_datnet.features import feature_cache
from spacy_datnet.features.feature_cache import FeatureCache, open_cache

ORIGIN = {"checkpoint": "abc", "layers": (1, 2), "precision": "float16"}
WIDTH = 5


def sentences_of(count, start=0):
    rng = np.random.default_rng(start)
    made = []
    for i in range(start, start + count):
        words = tuple(f"w{i}_{j}" for j in range(1 + i % 4))
        made.append((words, rng.normal(size=(len(words), WIDTH)).astype(np.float16)))
    return made


def fill(folder, sentences, origin=ORIGIN):
    cache = FeatureCache(folder, origin)
    with cache.writing():
        cache.write(sentences)
    return cache


def assert_holds(cache, sentences):
    for words, vectors in sentences:
        np.testing.assert_array_equal(cache.get(words), vectors)


@pytest.fixture
def filled(tmp_path, monkeypatch):
    monkeypatch.setattr(feature_cache, "SHARD_WORDS", 20)
    fill(tmp_path, sentences_of(30))
    return tmp_path


def shards(folder):
    return sorted(folder.glob("*/shard-*"))


def test_what_is_written_is_read_by_another(filled):
    assert len(shards(filled)) > 2
    cache = FeatureCache(filled, ORIGIN)
    assert_holds(cache, sentences_of(30))
    assert len(cache) == 30
    words, _ = sentences_of(1)[0]
    assert cache.get((*words, "more")) is None and cache.get(("w0", "_0")) is None
    assert cache.get(words).dtype == np.float16


def test_sentences_whose_words_hold_borders_are_told_apart(tmp_path):
    sentences = [("a\0b", "c"), ("a", "b\0c"), ("1:a", "b"), ("1", "a1:b"), ("\ud800", "c")]
    made = [(words, np.full((2, WIDTH), i, np.float16)) for i, words in enumerate(sentences)]
    assert_holds(fill(tmp_path, made), made)


def test_vectors_are_mapped_and_not_read(filled):
    words, _ = sentences_of(30)[3]
    found = FeatureCache(filled, ORIGIN).get(words)
    while not isinstance(found, np.memmap) or (found.base is not None and isinstance(found.base, np.memmap)):
        found = found.base
    assert isinstance(found, np.memmap)


def test_more_is_added_and_seen_after_a_refresh(filled):
    reader = FeatureCache(filled, ORIGIN)
    fill(filled, sentences_of(10, start=100))
    words, vectors = sentences_of(10, start=100)[0]
    assert reader.get(words) is None
    reader.refresh()
    np.testing.assert_array_equal(reader.get(words), vectors)
    assert_holds(reader, sentences_of(30))


@pytest.mark.parametrize(
    "change", [{"checkpoint": "abd"}, {"layers": (1,)}, {"precision": "float32"}, {"version": 2}], ids=str
)
def test_other_origins_are_kept_apart(filled, change):
    other = FeatureCache(filled, {**ORIGIN, **change})
    assert len(other) == 0
    assert len(FeatureCache(filled, ORIGIN)) == 30


def test_a_cache_of_something_else_is_refused(filled):
    (info,) = filled.glob("*/info.json")
    info.write_text(info.read_text().replace("abc", "xyz"))
    with pytest.raises(ValueError, match="DN032"):
        FeatureCache(filled, ORIGIN)


def flip(path):
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:-40])


def empty(path):
    path.write_bytes(b"")


@pytest.mark.parametrize("damage", [flip, cut, empty, os.remove], ids=lambda damage: damage.__name__)
@pytest.mark.parametrize("name", ["vectors.npy", "sentences.npy"])
def test_what_is_damaged_is_not_read_and_replaced(filled, damage, name):
    damage(shards(filled)[0] / name)
    with pytest.warns(UserWarning, match="DN056"):
        cache = FeatureCache(filled, ORIGIN)
        # a sentence is right or not there
        lost = []
        for words, vectors in sentences_of(30):
            found = cache.get(words)
            if found is None:
                lost.append((words, vectors))
            else:
                np.testing.assert_array_equal(found, vectors)
    assert lost and len(lost) < 30
    cache = FeatureCache(filled, ORIGIN) if name == "vectors.npy" and damage is flip else cache
    with pytest.warns(UserWarning, match="DN056"), cache.writing():
        lost = [(words, vectors) for words, vectors in sentences_of(30) if cache.get(words) is None]
        assert lost
        cache.write(lost)
    assert_holds(FeatureCache(filled, ORIGIN), sentences_of(30))


def test_others_may_read_what_they_may_read_of_the_folder(filled):
    (place,) = filled.iterdir()
    for shard in shards(filled):
        assert shard.stat().st_mode == place.stat().st_mode


def test_what_may_not_be_read_is_told_and_not_removed(filled, monkeypatch):
    cache, load, hidden = FeatureCache(filled, ORIGIN), np.load, shards(filled)[0]

    def load_if_allowed(path, **settings):  # the rights of files mean nothing to root
        if path.parent == hidden:
            raise PermissionError(path)
        return load(path, **settings)

    monkeypatch.setattr(np, "load", load_if_allowed)
    with pytest.warns(UserWarning, match=f"DN062.*{hidden.name}"):
        reader = FeatureCache(filled, ORIGIN)
    assert 0 < len(reader) < 30
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with cache.writing():
            pass
    assert hidden in shards(filled)


def test_a_removed_cache_is_made_anew(filled):
    cache = open_cache(str(filled), **ORIGIN)
    assert open_cache(str(filled), **ORIGIN) is cache and len(cache) == 30
    for shard in shards(filled):
        for path in shard.iterdir():
            path.unlink()
        shard.rmdir()
    with cache.writing():
        assert len(cache) == 0
        cache.write(sentences_of(4))
    assert_holds(FeatureCache(filled, ORIGIN), sentences_of(4))


def test_the_same_twice_is_one_shard(filled):
    before = shards(filled)
    fill(filled, sentences_of(30))
    assert shards(filled) == before


WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from spacy_datnet.features.feature_cache import FeatureCache
cache = FeatureCache(Path(sys.argv[1]), {"checkpoint": "abc", "layers": (1, 2), "precision": "float16"})

def slowly():
    for i in range(1000):
        yield (f"s{i}",), np.full((1, 5), i, np.float16)
        if i % 20 == 19:
            print(i, flush=True)
            time.sleep(float(sys.argv[2]))

with cache.writing():
    missing = [i for i in range(1000) if cache.get((f"s{i}",)) is None]
    print("missing", len(missing), flush=True)
    if missing:
        cache.write(slowly())
"""


def writer(folder, pause):
    code = WRITER.replace(
        "cache = F", "from spacy_datnet.features import feature_cache\nfeature_cache.SHARD_WORDS = 50\ncache = F"
    )
    return subprocess.Popen([sys.executable, "-c", code, str(folder), str(pause)], stdout=subprocess.PIPE, text=True)


@pytest.mark.skipif(feature_cache.fcntl is None, reason="needs locks of POSIX")
def test_a_killed_writer_leaves_only_what_is_whole(tmp_path):
    process = writer(tmp_path, 0.05)
    for line in process.stdout:
        if line.strip() == "199":
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    cache = FeatureCache(tmp_path, ORIGIN)
    assert 100 <= len(cache) < 1000
    for i in range(len(cache)):
        np.testing.assert_array_equal(cache.get((f"s{i}",)), np.full((1, 5), i, np.float16))
    (place,) = (path for path in tmp_path.iterdir())
    (place / ".unfinished-leftover").mkdir()
    fill(tmp_path, sentences_of(3))  # the lock is free, and leftovers go
    assert not list(place.glob(".unfinished*"))


@pytest.mark.skipif(feature_cache.fcntl is None, reason="needs locks of POSIX")
def test_of_two_writers_one_waits_and_finds_all(tmp_path):
    first = writer(tmp_path, 0.02)
    assert first.stdout.readline().split() == ["missing", "1000"]
    second = writer(tmp_path, 0.02)
    while first.poll() is None:
        time.sleep(0.05)
    out, _ = second.communicate(timeout=60)
    assert out.split() == ["missing", "0"]
    first.stdout.close()
    assert len(FeatureCache(tmp_path, ORIGIN)) == 1000
