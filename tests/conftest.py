"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest
import torch
from hypothesis import settings

# no deadline: a slow machine is no failure
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")
# threads that fight over a core cost more than they bring
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of the real corpora; tests that need it are skipped where it is missing."""
    default = Path(__file__).parents[2] / "shared" / "data"
    folder = Path(os.environ.get("SPACY_DATNET_DATA", default))
    if not folder.is_dir():
        pytest.skip(f"the real corpora are not in {folder}")
    return folder
