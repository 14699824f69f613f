"""Scenes to video, many clips at once, with PyTorch on whatever device the pictures are on.

Nothing here loops over pixels or frames: sprites and the windows of the frame that they cover have different sizes, so their pixels are kept in
one long row (`Ragged`), and every step is a few operations on all of it. A pixel is one int32 (see assets), blended without unpacking it.
All arithmetic is on integers or on single elements, so a clip has the same bits whatever it is composed together with.

Boxes hold the full extent of a thing inside the frame, as if nothing were in front of it; `shown` says how much of it is visible. The box of a thing
that leaves the frame holds only the part inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.data.assets import Assets
from models.data.faults import bars, compress, soften, unsteady
from models.data.scene import Backdrop, Look, Scene, Thing

MARGIN = 0.3  # share of the frame that the ground reaches beyond it on each side when the camera moves
SOLID = 48  # alpha from which a pixel counts as the thing
LOW, MIDDLE = 0x00FF00FF, 0x0000FF00  # red and blue; green

Ints = np.ndarray[Any, np.dtype[np.int64]]


@dataclass
class Track:
    """One thing over a clip: box [T, 4] x0, y0, x1, y1 in 0..1, NaN where nothing of it is inside the frame, and shown [T]: the share of its
    pixels that is inside the frame with nothing in front."""

    label: str
    colour: str | None
    box: np.ndarray[Any, np.dtype[np.float64]]
    shown: np.ndarray[Any, np.dtype[np.float64]]


def mix(a: Tensor, b: Tensor, part: Tensor) -> Tensor:
    """a + (b - a) * part / 256 in all four bytes of packed pixels; part 0..256."""
    rest = 256 - part
    even = (a & LOW).mul_(rest).add_((b & LOW).mul_(part)).bitwise_right_shift_(8).bitwise_and_(LOW)
    odd = (a >> 8).bitwise_and_(LOW).mul_(rest).add_((b >> 8).bitwise_and_(LOW).mul_(part)).bitwise_and_(~LOW)
    return even.bitwise_or_(odd)


def unpack(pixels: Tensor) -> list[Tensor]:
    """Red, green, blue and alpha, 0..255."""
    return [(pixels >> shift).bitwise_and_(255) for shift in (0, 8, 16, 24)]


def pack(r: Tensor, g: Tensor, b: Tensor, a: Tensor) -> Tensor:
    return r | g << 8 | b << 16 | a << 24


class Ragged:
    """Rectangles of different sizes, their pixels in one row: pixel i belongs to rectangle owner[i], at x[i], y[i] in it."""

    def __init__(self, wide: Ints, tall: Ints, device: torch.device) -> None:
        counts = wide * tall
        self.total, self.first, self.counts = int(counts.sum()), np.cumsum(counts) - counts, counts
        lengths = torch.from_numpy(counts).to(device)
        self.owner = torch.repeat_interleave(torch.arange(len(counts), device=device, dtype=torch.int32), lengths, output_size=self.total)
        local = torch.arange(self.total, device=device, dtype=torch.int32) - self.of(self.first)
        self.y = local.float().add_(0.5).mul_(self.of(1 / wide, torch.float32)).int()  # exact up to a million pixels, and // takes ten times as long
        self.x = local.sub_(self.y * self.of(wide))

    def of(self, values: np.ndarray, dtype: torch.dtype = torch.int32) -> Tensor:
        """One value per rectangle, repeated for each of its pixels."""
        return torch.from_numpy(np.asarray(values)).to(self.owner.device, dtype).index_select(0, self.owner)

    def sums(self, values: Tensor) -> Ints:
        """The sum over each rectangle's pixels, int [n]."""
        out = torch.zeros(len(self.counts), dtype=torch.int32, device=values.device).index_add_(0, self.owner, values.int())
        return out.cpu().numpy().astype(np.int64)


