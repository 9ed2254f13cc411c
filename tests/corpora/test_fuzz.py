"""Damaged files of every kind: nothing but a CorpusError may come out, and it names the file.

By default each kind is tried for a moment; SPACY_DATNET_FUZZ_SECONDS says how long otherwise.
"""

import gzip
import io
import json
import os
import random
import tempfile
import time
import zipfile
import zlib
from contextlib import suppress
from pathlib import Path

import pytest
import srsly
from spacy.tokens import Doc, DocBin, Span
from spacy.vocab import Vocab

from spacy_datnet.corpora import CorpusError, make_docs, read_docbin, read_label_map, survey_corpus, write_sample
from spacy_datnet.corpora.formats.parquet import write_parquet

SECONDS = float(os.environ.get("SPACY_DATNET_FUZZ_SECONDS", 0.4))

COLUMNS = "-DOCSTART- -X- O\n\n# id = 1\nAna NNP B-PER\nvive VBZ O\nen IN O\nNueva NNP B-LOC\nYork NNP I-LOC\n\n¡ . O\n"
TABBED = "1\tAna\tB-PER\tO\n2\tvive\tO\tO\n3\tOslo\tI-LOC\tB-X\n\n1\tfr:a\t-\tO\n\n"
CONLLU = (
    "# newdoc\n# text = x\n1-2\tal\t_\t_\t_\t_\t_\t_\t_\tSpaceAfter=No\n1\ta\t_\tADP\tE\t_\t0\troot\t_\tname=B-X|A=b\n"
    "2\tel\t_\tDET\t_\t_\t1\tdet\t_\tname=O\n2.1\tx\t_\t_\t_\t_\t_\t_\t_\t_\n\n1\tb\t_\tX\t_\t_\t0\troot\t_\t_\n"
)
BRACKETS = "( (S (NP-SBJ (NNP Ana) (-NONE- *)) (VP (VBZ vive)) (. .)) )\n(S (NN x) (-LRB- -LRB-))\n"
CSV = 'Sentence #,Word,POS,Tag\nSentence: 1,Ana,NNP,B-per\n,",",VBZ,O\nSentence: 2,"a ""b""",UH,O\n'
WIDE = "text,labels\nAna vive en Oslo,B-per O O B-geo\n\"a b\",\"['O', 'B-x']\"\n"
PRODIGY = {
    "text": "Ana 😀 vive",
    "spans": [{"start": 0, "end": 3, "label": "PER"}],
    "tokens": [{"start": 0, "end": 3, "ws": True}, {"start": 6, "end": 10}],
    "answer": "accept",
    "meta": {"a": [1, None]},
}
DOCCANO = {"id": 1, "text": "Ana vive", "label": [[0, 3, "PER"], [4, 8, "X"]], "Comments": []}
VALUE = {"start": 0, "end": 3, "text": "Ana", "labels": ["PER"]}
LABELSTUDIO = {
    "id": 3,
    "data": {"text": "Ana vive", "n": 1},
    "annotations": [{"result": [{"type": "labels", "to_name": "text", "value": VALUE}], "was_cancelled": False}],
    "predictions": [],
}


WEBANNO = (
    "#FORMAT=WebAnno TSV 3.3\n#T_SP=x.NamedEntity|identifier|value\n#T_RL=y|BT_x\n\n\n#Sentence.id=1.1\n"
    "#Text=😀 Ana\\tGil vive\n1-1\t0-2\t😀\t_\t_\t_\t\n1-2\t3-6\tAna\t*[1]|*[2]\tPER[1]|A\\_B[2]\t_\t\n"
    "1-3\t7-10\tGil\t*[1]\tPER[1]\t_\t\n1-3.1\t7-8\tG\t*\t*\t_\t\n\n#Text=Eva\n2-1\t16-19\tEva\t_\t_\t_\n"
)
BRAT = "T1\tPER 0 3\tAna\nT2\tLOC 6 9;10 14\tGil Oslo\nR1\tNear Arg1:T1 Arg2:T2\nA1\tSure T1\n#1\tNote T1\tx\n"
CONLL_2012 = (
    "#begin document (a); part 000\na 0 0 Ana NNP (S* - - - x (PER* * (1\na 0 1 Gil N *) - - - x *) 1)\n\n"
    "#end document\n"
)
NUMBERED = {"tokens": ["a"], "ner_tags": [1]}
PLUS = "# global.columns = ID FORM UPOS NER MISC\n1\tAna\tX\tB-PER\t_\n2\tva\tX\tO\tSpaceAfter=No\n\n"


