"""Pre-norm transformer blocks with explicit q, k, v: nn.MultiheadAttention does not survive ONNX export with free batch and length."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def mlp(width: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))


def split(x: Tensor, heads: int) -> Tensor:
    """[B, L, heads*d] -> [B, heads, L, d]."""
    out: Tensor = x.unflatten(-1, (heads, -1)).transpose(1, 2)  # type: ignore[no-untyped-call]
    return out


def merge(x: Tensor) -> Tensor:
    """[B, heads, L, d] -> [B, L, heads*d]."""
    return x.transpose(1, 2).flatten(2)


def attend(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """softmax(q k' / sqrt(d) + mask) v, [B, heads, L, d] each. Written out on a CPU, where PyTorch's fused kernel is five times slower to train."""
    if q.is_cuda:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=None if mask is None else mask.to(q.dtype))
    with torch.autocast("cpu", enabled=False):  # autocast would copy the scores to fp32 for a softmax that sums in fp32 anyway
        scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
        if mask is not None:
            scores = scores + mask.to(scores.dtype)
        out: Tensor = scores.softmax(-1) @ v
        return out


class SelfBlock(nn.Module):
    """x += attention(LN(x)); x += MLP(LN(x))."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.out = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = mlp(width)

    def forward(self, x: Tensor, mask: Tensor | None = None, past: tuple[Tensor, Tensor] | None = None) -> tuple[Tensor, Tensor, Tensor]:
        """x [B, L, D]; mask additive, broadcast to [B, heads, L, T+L]; past keys and values [B, heads, T, d].

        Returns x and the keys and values of all T+L positions, [B, heads, T+L, d]."""
        q, k, v = (split(part, self.heads) for part in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        if past is not None:
            k, v = torch.cat((past[0], k), dim=2), torch.cat((past[1], v), dim=2)
        x = x + self.out(merge(attend(q, k, v, mask)))
        return x + self.mlp(self.norm2(x)), k, v


class CrossBlock(nn.Module):
    """x += attention(LN(x), memory); x += MLP(LN(x)). Keys and values depend on the clip alone, so `project` runs once for each clip."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2, self.norm_memory = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.q, self.kv, self.out = nn.Linear(width, width), nn.Linear(width, 2 * width), nn.Linear(width, width)
        self.mlp = mlp(width)

    def project(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        """memory [B, N, D] -> keys and values [B, heads, N, d]."""
        k, v = self.kv(self.norm_memory(memory)).chunk(2, dim=-1)
        return split(k, self.heads), split(v, self.heads)

    def queries(self, x: Tensor) -> Tensor:
        """[B, L, D] -> [B, heads, L, d]."""
        return split(self.q(self.norm1(x)), self.heads)

    def forward(self, x: Tensor, k: Tensor, v: Tensor, group: int = 1) -> Tensor:
        """x [B*group, L, D]; k, v [B, heads, N, d]: `group` texts read the same clip, folded into one long query."""
        rows, length = x.shape[0], x.shape[1]
        folded = x if group == 1 else x.reshape(rows // group, group * length, -1)
        seen = self.out(merge(attend(self.queries(folded), k, v)))
        x = x + (seen if group == 1 else seen.reshape(rows, length, -1))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out
