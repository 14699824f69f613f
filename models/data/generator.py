"""World: a source of training clips. Everything is determined by the random number generators that are passed in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from models.data.assets import Bytes, load
from models.data.compose import Track, compose
from models.data.facts import VISIBLE, Facts
from models.data.grammar import captions
from models.data.names import NAMES, NOVEL, NOVEL_SHAPES, SCREENS, SHAPES, Holdout, held_colour, held_motion
from models.data.questions import questions
from models.data.sampling import sample_scene
from models.data.scene import Scene

Boxes = dict[int, list[tuple[str, float, float, float, float]]]


@dataclass
class Sample:
    """One clip.

    boxes: frame -> (label, centre x, centre y, width, height), 0..1. A box holds the whole thing, covered parts included, cut at the edge of the
    frame; a thing of which less than a quarter can be seen in a frame has none there. tracks have every box, and `shown`."""

    video: Bytes  # [T, H, W, 3] RGB
    caption: str
    captions: list[str]  # other wordings; the first is the caption
    qa: list[tuple[str, str, str]]  # question, answer, type
    boxes: Boxes
    tracks: list[Track]
    novel: frozenset[str]  # what it shows that training never does: "name", "colour" or "motion" (of a noun)


class World:
    """train_data: the folder with index.json and the picture archives, or None for what is drawn by formula alone.

    Split "train" never shows or names NOVEL, NOVEL_SHAPES or a pair that is held out (models.data.names); "val" has pictures of its own and
    shows these too. Clips are composed on `device`."""

    def __init__(self, train_data: Path | None, split: str, frames: int = 16, size: int = 96, device: str | torch.device = "cpu") -> None:
        if split not in ("train", "val"):
            raise ValueError(f"no split {split!r}")
        if size % 4:
            raise ValueError(f"the side of a frame must be a multiple of 4, not {size}")
        self.frames, self.size, self.device = frames, size, torch.device(device)
        self.assets = load(train_data, split)
        self.holdout = Holdout(split == "train")
        if self.device.type != "cpu":
            self.assets = self.assets.to(self.device)
        self.novel = [] if split == "train" else [*NOVEL_SHAPES, *(NOVEL if train_data else ())]
        self.labels = list(dict.fromkeys([*SHAPES, *SCREENS, *(NAMES if train_data else ()), *self.novel]))

    def scene(self, rng: np.random.Generator) -> Scene:
        return sample_scene(rng, self.assets, self.frames, self.holdout)

    def samples(self, rngs: Sequence[np.random.Generator]) -> list[Sample]:
        """One clip from each generator, composed together. A clip does not depend on the others."""
        scenes = [self.scene(rng) for rng in rngs]
        composed = compose(scenes, self.assets, self.size)
        out = []
        for rng, scene, (video, tracks) in zip(rngs, scenes, composed, strict=True):
            facts = Facts(scene, tracks)
            said = captions(facts, rng)
            asked = questions(facts, rng, self.labels, self.holdout)
            out.append(Sample(video.cpu().numpy(), said[0], said, asked, boxes_of(tracks, self.frames), tracks, unseen(scene, self.novel)))
        return out

    def sample(self, rng: np.random.Generator) -> Sample:
        return self.samples([rng])[0]

    def corpus(self, n: int, rng: np.random.Generator) -> list[str]:
        """About n lines of text as samples have them: captions and questions with answers."""
        lines: list[str] = []
        while len(lines) < n:
            facts = Facts(self.scene(rng), None)
            lines += captions(facts, rng)
            lines += [f"{question} {answer}" for question, answer, _ in questions(facts, rng, self.labels, self.holdout)]
        return lines[:n]


def boxes_of(tracks: list[Track], frames: int) -> Boxes:
    out: Boxes = {t: [] for t in range(frames)}
    for track in tracks:
        for t in range(frames):
            if track.shown[t] > VISIBLE:
                x0, y0, x1, y1 = (float(v) for v in track.box[t])
                out[t].append((track.label, (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0))
    return out


def unseen(scene: Scene, novel: list[str]) -> frozenset[str]:
    found = {"name" for t in scene.things if t.label in novel}
    found |= {"colour" for t in scene.things if t.colour and held_colour(t.colour, t.label)}
    found |= {"motion" for t in scene.things if held_motion(t.motion, t.direction, t.label) or (t.then and held_motion("move", t.then, t.label))}
    return frozenset(found)
