"""The video encoder: a ViT over 2D patches of sparse key frames and over tubes, all tokens together (MaMMUT §4, TubeViT §3)."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.config import Config
from models.layers import SelfBlock
from models.tubes import Floats, positions

GRID = 64  # side of the grid from which cropped positions are taken: 1024 px with patches of 16


def crop_positions(learned: Tensor, crops: Tensor) -> Tensor:
    """Cropped positional embedding (MaMMUT §3.2, RO-ViT): the positions that a part of a larger picture would have.

    learned [h, w, D] is enlarged to GRID x GRID, and each crop [B, 4] (x0, y0, x1, y1 in 0..1) of it is resized back: [B, h, w, D]. All
    bilinear, in coordinates where a cell's value sits at its middle."""
    h, w, _ = learned.shape
    large = F.interpolate(learned.permute(2, 0, 1)[None], size=(GRID, GRID), mode="bilinear", align_corners=False)
    x = crops[:, None, 0:1] + (crops[:, None, 2:3] - crops[:, None, 0:1]) * ((torch.arange(w, device=crops.device) + 0.5) / w)  # [B, 1, w]
    y = crops[:, None, 1:2] + (crops[:, None, 3:4] - crops[:, None, 1:2]) * ((torch.arange(h, device=crops.device) + 0.5) / h)
    at = torch.stack((x.expand(-1, h, -1), y.transpose(1, 2).expand(-1, -1, w)), dim=-1) * 2 - 1  # [B, h, w, 2], -1..1
    out: Tensor = F.grid_sample(large.expand(len(crops), -1, -1, -1), at, mode="bilinear", padding_mode="border", align_corners=False)
    return out.permute(0, 2, 3, 1)


def joint_positions(centres: Floats, width: int) -> Tensor:
    """Random Fourier features of token positions, centres [n, 3] (t, y, x) in 0..1 -> [n, width]. Each channel is a wave across time and
    space together, so that the sum of a thing's tokens shows which way it went; sines of one axis each do not."""
    rng = torch.Generator().manual_seed(1)
    waves = 3 * torch.randn(3, width, generator=rng)
    return torch.cos(torch.from_numpy(centres).float() @ waves + 2 * math.pi * torch.rand(width, generator=rng))


class Encoder(nn.Module):
    """tubes uint8, a list of [B, n_i, voxels_i] -> tokens [B, N, D], kind by kind in the order of config.tubes.

    An image is a video of one frame: the patches of the first key frame, and no tubes of the kinds that are longer.

    Positions are added, as in the paper, and also multiplied: a second projection of the voxels, times a learned position of the token. Answers
    about a clip (where, which way, how fast) depend on products of content and place, which sums of the two do not contain: without this term
    a model of this size had not learnt in 600 steps which way a single block moves (models.toy); with it that took 100."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width, shape = config.width, config.clip_shape
        self.project = nn.ModuleList(nn.Linear(tube.voxels // tube.parts, width // tube.parts) for tube in config.tubes)
        self.grid = config.tubes[0].grid(shape)  # of the patches: key frames, rows, columns
        self.learned = nn.Parameter(torch.randn(self.grid[1] * self.grid[2], width) * 0.02)  # one for each place of a frame
        # MaMMUT adds the fixed position by a "weighted connection". Starting from an image model alpha is 0; with training from scratch the
        # patches would then not know their frame at first, so alpha starts at 0.55. Tubes have no learned position and take it ungated.
        self.alpha = nn.Parameter(torch.tensor(0.55))
        self.gate = nn.ModuleList(nn.Linear(tube.voxels // tube.parts, width // tube.parts) for tube in config.tubes)
        self.places = nn.ParameterList(joint_positions((tube.centres(shape) / np.array(shape)).astype(np.float32), width) for tube in config.tubes)
        for i, tube in enumerate(config.tubes):
            voxels = tube.voxels // tube.parts // 3
            fixed = torch.from_numpy(positions(tube.centres(shape), width)) * float(config.fixed_positions)
            self.register_buffer(f"fixed_{i}", fixed, persistent=False)
            self.register_buffer(f"mean_{i}", torch.tensor(config.mean).repeat(voxels) * 255, persistent=False)
            self.register_buffer(f"scale_{i}", 1 / (torch.tensor(config.std).repeat(voxels) * 255), persistent=False)
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.ModuleList(SelfBlock(width, config.heads) for _ in range(config.vision_layers))

    def place(self, crops: Tensor | None) -> Tensor:
        """Learned positions of one key frame's patches: [q, D], or [B, q, D] where each clip is treated as a crop [B, 4] of a larger one."""
        if crops is None:
            return self.learned
        return crop_positions(self.learned.reshape(*self.grid[1:], -1), crops).flatten(1, 2)

    def forward(self, tubes: Sequence[Tensor], crops: Tensor | None = None) -> Tensor:
        parts = []
        for i, (voxels, project, tube) in enumerate(zip(tubes, self.project, self.config.tubes, strict=True)):
            kernels = voxels.reshape(*voxels.shape[:-1], tube.parts, tube.voxels // tube.parts).float()  # [B, n, parts, voxels of one kernel]
            kernels = (kernels - self.get_buffer(f"mean_{i}")) * self.get_buffer(f"scale_{i}")
            token = project(kernels).flatten(-2)  # [B, n, D]
            token = token + self.gate[i](kernels).flatten(-2) * self.places[i][: token.shape[1]]
            fixed = self.get_buffer(f"fixed_{i}")[: token.shape[1]]
            if i == 0:
                learned = self.place(crops)  # the same for each key frame
                fixed = learned.repeat(*[1] * (learned.ndim - 2), token.shape[1] // learned.shape[-2], 1) + torch.tanh(self.alpha) * fixed
            parts.append(token + fixed)
        x = self.norm_in(torch.cat(parts, dim=1))
        for block in self.blocks:
            x, _, _ = block(x)
        out: Tensor = self.norm_out(x)
        return out
