"""Recording faults, applied in place: blur, noise, compression, letterbox."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from models.data.scene import Scene

LEVELS = (2, 4, 7, 10, 14)  # standard deviations of noise, of 255
HALVES = 0x7F7F7F7F

# Annex K of ITU-T T.81, quality 50.
LUMA = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float32,
)


def soften(pixels: Tensor, passes: np.ndarray) -> None:
    """Averages neighbours, packed int32 [n, ..., H, W]: passes [n] times down and across, rounded up and down in turn."""
    for i in range(int(passes.max(initial=0))):
        which = torch.from_numpy((passes > i).nonzero()[0]).to(pixels.device)
        some = pixels.index_select(0, which)
        for near, far in ((some[..., :-1, :], some[..., 1:, :]), (some[..., :-1], some[..., 1:])):
            half = (near ^ far) >> 1 & HALVES
            near.copy_((near | far) - half if i % 2 else (near & far) + half)
        pixels.index_copy_(0, which, some)


@functools.lru_cache(maxsize=8)
def noise_banks(device: torch.device) -> list[Tensor]:
    """int16 [n] for each of LEVELS: drawing fresh noise would take most of a clip's time."""
    store = np.random.default_rng(7).normal(0, 1, 1 << 20)
    return [torch.from_numpy((store * level).round().astype(np.int16)).to(device) for level in LEVELS]


def unsteady(video: Tensor, scenes: list[Scene]) -> None:
    """Adds noise that differs in each frame, uint8 [B, T, H, W, 3]."""
    frames, n = video.shape[1], video[0, 0].numel()
    for level, bank in zip(LEVELS, noise_banks(video.device), strict=True):
        noisy = [i for i, scene in enumerate(scenes) if scene.look.noise and min(LEVELS, key=lambda each: abs(each - scene.look.noise)) == level]
        if not noisy:
            continue
        if len(bank) < 2 * n:
            bank = bank.repeat(-(-2 * n // len(bank)))
        starts = [np.random.default_rng(scenes[i].seed + 1).integers(len(bank) - n, size=frames) // scenes[i].look.hold for i in noisy]
        for i, start in zip(noisy, starts, strict=True):
            held = np.arange(frames) // scenes[i].look.hold * scenes[i].look.hold
            grain = torch.stack([bank[at : at + n] for at in start[held].tolist()]).reshape(video.shape[1:])
            video[i] = (video[i].short() + grain).clamp_(0, 255)


@functools.lru_cache(maxsize=8)
def cosines(device: torch.device) -> tuple[Tensor, Tensor]:
    """The 8 x 8 discrete cosine transform of a block written as a row of 64, [64, 64], and the steps of its coefficients, [64]."""
    k = np.arange(8)
    once = np.cos(np.pi * (2 * k[None] + 1) * k[:, None] / 16) * np.where(k[:, None] == 0, np.sqrt(1 / 8), 0.5)
    return torch.from_numpy(np.kron(once, once).astype(np.float32)).to(device), torch.from_numpy(LUMA.flatten()).to(device)


def compress(clip: Tensor, strength: float) -> None:
    """What JPEG and MPEG do to lightness: its 8 x 8 blocks lose their fine detail. Packed int32 [T, H, W]."""
    transform, steps = cosines(clip.device)
    frames, (tall, wide) = len(clip), (side // 8 for side in clip.shape[1:3])
    part = clip[:, : tall * 8, : wide * 8]
    r, g, b = (part >> shift & 255 for shift in (0, 8, 16))
    light = r * 77 + g * 151 + b * 28
    blocks = light.reshape(frames, tall, 8, wide, 8).transpose(2, 3).reshape(-1, 64).float()
    step = steps * (256 * strength)
    kept = ((blocks @ transform.T / step).round() * step) @ transform
    change = (kept.reshape(frames, tall, wide, 8, 8).transpose(2, 3).reshape(part.shape).int() - light) >> 8
    r, g, b = ((channel + change).clamp_(0, 255) for channel in (r, g, b))
    part.copy_(r | g << 8 | b << 16)


def bars(video: Tensor, clip: int, shares: tuple[float, float], boxes: list[np.ndarray[Any, np.dtype[np.float64]]]) -> None:
    """Black at the sides, or above and below; the picture is squeezed between them, and its boxes (0..1) with it."""
    size = video.shape[2]
    w, h = (round(size * (1 - share)) for share in shares)
    x, y = (size - w) // 2, (size - h) // 2
    small = F.interpolate(video[clip].permute(0, 3, 1, 2).float(), (h, w), mode="bilinear", align_corners=False)
    video[clip] = 0
    video[clip, :, y : y + h, x : x + w] = small.round().clamp_(0, 255).permute(0, 2, 3, 1).to(torch.uint8)
    for box in boxes:
        box[:] = (box * (w, h, w, h) + (x, y, x, y)) / size
