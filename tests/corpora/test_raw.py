"""Raw text out of all kinds of files, whole and in parts."""

import json
from datetime import date
from itertools import pairwise

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import spacy
from spacy.tokens import Doc, DocBin
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, Part, raw_files, read_part, read_raw

NLP = spacy.blank("es")


def lines(path, *texts, end="\n"):
    path.write_bytes(end.join(texts).encode("utf8"))
    return path


def test_each_kind_of_file_gives_texts_fields_and_places(tmp_path):
    lines(tmp_path / "a.txt", "\ufeffAna vive.", "", "  en Madrid ", end="\r\n")
    lines(tmp_path / "b.jsonl", json.dumps({"id": 7, "text": "Sí 🎈", "meta": {"x": [1]}}), "", '{"text": ""}')
    rows = [{"text": "uno", "when": date(2020, 1, 2), "id": 1}, {"text": "dos", "when": None, "id": 2}]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "c.parquet")
    doc = Doc(Vocab(), words=["de", "el", "no"], spaces=[False, True, False], sent_starts=[True, False, True])
    doc.user_data["meta"] = {"id": "d1"}
    DocBin(docs=[doc], store_user_data=True).to_disk(tmp_path / "sub.spacy")
    lines(tmp_path / "d.csv", "no,text")

    found = list(read_raw([tmp_path, tmp_path / "a.*"]))
    assert [(raw.text, raw.meta) for raw in found] == [
        ("Ana vive.", {}),
        ("  en Madrid ", {}),
        ("Sí 🎈", {"id": 7, "meta": {"x": [1]}}),
        ("", {}),
        ("uno", {"when": "2020-01-02", "id": 1}),
        ("dos", {"when": None, "id": 2}),
        ("deel no", {"id": "d1"}),
    ]
    assert [(raw.place.unit, raw.place.line) for raw in found] == [
        *[("line", number) for number in (1, 3, 1, 3)],
        *[("row", 1), ("row", 2), ("Doc", 1)],
    ]
    assert [token.text for token in found[0].make_doc(NLP)] == ["Ana", "vive", "."]
    made = found[-1].make_doc(NLP)
    assert [token.text for token in made] == ["de", "el", "no"] and made.text == "deel no"
    assert [len(sent) for sent in made.sents] == [2, 1]


@pytest.mark.parametrize("suffix", [".txt", ".jsonl", ".parquet", ".spacy"])
def test_parts_make_the_whole(suffix, tmp_path):
    path, texts = tmp_path / f"x{suffix}", [f"número {i}" for i in range(600)]
    if suffix == ".parquet":
        pq.write_table(pa.table({"text": texts}), path, row_group_size=170)
    elif suffix == ".spacy":
        DocBin(docs=[NLP.make_doc(text) for text in texts]).to_disk(path)
    else:
        lines(path, *(text if suffix == ".txt" else json.dumps({"text": text}) for text in texts))
    borders = [(0, 1), (255, 256), (300, 301), (600, 601)]
    if suffix in (".txt", ".jsonl"):
        data = path.read_bytes().splitlines(keepends=True)
        borders = [(sum(map(len, data[:start])), first) for start, first in borders]
    parts = [Part(path, start, stop, first) for (start, first), (stop, _) in pairwise(borders)]
    found = [list(read_part(part)) for part in parts]
    assert [len(part) for part in found] == [255, 45, 300]
    assert [(raw.text, raw.place.line) for part in found for raw in part] == list(
        zip(texts, range(1, 601), strict=True)
    )


def test_what_is_no_record_is_told_with_its_place_and_the_rest_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_datnet.corpora.raw.MAX_BYTES", 40)
    bad = [b'{"text": 3}', b"[1]", b'{"x": "a"}', b"{", b'{"text": "\\ud83d"}', b'{"text": "\xff"}', b"a\0", b"x" * 99]
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join([line for one in bad for line in (one, b'{"text": "a"}')]))
    noted = []
    found = list(read_raw([path], lambda place, record: noted.append((place, record))))
    assert [raw.place.line for raw in found] == [2, 4, 6, 8, 10, 12, 14, 16]
    assert [place.line for place, _ in noted] == [1, 3, 5, 7, 9, 11, 13, 15]
    assert noted[0][1] == '{"text": 3}' and "string" in str(noted[0][0])
    with pytest.raises(CorpusError, match=r"DN341.*a\.jsonl, line 1 \(there is no 'text'"):
        list(read_raw([path]))
    table = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": ["a", None, "b"]}), table)
    noted.clear()
    assert [raw.text for raw in read_raw([table], lambda *one: noted.append(one))] == ["a", "b"]
    assert [place.line for place, _ in noted] == [2]


def test_files_that_are_none_of_raw_text(tmp_path):
    lines(tmp_path / "a.csv", "a")
    pq.write_table(pa.table({"tekst": ["a"]}), tmp_path / "b.parquet")
    lines(tmp_path / "c.parquet", "no parquet")
    lines(tmp_path / "d.spacy", "no docs")
    for name, message in [
        ("no.txt", "DN201"),
        ("a.csv", "DN340"),
        ("b.parquet", "DN343.*tekst"),
        ("c.parquet", "DN202"),
        ("d.spacy", "DN221"),
    ]:
        with pytest.raises(CorpusError, match=message):
            list(read_raw([tmp_path / name]))
    with pytest.raises(CorpusError, match="DN201"):
        raw_files([tmp_path / "empty*"])


def test_parquet_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(CorpusError, match=r"DN342.*spacy-datnet\[parquet\]"):
        list(read_raw([lines(tmp_path / "a.parquet", "a")]))
