"""Which clips a pack takes for its own."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch

from models import familiar
from models.config import CONFIGS, Config
from models.data.generator import World
from models.model import Mammut


def unit(*angles: float) -> torch.Tensor:
    return torch.stack([torch.tensor([np.cos(a), np.sin(a)], dtype=torch.float32) for a in angles])


def test_nearness_is_the_cosine_of_the_twentieth_nearest() -> None:
    bank = unit(*(i / 100 for i in range(20, 0, -1)), 2.0, 3.0)
    assert np.allclose(familiar.nearness(unit(0.0, np.pi / 2), bank), [np.cos(0.2), np.sin(0.03)])


def test_half_of_the_held_out_clips_pass() -> None:
    held_out = np.random.default_rng(0).normal(size=1001)
    assert (held_out >= familiar.threshold(held_out)).sum() == 501


def test_the_bank_is_of_other_clips_each_and_the_file_holds_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    model = Mammut(Config.from_json({**CONFIGS["tiny"].to_json(), "vocab": 300})).eval()
    bank = familiar.bank_of(model, World(None, "train"), 70)  # more than are composed at once
    assert bank.shape == (70, model.config.width)
    assert len({tuple(row.tolist()) for row in bank}) == 70
    assert torch.allclose(bank.norm(dim=1), torch.ones(70), atol=1e-5)
    named = familiar.write(tmp_path, bank)
    data = (tmp_path / named["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == named["sha256"]
    assert torch.allclose(familiar.read(tmp_path, model.config.width), bank, atol=1e-3)
