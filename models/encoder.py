"""The video encoder: a ViT over 2D patches of sparse key frames and over tubes, all tokens together (MaMMUT §4, TubeViT §3)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from models.config import Config
from models.layers import SelfBlock
from models.tubes import positions


class Encoder(nn.Module):
    """tubes uint8, a list of [B, n_i, voxels_i] -> tokens [B, N, D], kind by kind in the order of config.tubes."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width, shape = config.width, config.clip_shape
        self.project = nn.ModuleList(nn.Linear(tube.voxels, width) for tube in config.tubes)
        grid = config.tubes[0].grid(shape)
        self.learned = nn.Parameter(torch.randn(grid[1] * grid[2], width) * 0.02)  # one for each place of a frame, shared by the key frames
        self.key_frames = grid[0]
        # MaMMUT adds the fixed position by a "weighted connection". Starting from an image model alpha is 0; trained from scratch the
        # patches would then not know their frame at first, so alpha starts open. Tubes have no learned position and take it ungated.
        self.alpha = nn.Parameter(torch.tensor(0.55))
        for i, tube in enumerate(config.tubes):
            self.register_buffer(f"fixed_{i}", torch.from_numpy(positions(tube.centres(shape), width)), persistent=False)
            self.register_buffer(f"mean_{i}", torch.tensor(config.mean).repeat(tube.voxels // 3) * 255, persistent=False)
            self.register_buffer(f"scale_{i}", 1 / (torch.tensor(config.std).repeat(tube.voxels // 3) * 255), persistent=False)
        self.norm_in, self.norm_out = nn.LayerNorm(width), nn.LayerNorm(width)
        self.blocks = nn.ModuleList(SelfBlock(width, config.heads) for _ in range(config.vision_layers))

    def forward(self, tubes: Sequence[Tensor]) -> Tensor:
        parts = []
        for i, (voxels, project) in enumerate(zip(tubes, self.project, strict=True)):
            token = project((voxels.float() - self.get_buffer(f"mean_{i}")) * self.get_buffer(f"scale_{i}"))
            fixed = self.get_buffer(f"fixed_{i}")
            place = self.learned.repeat(self.key_frames, 1) + torch.tanh(self.alpha) * fixed if i == 0 else fixed
            parts.append(token + place)
        x = self.norm_in(torch.cat(parts, dim=1))
        for block in self.blocks:
            x, _, _ = block(x)
        out: Tensor = self.norm_out(x)
        return out
