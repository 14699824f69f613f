"""Shared by all tests: one thread for each test process, and a pack of random weights that is made once."""

from pathlib import Path

import pytest
import torch

from models import export
from models.config import CONFIGS

# With a small model, threads spend their time waiting for each other, above all on a busy machine.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def random_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of the tiny model. Exporting one takes as long as most tests together, so a test that changes it copies the folder."""
    out = tmp_path_factory.mktemp("random") / "pack"
    export.random_pack(out, CONFIGS["tiny"])
    return out
