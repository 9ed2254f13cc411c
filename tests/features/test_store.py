"""Vectors of sentences on disk: what is written is read, by any process; what is damaged or half-written is not."""

import os
import sqlite3
import subprocess
import sys
import time
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from spacy_datnet.features import store as store_module
from spacy_datnet.features.store import FeatureStore, open_store

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
    cache = FeatureStore(folder, origin)
    with cache.writing():
        cache.write(sentences)
    return cache


def get(cache, words):
    return dict(cache.find([words])).get(words)


def assert_holds(cache, sentences):
    for words, vectors in sentences:
        np.testing.assert_array_equal(get(cache, words), vectors)


@pytest.fixture
def filled(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "COMMITTED", 20)
    fill(tmp_path, sentences_of(30))
    return tmp_path


def database(folder):
    (path,) = folder.glob("*/features.sqlite")
    return path


def test_what_is_written_is_read_by_another(filled):
    cache = FeatureStore(filled, ORIGIN)
    assert_holds(cache, sentences_of(30))
    assert len(cache) == 30
    words, _ = sentences_of(1)[0]
    assert get(cache, (*words, "more")) is None and get(cache, ("w0", "_0")) is None
    assert get(cache, words).dtype == np.float16


def test_sentences_whose_words_hold_borders_are_told_apart(tmp_path):
    sentences = [("a\0b", "c"), ("a", "b\0c"), ("1:a", "b"), ("1", "a1:b"), ("\ud800", "c")]
    made = [(words, np.full((2, WIDTH), i, np.float16)) for i, words in enumerate(sentences)]
    assert_holds(fill(tmp_path, made), made)