def resample(source: Tensor, at: np.ndarray, part: np.ndarray, mirror: np.ndarray, side: int) -> Tensor:
    """Parts of square pictures at another size. source int32 [G, s, s]; at [n] picture; part [n, 3] left, top, side in 0..1 -> [n, side, side]."""
    n, s, device = len(at), source.shape[-1], source.device

    def taps(first: np.ndarray) -> tuple[Tensor, Tensor]:
        where = ((first[:, None] + part[:, 2:] * (np.arange(side) + 0.5) / side) * s - 0.5).clip(0, s - 1.004)
        low = where.astype(np.int32)
        return torch.from_numpy(low).to(device), torch.from_numpy(((where - low) * 256).astype(np.int32)).to(device)

    (y, fy), (x, fx) = taps(part[:, 1]), taps(part[:, 0])
    picture = torch.from_numpy(at.astype(np.int32)).to(device)
    rows = (picture[:, None] * s + y).flatten()
    flat = source.reshape(-1, s)
    lines = mix(flat.index_select(0, rows), flat.index_select(0, rows + 1), fy.reshape(-1, 1))
    turned = torch.from_numpy(mirror).to(device)[:, None]
    x, fx = torch.where(turned, x.flip(1), x), torch.where(turned, fx.flip(1), fx)
    places = (torch.arange(n * side, device=device, dtype=torch.int32).reshape(n, side, 1) * s + x[:, None]).flatten()
    across = fx[:, None].expand(n, side, side).flatten()
    return mix(lines.flatten().index_select(0, places), lines.flatten().index_select(0, places + 1), across).reshape(n, side, side)


