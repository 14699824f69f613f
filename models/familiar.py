"""Whether a clip resembles those that a pack was taught: a small model is just as sure of its words on any other footage.

It was trained on composed video, which real footage does not resemble. Several ways to tell the two apart were tried (RESULTS.md), and each let
some inventions through. One did not: clips that a user taught a pack can be told from other videos by the embedding alone (nearest neighbours, Sun
et al. 2022, "Out-of-distribution detection with deep nearest neighbors", arXiv 2204.06507). So a pack is sure only of clips that are near to one
that it was taught, and before it was taught any, of none.

    python -m models.familiar --pack PACK [--train-data DIR] [--real VIDEOS] [--pictures DIR]

prints how near to what a pack was taught other clips come: composed ones, those of some videos, test pictures, and moves over other pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from torch import Tensor

from models.data.generator import World
from models.tubes import Bytes
from models.videos import span

THRESHOLD = 0.95  # other parts of a taught video are mostly that near to a taught clip; clips of other videos came to 0.81 at most (RESULTS.md)
UNTAUGHT: dict[str, Any] = {"threshold": THRESHOLD, "taught": None}  # `calibration.familiar` of a pack that nobody has taught
BANK = "taught.f16"  # [M, E]: embeddings of what it was taught, little-endian half floats


def teach(folder: Path, embedding: Tensor) -> dict[str, Any]:
    """Writes embeddings [M, E] of taught clips into a pack. Returns its `calibration.familiar`."""
    data = embedding.numpy().astype("<f2").tobytes()
    (folder / BANK).write_bytes(data)
    return {"threshold": THRESHOLD, "taught": {"file": BANK, "sha256": hashlib.sha256(data).hexdigest()}}


def nearness(pack: Path, embedding: Tensor) -> np.ndarray:
    """embedding [n, E], L2-normalised -> [n]: the cosine of each to the nearest clip that the pack was taught; -1 where it was taught none."""
    familiar = json.loads((pack / "pack.json").read_text())["calibration"]["familiar"]
    if familiar["taught"] is None:
        return np.full(len(embedding), -1.0)
    bank = np.frombuffer((pack / familiar["taught"]["file"]).read_bytes(), "<f2").astype(np.float32).reshape(-1, embedding.shape[1])
    out: np.ndarray = (embedding.numpy() @ bank.T).max(axis=1)
    return out


# Test patterns from ffmpeg's own sources. They show no objects, so any statement about them is wrong.
PATTERNS = (
    *("testsrc", "testsrc2", "smptebars", "smptehdbars", "rgbtestsrc", "yuvtestsrc", "pal75bars", "pal100bars", "colorspectrum"),
    *("mandelbrot", "life", "cellauto", "gradients", "sierpinski", "zoneplate", "color=c=black", "color=c=white", "color=c=gray"),
)


def pattern(name: str, frames: int, size: int) -> Bytes:
    """The first two seconds of one of PATTERNS, [frames, size, size, 3]."""
    source = av.open(f"{name}{':' if '=' in name else '='}size=320x240:rate={frames / 2}", format="lavfi")
    pictures = [picture.reformat(size, size, "rgb24").to_ndarray() for picture in itertools.islice(source.decode(video=0), frames)]
    source.close()
    return np.stack(pictures).astype(np.uint8, copy=False)


def moves(picture: Bytes, frames: int, size: int, rng: np.random.Generator) -> Bytes:
    """A clip from a camera that pans and zooms slowly over a picture [H, W, 3], or stays still: [frames, size, size, 3]."""
    height, width = picture.shape[:2]
    share = np.linspace(1, 1 if rng.random() < 0.3 else rng.uniform(0.85, 1.15), frames) * rng.uniform(0.4, 0.8)  # [frames], of the sides
    corner = rng.uniform(0, 1 - share.max(), 2)
    drift = np.linspace(0, 1, frames)[:, None] * (share[0] != share[-1]) * (rng.uniform(0, 1 - share.max(), 2) - corner) / 2
    out = list[Bytes]()
    for part, (x, y) in zip(share, corner + drift, strict=True):
        crop = picture[int(y * height) : int((y + part) * height), int(x * width) : int((x + part) * width)]
        out.append(cv2.resize(crop, (size, size), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False))
    return np.stack(out)


def pictures(folder: Path, frames: int, size: int) -> list[Bytes]:
    """Moves over every picture below a folder that is at least 200 pixels high and wide."""
    out = list[Bytes]()
    for file in sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png")):
        picture = cv2.imread(str(file))
        if picture is not None and min(picture.shape[:2]) >= 200:
            out.append(moves(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False), frames, size, np.random.default_rng(len(out))))
    return out


def clips_of(file: Path, frames: int, size: int) -> list[Bytes]:
    """The first eight clips of 8 seconds of a video, or as many as it has; none of a file that is not a video or cannot be decoded."""
    try:
        with av.open(str(file)) as media:
            seconds = (media.duration or 0) / av.time_base
        return [span(file, start, start + 8, frames, size) for start in range(0, max(1, min(64, int(seconds))), 8)]
    except (av.FFmpegError, IndexError):
        return []


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--train-data", type=Path)
    parser.add_argument("--clips", type=int, default=400, help="composed clips")
    parser.add_argument("--real", type=Path, help="a folder of videos")
    parser.add_argument("--pictures", type=Path, help="a folder of pictures")
    args = parser.parse_args()
    from models.evaluate import encode_all
    from models.unpack import read

    model, _ = read(args.pack)
    frames, size = model.config.frames, model.config.size
    world = World(args.train_data, "val", frames, size)
    sets = {"composed": [sample.video for sample in world.samples([np.random.default_rng((17, i)) for i in range(args.clips)])]}
    for file in sorted(args.real.iterdir()) if args.real else ():
        if videos := clips_of(file, frames, size):
            sets[file.name] = videos
    sets["test pictures"] = [pattern(name, frames, size) for name in PATTERNS]
    if args.pictures:
        sets["moves over pictures"] = pictures(args.pictures, frames, size)
    print("| clips of | n | nearest | known |\n|---|---|---|---|")
    for name, videos in sets.items():
        near = nearness(args.pack, encode_all(model, videos).embedding)
        print(f"| {name} | {len(videos)} | {near.max():.2f} | {int((near >= THRESHOLD).sum())} |")


if __name__ == "__main__":
    main()
