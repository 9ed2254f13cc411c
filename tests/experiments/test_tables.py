"""Tables of scores."""

import numpy as np
import pytest

from spacy_datnet.experiments.tables import markdown, mean_and_spread


def record(corpora, variant, size, score, error=None):
    return {
        "corpora": corpora,
        "variant": variant,
        "size": size,
        "score": "ents_f",
        "test": {"ents_f": score},
        "error": error,
    }


def test_spread_is_the_standard_deviation_of_the_sample():
    values = [61.5, 64.0, 70.25]
    assert mean_and_spread(values) == f"{np.mean(values):.2f} ± {np.std(values, ddof=1):.2f}"
    assert mean_and_spread([61.5]) == "61.50"


def test_rows_are_variants_and_columns_are_sizes():
    records = [
        record("es", "base", 10, 0.2),
        record("es", "base", 10, 0.3),
        record("es", "base", "all", 0.8),
        record("es", "F", 10, 0.5),
        record("es", "F", "all", None, error="no memory"),
        record("nl", "F", 0.5, 0.6),
    ]
    assert markdown(records, {"base": {10: 21.53}}).split("\n") == [
        "| es, ents_f | 10 | all |",
        "| --- | --- | --- |",
        "| base | 25.00 ± 7.07 | 80.00 |",
        "| base, paper | 21.53 |  |",
        "| F | 50.00 |  |",
        "",
        "| nl, ents_f | 0.5 |",
        "| --- | --- |",
        "| F | 60.00 |",
    ]


@pytest.mark.parametrize("records", [[], [record("es", "base", 10, None, error="x")]])
def test_without_scores_there_is_no_table(records):
    assert markdown(records) == ""
