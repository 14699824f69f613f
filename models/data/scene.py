"""Scene graphs: what is in a clip, where, how it moves, and how the camera moves. No pixels here.

Positions and sizes are fractions of the frame, y down. The world is what a still camera would show.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from models.data.assets import ALIKE, COLOURS, SHAPES, Assets, Picture

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
ROUND = ("circle", "ring")  # turning does not show


@dataclass
class Thing:
    label: str
    colour: str | None  # None: not stated
    picture: Picture | None  # None: a procedural shape
    size: tuple[float, float]  # width, height at the start
    lean: float  # degrees, constant rotation
    flip: bool
    motion: str  # still, move, grow, shrink, turn, appear, disappear, bounce
    direction: str | None = None  # of move (DIRECTIONS) and of bounce ("up and down", "left and right")
    speed: str | None = None  # slow, fast; of move only
    x: np.ndarray = field(default_factory=lambda: np.zeros(0))  # [T] centre
    y: np.ndarray = field(default_factory=lambda: np.zeros(0))
    scale: np.ndarray = field(default_factory=lambda: np.ones(0))  # [T] times size
    angle: np.ndarray = field(default_factory=lambda: np.zeros(0))  # [T] degrees on top of lean
    there: np.ndarray = field(default_factory=lambda: np.ones(0, bool))  # [T]
    rgb: tuple[int, int, int] = (0, 0, 0)
    finish: str = "flat"  # of a shape: flat, shaded, striped, rimmed
    seed: int = 0

    @property
    def moves(self) -> bool:
        """Changes in a way that a person would call movement."""
        return self.motion in ("move", "turn", "bounce", "grow", "shrink")


@dataclass
class Camera:
    motion: str  # still, pan, tilt, zoom, shake
    direction: str | None  # left, right, up, down, in, out
    x: np.ndarray  # [T] centre of view in the world
    y: np.ndarray
    zoom: np.ndarray  # [T] magnification


@dataclass
class Look:
    """What happens to the pixels after composing; every field is neutral by default."""

    gain: float = 1.0
    offset: float = 0.0  # of 255
    gamma: float = 1.0
    tint: tuple[float, float, float] = (1.0, 1.0, 1.0)
    grey: float = 0.0  # share of the colour taken away
    noise: float = 0.0  # standard deviation of 255
    soft: int = 0  # blur, in passes of averaging neighbours; every two cost about a pixel of sharpness
    blocky: bool = False
    bars: tuple[float, float] = (0.0, 0.0)  # black share at (left and right, top and bottom) together
    hold: int = 1  # a frame stands for so many


@dataclass
class Scene:
    things: list[Thing]
    camera: Camera
    kind: str  # things, photo, ground
    ground: Picture | None  # None: procedural
    pattern: str  # of a procedural ground: flat, gradient, noise, checker
    colours: tuple[tuple[int, int, int], tuple[int, int, int]]
    blur: float  # of the ground, px in the frame
    mirror: bool
    seed: int
    look: Look
    frames: int


def pick(rng: np.random.Generator, options: list[T] | tuple[T, ...], weights: list[float] | None = None) -> T:
    if weights is None:
        return options[int(rng.integers(len(options)))]
    return options[int(np.searchsorted(np.cumsum(weights) / sum(weights), rng.random(), side="right"))]


def shade(rng: np.random.Generator, colour: str, spread: float = 12) -> tuple[int, int, int]:
    r, g, b = (int(np.clip(c + d, 4, 251)) for c, d in zip(COLOURS[colour], rng.normal(0, spread, 3).clip(-20, 20) + rng.normal(0, 6), strict=True))
    if colour in ("grey", "black", "white"):  # a tinge would make another colour of these
        g, b = r + int(np.clip(g - r, -6, 6)), r + int(np.clip(b - r, -6, 6))
    return r, min(max(g, 0), 255), min(max(b, 0), 255)


def alike(a: str | None, b: str | None) -> bool:
    return a is not None and (a == b or (a, b) in ALIKE or (b, a) in ALIKE)


def ease(rng: np.random.Generator, frames: int) -> np.ndarray:
    """Progress 0..1 over the frames [T]: mostly even, sometimes eased, or beginning late, or ending early."""
    u = np.linspace(0, 1, frames)
    how = rng.random()
    if how < 0.2:
        return u * u * (3 - 2 * u)
    if how < 0.35:
        a, b = rng.uniform(0, 0.2), rng.uniform(0.8, 1)
        return np.clip((u - a) / (b - a), 0, 1)
    return u


def look(rng: np.random.Generator, colours: set[str | None]) -> Look:
    """colours: those that are told, which the picture must keep."""
    out = Look()
    coloured = colours != {None} and bool(colours)
    if colours & {"white", "grey", "black"}:
        out.gain, out.offset = rng.uniform(0.92, 1.1), rng.uniform(-6, 6)
    elif rng.random() < 0.5:
        out.gain, out.offset, out.gamma = rng.uniform(0.75, 1.2), rng.uniform(-18, 18), rng.uniform(0.8, 1.25)
    if rng.random() < 0.25:
        warm = rng.uniform(-0.09, 0.09)
        out.tint = (1 + warm, 1 + rng.uniform(-0.03, 0.03), 1 - warm)
    if rng.random() < 0.12:
        out.grey = rng.uniform(0.1, 0.35 if coloured else 1.0)
    if rng.random() < 0.3:
        out.noise = rng.uniform(2, 14)
    if rng.random() < 0.35:
        out.soft = int(rng.integers(1, 5))
    out.blocky = bool(rng.random() < 0.1)
    if rng.random() < 0.08:
        out.bars = (0.0, rng.uniform(0.12, 0.4)) if rng.random() < 0.6 else (rng.uniform(0.12, 0.45), 0.0)
    if rng.random() < 0.12:
        out.hold = int(rng.integers(2, 4))
    return out


def camera(rng: np.random.Generator, frames: int, motion: str, small: bool = False) -> Camera:
    u, mid = ease(rng, frames), np.full(frames, 0.5)
    one = np.ones(frames)
    if motion in ("pan", "tilt"):
        direction = pick(rng, ("left", "right") if motion == "pan" else ("up", "down"))
        sign = 1 if direction in ("right", "down") else -1
        path = 0.5 + sign * (u - 0.5) * rng.uniform(0.22, 0.4 if small else 0.6)
        x, y = (path, mid) if motion == "pan" else (mid, path)
        return Camera(motion, direction, x, y, one)
    if motion == "zoom":
        direction = pick(rng, ("in", "out"))
        factor = rng.uniform(1.3, 1.5 if small else 1.9)
        grow = factor**u
        return Camera(motion, direction, mid, mid, grow if direction == "in" else factor / grow)
    if motion == "shake":
        x, y = rng.uniform(-1, 1, (2, frames)) * rng.uniform(0.03, 0.06)
        return Camera(motion, None, 0.5 + x, 0.5 + y, one)
    return Camera("still", None, mid, mid, one)


def place(rng: np.random.Generator, thing: Thing, frames: int) -> None:
    """Chooses the path for the thing's motion, within the frame."""
    thing.scale, thing.angle, thing.there = np.ones(frames), np.zeros(frames), np.ones(frames, bool)
    u = ease(rng, frames)
    w, h = thing.size
    low, high = np.array([w, h]) * 0.42, 1 - np.array([w, h]) * 0.42
    start = rng.uniform(low, high)
    path = np.repeat(start[None], frames, 0)
    if thing.motion == "move":
        step = np.array(DIRECTIONS[thing.direction or "left"])
        far = rng.uniform(0.2, 0.34) if thing.speed == "slow" else rng.uniform(0.54, 0.8)
        # Long ways start or end partly outside the frame, as they do in real clips.
        for axis in (0, 1):
            if step[axis]:
                room = abs(step[axis]) * far
                first = rng.uniform(low[axis], high[axis] - room) if high[axis] - room > low[axis] else 0.5 - room / 2 + rng.uniform(-0.04, 0.04)
                path[:, axis] = first + u * room if step[axis] > 0 else first + (1 - u) * room
    elif thing.motion == "bounce":
        axis = 1 if thing.direction == "up and down" else 0
        swing, beats = rng.uniform(0.2, 0.4), rng.uniform(1.5, 2.6)
        wave = np.abs(np.sin(np.linspace(0, np.pi * beats, frames) + rng.uniform(0, np.pi)))
        base = rng.uniform(min(low[axis] + swing, high[axis]), high[axis]) if high[axis] > low[axis] + swing else 0.5 + swing / 2
        path[:, axis] = base - swing * wave
    elif thing.motion in ("grow", "shrink"):
        factor = rng.uniform(1.6, 2.4)
        thing.scale = factor**u if thing.motion == "grow" else factor ** (-u)
        wide = np.array([w, h]) * max(1, thing.scale.max()) * 0.42
        path[:] = rng.uniform(np.minimum(wide, 0.45), np.maximum(1 - wide, 0.55))
    elif thing.motion == "turn":
        thing.angle = u * rng.uniform(100, 280) * (1 if rng.random() < 0.5 else -1)
    elif thing.motion in ("appear", "disappear"):
        at = int(rng.integers(round(frames * 0.3), round(frames * 0.7) + 1))
        thing.there = (np.arange(frames) >= at) if thing.motion == "appear" else (np.arange(frames) < at)
    thing.x, thing.y = path[:, 0], path[:, 1]


