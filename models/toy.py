"""For tests: a world of one coloured block that moves, small enough to be learnt in seconds, with the interface of models.data."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.tubes import Bytes

COLOURS = {"red": (220, 30, 30), "green": (30, 200, 40), "blue": (30, 60, 220)}
BLOCKS = {"square": (20, 20), "bar": (36, 12), "post": (12, 36)}
STEPS = {"left": (-1, 0), "right": (1, 0)}


@dataclass
class Clip:
    video: Bytes
    caption: str
    captions: list[str]
    qa: list[tuple[str, str, str]]
    boxes: dict[int, list[tuple[str, float, float, float, float]]]
    novel: frozenset[str] = frozenset()


class ToyWorld:
    def __init__(self) -> None:
        self.labels = list(BLOCKS)

    def sample(self, rng: np.random.Generator) -> Clip:
        colour, name, way = (list(d)[rng.integers(len(d))] for d in (COLOURS, BLOCKS, STEPS))
        (w, h), (dx, dy) = BLOCKS[name], STEPS[way]
        x, y = 48 - w / 2 - 20 * dx + rng.uniform(-6, 6), 48 - h / 2 + rng.uniform(-24, 24)
        video, boxes = np.full((16, 96, 96, 3), 110, np.uint8), {}
        for t in range(16):
            left, top = int(x + 2.5 * dx * t), int(y + 2.5 * dy * t)
            video[t, top : top + h, left : left + w] = COLOURS[colour]
            boxes[t] = [(name, (left + w / 2) / 96, (top + h / 2) / 96, w / 96, h / 96)]
        caption = f"a {colour} {name} moves {way}"
        qa = [("what colour is it?", colour, "colour"), ("which way does it move?", way, "direction"), ("what is it?", name, "what")]
        return Clip(video, caption, [caption, f"{colour} {name} going {way}"], qa, boxes)

    def samples(self, rngs: Sequence[np.random.Generator]) -> list[Clip]:
        return [self.sample(rng) for rng in rngs]

    def corpus(self) -> list[str]:
        """Every sentence of this world."""
        rng = np.random.default_rng(0)
        clips = [self.sample(rng) for _ in range(60)]
        return [line for clip in clips for line in (*clip.captions, *(f"question: {q} answer: {a}" for q, a, _ in clip.qa))]


class ToyPictures(ToyWorld):
    """The same world in single pictures."""

    def sample(self, rng: np.random.Generator) -> Clip:
        clip = super().sample(rng)
        said = clip.caption.split(" moves")[0]
        return Clip(clip.video[:1], said, [said], [ask for ask in clip.qa if ask[2] != "direction"], {0: clip.boxes[0]})
