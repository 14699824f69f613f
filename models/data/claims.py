"""For tests: which pixels one thing changes, found by drawing the scene with and without it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from models.data.assets import Bytes
from models.data.compose import Track, compose
from models.data.facts import Facts
from models.data.generator import World
from models.data.scene import Look, Scene

PICTURES = Path(os.environ.get("TUBELET_TRAIN_DATA", "") or Path(__file__).parents[3] / "shared" / "train-data")
HAVE = (PICTURES / "index.json").is_file()
if not HAVE:
    print(f"\n*** NO TRAINING PICTURES at {PICTURES}: tests with cut-outs, photos and the held-out names are SKIPPED ***\n", flush=True)

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass
class Clip:
    """A composed scene, and for each of its things the pixels that change when it is left out: masks [n] of bool [T, H, W]."""

    scene: Scene
    video: Bytes
    tracks: list[Track]
    masks: list[Mask]

    @property
    def facts(self) -> Facts:
        return Facts(self.scene, self.tracks)

    def centre(self, i: int, t: int) -> np.ndarray:
        """x, y in 0..1 of the centre of the visible part."""
        rows, columns = self.masks[i][t].nonzero()
        out: np.ndarray = np.array([columns.min() + columns.max() + 1, rows.min() + rows.max() + 1]) / 2 / self.masks[i].shape[1]
        return out

    def area(self, i: int, t: int) -> int:
        return int(self.masks[i][t].sum())


def clear(scene: Scene) -> Scene:
    """The scene without recording faults and changes of light."""
    return replace(scene, look=Look(), light=None, gains=None)


def masks_of(world: World, scene: Scene, video: Bytes) -> list[Mask]:
    without = [replace(scene, things=[t for t in scene.things if t is not each]) for each in scene.things]
    plain = [clip.numpy() for clip, _ in compose(without, world.assets, world.size)] if without else []
    return [np.abs(video.astype(int) - each).max(-1) > 24 for each in plain]


def clips(world: World, seed: int, wanted: int, fits: Callable[[Scene], bool], faults: bool = False) -> Iterator[Clip]:
    """`wanted` clips whose scenes fit, drawn from a seed."""
    rng, found = np.random.default_rng(seed), 0
    for _ in range(400 * wanted):
        scene = world.scene(rng)
        if not fits(scene):
            continue
        scene = scene if faults else clear(scene)
        video, tracks = compose([scene], world.assets, world.size)[0]
        yield Clip(scene, video.numpy(), tracks, masks_of(world, scene, video.numpy()))
        found += 1
        if found == wanted:
            return
    raise AssertionError(f"only {found} of {wanted} scenes fit")
