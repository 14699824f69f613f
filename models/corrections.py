"""What people accepted and corrected in the app, with the pictures it is about: the app's JSONL exports and the videos beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import numpy as np

from models.config import Config
from models.tubes import Bytes

DECIDED = ("accepted", "edited")


@dataclass
class Taught:
    """One clip: video [T, size, size, 3]; boxes: frame of the clip's T -> (label, cx, cy, w, h in 0..1 of the upright frame)."""

    name: str
    video: Bytes
    caption: str | None
    qa: list[tuple[str, str]]
    boxes: dict[int, list[tuple[str, float, float, float, float]]]


def read(exports: Sequence[Path], videos: Path, config: Config) -> list[Taught]:
    """The clips of all exports of which somebody said something. ValueError for a file that is no such export or a video that is not there."""
    out = []
    for export in exports:
        source, pts, clips = parse(export)
        wanted = [clip for clip in clips if any(each["state"] in DECIDED for each in clip["annotations"])]
        if not wanted:
            continue
        found = sorted(path for path in videos.rglob(source["name"]) if path.is_file())
        if not found:
            raise ValueError(f"{export}: {source['name']} is nowhere in {videos}: give the folder that holds it with --videos")
        spread = [evenly(clip["startFrame"], clip["endFrame"], config.frames) for clip in wanted]
        pictures = frames(found[0], {i for row in spread for i in row}, config.size, source["probe"]["rotation"])
        for clip, ordinals in zip(wanted, spread, strict=True):
            # A damaged file ends early: its last picture stands for what is missing, as on the screen.
            video = np.stack([pictures[min(i, max(pictures))] for i in ordinals])
            out.append(taught(clip, source, [pts[min(i, len(pts) - 1)] for i in ordinals], video))
    return out


def evenly(start: int, end: int, count: int) -> list[int]:
    """Ordinals in the middles of `count` equal parts of [start, end)."""
    middles = np.floor((np.arange(count) + 0.5) * (end - start) / count).astype(int) + start
    return [int(i) for i in middles]


def parse(export: Path) -> tuple[dict[str, Any], list[float], list[dict[str, Any]]]:
    """The source, the PTS of its frames, and its clips with their annotations."""
    try:
        lines = [json.loads(line) for line in export.read_text().splitlines() if line]
        head, times, rest = lines[0], lines[1], lines[2:]
        if head["schema"] != "tubelet-reviewed/1" or head["type"] != "source" or times["type"] != "frames":
            raise ValueError("its first lines are not a source and its frames")
        clips: list[dict[str, Any]] = []
        for line in rest:
            if line["type"] == "clip":
                clips.append({**line["clip"], "annotations": []})
            else:
                clips[-1]["annotations"].append(line["annotation"])
        return head["source"], times["pts"], clips
    except (ValueError, KeyError, IndexError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"{export} is no JSONL export of Tubelet: {error}") from error


def frames(file: Path, ordinals: set[int], size: int, rotation: int) -> dict[int, Bytes]:
    """The frames of those 0-based ordinals that can be decoded, upright and squeezed to size x size as the app does."""
    out: dict[int, Bytes] = {}
    with av.open(str(file)) as media:
        for ordinal, frame in enumerate(decoded(media)):
            if ordinal in ordinals:
                picture = frame.reformat(size, size, "rgb24").to_ndarray().astype(np.uint8, copy=False)
                out[ordinal] = np.ascontiguousarray(np.rot90(picture, -rotation // 90))
            if ordinal >= max(ordinals):
                break
    if not out:
        raise ValueError(f"{file}: none of its frames could be decoded")
    return out


def decoded(media: av.container.InputContainer) -> Iterator[av.VideoFrame]:
    """Frames up to the first that cannot be read."""
    try:
        yield from media.decode(video=0)
    except av.FFmpegError:
        return


def taught(clip: dict[str, Any], source: dict[str, Any], pts: Sequence[float], video: Bytes) -> Taught:
    kept = [each["body"] for each in clip["annotations"] if each["state"] in DECIDED]
    captions = [body["text"] for body in kept if body["kind"] == "caption" and body["text"].strip()]
    qa = [(body["question"], body["text"]) for body in kept if body["kind"] == "answer" and body["text"].strip()]
    width, height = source["probe"]["width"], source["probe"]["height"]
    boxes: dict[int, list[tuple[str, float, float, float, float]]] = {}
    for body in kept:
        if body["kind"] != "track":
            continue
        for frame, at in enumerate(pts):
            box = box_at(body["boxes"], at)
            if box is not None:
                x1, y1, x2, y2 = box
                place = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
                boxes.setdefault(frame, []).append((body["label"], *place))
    return Taught(f"{source['name']} clip {clip['index'] + 1}", video, captions[0] if captions else None, qa, boxes)


def box_at(keys: Sequence[dict[str, Any]], pts: float) -> tuple[float, float, float, float] | None:
    """Corners at a time, linear between key boxes as in app/tracks; None outside the track's life."""
    times = np.array([key["pts"] for key in keys], float)
    if not times[0] <= pts <= times[-1]:
        return None
    x1, y1, x2, y2 = (float(np.interp(pts, times, [key["box"][side] for key in keys])) for side in ("x1", "y1", "x2", "y2"))
    return x1, y1, x2, y2
