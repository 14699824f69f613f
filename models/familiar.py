"""Whether a clip is of the world that a model learnt: a small model is as sure of its words on footage of any other.

Nearest neighbours in the embedding (Sun et al. 2022, "Out-of-distribution detection with deep nearest neighbors", arXiv 2204.06507): a clip whose
`NEIGHBOURS`th nearest clip of training is further away than that of the usual held-out clip is taken for unfamiliar. The price, half of the clips
that it does know, is meant: to doubt what is right costs a look, to believe an invention costs the work that is built on it.
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


def threshold(held_out: np.ndarray) -> float:
    """Of the nearness [n] of clips of the same world that training did not see."""
    return float(np.median(held_out))


def read(folder: Path, width: int) -> Tensor:
    """The bank of a pack, [M, width]."""
    return torch.from_numpy(np.frombuffer((folder / BANK).read_bytes(), "<f2").astype(np.float32).reshape(-1, width))


def write(folder: Path, bank: Tensor) -> dict[str, str]:
    """Puts the bank into a run or a pack, and says what it is called there."""
    data = bank.numpy().astype("<f2").tobytes()
    (folder / BANK).write_bytes(data)
    return {"file": BANK, "sha256": hashlib.sha256(data).hexdigest()}
