"""The box head: each 2D patch of each key frame proposes one box, how sure it is that an object is there, and what it looks like as a
vector in the text embedding space, so that any typed label can be scored against it (open vocabulary, as F-VLM and OWL-ViT)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.config import Config

REACH = 0.25  # a patch may place a centre at most this far from its own, as a share of the frame


class Detector(nn.Module):
    """tokens [B, N, D] -> boxes [B, Q, 4] (cx, cy, w, h in 0..1), objectness logits [B, Q], regions [B, Q, D] (L2-normalised)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        patch, shape = config.tubes[0], config.clip_shape
        if patch.kernel[0] != 1:
            raise ValueError("the first kind of tube must be the 2D patch")
        self.queries = patch.count(shape)
        centres = patch.centres(shape)
        self.register_buffer("anchor", torch.tensor(centres[:, [2, 1]] / config.size, dtype=torch.float32), persistent=False)  # x, y
        self.register_buffer("frame", torch.tensor(patch.corners(shape)[:, 0]), persistent=False)
        width = config.width
        last = nn.Linear(width, 5)
        self.place = nn.Sequential(nn.Linear(width, width), nn.GELU(), last)
        self.describe = nn.Sequential(nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
        with torch.no_grad():  # start at a box of a fifth of the frame and at a rare object (focal loss prior)
            last.bias.copy_(torch.tensor([0.0, 0.0, -1.4, -1.4, -3.0]))

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = tokens[:, : self.queries]
        raw = self.place(x).float()
        centre = self.get_buffer("anchor")[: x.shape[1]] + (raw[..., 0:2].sigmoid() * 2 - 1) * REACH
        boxes = torch.cat((centre.clamp(0, 1), raw[..., 2:4].sigmoid()), dim=-1)
        return boxes, raw[..., 4], F.normalize(self.describe(x).float(), dim=-1)
