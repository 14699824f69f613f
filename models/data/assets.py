"""Pictures for the generator, decoded once at start and kept small, in tensors on the device where clips are composed.

A pixel is one int32: red, green, blue and alpha in its bytes, lowest byte first, colours multiplied by alpha.
"""

from __future__ import annotations

import functools
import io
import json
import tarfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image, ImageFilter
from torch import Tensor

from models.data.drawn import FINISHES, finish_maps, shape_mask, shares, textures
from models.data.names import GROUNDS, KNOWN_COLOURS, NAMES, NOVEL, NOVEL_SHAPES, PHOTOS, SCREENS, SHAPES, STATED, UNLIKE, held_colour

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

CUT_OUT = 72  # px, longest side of a cut-out in memory: no object is drawn much larger
BLURRED = 20  # px, side of a photo used as the background of something: a sharp photo would show objects of its own
BACKDROP = 160  # px, side of a background in memory: room for a camera to pan over
PER_NAME = 64  # pictures kept of one name and split: clothing would otherwise fill the memory
PER_PHOTO = 12
PER_GROUND = 120
SOURCES = Path(__file__).with_name("sources.json")  # where pictures may come from, and under which licence
LEVELS = 3  # a picture is kept at its size, at a half and at a quarter: small things are drawn from small pictures


@dataclass(frozen=True)
class Picture:
    """A cut-out or a shape. The pixels of a shape are not colours: they say how much lighter or darker than its colour they are (128: equal)."""

    name: str
    colour: str | None  # stated only where beyond doubt
    size: tuple[int, int]  # px: width, height
    levels: tuple[tuple[int, int, int], ...]  # where in the atlas each size begins, its width and height, a clear rim of 1 px included
    finish: str | None = None  # of a shape


@dataclass(frozen=True)
class Ground:
    """A background, a whole photo or a texture: `at` is its index in the bank, `soft` its index among the blurred photos."""

    name: str  # "" has no name
    colour: str | None
    at: int
    soft: int = 0


@dataclass(frozen=True)
class Assets:
    cut_outs: dict[str, list[Picture]]
    shapes: dict[str, list[Picture]]
    photos: list[Ground]
    grounds: list[Ground]
    textures: list[Ground]
    atlas: Tensor  # int32 [pixels of all pictures]
    bank: Tensor  # int32 [n, BACKDROP, BACKDROP]
    blurred: Tensor  # int32 [n of photos, BLURRED, BLURRED]

    def to(self, device: torch.device) -> Assets:
        return replace(self, atlas=self.atlas.to(device), bank=self.bank.to(device), blurred=self.blurred.to(device))


@dataclass
class Shelf:
    """Collects pixels while pictures are read."""

    pixels: list[Tensor] = field(default_factory=list)
    bank: list[Tensor] = field(default_factory=list)
    length: int = 0

    def add(self, name: str, colour: str | None, image: Image.Image, finish: str | None = None) -> Picture:
        """image RGBa."""
        levels = []
        for level in range(LEVELS):
            w, h = (max(2, round(side / 2**level)) for side in image.size)
            part = image if level == 0 else image.resize((w, h), Image.Resampling.BOX)
            rimmed = np.pad(np.asarray(part), ((1, 1), (1, 1), (0, 0)))
            levels.append((self.length, rimmed.shape[1], rimmed.shape[0]))
            self.pixels.append(packed(rimmed).reshape(-1))
            self.length += rimmed.shape[0] * rimmed.shape[1]
        return Picture(name, colour, image.size, tuple(levels), finish)

    def add_ground(self, name: str, colour: str | None, rgb: Bytes) -> Ground:
        self.bank.append(packed(np.dstack([rgb, np.full(rgb.shape[:2], 255, np.uint8)])))
        return Ground(name, colour, len(self.bank) - 1)


def packed(rgba: Bytes) -> Tensor:
    """uint8 [h, w, 4] -> int32 [h, w]."""
    return torch.from_numpy(np.array(rgba, order="C")).view(torch.int32)[..., 0]


def drawn_shape(shelf: Shelf, shape: str) -> list[Picture]:
    mask = shape_mask(shape, CUT_OUT)
    alpha = np.asarray(mask)
    out = []
    for finish in FINISHES:
        for offset in finish_maps(mask, finish):
            grey = ((128 + offset) * (alpha / 255)).round().astype(np.uint8)
            out.append(shelf.add(shape, None, Image.fromarray(np.dstack([grey, grey, grey, alpha]), "RGBa"), finish))
    return out


def fit(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    return image if scale >= 1 else image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.BOX)


