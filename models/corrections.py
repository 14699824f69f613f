"""Reads what people accepted and corrected in the app (its JSONL exports), with the frames of the videos that it is about."""

from __future__ import annotations

import glob
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path, PureWindowsPath
from typing import Any

import av
import numpy as np

from models.batches import anchors
from models.config import Config
from models.tubes import Bytes
from models.videos import upright

DECIDED = ("accepted", "edited")
Export = tuple[dict[str, Any], list[int], list[dict[str, Any]]]  # the source, the PTS of its frames, and its clips with their annotations


@dataclass
class Taught:
    """One clip: video [T, size, size, 3]; boxes: key frame, one of the clip's T -> (label, cx, cy, w, h in 0..1 of the upright frame)."""

    name: str
    video: Bytes
    caption: str | None
    qa: list[tuple[str, str]]
    boxes: dict[int, list[tuple[str, float, float, float, float]]]


def read(exports: Sequence[Path], videos: Path, config: Config) -> list[Taught]:
    """The clips of all exports with something from a person that can be learnt; prints to standard error how many have nothing.

    ValueError for a file that is no such export, and for a video that is missing, found twice, or cannot be decoded."""
    parsed = [parse(export) for export in exports]
    current, (_, key_frames) = newest(parsed), anchors(config)
    out = list[Taught]()
    for export, (source, pts, clips) in zip(exports, parsed, strict=True):
        mine = [clip for clip in clips if current.get(identity(source, clip)) is clip]
        wanted = [clip for clip in mine if any(each["state"] in DECIDED for each in clip["annotations"])]
        if not wanted:
            continue
        spread = [evenly(clip["startFrame"], clip["endFrame"], config.frames) for clip in wanted]
        times = {i: pts[min(i, len(pts) - 1)] for row in spread for i in row}
        pictures = frames(find(source, videos, export), source["probe"], times, config.size)
        for clip, ordinals in zip(wanted, spread, strict=True):
            video = np.stack([pictures[i] for i in ordinals])
            out.append(taught(clip, source, {frame: times[ordinals[frame]] for frame in key_frames}, video))
    teaching = [clip for clip in out if clip.caption is not None or clip.qa or clip.boxes]
    if len(teaching) < len(out):
        print(f"{len(out) - len(teaching)} clip(s) left out: no caption, no answer, and no box on a frame that is learnt from", file=sys.stderr)
    return teaching


def identity(source: dict[str, Any], clip: dict[str, Any]) -> tuple[str, int, int]:
    """A key that is the same for a clip in every export."""
    return source.get("fingerprint") or source["name"], clip["startFrame"], clip["endFrame"]


def newest(exports: Sequence[Export]) -> dict[tuple[str, int, int], dict[str, Any]]:
    """identity -> the clip from the export with its latest decision; where exports are equally new, from the last of them."""
    out: dict[tuple[str, int, int], tuple[str, dict[str, Any]]] = {}
    for source, _, clips in exports:
        for clip in clips:
            # A later machine annotation in another project must not hide what a person said in this one.
            decisions = [each.get("updatedAt", "") for each in clip["annotations"] if each["state"] != "machine"]
            if decisions and max(decisions) >= out.get(identity(source, clip), ("",))[0]:
                out[identity(source, clip)] = max(decisions), clip
    return {which: clip for which, (_, clip) in out.items()}


def evenly(start: int, end: int, count: int) -> list[int]:
    """Ordinals in the middles of `count` equal parts of [start, end)."""
    middles = np.floor((np.arange(count) + 0.5) * (end - start) / count).astype(int) + start
    return [int(i) for i in middles]


def parse(export: Path) -> Export:
    try:
        # Not splitlines(): a text may hold other ends of lines, such as U+2028.
        lines = [json.loads(line) for line in export.read_text(encoding="utf-8").split("\n") if line]
        head, times, rest = lines[0], lines[1], lines[2:]
        if head["schema"] not in ("tubelet-annotations/2", "tubelet-reviewed/1") or head["type"] != "source" or times["type"] != "frames":
            raise ValueError("its first lines are not a source and its frames")
        clips: list[dict[str, Any]] = []
        for line in rest:
            if line["type"] == "clip":
                clips.append({**line["clip"], "annotations": []})
            else:
                clips[-1]["annotations"].append(line["annotation"])
        # Boxes are in pixels of the decoded picture. Older exports have no `picture`; their boxes are in square pixels of the displayed one.
        picture = head.get("picture") or {side: head["source"]["probe"][side] for side in ("width", "height")}
        return {**head["source"], "picture": picture}, times["pts"], clips
    except OSError as error:
        raise ValueError(f"{export} cannot be read ({error.strerror}): give the JSONL files themselves with --annotations") from error
    except (ValueError, KeyError, IndexError, TypeError) as error:
        raise ValueError(f"{export} is no JSONL export of Tubelet: {error}") from error


def find(source: dict[str, Any], videos: Path, export: Path) -> Path:
    """The file below `videos` with the source's name; of several, the one whose path shares the longest end with the path in the app."""
    # A source that is one of several video streams has the stream in its name; a name may contain another system's path separator.
    name = source["name"] if source["path"].endswith(source["name"]) else PureWindowsPath(source["path"]).name
    found = sorted(path for path in videos.rglob(glob.escape(name)) if path.is_file())
    if not found:
        raise ValueError(f"{export}: {name} is nowhere in {videos}: give the folder that holds it with --videos")
    if len(found) == 1:
        return found[0]
    path = PureWindowsPath(source["path"]).parts  # knows the separators of every system

    def alike(one: Path) -> int:
        return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(reversed(one.absolute().parts), reversed(path), strict=False)))

    best, second = sorted(found, key=alike, reverse=True)[:2]
    if alike(best) == alike(second):
        raise ValueError(f"{export}: {name} may be {best} or {second}: give a folder that holds only one of them with --videos")
    return best


