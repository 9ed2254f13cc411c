"""What stands in the columns: comments, running numbers, language codes, two levels of tags, labels without prefix."""

import pytest
from spacy.vocab import Vocab

from spacy_datnet.corpora import examine, read_docs, survey_corpus, write_sample
from spacy_datnet.corpora.formats.layout import is_running, language_prefixes


@pytest.fixture
def write(tmp_path):
    def write(text, name="corpus"):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def codes(messages):
    return [message[1:6] for message in messages]


def look(path, **options):
    """Give the words and entities of each sentence, and the codes of the warnings."""
    survey = survey_corpus(path, **options)
    assert not survey.errors
    sentences = [(s.words, s.layers["ents"]) for s in survey.sentences()]
    return sentences, codes(survey.warnings)


ROWS = "1\tIn\tO\tO\n2\tWien\tB-LOC\tO\n3\tWiener\tB-ORG\tB-LOCderiv\n4\tBank\tI-ORG\tO\n5\tist\tO\tO\n6\tes\tO\tO\n"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"#\thttp://a.example [2010-01-01]\n{ROWS}\n#\thttp://b.example\n{ROWS}", ["DN271", "DN272", "DN273"]),
        (ROWS, ["DN271", "DN272"]),
        (f"# sent_id = 4\n# text = a b c\n{ROWS}", ["DN271", "DN272", "DN273"]),
    ],
)
def test_two_levels_of_tags_after_running_numbers(write, text, found):
    sentences, warnings = look(write(text))
    assert sentences[0] == (["In", "Wien", "Wiener", "Bank", "ist", "es"], ["O", "B-LOC", "B-ORG", "I-ORG", "O", "O"])
    assert warnings == found
    named, warnings = look(write(text), tag_column=4)
    assert named[0][1] == ["O", "O", "B-LOCderiv", "O", "O", "O"]
    assert "DN272" not in warnings


def test_lines_are_those_of_the_file(write):
    (sentence,) = survey_corpus(write(f"# a b\n# c\n{ROWS}")).sentences()
    assert list(sentence.lines) == [3, 4, 5, 6, 7, 8]


@pytest.mark.parametrize("separator", ["\t", " "])
def test_tags_in_front_of_other_columns(write, separator):
    text = "Ana\tB-PER\t-\tx\nvive\tO\t-\tx\nen\tO\t-\ty\nLugo\tB-LOC\t-\tz\n"
    sentences, warnings = look(write(text.replace("\t", separator)))
    assert sentences == [(["Ana", "vive", "en", "Lugo"], ["B-PER", "O", "O", "B-LOC"])]
    assert warnings == ["DN272"]


def test_chunks_are_no_outer_level(write):
    rows = "EU NNP I-NP I-ORG\nrejects VBZ I-VP O\nGerman JJ I-NP I-MISC\ncall NN I-NP O\n. . O O\n"
    sentences, warnings = look(write(f"{rows}\n{rows}"))
    assert sentences[0][1] == ["I-ORG", "O", "I-MISC", "O", "O"]
    assert warnings == []


def test_a_slip_does_not_move_the_tags_to_another_column(write):
    path = write("Ana NNP B-NP B-PER\nvive VBZ B-VP O\nen IN B-PP ?\nLugo NNP B-NP B-LOC\n")
    (error,) = survey_corpus(path).errors
    assert error.startswith("[DN212]")
    assert "line 3 (en ?)" in error
    assert "column 4 of 4" in error


def test_a_token_that_begins_with_a_hash_is_a_token(write):
    sentences, warnings = look(write("#wnut\tO\nLugo\tB-LOC\n\n#\tO\n1\tO\n\n#lugo\tB-LOC\n\n# x\nAna\tB-PER\n"))
    assert [words for words, _ in sentences] == [["#wnut", "Lugo"], ["#", "1"], ["#lugo"], ["Ana"]]
    assert warnings == ["DN273"]


@pytest.mark.parametrize("comment", ["# newdoc id = x", "#newdoc"])
def test_comments_that_open_documents(write, comment):
    path = write(f"{comment}\n# sent_id = 1\nAna B-PER\n\n# sent_id = 2\nvive O\n\n{comment}\nEva B-PER\n")
    with pytest.warns(UserWarning, match="DN273"):
        docs = list(read_docs(path, Vocab()))
    assert [[t.text for t in doc] for doc in docs] == [["Ana", "vive"], ["Eva"]]


def test_a_comment_with_as_many_words_as_columns(write):
    sentences, warnings = look(write("# sent_id = 3\nAna NNP x B-PER\n\n# sent_id = 4\nva VBZ x O\n"))
    assert [words for words, _ in sentences] == [["Ana"], ["va"]]
    assert warnings == ["DN273"]


@pytest.mark.parametrize("codes_", [["fr"], ["zh-min-nan"], ["en", "fr"], ["simple"]])
def test_language_codes_before_tokens(write, codes_):
    words = ["Anna", "vit", "à", ":", "http://x.fr", "12:30"]
    text = "".join(f"{codes_[i % len(codes_)]}:{word}\tO\n" for i, word in enumerate(words)) + "\n"
    text += f"{codes_[0]}:Oslo\tB-LOC\n"
    sentences, warnings = look(write(text))
    assert sentences[0][0] == words
    assert warnings == ["DN270"]
    kept, warnings = look(write(text), keep_prefixes=True)
    assert kept[0][0][0] == f"{codes_[0]}:Anna"
    assert warnings == []


