"""The whole model: encode a clip once; then embed, caption, answer and detect from the encoder's outputs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.config import Config
from models.decoder import END, Decoder
from models.detector import Detector
from models.encoder import Encoder


class Mammut(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.encoder, self.decoder, self.detector = Encoder(config), Decoder(config), Detector(config)
        self.pool_norm = nn.LayerNorm(config.width)
        self.to_text = nn.Linear(config.width, config.width)  # paper §3.1: one linear layer between the two widths
        self.log_scale = nn.Parameter(torch.tensor(math.log(1 / 0.07)))  # learnable temperature of text-clip pairs
        self.log_region_scale = nn.Parameter(torch.tensor(math.log(10.0)))  # and of label-region pairs

    def encode(self, tubes: Sequence[Tensor], crops: Tensor | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """tubes uint8, a list of [B, n_i, voxels_i] -> embedding [B, E] (L2-normalised), memory [B, N, D], tokens [B, N, V]."""
        tokens = self.encoder(tubes, crops)
        embedding = F.normalize(self.to_text(self.pool_norm(tokens.mean(1))).float(), dim=-1)
        return embedding, self.to_text(tokens), tokens

    @torch.no_grad()
    def generate(self, prompt: Tensor, cross_k: Tensor, cross_v: Tensor, limit: int = 32) -> tuple[list[list[int]], Tensor]:
        """Greedy. prompt [B, L] without padding; cross_k, cross_v [B, M, heads, N, d].

        Returns the new ids of each row up to [EOT], and the mean log-probability [B] of each row's ids including [EOT]."""
        rows, device = prompt.shape[0], prompt.device
        config = self.config
        past_k = torch.zeros(rows, config.text_layers, config.heads, 0, config.width // config.heads, device=device)
        past_v, ids = past_k, prompt
        out: list[list[int]] = [[] for _ in range(rows)]
        total, steps = torch.zeros(rows, device=device), torch.zeros(rows, device=device)
        open_ = torch.ones(rows, dtype=torch.bool, device=device)
        for _ in range(min(limit, config.context - prompt.shape[1])):
            logits, past_k, past_v, _ = self.decoder(ids, cross_k, cross_v, past_k, past_v)
            best, choice = logits[:, -1].float().log_softmax(-1).max(-1)
            total += torch.where(open_, best, 0.0)
            steps += open_
            for row in range(rows):
                if open_[row] and choice[row] != END:
                    out[row].append(int(choice[row]))
            open_ &= choice != END
            if not open_.any():
                break
            ids = choice[:, None]
        return out, total / steps.clamp(min=1)


def save(path: Path, model: Mammut, **more: Any) -> None:
    """Writes a checkpoint atomically: a run that is killed leaves the previous one intact."""
    part = path.with_suffix(".part")
    torch.save({"config": model.config.to_json(), "model": model.state_dict(), **more}, part)
    part.replace(path)


def load(path: Path) -> tuple[Mammut, dict[str, Any]]:
    state = torch.load(path, map_location="cpu", weights_only=True)
    model = Mammut(Config.from_json(state["config"]))
    model.load_state_dict(state["model"])
    return model, state
