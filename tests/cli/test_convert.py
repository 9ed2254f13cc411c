"""python -m spacy_datnet convert."""

import gzip
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from spacy.tokens import DocBin
from spacy.vocab import Vocab
from typer.testing import CliRunner

from spacy_datnet.cli import app

CORPUS = "-DOCSTART- -X- O\n\nAna NNP I-PER\nvive VBZ O\n\nen IN O\nVigo NNP I-LOC\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def run(*arguments):
        return CliRunner().invoke(app, ["convert", *arguments])

    return run


def test_converts_and_says_what_it_found(run, tmp_path):
    (tmp_path / "in.conll").write_text(CORPUS, encoding="utf-8")
    result = run("in.conll", "out.spacy", "--lang", "es")
    assert result.exit_code == 0, result.output
    lines = [line.split(maxsplit=1) for line in result.stdout.splitlines() if line]
    assert [[name, text.strip()] for name, text in lines] == [
        ["Encoding", "utf-8 (detected)"],
        ["Columns", "3, separated by spaces; tokens in 1, tags in 3"],
        ["Scheme", "IOB1 (prefixes I)"],
        ["Documents", "1"],
        ["Sentences", "2"],
        ["Tokens", "4"],
        ["Entities", "2: LOC 1, PER 1"],
        ["Wrote", "out.spacy"],
    ]
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
    assert [(ent.text, ent.label_) for ent in doc.ents] == [("Ana", "PER"), ("Vigo", "LOC")]
    assert len(list(doc.sents)) == 2


def test_options(run, tmp_path):
    (tmp_path / "in.tsv").write_bytes("S-X\tpeña\tx\nO\ty\tx\n".encode("cp1252"))
    options = "--token-column 2 --tag-column -3 --encoding cp1252 --delimiter tab --scheme bioes"
    result = run("in.tsv", "out.spacy", *options.split())
    assert result.exit_code == 0, result.output
    assert "cp1252 (as named)" in result.stdout
    assert "BIOES (prefixes S)" in result.stdout
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
    assert [ent.text for ent in doc.ents] == ["peña"]


def test_repair_is_shown_and_no_error(run, tmp_path):
    (tmp_path / "in.conll").write_text("Ana B-PER\n\n" * 10 + "Ana I-PER\n", encoding="utf-8")
    result = run("in.conll", "out.spacy")
    assert result.exit_code == 0
    assert "[DN251] in.conll: 1 tag(s) break IOB2" in result.stderr
    assert "line 21 (Ana I-PER)" in result.stderr


def test_missing_annotation_is_counted(run, tmp_path):
    (tmp_path / "in.conll").write_text("Ana -\nvive O\n", encoding="utf-8")
    result = run("in.conll", "out.spacy")
    assert result.exit_code == 0
    assert "2, 1 of them not annotated" in result.stdout
    assert "DN253" in result.stderr
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
    assert [token.ent_iob for token in doc] == [0, 2]


