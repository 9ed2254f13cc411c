"""Each malformed file ends in its own message, with the file and the line."""

from pathlib import Path

import pytest
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, read_docs, survey_corpus

FOLDER = Path(__file__).parent / "malformed"

CASES = [
    ("ragged.conll", {}, "DN208", "2 line(s)", "line 7 (2 columns: 'López I-PER')"),
    ("ragged.conll", {}, "DN208", "line 15 (4 columns"),
    ("comment.conll", {}, "DN208", "line 1 (6 columns", "Comment lines are no part"),
    ("empty.conll", {}, "DN207", "no sentences"),
    ("blank_lines.conll", {}, "DN207", "no sentences"),
    ("only_docstart.conll", {}, "DN207", "no sentences"),
    ("one_column.conll", {}, "DN210", "column 1 of 1"),
    ("pos_tags.conll", {}, "DN212", "line 1 (Ana PROPN), line 2 (vive VERB)", "column 2 of 2"),
    ("lower_case.conll", {}, "DN212", "line 1 (Ana b-per)"),
    ("no_label.conll", {}, "DN212", "line 1 (Ana B-)"),
    ("unknown_prefix.conll", {}, "DN212", "line 1 (Ana X-PER)"),
    ("question_mark.conll", {}, "DN212", "line 2 (vive ?)"),
    ("empty_token.tsv", {}, "DN217", "line 2"),
    (
        "mixed_iob.conll",
        {},
        "DN213",
        "2 entities begin with I- and 1 with B-",
        "line 4 (Luis B-PER)",
    ),
    ("mixed_bioes.conll", {}, "DN214", "line 5 (York E-LOC)"),
    ("illegal_bioes.conll", {}, "DN215", "1 tag(s)", "line 7 (Ría I-LOC)"),
    ("unclosed_bioes.conll", {}, "DN215", "1 tag(s)", "line 8 (Nueva B-LOC)"),
    ("illegal_bioes.conll", {"scheme": "iob2"}, "DN216", "line 1 (Ana S-PER)"),
    ("mixed_iob.conll", {"scheme": "bioes"}, "DN215", "line 1 (Ana I-PER)"),
    ("mixed_iob.conll", {"scheme": "iob3"}, "DN227", "iob1, iob2, bioes"),
    ("broken_utf8.conll", {}, "DN205", "line 7", "utf-8"),
    ("zero_bytes.conll", {}, "DN206", "zero bytes"),
    ("ragged.conll", {"encoding": "utf-9"}, "DN204", "utf-9"),
    ("ragged.conll", {"encoding": "rot13"}, "DN204", "rot13"),
    ("ragged.conll", {"encoding": "ascii"}, "DN205", "line 7", "ascii"),
    ("ragged.conll", {"tag_column": 4}, "DN209", "no column 4", "has 3"),
    ("ragged.conll", {"tag_column": -4}, "DN209", "no column -4"),
    ("ragged.conll", {"token_column": 0}, "DN209", "no column 0"),
    ("ragged.conll", {"token_column": 3}, "DN210", "column 3 of 3"),
    ("ragged.conll", {"delimiter": "comma"}, "DN230", "tab, space"),
    ("truncated.conll.gz", {}, "DN202", "truncated.conll.gz"),
    ("not_a_zip.zip:esp.train", {}, "DN202", "not_a_zip.zip:esp.train"),
    ("absent.conll", {}, "DN201", "absent.conll"),
]


@pytest.mark.parametrize(("name", "options", "code", "fragments"), [(*c[:3], c[3:]) for c in CASES])
def test_message(name, options, code, fragments):
    with pytest.raises(CorpusError, match=rf"^\[{code}\] ") as caught:
        read_docs(FOLDER / name, Vocab(), **options)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_no_file_is_forgotten():
    assert {path.name for path in FOLDER.iterdir()} <= {case[0].split(":")[0] for case in CASES}


def test_survey_names_every_kind_of_error_and_places_up_to_a_limit(tmp_path):
    path = tmp_path / "many.tsv"
    lines = ["Ana\tB-PER", "", "\tO", "", "a\tb\tO", "", *["x\tX"] * 5, ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    survey = survey_corpus(path, keep=2)
    assert [error[:7] for error in survey.errors] == ["[DN208]", "[DN217]", "[DN212]"]
    assert "5 token(s)" in survey.errors[2]
    assert "line 7 (x X), line 8 (x X) and 3 more" in survey.errors[2]
    assert survey.counts.sentences == 1


def test_folder_can_not_be_read(tmp_path):
    with pytest.raises(CorpusError, match="DN202"):
        read_docs(tmp_path, Vocab())
