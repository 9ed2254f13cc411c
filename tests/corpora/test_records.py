"""Records of annotation tools: what is read, what is repaired and said, and what is refused."""

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, make_docs, survey_corpus

ANA = "Ana vive en Oslo."
MARKS = [(0, 3, "PER"), (12, 16, "LOC")]


@pytest.fixture
def write(tmp_path):
    def write(records, name="corpus.jsonl"):
        path = tmp_path / name
        text = records if isinstance(records, str) else "".join(json.dumps(one) + "\n" for one in records)
        path.write_bytes(text.encode("utf-8", "surrogatepass"))
        return path

    return write


def prodigy(text, marks, **more):
    return {"text": text, "spans": [{"start": s, "end": e, "label": label} for s, e, label in marks], **more}


def doccano(text, marks, **more):
    return {"id": 1, "text": text, "label": [list(mark) for mark in marks], **more}


def labelstudio(text, marks, unit=None, **more):
    result = [
        {
            "type": "labels",
            "from_name": "label",
            "to_name": "text",
            "value": {"start": s, "end": e, "text": quote(text, s, e, unit), "labels": [label]},
        }
        for s, e, label in marks
    ]
    return {"id": 1, "data": {"text": text}, "annotations": [{"result": result, **more}]}


def quote(text, start, end, unit):
    if unit == "utf-16":
        return text.encode("utf-16-le")[2 * start : 2 * end].decode("utf-16-le")
    return text[start:end]


TOOLS = [prodigy, doccano, labelstudio]


def codes(messages):
    return [message[1:6] for message in messages]


def look(path, **options):
    survey = survey_corpus(path, **options)
    assert not survey.errors
    docs = list(make_docs(survey.sentences(), Vocab()))
    return [[(e.start_char, e.end_char, e.label_) for e in doc.ents] for doc in docs], codes(survey.warnings)


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("layout", ["lines", "list"])
def test_spans(write, tool, layout):
    records = [tool(ANA, MARKS), tool("Sí.", [])]
    path = write(json.dumps(records) if layout == "list" else records)
    assert look(path) == ([MARKS, []], [])
    (doc, other) = make_docs(survey_corpus(path).sentences(), Vocab())
    assert doc.text == ANA
    assert not doc.has_unknown_spaces
    assert not doc.has_annotation("SENT_START")
    assert {token.ent_iob_ for token in other} == {"O"}
    assert survey_corpus(path).format.name == tool.__name__


@pytest.mark.parametrize(
    "record",
    [
        {"text": ANA, "labels": [[0, 3, "PER"], [12, 16, "LOC"]]},
        {"text": ANA, "entities": [{"id": 1, "label": "PER", "start_offset": 0, "end_offset": 3}], "relations": []},
        {"data": ANA, "label": [[0, 3, "PER"]]},
        [ANA, {"entities": [[0, 3, "PER"]]}],
        {"text": ANA, "label": [{"start": 0, "end": 3, "text": "Ana", "labels": ["PER"]}], "annotator": 1},
        {"text": ANA, "ner": [{"start": 0, "end": 3, "text": "Ana", "labels": ["PER"]}], "annotation_id": 1},
        {
            "data": {"body": ANA, "id": "x"},
            "completions": [{"result": [{"value": {"start": 0, "end": 3, "labels": ["PER"]}}]}],
        },
        {"data": {"text": ANA}, "predictions": [{"result": [{"value": {"start": 0, "end": 3, "labels": ["PER"]}}]}]},
    ],
)
def test_shapes(write, record):
    (found,), warnings = look(write([record]))
    assert found[0] == MARKS[0]
    assert warnings == []


def test_what_was_not_accepted_is_left_out_and_said(write):
    records = [prodigy(ANA, MARKS, answer=answer) for answer in ("accept", "reject", "ignore")]
    survey = survey_corpus(write(records))
    assert survey.counts.documents == 1
    (warning,) = survey.warnings
    assert warning.startswith("[DN283]")
    assert "2 record(s)" in warning
    assert "record 2" in warning
    survey = survey_corpus(write([labelstudio(ANA, MARKS), labelstudio(ANA, MARKS, was_cancelled=True)]))
    assert (survey.counts.documents, codes(survey.warnings)) == (1, ["DN283"])


