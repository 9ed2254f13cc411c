"""spacy-datnet init, and the project that it writes."""

import gzip
import json
import random
import re
import shlex
import shutil
from pathlib import Path

import pytest
import spacy
import srsly
from spacy.cli import app as spacy_app
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from spacy.training.initialize import init_nlp
from spacy.util import load_config, registry
from typer.testing import CliRunner

from spacy_datnet.cli import app
from spacy_datnet.corpora import read_docbin

PEOPLE = {"es": ["Ana", "Begoña", "Carlos", "Diego", "Elena"], "en": ["Anna", "Bob", "Carol", "David", "Ellen"]}
PLACES = {"es": ["Sevilla", "Lugo", "Murcia", "Toledo"], "en": ["London", "Leeds", "Madrid", "York"]}
FRAMES = {
    "es": [
        "{p} vive en {l} desde que era muy joven .",
        "Ayer {p} no pudo ir a {l} con los suyos .",
        "¿ Dónde está {l} ?",
    ],
    "en": [
        "{p} has been living in {l} for a long time .",
        "Yesterday {p} could not go to {l} with them .",
        "Where is {l} ?",
    ],
}


def rows(lang: str, count: int, seed: int, rename: dict | None = None) -> list[list[str]]:
    """Sentences as rows of a column file."""
    chosen = random.Random(seed)
    sentences = []
    for _ in range(count):
        person, place = chosen.choice(PEOPLE[lang]), chosen.choice(PLACES[lang])
        words = chosen.choice(FRAMES[lang]).format(p=person, l=place).split()
        words = [word + str(chosen.randint(1, 99)) if word in (person, place) else word for word in words]
        tags = ["O"] * len(words)
        for i, word in enumerate(words):
            for name, label in ((person, "PER"), (place, "LOC")):
                if word.startswith(name):
                    tags[i] = f"B-{(rename or {}).get(label, label)}"
        sentences.append([f"{word}\t{tag}" for word, tag in zip(words, tags, strict=True)])
    return sentences


def write(path: Path, sentences: list[list[str]]) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n\n".join("\n".join(lines) for lines in sentences) + "\n", encoding="utf8")
    return str(path)


@pytest.fixture
def files(tmp_path, monkeypatch) -> dict[str, str]:
    monkeypatch.chdir(tmp_path)
    return {
        "target": write(tmp_path / "my files" / "target es.conll", rows("es", 40, 1)),
        "source": write(tmp_path / "my files" / "source.en.conll", rows("en", 150, 2)),
        "dev": write(tmp_path / "my files" / "dev.es.conll", rows("es", 30, 3)),
        "test": write(tmp_path / "my files" / "test.es.conll", rows("es", 30, 4)),
        "many": write(tmp_path / "my files" / "many.es.conll", rows("es", 250, 5)),
    }


def init(*arguments: str):
    return CliRunner().invoke(app, ["init", *arguments])


def options(files: dict[str, str], *roles: str) -> list[str]:
    return [part for role in roles for part in (f"--{role}", files[role])]


def steps(folder: str = "out") -> dict[str, dict]:
    return {command["name"]: command for command in srsly.read_yaml(f"{folder}/project.yml")["commands"]}


def run_steps(*wanted: str) -> str:
    """Run steps of the project in the current folder in this process, all if none is named, and return the output."""
    shown = ""
    texts = srsly.read_yaml("project.yml")["vars"]
    for name, step in steps(".").items():
        if wanted and name not in wanted:
            continue
        resolved = [(key, srsly.json_dumps(step.get(key, []))) for key in ("script", "deps", "outputs")]
        for var, value in texts.items():
            resolved = [(key, text.replace(f"${{vars.{var}}}", value)) for key, text in resolved]
        script, deps, outputs = (srsly.json_loads(text) for _, text in resolved)
        assert all(Path(path).exists() for path in deps), (name, deps)
        for line in script:
            _, _, module, *arguments = shlex.split(line)
            found = CliRunner().invoke({"spacy": spacy_app, "spacy_datnet": app}[module], arguments)
            assert found.exit_code == 0, (line, found.output, found.exception)
            shown += found.output
        assert all(Path(path).exists() for path in outputs), (name, outputs)
    return shown


