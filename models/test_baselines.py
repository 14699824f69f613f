"""Classical vision finds what was drawn."""

from pathlib import Path
from typing import cast

import av
import numpy as np
import pytest
from av import VideoStream

from models.baselines import TASKS, camera_moves, colour, composed, direction, moving_things
from models.tubes import Bytes
from models.videos import span


def textured(rng: np.random.Generator, side: int) -> Bytes:
    """Grey blocks, whose corners can be tracked."""
    return np.repeat(np.kron(rng.integers(70, 170, (side // 8, side // 8)), np.ones((8, 8)))[..., None], 3, -1).astype(np.uint8)


def scene(moves: list[tuple[float, float]], pan: float = 0.0, paint: tuple[int, int, int] = (210, 30, 30)) -> Bytes:
    """16 frames: squares of one colour, each with its own step a frame, over a texture that slides by `pan` pixels a frame."""
    ground = textured(np.random.default_rng(0), 192)
    video = []
    for t in range(16):
        x = int(48 + pan * t)
        frame = ground[48:144, x : x + 96].copy()
        for i, (dx, dy) in enumerate(moves):
            left, top = int(38 - 8 * dx + dx * t), int(16 + 44 * i - (8 * dy if len(moves) == 1 else 0) + dy * t + (20 if len(moves) == 1 else 0))
            frame[top : top + 18, left : left + 18] = paint
        video.append(frame)
    return np.stack(video)


@pytest.mark.parametrize(("name", "step"), [("right", (3.0, 0)), ("left", (-3.0, 0)), ("down", (0, 3.0)), ("up", (0, -3.0))])
@pytest.mark.parametrize("pan", [0.0, 1.0])
def test_direction_is_that_of_the_thing_whatever_the_camera_does(name: str, step: tuple[float, float], pan: float) -> None:
    assert direction(scene([step], pan)) == name


def test_nothing_moves_nowhere() -> None:
    assert direction(scene([])) is None and direction(scene([], 1.0)) is None
    assert moving_things(scene([])) == 0


def test_camera() -> None:
    assert camera_moves(scene([], 1.0)) and not camera_moves(scene([])) and not camera_moves(scene([(2.0, 0)]))


def test_moving_things_are_counted_and_their_colour_is_told() -> None:
    assert moving_things(scene([(3.0, 0), (-3.0, 0)])) == 2
    paints = {"red": (200, 20, 30), "blue": (30, 70, 220), "green": (40, 160, 50), "yellow": (250, 220, 30), "white": (250, 250, 250)}
    for name, paint in paints.items():
        assert colour(scene([(3.0, 0)], paint=paint)) == name


def test_questions_go_to_the_task_that_answers_them() -> None:
    asked = ["is the camera still?", "does the camera move?", "which way does the car move?", "what colour is it?"]
    asked += ["how many things are there?", "what is it?"]
    names = [each.task.name for each in composed([(scene([]), [(q, "", "") for q in asked])])]
    assert names == [TASKS[0].name, TASKS[0].name, *(task.name for task in TASKS[1:])]
    still, moving = TASKS[0].guess(scene([]), "is the camera still?"), TASKS[0].guess(scene([]), "does the camera move?")
    assert (still, moving) == ("yes", "no")


def test_a_span_has_the_frames_of_its_time(tmp_path: Path) -> None:
    file = tmp_path / "ramp.mkv"
    with av.open(str(file), "w") as out:
        stream = cast(VideoStream, out.add_stream("ffv1", rate=10))
        stream.width = stream.height = 32
        stream.pix_fmt = "bgr0"
        for i in range(30):
            for packet in stream.encode(av.VideoFrame.from_ndarray(np.full((32, 32, 3), 8 * i, np.uint8), format="rgb24")):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)
    assert span(file, 1.0, 2.0, 5, 16)[:, 0, 0, 0].tolist() == [88, 104, 120, 136, 152]
    assert span(file, 0.0, 0.5, 5, 16)[:, 0, 0, 0].tolist() == [0, 8, 16, 24, 32]


def test_a_span_is_upright(tmp_path: Path) -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    picture[:16, :16] = 255  # its upper left
    with av.open(str(tmp_path / "turned.mp4"), "w") as out:
        stream = out.add_stream("mpeg4", rate=10)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        out.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        out.mux(stream.encode(None))
    # The matrix of the track header (ISO 14496-12: a b u, c d v, x y w; 16.16) for a quarter turn clockwise, as phones write it.
    data = (tmp_path / "turned.mp4").read_bytes()
    plain, quarter = ([int(v * 65536).to_bytes(4, "big", signed=True) for v in row] for row in ((1, 0, 0, 0, 1), (0, 1, 0, -1, 0)))
    at = data.index(b"tkhd")
    (tmp_path / "turned.mp4").write_bytes(data[:at] + data[at:].replace(b"".join(plain), b"".join(quarter), 1))
    upright = span(tmp_path / "turned.mp4", 0.0, 1.0, 1, 32)[0]
    assert upright[4, 27, 0] > 200 and upright[4, 4, 0] < 50