def test_the_annotation_that_counts(write):
    task = labelstudio(ANA, MARKS[:1], was_cancelled=True)
    task["annotations"] += labelstudio(ANA, [])["annotations"]
    task["annotations"] += labelstudio(ANA, MARKS, ground_truth=True)["annotations"]
    assert look(write([task])) == ([MARKS], [])


def test_a_text_without_annotation_is_missing_annotation(write):
    records = [prodigy(ANA, MARKS), {"text": ANA, "answer": "accept"}]
    _, two = make_docs(survey_corpus(write(records)).sentences(), Vocab())
    assert {token.ent_iob_ for token in two} == {""}
    records = [labelstudio(ANA, MARKS), {"data": {"text": ANA}, "annotations": []}]
    _, two = make_docs(survey_corpus(write(records)).sentences(), Vocab())
    assert {token.ent_iob_ for token in two} == {""}


EMOJI = "😀 Ana y 👩‍👩‍👧 Gil 🇳🇴 Oslo"


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("unit", ["utf-32", "utf-16", "utf-8"])
def test_the_unit_of_offsets_is_found(write, tool, unit):
    size = {"utf-32": 4, "utf-16": 2, "utf-8": 1}[unit]

    def offset(i):
        return len(EMOJI[:i].encode(f"{unit}-le" if size > 1 else unit)) // size

    spans = [(EMOJI.index(word), EMOJI.index(word) + len(word), "X") for word in ("Ana", "Gil", "Oslo")]
    marks = [(offset(s), offset(e), label) for s, e, label in spans]
    record = tool(EMOJI, marks)
    if tool is labelstudio:
        for result, (s, e, _) in zip(record["annotations"][0]["result"], spans, strict=True):
            result["value"]["text"] = EMOJI[s:e]
    found, warnings = look(write([record, tool("Eva", [(0, 3, "X")])]))
    assert found == [spans, [(0, 3, "X")]]
    assert warnings == ([] if unit == "utf-32" else ["DN276"])


@pytest.mark.parametrize("text", ["Ana\r\nva\r\na Oslo\r\n", "😀 Ana\r\nva\r\na Oslo\r\n"])
def test_line_ends_that_are_counted_as_one(write, text):
    start = text.replace("\r\n", "\n").encode("utf-16-le").index("Oslo".encode("utf-16-le")) // 2
    survey = survey_corpus(write([prodigy(text, [(start, start + 4, "LOC")])]))
    assert codes(survey.warnings) == ["DN276"]
    (doc,) = make_docs(survey.sentences(), Vocab())
    assert [(e.text, doc.text) for e in doc.ents] == [("Oslo", text)]


@pytest.mark.parametrize("tool", TOOLS)
def test_white_space_is_trimmed(write, tool):
    found, warnings = look(write([tool("Ana  va a\nOslo ", [(0, 5, "PER"), (9, 15, "LOC")])]))
    assert found == [[(0, 3, "PER"), (10, 14, "LOC")]]
    assert warnings == ["DN278"]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_span_that_cuts_a_token_is_missing_and_never_outside(write, tool):
    survey = survey_corpus(write([tool(ANA, [(0, 2, "PER"), (12, 16, "LOC")])]))
    assert codes(survey.warnings) == ["DN280"]
    assert "record 1 (An PER)" in survey.warnings[0]
    (sentence,) = survey.sentences()
    assert sentence.layers["ents"] == ["-", "O", "O", "B-LOC", "O"]


@pytest.mark.parametrize("tool", TOOLS)
def test_the_longest_of_overlapping_spans_is_kept(write, tool):
    survey = survey_corpus(write([tool(ANA, [(0, 3, "A"), (0, 8, "B"), (4, 11, "C"), (12, 16, "D"), (12, 16, "D")])]))
    assert codes(survey.warnings) == ["DN279"]
    assert "2 span(s)" in survey.warnings[0]
    (sentence,) = survey.sentences()
    assert sentence.layers["ents"] == ["B-B", "I-B", "O", "B-D", "O"]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("mark", [(3, 3, "X"), (-2, 3, "X"), (12, 99, "X"), (5, 2, "X")])