def overlap(a: Thing, b: Thing) -> float:
    """The largest share of the smaller one that the two boxes share in any frame."""
    aw, ah, bw, bh = a.size[0] * a.scale, a.size[1] * a.scale, b.size[0] * b.scale, b.size[1] * b.scale
    wide = np.minimum(a.x + aw / 2, b.x + bw / 2) - np.maximum(a.x - aw / 2, b.x - bw / 2)
    tall = np.minimum(a.y + ah / 2, b.y + bh / 2) - np.maximum(a.y - ah / 2, b.y - bh / 2)
    return float((np.maximum(wide, 0) * np.maximum(tall, 0) / np.minimum(aw * ah, bw * bh)).max())


def thing(rng: np.random.Generator, assets: Assets, count: int, avoid: set[str], ground: str | None, taken: list[Thing]) -> Thing:
    biggest = (0.55, 0.42, 0.34)[count - 1]
    size = rng.uniform(0.15 if rng.random() < 0.3 else 0.2, biggest)
    stretch = np.exp(rng.uniform(np.log(0.75), np.log(1.33)) / 2)
    free = [c for c in COLOURS if not alike(c, ground) and not any(alike(c, t.colour) for t in taken)] or ["red"]
    common: dict[str, Any] = {"lean": rng.uniform(-12, 12), "flip": bool(rng.random() < 0.5), "motion": "still", "seed": int(rng.integers(2**31))}
    names = [name for name in assets.cut_outs if name not in avoid]
    if names and rng.random() < 0.58:
        for _ in range(8):
            label = pick(rng, names)
            picture = pick(rng, assets.cut_outs[label])
            if not alike(picture.colour, ground):
                break
        w, h = picture.pixels.size
        ratio = np.sqrt(w / h)
        # Very long things would be taller than the frame or a pixel thin.
        ratio = float(np.clip(ratio, 0.6, 1.6))
        return Thing(label, picture.colour, picture, (size * ratio * stretch, size / ratio / stretch), **common)
    shapes = [s for s in SHAPES if s not in avoid] or list(SHAPES)
    colour = pick(rng, free)
    finish = pick(rng, ("flat", "shaded", "striped", "rimmed"), [4, 3, 1, 2])
    return Thing(pick(rng, shapes), colour, None, (size * stretch, size / stretch), rgb=shade(rng, colour), finish=finish, **common)