def curves(looks: list[Look], low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Lookup table for each value of each channel, uint8 [n, 3, 256]: from colour low to colour high ([n, 3]), then through the look."""
    value = low[..., None] + (high - low)[..., None] * (np.arange(256, dtype=np.float32) / 255)
    gamma, gain, offset = (np.array([getattr(each, name) for each in looks], np.float32)[:, None, None] for name in ("gamma", "gain", "offset"))
    tint = np.array([each.tint for each in looks], np.float32)[..., None]
    bent: np.ndarray = value.clip(0, 255)
    changed = (gamma[:, 0, 0] != 1).nonzero()[0]
    bent[changed] = 255 * (bent[changed] / 255) ** gamma[changed]
    out: np.ndarray = (bent * gain * tint + offset).clip(0, 255).round().astype(np.int32)
    return out


def coloured(channels: list[Tensor], table: Tensor, row: Tensor, grey: np.ndarray, owner: Tensor) -> list[Tensor]:
    """Channels mapped through the curves of their row, with `grey` of 256 parts of their colour removed."""
    out = [table.index_select(0, row + 256 * i + channel) for i, channel in enumerate(channels[:3])]
    if grey.any():
        light = out[0] * 77 + out[1] * 151 + out[2] * 28 >> 8
        share = torch.from_numpy(grey.astype(np.int32)).to(owner.device).index_select(0, owner)
        out = [channel + ((light - channel) * share >> 8) for channel in out]
    return out


def tables(looks: list[Look], low: np.ndarray, high: np.ndarray, device: torch.device) -> tuple[Tensor, np.ndarray]:
    return torch.from_numpy(curves(looks, low, high)).to(device).flatten(), np.array([round(each.grey * 256) for each in looks])


def canvases(shots: list[tuple[Scene, Backdrop]], assets: Assets, side: int) -> Tensor:
    """The grounds of shots, int32 [n, side, side]."""
    backs, device = [back for _, back in shots], assets.bank.device
    at, part, mirror = (np.array([getattr(back, name) for back in backs]) for name in ("at", "part", "mirror"))
    out = torch.empty((len(shots), side, side), dtype=torch.int32, device=device)
    for source, blurred in ((assets.bank, False), (assets.blurred, True)):
        (rows,) = (np.array([back.blurred for back in backs]) == blurred).nonzero()
        if len(rows):
            out[torch.from_numpy(rows).to(device)] = resample(source, at[rows], part[rows], mirror[rows], side)
    soften(out, np.array([scene.look.soft for scene, _ in shots]))
    low = np.array([back.colours[0] if back.colours else (0, 0, 0) for back in backs], np.float32)
    high = np.array([back.colours[1] if back.colours else (255, 255, 255) for back in backs], np.float32)
    table, grey = tables([scene.look for scene, _ in shots], low, high, device)
    owner = torch.arange(len(shots), device=device, dtype=torch.int32)[:, None].expand(-1, side * side).flatten()
    r, g, b = coloured(unpack(out.flatten()), table, owner * 768, grey, owner)
    return pack(r, g, b, torch.zeros_like(r)).reshape(out.shape)


def group(scene: Scene) -> int:
    """How the ground of a scene is made: 0 unchanged, 1 a moving window over it, 2 magnified."""
    return {"still": 0, "cut": 0, "zoom": 2}.get(scene.camera.motion, 1)


def grounds(scenes: list[Scene], assets: Assets, size: int) -> Tensor:
    """int32 [B, T, H, W] of the grounds alone; the scenes are in the order of their groups."""
    frames, device = scenes[0].frames, assets.bank.device
    video = torch.empty((len(scenes), frames, size, size), dtype=torch.int32, device=device)
    wide = round(size * (1 + 2 * MARGIN))
    ends = np.cumsum([sum(group(scene) == each for scene in scenes) for each in range(3)])
    fixed, swept, zoomed = scenes[: ends[0]], scenes[ends[0] : ends[1]], scenes[ends[1] :]
    if fixed:
        shots = [(scene, back) for scene in fixed for back in scene.shots]
        first = np.cumsum([len(scene.shots) for scene in fixed]) - [len(scene.shots) for scene in fixed]
        second = [scene.camera.at if len(scene.shots) > 1 else frames for scene in fixed]
        which = [begin + (np.arange(frames) >= at) for begin, at in zip(first, second, strict=True)]
        pixels = canvases(shots, assets, size).flatten(1)
        torch.index_select(pixels, 0, torch.from_numpy(np.concatenate(which)).to(device), out=video[: ends[0]].view(-1, size * size))
    if swept:
        full = canvases([(scene, scene.shots[0]) for scene in swept], assets, wide)
        x, y = (np.stack([getattr(scene.camera, axis) for scene in swept]) for axis in ("x", "y"))
        left, top = (((centre - 0.5 + MARGIN) * size).round().clip(0, wide - size).astype(np.int32) for centre in (x, y))  # [n, T]
        begin = torch.from_numpy((np.arange(len(swept), dtype=np.int32)[:, None] * wide + top) * wide + left).to(device)
        inside = torch.arange(size, device=device, dtype=torch.int32)
        places = (begin[..., None, None] + inside[:, None] * wide + inside).flatten()
        torch.index_select(full.flatten(), 0, places, out=video[ends[0] : ends[1]].view(-1))
    if zoomed:
        full = canvases([(scene, scene.shots[0]) for scene in zoomed], assets, wide)
        views = [scene.camera for scene in zoomed]
        half = 0.5 / np.concatenate([view.zoom for view in views])
        room = 1 + 2 * MARGIN
        centres = (np.concatenate([getattr(view, axis) for view in views]) for axis in ("x", "y"))
        part = np.stack([*((centre - half + MARGIN).clip(0, room - 2 * half) / room for centre in centres), 2 * half / room], axis=1)
        at = np.repeat(np.arange(len(zoomed)), frames)
        video[ends[1] :] = resample(full, at, part, np.zeros(len(at), bool), size).view(-1, frames, size, size)
    return video


class Sprites:
    """Every thing at every size and angle in which it is drawn. pixels int32 in a row; first, wide, tall [S]; box [S, 4] of the solid part, in px
    (x0 > x1 where there is none); solid [S] the number of solid pixels; of [n, T]: which sprite thing i is in frame t."""

    def __init__(self, things: list[tuple[Scene, Thing]], assets: Assets, size: int) -> None:
        device = assets.atlas.device
        scale = np.stack([thing.scale * scene.camera.zoom for scene, thing in things]) * size
        sides = np.array([thing.size for _, thing in things])
        w, h = (np.maximum(3, (sides[:, axis, None] * scale).round()).astype(np.int64) for axis in (0, 1))
        turned = np.stack([thing.angle + thing.lean for _, thing in things]).round().astype(np.int64) % 360
        keys = ((np.arange(len(things))[:, None] << 12 | w) << 12 | h) << 9 | turned
        unique, which = np.unique(keys, return_inverse=True)
        self.of = which.reshape(keys.shape)
        thing, w, h, angle = unique >> 33, (unique >> 21) & 4095, (unique >> 9) & 4095, (unique & 511) * (np.pi / 180)
        cos, sin = np.cos(angle), np.sin(angle)
        self.wide, self.tall = (np.ceil(np.abs(w * a) + np.abs(h * b) - 1e-6).astype(np.int64) for a, b in ((cos, sin), (sin, cos)))
        pictures = [things[i][1].picture for i in thing]
        reduced = np.array([min(p.size[0] / a, p.size[1] / b) for p, a, b in zip(pictures, w, h, strict=True)])
        soft = np.array([things[i][0].look.soft >= 3 for i in thing])
        level = np.minimum((reduced >= 1.5).astype(int) + (reduced >= 3) + soft, 2)
        begin, pw, ph = np.array([p.levels[i] for p, i in zip(pictures, level, strict=True)]).T
        flip = np.array([-1.0 if things[i][1].flip and things[i][1].label != "arrow" else 1.0 for i in thing])

        row = Ragged(self.wide, self.tall, device)
        self.first = row.first
        dx, dy = (place.float() - row.of((side - 1) / 2, torch.float32) for place, side in ((row.x, self.wide), (row.y, self.tall)))
        across, down = (pw - 2) / w * flip, (ph - 2) / h
        f32 = torch.float32
        u = (dx * row.of(cos * across, f32) + dy * row.of(sin * across, f32) + row.of((pw - 1) / 2, f32)).clamp_(min=0)
        v = (dy * row.of(cos * down, f32) - dx * row.of(sin * down, f32) + row.of((ph - 1) / 2, f32)).clamp_(min=0)
        u, v = torch.minimum(u, row.of(pw - 1.004, f32)), torch.minimum(v, row.of(ph - 1.004, f32))
        x, y = u.int(), v.int()
        fx, fy = ((u - x) * 256).int(), ((v - y) * 256).int()
        line = row.of(pw)
        at = row.of(begin) + y * line + x
        atlas = assets.atlas
        above = mix(atlas.index_select(0, at), atlas.index_select(0, at + 1), fx)
        below = mix(atlas.index_select(0, at + line), atlas.index_select(0, at + line + 1), fx)
        *colour, alpha = unpack(mix(above, below, fy))

        # The curves apply to colours that are not multiplied by alpha: divide by it, map, multiply again.
        looks = [scene.look for scene, _ in things]
        rgb = np.array([each.rgb or (0, 0, 0) for _, each in things], np.float32)
        drawn = np.array([each.rgb is not None for _, each in things])[:, None]
        table, grey = tables(looks, np.where(drawn, rgb - 128, 0), np.where(drawn, rgb + 127, 255), device)
        plain = 255 / alpha.clamp(min=1).float()
        values = [(channel.float() * plain).int().clamp_(max=255) for channel in colour]
        values = coloured(values, table, row.of(thing * 768), grey[thing], row.owner)
        whole = alpha + (alpha >> 7)  # of 256
        r, g, b = (channel * whole >> 8 for channel in values)
        self.pixels = pack(r, g, b, alpha)

        solid = alpha > SOLID
        self.solid = row.sums(solid)
        far = float(4 * size)
        lengths = torch.from_numpy(row.counts).to(device)
        ends = []
        for place in (row.x, row.y):
            for reduce, missing in (("min", far), ("max", -far)):
                ends.append(torch.segment_reduce(torch.where(solid, place.float(), missing), reduce, lengths=lengths))
        x0, x1, y0, y1 = torch.stack(ends).cpu().numpy().astype(np.int64)
        self.box = np.stack([x0, y0, x1 + 1, y1 + 1], axis=1)


def blend(video: Tensor, sprites: Sprites, sprite: Ints, frame: Ints, window: Ints, left: Ints, top: Ints) -> None:
    """Draws sprites into the frames of video [frames, H, W], at most one into each. window [n, 4]: the part of the frame it covers, in px."""
    size = video.shape[-1]
    x0, y0, x1, y1 = window.T
    row = Ragged(x1 - x0, y1 - y0, video.device)
    source = row.of(sprites.first[sprite] + (y0 - top) * sprites.wide[sprite] + x0 - left) + row.y * row.of(sprites.wide[sprite]) + row.x
    target = row.of((frame * size + y0) * size + x0) + row.y * size + row.x
    flat = video.reshape(-1)
    ink, below = sprites.pixels.index_select(0, source), flat.index_select(0, target)
    alpha = (ink >> 24).bitwise_and_(255)
    rest = 256 - alpha.add_(alpha >> 7)
    # Colours are already multiplied by alpha, rounded down, so the sum of both parts is at most 255 and no byte carries into the next.
    even = (below & LOW).mul_(rest).bitwise_right_shift_(8).bitwise_and_(LOW).add_(ink & LOW)
    odd = below.bitwise_and_(MIDDLE).mul_(rest).bitwise_right_shift_(8).bitwise_and_(MIDDLE).add_(ink & MIDDLE)
    flat.index_copy_(0, target.long(), even.bitwise_or_(odd))


def inside(sprites: Sprites, sprite: Ints, window: Ints, left: Ints, top: Ints, other: Ints, other_left: Ints, other_top: Ints) -> Ints:
    """How many solid pixels of each sprite are in its window; where `other` is not negative, only those under solid pixels of that sprite."""
    x0, y0, x1, y1 = window.T
    row = Ragged(x1 - x0, y1 - y0, sprites.pixels.device)

    def solid(which: Ints, beside: Ints, above: Ints) -> Tensor:
        start = sprites.first[which] + (y0 - above) * sprites.wide[which] + x0 - beside
        return (sprites.pixels.index_select(0, row.of(start) + row.y * row.of(sprites.wide[which]) + row.x) >> 24 & 255) > SOLID

    second = np.where(other < 0, sprite, other)
    own = other < 0
    both = solid(sprite, left, top) & solid(second, np.where(own, left, other_left), np.where(own, top, other_top))
    return row.sums(both)


def compose(given: list[Scene], assets: Assets, size: int) -> list[tuple[Tensor, list[Track]]]:
    """Scenes with the same number of frames -> for each its video, uint8 [T, H, W, 3] on the pictures' device, and the tracks of its things."""
    order = sorted(range(len(given)), key=lambda i: group(given[i]))
    scenes = [given[i] for i in order]
    frames = scenes[0].frames
    video = grounds(scenes, assets, size)
    things = [(scene, thing) for scene in scenes for thing in scene.things]
    tracks: list[list[Track]] = [[] for _ in scenes]
    if things:
        sprites = Sprites(things, assets, size)
        clip = np.repeat(np.arange(len(scenes)), [len(scene.things) for scene in scenes])
        layer = np.concatenate([np.arange(len(scene.things)) for scene in scenes])
        place = []
        for axis, side in (("x", sprites.wide), ("y", sprites.tall)):
            middle = np.stack([(getattr(thing, axis) - getattr(scene.camera, axis)) * scene.camera.zoom + 0.5 for scene, thing in things]) * size
            place.append((middle - side[sprites.of] / 2).round().astype(np.int64))
        left, top = place  # [n, T]
        window = np.stack([left, top, left + sprites.wide[sprites.of], top + sprites.tall[sprites.of]], axis=-1).clip(0, size)
        drawn = np.stack([thing.there & (np.arange(frames) % scene.look.hold == 0) for scene, thing in things])
        drawn &= ((window[..., 2:] - window[..., :2]) >= 2).all(-1)
        flat = video.reshape(-1, size, size)
        for each in range(int(layer.max()) + 1):
            i, t = (drawn & (layer == each)[:, None]).nonzero()
            if len(i):
                blend(flat, sprites, sprites.of[i, t], clip[i] * frames + t, window[i, t], left[i, t], top[i, t])
        shown = seen(sprites, window, left, top, drawn, clip)
        boxes = (sprites.box[sprites.of] + np.stack([left, top, left, top], axis=-1)).clip(0, size) / size
        gone = ~drawn | ((boxes[..., 2:] - boxes[..., :2]) * size < 3).any(-1)
        boxes[gone], shown[gone] = np.nan, 0
        for j, (scene, thing) in enumerate(things):
            kept = np.arange(frames) // scene.look.hold * scene.look.hold
            tracks[clip[j]].append(Track(thing.label, thing.colour, boxes[j, kept], shown[j, kept]))
    clips = finished(video, scenes, tracks)
    place_of = {i: j for j, i in enumerate(order)}
    return [(clips[place_of[i]], tracks[place_of[i]]) for i in range(len(given))]


def seen(sprites: Sprites, window: Ints, left: Ints, top: Ints, drawn: np.ndarray, clip: Ints) -> np.ndarray[Any, np.dtype[np.float64]]:
    """The share of each thing's solid pixels that is in the frame and not covered, [n, T]."""
    of = sprites.of
    whole = (window[..., 2] - window[..., 0] == sprites.wide[of]) & (window[..., 3] - window[..., 1] == sprites.tall[of])
    count = sprites.solid[of].astype(np.float64)
    rows: list[tuple[Ints, Ints, Ints]] = []
    i, t = (drawn & ~whole).nonzero()
    rows.append((i, t, np.full(len(i), -1)))
    windows = [window[i, t]]
    for a in range(len(clip)):
        for b in range(a + 1, len(clip)):
            if clip[b] != clip[a]:
                break
            both = np.concatenate([np.maximum(window[a, :, :2], window[b, :, :2]), np.minimum(window[a, :, 2:], window[b, :, 2:])], axis=1)
            (at,) = (drawn[a] & drawn[b] & (both[:, 2] > both[:, 0]) & (both[:, 3] > both[:, 1])).nonzero()
            if len(at):
                rows.append((np.full(len(at), a), at, np.full(len(at), b)))
                windows.append(both[at])
    i, t, other = (np.concatenate(part) for part in zip(*rows, strict=True))
    if len(i):
        over = np.where(other < 0, -1, of[other, t])
        got = inside(sprites, of[i, t], np.concatenate(windows), left[i, t], top[i, t], over, left[other, t], top[other, t])
        cut = other < 0
        count[i[cut], t[cut]] = got[cut]
        np.subtract.at(count, (i[~cut], t[~cut]), got[~cut])
    out: np.ndarray[Any, np.dtype[np.float64]] = (count / np.maximum(1, sprites.solid[of])).clip(0, 1)
    return out


def in_bytes(video: Tensor) -> Tensor:
    """Packed [..., W], W a multiple of 4, no alpha -> uint8 [..., W, 3]. Four pixels make three words, which is faster than copying bytes."""
    a, b, c, d = video.reshape(-1, 4).unbind(1)
    words = torch.empty((len(a), 3), dtype=torch.int32, device=video.device)
    for i, (low, high) in enumerate(((a, b << 24), (b >> 8, c << 16), (c >> 16, d << 8))):
        torch.bitwise_or(low, high, out=words[:, i])
    return words.view(torch.uint8).reshape(*video.shape, 3)


def finished(video: Tensor, scenes: list[Scene], tracks: list[list[Track]]) -> Tensor:
    """Applies light changes and recording faults, [B, T, H, W] packed -> uint8 [B, T, H, W, 3]."""
    looks, device = [scene.look for scene in scenes], video.device
    lit = [i for i, scene in enumerate(scenes) if scene.gains is not None]
    if lit:
        gains = torch.from_numpy(np.array([scenes[i].gains for i in lit]) * 256).to(device, torch.int32)[..., None, None]
        video[lit] = mix(video[lit], torch.zeros_like(gains), 256 - gains)
    for i in (i for i, each in enumerate(looks) if each.blocky):
        n = video.shape[-1] // 2 * 2
        video[i, :, 1:n:2] = video[i, :, 0:n:2]
        video[i, :, :, 1:n:2] = video[i, :, :, 0:n:2]
    for i in (i for i, each in enumerate(looks) if each.hold > 1):
        video[i] = video[i][np.arange(video.shape[1]) // looks[i].hold * looks[i].hold]
    for i in (i for i, each in enumerate(looks) if each.compress):
        compress(video[i], looks[i].compress)
    out = in_bytes(video)
    unsteady(out, scenes)
    for i in (i for i, each in enumerate(looks) if any(each.bars)):
        bars(out, i, looks[i].bars, [track.box for track in tracks[i]])
    return out
