"""Sparse video tubes (TubeViT, arXiv 2212.03229): which voxels each tube reads, and where it sits.

A tube is a block of voxels, always in the order (t, y, x). The same numbers are computed in app/tubes; `python -m models.tubes --golden`
writes the fixture that both must match bit for bit.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

Triple = tuple[int, int, int]
Bytes = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Tube:
    """A kind of tube: kernel, stride and offset in voxels, each (t, y, x). A 2D patch has a kernel of length 1 in t.

    depth: space-to-depth (TubeViT §3.4). The kernel is read at a stride `depth` times finer, to width / prod(depth) channels each, and the
    neighbours along each axis are joined to one token: as many tokens as without, from more voxels.
    """

    name: str
    kernel: Triple
    stride: Triple
    offset: Triple
    depth: Triple = (1, 1, 1)

    def __post_init__(self) -> None:
        if any(s % n for s, n in zip(self.stride, self.depth, strict=True)):
            raise ValueError(f"tube {self.name}: stride {self.stride} is no multiple of space-to-depth {self.depth}")

    @property
    def extent(self) -> Triple:
        """Voxels that one token spans along each axis: the kernel, plus the steps to its last neighbour."""
        span = [k + (n - 1) * s // n for k, s, n in zip(self.kernel, self.stride, self.depth, strict=True)]
        return (span[0], span[1], span[2])

    @property
    def parts(self) -> int:
        """Kernels that one token joins."""
        return int(np.prod(self.depth))

    def grid(self, shape: Triple) -> Triple:
        """How many tubes fit a video of (T, H, W), by axis: floor((D - o - e) / s) + 1, as a VALID convolution; 0 where none fits."""
        counts = [max(0, (d - o - e) // s + 1) for d, e, s, o in zip(shape, self.extent, self.stride, self.offset, strict=True)]
        return (counts[0], counts[1], counts[2])

    def count(self, shape: Triple) -> int:
        return int(np.prod(self.grid(shape)))

    @property
    def voxels(self) -> int:
        """Length of one tube's vector: parts * kt * kh * kw * 3."""
        return self.parts * int(np.prod(self.kernel)) * 3

    def corners(self, shape: Triple) -> npt.NDArray[np.int64]:
        """First voxel of each tube, [n, 3] as (t, y, x), in the order t, y, x."""
        axes = [np.arange(n) * s + o for n, s, o in zip(self.grid(shape), self.stride, self.offset, strict=True)]
        return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3).astype(np.int64)

    def centres(self, shape: Triple) -> Floats:
        """Centre of each tube in voxels, [n, 3] as (t, y, x): index * stride + offset + extent / 2 (TubeViT eq. 3)."""
        return (self.corners(shape) + np.array(self.extent) / 2).astype(np.float32)

    def cut(self, video: Bytes) -> Bytes:
        """[T, H, W, 3] -> [n, parts*kt*kh*kw*3]: tubes in the order t, y, x; inside a tube its parts t, y, x, in each voxels t, y, x, channel."""
        shape = (video.shape[0], video.shape[1], video.shape[2])
        if self.count(shape) == 0:
            return np.zeros((0, self.voxels), np.uint8)
        windows = np.lib.stride_tricks.sliding_window_view(video, self.kernel, axis=(0, 1, 2))  # [t', y', x', 3, kt, kh, kw]
        (ot, oy, ox), (dt, dy, dx), (nt, ny, nx) = self.offset, self.depth, self.grid(shape)
        st, sy, sx = (s // n for s, n in zip(self.stride, self.depth, strict=True))
        picked = windows[ot::st, oy::sy, ox::sx][: nt * dt, : ny * dy, : nx * dx]
        split = picked.reshape(nt, dt, ny, dy, nx, dx, 3, *self.kernel)  # each axis split into tube and part of the tube
        return np.ascontiguousarray(split.transpose(0, 2, 4, 1, 3, 5, 7, 8, 9, 6)).reshape(nt * ny * nx, self.voxels)


def cut(video: Bytes, tubes: Sequence[Tube]) -> list[Bytes]:
    """[T, H, W, 3] -> one [n_i, voxels_i] for each kind."""
    return [tube.cut(video) for tube in tubes]


def positions(centres: Floats, width: int, tau: float = 10000.0) -> Floats:
    """Fixed 3D sine and cosine position of each centre, [n, 3] -> [n, width] (TubeViT eq. 3-7).

    With F = width // 6 frequencies w_j = tau^(-j / F), channels 6j..6j+5 are sin, cos of t*w_j, x*w_j, y*w_j. The last width % 6
    channels stay 0, which is how a width such as 128 or 1024 is possible at all.
    """
    frequencies = width // 6
    out = np.zeros((len(centres), width), np.float32)
    omega = tau ** (-np.arange(frequencies) / max(1, frequencies))
    for slot, axis in enumerate((0, 2, 1)):  # t, x, y
        angle = centres[:, axis : axis + 1].astype(np.float64) * omega
        out[:, 2 * slot : 6 * frequencies : 6] = np.sin(angle)
        out[:, 2 * slot + 1 : 6 * frequencies : 6] = np.cos(angle)
    return out


def formula_video(shape: Triple) -> Bytes:
    """The golden video: value = (t*7 + y*13 + x*29 + c*53 + (t*y*x) % 17) % 256, [T, H, W, 3]."""
    t, y, x, c = np.meshgrid(*(np.arange(n) for n in (*shape, 3)), indexing="ij")
    return ((t * 7 + y * 13 + x * 29 + c * 53 + (t * y * x) % 17) % 256).astype(np.uint8)


GOLDEN: tuple[tuple[str, Triple, tuple[Tube, ...]], ...] = (
    (
        "mini",
        (16, 96, 96),
        (
            Tube("patch", (1, 16, 16), (4, 16, 16), (0, 0, 0)),
            Tube("cube", (8, 8, 8), (8, 32, 32), (0, 0, 0)),
            Tube("long", (16, 4, 4), (16, 16, 16), (0, 6, 6)),
            Tube("wide", (4, 12, 12), (8, 32, 32), (0, 16, 16)),
        ),
    ),
    # TubeViT's own geometry on a clip too short for its second tube: that kind has 0 tubes.
    (
        "tubevit-16-frames",
        (16, 64, 80),
        (
            Tube("1", (8, 8, 8), (16, 32, 32), (0, 0, 0)),
            Tube("2", (16, 4, 4), (6, 32, 32), (4, 8, 8)),
            Tube("3", (4, 12, 12), (16, 32, 32), (0, 16, 16)),
            Tube("4", (1, 16, 16), (32, 16, 16), (0, 0, 0)),
        ),
    ),
    ("odd", (9, 31, 45), (Tube("skewed", (2, 5, 3), (3, 7, 4), (1, 2, 5)),)),
    # TubeViT's space-to-depth: its first tube halves time, its second quarters space.
    (
        "space-to-depth",
        (32, 64, 80),
        (
            Tube("1", (8, 8, 8), (16, 32, 32), (0, 0, 0), (2, 1, 1)),
            Tube("2", (16, 4, 4), (6, 32, 32), (4, 8, 8), (1, 2, 2)),
        ),
    ),
)


def golden() -> dict[str, Any]:
    """The fixture for app/tubes: geometries, counts, digests and samples of every kind."""
    cases = []
    for name, shape, tubes in GOLDEN:
        video = formula_video(shape)
        kinds = []
        for tube in tubes:
            tokens = tube.cut(video)
            kinds.append(
                {
                    "name": tube.name,
                    "kernel": tube.kernel,
                    "stride": tube.stride,
                    "offset": tube.offset,
                    "depth": tube.depth,
                    "grid": tube.grid(shape),
                    "shape": tokens.shape,
                    "sha256": hashlib.sha256(tokens.tobytes()).hexdigest(),
                    "first": tokens[0, :8].tolist() if len(tokens) else [],
                    "last": tokens[-1, :8].tolist() if len(tokens) else [],
                    "centres": tube.centres(shape)[[0, -1]].tolist() if len(tokens) else [],
                }
            )
        cases.append({"name": name, "video": shape, "tubes": kinds})
    return {"formula": "value[t,y,x,c] = (t*7 + y*13 + x*29 + c*53 + (t*y*x) % 17) % 256", "cases": cases}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=Path, required=True, help="where to write the fixture")
    parser.parse_args().golden.write_text(json.dumps(golden(), indent=1) + "\n")
