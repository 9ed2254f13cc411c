"""Files that are not what they should be: an error that names the file, and nothing else."""

import errno
import json
import lzma
import os
import random
from pathlib import Path

import pytest
import yaml
from synthetic import make_results
from test_grid import CONFIGS, GRID

from spacy_datnet.experiments import ExperimentError
from spacy_datnet.experiments.figures import all_figures, save
from spacy_datnet.experiments.grid import read_grid
from spacy_datnet.experiments.manifest import Manifest
from spacy_datnet.experiments.predictions import sentences_of_variant
from spacy_datnet.experiments.report import write_report
from spacy_datnet.experiments.results import read_results
from spacy_datnet.experiments.tables import overview, rows, to_csv

VARIANTS = {"base": (False, lambda n, seed: 0.3), "F": (True, lambda n, seed: 0.8)}
TRIES = 400


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return make_results(tmp_path_factory.mktemp("whole"), VARIANTS, sizes=(10,), seeds=(0,)).folder


@pytest.fixture
def folder(whole, tmp_path) -> Path:
    """The files of a small grid, to be damaged."""
    for name in ("manifest.jsonl", "grid.json"):
        (tmp_path / name).write_bytes((whole / name).read_bytes())
    return tmp_path


def use(folder: Path) -> None:
    results = read_results(folder)
    to_csv(rows(results), results.base)
    overview(results)


ODD = (None, True, -1, 1.5, float("nan"), float("inf"), "", "text", "\ud800", [], {}, [[]], {"a": 1}, 10**30, [None])


def change(value, rng: random.Random):
    """Put something else in one place of a value of JSON, or take it away."""
    if isinstance(value, dict) and value and rng.random() < 0.9:
        name = rng.choice(list(value))
        if rng.random() < 0.2:
            return {other: one for other, one in value.items() if other != name}
        return {**value, name: change(value[name], rng)}
    if isinstance(value, list) and value and rng.random() < 0.9:
        place = rng.randrange(len(value))
        rest = value[place + 1 :] if rng.random() < 0.9 else []
        return [*value[:place], change(value[place], rng), *rest]
    return rng.choice(ODD)


def damage(data: bytes, rng: random.Random) -> bytes:
    """Change, remove, repeat or add bytes."""
    place = rng.randrange(len(data) + 1)
    end = min(len(data), place + rng.choice([1, 1, 5, 100, 10000]))
    return data[:place] + rng.choice([b"", os.urandom(3), data[place:end] * 2, b"\n", b"\0", b"}"]) + data[end:]


def test_damaged_results_are_named(folder):
    """Only errors of our own come out, whatever is in the files."""
    rng = random.Random(0)
    whole = {name: (folder / name).read_bytes() for name in ("manifest.jsonl", "grid.json")}
    said = 0
    for _ in range(TRIES):
        name = rng.choice(list(whole))
        if rng.random() < 0.5:
            lines = whole[name].splitlines()
            place = rng.randrange(len(lines))
            lines[place] = json.dumps(change(json.loads(lines[place]), rng)).encode()
            damaged = b"\n".join(lines) + b"\n"
        else:
            damaged = damage(whole[name], rng)
        (folder / name).write_bytes(damaged)
        try:
            use(folder)
        except ExperimentError as error:
            assert "[DN3" in str(error) and name in str(error)
            said += 1
        (folder / name).write_bytes(whole[name])
    assert TRIES / 4 < said < TRIES


def test_damaged_grids_are_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, text in CONFIGS.items():
        Path(name).write_text(text)
    whole, path = (
        yaml.safe_load(GRID + "small: {corpora: [nl], variants: [F], sizes: [20], seeds: [0]}\n"),
        Path("g.yaml"),
    )
    rng = random.Random(0)
    said = 0
    for number in range(TRIES):
        if number % 2:
            text = yaml.safe_dump(change(whole, rng), allow_unicode=True).encode("utf8", "surrogatepass")
        else:
            text = damage(GRID.encode(), rng)
        path.write_bytes(text)
        try:
            for run in read_grid(path, small=number % 4 == 1).runs[:3]:
                assert run.key and run.name
        except ExperimentError as error:
            assert "[DN3" in str(error) and "g.yaml" in str(error)
            said += 1
    assert TRIES / 4 < said < TRIES