def motions(rng: np.random.Generator, things: list[Thing], moving: bool, any_motion: bool) -> None:
    """Gives each thing its motion; moving: at least one moves."""
    used: set[str] = set()
    for index, item in enumerate(things):
        kinds = ["still", "move", "grow", "shrink", "turn", "appear", "disappear", "bounce"]
        weights = [24.0, 48, 5, 5, 5, 5, 4, 5]
        if not any_motion:
            kind = "still"
        elif moving and index == 0:
            kind = pick(rng, kinds[1:], weights[1:])
        else:
            kind = pick(rng, kinds, weights)
        if kind == "turn" and item.label in ROUND:
            kind = "move"
        item.motion = kind
        if kind == "move":
            options = [d for d in MAIN if d not in used or rng.random() < 0.4] or list(MAIN)
            item.direction = pick(rng, options) if rng.random() < 0.9 or len(things) == 3 else pick(rng, list(DIRECTIONS)[4:])
            item.speed = pick(rng, ("slow", "fast"))
            used.add(item.direction)
        elif kind == "bounce":
            item.direction = pick(rng, ("up and down", "left and right"), [3, 1])
        elif kind in ("grow", "shrink"):
            low, high = (0.15, 0.26) if kind == "grow" else (0.32, 0.5)
            w, h = item.size
            wanted = rng.uniform(low, high) / np.sqrt(w * h)
            if len(things) < 3 or kind == "grow":
                item.size = (w * wanted, h * wanted)


