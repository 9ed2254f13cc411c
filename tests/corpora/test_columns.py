"""Layout, sentences and documents of column files."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, read_docs, survey_corpus
from spacy_datnet.corpora.content import Content
from spacy_datnet.corpora.formats import Options, find_format
from spacy_datnet.corpora.formats.blocks import split_fields


@pytest.fixture
def write(tmp_path):
    def write(text, encoding="utf-8"):
        path = tmp_path / "corpus.conll"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def read(path):
    return list(find_format(path, Options()).strictly())


def words_of(path):
    return [sentence.words for sentence in read(path)]


@pytest.mark.parametrize("separator", [" ", "\t", "  ", " \t"])
@pytest.mark.parametrize("between", [[], ["x"], ["x", "y", "z"]])
def test_any_width_and_separator(write, separator, between):
    rows = [["Ana", *between, "B-PER"], ["vive", *between, "O"]]
    path = write("\n".join(separator.join(row) for row in rows) + "\n")
    survey = survey_corpus(path)
    assert survey.format.width == 2 + len(between)
    assert survey.format.delimiter == ("tab" if "\t" in separator else "space")
    assert [list(sentence) for sentence in survey.sentences()] == [
        [["Ana", "vive"], {"ents": ["B-PER", "O"]}, range(1, 3), True, "", None, None]
    ]


@pytest.mark.parametrize(("token", "tag"), [(2, 1), (-1, -2), (2, -2)])
def test_columns_may_be_named(write, token, tag):
    path = write("B-PER Ana\nO vive\n")
    survey = survey_corpus(path, token_column=token, tag_column=tag)
    (sentence,) = survey.sentences()
    assert sentence[:2] == (["Ana", "vive"], {"ents": ["B-PER", "O"]})


def test_tab_separated_tokens_may_hold_spaces(write):
    assert words_of(write("New York\tB-LOC\ngana\tO\n")) == [["New York", "gana"]]


def test_only_blanks_separate(write):
    # No-break space, next line and line separator are white space to str.split and splitlines.
    token = "a\u00a0b\u0085c\u2028d"
    assert words_of(write(f"{token} O\n")) == [[token]]
    assert split_fields(f"{token} O\r\n", "space") == [token, "O"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends(write, line_end):
    path = write(line_end.join(["Ana B-PER", "", "", "vive O", "bien O"]))
    assert [(s.words, s.lines[0]) for s in read(path)] == [
        (["Ana"], 1),
        (["vive", "bien"], 4),
    ]


def test_hash_is_a_token(write):
    assert words_of(write("# O\nuno O\n\n# O\n")) == [["#", "uno"], ["#"]]


@pytest.mark.parametrize(
    "opener",
    [
        "-DOCSTART- -X- OO O",
        "-DOCSTART- -X- -X- O",
        "-DOCSTART- -X- O O",
        "-DOCSTART-",
        "-DOCSTART- (1 of 2)",
        "-DOCSTART-\tO",
        "  -DOCSTART- O",
        "O -DOCSTART-",
    ],
)
@pytest.mark.parametrize("gap", ["\n", "\n\n"])
def test_documents(write, opener, gap):
    body = "Ana NNP B-NP B-PER\n\nvive VBZ B-VP O\n\n"
    path = write(f"{opener}{gap}{body}{opener}{gap}{body}")
    docs = list(read_docs(path, Vocab()))
    assert [[token.text for token in doc] for doc in docs] == [["Ana", "vive"]] * 2
    assert [[token.is_sent_start for token in doc] for doc in docs] == [[True, True]] * 2


def test_opener_without_empty_line_before_it(write):
    path = write("Ana B-PER\n-DOCSTART- O\nvive O\n")
    assert [len(doc) for doc in read_docs(path, Vocab())] == [1, 1]


def test_sentences_before_the_first_opener_are_a_document(write):
    path = write("Ana B-PER\n\nvive O\n\n-DOCSTART- O\n\nbien O\n\n-DOCSTART- O\n")
    survey = survey_corpus(path)
    assert survey.counts.documents == 2
    assert [len(doc) for doc in read_docs(path, Vocab())] == [2, 1]


def test_without_documents_each_sentence_is_one(write):
    path = write("Ana B-PER\nvive O\n\nbien O\n")
    assert [doc.text.strip() for doc in read_docs(path, Vocab())] == ["Ana vive", "bien"]


def test_reading_with_a_layout_of_another_file_is_an_error(write):
    path = write("Ana B-PER\n")
    layout = find_format(path, Options())
    layout.content = Content(write("Ana O\n\nAna NNP O\n"))
    with pytest.raises(CorpusError, match=r"DN208.*line 3 \(3 columns"):
        list(layout.strictly())


TOKEN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\t\n\r\0"), min_size=1).filter(
    lambda text: text == text.strip(" ") and "-DOCSTART-" not in text and "\ufeff" not in text
)


@given(
    sentences=st.lists(st.lists(TOKEN, min_size=1, max_size=4), min_size=1, max_size=4),
)
def test_gold_tokens_survive(tmp_path_factory, sentences):
    path = tmp_path_factory.mktemp("columns") / "corpus.tsv"
    blocks = ["".join(f"{word}\tB-X\n" for word in words) for words in sentences]
    path.write_bytes("\n".join(blocks).encode())
    docs = list(read_docs(path, Vocab(), delimiter="tab"))
    assert [[token.text for token in doc] for doc in docs] == sentences


CHUNKS = "Ana NNP B-NP\nno _ B-VP\nvive VBZ I-VP\n. . O\n\nNada NN O\n"


def test_several_kinds_of_annotation_in_one_file(write):
    survey = survey_corpus(write(CHUNKS), annotations={"tag": 2, "spans:chunks": 3, "ents": 3})
    assert survey.schemes == {"spans:chunks": "iob2", "ents": "iob2"}
    assert survey.counts.missing("tag") == 1
    first, second = read_docs(write(CHUNKS), Vocab(), annotations={"tag": 2, "spans:chunks": 3})
    assert [t.tag_ for t in first] == ["NNP", "", "VBZ", "."]
    assert [(s.text, s.label_) for s in first.spans["chunks"]] == [("Ana", "NP"), ("no vive", "VP")]
    assert list(second.spans["chunks"]) == []
    assert not first.has_annotation("ENT_IOB")


def test_one_column_for_two_kinds(write):
    survey = survey_corpus(write("Ana\tX\n"), annotations={"tag": None, "pos": -1})
    (sentence,) = survey.sentences()
    assert sentence.layers == {"tag": ["X"], "pos": ["X"]}


def test_spans_of_a_document_with_several_sentences(write):
    (doc,) = read_docs(write("-DOCSTART-\n\n" + CHUNKS + "vive VBZ B-VP\n"), Vocab(), annotations={"spans:a": 3})
    assert [(s.start, s.end, s.label_) for s in doc.spans["a"]] == [(0, 1, "NP"), (1, 3, "VP"), (5, 6, "VP")]


def test_files_of_a_pattern_are_documents(tmp_path):
    for name, text in (("b.conll", "c O\n\nd O"), ("a.conll", "a B-X\n\nb O\n")):
        (tmp_path / name).write_text(text, encoding="utf-8")
    docs = list(read_docs(tmp_path / "*.conll", Vocab()))
    assert [[t.text for t in doc] for doc in docs] == [["a", "b"], ["c", "d"]]
    (tmp_path / "b.conll").write_text("c O\n\nd O x\n", encoding="utf-8")
    (error,) = survey_corpus(tmp_path / "*.conll").errors
    assert f"{tmp_path}/b.conll, line 3 (3 columns: 'd O x')" in error
