"""Shapes, their finishes and textures, drawn by formula; and the names of colours."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from models.data.names import COLOURS, SCREENS

Map = np.ndarray[Any, np.dtype[np.float32]]
FINISHES = ("flat", "shaded", "striped", "rimmed", "dotted", "grained")


def colour_names(rgb: np.ndarray) -> np.ndarray:
    """Index into COLOURS of every pixel, rgb [N, 3] in 0..255 -> int [N]: by hue where there is one, else by lightness."""
    value = rgb.astype(np.float32)
    high, low = value.max(1), value.min(1)
    spread = high - low
    saturation = spread / np.maximum(high, 1)
    r, g, b = value.T
    safe = np.maximum(spread, 1)
    hue = np.where(high == r, (g - b) / safe % 6, np.where(high == g, (b - r) / safe + 2, (r - g) / safe + 4)) * 60
    order = list(COLOURS)
    name = np.select(
        [hue < 14, hue < 40, hue < 68, hue < 165, hue < 258, hue < 300, hue < 342],
        [order.index(c) for c in ("red", "orange", "yellow", "green", "blue", "purple", "pink")],
        order.index("red"),
    )
    pinkish = ((hue < 20) | (hue > 330)) & (saturation < 0.5) & (high > 190)
    name = np.where(pinkish, order.index("pink"), name)
    brownish = (hue >= 8) & (hue < 50) & (high < 165)
    name = np.where(brownish, order.index("brown"), name)
    plain = np.where(high < 62, order.index("black"), np.where(high > 208, order.index("white"), order.index("grey")))
    grey = (saturation < 0.17) | (high < 48)
    return np.where(grey, plain, name)


def shares(rgb: np.ndarray) -> tuple[str, float]:
    """The commonest colour of the pixels [N, 3] and its share of them."""
    counts = np.bincount(colour_names(rgb), minlength=len(COLOURS))
    best = int(counts.argmax())
    return list(COLOURS)[best], float(counts[best] / len(rgb))


def shape_mask(shape: str, side: int) -> Image.Image:
    """Alpha of a procedural shape, drawn large and scaled down for smooth edges."""
    n = side * 4
    image = Image.new("L", (n, n))
    draw = ImageDraw.Draw(image)

    def points(*xy: tuple[float, float]) -> None:
        draw.polygon([(x * n, y * n) for x, y in xy], fill=255)

    def round_(x0: float, y0: float, x1: float, y1: float, fill: int = 255) -> None:
        draw.ellipse((x0 * n, y0 * n, x1 * n, y1 * n), fill=fill)

    if shape in ("circle", "ring"):
        round_(0.02, 0.02, 0.98, 0.98)
        if shape == "ring":
            round_(0.24, 0.24, 0.76, 0.76, 0)
    elif shape == "square":
        points((0.04, 0.04), (0.96, 0.04), (0.96, 0.96), (0.04, 0.96))
    elif shape == "triangle":
        points((0.5, 0.04), (0.98, 0.94), (0.02, 0.94))
    elif shape == "diamond":
        points((0.5, 0.0), (0.88, 0.5), (0.5, 1.0), (0.12, 0.5))
    elif shape == "cross":
        points((0.34, 0.02), (0.66, 0.02), (0.66, 0.98), (0.34, 0.98))
        points((0.02, 0.34), (0.98, 0.34), (0.98, 0.66), (0.02, 0.66))
    elif shape == "star":
        corner = [
            (0.5 + r * math.sin(i * math.pi / 5), 0.53 - r * math.cos(i * math.pi / 5)) for i in range(10) for r in (0.52 if i % 2 == 0 else 0.22,)
        ]
        points(*corner)
    elif shape == "heart":
        curve = [
            (16 * math.sin(t) ** 3, 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
            for t in np.linspace(0, 2 * math.pi, 80)
        ]
        points(*[(0.5 + x / 34, 0.46 - y / 32) for x, y in curve])
    elif shape in SCREENS:
        points((0, 0), (1, 0), (1, 1), (0, 1))
    elif shape == "hexagon":
        points(*[(0.5 + 0.5 * math.cos(i * math.pi / 3), 0.5 + 0.5 * math.sin(i * math.pi / 3)) for i in range(6)])
    elif shape == "drop":
        points((0.5, 0.0), (0.83, 0.5), (0.17, 0.5))
        round_(0.14, 0.3, 0.86, 1.0)
    elif shape == "moon":
        round_(0.05, 0.02, 0.98, 0.98)
        round_(0.38, -0.04, 1.2, 0.86, 0)
    else:  # an arrow to the right
        points((0.02, 0.34), (0.52, 0.34), (0.52, 0.1), (0.98, 0.5), (0.52, 0.9), (0.52, 0.66), (0.02, 0.66))
    image = image.resize((side, side), Image.Resampling.BOX)
    box = image.getbbox()
    return image.crop(box) if box else image


def finish_maps(mask: Image.Image, finish: str) -> list[Map]:
    """How much lighter or darker than its colour a shape is, [h, w] of 255, in a few variants."""
    w, h = mask.size
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    if finish == "shaded":
        turns = np.arange(6) * (math.pi / 3) + 0.3
        return [(((x / w - 0.5) * math.cos(a) + (y / h - 0.5) * math.sin(a)) * 52).astype(np.float32) for a in turns]
    if finish == "striped":
        across = [x * math.cos(a) + y * math.sin(a) for a in (0, 0.8, 1.57)]
        return [np.where(way // period % 2 > 0, 13, -13).astype(np.float32) for way in across for period in (12, 20)]
    if finish == "rimmed":
        inner = np.asarray(mask.filter(ImageFilter.MinFilter(7))) > 128
        return [np.where(inner, 0, -48).astype(np.float32)]
    if finish == "dotted":
        return [np.where((x % p - p / 2) ** 2 + (y % p - p / 2) ** 2 < (p * 0.28) ** 2, 26, -8).astype(np.float32) for p in (12, 18)]
    if finish == "grained":
        return [(noise(np.random.default_rng(seed), 72, 9)[:h, :w] - 0.5) * 40 for seed in (1, 2)]
    return [np.zeros((h, w), np.float32)]


def noise(rng: np.random.Generator, side: int, cells: int) -> Map:
    """Smooth random values 0..1, [side, side], of about `cells` bumps across; the same at both edges."""
    grid = rng.random((cells, cells)).astype(np.float32)
    at = np.arange(side) * cells / side
    low = at.astype(int)
    part = (at - low).astype(np.float32)
    part = part * part * (3 - 2 * part)
    high = (low + 1) % cells
    rows = grid[low] * (1 - part)[:, None] + grid[high] * part[:, None]
    out: Map = rows[:, low] * (1 - part) + rows[:, high] * part
    return out


def clouds(rng: np.random.Generator, side: int, cells: int) -> Map:
    total: Map = np.sum([noise(rng, side, cells * 2**i) / 2**i for i in range(4)], axis=0, dtype=np.float32)
    out: Map = (total - total.min()) / (total.max() - total.min())
    return out


def textures(side: int, seed: int, variants: int) -> list[Map]:
    """Maps from one colour to another, 0..1, [side, side]: some of each kind."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side].astype(np.float32) / side

    def gradient() -> Any:
        a = rng.uniform(0, 2 * math.pi)
        return ((x - 0.5) * math.cos(a) + (y - 0.5) * math.sin(a)) * 0.7 + 0.5

    def stripes() -> Any:
        a, n = rng.uniform(0, math.pi), rng.integers(4, 16)
        wave = np.sin((x * math.cos(a) + y * math.sin(a)) * 2 * math.pi * n)
        return (np.clip(wave * 4, -1, 1) + 1) / 2 if rng.random() < 0.5 else (wave + 1) / 2

    def checks() -> Any:
        n = rng.integers(4, 13)
        return ((x * n).astype(int) + (y * n).astype(int)) % 2

    def dots() -> Any:
        n, r = rng.integers(5, 14), rng.uniform(0.2, 0.4)
        shift = (y * n).astype(int) % 2 * 0.5
        return np.clip((r - np.hypot((x * n + shift) % 1 - 0.5, y * n % 1 - 0.5)) * 12 + 0.5, 0, 1)

    def bricks() -> Any:
        n = rng.integers(5, 11)
        row = (y * n).astype(int)
        across = x * n / 2 + row % 2 * 0.5
        each = rng.random((n + 1, n + 2)).astype(np.float32)
        mortar = (y * n % 1 < 0.1) | (across % 1 < 0.06)
        return np.where(mortar, 1, each[row, across.astype(int)] * 0.5 + noise(rng, side, 40) * 0.2)

    def grain() -> Any:
        bend = noise(rng, side, 5) * rng.uniform(0.6, 2)
        return (np.sin((y * rng.integers(4, 12) + bend) * 2 * math.pi) + 1) * 0.35 + noise(rng, side, 32) * 0.3

    def marble() -> Any:
        return np.abs(np.sin((x + y + 1.6 * clouds(rng, side, 4)) * math.pi * rng.uniform(1.5, 4)))

    def lines() -> Any:
        n = rng.integers(5, 14)
        return ((x * n % 1 < 0.08) | (y * n % 1 < 0.08)).astype(np.float32)

    kinds: list[Callable[[], Any]] = [
        gradient,
        stripes,
        checks,
        dots,
        bricks,
        grain,
        marble,
        lines,
        lambda: noise(rng, side, int(rng.integers(4, 24))),
        lambda: clouds(rng, side, int(rng.integers(2, 8))),
    ]
    return [np.asarray(kind(), np.float32).clip(0, 1) for kind in kinds for _ in range(variants)]