def ground_of(
    rng: np.random.Generator, assets: Assets, textured: bool
) -> tuple[Picture | None, str, tuple[tuple[int, int, int], tuple[int, int, int]], float, str | None]:
    """A background: picture or pattern, its two colours, blur, and the colour that things should not have."""
    how = rng.random()
    if assets.grounds and how < 0.55:
        picture = pick(rng, assets.grounds)
        return picture, "picture", ((0, 0, 0), (0, 0, 0)), 0.0, picture.colour
    if assets.photos and how < 0.65:
        picture = pick(rng, assets.photos)
        # Sharp photos of food behind an object would be objects too.
        return picture, "picture", ((0, 0, 0), (0, 0, 0)), rng.uniform(2.5, 5), picture.colour
    pattern = pick(rng, ("noise", "checker") if textured else ("flat", "gradient", "noise", "checker"))
    name = pick(rng, list(COLOURS), [1, 1, 1, 2, 2, 1, 1, 2, 4, 5, 5])
    one = shade(rng, name, 10)
    two = tuple(int(np.clip(c + d, 0, 255)) for c, d in zip(one, rng.uniform(-26, 26, 3) + rng.choice([-30, 30]), strict=True))
    return None, pattern, (one, (two[0], two[1], two[2])), 0.0, name


def sample_scene(rng: np.random.Generator, assets: Assets, frames: int) -> Scene:
    seed, mirror = int(rng.integers(2**31)), bool(rng.random() < 0.5)
    alone = rng.random()
    if alone < 0.1 and (assets.photos or assets.grounds):
        photo = bool(assets.photos) and (alone < 0.06 or not assets.grounds)
        picture = pick(rng, assets.photos if photo else assets.grounds)
        motion = pick(rng, ("still", "pan", "tilt", "zoom", "shake"), [25, 25, 15, 30, 5])
        view = camera(rng, frames, motion, small=True)
        return Scene(
            [], view, "photo" if photo else "ground", picture, "picture", ((0, 0, 0), (0, 0, 0)), 0.0, mirror, seed, look(rng, set()), frames
        )
    view = camera(rng, frames, pick(rng, ("still", "pan", "tilt", "zoom", "shake"), [75, 8, 5, 8, 4]))
    quiet = view.motion in ("still", "shake")
    backdrop, pattern, colours, blur, ground = ground_of(rng, assets, textured=view.motion != "still")
    count = pick(rng, (1, 2, 3), [50, 34, 16])
    things: list[Thing] = []
    for _ in range(count):
        twin = bool(things) and rng.random() < 0.12
        things.append(thing(rng, assets, count, set() if twin else {t.label for t in things}, ground, things))
        if twin and things[0].colour and things[0].picture is None and things[-1].picture is None:
            things[-1].label = things[0].label
    # Two of a name are told apart by their colours, or not at all.
    for i, item in enumerate(things):
        for other in things[:i]:
            if other.label == item.label and (None in (item.colour, other.colour) or alike(item.colour, other.colour)):
                item.picture, item.label = None, pick(rng, [s for s in SHAPES if s not in {t.label for t in things}])
                item.colour = pick(
                    rng, [c for c in COLOURS if not any(alike(c, t.colour) for t in things if t is not item) and not alike(c, ground)] or ["red"]
                )
                item.rgb = shade(rng, item.colour)
    if view.motion == "zoom":
        for item in things:
            item.size = (item.size[0] * 0.8, item.size[1] * 0.8)
    motions(rng, things, moving=rng.random() < 0.85, any_motion=quiet)
    best: tuple[float, list[Thing]] | None = None
    for _ in range(14):
        for item in things:
            place(rng, item, frames)
            if not quiet:
                # All of a pan, tilt or zoom keeps the things in view.
                item.x = 0.5 + (item.x - 0.5) * (0.62 if view.motion != "tilt" else 0.85)
                item.y = 0.5 + (item.y - 0.5) * (0.62 if view.motion != "pan" else 0.85)
        worst = max((overlap(a, b) for i, a in enumerate(things) for b in things[:i]), default=0.0)
        if best is None or worst < best[0]:
            best = worst, [replace(t) for t in things]
        if worst < 0.15:
            break
    assert best is not None
    things = best[1]
    return Scene(things, view, "things", backdrop, pattern, colours, blur, mirror, seed, look(rng, {t.colour for t in things}), frames)
