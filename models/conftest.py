"""What all tests share: one thread for each test process, and a pack of random weights that is made once."""

from pathlib import Path

import pytest
import torch

from models import export
from models.config import CONFIGS

# Threads of a small model spend what they get waiting for each other, on a busy machine most of all.
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def random_pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pack of the tiny model. To export one takes as long as most tests together: a test that changes it copies the folder."""
    out = tmp_path_factory.mktemp("random") / "pack"
    export.random_pack(out, CONFIGS["tiny"])
    return out