def frames(file: Path, probe: dict[str, Any], times: dict[int, int], size: int) -> dict[int, Bytes]:
    """Ordinal -> its picture [size, size, 3], upright. times: ordinal -> PTS in the app's export.

    Frames are identified by their PTS, so that one that cannot be decoded shifts none of the others: the nearest frame before it takes its place,
    or the first. Where the file's times differ from the export's, as in joined recordings whose clock starts again, frames are counted."""
    stream, rotation = probe["videoStream"], probe["rotation"]
    timed = ((frame.pts, frame) for frame in decoded(file, stream) if frame.pts is not None)
    found = {time: (at, upright(frame, size, rotation)) for time, (at, frame) in on_screen(timed, {*times.values()})}
    if found and not probe.get("clockRestarts") and 2 * sum(time == at for time, (at, _) in found.items()) >= len(found):
        return {ordinal: found[time][1] for ordinal, time in times.items()}
    counted = {ordinal: upright(frame, size, rotation) for ordinal, (_, frame) in on_screen(enumerate(decoded(file, stream)), {*times})}
    if not counted:
        raise ValueError(f"{file}: none of its frames could be decoded; leave its export out, or give a folder with a whole copy with --videos")
    return counted


def on_screen(shown: Iterable[tuple[int, av.VideoFrame]], times: set[int]) -> Iterator[tuple[int, tuple[int, av.VideoFrame]]]:
    """For each of `times`, the last of the (time, frame) pairs, given in order, that is not later; for times before the first frame, the first."""
    waiting, last = sorted(times, reverse=True), None
    for now, frame in shown:
        while last and waiting and waiting[-1] < now:
            yield waiting.pop(), last
        if not waiting:
            return
        last = now, frame
    while last and waiting:
        yield waiting.pop(), last


def decoded(file: Path, stream: int) -> Iterator[av.VideoFrame]:
    """The frames of a stream that can be decoded, in display order. Damaged ones are skipped, as the app's ffmpeg does."""
    try:
        media = av.open(str(file))
    except av.FFmpegError as error:
        raise ValueError(f"{file} cannot be opened as a video ({error.strerror}): give a folder with a whole copy with --videos") from error
    with media:
        video = media.streams[stream] if stream < len(media.streams) else None
        if not isinstance(video, av.VideoStream):
            raise ValueError(f"{file}: stream {stream} is no video, so this is not the file of the export: give its folder with --videos")
        for packet in packets(media, video):
            try:
                yield from video.decode(packet)
            except av.FFmpegError:
                continue


def packets(media: av.container.InputContainer, stream: av.VideoStream) -> Iterator[av.Packet | None]:
    """Packets up to the end of what can be read; the last one is empty, or None, which makes a decoder return the frames it still holds."""
    try:
        yield from media.demux(stream)
    except av.FFmpegError:
        yield None


def taught(clip: dict[str, Any], source: dict[str, Any], times: dict[int, int], video: Bytes) -> Taught:
    """times: key frame, one of the video's T -> PTS."""
    kept = [each["body"] for each in clip["annotations"] if each["state"] in DECIDED]
    captions = [body["text"] for body in kept if body["kind"] == "caption" and body["text"].strip() and of_whole(body, clip)]
    qa = [(body["question"], body["text"]) for body in kept if body["kind"] == "answer" and body["text"].strip()]
    width, height = source["picture"]["width"], source["picture"]["height"]
    boxes: dict[int, list[tuple[str, float, float, float, float]]] = {}
    for body in (body for body in kept if body["kind"] == "track"):
        for frame, pts in times.items():
            x1, y1, x2, y2 = np.clip(box_at(body["boxes"], pts) or (0, 0, 0, 0), 0, (width, height, width, height)).tolist()
            if x1 < x2 and y1 < y2:
                place = ((x1 + x2) / 2 / width, (y1 + y2) / 2 / height, (x2 - x1) / width, (y2 - y1) / height)
                boxes.setdefault(frame, []).append((body["label"], *place))
    return Taught(f"{source['name']} clip {clip['index'] + 1}", video, captions[0] if captions else None, qa, boxes)


def of_whole(body: dict[str, Any], clip: dict[str, Any]) -> bool:
    """Whether a caption is about the whole clip: a person may have written one for a part of it."""
    span = body.get("span") or clip
    return bool(span["startFrame"] <= clip["startFrame"] and span["endFrame"] >= clip["endFrame"])


def box_at(keys: Sequence[dict[str, Any]], pts: int) -> tuple[float, float, float, float] | None:
    """Corners at a time, linear between key boxes as `interpolate` in app/tracks.ts has it; None outside the track's life, and while the
    object is outside the picture."""
    after = next((key for key in keys if key["pts"] >= pts), None)
    before = after if after and after["pts"] == pts else next((key for key in reversed(keys) if key["pts"] < pts), None)
    if after is None or before is None or before.get("outside"):
        return None
    share = (pts - before["pts"]) / max(1, after["pts"] - before["pts"])
    x1, y1, x2, y2 = (before["box"][side] + share * (after["box"][side] - before["box"][side]) for side in ("x1", "y1", "x2", "y2"))
    return x1, y1, x2, y2
