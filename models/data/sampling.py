"""Samples scenes: which things over which background, what each does, and how it is filmed. Nothing here depends on pixels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from models.data.assets import Assets, Ground
from models.data.names import COLOURS, Holdout
from models.data.paths import camera, light, look, place_behind, spread
from models.data.scene import DIRECTIONS, MAIN, ROUND, Backdrop, Camera, Look, Scene, Thing, alike, pick, shade

KINDS = ("still", "move", "stop", "start", "bend", "enter", "leave", "grow", "shrink", "turn", "appear", "disappear", "bounce")
WEIGHTS = [22.0, 40, 6, 4, 5, 4, 4, 5, 5, 5, 5, 4, 5]
IN_A_SHOT = ("still", "move")  # what a thing may do where its shot is half a clip
FILMED = ("still", "pan", "tilt", "zoom", "shake", "cut")


def shape(rng: np.random.Generator, assets: Assets, label: str, colour: str) -> dict[str, Any]:
    finish = pick(rng, ("flat", "shaded", "striped", "rimmed", "dotted", "grained"), [4, 3, 1, 2, 1, 1])
    picture = pick(rng, [each for each in assets.shapes[label] if each.finish == finish])
    return {"label": label, "colour": colour, "picture": picture, "rgb": shade(rng, colour)}


def thing(rng: np.random.Generator, assets: Assets, holdout: Holdout, count: int, avoid: set[str], ground: str | None, taken: list[Thing]) -> Thing:
    """One of `count` things, whose label is none of `avoid` and whose colour is unlike the ground's and those of `taken`."""
    size = rng.uniform(0.15 if rng.random() < 0.3 else 0.2, (0.55, 0.42, 0.34)[min(count, 3) - 1])
    stretch = float(np.exp(rng.uniform(-0.144, 0.144)))
    common: dict[str, Any] = {"lean": rng.uniform(-12, 12), "flip": bool(rng.random() < 0.5)}
    names = [name for name in assets.cut_outs if name not in avoid]
    if names and rng.random() < 0.58:
        for _ in range(8):
            picture = pick(rng, assets.cut_outs[pick(rng, names)])
            if not alike(picture.colour, ground):
                break
        w, h = picture.size
        # Very long things would be taller than the frame or one pixel wide.
        ratio = float(np.clip(np.sqrt(w / h), 0.6, 1.6))
        return Thing(picture.name, picture.colour, picture, (size * ratio * stretch, size / ratio / stretch), **common)
    labels = [s for s in assets.shapes if s not in avoid and s not in ("pillar", "wall")]
    return coloured(rng, assets, holdout, pick(rng, labels), ground, taken, (size * stretch, size / stretch), common)


def coloured(
    rng: np.random.Generator,
    assets: Assets,
    holdout: Holdout,
    label: str,
    ground: str | None,
    taken: list[Thing],
    size: tuple[float, float],
    common: dict[str, Any],
) -> Thing:
    """A shape in a colour that is allowed for it here; another shape where there is none."""
    while True:
        apart = [c for c in COLOURS if not holdout.colour(c, label) and not alike(c, ground)]
        free = [c for c in apart if not any(alike(c, t.colour) for t in taken)] or [c for c in apart if c not in {t.colour for t in taken}]
        if free:
            return Thing(size=size, **shape(rng, assets, label, pick(rng, free)), **common)
        label = pick(rng, [s for s in assets.shapes if s != label])


