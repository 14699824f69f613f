"""Frames of video files, upright and squeezed to a square, as the app gives them to a model."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np

from models.tubes import Bytes


def upright(frame: av.VideoFrame, size: int, clockwise: int) -> Bytes:
    """[size, size, 3] RGB: squeezed to a square as the app does, and turned by `clockwise` degrees, as a player would."""
    picture = frame.reformat(size, size, "rgb24").to_ndarray().astype(np.uint8, copy=False)
    return np.ascontiguousarray(np.rot90(picture, -round(clockwise / 90)))


def span(file: Path, start: float, end: float, frames: int, size: int) -> Bytes:
    """`frames` pictures evenly spread over [start, end) seconds from the first frame, upright and squeezed to size x size as the app does."""
    with av.open(str(file)) as media:
        stream = media.streams.video[0]
        shown: list[tuple[float, Bytes]] = []
        for frame in media.decode(stream):
            time = float((frame.pts or 0) * (stream.time_base or 0))
            first = shown[0][0] if shown else time
            if time - first >= end:
                break
            shown.append((time, upright(frame, size, -frame.rotation)))  # PyAV gives the rotation counter-clockwise
            # Only the first frame and those inside the span are kept.
            if len(shown) > 1 and time - first < start:
                shown.pop()
    inside = shown if start == 0 or len(shown) == 1 else shown[1:]
    return np.stack([inside[i][1] for i in np.floor((np.arange(frames) + 0.5) * len(inside) / frames).astype(int)])
