"""Each malformed file ends in its own message, with the file and the line."""

from pathlib import Path

import pytest
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, read_docs, survey_corpus

FOLDER = Path(__file__).parent / "malformed"

CASES = [
    ("ragged.conll", {}, "DN208", "2 line(s)", "line 7 (2 columns: 'López I-PER')"),
    ("ragged.conll", {}, "DN208", "line 15 (4 columns"),
    ("comment.conll", {}, "DN208", "line 2 (6 columns", "Comments may stand only before the first token"),
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
    ("absent*.conll", {}, "DN201", "absent*.conll"),
    ("nine_columns.conllu", {}, "DN234", "1 sentence(s)", r"line 3 (9 columns, not 10: '2\tvive"),
    ("no_empty_line.conllu", {}, "DN234", r"line 3 (ID 1, not 3: '1\tSí"),
    ("wrong_ids.conllu", {}, "DN234", r"line 2 (ID 'x': 'x\tvive", r"line 5 (ID 3, not 2: '3\t."),
    ("ranges.conllu", {}, "DN234", "line 2 (the sentence ends before word 2 of a multiword token: de)"),
    ("ranges.conllu", {}, "DN234", r"line 4 (ID 2-3 after word 0: '2-3\tal", "line 8 (ID 2-1 after word 0"),
    ("no_form.conllu", {}, "DN234", "line 2 (no form"),
    ("spaces.conllu", {}, "DN234", "line 1 (1 columns, not 10"),
    ("no_upos.conllu", {}, "DN243", "line 1 (Ana NNP), line 2 (vive Verb)", "UPOS, the 4th column"),
    ("only_comments.conllu", {}, "DN207", "no line with a token"),
    ("unbalanced.mrg", {}, "DN235", "line 2 (')' is outside of a tree)"),
    ("unbalanced.mrg", {}, "DN235", "line 4 (the tree that begins with ( is not closed)"),
    ("missing_bracket.mrg", {}, "DN235", "line 3 ('(' opens a bracket without label in the tree that began in line 1)"),
    ("two_words.mrg", {}, "DN235", "6 place(s)", "line 1 ('Luisa' is a word without a tag)", "line 2 ('fuera' is a"),
    (
        "two_words.mrg",
        {},
        "DN235",
        "line 3 (')' closes a bracket of line 3 with no word",
        "line 4 ('(' follows the word",
    ),
    ("two_words.mrg", {}, "DN235", "line 6 (')' leaves the word Ana outside of a tree)", "line 7 (')' closes"),
    ("two_words.mrg", {"format": "columns"}, "DN208"),
    ("only_traces.mrg", {}, "DN207", "no tokens"),
    ("penn_tags.tsv", {"annotations": {"pos": None}}, "DN243", "line 1 (Ana NNP)", "line 4 (Sí UH)", "column 2 of 2"),
    ("penn_tags.tsv", {"annotations": {"spans:chunks": None}}, "DN212", "line 2 (vive VBZ)"),
    ("penn_tags.tsv", {"annotations": {"tag": 3}}, "DN209", "no column 3"),
    ("penn_tags.tsv", {"annotations": {"tag": 2, "pos": 1}}, "DN210", "column 1 of 2"),
    ("missing_chunk.conll", {"annotations": {"spans:chunks": None}}, "DN242", "1 token(s)", "line 2 (vive -)"),
]


@pytest.mark.parametrize(("name", "options", "code", "fragments"), [(*c[:3], c[3:]) for c in CASES])
def test_message(name, options, code, fragments):
    with pytest.raises(CorpusError, match=rf"^\[{code}\] ") as caught:
        read_docs(FOLDER / name, Vocab(), **options)
    for fragment in fragments:
        assert fragment in str(caught.value)


def test_no_file_is_forgotten():
    corpora = {path.name for path in FOLDER.iterdir() if path.suffix not in (".yaml", ".toml")}
    assert corpora <= {case[0].split(":")[0] for case in CASES}


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