@pytest.mark.parametrize("name", ["manifest.jsonl", "grid.json"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"[]\n",
        b"{}\n",
        b"null\n",
        b'"text"\n',
        b"\xff\xfe\x00\n",
        b"\x1f\x8b\x08\n",
        b"[" * 5000 + b"\n",
        b'{"key": 1}\n',
    ],
)
def test_what_is_nothing_of_the_kind_is_named(folder, name, content):
    (folder / name).write_bytes(content)
    if (name, content) == ("manifest.jsonl", b""):
        assert read_results(folder).waiting == 2  # nothing is done yet
        return
    with pytest.raises(ExperimentError, match=rf"DN3(05|15|16).*{name}"):
        use(folder)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("test", {"ents_f": float("nan")}, "ents_f should be between 0 and 1"),
        ("test", {}, "ents_f should be between 0 and 1"),
        ("dev", [0.5], "dev.*dictionary"),
        ("counts", [[1, 2]], "three counts per sentence"),
        ("counts", [[1, 2, "x"]], "three counts per sentence"),
        ("seed", "zero", "seed.*integer"),
        ("score", "accuracy", "score"),
        ("curve", [{"score": 1}], "step"),
        ("error", 5, "error"),
    ],
)
def test_a_value_that_is_wrong_is_named_with_its_line(folder, field, value, message):
    path = folder / "manifest.jsonl"
    first, second = path.read_text(encoding="utf8").splitlines()
    path.write_text(f"{first}\n{json.dumps({**json.loads(second), field: value})}\n", encoding="utf8")
    with pytest.raises(ExperimentError, match=rf"DN315.*manifest.jsonl, line 2.*{message}"):
        use(folder)


def test_a_packed_manifest_is_read_and_added_to(folder):
    path = folder / "manifest.jsonl"
    expected, lines = to_csv(rows(read_results(folder)), "base"), path.read_bytes().splitlines(keepends=True)
    (folder / "manifest.jsonl.xz").write_bytes(lzma.compress(lines[0]))
    path.unlink()
    assert len(read_results(folder).done) == 1
    Manifest(folder).add(json.loads(lines[1]))
    assert to_csv(rows(read_results(folder)), "base") == expected
    (folder / "manifest.jsonl.xz").write_bytes(lzma.compress(lines[0])[:-9])
    with pytest.raises(ExperimentError, match=r"DN305.*manifest.jsonl.xz"):
        use(folder)


def test_predictions_and_configs_that_are_damaged_are_named(tmp_path):
    results = make_results(tmp_path, VARIANTS, sizes=(10,), seeds=(0,))
    key = results.done["key"][0]
    (results.folder / key / "test.spacy").write_bytes(b"nothing of the kind")
    with pytest.raises(ExperimentError, match=rf"DN318.*{key}.test.spacy"):
        sentences_of_variant(results, "es", "base", "10")
    (results.folder / key / "config.cfg").write_text("[paths\nx = \n")
    with pytest.raises(ExperimentError, match=rf"DN314.*{key}.config.cfg"):
        results.uses_source("es", "base")


@pytest.mark.parametrize("sizes", [(0, 10), (0,), (0, 10, 100, 1000), (1, 1.0)])
def test_sizes_at_the_ends(tmp_path, sizes):
    """No sentences have no logarithm, and one sentence is not all of them."""
    variants = {"base": (False, lambda n, seed: 0.3), "F": (True, lambda n, seed: min(0.9, 0.5 + n / 5000))}
    results = make_results(tmp_path, variants, sizes=sizes)
    assert results.sizes("es") == list(map(str, sizes)) and len(rows(results)) == 2 * len(sizes)
    for name, figure in all_figures(results):
        save(figure, tmp_path / f"{name}.png")
    page = write_report(results)
    assert "Which variant should I take?" in page
    if len(sizes) == 4:
        assert "points for twice as many" in page


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    manifest = Manifest(tmp_path)
    manifest.add({"key": "a"})

    def full(descriptor):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ExperimentError, match=r"DN317.*manifest.jsonl.*No space left"):
        manifest.add({"key": "b"})
    results = make_results_without_disk(tmp_path, monkeypatch)
    (_, figure), *_ = all_figures(results)
    if Path("/dev/full").exists():
        (tmp_path / "full.svg").symlink_to("/dev/full")
        with pytest.raises(ExperimentError, match=r"DN317.*full.svg.*No space left"):
            save(figure, tmp_path / "full.svg")


def make_results_without_disk(tmp_path, monkeypatch):
    monkeypatch.undo()
    return make_results(tmp_path / "more", VARIANTS, sizes=(10,), seeds=(0,))


def test_trainings_that_were_best_at_their_last_step_are_named(tmp_path):
    results = make_results(tmp_path, VARIANTS, sizes=(10,), seeds=(0, 1, 2))
    assert results.cut_short("es") == [] and "Train longer" not in write_report(results)
    results.done.loc[(results.done["variant"] == "F") & (results.done["seed"] > 0), "best_step"] = 20
    (message,) = results.cut_short("es")
    assert "Train longer: with 10 target sentences, F was best" in message and "(20) in 2 of 3 runs" in message
    assert message in write_report(results).replace("&#39;", "'")