def motion(rng: np.random.Generator, item: Thing, holdout: Holdout, kinds: tuple[str, ...], used: set[str], many: bool) -> None:
    """Gives a thing its motion: one of `kinds`, preferably not in a direction of `used`, and no pair that is held out."""
    weights = [WEIGHTS[KINDS.index(kind)] for kind in kinds]
    for _ in range(12):
        kind = pick(rng, kinds, weights)
        if kind == "turn" and item.label in ROUND:
            kind = "move"
        item.motion, item.direction, item.then, item.speed = kind, None, None, None
        if kind in ("move", "stop", "start", "bend", "enter", "leave"):
            options = [d for d in MAIN if d not in used or rng.random() < 0.4] or list(MAIN)
            oblique = kind == "move" and not many and rng.random() < 0.1
            item.direction = pick(rng, list(DIRECTIONS)[4:] if oblique else options)
            item.speed = pick(rng, ("slow", "fast")) if kind == "move" else None
            if kind == "bend":
                item.then = pick(rng, ("up", "down") if item.direction in ("left", "right") else ("left", "right"))
        elif kind == "bounce":
            item.direction = pick(rng, ("up and down", "left and right"), [3, 1])
        if not holdout.motion(kind, item.direction, item.label) and not (item.then and holdout.motion("move", item.then, item.label)):
            break
    else:
        item.motion, item.direction, item.then, item.speed = "still", None, None, None
    if item.direction:
        used.add(item.direction)
    if item.motion in ("grow", "shrink"):
        low, high = (0.15, 0.26) if item.motion == "grow" else (0.32, 0.5)
        w, h = item.size
        wanted = rng.uniform(low, high) / np.sqrt(w * h)
        if not many or item.motion == "grow":
            item.size = (w * wanted, h * wanted)


def backdrop(rng: np.random.Generator, assets: Assets, view: Camera) -> tuple[Backdrop, str | None]:
    """A background, and the colour that things should not have."""
    how, mirror = rng.random(), bool(rng.random() < 0.5)
    part = (0.0, 0.0, 1.0)
    if view.motion in ("still", "cut"):  # a random part of it: more variety from the same pictures
        side = rng.uniform(0.55, 1)
        part = (rng.uniform(0, 1 - side), rng.uniform(0, 1 - side), side)
    if assets.grounds and how < 0.55:
        ground = pick(rng, assets.grounds)
        return Backdrop(ground, None, part, mirror), ground.colour
    if assets.photos and how < 0.65:
        ground = pick(rng, assets.photos)
        # A sharp photo of food behind an object would show objects of its own.
        return Backdrop(ground, None, part, mirror, blurred=True), ground.colour
    name = pick(rng, list(COLOURS), [1, 1, 1, 2, 2, 1, 1, 2, 4, 5, 5])
    one = shade(rng, name, 10)
    lift = float(rng.choice([-30, 30]))
    flat = view.motion in ("still", "cut") and rng.random() < 0.25
    r, g, b = (int(min(max(c + (0 if flat else d + lift), 0), 255)) for c, d in zip(one, rng.uniform(-26, 26, 3), strict=True))
    return Backdrop(pick(rng, assets.textures), (one, (r, g, b)), part, mirror), name


def sample_scene(rng: np.random.Generator, assets: Assets, frames: int, holdout: Holdout) -> Scene:
    seed, alone = int(rng.integers(2**31)), rng.random()
    photos = 0.3 if frames == 1 else 0.07
    if alone < photos + 0.04 and (assets.photos or alone >= photos):
        return lone(rng, assets, frames, seed, photo=alone < photos)
    filmed = "still" if frames == 1 else pick(rng, FILMED, [70, 8, 5, 8, 4, 5])
    view = camera(rng, frames, filmed)
    shots, avoided = zip(*(backdrop(rng, assets, view) for _ in range(2 if filmed == "cut" else 1)), strict=True)
    scene = Scene([], view, "things", list(shots), Look(), frames, seed)
    if filmed == "still" and frames > 1 and rng.random() < 0.1:
        behind(rng, assets, holdout, scene, avoided[0])
    else:
        populate(rng, assets, holdout, scene, avoided)
        spread(rng, scene)
    scene.look = look(rng, {t.colour for t in scene.things})
    light(rng, scene)
    return scene


