"""Tables of scores."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from synthetic import make_results

from spacy_datnet.experiments.tables import COLUMNS, overview, rows, to_csv, to_latex, to_markdown

VARIANTS = {"base": (False, lambda n, seed: 0.3), "F": (True, lambda n, seed: 0.8)}


@pytest.fixture
def results(tmp_path):
    return make_results(
        tmp_path,
        VARIANTS,
        sizes=(10, "all"),
        paper={"es": {"base": {10: 21.534}}},
        waiting=lambda run: (run.variant, run.size) == ("F", "all"),
    )


def mean_and_spread(results, variant, size):
    scores = [100 * record.test["ents_f"] for record in results.select("es", variant, size)["record"]]
    return f"{np.mean(scores):.2f} ± {np.std(scores, ddof=1):.2f}"


def test_overview_has_variants_by_sizes(results):
    cells = {(name, size): mean_and_spread(results, name, size) for name, size in [("base", "10"), ("base", "all")]}
    assert overview(results).split("\n") == [
        "| es, ents_f | 10 | all |",
        "| --- | --- | --- |",
        f"| base | {cells['base', '10']} | {cells['base', 'all']} |",
        "| base, paper | 21.53 |  |",
        f"| F | {mean_and_spread(results, 'F', '10')} |  |",
    ]


def test_without_scores_there_is_no_table(tmp_path):
    results = make_results(tmp_path, VARIANTS, failed=lambda run: "x")
    assert overview(results) == to_markdown(rows(results), "base") == to_latex(rows(results), "base") == ""
    assert to_csv(rows(results), "base").count("\n") == 0


def test_bars_in_names_are_not_those_of_the_table(tmp_path):
    results = make_results(tmp_path, {"a|b": VARIANTS["F"]}, sizes=(10,), paper={"es": {"a|b": {10: 0.0}}})
    *_, row, paper = overview(results).split("\n")
    assert row.startswith("| a\\|b | ") and paper == "| a\\|b, paper | 0.00 |"


def test_rows_have_all_there_is(results):
    first, second, third = rows(results).itertuples()
    assert [(row.size, row.variant, row.seeds) for row in (first, second, third)] == [
        ("10", "base", 2),
        ("10", "F", 2),
        ("all", "base", 2),
    ]
    assert np.isnan([first.difference, first.p, second.paper]).all() and first.paper == 21.534
    assert (second.difference, second.p) == results.compare("es", "F", "10")


ROWS = pd.DataFrame(
    [
        ("es", "10", "base", "ents_f", 21.5, None, 1, None, None, 20.0),
        ("es", "10", "F_1 & γ|x", "ents_f", 20.25, 1.5, 3, -1.25, 0.0001, None),
        ("es", "0.5", "base", "ents_f", 21.5, None, 1, None, None, None),
        ("nl", "all", "base", "tag_acc", 90.0, 0.126, 2, None, None, None),
    ],
    columns=COLUMNS,
)


def test_markdown():
    assert to_markdown(ROWS, "base").split("\n") == [
        "| sentences | es: F1 of entities, % | mean ± std | seeds | to base | p | paper |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
        "| 10 | base | 21.50 | 1 |  |  | 20.00 |",
        "| 10 | F_1 & γ\\|x | 20.25 ± 1.50 | 3 | −1.25 | < 0.001 |  |",
        "| 0.5 | base | 21.50 | 1 |  |  |  |",
        "",
        "| sentences | nl: accuracy of tags, % | mean ± std | seeds | to base | p | paper |",
        "| ---: | --- | ---: | ---: | ---: | ---: | ---: |",
        "| all | base | 90.00 ± 0.13 | 2 |  |  |  |",
    ]


def test_latex():
    first, second = to_latex(ROWS, "base").split("\n\n")
    assert first.split("\n") == [
        "\\begin{tabular}{rlrrrrr}",
        "\\toprule",
        "sentences & es: F1 of entities, \\% & mean $\\pm$ std & seeds & to base & p & paper \\\\",
        "\\midrule",
        "10 & base & 21.50 & 1 &  &  & 20.00 \\\\",
        "10 & F\\_1 \\& γ|x & 20.25 $\\pm$ 1.50 & 3 & $-$1.25 & $<$ 0.001 &  \\\\",
        "\\midrule",
        "0.5 & base & 21.50 & 1 &  &  &  \\\\",
        "\\bottomrule",
        "\\end{tabular}",
    ]
    assert "nl: accuracy of tags" in second


def test_csv_is_not_rounded():
    found = list(csv.DictReader(io.StringIO(to_csv(ROWS, "base"))))
    assert len(found) == 4
    assert found[1]["variant"] == "F_1 & γ|x" and float(found[1]["p"]) == 0.0001 and found[1]["paper"] == ""
    assert found[3]["std"] == "0.126" and found[0]["std"] == "" and found[0]["base"] == "base"