def cut_out(shelf: Shelf, entry: dict[str, Any], name: str, image: Image.Image, training: bool) -> Picture | None:
    """None where the mask most likely still holds the picture's background, and in training where this colour of this name is held out."""
    image = fit(image.convert("RGBA"), CUT_OUT)
    pixels = np.asarray(image)
    solid = pixels[..., 3] > 160
    if (entry["kind"] == "object" and name != "carton" and solid.mean() > 0.9) or solid.sum() < 60:
        return None
    # Index and pixels must agree: the index is unreliable on photos, and a wrong colour would teach the wrong word.
    seen, share = shares(pixels[solid][::3, :3])
    told = entry["dominant_colour"]
    sure = (seen == told and share > 0.5) or (told is None and share > 0.7)
    colour = KNOWN_COLOURS.get(entry["name"], seen if sure and seen in STATED.get(name, (seen,)) else None)
    # The colour that it seems to have counts, even if it is in doubt.
    if training and any(each and held_colour(each, name) for each in (seen, told, colour)):
        return None
    return shelf.add(name, colour, image.convert("RGBa"))


@functools.lru_cache(maxsize=2)  # so that worker processes forked later share one copy
def load(train_data: Path | None, split: str) -> Assets:
    """Everything a split may show. Without train_data: only what is drawn by formula."""
    shelf, training = Shelf(), split == "train"
    shapes = {shape: drawn_shape(shelf, shape) for shape in (*SHAPES, *SCREENS, *(() if training else NOVEL_SHAPES))}
    maps = textures(BACKDROP, seed=1 if training else 2, variants=6 if training else 3)
    drawn = [shelf.add_ground("", None, np.repeat((255 * each).astype(np.uint8)[..., None], 3, axis=2)) for each in maps]
    cut_outs: dict[str, list[Picture]] = defaultdict(list)
    photos: list[Ground] = []
    grounds: list[Ground] = []
    blurred: list[Tensor] = []
    for entry, name, image in chosen(train_data, split) if train_data else ():
        if entry["kind"] in ("sprite", "object"):
            picture = cut_out(shelf, entry, name, image, training)
            if picture:
                cut_outs[name].append(picture)
        else:
            full = np.asarray(image.convert("RGB").resize((BACKDROP, BACKDROP), Image.Resampling.BILINEAR))
            seen, share = shares(full[::8, ::8].reshape(-1, 3))
            ground = shelf.add_ground(name, seen if share > 0.4 else None, full)
            if entry["kind"] == "photo":
                photos.append(replace(ground, soft=len(blurred)))
                small = image.convert("RGB").resize((BLURRED, BLURRED), Image.Resampling.BOX).filter(ImageFilter.GaussianBlur(0.7))
                blurred.append(packed(np.asarray(small.convert("RGBA"))))
            else:
                grounds.append(ground)
    none = torch.zeros((0, BLURRED, BLURRED), dtype=torch.int32)
    soft = torch.stack(blurred) if blurred else none
    return Assets(dict(sorted(cut_outs.items())), shapes, photos, grounds, drawn, torch.cat(shelf.pixels), torch.stack(shelf.bank), soft)


def chosen(train_data: Path, split: str) -> Iterator[tuple[dict[str, Any], str, Image.Image]]:
    """The pictures that a split may show: entry of the index, plain name, image."""
    known = {(source["repository"], source["commit"], source["licence"]) for source in json.loads(SOURCES.read_text())}
    plain = {fine: name for name, all_fine in NAMES.items() for fine in all_fine}
    novel = {fine: name for name, all_fine in NOVEL.items() for fine in all_fine}
    entries: list[dict[str, Any]] = json.loads((train_data / "index.json").read_text())
    wanted: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    kept: dict[tuple[str, str], int] = defaultdict(int)
    # A fixed shuffle, so that the cap on pictures of a name keeps all of its variants.
    for i in np.random.default_rng(0).permutation(len(entries)):
        entry = entries[i]
        kind, fine = entry["kind"], entry["name"]
        if kind in ("sprite", "object"):
            if fine in novel:
                if split == "train":
                    continue
                name = novel[fine]
            elif fine in plain and entry["split"] == split:
                name = plain[fine]
            else:
                continue
            if (fine, entry["source_repo"]) in UNLIKE:
                continue
            limit = PER_NAME
        elif entry["split"] != split or fine == "shop interior" or (kind == "photo" and fine not in PHOTOS):
            continue
        else:
            name, limit = (
                (PHOTOS[fine], PER_PHOTO) if kind == "photo" else (GROUNDS.get(fine, ""), PER_GROUND if fine == "plain household surface" else 10**6)
            )
        if (entry["source_repo"], entry["source_commit"], entry["licence"]) not in known:
            raise ValueError(
                f"{entry['member']} of {entry['tar']} comes from no source in {SOURCES.name}: {entry['source_repo']}, {entry['licence']}"
            )
        if kept[kind, name or fine] < limit:
            kept[kind, name or fine] += 1
            wanted[entry["tar"]].append((entry, name))
    for tar, members_wanted in sorted(wanted.items()):
        with tarfile.open(train_data / tar) as file:
            members = {member.name.removeprefix("./"): member for member in file.getmembers()}
            for entry, name in members_wanted:
                data = file.extractfile(members[entry["member"]])
                assert data is not None
                yield entry, name, Image.open(io.BytesIO(data.read()))