@pytest.mark.parametrize("words", [["en:a", "b"], ["http://a", "x:1"], ["a:b", "c:d"], ["EN:a", "EN:b"], ["re:x"]])
def test_words_with_colons(words):
    assert language_prefixes([words]) == []


def test_running_numbers():
    assert is_running([["1", "2"], ["1"]])
    assert is_running([["0", "1", "2"]])
    assert is_running([["1", "2"], ["3"], ["4", "5"], ["1", "2"]])
    assert not is_running([["1"], ["1"]])
    assert not is_running([["1", "2"], ["1", "3"]])
    assert not is_running([["2", "3"]])


def test_running_numbers_as_words(write):
    _, warnings = look(write("1\tO\n2\tB-X\n3\tO\n\n1\tO\n2\tO\n"))
    assert warnings == ["DN275"]
    _, warnings = look(write(ROWS), token_column=1, tag_column=3)
    assert warnings == ["DN275"]


def test_withheld_text(write):
    row = "{}\t_\t_\tNOUN\t_\t_\t_\t_\t_\t_\n"
    words = "1\ta\t_\tNOUN\t_\t_\t_\t_\t_\t_\n2\t_\t_\tSYM\t_\t_\t_\t_\t_\t_\n"
    path = write(f"{row.format(1)}{row.format(2)}\n{row.format(1)}{row.format(2)}\n{words}", "a.conllu")
    (warning,) = survey_corpus(path).warnings
    assert "[DN274]" in warning
    assert "2 of 3 sentences" in warning
    assert "line 1 (_ _)" in warning
    found = examine(path, "train", max_length=100)
    assert codes(found.warnings) == ["DN274"]
    assert survey_corpus(write(words, "b.conllu")).warnings == []
    assert survey_corpus(write(f"{words}\n{row.format(1)}", "c.conllu")).warnings == []
    assert codes(survey_corpus(write("_\tO\n__\tO\n", "d")).warnings) == ["DN274"]


def test_labels_without_prefix(write):
    path = write("Ana PER\nGil PER\nvive O\nLugo LOC\nVigo LOC\nONU ORG\n- -\n")
    survey = survey_corpus(path)
    assert "--scheme io" in survey.errors[0]
    survey = survey_corpus(path, scheme="io")
    assert survey.schemes == {"ents": "io"}
    assert survey.counts.layers["ents"].labels == {"PER": 1, "LOC": 1, "ORG": 1}
    (doc,) = read_docs(path, Vocab(), scheme="io")
    assert [(e.text, e.label_) for e in doc.ents] == [("Ana Gil", "PER"), ("Lugo Vigo", "LOC"), ("ONU", "ORG")]
    assert doc[6].ent_iob_ == ""


def test_nothing_but_comments_is_no_sentence_of_a_sample(write, tmp_path):
    body = [f"w{i}\tO\nx\tO\n\n" for i in range(6)]
    path = write("# a licence\n# of this corpus\n\n" + "".join(body))
    assert write_sample(path, tmp_path / "a", ratio=1.0, seed=0) == list(range(6))
    assert (tmp_path / "a").read_text(encoding="utf-8") == "".join(body)
    row = "1\ta" + "\t_" * 8 + "\n\n"
    assert write_sample(write("# global = 1\n\n" + row * 3), tmp_path / "b", ratio=1.0, seed=0) == [0, 1, 2]


def test_brackets_of_ontonotes(tmp_path):
    path = tmp_path / "a.conll"
    path.write_text("Ana\tN\t(PER*\nGil\tN\t*)\nva\tV\t*\nOslo\tN\t(LOC)\n\nva\tV\t*\n", encoding="utf-8")
    assert [s.layers["ents"] for s in survey_corpus(path).sentences()] == [["B-PER", "I-PER", "O", "B-LOC"], ["O"]]
    path.write_text("Ana\tN\t(PER*\nGil\tN\t*\n\nva\tV\t*)\nOslo\tN\t(LOC)\n", encoding="utf-8")
    (error,) = survey_corpus(path).errors
    assert "line 2 (Gil (PER*), line 4 (va *))" in error


def test_conll_2012(tmp_path):
    rows = [
        "#begin document (a); part 000",
        "a   0  0  Ana   NNP  (S*  -   -   -  x  (PERSON*  *    (1",
        "a   0  1  Gil   NNP  *    -   -   -  x  *)        *    1)",
        "a   0  2  goes  VBZ  *)   go  01  -  x  *         (V*)  -",
        *("", "a   0  0  Eva   NNP  (S*)  -   -   -  x  (PERSON)  -", "#end document"),
        *("#begin document (b); part 000", "b   0  0  Oslo  NNP  (S*)  -   -   -  x  (GPE)  -", "", "#end document"),
    ]
    (tmp_path / "a").write_text("\n".join(rows), encoding="utf-8")
    survey = survey_corpus(tmp_path / "a")
    assert not survey.warnings
    assert survey.counts.documents == 2
    assert [(s.words, s.layers["ents"]) for s in survey.sentences()] == [
        (["Ana", "Gil", "goes"], ["B-PERSON", "I-PERSON", "O"]),
        (["Eva"], ["B-PERSON"]),
        (["Oslo"], ["B-GPE"]),
    ]
