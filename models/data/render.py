"""Scene to video. Object pixels are blended on their bounding box only; what does not change between frames is drawn once."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
from PIL import Image, ImageFilter

from models.data.assets import BACKDROP, Assets, Bytes
from models.data.scene import Scene, Thing

Boxes = dict[int, list[tuple[str, float, float, float, float]]]

# Drawing fresh noise would take most of a clip's time: there is a store of it for each strength, of 255.
STORE = np.random.default_rng(7).normal(0, 1, 1 << 18)
NOISE = {level: (STORE * level).round().astype(np.int16) for level in (2, 4, 7, 10, 14)}
MARGIN = 0.3  # share of the frame that the ground reaches beyond it on each side when the camera moves


@functools.lru_cache(maxsize=64)
def inner(mask: bytes, width: int, height: int) -> np.ndarray:
    """bool [h, w]: inside the rim of a shape; slow to find, so kept."""
    return np.asarray(Image.frombytes("L", (width, height), mask).filter(ImageFilter.MinFilter(7))) > 128


def shape_picture(thing: Thing, mask: Image.Image) -> Image.Image:
    """RGBA of a procedural shape, 72 px at most."""
    rng = np.random.default_rng(thing.seed)
    alpha = np.asarray(mask)
    h, w = alpha.shape
    rgb = np.empty((h, w, 3), np.float32)
    rgb[:] = thing.rgb
    if thing.finish == "shaded":
        a = rng.uniform(0, 2 * np.pi)
        y, x = np.mgrid[0:h, 0:w].astype(np.float32)
        rgb += ((x / w - 0.5) * np.cos(a) + (y / h - 0.5) * np.sin(a))[..., None] * 52
    elif thing.finish == "striped":
        y, x = np.mgrid[0:h, 0:w]
        period = int(rng.integers(10, 24))
        rgb += np.where((x + (y if rng.random() < 0.5 else 0)) // period % 2, 13, -13)[..., None]
    elif thing.finish == "rimmed":
        rgb *= np.where(inner(mask.tobytes(), w, h), np.float32(1), np.float32(0.6))[..., None]
    out = np.dstack([rgb.clip(0, 255).astype(np.uint8), alpha])
    return Image.fromarray(out, "RGBA")


def ground_picture(scene: Scene, side: int) -> Image.Image:
    """RGB image side x side of the ground."""
    rng = np.random.default_rng(scene.seed)
    if scene.ground is not None:
        image = scene.ground.pixels
        if scene.camera.motion == "still" and scene.kind == "things":
            # A random part of it: more grounds from the same pictures.
            part = rng.uniform(0.55, 1) * BACKDROP
            x, y = rng.uniform(0, BACKDROP - part, 2)
            image = image.resize((side, side), Image.Resampling.BILINEAR, box=(x, y, x + part, y + part))
        else:
            image = image.resize((side, side), Image.Resampling.BILINEAR)
        if scene.mirror:
            image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if scene.blur:
            image = image.filter(ImageFilter.GaussianBlur(scene.blur))
        return image
    one, two = np.array(scene.colours, np.float32)
    if scene.pattern == "flat":
        weight = np.zeros((2, 2), np.float32)
    elif scene.pattern == "gradient":
        weight = rng.random((2, 2)).astype(np.float32)
    elif scene.pattern == "noise":
        n = int(rng.integers(4, 24))
        weight = rng.random((n, n)).astype(np.float32)
    else:
        n = int(rng.integers(4, 13))
        weight = (np.indices((n, n)).sum(0) % 2).astype(np.float32)
    rgb = (one + (two - one) * weight[..., None]).astype(np.uint8)
    sharp = scene.pattern == "checker" and not scene.mirror
    return Image.fromarray(rgb, "RGB").resize((side, side), Image.Resampling.NEAREST if sharp else Image.Resampling.BICUBIC)


def grounds(scene: Scene, size: int) -> np.ndarray:
    """uint8 [T, H, W, 3] of the ground alone."""
    view = scene.camera
    if view.motion == "still":
        still = np.asarray(ground_picture(scene, size))
        return np.repeat(still[None], scene.frames, 0)
    full = ground_picture(scene, round(size * (1 + 2 * MARGIN)))
    out = np.zeros((scene.frames, size, size, 3), np.uint8)
    if view.motion != "zoom":
        pixels, room = np.asarray(full), full.width - size
        for t in range(scene.frames):
            left, top = (min(max(round((c - 0.5 + MARGIN) * size), 0), room) for c in (view.x[t], view.y[t]))
            out[t] = pixels[top : top + size, left : left + size]
        return out
    for t in range(0, scene.frames, scene.look.hold):
        half = 0.5 / view.zoom[t]
        left, top = (np.clip(c - half + MARGIN, 0, 1 + 2 * MARGIN - 2 * half) * size for c in (view.x[t], view.y[t]))
        wide = 2 * half * size
        out[t] = full.resize((size, size), Image.Resampling.BILINEAR, box=(left, top, left + wide, top + wide))
    return out


class Sprite:
    """An object as drawn at one size and angle: colours multiplied by alpha, what is left of the ground (of 256), and where it is solid."""

    def __init__(self, image: Image.Image) -> None:
        pixels = np.asarray(image)
        alpha = pixels[..., 3]
        self.height, self.width = alpha.shape
        self.ink = pixels[..., :3]
        self.left_over = 256 - (alpha + (alpha >> 7).astype(np.uint16))[..., None]
        solid = alpha > 48
        rows, columns = np.flatnonzero(solid.any(1)), np.flatnonzero(solid.any(0))
        self.box = (int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1) if len(rows) else None


def blend(frame: np.ndarray, sprite: Sprite, x: float, y: float) -> tuple[float, float, float, float, float] | None:
    """Puts a sprite centred at (x, y) px. Returns the box x0, y0, x1, y1 in px clipped to the frame and the share of the area inside."""
    size = frame.shape[0]
    left, top = round(x - sprite.width / 2), round(y - sprite.height / 2)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + sprite.width, size), min(top + sprite.height, size)
    if x1 - x0 < 2 or y1 - y0 < 2 or sprite.box is None:
        return None
    here = slice(y0 - top, y1 - top), slice(x0 - left, x1 - left)
    below = frame[y0:y1, x0:x1]
    rest = below * sprite.left_over[here]
    rest >>= 8
    rest += sprite.ink[here]
    np.minimum(rest, 255, out=rest)  # rounding can exceed by one
    below[:] = rest
    bx0, by0, bx1, by1 = left + sprite.box[0], top + sprite.box[1], left + sprite.box[2], top + sprite.box[3]
    area = (bx1 - bx0) * (by1 - by0)
    bx0, by0, bx1, by1 = max(bx0, 0), max(by0, 0), min(bx1, size), min(by1, size)
    if bx1 - bx0 < 3 or by1 - by0 < 3:
        return None
    return bx0, by0, bx1, by1, (bx1 - bx0) * (by1 - by0) / area


def put(thing: Thing, base: Image.Image, scene: Scene, video: np.ndarray) -> list[tuple[float, float, float, float] | None]:
    """Draws one thing, an RGBa image, into every frame; its box, px, or None where it does not show."""
    size, view = video.shape[1], scene.camera
    scale = thing.scale * view.zoom * size
    largest = float(scale.max())
    base = base.resize((max(3, round(thing.size[0] * largest)), max(3, round(thing.size[1] * largest))), Image.Resampling.BILINEAR)
    if thing.motion != "turn" and round(thing.lean):
        base = base.rotate(-round(thing.lean), Image.Resampling.BILINEAR, expand=True)
    cache: dict[tuple[int, int, int], Sprite] = {}
    boxes: list[tuple[float, float, float, float] | None] = []
    for t in range(scene.frames):
        if not thing.there[t] or t % scene.look.hold:
            boxes.append(None)
            continue
        part = scale[t] / largest
        angle = round(thing.lean + thing.angle[t]) if thing.motion == "turn" else 0
        key = max(3, round(base.width * part)), max(3, round(base.height * part)), angle
        if key not in cache:
            image = base if key[:2] == base.size else base.resize(key[:2], Image.Resampling.BILINEAR)
            cache[key] = Sprite(image.rotate(-angle, Image.Resampling.BILINEAR, expand=True) if angle else image)
        got = blend(
            video[t], cache[key], ((thing.x[t] - view.x[t]) * view.zoom[t] + 0.5) * size, ((thing.y[t] - view.y[t]) * view.zoom[t] + 0.5) * size
        )
        boxes.append(got[:4] if got and got[4] > 0.25 else None)
    return boxes


def hidden(box: tuple[float, float, float, float], over: tuple[float, float, float, float]) -> float:
    wide, tall = min(box[2], over[2]) - max(box[0], over[0]), min(box[3], over[3]) - max(box[1], over[1])
    return max(wide, 0) * max(tall, 0) / ((box[2] - box[0]) * (box[3] - box[1]))


def degrade(video: np.ndarray, scene: Scene) -> np.ndarray:
    look, size = scene.look, video.shape[1]
    for i in range(look.soft):
        # Averages of neighbours in bytes, rounded up and down in turn: a blur at a fraction of a resize's cost.
        for near, far in ((video[:, :-1], video[:, 1:]), (video[:, :, :-1], video[:, :, 1:])):
            half = (near ^ far) >> 1
            near[:] = (near | far) - half if i % 2 else (near & far) + half
    if look.blocky:
        n = size // 2 * 2
        video[:, 1:n:2] = video[:, 0:n:2]
        video[:, :, 1:n:2] = video[:, :, 0:n:2]
    if look.gain != 1 or look.gamma != 1 or look.tint != (1, 1, 1):
        curve = 255 * np.linspace(0, 1, 256) ** look.gamma * look.gain
        table = np.concatenate([(curve * tint + look.offset).clip(0, 255).astype(np.uint8) for tint in look.tint])
        tall = Image.fromarray(video.reshape(-1, size, 3)).point(table.tolist())
        video = np.array(tall).reshape(video.shape)
    if look.grey:
        g = (video[..., 0].astype(np.uint16) * 77 + video[..., 1].astype(np.uint16) * 151 + video[..., 2].astype(np.uint16) * 28) >> 8
        k = round(look.grey * 256)
        video = ((video.astype(np.uint16) * (256 - k) + g[..., None] * k) >> 8).astype(np.uint8)
    if look.noise:
        rng = np.random.default_rng(scene.seed + 1)
        n = size * size * 3
        bank = NOISE[min(NOISE, key=lambda level: abs(level - look.noise))]
        for t in range(0, len(video), look.hold):
            at = int(rng.integers(len(bank) - n))
            video[t] = (video[t] + bank[at : at + n].reshape(size, size, 3)).clip(0, 255)
    return video


def render(scene: Scene, assets: Assets, size: int, things: bool = True) -> tuple[Bytes, Boxes]:
    """uint8 [T, H, W, 3] and the boxes of every frame, 0..1. things=False leaves the objects out, for tests."""
    video = grounds(scene, size)
    tracks: list[list[tuple[float, float, float, float] | None]] = []
    for item in scene.things if things else []:
        base = item.picture.pixels if item.picture else shape_picture(item, assets.masks[item.label]).convert("RGBa")
        if item.flip and item.label != "arrow":
            base = base.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        tracks.append(put(item, base, scene, video))
    video = degrade(video, scene)
    boxes: Boxes = {}
    for t in range(scene.frames):
        boxes[t] = []
        for i, track in enumerate(tracks):
            box = track[t]
            if box is None or any(over and hidden(box, over) > 0.75 for over in (later[t] for later in tracks[i + 1 :])):
                continue
            x0, y0, x1, y1 = (float(v) / size for v in box)
            boxes[t].append((scene.things[i].label, (x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0))
    return finish(video, boxes, scene, size)


def finish(video: np.ndarray, boxes: Boxes, scene: Scene, size: int) -> tuple[Any, Boxes]:
    """Black bars (the picture is squeezed between them) and frames that stand for several."""
    across, down = scene.look.bars
    if across or down:
        w, h = round(size * (1 - across)), round(size * (1 - down))
        x, y = (size - w) // 2, (size - h) // 2
        framed = np.zeros_like(video)
        for t in range(len(video)):
            framed[t, y : y + h, x : x + w] = Image.fromarray(video[t]).resize((w, h), Image.Resampling.BILINEAR)
        video = framed
        boxes = {
            t: [(n, (cx * w + x) / size, (cy * h + y) / size, bw * w / size, bh * h / size) for n, cx, cy, bw, bh in b] for t, b in boxes.items()
        }
    hold = scene.look.hold
    if hold > 1:
        kept = np.arange(len(video)) // hold * hold
        video, boxes = video[kept], {t: boxes[int(kept[t])] for t in boxes}
    return np.ascontiguousarray(video), boxes