def test_a_span_that_fits_nowhere(write, tool, mark):
    record = tool(ANA, [mark])
    if tool is labelstudio:
        record["annotations"][0]["result"][0]["value"]["text"] = "other"
    survey = survey_corpus(write([tool(ANA, MARKS), record]))
    assert survey.counts.documents == 1
    assert codes(survey.warnings) == ["DN281"]
    assert "record 2" in survey.warnings[0]


def test_a_span_that_says_its_text_is_found_elsewhere(write):
    record = labelstudio(ANA, MARKS)
    record["annotations"][0]["result"][1]["value"].update(start=1, end=4)
    assert look(write([record])) == ([MARKS], ["DN277"])


def test_tokens_of_the_tool(write):
    text = "Ana-Eva va  a\nOslo"
    tokens = [(0, 3), (3, 4), (4, 7), (8, 10), (12, 13), (14, 18)]
    record = prodigy(text, [(4, 7, "PER"), (14, 18, "LOC")])
    record["tokens"] = [{"text": text[s:e], "start": s, "end": e, "id": i} for i, (s, e) in enumerate(tokens)]
    (doc,) = make_docs(survey_corpus(write([record])).sentences(), Vocab())
    assert doc.text == text
    assert [token.text for token in doc] == ["Ana", "-", "Eva", "va", " ", "a", "\n", "Oslo"]
    assert [e.text for e in doc.ents] == ["Eva", "Oslo"]


def test_what_else_a_record_says_stays_with_the_doc(write):
    record = prodigy(ANA, MARKS, meta={"source": "x"}, id=7)
    (doc,) = make_docs(survey_corpus(write([record])).sentences(), Vocab())
    assert doc.user_data["meta"] == {"meta": {"source": "x"}, "id": 7}


def test_spans_of_a_group(write):
    (doc,) = make_docs(survey_corpus(write([prodigy(ANA, MARKS)]), annotations={"spans:sc": None}).sentences(), Vocab())
    assert [(s.text, s.label_) for s in doc.spans["sc"]] == [("Ana", "PER"), ("Oslo", "LOC")]
    with pytest.raises(CorpusError, match="DN233"):
        survey_corpus(write([prodigy(ANA, MARKS)]), annotations={"pos": None})


@pytest.mark.parametrize(
    ("text", "code", "fragment"),
    [
        ('{"text": "a"}\n{"text": \n', "DN268", "line 2"),
        ("[1, 2\n", "DN268", "line 1"),
        ("[1, 2]\n", "DN269", "none"),
        ('{"question": "a", "answer_": 1}\n', "DN269", "question, answer_"),
        ("[" * 100_000 + "\n", "DN268", "line 1"),
    ],
)
def test_what_is_no_export(write, text, code, fragment):
    with pytest.raises(CorpusError, match=rf"^\[{code}\]") as caught:
        survey_corpus(write(text))
    assert fragment in str(caught.value)


@pytest.mark.parametrize(
    "record",
    [
        prodigy(ANA, [("x", 3, "PER")]),
        prodigy(ANA, [(0.5, 3, "PER")]),
        prodigy(ANA, [(0, float("inf"), "PER")]),
        prodigy("\ud800", []),
        prodigy(ANA, [(0, 3, None)]),
        prodigy(ANA, [(0, 3, "")]),
        {"text": None, "spans": []},
        {"text": ANA, "spans": 3},
        {"text": ANA, "spans": ["a"]},
        {"text": ANA, "spans": [{"start": 0}]},
        {"spans": []},
        ["x"],
        7,
    ],
)
def test_records_that_are_not_what_they_should_be(write, record):
    (error,) = survey_corpus(write([prodigy(ANA, MARKS), record])).errors
    assert error.startswith("[DN267]")
    assert "record 2" in error


TEXT = st.text(st.sampled_from("ab é😀\u0301א\n\r\u2028👩🏽\u200d.,"), max_size=30)


