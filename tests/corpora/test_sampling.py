"""Samples: seeded, nested, of the right size; and what is written."""

import gzip

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, read_docs, sample_sentences, write_docbin, write_sample
from spacy_datnet.corpora.docbin import read_docbin

CORPUS = "".join(("-DOCSTART- -X- O\n\n" if i % 5 == 0 else "") + f"w{i} NNP B-X\nño NN O\n\n" for i in range(20))


@given(n=st.integers(1, 300), seed=st.integers(0, 2**32), data=st.data())
def test_samples_are_nested(n, seed, data):
    large = data.draw(st.integers(1, n))
    small = data.draw(st.integers(1, large))
    more = sample_sentences(n, count=large, seed=seed)
    fewer = sample_sentences(n, count=small, seed=seed)
    assert more == sorted(set(more))
    assert len(more) == large
    assert set(more) <= set(range(n))
    assert set(fewer) <= set(more)
    assert more == sample_sentences(n, count=large, seed=seed)


def test_choice_does_not_change_between_versions():
    assert sample_sentences(100, count=5, seed=0) == [7, 8, 11, 23, 48]


def test_seeds_differ():
    assert sample_sentences(1000, count=10, seed=1) != sample_sentences(1000, count=10, seed=2)


@pytest.mark.parametrize(("ratio", "count"), [(1.0, 50), (0.5, 25), (0.05, 2), (0.0001, 1)])
def test_ratio(ratio, count):
    by_ratio = sample_sentences(50, ratio=ratio, seed=3)
    assert by_ratio == sample_sentences(50, count=count, seed=3)


@pytest.mark.parametrize(
    ("options", "code", "fragment"),
    [
        ({}, "DN223", "count=None and ratio=None"),
        ({"count": 1, "ratio": 0.5}, "DN223", "count=1 and ratio=0.5"),
        ({"ratio": 0.0}, "DN224", "0.0"),
        ({"ratio": 1.5}, "DN224", "1.5"),
        ({"ratio": float("nan")}, "DN224", "nan"),
        ({"count": 0}, "DN224", "0"),
        ({"count": -3}, "DN224", "-3"),
        ({"count": 11}, "DN225", "11 sentences were asked for, but there are only 10"),
    ],
)
def test_impossible_samples(options, code, fragment):
    with pytest.raises(CorpusError, match=code) as caught:
        sample_sentences(10, seed=0, **options)
    assert fragment in str(caught.value)


def test_nothing_to_sample_from():
    with pytest.raises(CorpusError, match="DN225"):
        sample_sentences(0, ratio=0.5, seed=0)


@pytest.fixture
def corpus(tmp_path):
    path = tmp_path / "corpus.conll"
    path.write_text(CORPUS, encoding="utf-8")
    return path


def first_words(path):
    return [doc[0].text for doc in read_docbin(path, Vocab())]


def test_sample_of_columns_keeps_lines_and_documents(corpus, tmp_path):
    output = tmp_path / "sample.conll"
    chosen = write_sample(corpus, output, count=6, seed=1)
    expected, document = "", None
    for i in chosen:
        if i // 5 != document:
            document = i // 5
            expected += "-DOCSTART- -X- O\n\n"
        expected += f"w{i} NNP B-X\nño NN O\n\n"
    assert output.read_text(encoding="utf-8") == expected


def test_whole_sample_is_the_whole_file(corpus, tmp_path):
    write_sample(corpus, tmp_path / "sample.conll", ratio=1.0, seed=1)
    assert (tmp_path / "sample.conll").read_bytes() == corpus.read_bytes()


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_sample_of_columns_keeps_encoding_and_line_ends(tmp_path, encoding, line_end):
    content = CORPUS.replace("\n", line_end).encode(encoding)
    (tmp_path / "corpus.conll").write_bytes(content)
    write_sample(tmp_path / "corpus.conll", tmp_path / "all.conll", ratio=1.0, seed=0)
    assert (tmp_path / "all.conll").read_bytes() == content


def test_compressed_sample(corpus, tmp_path):
    write_sample(corpus, tmp_path / "sample.gz", ratio=1.0, seed=0)
    assert gzip.decompress((tmp_path / "sample.gz").read_bytes()) == corpus.read_bytes()


