"""What Pillow's resize gives for small pictures of noise, to which the app's own resampling (app/resample.ts) is held bit for bit.

    python -m models.resampling          # writes app/resample.golden.json; the version of Pillow is in it

A picture's byte i is the upper byte of murmur3's finaliser of i * 0x9E3779B9 + seed, so the cases need no pictures.
"""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import PIL
from PIL import Image

GOLDEN = Path(__file__).parent.parent / "app" / "resample.golden.json"
FILTERS = {"bilinear": Image.Resampling.BILINEAR, "bicubic": Image.Resampling.BICUBIC, "lanczos": Image.Resampling.LANCZOS}
# Each order of the passes, both sides of the rule that chooses it (a loss of height of twice the loss of width), enlarging, and an axis that stays.
SIZES = [
    ((40, 30), (17, 12)),  # horizontal first
    ((20, 60), (18, 20)),  # vertical first
    ((30, 50), (25, 40)),  # height loses exactly twice as much: horizontal first
    ((30, 51), (25, 40)),  # one more: vertical first
    ((20, 60), (31, 20)),  # wider and lower: vertical first
    ((60, 20), (20, 31)),
    ((13, 7), (40, 33)),
    ((33, 21), (33, 9)),
    ((33, 21), (9, 21)),
    ((1, 1), (5, 3)),
    ((64, 3), (1, 1)),
]


def noise(width: int, height: int, seed: int) -> Image.Image:
    h = np.arange(width * height * 3, dtype=np.uint32) * np.uint32(0x9E3779B9) + np.uint32(seed)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    return Image.fromarray((h >> np.uint32(24)).astype(np.uint8).reshape(height, width, 3))


def golden() -> dict[str, Any]:
    """The cases above and random ones, each by the first 16 hexadecimal digits of the SHA-256 of its result."""
    draw = random.Random(0)
    drawn = [tuple((draw.randint(1, 90), draw.randint(1, 90)) for _ in range(2)) for _ in range(60)]
    cases: list[dict[str, Any]] = []
    for seed, (before, after) in enumerate([*SIZES, *drawn]):
        picture = noise(*before, seed)
        made = {name: hashlib.sha256(picture.resize(after, kind).tobytes()).hexdigest()[:16] for name, kind in FILTERS.items()}
        cases.append({"from": before, "to": after, **made})
    first = {name: list(noise(4, 3, 0).resize((2, 2), kind).tobytes()) for name, kind in FILTERS.items()}
    return {"pillow": PIL.__version__, "first": first, "cases": cases}


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(), separators=(",", ":")).replace('{"from"', '\n{"from"') + "\n")
