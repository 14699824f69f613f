"""Whether a clip is of the world that a model learnt: a small model is as sure of its words on footage of any other.

Two signs, and both must be there. Nearest neighbours in the embedding (Sun et al. 2022, "Out-of-distribution detection with deep nearest neighbors",
arXiv 2204.06507): the `NEIGHBOURS`th nearest clip of training is near. The agreement of the two passes, as CLIPScore judges captions (Hessel et al.
2021, arXiv 2104.08718): the contrastive pass sees in the clip what the generative pass says of it. Near and in agreement is what the middle held-out
clip is. The price, most of the clips that it does know, is meant: to doubt what is right costs a look, to believe an invention costs the work that is
built on it. Only what is so near that it could be a copy needs no agreement: such are the clips that a user taught, whose words the contrastive pass
has hardly learnt yet.

    python -m models.familiar --pack PACK --train-data DIR [--real VIDEOS] [--pictures DIR]

prints how much passes of composed video that nobody trained on, of all clips of some videos, of test pictures, and of moves over other pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from torch import Tensor

from models.data.generator import World
from models.model import Mammut
from models.tubes import Bytes, cut

NEIGHBOURS = 20
CERTAIN = 0.95  # re-encodings of a clip are that near to it; different videos are not, and of 400 clips that nobody trained on none was
BANK = "familiar.f16"  # [M, E] in a pack or a run: embeddings of clips of training, little-endian half floats


@torch.no_grad()
def bank_of(model: Mammut, world: World, clips: int = 2000) -> Tensor:
    """Embeddings [clips, E] of clips that the world composes; the world is that of the training split."""
    parts = []
    for first in range(0, clips, 64):
        made = world.samples([np.random.default_rng((13, i)) for i in range(first, min(first + 64, clips))])
        voxels = zip(*(cut(sample.video, model.config.tubes) for sample in made), strict=True)
        parts.append(model.encode([torch.from_numpy(np.stack(kind)) for kind in voxels])[0])
    return torch.cat(parts)


def nearness(embedding: Tensor, bank: Tensor) -> np.ndarray:
    """embedding [n, E] and bank [M, E], both L2-normalised -> [n]: the cosine of each to its NEIGHBOURS-th nearest of the bank."""
    out: np.ndarray = (embedding @ bank.T).topk(NEIGHBOURS, dim=1).values[:, -1].numpy()
    return out


def calibrate(near: np.ndarray, agreed: np.ndarray) -> dict[str, float]:
    """`calibration.familiar` of pack.json, but for its file, from clips [n] of the same world that training did not see."""
    return {
        "neighbours": NEIGHBOURS,
        "threshold": float(np.median(near)),
        "agreement": float(np.median(agreed)),
        "certain": CERTAIN,
    }


def passes(near: np.ndarray, agreed: np.ndarray, calibration: dict[str, float]) -> np.ndarray:
    """[n] each -> bool [n]."""
    return (near >= calibration["certain"]) | (near >= calibration["threshold"]) & (agreed >= calibration["agreement"])


def read(folder: Path, width: int) -> Tensor:
    """The bank of a pack, [M, width]."""
    return torch.from_numpy(np.frombuffer((folder / BANK).read_bytes(), "<f2").astype(np.float32).reshape(-1, width))


def write(folder: Path, bank: Tensor) -> dict[str, str]:
    """Puts the bank into a run or a pack, and says what it is called there."""
    data = bank.numpy().astype("<f2").tobytes()
    (folder / BANK).write_bytes(data)
    return {"file": BANK, "sha256": hashlib.sha256(data).hexdigest()}


# Of ffmpeg's own sources. They show no things, so nothing that is said of them is right.
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
    """A camera that pans and zooms slowly over a picture [H, W, 3], or rests: [frames, size, size, 3]."""
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


def clips_of(folder: Path, frames: int, size: int) -> list[Bytes]:
    """The first eight clips of 8 seconds, or what there is of them, of every video of a folder that can be read."""
    from models.baselines import span

    out = list[Bytes]()
    for file in sorted(path for path in folder.iterdir() if path.is_file()):
        try:
            with av.open(str(file)) as media:
                seconds = (media.duration or 0) / av.time_base
            out += [span(file, start, start + 8, frames, size) for start in range(0, max(1, min(64, int(seconds))), 8)]
        except (av.FFmpegError, IndexError):
            continue  # no video, or none that can be decoded
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--train-data", type=Path)
    parser.add_argument("--clips", type=int, default=400, help="composed clips")
    parser.add_argument("--real", type=Path, help="a folder of videos")
    parser.add_argument("--pictures", type=Path, help="a folder of pictures")
    args = parser.parse_args()
    from models.evaluate import agreement, answer_all, encode_all
    from models.tokenizer import PROMPTS
    from models.unpack import read as unpack

    model, text = unpack(args.pack)
    calibration = json.loads((args.pack / "pack.json").read_text())["calibration"]["familiar"]
    bank, (frames, size) = read(args.pack, model.config.width), (model.config.frames, model.config.size)
    world = World(args.train_data, "val", frames, size)
    sets = {"composed, never seen": [sample.video for sample in world.samples([np.random.default_rng((17, i)) for i in range(args.clips)])]}
    if args.real:
        sets["clips of videos"] = clips_of(args.real, frames, size)
    sets["test pictures"] = [pattern(name, frames, size) for name in PATTERNS]
    if args.pictures:
        sets["moves over pictures"] = pictures(args.pictures, frames, size)
    print("| passes | n | near | agrees | both |\n|---|---|---|---|---|")
    for name, videos in sets.items():
        seen = encode_all(model, videos)
        told = answer_all(model, text, [PROMPTS["caption"]] * len(videos), seen.cross_k, seen.cross_v)
        near = nearness(seen.embedding, bank)
        agreed = agreement(model, text, seen, [got for got, _, _ in told])
        shares = near >= calibration["threshold"], agreed >= calibration["agreement"], passes(near, agreed, calibration)
        print(f"| {name} | {len(videos)} | " + " | ".join(f"{100 * share.mean():.1f} %" for share in shares) + " |")


if __name__ == "__main__":
    main()