def parquet():
    path = Path(tempfile.mkdtemp()) / "a.parquet"
    write_parquet([["Ana", "va"], []], [[1, 0], []], ["O", "B-PER"], path)
    return path.read_bytes()


def zipped(compression):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        archive.writestr("sub/a.conll", COLUMNS)
        archive.writestr("é.conll", TABBED)
    return file.getvalue()


def docbin():
    doc = Doc(Vocab(), words=["a", "b", "c"], tags=["x", "y", ""], pos=["NOUN", "", "X"], ents=["B-A", "O", None])
    doc.spans["sc"] = [Span(doc, 0, 2, label="L")]
    tree = Doc(Vocab(), words=["a", "b"], heads=[1, 1], deps=["d", "r"], sent_starts=[True, False], morphs=["A=b", ""])
    return DocBin(docs=[doc, tree, Doc(Vocab())]).to_bytes()


NUMBERS = [b"0", b"-1", b"1", b"99", b"2147483648", b"1e400", b"NaN", b"null", b"true", b'"x"', b"[]", b"{}", b"0.5"]
PIECES = [
    b"\t",
    b" ",
    b"\n",
    b"\r",
    b"\n\n",
    b"#",
    b"-",
    b"_",
    b"O",
    b"B-",
    b"I-X",
    b"-DOCSTART-",
    b"(",
    b")",
    b'"',
    b",",
]
PIECES += [
    b"\xff",
    b"\0",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    "é".encode(),
    "😀".encode(),
    b"\xe2\x80\xa8",
    b"1-2\t",
    b"fr:",
]
PIECES += [b"{", b"}", b"[", b"]", b":", b"\\ud800", b"&a", b"*a", b"!!python/object:x", b"---\n", b"%", b"'", b"?"]


def mutate(data, rng):
    data = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 4, 16])):
        i, j = sorted(rng.randrange(len(data) + 1) for _ in range(2))
        what = rng.randrange(7)
        if what == 0 and data:
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        elif what == 1:
            del data[i : min(j, i + rng.choice([1, 3, 1000]))]
        elif what == 2:
            data[i:i] = rng.choice(PIECES)
        elif what == 3:
            data[i:i] = data[i : min(j, i + 40)]
        elif what == 4:
            data[i:i] = rng.randbytes(rng.choice([1, 4]))
        elif what == 5:
            data[i : i + rng.choice([0, 1, 2])] = rng.choice(NUMBERS)
        else:
            lines = data.split(b"\n")
            k = rng.randrange(len(lines))
            lines.insert(rng.randrange(len(lines) + 1), lines[k])
            data = bytearray(b"\n".join(lines))
    return bytes(data)


def mutate_docbin(data, rng):
    """Damage what is packed, and not only the package."""
    if rng.random() < 0.2:
        return mutate(data, rng)
    message = srsly.msgpack_loads(zlib.decompress(data))
    key = rng.choice(sorted(message))
    value = message[key]
    if isinstance(value, bytes):
        message[key] = mutate(value, rng)
    elif rng.random() < 0.3:
        del message[key]
    elif isinstance(value, list) and value and rng.random() < 0.8:
        i = rng.randrange(len(value))
        bad = [0, -1, 10**6, None, "", "x", b"", True, [], {}, 2**63, value[0], [*value]]
        value[i] = mutate(value[i], rng) if isinstance(value[i], bytes) else rng.choice(bad)
        if rng.random() < 0.3:
            del value[rng.randrange(len(value))]
    else:
        message[key] = rng.choice([None, [], {}, b"", 0, "x"])
    return zlib.compress(srsly.msgpack_dumps(message))


def mutate_inside(data, rng):
    """Damage what is compressed."""
    return gzip.compress(mutate(gzip.decompress(data), rng)) if rng.random() < 0.5 else mutate(data, rng)


def lines(*records):
    return "".join(
        json.dumps(one, ensure_ascii=rng_free) + "\n" for rng_free in (True, False) for one in records
    ).encode()