def test_same_sentences_from_both_formats(corpus, tmp_path):
    write_docbin(read_docs(corpus, Vocab()), tmp_path / "corpus.spacy")
    chosen = write_sample(corpus, tmp_path / "a.conll", count=7, seed=5)
    again = write_sample(tmp_path / "corpus.spacy", tmp_path / "a.spacy", count=7, seed=5)
    assert chosen == again
    assert first_words(tmp_path / "a.spacy") == [f"w{i}" for i in chosen]


def test_rest_of_a_docbin(corpus, tmp_path):
    write_docbin(read_docs(corpus, Vocab()), tmp_path / "corpus.spacy")
    chosen = write_sample(tmp_path / "corpus.spacy", tmp_path / "a.spacy", count=7, seed=5, rest=tmp_path / "b.spacy")
    assert first_words(tmp_path / "a.spacy") == [f"w{i}" for i in chosen]
    assert first_words(tmp_path / "b.spacy") == [f"w{i}" for i in range(20) if i not in chosen]


def test_sample_of_conllu_keeps_comments(tmp_path):
    blocks = [f"# sent_id = {i}\n1\tw{i}" + "\t_" * 8 + "\n\n" for i in range(9)]
    (tmp_path / "corpus.conllu").write_text("".join(blocks), encoding="utf-8")
    chosen = write_sample(tmp_path / "corpus.conllu", tmp_path / "a.conllu", count=4, seed=1)
    assert (tmp_path / "a.conllu").read_text(encoding="utf-8") == "".join(blocks[i] for i in chosen)


def test_sample_of_conllu_keeps_documents_apart(tmp_path):
    opener = "# newdoc id = {}\n"
    blocks = [f"# sent_id = {i}\n1\tw{i}\t_\tX" + "\t_" * 6 + "\n\n" for i in range(12)]
    text = "".join((opener.format(i // 4) if i % 4 == 0 else "") + block for i, block in enumerate(blocks))
    (tmp_path / "corpus.conllu").write_text(text, encoding="utf-8")
    a, b = tmp_path / "a.conllu", tmp_path / "b.conllu"
    for seed in range(8):
        chosen = write_sample(tmp_path / "corpus.conllu", a, count=5, seed=seed, rest=b)
        for path, part in ((a, chosen), (b, [i for i in range(12) if i not in chosen])):
            documents = [[t.text for t in doc] for doc in read_docs(path, Vocab())]
            assert documents == [
                [f"w{i}" for i in group] for k in range(3) if (group := [i for i in part if i // 4 == k])
            ]
            assert path.read_text(encoding="utf-8").count("# sent_id") == len(part)


def test_no_sample_of_trees(tmp_path):
    (tmp_path / "corpus.mrg").write_text("( (S (NN a)) )\n( (S (NN b)) )\n", encoding="utf-8")
    with pytest.raises(CorpusError, match="DN244"):
        write_sample(tmp_path / "corpus.mrg", tmp_path / "a.mrg", count=1, seed=0)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", '[{"data": {"text": "a"}, "annotations": []}]'),
        ("a.jsonl", '{"text": "a", "spans": []}\n'),
        ("a.csv", "word,tag\na,O\n"),
    ],
)
def test_no_sample_of_what_is_no_lines_of_sentences(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(CorpusError, match="DN244"):
        write_sample(tmp_path / name, tmp_path / "b", count=1, seed=0)


def test_formats_must_agree(corpus, tmp_path):
    with pytest.raises(CorpusError, match="DN226"):
        write_sample(corpus, tmp_path / "a.spacy", count=1, seed=0)
    write_docbin(read_docs(corpus, Vocab()), tmp_path / "corpus.spacy")
    with pytest.raises(CorpusError, match="DN226"):
        write_sample(tmp_path / "corpus.spacy", tmp_path / "a.conll", count=1, seed=0)


def test_no_sample_is_left_after_an_error(corpus, tmp_path):
    with pytest.raises(CorpusError, match="DN225"):
        write_sample(corpus, tmp_path / "a.conll", count=100, seed=0)
    with pytest.raises(CorpusError, match="DN220"):
        write_sample(corpus, corpus, count=1, seed=0)
    assert list(tmp_path.iterdir()) == [corpus]
