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


def test_what_passes_is_near_and_agrees_as_the_usual_held_out_clip() -> None:
    rng = np.random.default_rng(0)
    near, agreed = rng.normal(size=1001), rng.normal(size=1001)
    calibration = familiar.calibrate(near, agreed)
    assert calibration == {"neighbours": familiar.NEIGHBOURS, "threshold": np.median(near), "agreement": np.median(agreed)}
    high, low = np.full(1001, 9.0), np.full(1001, -9.0)
    assert familiar.passes(near, high, calibration).sum() == 501
    assert familiar.passes(high, agreed, calibration).sum() == 501
    assert not familiar.passes(high, low, calibration).any()
    assert not familiar.passes(low, high, calibration).any()


def test_agreement_is_the_cosine_of_each_clip_with_its_own_caption() -> None:
    assert np.allclose(familiar.agreement(unit(0.0, 1.0), unit(0.5, 1.2)), np.cos([0.5, 0.2]))


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