def test_what_is_not_asked_for_is_not_read(tmp_path):
    made = [((f"w{i}",), np.full((1, 1 << 20), i % 7, np.float16)) for i in range(64)]  # 128 MB
    fill(tmp_path, made)
    code = (
        "import resource, sys\nfrom pathlib import Path\nimport numpy as np\n"
        "from spacy_datnet.features.store import FeatureStore\n"
        f"store = FeatureStore(Path(sys.argv[1]), {ORIGIN!r})\n"
        "held = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "before = held()\n"
        "((_, found),) = store.find([('w63',)])\n"
        "assert found[0, 0] == 0\n"
        "print(held() - before)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=True, capture_output=True, text=True)
    assert int(done.stdout) < (32 << 20) // (1 if sys.platform == "darwin" else 1 << 10)


def test_more_is_added_and_seen_by_who_reads_already(filled):
    reader = FeatureStore(filled, ORIGIN)
    assert_holds(reader, sentences_of(30))
    words, vectors = sentences_of(10, start=100)[0]
    assert get(reader, words) is None
    fill(filled, sentences_of(10, start=100))
    np.testing.assert_array_equal(get(reader, words), vectors)
    assert_holds(reader, sentences_of(30))


@pytest.mark.parametrize(
    "change", [{"checkpoint": "abd"}, {"layers": (1,)}, {"precision": "float32"}, {"version": 2}], ids=str
)
def test_other_origins_are_kept_apart(filled, change):
    other = FeatureStore(filled, {**ORIGIN, **change})
    assert len(other) == 0
    assert len(FeatureStore(filled, ORIGIN)) == 30


def test_a_cache_of_something_else_is_refused(filled):
    (place,) = filled.iterdir()
    other = FeatureStore(filled, {**ORIGIN, "checkpoint": "xyz"}).folder
    place.rename(other)
    words, _ = sentences_of(1)[0]
    with pytest.raises(ValueError, match=rf"DN032.*{other.name}"):
        get(FeatureStore(filled, {**ORIGIN, "checkpoint": "xyz"}), words)
    with pytest.raises(ValueError, match="DN032"):
        FeatureStore(filled, {**ORIGIN, "checkpoint": "xyz"}).fill([words], only)


def flip(path):
    data = bytearray(path.read_bytes())
    vectors = sentences_of(1)[0][1].tobytes()
    data[data.index(vectors)] ^= 1
    path.write_bytes(data)


def cut(path):
    path.write_bytes(path.read_bytes()[:4096])


def empty(path):
    path.write_bytes(b"")


def garbage(path):
    path.write_bytes(b"garbage " * 500)


def read_all(cache):
    """List the sentences that are not there; one that is must be right."""
    lost = []
    for words, vectors in sentences_of(30):
        found = get(cache, words)
        if found is None:
            lost.append((words, vectors))
        else:
            np.testing.assert_array_equal(found, vectors)
    return lost


@pytest.mark.parametrize("damage", [flip, cut, empty, garbage, os.remove], ids=lambda damage: damage.__name__)
def test_what_is_damaged_is_not_read_and_replaced(filled, damage):
    damage(database(filled))
    cache = FeatureStore(filled, ORIGIN)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        lost = read_all(cache)
        assert cache.fill([words for words, _ in sentences_of(30)], only) == len(lost) == (1 if damage is flip else 30)
    assert any("DN056" in str(warning.message) for warning in caught) == (damage is not os.remove)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not read_all(cache) and not read_all(FeatureStore(filled, ORIGIN))


def only(chosen):
    return [pair for pair in sentences_of(30) if pair[0] in chosen]


def test_a_wrong_byte_anywhere_gives_no_wrong_vectors(filled):
    path = database(filled)
    data = path.read_bytes()
    for i in range(0, len(data), len(data) // 120):
        path.write_bytes(data[:i] + bytes([data[i] ^ 0xFF]) + data[i + 1 :])
        cache = FeatureStore(filled, ORIGIN)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read_all(cache)
            try:
                cache.fill([words for words, _ in sentences_of(30)], only)
            except ValueError as error:
                assert "DN032" in str(error)  # what says whose features these are has wrong bytes
                continue
            read_all(cache)  # keys out of order may stay unseen


def test_others_may_read_what_they_may_read_of_the_folder(filled):
    (place,) = filled.iterdir()
    for file in place.iterdir():
        assert file.stat().st_mode & 0o666 == place.stat().st_mode & 0o666 or file.name == ".lock"


def test_what_may_not_be_read_is_told_and_not_removed(filled, monkeypatch):
    cache, connect = FeatureStore(filled, ORIGIN), sqlite3.connect

    def refused(*arguments, **settings):
        raise sqlite3.OperationalError("unable to open database file")

    monkeypatch.setattr(sqlite3, "connect", refused)  # the rights of files mean nothing to root
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.warns(UserWarning, match="DN062.*features.sqlite"):
        assert len(read_all(cache)) == 30
    monkeypatch.setattr(sqlite3, "connect", connect)
    assert not read_all(cache)


def test_a_removed_cache_is_made_anew(filled):
    cache = open_store(filled, **ORIGIN)
    assert open_store(filled, **ORIGIN) is cache and len(cache) == 30
    database(filled).unlink()
    with cache.writing():
        assert len(cache) == 0
        cache.write(sentences_of(4))
    assert_holds(FeatureStore(filled, ORIGIN), sentences_of(4))


def test_a_full_disk_is_told_and_leaves_what_was_there(filled, monkeypatch):
    cache, new = FeatureStore(filled, ORIGIN), sentences_of(10, start=100)
    connect = sqlite3.connect

    def full(*arguments, **settings):
        opened = connect(*arguments, **settings)
        opened.execute("PRAGMA max_page_count = 1")  # no larger than it is
        return opened

    monkeypatch.setattr(sqlite3, "connect", full)
    with pytest.raises(OSError, match=rf"DN071.*{cache.folder.name}.*full"):
        cache.fill([words for words, _ in new], lambda missing: [(words, np.ones((999, 5))) for words, _ in new])
    monkeypatch.setattr(sqlite3, "connect", connect)
    assert_holds(cache, sentences_of(30))
    assert cache.fill([words for words, _ in new], lambda missing: new) == 10  # the lock was let go
    assert_holds(cache, [*sentences_of(30), *new])


def test_a_folder_that_can_t_be_made(tmp_path):
    (tmp_path / "file").touch()
    cache = FeatureStore(tmp_path / "file" / "cache", ORIGIN)
    assert not list(cache.find([("a",)])) and len(cache) == 0
    with pytest.raises(OSError, match=r"DN071.*file"):
        cache.fill([("a",)], only)


def test_threads_read_while_one_writes(tmp_path, monkeypatch):
    monkeypatch.setattr(store_module, "COMMITTED", 20)
    cache = FeatureStore(tmp_path, ORIGIN)
    made = sentences_of(300)

    def read():
        while len(cache) < 300:
            for words, vectors in cache.find([words for words, _ in made]):
                np.testing.assert_array_equal(vectors, dict(made)[words])

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        fill(tmp_path, made)
        for reader in readers:
            reader.result()


WRITER = """
import sys, time
from pathlib import Path
import numpy as np
from spacy_datnet.features.store import FeatureStore
cache = FeatureStore(Path(sys.argv[1]), {"checkpoint": "abc", "layers": (1, 2), "precision": "float16"})

def slowly():
    for i in range(1000):
        yield (f"s{i}",), np.full((1, 5), i, np.float16)
        if i % 20 == 19:
            print(i, flush=True)
            time.sleep(float(sys.argv[2]))

with cache.writing():
    missing = cache.missing([(f"s{i}",) for i in range(1000)])
    print("missing", len(missing), flush=True)
    if missing:
        cache.write(slowly())
"""


def writer(folder, pause):
    code = WRITER.replace("cache = F", "from spacy_datnet.features import store\nstore.COMMITTED = 50\ncache = F")
    return subprocess.Popen([sys.executable, "-c", code, str(folder), str(pause)], stdout=subprocess.PIPE, text=True)


def test_a_killed_writer_leaves_only_what_is_whole(tmp_path):
    process = writer(tmp_path, 0.05)
    for line in process.stdout:
        if line.strip() == "199":
            break
    process.kill()
    process.wait()
    process.stdout.close()
    cache = FeatureStore(tmp_path, ORIGIN)
    assert 100 <= len(cache) < 1000
    for i in range(len(cache)):
        np.testing.assert_array_equal(get(cache, (f"s{i}",)), np.full((1, 5), i, np.float16))
    fill(tmp_path, sentences_of(3))  # the lock is free


def test_of_two_writers_one_waits_and_finds_all(tmp_path):
    first = writer(tmp_path, 0.02)
    assert first.stdout.readline().split() == ["missing", "1000"]
    second = writer(tmp_path, 0.02)
    while first.poll() is None:
        time.sleep(0.05)
    out, _ = second.communicate(timeout=60)
    assert out.split() == ["missing", "0"]
    first.stdout.close()
    assert len(FeatureStore(tmp_path, ORIGIN)) == 1000