def shorten(steps: int) -> None:
    """Let all trainings of the project in the current folder end after so many steps."""
    for name in ("config.cfg", "spacy.cfg", "grid.yaml", "final.yaml"):
        if Path(name).exists():
            text = Path(name).read_text(encoding="utf8")
            text = re.sub(r"(max_steps ?[=:]) \d+", rf"\1 {steps}", text)
            Path(name).write_text(re.sub(r"(eval_frequency ?[=:]) \d+", rf"\1 {steps}", text), encoding="utf8")


def test_the_project_goes_from_files_to_a_wheel(files, monkeypatch):
    found = init("out", *options(files, "target", "source", "dev", "test"), "--quick")
    assert found.exit_code == 0, found.output
    monkeypatch.chdir("out")
    shorten(2)
    last = run_steps().strip().splitlines()[-1]
    metrics = srsly.read_json("metrics.json")
    assert set(metrics["scores"]) == {"base", "spaCy ner", "DATNet-F"}
    assert last.startswith(
        f"{metrics['chosen']} reaches {metrics['scores'][metrics['chosen']]['sentences']:.1f} F1 on 30"
    )
    (wheel,) = Path("packages/es_out-0.1.0/dist").glob("*.whl")
    assert wheel.name in last and "source" in last
    nlp = spacy.load("export")
    assert nlp.pipe_names[0] == "sentencizer"
    assert len(list(nlp("Ana vive en Lugo. Carlos no.").sents)) == 2
    assert "DATNet-F" in Path("report.html").read_text(encoding="utf8")
    assert "3 runs, 3 of them done" in run_steps("train")
    # what was trained belongs to its corpora: other sentences are trained on again
    write(Path("assets/target.conll"), rows("es", 35, 9))
    run_steps("convert")
    shown = CliRunner().invoke(app, ["run", "grid.yaml", "training", "--show", "--dry"])
    assert "3 runs, 0 of them done" in shown.output


def test_a_small_target_is_crossed_and_then_trains_whole(files, tmp_path, monkeypatch):
    other = write(tmp_path / "other.en.conll", rows("en", 40, 2, rename={"PER": "HUMAN"}))
    assert init("out", "--target", write(tmp_path / "ten es.conll", rows("es", 9, 1)), "--source", other).exit_code == 0
    monkeypatch.chdir("out")
    shorten(1)
    steps_but_wheel = [name for name in steps(".") if name not in ("check", "report", "package", "conclude")]
    run_steps(*steps_but_wheel)
    judged = srsly.read_json("metrics.json")
    assert judged["test"] == 9 and all(score["seeds"] == 1 for score in judged["scores"].values())
    (final,) = Path("training/final").iterdir()
    assert spacy.load(final / "model-best").pipe_names[0] in ("datnet_ner", "tok2vec")
    assert spacy.load("export").pipe_names[0] == "sentencizer"


def test_spacy_reads_both_corpora_as_one(files, monkeypatch):
    """The reader of spaCy's own component gives what spaCy's reader gives of a folder with both files."""
    assert init("out", *options(files, "target", "source", "dev", "test")).exit_code == 0
    monkeypatch.chdir("out")
    run_steps("convert")
    Path("both").mkdir()
    for name in ("source", "target"):
        shutil.copy(f"corpus/{name}.spacy", f"both/{name}.spacy")
    config = load_config("spacy.cfg", interpolate=True)
    nlp = spacy.blank("es")
    mine = registry.resolve(config["corpora"])["train"](nlp)
    theirs = Corpus("both", gold_preproc=True)(nlp)
    assert [eg.reference.to_json() for eg in mine] == [eg.reference.to_json() for eg in theirs]


def test_entities_of_other_labels_are_dropped(files, tmp_path):
    other = write(tmp_path / "other.en.conll", rows("en", 150, 2, rename={"PER": "HUMAN"}))
    assert init("out", *options(files, "target", "test"), "--source", other).exit_code == 0
    config = load_config("out/spacy.cfg")
    assert config["nlp"]["pipeline"] == ["tok2vec", "ner", "label_filter"]
    nlp = spacy.blank("es")
    nlp.add_pipe(**{"factory_name": "datnet_label_filter", "config": {"labels": ["PER"]}})
    doc = Doc(nlp.vocab, words=["Ana", "y", "Bob"], ents=["B-PER", "O", "B-HUMAN"])
    assert [ent.label_ for ent in nlp(doc).ents] == ["PER"]


