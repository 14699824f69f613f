"""Which statements about a clip are true: the scene graph, checked against what its frames show.

A thing that others cover, or that is outside the frame, is not mentioned; nothing is said to pass behind something that does not hide it.
Everything that captions and questions state about the course of a clip comes from the acts here, each with the frames in which it happens.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from models.data.compose import Track
from models.data.scene import Scene, Thing

VISIBLE = 0.25  # share of a thing's pixels from which it counts as seen, and has a box in training


@dataclass(frozen=True)
class Act:
    """What a thing does in frames [first, end): still, move, grow, shrink, turn, bounce, appear, disappear, enter, leave, pass or hide."""

    kind: str
    first: int
    end: int
    direction: str | None = None


class Facts:
    """things: those that can be seen; acts and seen ([T] bool) of each, in the same order."""

    def __init__(self, scene: Scene, tracks: list[Track] | None) -> None:
        """Without tracks everything is assumed to be where the scene puts it, uncovered: enough for training a tokenizer."""
        self.scene = scene
        shown = [track.shown for track in tracks] if tracks else [np.where(thing.there, 1.0, 0.0) for thing in scene.things]
        kept = [i for i, each in enumerate(shown) if each.max(initial=0) > 0.5]
        self.whole = len(kept) == len(shown)  # everything in the scene can be seen
        self.things = [scene.things[i] for i in kept]
        self.seen = [shown[i] > VISIBLE for i in kept]
        self.acts = [acts(scene, scene.things[i], shown[i], measured=tracks is not None) for i in kept]

    def first_seen(self, i: int) -> int:
        return int(self.seen[i].argmax())

    def last_seen(self, i: int) -> int:
        return len(self.seen[i]) - 1 - int(self.seen[i][::-1].argmax())

    def hidden_behind(self, i: int) -> bool:
        return self.things[i].motion in ("pass", "hide") and self.acts[i][0].kind in ("pass", "hide")


def acts(scene: Scene, thing: Thing, shown: np.ndarray[Any, np.dtype[np.float64]], measured: bool) -> list[Act]:
    """In the order of time, without gaps, over the frames of the thing's shot."""
    (first, end), way, at = scene.span(thing.shot), thing.direction, thing.at
    if thing.motion == "stop":
        return [Act("move", first, at, way), Act("still", at, end)]
    if thing.motion == "start":
        return [Act("still", first, at), Act("move", at, end, way)]
    if thing.motion == "bend":
        return [Act("move", first, at, way), Act("move", at, end, thing.then)]
    if thing.motion == "appear":
        return [Act("appear", at, end)]
    if thing.motion == "disappear":
        return [Act("disappear", at, end)]
    if thing.motion in ("pass", "hide") and measured:
        covered = shown < VISIBLE
        comes_back = bool(shown[-1] > 0.6)
        if not covered.any() or not shown[0] > 0.5 or (thing.motion == "pass") != comes_back:
            return [Act("move", first, end, way)]
    return [Act(thing.motion, first, end, way)]
