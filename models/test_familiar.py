"""Which clips are familiar to a pack."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import torch
from av import VideoStream

from models import familiar


def pack_with(folder: Path, known: dict[str, Any]) -> Path:
    (folder / "pack.json").write_text(json.dumps({"calibration": {"familiar": known}}))
    return folder


def test_a_pack_that_was_taught_nothing_knows_no_clip(tmp_path: Path) -> None:
    near = familiar.nearness(pack_with(tmp_path, familiar.UNTAUGHT), torch.eye(3))
    assert near.shape == (3,) and (near < familiar.THRESHOLD).all()


def test_nearness_is_the_cosine_of_the_nearest_clip_that_was_taught(tmp_path: Path) -> None:
    angles = torch.tensor([0.0, 1.0, 2.0])
    taught = torch.stack((angles.cos(), angles.sin()), dim=1)
    known = familiar.teach(tmp_path, taught)
    near = familiar.nearness(pack_with(tmp_path, known), torch.tensor([[0.0, 1.0], [1.0, 0.0]]))
    assert np.allclose(near, [np.cos(2 - np.pi / 2), 1], atol=1e-3)
    data = (tmp_path / known["taught"]["file"]).read_bytes()
    assert hashlib.sha256(data).hexdigest() == known["taught"]["sha256"]


def test_every_test_picture_can_be_made() -> None:
    made = [familiar.pattern(name, 16, 32) for name in familiar.PATTERNS]
    assert {video.shape for video in made} == {(16, 32, 32, 3)}
    assert len({video.tobytes() for video in made}) == len(made)


def test_a_camera_moves_over_a_picture_or_rests() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (200, 300, 3)).astype(np.uint8)
    made = [familiar.moves(picture, 16, 24, np.random.default_rng(i)) for i in range(30)]
    assert {video.shape for video in made} == {(16, 24, 24, 3)}
    assert {bool((video == video[:1]).all()) for video in made} == {True, False}


def test_a_video_has_a_clip_every_eight_seconds_and_a_text_has_none(tmp_path: Path) -> None:
    notes, film = tmp_path / "notes.txt", tmp_path / "ten seconds.mkv"
    notes.write_text("no video")
    with av.open(str(film), "w") as out:
        stream = cast(VideoStream, out.add_stream("ffv1", rate=2))
        stream.width, stream.height, stream.pix_fmt = 32, 32, "bgr0"
        for i in range(20):
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 10 * i, np.uint8), format="rgb24")))
        out.mux(stream.encode(None))
    assert familiar.clips_of(notes, 16, 24) == []
    clips = familiar.clips_of(film, 16, 24)
    assert [(int(clip[0, 0, 0, 0]), int(clip[-1, 0, 0, 0])) for clip in clips] == [(0, 150), (160, 190)]