KINDS = {
    "brat": ("a.ann", [BRAT.encode()], mutate),
    "webanno": ("a.tsv", [WEBANNO.encode()], mutate),
    "parquet": ("a.parquet", [parquet()], mutate),
    "conllu plus": ("a.conllup", [PLUS.encode(), PLUS.replace("ID", "NE").encode()], mutate),
    "conll 2012": ("a.conll", [CONLL_2012.encode()], mutate),
    "columns": ("a.conll", [COLUMNS.encode(), TABBED.encode(), COLUMNS.encode("utf-16")], mutate),
    "conllu": ("a.conllu", [CONLLU.encode()], mutate),
    "conllu without a name": ("a", [CONLLU.encode()], mutate),
    "brackets": ("a.mrg", [BRACKETS.encode()], mutate),
    "csv": ("a.csv", [CSV.encode(), WIDE.encode(), CSV.replace(",", "\t").encode()], mutate),
    "prodigy": ("a.jsonl", [lines(PRODIGY)], mutate),
    "doccano": ("a.jsonl", [lines(DOCCANO), json.dumps([DOCCANO]).encode()], mutate),
    "hf": (
        "a.jsonl",
        [lines({"tokens": ["a", "b"], "ner_tags": ["B-X", "O"]}), lines(NUMBERED)],
        mutate,
    ),
    "labelstudio": ("a.json", [json.dumps([LABELSTUDIO, LABELSTUDIO]).encode(), lines(LABELSTUDIO)], mutate),
    "json without a name": ("a", [lines(PRODIGY), lines(DOCCANO), json.dumps([LABELSTUDIO]).encode()], mutate),
    "gzip": ("a.gz", [gzip.compress(COLUMNS.encode())], mutate_inside),
    "zip": (
        "a.zip:*/a.conll",
        [zipped(zipfile.ZIP_DEFLATED), zipped(zipfile.ZIP_LZMA), zipped(zipfile.ZIP_BZIP2)],
        mutate,
    ),
    "zip without a member": ("a.zip", [zipped(zipfile.ZIP_DEFLATED), zipped(zipfile.ZIP_STORED)], mutate),
}


def read(location):
    survey = survey_corpus(location)
    if not survey.errors:
        for doc in make_docs(survey.sentences(), Vocab()):
            _ = [(token.text, token.tag_, token.pos_, token.ent_type_) for token in doc], doc.text


def sample(location):
    for path in (location.parent / "out.conll", location.parent / "out.spacy"):
        with suppress(CorpusError):
            write_sample(location, path, count=1, seed=0)


def hammer(tmp_path, name, seeds, mutation, target):
    """Try damaged files until the time is up; name the seed of the first that raises anything else."""
    path = tmp_path / name.partition(":")[0]
    start, n = time.monotonic(), 0
    while time.monotonic() - start < SECONDS:
        rng = random.Random(n)
        data = mutation(rng.choice(seeds), rng)
        path.write_bytes(data)
        try:
            target(tmp_path / name)
        except CorpusError as error:
            assert str(error).startswith("[DN2")
            assert str(path.with_suffix("")) in str(error)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__} at seed {n}: {error}; {data[:2000]!r}") from error
        n += 1
    assert n


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", KINDS)
def test_damaged_corpora(tmp_path, kind):
    name, seeds, mutation = KINDS[kind]
    (tmp_path / "a.txt").write_text("Ana 😀 Gil Oslo", encoding="utf-8")  # of brat
    hammer(tmp_path, name, seeds, mutation, read)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", [read, lambda path: list(read_docbin(path, Vocab()))], ids=["survey", "docs"])
def test_damaged_docbins(tmp_path, target):
    hammer(tmp_path, "a.spacy", [docbin()], mutate_docbin, target)


@pytest.mark.parametrize("name", ["map.yaml", "map.toml"])
def test_damaged_label_maps(tmp_path, name):
    seeds = [b"NN: NOUN\n'*': \"*\"\nUH: null\n", b"a: {b: c}\n"]
    if name.endswith("toml"):
        seeds = [b'NN = "NOUN"\n"*" = "*"\n', b'[a]\nb = "c"\n']
    hammer(tmp_path, name, seeds, mutate, read_label_map)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", ["columns", "conllu", "brackets"])
def test_damaged_corpora_to_sample_from(tmp_path, kind):
    name, seeds, mutation = KINDS[kind]
    hammer(tmp_path, name, seeds, mutation, sample)
