"""Which clips a pack takes for its own."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import cast

import av
import numpy as np
import torch
from av import VideoStream

from models import familiar
from models.config import CONFIGS, Config
from models.data.generator import World
from models.model import Mammut


def unit(*angles: float) -> torch.Tensor:
    return torch.stack([torch.tensor([np.cos(a), np.sin(a)], dtype=torch.float32) for a in angles])


def test_nearness_is_the_cosine_of_the_twentieth_nearest() -> None:
    bank = unit(*(i / 100 for i in range(20, 0, -1)), 2.0, 3.0)
    assert np.allclose(familiar.nearness(unit(0.0, np.pi / 2), bank), [np.cos(0.2), np.sin(0.03)])


def test_what_passes_is_near_and_agrees_as_the_middle_held_out_clip() -> None:
    rng = np.random.default_rng(0)
    near, agreed = rng.uniform(-1, 0.8, size=1001), rng.normal(size=1001)
    calibration = familiar.calibrate(near, agreed)
    assert calibration == {
        "neighbours": familiar.NEIGHBOURS,
        "threshold": np.sort(near)[500],
        "agreement": np.sort(agreed)[500],
        "certain": familiar.CERTAIN,
    }
    certain = np.full(3, calibration["certain"])
    assert familiar.passes(certain, np.full(3, -9.0), calibration).all()
    assert not familiar.passes(certain - 0.01, np.full(3, -9.0), calibration).any()
    high, low = np.full(1001, 0.85), np.full(1001, -9.0)
    assert familiar.passes(near, np.full(1001, 9.0), calibration).sum() == 501
    assert familiar.passes(high, agreed, calibration).sum() == 501
    assert not familiar.passes(high, low, calibration).any()
    assert not familiar.passes(low, high, calibration).any()


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


def test_every_test_picture_can_be_made() -> None:
    made = [familiar.pattern(name, 16, 32) for name in familiar.PATTERNS]
    assert {video.shape for video in made} == {(16, 32, 32, 3)}
    assert len({video.tobytes() for video in made}) == len(made)


def test_a_camera_moves_over_a_picture_or_rests() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    made = [familiar.moves(picture, 16, 24, np.random.default_rng(i)) for i in range(30)]
    assert {video.shape for video in made} == {(16, 24, 24, 3)}
    assert {bool((video == video[:1]).all()) for video in made} == {True, False}


def test_clips_of_a_folder_are_those_that_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no video")
    with av.open(str(tmp_path / "ten seconds.mkv"), "w") as out:
        stream = cast(VideoStream, out.add_stream("ffv1", rate=2))
        stream.width, stream.height, stream.pix_fmt = 32, 32, "bgr0"
        for i in range(20):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 10 * i, np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    clips = familiar.clips_of(tmp_path, 16, 24)
    assert [(int(clip[0, 0, 0, 0]), int(clip[-1, 0, 0, 0])) for clip in clips] == [(0, 150), (160, 190)]