def lone(rng: np.random.Generator, assets: Assets, frames: int, seed: int, photo: bool) -> Scene:
    """A whole photo, or a background with nothing on it."""
    ground: Ground = pick(rng, assets.photos if photo else assets.grounds or assets.textures)
    filmed = "still" if frames == 1 else pick(rng, FILMED[:5], [25.0, 25, 15, 30, 5])
    view = camera(rng, frames, filmed, small=True)
    colours = None
    if ground in assets.textures:
        colours = shade(rng, pick(rng, list(COLOURS))), shade(rng, pick(rng, list(COLOURS)))
    shot = Backdrop(ground, colours, (0.0, 0.0, 1.0), bool(rng.random() < 0.5))
    return Scene([], view, "photo" if photo else "ground", [shot], look(rng, set()), frames, seed)


def populate(rng: np.random.Generator, assets: Assets, holdout: Holdout, scene: Scene, avoided: Sequence[str | None]) -> None:
    """One to three things and what they do; in a clip of two shots, something in each. avoided: the colour of each shot's ground."""
    filmed, things, used = scene.camera.motion, scene.things, set[str]()
    count = pick(rng, (1, 2, 3), [46, 36, 18]) if filmed != "cut" else pick(rng, (2, 3), [75, 25])
    kinds = KINDS if filmed in ("still", "shake") else IN_A_SHOT if filmed == "cut" else KINDS[:1]
    if scene.picture:
        kinds = KINDS[:1]
    for index in range(count):
        avoid = {t.label for t in things}
        shot = int(filmed == "cut" and index > 0 and (index == 1 or rng.random() < 0.5))
        ground = avoided[shot]
        item = thing(rng, assets, holdout, count, avoid, ground, things)
        first = things[0] if things else None
        if first and first.rgb and first.colour and item.rgb and filmed != "cut" and rng.random() < 0.25:
            # Two things of one name, distinguished by their colours.
            size, common = item.size, {"lean": item.lean, "flip": item.flip}
            item = coloured(rng, assets, holdout, first.label, ground, things, size, common)
            if any(t.label == item.label and alike(t.colour, item.colour) for t in things):
                item = thing(rng, assets, holdout, count, avoid, ground, things)
        item.shot = shot
        moving = kinds[1:] if index == 0 and len(kinds) > 1 and rng.random() < 0.7 else kinds
        motion(rng, item, holdout, moving, used, many=count == 3)
        if filmed == "zoom":
            item.size = (item.size[0] * 0.8, item.size[1] * 0.8)
        things.append(item)


def behind(rng: np.random.Generator, assets: Assets, holdout: Holdout, scene: Scene, ground: str | None) -> None:
    """Something passes behind something else that stands still, or stays there."""
    if rng.random() < 0.65:
        label = pick(rng, ("pillar", "wall"))
        size = (rng.uniform(0.26, 0.34), rng.uniform(0.7, 0.95)) if label == "pillar" else (rng.uniform(0.4, 0.5), rng.uniform(0.4, 0.5))
    else:
        label, side = "square", rng.uniform(0.36, 0.44)
        size = (side, side)
    screen = coloured(rng, assets, holdout, label, ground, [], size, {"lean": 0.0, "flip": False})
    mover = thing(rng, assets, holdout, 3, {screen.label}, ground, [screen])
    shrink = rng.uniform(0.15, 0.2) / float(np.sqrt(mover.size[0] * mover.size[1]))
    mover.size = (mover.size[0] * shrink, mover.size[1] * shrink)
    ways = [d for d in (MAIN[:2] if size[1] > 0.6 else MAIN) if not holdout.motion("move", d, mover.label)]
    scene.things = [mover, screen]
    if not ways or screen.label != label:
        spread(rng, scene)
        return
    mover.motion, mover.direction, mover.behind = pick(rng, ("pass", "hide"), [3, 2]), pick(rng, ways), screen
    place_behind(rng, mover, screen, scene)
