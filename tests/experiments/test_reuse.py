"""Which runs of other grids are the same, and what of them is copied."""

from dataclasses import replace
from pathlib import Path

import pytest

from spacy_datnet.experiments import ExperimentError
from spacy_datnet.experiments.grid import Run
from spacy_datnet.experiments.manifest import Manifest
from spacy_datnet.experiments.reuse import reuse

NEW = Path("new")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("f.cfg").write_text("[paths]\ntrain = null\n")
    NEW.mkdir()
    return tmp_path


def make_run(seed: int) -> Run:
    overrides = {"paths.train": "t.spacy", "system.seed": seed}
    written = {"paths.train": "t.spacy", "test": "e.spacy"}
    return Run("es", "F", 3, seed, Path("f.cfg"), overrides, Path("e.spacy"), written)


def do(run: Run, place: str, error: str | None = None) -> None:
    """Make the record and the folder that a run leaves."""
    for name in ("models/model-best/meta.json", "test.spacy"):
        path = Path(place) / run.key / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    Manifest(Path(place)).add({"key": run.key, "overrides": run.overrides, "error": error, "place": place})


def reused(runs: list[Run], *places: str, **options) -> list[int]:
    found = list(reuse(runs, NEW, map(Path, places), **options))
    assert all(record["key"] == run.key for run, record in found)
    return [run.seed for run, _ in found]


def test_what_is_done_is_copied_without_its_models():
    runs = [make_run(seed) for seed in range(3)]
    do(runs[0], "grids/one")
    do(runs[2], "grids/two")
    assert reused(runs, "grids") == [0, 2]
    for seed in (0, 2):
        assert [path.name for path in (NEW / runs[seed].key).iterdir()] == ["test.spacy"]
    assert not list(NEW.glob("*.unfinished"))


def test_what_a_killed_process_left_is_replaced():
    run = make_run(0)
    do(run, "grids/one")
    for name in (run.key, f"{run.key}.unfinished"):
        (NEW / name).mkdir()
        (NEW / name / "half.txt").touch()
    assert reused([run], "grids") == [0]
    assert [path.name for path in NEW.iterdir()] == [run.key]
    assert [path.name for path in (NEW / run.key).iterdir()] == ["test.spacy"]


def test_a_folder_of_runs_or_one_that_holds_such():
    run = make_run(0)
    do(run, "grids/one")
    assert reused([run], ".") == []
    with pytest.raises(ExperimentError, match=r"DN313.*nowhere"):
        reused([run], "nowhere")
    assert reused([run], "grids/one") == [0]


def test_models_if_they_are_wanted():
    runs = [make_run(seed) for seed in range(2)]
    for run in runs:
        do(run, "grids/one")
    models = Path("grids/one") / runs[0].key / "models"
    models.rename("elsewhere")
    assert reused(runs, "grids", with_models=True) == [1]
    assert (NEW / runs[1].key / "models/model-best/meta.json").is_file()


@pytest.mark.parametrize("useless", ["failed", "gone", "without models"])
@pytest.mark.parametrize("place", ["grids/one", "grids/two"])
def test_one_of_several_folders_is_enough(place, useless):
    run = make_run(0)
    for other in ("grids/one", "grids/two"):
        do(run, other, error="failed" if other == place and useless == "failed" else None)
    if useless == "gone":
        (Path(place) / run.key).rename("elsewhere")
    elif useless == "without models":
        (Path(place) / run.key / "models").rename("elsewhere")
    ((_, record),) = reuse([run], NEW, [Path("grids")], with_models=True)
    assert record["place"] != place


def test_what_failed_or_is_gone_or_has_other_corpora_is_left():
    failed, gone, moved = (make_run(seed) for seed in range(3))
    do(failed, "grids/one")
    do(failed, "grids/one", error="failed when it was done again")
    do(gone, "grids/one")
    (Path("grids/one") / gone.key).rename("elsewhere")
    do(moved, "grids/one")
    # the grid calls it the same, and it is another one
    moved = replace(moved, overrides=moved.overrides | {"paths.train": "other/t.spacy"})
    assert reused([failed, gone, moved], "grids") == []
    assert list(NEW.iterdir()) == []


def test_the_folder_itself_is_no_other():
    run = make_run(0)
    do(run, str(NEW))
    assert reused([run], ".") == []
