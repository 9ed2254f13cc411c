"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real corpora; tests that need it are skipped where it is missing."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SPACY_DATNET_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"the real corpora are not in {folder}")
    return folder