def test_what_is_found_and_chosen_is_said(files):
    found = init("out", *options(files, "target", "source", "dev", "test"))
    assert found.exit_code == 0, found.output
    for text in (
        "40 sentences",
        "150 sentences",
        "LOC",
        "language: es",
        "DATNet-F",
        "Chosen",
        "steps: 300",
        "project run all",
    ):
        assert text in found.stdout, text
    assert "To change it" in found.stdout
    readme = Path("out/README.md").read_text(encoding="utf8")
    assert "40 sentences" in readme and "| steps | 300 |" in readme


@pytest.mark.parametrize(
    ("roles", "transfer", "pieces"),
    [
        (["target", "source", "dev", "test"], "full", []),
        (["target"], "none", ["--folds 3"]),
        (["target", "dev"], "none", []),
        (["target", "test"], "none", []),
    ],
)
def test_every_config_can_be_trained(files, roles, transfer, pieces, monkeypatch):
    assert init("out", *options(files, *roles)).exit_code == 0
    monkeypatch.chdir("out")
    run_steps("convert", "split")
    script = " ".join(line for step in steps(".").values() for line in step["script"])
    assert all(piece in script for piece in pieces)
    assert ("split" in steps(".")) == bool(pieces)
    config = load_config("config.cfg")
    assert config["components"]["datnet_ner"]["model"]["transfer"] == transfer
    init_nlp(config)
    variants = srsly.read_yaml("grid.yaml")["variants"]
    assert list(variants)[:2] == ["base", "spaCy ner"]
    for variant in variants.values():
        overrides = variant.get("overrides") or {}
        nlp = init_nlp(load_config(variant["config"], overrides=overrides, interpolate=False))
        assert nlp.pipe_names == (["datnet_ner"] if variant["config"] == "config.cfg" else ["tok2vec", "ner"])


def test_a_large_target_is_split_and_a_small_one_never(files):
    assert init("large", "--target", files["many"], "--source", files["source"]).exit_code == 0
    assert "--dev 50 --test 50" in steps("large")["split"]["script"][0]
    assert init("small", "--target", files["target"], "--source", files["source"]).exit_code == 0
    assert "--dev 0 --test 0 --folds 3" in steps("small")["split"]["script"][0]
    assert "--final final.yaml" in steps("small")["export"]["script"][0]
    config = load_config("small/config.cfg", interpolate=True)
    assert config["training"]["patience"] == 0 and config["training"]["before_to_disk"] is None
    assert config["training"]["eval_frequency"] == config["training"]["max_steps"]


def test_same_sentences_stay_on_one_side(files, tmp_path):
    same = rows("es", 30, 1) * 4 + rows("es", 100, 2)
    write(tmp_path / "same.conll", same)
    runner = CliRunner()
    assert runner.invoke(app, ["convert", "same.conll", "same.spacy", "--lang", "es"]).exit_code == 0
    arguments = ["project", "split", "same.spacy", "parts", "--lang", "es", "--dev", "40", "--test", "40"]
    assert runner.invoke(app, arguments).exit_code == 0
    vocab = spacy.blank("es").vocab
    parts = {name: [d.text for d in read_docbin(f"parts/{name}.spacy", vocab)] for name in ("train", "dev", "test")}
    assert sum(map(len, parts.values())) == len(same)
    assert all(len(parts[name]) >= 40 for name in ("dev", "test"))
    texts = [set(found) for found in parts.values()]
    assert not texts[0] & texts[1] and not texts[0] & texts[2] and not texts[1] & texts[2]


def test_folds_cover_everything_once(files):
    runner = CliRunner()
    assert runner.invoke(app, ["convert", files["target"], "t.spacy", "--lang", "es"]).exit_code == 0
    assert runner.invoke(app, ["project", "split", "t.spacy", "p", "--lang", "es", "--folds", "3"]).exit_code == 0
    vocab = spacy.blank("es").vocab
    tests = [sorted(d.text for d in read_docbin(f"p/fold-{i}/test.spacy", vocab)) for i in (1, 2, 3)]
    everything = sorted(d.text for d in read_docbin("p/all.spacy", vocab))
    assert sorted(text for part in tests for text in part) == everything and len(everything) == 40
    train = {d.text for d in read_docbin("p/fold-1/train.spacy", vocab)}
    assert not train & set(tests[0])


