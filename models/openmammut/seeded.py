"""Random weights that any language makes alike, so that parity needs no large file: each value is a hash of its tensor's key and its index.

Value i of key k is `offset + bound * (2 h / 2^32 - 1)` with h = mix((fnv1a(k) + i * 0x9E3779B9) mod 2^32), mix being murmur3's 32-bit finaliser, and
bound and offset as `recipe` says: activations stay of the order of 1, and logits differ enough for a greedy caption to have clear winners.
"""

from __future__ import annotations

import math

import numpy as np

from models.openmammut.checkpoint import Checkpoint, Floats


def _hash(key: str, count: int) -> Floats:
    seed = 0x811C9DC5
    for byte in key.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    h = (np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)) + np.uint32(seed)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    out: Floats = (h.astype(np.float64) * (2 / 2**32) - 1).astype(np.float32)
    return out


def recipe(key: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """(bound, offset) of a tensor's values."""
    if key == "logit_scale":
        return 0.0, math.log(1 / 0.07)
    if ".ln_" in key:
        return 0.2, 1.0 if key.endswith("weight") else 0.0
    if key.endswith("bias"):
        return 0.05, 0.0
    if "embedding" in key:
        return 0.5, 0.0
    # The fork multiplies x @ W with these, so their inputs are rows; all other matrices are nn.Linear's or a convolution's.
    fan_in = shape[0] if key in ("map_viz2txt_kv", "visual.proj", "text.lm_head", "text.text_projection") else math.prod(shape[1:])
    return math.sqrt(3 / fan_in) * (4 if key == "text.lm_head" else 1), 0.0


def seeded(key: str, shape: tuple[int, ...]) -> Floats:
    bound, offset = recipe(key, shape)
    out: Floats = (_hash(key, math.prod(shape)) * np.float32(bound) + np.float32(offset)).reshape(shape)
    return out


def seeded_checkpoint(shapes: dict[str, tuple[int, ...]]) -> Checkpoint:
    """Of upstream's key names; the LM head's name decides nothing here."""
    import torch

    return Checkpoint(shapes, lambda key: torch.from_numpy(seeded(key, shapes[key])))