@pytest.mark.parametrize("tool", TOOLS)
@settings(max_examples=40)
@given(text=TEXT, data=st.data())
def test_the_text_and_its_spans_survive(tmp_path_factory, tool, text, data):
    path = tmp_path_factory.mktemp("records") / "corpus.jsonl"
    marks, last = [], 0
    while last < len(text) and data.draw(st.booleans()):
        start = data.draw(st.integers(last, len(text) - 1))
        last = data.draw(st.integers(start + 1, len(text)))
        marks.append((start, last, "X"))
    record = tool(text, marks)
    path.write_text(json.dumps([record, tool("Ana", [])]), encoding="utf-8")
    survey = survey_corpus(path)
    assert not survey.errors
    if survey.format.unit_of_offsets == "code points" and survey.counts.documents == 2:
        doc, _ = make_docs(survey.sentences(), Vocab())
        assert doc.text == text
        covered = {i for start, end, _ in marks for i in range(start, end) if text[i].strip()}
        for token in doc:
            if token.ent_iob_ == "O":
                assert not covered & set(range(token.idx, token.idx + len(token)))
            elif token.ent_iob_:
                assert not token.text.strip() or covered >= {
                    i for i in range(token.idx, token.idx + len(token)) if text[i].strip()
                }


def test_tokens_and_tags(write):
    records = [
        {"id": 1, "tokens": ["Ana", "va"], "ner_tags": ["B-PER", "O"], "pos_tags": ["NNP", "_"]},
        {"tokens": [], "ner_tags": [], "pos_tags": []},
        {"tokens": ["Sí"], "ner_tags": ["O"], "pos_tags": ["UH"]},
    ]
    survey = survey_corpus(write(records))
    assert survey.format.name == "hf"
    assert [(s.words, s.layers) for s in survey.sentences()] == [
        (["Ana", "va"], {"ents": ["B-PER", "O"]}),
        (["Sí"], {"ents": ["O"]}),
    ]
    survey = survey_corpus(write(records), annotations={"tag": None})
    assert [s.layers["tag"] for s in survey.sentences()] == [["NNP", ""], ["UH"]]
    with pytest.raises(CorpusError, match="DN233"):
        survey_corpus(write(records), annotations={"spans:chunks": None})


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        ({"tokens": ["a"], "ner_tags": ["O", "O"]}, "1 tokens, but 2 tags"),
        ({"tokens": ["a"], "ner_tags": [0]}, "tags are numbers without names"),
        ({"tokens": ["a"], "ner_tags": [None]}, "no text"),
        ({"tokens": [" "], "ner_tags": ["O"]}, "no text"),
        ({"tokens": ["\ud800"], "ner_tags": ["O"]}, "half of a character"),
        ({"tokens": "a", "ner_tags": ["O"]}, "no tokens"),
        ([], "no tokens"),
    ],
)
def test_tokens_and_tags_that_do_not_fit(write, record, reason):
    (error,) = survey_corpus(write([{"tokens": ["a"], "ner_tags": ["B-X"]}, record])).errors
    assert error.startswith("[DN267]")
    assert f"record 2 ({reason}" in error or reason in error


def test_brat_in_pieces_and_what_is_not_read(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"Ana vive en\r\nOslo Sur. Gil y Eva Ruiz.")
    spans = "T1\tPER 0 3\tAna\nT2\tLOC 13 17;18 21\tOslo Sur\nT3\tPER 23 26;33 37\tGil Ruiz\nT4\tLOC 13 17\tOslo\n"
    (tmp_path / "a.ann").write_text(f"{spans}R1\tNear Arg1:T1 Arg2:T2\nA1\tSure T1\n", encoding="utf-8")
    (tmp_path / "b.txt").write_text("Eva\n", encoding="utf-8")
    survey = survey_corpus(tmp_path)
    assert codes(survey.warnings) == ["DN279", "DN286"]
    assert "a.ann, line 3 (Gil Ruiz PER)" in survey.warnings[1]
    assert survey.format.also == ["1 relations", "1 attributes"]
    one, two = survey.sentences()
    assert dict(zip(one.words, one.layers["ents"], strict=True)) == {
        **{"Ana": "B-PER", "vive": "O", "en": "O", "\r\n": "O", "Oslo": "B-LOC", "Sur": "I-LOC", ".": "O"},
        **{"Gil": "-", "y": "O", "Eva": "O", "Ruiz": "-"},
    }
    assert two.layers["ents"] == ["-", "-"]
    assert len(list(survey_corpus(tmp_path / "a.ann").sentences())) == 1
    number = "9" * 5000  # too long for int()
    (tmp_path / "a.ann").write_text(f"T1 PER 0 3 Ana\nT2\tX {number} 3\tx\n", encoding="utf-8")
    (error,) = survey_corpus(tmp_path).errors
    assert error.startswith("[DN285]") and "a.ann, line 1 ('T1 PER 0 3 Ana')" in error


