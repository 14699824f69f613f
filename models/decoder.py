"""The text decoder, used twice over the same weights (MaMMUT §3.1).

Contrastive pass: bidirectional, cross-attention skipped, no image, padding hidden; the mean over the text is its embedding.
Generative pass: causal, with cross-attention to the clip after every `cross_every`-th layer; next-token logits.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from models.config import Config
from models.layers import CrossBlock, SelfBlock

PAD, START, END = 0, 1, 2
HIDDEN = -1e9  # finite, so that a row whose keys are all masked does not become NaN


class Decoder(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        width = config.width
        self.embed = nn.Embedding(config.vocab, width)  # read as weight[ids]: an ONNX node called "embedding" would clash with that output
        self.position = nn.Parameter(torch.randn(config.context, width) * 0.02)
        self.blocks = nn.ModuleList(SelfBlock(width, config.heads) for _ in range(config.text_layers))
        self.cross = nn.ModuleList(CrossBlock(width, config.heads) for _ in range(config.cross_layers))
        self.norm = nn.LayerNorm(width)
        self.head = nn.Linear(width, config.vocab, bias=False)
        nn.init.normal_(self.embed.weight, std=0.05)
        nn.init.normal_(self.head.weight, std=0.02)

    def crossings(self) -> list[CrossBlock]:
        return [cast(CrossBlock, block) for block in self.cross]

    def contrast(self, ids: Tensor) -> Tensor:
        """ids [B, L], padded on the right with 0 -> embedding [B, D], L2-normalised. Does not depend on the amount of padding."""
        real = ids != PAD
        mask = torch.where(real, 0.0, HIDDEN)[:, None, None, :]
        if self.config.causal_contrast:
            mask = mask + torch.full((ids.shape[1], ids.shape[1]), HIDDEN, device=ids.device).triu(1)
        x = self.embed.weight[ids] + self.position[: ids.shape[1]]
        for block in self.blocks:
            x, _, _ = block(x, mask)
        weight = real.to(x.dtype)[:, :, None]
        pooled = (self.norm(x) * weight).sum(1) / weight.sum(1).clamp(min=1)
        return F.normalize(pooled.float(), dim=-1)

    def project(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """memory [B, N, D] -> cross_k, cross_v [B, M, heads, N, d]: computed once per clip and used for all its captions and answers."""
        keys, values = zip(*(block.project(memory) for block in self.crossings()), strict=True)
        return torch.stack(keys, dim=1), torch.stack(values, dim=1)

    def hidden(
        self, ids: Tensor, cross_k: Tensor, cross_v: Tensor, past_k: Tensor | None = None, past_v: Tensor | None = None, group: int = 1
    ) -> tuple[Tensor, list[Tensor], list[Tensor], list[Tensor]]:
        """The causal pass. ids [B*group, L]; cross_k, cross_v [B, M, heads, N, d]; past [B*group, layers, heads, T, d].

        Returns hidden states [B*group, L, D], the keys and values of each layer [.., heads, T+L, d], and the input of each cross block.
        Padding on the right needs no mask: nothing before it can see it."""
        length = ids.shape[1]
        seen = 0 if past_k is None else past_k.shape[3]
        at = torch.arange(length, device=ids.device) + seen
        mask = torch.where(torch.arange(seen + length, device=ids.device)[None, :] <= at[:, None], 0.0, HIDDEN)[None, None]
        x = self.embed.weight[ids] + self.position[at]
        keys, values, asked = [], [], []
        for i, block in enumerate(self.blocks):
            x, k, v = block(x, mask, None if past_k is None or past_v is None else (past_k[:, i], past_v[:, i]))
            keys.append(k)
            values.append(v)
            if i % self.config.cross_every == 0:
                j = i // self.config.cross_every
                asked.append(x)
                x = self.cross[j](x, cross_k[:, j], cross_v[:, j], group)
        return self.norm(x), keys, values, asked

    def forward(self, ids: Tensor, cross_k: Tensor, cross_v: Tensor, past_k: Tensor, past_v: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """One step, or a prompt: what `decoder.onnx` computes. Returns logits [B, L, vocab], present_k, present_v [B, layers, heads, T+L, d] and
        attention [B, N]: that of the last position, the mean over cross-attention layers and heads (each row sums to 1)."""
        x, keys, values, asked = self.hidden(ids, cross_k, cross_v, past_k, past_v)
        looks = []
        for j, block in enumerate(self.crossings()):
            q = block.queries(asked[j][:, -1:])
            score = (q @ cross_k[:, j].transpose(-1, -2)) / (q.shape[-1] ** 0.5)
            looks.append(score.softmax(-1).mean(1)[:, 0])
        return self.head(x), torch.stack(keys, dim=1), torch.stack(values, dim=1), torch.stack(looks).mean(0)
