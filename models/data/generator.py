"""World: a source of training clips. Everything follows from the generator of random numbers that is passed in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.data.assets import NAMES, NOVEL, SHAPES, Bytes, load
from models.data.language import captions, questions
from models.data.render import Boxes, render
from models.data.scene import Scene, sample_scene


@dataclass
class Sample:
    """One clip. boxes: frame -> (label, centre x, centre y, width, height), 0..1, clipped to the frame, visible objects only."""

    video: Bytes  # [T, H, W, 3] RGB
    caption: str
    captions: list[str]  # other wordings; the first is the caption
    qa: list[tuple[str, str, str]]  # question, answer, type
    boxes: Boxes


class World:
    """train_data: the folder with index.json and the picture archives, or None for procedural shapes alone.

    split "train" never shows or names what NOVEL holds; "val" shows pictures of its own split, and NOVEL.
    """

    def __init__(self, train_data: Path | None, split: str, frames: int = 16, size: int = 96) -> None:
        if split not in ("train", "val"):
            raise ValueError(f"no split {split!r}")
        self.frames, self.size = frames, size
        self.assets = load(train_data, split)
        names = [*SHAPES, *(NAMES if train_data else ()), *(NOVEL if split == "val" and train_data else ())]
        self.labels = list(dict.fromkeys(names))

    def scene(self, rng: np.random.Generator) -> Scene:
        return sample_scene(rng, self.assets, self.frames)

    def sample(self, rng: np.random.Generator) -> Sample:
        scene = self.scene(rng)
        said, asked = captions(scene, rng), questions(scene, rng, self.labels)
        video, boxes = render(scene, self.assets, self.size)
        return Sample(video, said[0], said, asked, boxes)

    def corpus(self, n: int, rng: np.random.Generator) -> list[str]:
        """About n lines of text as samples have them: captions and questions with answers."""
        lines: list[str] = []
        while len(lines) < n:
            scene = self.scene(rng)
            lines += captions(scene, rng)
            lines += [f"{question} {answer}" for question, answer, _ in questions(scene, rng, self.labels)]
        return lines[:n]
