"""Plain, gzipped and zipped files; and files that are written whole or not at all."""

import errno
import gzip
import io
import os
import sys
import threading
import zipfile

import pytest

from spacy_datnet.corpora import CorpusError, check_output, docbin_paths, replacing, survey_corpus, write_docbin
from spacy_datnet.corpora.content import Content

posix = pytest.mark.skipif(os.name != "posix", reason="pipes and devices with names")


def replace_nothing(path):
    with replacing(path):
        pass


@pytest.fixture
def text():
    return "José B-PER\ncanta O\n"


def test_gzip(tmp_path, text):
    path = tmp_path / "corpus.gz"
    path.write_bytes(gzip.compress(text.encode()))
    assert survey_corpus(path).counts.tokens == 2


def test_member_of_a_zip_archive(tmp_path, text):
    path = tmp_path / "corpora.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("conll2002/esp.train", text)
    assert survey_corpus(f"{path}:conll2002/esp.train").counts.tokens == 2
    for location in (path, f"{path}:esp.train"):
        with pytest.raises(CorpusError, match=r"DN203.*It holds: conll2002/esp.train"):
            survey_corpus(location)


def test_plain_file_whose_name_looks_like_an_archive(tmp_path, text):
    path = tmp_path / "a.zip:b"
    path.write_text(text, encoding="utf-8")
    assert survey_corpus(path).counts.tokens == 2


def test_full_disk(tmp_path):
    with pytest.raises(CorpusError, match=r"DN231.*No space left"), replacing(tmp_path / "x"):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert list(tmp_path.iterdir()) == []


def test_output_is_checked(tmp_path):
    source = tmp_path / "corpora.zip"
    source.write_bytes(b"")
    with pytest.raises(CorpusError, match="DN219"):
        check_output(tmp_path)
    with pytest.raises(CorpusError, match="DN220"):
        check_output(tmp_path / ".." / tmp_path.name / "corpora.zip", f"{source}:esp.train")


def names_of(location):
    return [(name, data.decode()) for name, data in Content(location).files]


def test_patterns(tmp_path):
    for name in ("b.mrg", "a.mrg", "a.txt", "sub/c.mrg"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    (tmp_path / "d.mrg").mkdir()
    assert names_of(tmp_path / "*.mrg") == [(str(tmp_path / name), name) for name in ("a.mrg", "b.mrg")]
    assert names_of(tmp_path / "a.mrg") == [("", "a.mrg")]
    archive = tmp_path / "x.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for name in ("t/b.mrg", "t/a.mrg", "t/README", "t/sub/c.mrg"):
            file.writestr(name, name)
    assert names_of(f"{archive}:t/*.mrg") == [(f"{archive}:{name}", name) for name in ("t/a.mrg", "t/b.mrg")]
    assert names_of(f"{archive}:*/sub/?.mrg") == [(f"{archive}:t/sub/c.mrg", "t/sub/c.mrg")]
    with zipfile.ZipFile(tmp_path / "y.zip", "w") as file:
        file.writestr("t/a.mrg", "other")
    assert names_of(f"{tmp_path}/?.zip:t/a.mrg") == [
        (f"{archive}:t/a.mrg", "t/a.mrg"),
        (f"{tmp_path / 'y.zip'}:t/a.mrg", "other"),
    ]
    with pytest.raises(CorpusError, match="DN203"):
        names_of(f"{archive}:*.mrg")
    with pytest.raises(CorpusError, match="DN201"):
        names_of(tmp_path / "*.conllu")


def test_a_file_whose_name_looks_like_a_pattern(tmp_path):
    for name in ("a[b]", "ab"):
        (tmp_path / name).write_text(name, encoding="utf-8")
    assert names_of(tmp_path / "a[b]") == [("", "a[b]")]


def test_the_file_of_a_pattern_that_can_not_be_read(tmp_path):
    (tmp_path / "a.gz").write_bytes(gzip.compress(b"a O\n"))
    (tmp_path / "b.gz").write_bytes(gzip.compress(b"a O\n" * 99)[:-9])
    with pytest.raises(CorpusError, match=r"DN202.*b\.gz"):
        survey_corpus(tmp_path / "*.gz")
    (tmp_path / "b.gz").write_bytes("é O\n".encode("latin-1"))
    with pytest.raises(CorpusError, match=r"DN205.*b\.gz, line 1"):
        survey_corpus(tmp_path / "*.gz", encoding="utf-8")


def test_no_file_of_a_pattern_is_overwritten(tmp_path):
    (tmp_path / "a.conll").write_text("a O\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="DN220"):
        check_output(tmp_path / "a.conll", tmp_path / "*.conll")


@posix
@pytest.mark.parametrize("write", [lambda path: write_docbin([], path), replace_nothing], ids=["docbin", "replacing"])
@pytest.mark.parametrize("name", ["file/x", "file/x/y", "n" * 300, "loop", "a\0b", "pipe"])
def test_what_can_not_be_written(tmp_path, write, name):
    (tmp_path / "file").write_bytes(b"a O\n")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(CorpusError, match=r"^\[DN231\] .*can't be written"):
        write(tmp_path / name)
    with pytest.raises(CorpusError, match=r"^\[DN2"):
        docbin_paths(["a.conll"], tmp_path / f"{name}.spacy" if name == "n" * 300 else tmp_path / name)
    assert sorted(one.name for one in tmp_path.iterdir()) == ["file", "loop", "pipe"]


def test_a_name_as_long_as_possible(tmp_path):
    replace_nothing(tmp_path / ("n" * 255))
    assert [len(one.name) for one in tmp_path.iterdir()] == [255]


def test_what_a_link_points_at_is_replaced(tmp_path):
    (tmp_path / "file").write_bytes(b"old")
    (tmp_path / "link").symlink_to("file")
    replace_nothing(tmp_path / "link")
    assert (tmp_path / "file").read_bytes() == b""
    assert (tmp_path / "link").is_symlink()


@posix
@pytest.mark.parametrize(
    "location", ["n" * 300, "a\0b", "loop", ".", "/dev/zero", "n" * 300 + ".spacy", "a\0.spacy", "loop.spacy"]
)
def test_what_can_not_be_read(tmp_path, monkeypatch, location):
    monkeypatch.chdir(tmp_path)
    for name in ("loop", "loop.spacy"):
        (tmp_path / name).symlink_to(name)
    with pytest.raises(CorpusError, match=r"^\[DN2(01|02|21)\]"):
        survey_corpus(location)


@posix
def test_pipes_and_standard_input(tmp_path, monkeypatch, text):
    os.mkfifo(tmp_path / "pipe")
    for content in (text.encode(), gzip.compress(text.encode())):
        thread = threading.Thread(target=(tmp_path / "pipe").write_bytes, args=[content])
        thread.start()
        assert survey_corpus(tmp_path / "pipe").counts.tokens == 2
        thread.join()
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(content)))
        assert survey_corpus("-").counts.tokens == 2


def test_a_line_that_does_not_end(tmp_path):
    path = tmp_path / "corpus"
    path.write_bytes(b"a O\n" + b"x" * 1_000_001)
    with pytest.raises(CorpusError, match=r"DN264.*corpus, line 2 has 1,000,001 characters"):
        survey_corpus(path)


@pytest.mark.parametrize("name", ["", "/", "sub/"])
def test_members_without_a_name(tmp_path, text, name):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo(name), "")
        archive.writestr("a.conll", text)
    assert survey_corpus(f"{tmp_path}/a.zip:*.conll").counts.tokens == 2
    with pytest.raises(CorpusError, match="DN203"):
        survey_corpus(tmp_path / "a.zip")
