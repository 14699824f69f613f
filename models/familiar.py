"""Whether a clip is of the world that a model learnt: a small model is as sure of its words on footage of any other.

Two signs, and both must be there. Nearest neighbours in the embedding (Sun et al. 2022, "Out-of-distribution detection with deep nearest neighbors",
arXiv 2204.06507): the `NEIGHBOURS`th nearest clip of training is near. The agreement of the two passes, as CLIPScore judges captions (Hessel et al.
2021, arXiv 2104.08718): the contrastive pass sees in the clip what the generative pass says of it. Near and in agreement is what the usual held-out
clip is, the median. The price, most of the clips that it does know, is meant: to doubt what is right costs a look, to believe an invention costs the
work that is built on it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from models.data.generator import World
from models.model import Mammut
from models.tubes import cut

NEIGHBOURS = 20
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


def agreement(embedding: Tensor, captions: Tensor) -> np.ndarray:
    """Embeddings [n, E] of clips and of what the model says of them, both L2-normalised -> [n]: their cosines."""
    out: np.ndarray = (embedding * captions).sum(-1).numpy()
    return out


def calibrate(near: np.ndarray, agreed: np.ndarray) -> dict[str, float]:
    """`calibration.familiar` of pack.json, but for its file, from clips [n] of the same world that training did not see."""
    return {"neighbours": NEIGHBOURS, "threshold": float(np.median(near)), "agreement": float(np.median(agreed))}


def passes(near: np.ndarray, agreed: np.ndarray, calibration: dict[str, float]) -> np.ndarray:
    """[n] each -> bool [n]."""
    return (near >= calibration["threshold"]) & (agreed >= calibration["agreement"])


def read(folder: Path, width: int) -> Tensor:
    """The bank of a pack, [M, width]."""
    return torch.from_numpy(np.frombuffer((folder / BANK).read_bytes(), "<f2").astype(np.float32).reshape(-1, width))


def write(folder: Path, bank: Tensor) -> dict[str, str]:
    """Puts the bank into a run or a pack, and says what it is called there."""
    data = bank.numpy().astype("<f2").tobytes()
    (folder / BANK).write_bytes(data)
    return {"file": BANK, "sha256": hashlib.sha256(data).hexdigest()}