@pytest.mark.parametrize(
    ("text", "arguments", "code"),
    [
        (None, ["in.conll", "out.spacy"], "DN201"),
        ("", ["in.conll", "out.spacy"], "DN207"),
        ("Ana NNP O\nvive O\nen IN O\n", ["in.conll", "out.spacy"], "DN208"),
        ("Ana PROPN\n", ["in.conll", "out.spacy"], "DN212"),
        ("Ana B-PER\n", ["in.conll", "absent.conll", "folder"], "DN201"),
        ("Ana B-PER\n", ["in.conll", "sub/in.conll.gz", "folder"], "DN249"),
        ("Ana B-PER\n", ["in.conll", "in.conll", "folder"], "DN249"),
        ("Ana B-PER\n", ["in.conll", "b.conll", "out.spacy"], "DN248"),
        ("Ana B-PER\n", ["in.conll", "*.conll", "folder"], "DN250"),
        ("Ana B-PER\n", ["*.conll", "."], "DN250"),
        ("Ana B-PER\n", ["a.zip:*/train.t?t", "."], "DN250"),
        ("Ana B-PER\n", ["in.conll", "a.spacy", "."], "DN220"),
        ("Ana B-PER\n", ["in.conll", "in.conll"], "DN220"),
        ("Ana B-PER\n", ["in.conll", "out"], "DN232"),
        ("Ana B-PER\n", ["in.conll", "out.spacy", "--lang", "qq"], "DN222"),
        ("Ana B-PER\n", ["in.conll", "out.spacy", "--encoding", "utf-9"], "DN204"),
    ],
)
def test_errors_leave_nothing_behind(run, tmp_path, text, arguments, code):
    if text is not None:
        (tmp_path / "in.conll").write_text(text, encoding="utf-8")
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    result = run(*arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: [{code}] ")
    assert "Traceback" not in result.output
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def entities_of(path):
    return [ent.text for doc in DocBin().from_disk(path).get_docs(Vocab()) for ent in doc.ents]


def test_several_corpora_to_a_folder(run, tmp_path):
    names = ["eng.train", "b.conll", "c.conllu.txt", "d.tsv.gz", "t[1].txt", ".conll"]
    outputs = ["eng.train", "b", "c.conllu", "d", "t[1]", ".conll"]
    for name in names:
        content = f"{name} B-X\n".encode()
        (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
    with zipfile.ZipFile(tmp_path / "z.zip", "w") as archive:
        archive.writestr("sub/f.txt", "f B-X\n")
    result = run(*names, "z.zip:sub/f.txt", "new/folder")
    assert result.exit_code == 0, result.output
    written = {path.name: entities_of(path) for path in (tmp_path / "new" / "folder").iterdir()}
    assert written == {"f.spacy": ["f"]} | {
        f"{output}.spacy": [name] for output, name in zip(outputs, names, strict=True)
    }
    assert [line for line in result.stdout.splitlines() if line.startswith("Wrote")] == [
        f"Wrote {Path('new', 'folder', name)}.spacy" for name in [*outputs, "f"]
    ]


def test_one_corpus_to_a_folder_that_exists(run, tmp_path):
    (tmp_path / "in.conll").write_text("Ana B-PER\n", encoding="utf-8")
    assert run("in.conll", ".").exit_code == 0
    assert entities_of(tmp_path / "in.spacy") == ["Ana"]
    (tmp_path / "in.spacy").unlink()
    (tmp_path / "a.spacy").mkdir()
    assert run("in.conll", "a.spacy").exit_code == 0
    assert entities_of(tmp_path / "a.spacy" / "in.spacy") == ["Ana"]


def test_nothing_is_written_if_one_of_several_is_wrong(run, tmp_path):
    (tmp_path / "a.conll").write_text("Ana B-PER\n", encoding="utf-8")
    (tmp_path / "b.conll").write_text("Ana PROPN\n", encoding="utf-8")
    result = run("a.conll", "b.conll", ".")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: [DN212] b.conll")
    assert {path.name for path in tmp_path.iterdir()} == {"a.conll", "b.conll"}


def test_as_a_module(tmp_path):
    (tmp_path / "in.conll").write_text(CORPUS, encoding="utf-8")
    command = [sys.executable, "-m", "spacy_datnet", "convert", "in.conll", "out.spacy"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out.spacy").exists()
    command[-2] = "absent.conll"
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: [DN201] absent.conll")


CHUNKS = "Ana NNP B-NP\nno RB B-VP\nvive VBZ I-VP\n\nNada _ O\n"
UD = "# newdoc\n1\tAna\t_\tPROPN\tNP\t_\t_\t_\t_\tSpaceAfter=No\n2\t.\t_\tPUNCT\t_\t_\t_\t_\t_\t_\n"
TREES = "( (S (NP (NNP Ana)) (VP (VBZ vive)) (. .)) )\n"


def rows_of(result):
    lines = [line.split("  ", maxsplit=1) for line in result.stdout.splitlines() if line]
    return {line[0]: line[1].strip() for line in lines if len(line) == 2}


def test_chunks_and_tags(run, tmp_path):
    (tmp_path / "in.conll").write_text(CHUNKS, encoding="utf-8")
    result = run("in.conll", "out.spacy", "--annotation", "tag=2", "--annotation", "spans:np=3")
    assert result.exit_code == 0, result.output
    assert rows_of(result) == {
        "Encoding": "utf-8 (detected)",
        "Columns": "3, separated by spaces; tokens in 1, tag in 2, spans:np in 3",
        "Scheme (spans:np)": "IOB2 (prefixes B, I)",
        "Documents": "2 (one per sentence)",
        "Sentences": "2",
        "Tokens": "4, 1 of them not annotated with tag",
        "Tags (tag)": "3: NNP 1, RB 1, VBZ 1",
        "Spans (np)": "2: NP 1, VP 1",
    }
    first, second = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
    assert [token.tag_ for token in first] == ["NNP", "RB", "VBZ"]
    assert [(span.text, span.label_) for span in first.spans["np"]] == [("Ana", "NP"), ("no vive", "VP")]
    assert not second.has_annotation("TAG")
    assert "np" in second.spans


def test_conllu(run, tmp_path):
    (tmp_path / "in").write_text(UD, encoding="utf-8")
    result = run("in", "out.spacy")
    assert result.exit_code == 0, result.output
    assert rows_of(result) == {
        "Encoding": "utf-8 (detected)",
        "Format": "CoNLL-U (detected)",
        "Documents": "1",
        "Sentences": "1",
        "Tokens": "2, 1 of them not annotated with tag",
        "Tags (pos)": "2: PROPN 1, PUNCT 1",
        "Tags (tag)": "1: NP 1",
    }
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
    assert doc.text == "Ana. "
    assert [(token.pos_, token.tag_) for token in doc] == [("PROPN", "NP"), ("PUNCT", "")]


def test_trees_with_a_label_map(run, tmp_path):
    (tmp_path / "in.mrg").write_text(TREES, encoding="utf-8")
    (tmp_path / "map.yaml").write_text("NNP: PROPN\nVBZ: VERB\n'.': PUNCT\n", encoding="utf-8")
    result = run("*.mrg", "out.spacy", "--annotation", "pos", "--label-map", "map.yaml", "--format", "brackets")
    assert result.exit_code == 0, result.output
    assert rows_of(result)["Format"] == "bracketed trees (as named)"
    (doc,) = DocBin().from_disk(tmp_path / "out.spacy").get_docs(Vocab())
    assert [(token.text, token.pos_) for token in doc] == [("Ana", "PROPN"), ("vive", "VERB"), (".", "PUNCT")]


def test_many_labels_are_not_all_shown(run, tmp_path):
    text = "".join(f"a\tt{i}\n" * (60 - i) for i in range(60))
    (tmp_path / "in.tsv").write_text(text, encoding="utf-8")
    result = run("in.tsv", "out.spacy", "--annotation", "tag")
    assert not [line for line in result.stdout.splitlines() if line.endswith(" ")]
    row = rows_of(result)["Tags (tag)"]
    assert row.endswith(", and 10 rarer ones")
    assert "t0 60" in row
    assert "t50" not in row


@pytest.mark.parametrize(
    ("name", "text", "arguments", "code"),
    [
        ("in.conllu", UD.replace("\tPUNCT", ""), [], "DN234"),
        ("in.conllu", UD.replace("PUNCT", "PONCT"), [], "DN243"),
        ("in.conllu", UD, ["--tag-column", "4", "--format", "conllu"], "DN239"),
        ("in.conllu", UD, ["--annotation", "ents"], "DN233"),
        ("in.mrg", TREES + ")", [], "DN235"),
        ("in.mrg", TREES, ["--label-map", "map.yaml"], "DN237"),
        ("in.mrg", TREES, ["--label-map", "pos=map.yaml"], "DN241"),
        ("in.mrg", TREES, ["--label-map", "absent.yaml"], "DN201"),
        ("in.mrg", TREES, ["--label-map", "in.mrg"], "DN236"),
        ("in.mrg", TREES, ["--label-map", "map.yaml", "--label-map", "map.yaml"], "DN247"),
        ("in.mrg", TREES, ["--label-map", "map.yaml", "--label-map", "tag=map.yaml"], "DN247"),
        ("in.mrg", TREES, ["--label-map", "tag=map.yaml", "--label-map", "tag=map.yaml"], "DN247"),
        ("in.conll", CHUNKS, ["--annotation", "tag=2", "--annotation", "tag=3"], "DN247"),
        ("in.conll", CHUNKS, ["--annotation", "chunks"], "DN240"),
        ("in.conll", CHUNKS, ["--annotation", "spans:np=2"], "DN212"),
        ("in.conll", CHUNKS, ["--annotation", "pos=2"], "DN243"),
    ],
)
def test_errors_in_other_annotation_leave_nothing_behind(run, tmp_path, name, text, arguments, code):
    (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "map.yaml").write_text("NNP: PROPN\n", encoding="utf-8")
    result = run(name, "out.spacy", *arguments)
    assert result.exit_code == 1
    assert result.stderr.startswith(f"Error: [{code}] ")
    assert {path.name for path in tmp_path.iterdir()} == {name, "map.yaml"}