WEBANNO = """#FORMAT=WebAnno TSV 3.3
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.lexmorph.type.pos.POS|PosValue|coarseValue
#T_SP=webanno.custom.Other|a|b
#T_SP=de.tudarmstadt.ukp.dkpro.core.api.ner.type.NamedEntity|identifier|value
#T_RL=de.tudarmstadt.ukp.dkpro.core.api.syntax.type.dependency.Dependency|DependencyType|BT_x


#Text=😀 Ana Gil \\n Oslo-Sur [x] .
1-1\t0-2\t😀\tX\t_\t_\t_\t_\t_\t_\t_\t
1-2\t3-6\tAna\tX\t_\t_\tq\t*[1]|*[2]\tPER[1]|A\\_B\\|C[2]\t_\t_\t
1-3\t7-10\tGil\tX\t_\t_\t_\t*[1]\tPER[1]\t_\t_\t
1-4\t13-21\tOslo-Sur\tX\t_\t_\t_\t_\t_\t_\t_\t
1-4.1\t13-17\tOslo\tX\t_\t_\t_\t*\tLOC\t_\t_\t
1-5\t22-25\t[x]\tX\t_\t_\t_\t*\tM\\;S\t_\t_\t
1-6\t26-27\t.\tX\t_\t_\t_\t_\t*\t_\t_\t

#Text=Eva
2-1\t28-31\tEva\tX\t_\t_\t_\t*\tPER\t_\t_\t
"""


def test_webanno_stacked_escaped_and_parts_of_tokens(write):
    survey = survey_corpus(write(WEBANNO, "a.tsv"))
    assert codes(survey.warnings) == ["DN279", "DN280"]
    assert "line 10 (Ana A_B|C)" in survey.warnings[0]
    assert survey.format.also[1] == "webanno.custom.Other"
    (doc,) = make_docs(survey.sentences(), Vocab())
    assert doc.text == "😀 Ana Gil \n Oslo-Sur [x] . Eva"
    assert [sent.text for sent in doc.sents][1] == "Eva"
    assert [(e.text, e.label_) for e in doc.ents] == [("Ana Gil", "PER"), ("[x]", "M;S"), ("Eva", "PER")]
    assert [token.text for token in doc if not token.ent_iob_] == ["Oslo-Sur", "."]
    assert "line 10" in survey_corpus(write(WEBANNO.replace("3-6", f"3-{'9' * 5000}"), "a.tsv")).errors[0]
    (error,) = survey_corpus(write(WEBANNO.replace("Gil\tX", "Eva\tX"), "a.tsv")).errors
    assert error.startswith("[DN287]") and "line 11" in error


def test_tags_that_are_numbers(write, tmp_path):
    path = write([{"tokens": ["Ana", "va", "x"], "ner_tags": [1, 0, -100]}])
    names = {"feature": {"names": ["O", "B-PER"], "_type": "ClassLabel"}, "_type": "Sequence"}
    (error,) = survey_corpus(path).errors
    assert "--tag-names" in error
    expected = {"ents": ["B-PER", "O", "-"]}
    assert next(survey_corpus(path, tag_names=["O", "B-PER"]).sentences()).layers == expected
    assert "numbers" in survey_corpus(path, tag_names=["O"]).errors[0]
    for info in ({"features": {"ner_tags": names}}, {"default": {"features": {"ner_tags": names}}}):
        (tmp_path / "dataset_info.json").write_text(json.dumps(info), encoding="utf-8")
        assert next(survey_corpus(path).sentences()).layers == expected
    (tmp_path / "dataset_info.json").unlink()
    head = "dataset_info:\n  features:\n  - name: ner_tags\n    sequence:\n      class_label:\n        names:\n"
    (tmp_path / "README.md").write_text(
        f"---\n{head}          '0': O\n          '1': B-PER\n---\n# x\n", encoding="utf-8"
    )
    assert next(survey_corpus(path).sentences()).layers == expected


def test_parquet_needs_pyarrow(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    with pytest.raises(CorpusError, match=r"DN342.*spacy-datnet\[parquet\]"):
        survey_corpus(tmp_path / "a.parquet")
