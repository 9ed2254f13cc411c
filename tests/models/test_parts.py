"""The builders of the network's parts check what they are given."""

import pytest

from spacy_datnet.models.parts import build_BiLSTM, build_CharCNN, build_FeedForward


@pytest.mark.parametrize(
    ("build", "settings", "code"),
    [
        (build_CharCNN, {"window": 2}, "DN003"),
        (build_CharCNN, {"window": 0}, "DN020.*window"),
        (build_CharCNN, {"rows": 1}, "DN020.*rows"),
        (build_CharCNN, {"filters": 0}, "DN020.*filters"),
        (build_BiLSTM, {"depth": 0}, "DN020.*depth"),
        (build_FeedForward, {"hidden": 0}, "DN020.*hidden"),
    ],
)
def test_impossible_sizes_are_refused(build, settings, code):
    with pytest.raises(ValueError, match=code):
        build(**settings)
