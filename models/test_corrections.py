"""Exports of the app find their videos, their frames and what people decided."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import av
import numpy as np
import pytest
from av import VideoStream

from models.config import CONFIGS
from models.corrections import box_at, frames, read, taught
from models.tubes import Bytes

TINY = CONFIGS["tiny"]
TICKS = 100  # of a Matroska file's time base, milliseconds, at ten frames a second


def record(file: Path, pictures: Bytes, codec: str = "ffv1", pixels: str = "bgr0") -> None:
    """Writes pictures [T, H, W, 3] as a video, lossless unless `codec` is another."""
    with av.open(str(file), "w") as out:
        stream = cast(VideoStream, out.add_stream(codec, rate=10))
        stream.height, stream.width = pictures.shape[1:3]
        stream.pix_fmt = pixels
        for picture in pictures:
            out.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        out.mux(stream.encode(None))


def annotation(body: dict[str, Any], state: str) -> dict[str, Any]:
    return {"type": "annotation", "annotation": {"body": body, "machine": None, "state": state}}


def numbered(count: int, side: int = 32) -> Bytes:
    """Frames [count, side, side, 3]; frame i has the grey level 4 * i."""
    return np.broadcast_to(4 * np.arange(count, dtype=np.uint8)[:, None, None, None], (count, side, side, 3))


def greys(pictures: Bytes) -> list[int]:
    """The frame number in `numbered` of each picture, [T, H, W, 3]."""
    return [int(grey) // 4 for grey in pictures[:, 8, 8, 0]]


def said(text: str, state: str = "edited", **more: Any) -> dict[str, Any]:
    return annotation({"kind": "caption", "text": text, **more}, state)


def key(frame: int, x1: float, y1: float, x2: float, y2: float, **more: Any) -> dict[str, Any]:
    return {"ordinal": frame, "pts": TICKS * frame, "box": {"x1": x1, "y1": y1, "x2": x2, "y2": y2}, "score": None, **more}


def write(file: Path, name: str, clips: Sequence[list[dict[str, Any]]], *, count: int = 16, video_stream: int = 0, **source: Any) -> Path:
    """An export of a video of 32 x 32 pixels: clips of 16 frames, each with its annotations."""
    probe = {"width": 32, "height": 32, "rotation": 0, "videoStream": video_stream}
    lines: list[dict[str, Any]] = [
        {"schema": "tubelet-reviewed/1", "type": "source", "source": {"name": name, "path": f"/films/{name}", "probe": probe, **source}},
        {"schema": "tubelet-reviewed/1", "type": "frames", "pts": [TICKS * i for i in range(count)]},
    ]
    for i, annotations in enumerate(clips):
        lines += [{"type": "clip", "clip": {"index": i, "startFrame": 16 * i, "endFrame": 16 * i + 16}}, *annotations]
    file.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines), encoding="utf-8")
    return file


def test_boxes_of_a_wide_video_are_shares_of_its_width_and_height() -> None:
    body = {"kind": "track", "label": "dog", "boxes": [key(0, 20, 30, 60, 40), key(1, 20, 30, 60, 40)]}
    clip = {"index": 0, "startFrame": 0, "endFrame": 16, "annotations": [{"body": body, "state": "accepted"}]}
    source = {"name": "wide.mp4", "picture": {"width": 200, "height": 100}}
    assert taught(clip, source, {0: 0, 4: 2 * TICKS}, np.zeros((16, 8, 8, 3), np.uint8)).boxes == {0: [("dog", 0.2, 0.35, 0.2, 0.1)]}


def test_boxes_are_of_the_picture_that_the_file_names_and_of_the_shown_one_in_a_file_of_before(tmp_path: Path) -> None:
    record(tmp_path / "a.mkv", numbered(16))
    boxes = [key(0, 0, 0, 16, 16), key(15, 0, 0, 16, 16)]
    old = write(tmp_path / "old.jsonl", "a.mkv", [[annotation({"kind": "track", "label": "ball", "boxes": boxes}, "accepted")]])
    assert read([old], tmp_path, TINY)[0].boxes[0] == [("ball", 0.25, 0.25, 0.5, 0.5)]
    head, *rest = old.read_text(encoding="utf-8").split("\n")
    head = json.dumps({**json.loads(head), "schema": "tubelet-annotations/2", "picture": {"width": 16, "height": 32}})
    new = tmp_path / "new.jsonl"
    new.write_text("\n".join([head, *rest]), encoding="utf-8")
    assert read([new], tmp_path, TINY)[0].boxes[0] == [("ball", 0.5, 0.25, 1, 0.5)]
    new.write_text("\n".join([head.replace("annotations/2", "annotations/9"), *rest]), encoding="utf-8")
    with pytest.raises(ValueError, match="no JSONL export of Tubelet"):
        read([new], tmp_path, TINY)


def test_boxes_are_where_the_app_shows_them(tmp_path: Path) -> None:
    keys = [key(1, 10, 0, 20, 5), key(3, 30, 0, 40, 5)]
    assert box_at(keys, 200) == (20, 0, 30, 5) and box_at(keys, 90) is None and box_at(keys, 310) is None
    away = [key(0, 0, 0, 4, 4), key(4, 4, 4, 8, 8, outside=True), key(8, 8, 8, 12, 12)]
    assert [box_at(away, TICKS * frame) for frame in (0, 2, 4, 6, 8)] == [(0, 0, 4, 4), (2, 2, 6, 6), None, None, (8, 8, 12, 12)]
    assert box_at([key(0, 0, 0, 4, 4)], 0) == (0, 0, 4, 4)
    # Boxes are clipped to the frame; one wholly outside is dropped.
    record(tmp_path / "a.mkv", numbered(16))
    tracks = [[key(0, -16, 8, 16, 40), key(15, -16, 8, 16, 40)], [key(0, -20, -20, -4, -4), key(15, 40, 0, 50, 5)]]
    lines = [annotation({"kind": "track", "label": "ball", "boxes": boxes}, "accepted") for boxes in tracks]
    (clip,) = read([write(tmp_path / "a.jsonl", "a.mkv", [lines])], tmp_path, TINY)
    assert clip.boxes[0] == [("ball", 0.25, 0.625, 0.5, 0.75)] and len(clip.boxes[0]) == 1


def test_pictures_are_upright(tmp_path: Path) -> None:
    picture = np.zeros((1, 32, 32, 3), np.uint8)
    picture[:, :16, :16] = 255  # its upper left
    record(tmp_path / "turned.mkv", picture)
    turned = frames(tmp_path / "turned.mkv", {"videoStream": 0, "rotation": 90}, {0: 0}, 32)[0]  # players turn it clockwise
    assert turned[2, 29, 0] == 255 and turned[2, 2, 0] == 0


def damage(file: Path, frame: int) -> None:
    """Zeroes the data of one frame of a file without B-frames."""
    with av.open(str(file)) as media:
        packet = [packet for packet in media.demux(video=0) if packet.size][frame]
        start, size = cast(int, packet.pos), packet.size
    data = bytearray(file.read_bytes())
    start = data.index(bytes(packet), start)
    data[start : start + size] = bytes(size)
    file.write_bytes(data)


def test_a_frame_that_cannot_be_decoded_shifts_no_other(tmp_path: Path) -> None:
    file = tmp_path / "damaged.mkv"
    record(file, 3 * numbered(20), "mjpeg", "yuvj420p")  # by threes, because it is not lossless
    damage(file, 7)
    damage(file, 0)
    got = frames(file, {"videoStream": 0, "rotation": 0}, {i: TICKS * i for i in range(20)}, 32)
    assert [round(got[i][8, 8, 0] / 12) for i in range(20)] == [1, *range(1, 7), 6, *range(8, 20)]
    # What follows the last frame is the last frame.
    record(file, numbered(4))
    assert greys(np.stack([*frames(file, {"videoStream": 0, "rotation": 0}, {i: TICKS * i for i in range(8)}, 32).values()])) == [
        0,
        1,
        2,
        3,
        3,
        3,
        3,
        3,
    ]


def test_frames_of_other_times_are_counted(tmp_path: Path) -> None:
    record(tmp_path / "a.mkv", numbered(8))
    got = frames(tmp_path / "a.mkv", {"videoStream": 0, "rotation": 0}, {i: 777 + 1001 * i for i in (1, 5, 9)}, 32)
    assert greys(np.stack([got[1], got[5], got[9]])) == [1, 5, 7]


def test_frames_of_joined_recordings_are_counted_because_their_clock_starts_again(tmp_path: Path) -> None:
    halves = tmp_path / "a.ts", tmp_path / "b.ts"
    for half, pictures in zip(halves, np.split(3 * numbered(20), 2), strict=True):
        record(half, pictures, "mpeg2video", "yuv420p")
    (tmp_path / "joined.ts").write_bytes(b"".join(half.read_bytes() for half in halves))
    with av.open(str(halves[0])) as media:
        first = next(frame.pts for frame in media.decode(video=0))
    assert first is not None
    times = {i: first + 9000 * i for i in range(20)}  # in the app the times continue
    got = frames(tmp_path / "joined.ts", {"videoStream": 0, "rotation": 0, "clockRestarts": True}, times, 32)
    assert [round(got[i][8, 8, 0] / 12) for i in range(20)] == list(range(20))


def test_the_stream_is_the_one_that_the_app_showed(tmp_path: Path) -> None:
    with av.open(str(tmp_path / "two.mkv"), "w") as out:
        for _ in range(2):
            stream = cast(VideoStream, out.add_stream("ffv1", rate=10))
            stream.height = stream.width = 32
            stream.pix_fmt = "bgr0"
        for i in range(16):
            for stream, shade in zip(out.streams.video, (0, 200), strict=True):
                frame = av.VideoFrame.from_ndarray(np.full((32, 32, 3), shade, np.uint8), format="rgb24")
                frame.pts = i
                out.mux(stream.encode(frame))
        for stream in out.streams.video:
            out.mux(stream.encode(None))
    clips = [read([write(tmp_path / "two.jsonl", "two.mkv", [[said("x")]], video_stream=i)], tmp_path, TINY)[0] for i in (0, 1)]
    assert [clip.video.max() for clip in clips] == [0, 200]
    with pytest.raises(ValueError, match="stream 2 is no video"):
        read([write(tmp_path / "two.jsonl", "two.mkv", [[said("x")]], video_stream=2)], tmp_path, TINY)


def test_of_videos_with_one_name_the_path_decides(tmp_path: Path) -> None:
    for folder, shift in (("one", 0), ("two", 20)):
        (tmp_path / folder).mkdir()
        record(tmp_path / folder / "film [1080p].mkv", numbered(40)[shift : shift + 16])
    export = tmp_path / "film.jsonl"
    for path, first in (("/home/me/one/film [1080p].mkv", 0), ("C:\\films\\two\\film [1080p].mkv", 20)):
        # The second of several pictures in a file is called "film [1080p].mkv #1".
        for name in ("film [1080p].mkv", "film [1080p].mkv #1"):
            (clip,) = read([write(export, name, [[said("x")]], path=path)], tmp_path, TINY)
            assert greys(clip.video)[0] == first
    with pytest.raises(ValueError, match=r"one.film .* or .*two.film .*--videos"):
        read([write(export, "film [1080p].mkv", [[said("x")]], path="/elsewhere/film [1080p].mkv")], tmp_path, TINY)


def test_clips_that_teach_nothing_are_left_out_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    record(tmp_path / "a.mkv", numbered(48))
    between = annotation(
        {"kind": "track", "label": "ball", "boxes": [key(17, 0, 0, 9, 9), key(19, 0, 0, 9, 9)]}, "edited"
    )  # key frames are 16 and 20
    note = annotation({"kind": "note", "text": "look"}, "accepted")
    clips = read([write(tmp_path / "a.jsonl", "a.mkv", [[note], [between], [said("x")]], count=48)], tmp_path, TINY)
    assert [clip.name for clip in clips] == ["a.mkv clip 3"]
    assert "2 clip(s) left out" in capsys.readouterr().err


def test_a_clip_of_two_exports_is_learnt_once_as_it_was_last_decided_about(tmp_path: Path) -> None:
    def at(line: dict[str, Any], when: str) -> dict[str, Any]:
        return {**line, "annotation": {**line["annotation"], "updatedAt": when}}

    for name in ("a.mkv", "copy.mkv", "other.mkv"):
        record(tmp_path / name, numbered(32))
    early = write(tmp_path / "early.jsonl", "a.mkv", [[said("old")], [said("untouched")]], count=32, fingerprint="f")
    late = write(tmp_path / "late.jsonl", "copy.mkv", [[said("new")]], count=32, fingerprint="f")
    other = write(tmp_path / "other.jsonl", "other.mkv", [[said("other")]], count=32, fingerprint="g")
    assert [clip.caption for clip in read([early, late, other], tmp_path, TINY)] == ["untouched", "new", "other"]
    # The time of the decision counts more than the order of the exports; a later machine annotation is no decision.
    early = write(tmp_path / "early.jsonl", "a.mkv", [[at(said("old"), "2026-01-02")], [at(said("kept"), "2026-01-01")]], count=32, fingerprint="f")
    machine = [[at(said("new"), "2026-01-01"), at(said("?", "machine"), "2026-01-09")], [at(said("?", "machine"), "2026-01-09")]]
    late = write(tmp_path / "late.jsonl", "copy.mkv", machine, count=32, fingerprint="f")
    assert [clip.caption for clip in read([early, late], tmp_path, TINY)] == ["old", "kept"]
    # What was taken back is not learnt from an older export.
    late = write(tmp_path / "late.jsonl", "copy.mkv", [[at(said("old", "rejected"), "2026-01-03")]], count=32, fingerprint="f")
    assert [clip.caption for clip in read([early, late], tmp_path, TINY)] == ["kept"]


def test_a_caption_of_a_part_is_not_the_clips(tmp_path: Path) -> None:
    record(tmp_path / "a.mkv", numbered(16))
    part, whole = {"startFrame": 0, "endFrame": 2}, {"startFrame": 0, "endFrame": 16}
    lines = [said("jumps", span=part), said("one line\u2028two", span=whole)]  # U+2028 ends no line of JSONL
    assert [clip.caption for clip in read([write(tmp_path / "a.jsonl", "a.mkv", [lines])], tmp_path, TINY)] == ["one line\u2028two"]


def test_what_cannot_be_read_is_named_with_a_next_step(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"cannot be read .*--annotations"):
        read([tmp_path], tmp_path, TINY)
    (tmp_path / "a.mkv").write_bytes(b"no video at all")
    with pytest.raises(ValueError, match=r"a\.mkv cannot be opened as a video .*--videos"):
        read([write(tmp_path / "a.jsonl", "a.mkv", [[said("x")]])], tmp_path, TINY)
    with pytest.raises(ValueError, match=r"gone\.mkv is nowhere in"):
        read([write(tmp_path / "a.jsonl", "gone.mkv", [[said("x")]])], tmp_path, TINY)