def test_texts_get_sentence_borders_but_not_within_a_span():
    nlp = spacy.blank("es")
    nlp.add_pipe("sentencizer")
    words = ["Ana", "vive", "en", "San", ".", "Juan", ".", "Carlos", "no", "."]
    tags = ["B-PER", "O", "O", "B-LOC", "I-LOC", "I-LOC", "O", "B-PER", "O", "O"]
    DocBin(docs=[Doc(nlp.vocab, words=words, ents=tags)]).to_disk("t.spacy")
    from spacy_datnet.project.split import set_borders

    doc = set_borders(nlp, Doc(nlp.vocab, words=words, ents=tags))
    assert [sentence.text for sentence in doc.sents] == ["Ana vive en San . Juan .", "Carlos no ."]
    Path("t.spacy").unlink()


def test_texts_are_known_by_the_ends_of_their_sentences(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    pairs = [one + other for one, other in zip(rows("es", 40, 1), rows("es", 40, 2), strict=True)]
    write(tmp_path / "texts.es.conll", pairs)
    found = init("out", "--target", "texts.es.conll")
    assert found.exit_code == 0 and "DN450" in found.stderr, found.output
    assert steps()["borders"]["outputs"] == ["corpus/target-sentences.spacy"]
    assert "split corpus/target-sentences.spacy corpus" in steps()["split"]["script"][0]


def test_labels_that_differ_get_decoders_of_their_own(files, tmp_path):
    other = write(tmp_path / "other.en.conll", rows("en", 150, 2, rename={"PER": "HUMAN"}))
    found = init("out", *options(files, "target"), "--source", other)
    assert found.exit_code == 0 and "decoder: separate" in found.stdout and "DN258" in found.stderr
    model = load_config("out/config.cfg")["components"]["datnet_ner"]["model"]
    assert model["share_decoder"] is False
    fewer = write(
        tmp_path / "fewer.es.conll", [[line.replace("B-LOC", "O") for line in one] for one in rows("es", 40, 1)]
    )
    assert "decoder: separate" in init("fewer", "--target", fewer, *options(files, "source")).stdout
    rare = write(tmp_path / "rare.en.conll", [*rows("en", 150, 2), ["Rare\tB-RARE", "thing\tO"]])
    assert "decoder: shared" in init("rare", *options(files, "target"), "--source", rare).stdout


def test_nothing_is_overwritten(files):
    Path("out").mkdir()
    Path("out/README.md").write_text("mine")
    found = init("out", *options(files, "target"))
    assert found.exit_code == 1 and "DN422" in found.stderr
    assert Path("out/README.md").read_text() == "mine" and len(list(Path("out").iterdir())) == 1


def test_a_file_in_the_folder_stays_where_it_is(files, tmp_path):
    inside = write(tmp_path / "out" / "data" / "mine.conll", rows("es", 40, 1))
    found = init("out", "--target", inside, "--source", files["source"])
    assert found.exit_code == 0, found.output
    assert "data/mine.conll" in steps()["convert"]["deps"] and "assets/source.conll" in steps()["convert"]["deps"]
    assert "stays at data/mine.conll" in found.stdout and "copied to assets/source.conll" in found.stdout


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--target", "none.conll"], "DN201"),
        (["--target", "numbers.conll"], "DN420"),
        (["--target", "numbers.conll", "--lang", "qq"], "DN421"),
        (["--target", "two.conll"], "DN424"),
        (["--target", "ok.conll", "--vectors", "none.vec"], "DN426"),
        (["--target", "ok.conll", "--vectors", "far.vec"], "DN425"),
        (["--target", "ok.conll", "--vectors", "ragged.vec"], "DN427"),
        (["--target", "ok.conll", "--vectors", "words.vec"], "DN428"),
        (["--target", "ok.conll", "--source", "ok.conll", "--vectors", "a.vec", "--vectors", "b.vec"], "DN429"),
        (["--target", "ok.conll", "--vectors", "a.vec", "--vectors", "a.vec", "--vectors", "b.vec"], "DN433"),
    ],
)
def test_what_cannot_be_is_said(arguments, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "numbers.conll", [[f"zq{i}\tB-X"] for i in range(30)])
    write(tmp_path / "two.conll", rows("es", 2, 1))
    write(tmp_path / "ok.conll", rows("es", 40, 1))
    Path("far.vec").write_text("1 2\nxyz 1 2\n")
    Path("ragged.vec").write_text("vive 1 2\nen 1\n")
    Path("words.vec").write_text("vive 1 x\n")
    Path("a.vec").write_text("vive 1 2\n")
    Path("b.vec").write_text("vive 1 2 3\n")
    found = init("out", *arguments)
    assert found.exit_code == 1 and f"[{code}]" in found.stderr, found.output
    assert not Path("out").exists()


