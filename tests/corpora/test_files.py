"""Plain, gzipped and zipped files; and files that are written whole or not at all."""

import errno
import gzip
import zipfile

import pytest

from spacy_datnet.corpora import CorpusError, check_output, replacing, survey_corpus


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
