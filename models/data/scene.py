"""Scene graphs: what is in a clip, where, how it moves, and how the camera moves. No pixels here.

Positions and sizes are fractions of the frame, y down. The world is what a still camera would show. Frames are counted from 0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from models.data.assets import Ground, Picture
from models.data.names import ALIKE, COLOURS

Floats = np.ndarray[Any, np.dtype[np.float64]]
RGB = tuple[int, int, int]
DIRECTIONS: dict[str, tuple[float, float]] = {
    "left": (-1, 0),
    "right": (1, 0),
    "up": (0, -1),
    "down": (0, 1),
    "up and left": (-0.8, -0.8),
    "up and right": (0.8, -0.8),
    "down and left": (-0.8, 0.8),
    "down and right": (0.8, 0.8),
}
T = TypeVar("T")
MAIN = ("left", "right", "up", "down")
ROUND = ("circle", "ring")  # their rotation is invisible
OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up", "in": "out", "out": "in"}


@dataclass
class Thing:
    label: str
    colour: str | None  # None: not stated
    picture: Picture
    size: tuple[float, float]  # width, height at the start
    lean: float  # degrees, constant rotation
    flip: bool
    rgb: RGB | None = None  # of a shape
    motion: str = "still"  # see `paths.place`
    direction: str | None = None  # for TRAVELS (one of DIRECTIONS) and for bounce ("up and down", "left and right")
    then: str | None = None  # for bend: the direction after the corner
    speed: str | None = None  # slow, fast; only for move
    at: int = 0  # frame at which it stops, starts, turns the corner, appears or is gone
    behind: Thing | None = None  # for pass and hide: what it goes behind
    shot: int = 0
    x: Floats = field(default_factory=lambda: np.zeros(0))  # [T] centre
    y: Floats = field(default_factory=lambda: np.zeros(0))
    scale: Floats = field(default_factory=lambda: np.ones(0))  # [T] times size
    angle: Floats = field(default_factory=lambda: np.zeros(0))  # [T] degrees on top of lean
    there: np.ndarray = field(default_factory=lambda: np.ones(0, bool))  # [T]


@dataclass
class Camera:
    motion: str  # still, pan, tilt, zoom, shake, cut
    direction: str | None  # left, right, up, down, in, out
    x: Floats  # [T] centre of view in the world
    y: Floats
    zoom: Floats  # [T] magnification
    at: int = 0  # for a cut: the first frame of the second shot


@dataclass
class Look:
    """Changes to the pixels of a recording; by default none."""

    gain: float = 1.0
    offset: float = 0.0  # on a scale of 255
    gamma: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    grey: float = 0.0  # share of the colour that is removed
    noise: float = 0.0  # standard deviation, on a scale of 255
    soft: int = 0  # out of focus: passes of averaging neighbours; every two cost about a pixel of sharpness
    blocky: bool = False  # pixels of two by two
    compress: float = 0.0  # quantisation of 8 x 8 blocks as in JPEG and MPEG, in multiples of JPEG's table
    bars: tuple[float, float] = (0.0, 0.0)  # black share at (left and right, top and bottom) together
    hold: int = 1  # each frame is repeated this many times


@dataclass
class Backdrop:
    """A part of a picture or of a texture; for a texture, the colours of its values 0 and 255."""

    ground: Ground
    colours: tuple[RGB, RGB] | None
    part: tuple[float, float, float]  # left, top, side, in 0..1 of the picture
    mirror: bool
    blurred: bool = False  # a photo that nobody could name any more

    @property
    def at(self) -> int:
        """The picture's index in its bank."""
        return self.ground.soft if self.blurred else self.ground.at

    @property
    def name(self) -> str | None:
        """What a person would call it, if anything."""
        return None if self.blurred else self.ground.name or None


@dataclass
class Scene:
    things: list[Thing]  # later ones are in front
    camera: Camera
    kind: str  # things, photo, ground
    shots: list[Backdrop]  # two when the camera cuts
    look: Look
    frames: int
    seed: int
    light: str | None = None  # darker, brighter
    gains: Floats | None = None  # [T] brightness factor, at most 1

    @property
    def picture(self) -> bool:
        """Whether it is a single picture, about which nobody could say that something stays still."""
        return self.frames == 1

    def span(self, shot: int) -> tuple[int, int]:
        """Frames [first, end) of a shot."""
        at = self.camera.at
        return (0, self.frames) if self.camera.motion != "cut" else ((0, at), (at, self.frames))[shot]


def pick(rng: np.random.Generator, options: list[T] | tuple[T, ...], weights: list[float] | None = None) -> T:
    if weights is None:
        return options[int(rng.random() * len(options))]
    total, at = sum(weights), 0
    left = rng.random() * total
    for weight in weights[:-1]:
        left -= weight
        if left < 0:
            break
        at += 1
    return options[at]


def shade(rng: np.random.Generator, colour: str, spread: float = 12) -> RGB:
    """A colour of this name, a little different from the one in COLOURS."""
    lift = 6 * rng.standard_normal()
    r, g, b = (int(min(max(c + min(max(d, -20), 20) + lift, 4), 251)) for c, d in zip(COLOURS[colour], spread * rng.standard_normal(3), strict=True))
    if colour in ("grey", "black", "white"):  # a tint would change the name of these
        g, b = r + min(max(g - r, -6), 6), r + min(max(b - r, -6), 6)
    return r, min(max(g, 0), 255), min(max(b, 0), 255)


def alike(a: str | None, b: str | None) -> bool:
    return a is not None and (a == b or (a, b) in ALIKE or (b, a) in ALIKE)
