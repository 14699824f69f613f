"""How things and the camera move: a path for each kind of motion; also changes of light and recording faults."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from models.data.scene import DIRECTIONS, Camera, Floats, Look, Scene, Thing, pick

EDGE = 0.42  # of its size: how near its centre comes to the frame's edge


def ease(rng: np.random.Generator, frames: int) -> Floats:
    """Progress 0..1 over the frames [T]: mostly linear, sometimes eased, or beginning late, or ending early."""
    u = np.arange(frames) / max(1, frames - 1)
    how = rng.random()
    if how < 0.2:
        return u * u * (3 - 2 * u)
    if how < 0.35:
        a, b = 0.2 * rng.random(), 0.8 + 0.2 * rng.random()
        return np.clip((u - a) / (b - a), 0, 1)
    return u


def look(rng: np.random.Generator, colours: set[str | None]) -> Look:
    """A random look. colours: those that the text names, which must stay recognisable."""
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
    out.blocky = bool(rng.random() < 0.08)
    if rng.random() < 0.12:
        out.compress = rng.uniform(0.8, 4)
    if rng.random() < 0.08:
        out.bars = (0.0, rng.uniform(0.12, 0.4)) if rng.random() < 0.6 else (rng.uniform(0.12, 0.45), 0.0)
    if rng.random() < 0.12:
        out.hold = int(rng.integers(2, 4))
    return out


def light(rng: np.random.Generator, scene: Scene) -> None:
    """Now and then the light goes down or up over the clip, by a clearly visible amount. Colours keep their names down to a gain of 0.55."""
    if scene.picture or scene.camera.motion == "cut" or rng.random() > 0.07 or any(t.colour in ("white", "grey", "orange") for t in scene.things):
        return
    scene.light = pick(rng, ("darker", "brighter"))
    fall = 1 - rng.uniform(0.3, 0.45) * np.linspace(0, 1, scene.frames)
    scene.gains = fall if scene.light == "darker" else fall[::-1].copy()


def camera(rng: np.random.Generator, frames: int, motion: str, small: bool = False) -> Camera:
    mid, one = np.full(frames, 0.5), np.ones(frames)
    if motion in ("pan", "tilt"):
        direction = pick(rng, ("left", "right") if motion == "pan" else ("up", "down"))
        sign = 1 if direction in ("right", "down") else -1
        path = 0.5 + sign * (ease(rng, frames) - 0.5) * rng.uniform(0.22, 0.4 if small else 0.6)
        x, y = (path, mid) if motion == "pan" else (mid, path)
        return Camera(motion, direction, x, y, one)
    if motion == "zoom":
        direction = pick(rng, ("in", "out"))
        factor = rng.uniform(1.3, 1.5 if small else 1.9)
        grow = factor ** ease(rng, frames)
        return Camera(motion, direction, mid, mid, grow if direction == "in" else factor / grow)
    if motion == "shake":
        x, y = rng.uniform(-1, 1, (2, frames)) * rng.uniform(0.03, 0.06)
        return Camera(motion, None, 0.5 + x, 0.5 + y, one)
    if motion == "cut":
        return Camera(motion, None, mid, mid, one, at=round(frames * rng.uniform(0.38, 0.62)))
    return Camera("still", None, mid, mid, one)


def travel(rng: np.random.Generator, path: Floats, progress: Floats, step: tuple[float, float], far: float, low: Floats, high: Floats) -> None:
    """Adds a path of length `far`, inside the frame where it fits. Long paths start or end partly outside, as in real clips."""
    for axis in (0, 1):
        if step[axis]:
            room = abs(step[axis]) * far
            inside = high[axis] - room > low[axis]
            first = rng.uniform(low[axis], high[axis] - room) if inside else 0.5 - room / 2 + rng.uniform(-0.04, 0.04)
            path[:, axis] = first + (progress if step[axis] > 0 else 1 - progress) * room


def place(rng: np.random.Generator, thing: Thing, scene: Scene) -> None:
    """Chooses the path for the thing's motion within its shot.

    still · move: in one direction · stop, start: a rest after or before · bend: another direction from `at` on · grow, shrink, turn, bounce · appear,
    disappear: without moving · enter, leave: over the edge of the frame. (pass and hide, behind something else: see `place_behind`.)"""
    frames, (begin, end) = scene.frames, scene.span(thing.shot)
    n = end - begin
    thing.scale, thing.angle, thing.there = np.ones(frames), np.zeros(frames), np.zeros(frames, bool)
    thing.there[begin:end] = True
    u = ease(rng, n)
    size = np.array(thing.size)
    low, high = size * EDGE, 1 - size * EDGE
    path = np.repeat(rng.uniform(low, high)[None], n, 0)
    step = DIRECTIONS.get(thing.direction or "", (0.0, 0.0))
    if thing.motion == "move":
        travel(rng, path, u, step, rng.uniform(0.2, 0.34) if thing.speed == "slow" else rng.uniform(0.54, 0.8), low, high)
    elif thing.motion in ("stop", "start"):
        at = round(n * rng.uniform(0.4, 0.62))
        t = np.arange(n)
        rest = np.clip(t / at, 0, 1) if thing.motion == "stop" else np.clip((t - at) / (n - 1 - at), 0, 1)
        travel(rng, path, rest, step, rng.uniform(0.36, 0.6), low, high)
        thing.at = begin + at
    elif thing.motion == "bend":
        at = round(n * rng.uniform(0.4, 0.6))
        t = np.arange(n)
        travel(rng, path, np.clip(t / at, 0, 1), step, rng.uniform(0.34, 0.55), low, high)
        travel(rng, path, np.clip((t - at) / (n - 1 - at), 0, 1), DIRECTIONS[thing.then or "up"], rng.uniform(0.34, 0.55), low, high)
        thing.at = begin + at
    elif thing.motion in ("enter", "leave"):
        # Outside: by more than its own size, rotation included.
        axis = 0 if step[0] else 1
        outside, inside = 0.55 * float(np.hypot(*size)), rng.uniform(0.4, 0.75)
        progress = np.linspace(0, 1, n)
        way = -outside + progress * (outside + inside) if thing.motion == "enter" else 1 - inside + progress * (outside + inside)
        path[:, axis] = way if step[axis] > 0 else 1 - way
    elif thing.motion == "bounce":
        axis = 1 if thing.direction == "up and down" else 0
        swing, beats = rng.uniform(0.2, 0.4), rng.uniform(1.5, 2.6)
        wave = np.abs(np.sin(np.linspace(0, np.pi * beats, n) + rng.uniform(0, np.pi)))
        base = rng.uniform(min(low[axis] + swing, high[axis]), high[axis]) if high[axis] > low[axis] + swing else 0.5 + swing / 2
        path[:, axis] = base - swing * wave
    elif thing.motion in ("grow", "shrink"):
        factor = rng.uniform(1.6, 2.4)
        change = factor**u if thing.motion == "grow" else factor ** (-u)
        thing.scale[begin:end] = change
        wide = size * max(1, float(change.max())) * EDGE
        path[:] = rng.uniform(np.minimum(wide, 0.45), np.maximum(1 - wide, 0.55))
    elif thing.motion == "turn":
        thing.angle[begin:end] = u * rng.uniform(100, 280) * (1 if rng.random() < 0.5 else -1)
    elif thing.motion in ("appear", "disappear"):
        thing.at = begin + int(rng.integers(round(n * 0.3), round(n * 0.7) + 1))
        thing.there[begin:end] &= (np.arange(begin, end) >= thing.at) == (thing.motion == "appear")
    thing.x, thing.y = np.full(frames, 0.5), np.full(frames, 0.5)
    thing.x[begin:end], thing.y[begin:end] = path.T


def place_behind(rng: np.random.Generator, mover: Thing, screen: Thing, scene: Scene) -> None:
    """The screen stands still in the middle; the mover goes behind it and comes out again (pass) or stays there (hide)."""
    frames = scene.frames
    for each in (mover, screen):
        each.scale, each.angle, each.there = np.ones(frames), np.zeros(frames), np.ones(frames, bool)
    step = DIRECTIONS[mover.direction or "left"]
    axis = 0 if step[0] else 1
    place_of = rng.uniform(0.42, 0.58, 2)
    if mover.motion == "hide":
        place_of[axis] = 0.5 + np.sign(step[axis]) * rng.uniform(0.05, 0.18)
    paths = np.repeat(place_of[None], frames, 0)
    screen.x, screen.y = paths.T.copy()
    slack = max(0.0, (screen.size[1 - axis] - mover.size[1 - axis]) / 2 - 0.02)
    paths[:, 1 - axis] += rng.uniform(-slack, slack) * 0.5
    u = ease(rng, frames)
    outer = mover.size[axis] * EDGE
    far = (1 - outer if step[axis] < 0 else outer) + rng.uniform(-0.03, 0.03)
    last = place_of[axis] if mover.motion == "hide" else 1 - far
    paths[:, axis] = far + (last - far) * (np.clip(u / 0.75, 0, 1) if mover.motion == "hide" else u)
    mover.x, mover.y = paths.T


def overlap(a: Thing, b: Thing) -> float:
    """The largest overlap of the two boxes in any frame, as a share of the smaller one."""
    aw, ah, bw, bh = a.size[0] * a.scale, a.size[1] * a.scale, b.size[0] * b.scale, b.size[1] * b.scale
    wide = np.minimum(a.x + aw / 2, b.x + bw / 2) - np.maximum(a.x - aw / 2, b.x - bw / 2)
    tall = np.minimum(a.y + ah / 2, b.y + bh / 2) - np.maximum(a.y - ah / 2, b.y - bh / 2)
    both = np.maximum(wide, 0) * np.maximum(tall, 0) * (a.there & b.there)
    return float((both / np.minimum(aw * ah, bw * bh)).max())


def spread(rng: np.random.Generator, scene: Scene, tries: int = 12) -> None:
    """Places all things so that they cover each other as little as `tries` attempts allow."""
    view, best = scene.camera, (np.inf, scene.things)
    quiet = view.motion not in ("pan", "tilt", "zoom")
    for _ in range(tries):
        things = [replace(each) for each in scene.things]
        for item in things:
            place(rng, item, scene)
            if not quiet:
                # Things stay in view during a whole pan, tilt or zoom.
                item.x = 0.5 + (item.x - 0.5) * (0.62 if view.motion != "tilt" else 0.85)
                item.y = 0.5 + (item.y - 0.5) * (0.62 if view.motion != "pan" else 0.85)
        worst = max((overlap(a, b) for i, a in enumerate(things) for b in things[:i]), default=0.0)
        if worst < best[0]:
            best = worst, things
        if worst < 0.15:
            break
    scene.things = best[1]