def test_word_vectors_set_features(files, tmp_path):
    words = sorted({line.split("\t")[0] for lines in rows("es", 40, 1) + rows("en", 150, 2) for line in lines})
    chosen = random.Random(0)
    table = {word: [chosen.gauss(0, 3) for _ in range(4)] for word in words}
    with gzip.open("es.vec.gz", "wt", encoding="utf8") as file:
        file.write(f"{len(table)} 4\n" + "".join(f"{w} {' '.join(map(str, v))}\n" for w, v in table.items()))
    Path("en.vec").write_text(
        "".join(f"{w} {' '.join(map(str, v[::-1]))}\n" for w, v in table.items()), encoding="utf8"
    )
    vectors = ["--vectors", "es.vec.gz", "--vectors"]
    found = init("out", *options(files, "target", "source", "test"), *vectors, "en.vec")
    assert found.exit_code == 0 and "DN453" in found.stderr, found.output
    assert "100% of the words known" in found.stdout
    assert len(steps()["vectors"]["script"]) == 3
    assert (
        srsly.read_yaml("out/grid.yaml")["variants"]["spaCy ner"]["overrides"]["paths.vectors"] == "corpus/both_vectors"
    )
    same = init("same", *options(files, "target", "source", "test"), *vectors, "es.vec.gz")
    assert "DN453" not in same.stderr and "in one space" in same.stdout


def test_a_checkpoint_and_raw_text_make_word_vectors(files, tmp_path, monkeypatch):
    write_checkpoint = pytest.importorskip("checkpoints").write_checkpoint
    checkpoint = write_checkpoint(tmp_path / "tiny")
    Path("raw.txt").write_text("Ana vive en Lugo. Carlos no.\n", encoding="utf8")
    given = options(files, "target", "source", "test")
    found = init("out", *given, "--checkpoint", str(checkpoint), "--raw", "raw.txt")
    assert found.exit_code == 0 and "word features: word vectors" in found.stdout, found.output
    assert "DN457" in init("not", *given, "--raw", "raw.txt").stderr
    monkeypatch.chdir("out")
    config = load_config("config.cfg", interpolate=True)
    assert config["paths"]["vectors"] == config["initialize"]["vectors"] == "corpus/vectors"
    text = Path("project.yml").read_text(encoding="utf8")
    Path("project.yml").write_text(text.replace("--force", "--force --width 8"), encoding="utf8")
    run_steps("convert", "vectors")
    assert init_nlp(load_config("config.cfg")).vocab["Lugo"].has_vector
    assert init_nlp(load_config("spacy.cfg")).vocab["Lugo"].has_vector


def test_the_task_is_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tagged = [
        [line.split("\t")[0] + "\t" + ("PROPN" if "B-" in line else "X") for line in lines]
        for lines in rows("es", 40, 1)
    ]
    write(tmp_path / "tags.conll", tagged)
    found = init("out", "--target", "tags.conll")
    assert found.exit_code == 0, found.output
    assert "task: tagger, from pos (found in the files)" in found.stdout
    assert "spaCy morphologizer" in json.dumps(srsly.read_yaml("out/grid.yaml"))
    found = init("other", "--target", "tags.conll", "--task", "ner")
    assert found.exit_code == 1 and "DN212" in found.stderr
