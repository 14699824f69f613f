"""Pictures for the generator: which are used, their plain names and colours, and procedural shapes.

Every picture is decoded once at start and kept small, because composing a clip must take a few milliseconds.
"""

from __future__ import annotations

import functools
import io
import json
import math
import tarfile
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

Bytes = np.ndarray[Any, np.dtype[np.uint8]]

CUT_OUT = 72  # px, longest side of a cut-out in memory: no object is drawn much larger
BACKDROP = 160  # px, side of a background in memory: room for a camera to pan over
PER_NAME = 64  # pictures kept of one name and split: clothing would otherwise fill the memory
PER_PHOTO = 12
PER_GROUND = 120

COLOURS: dict[str, tuple[int, int, int]] = {
    "red": (214, 36, 36),
    "orange": (242, 133, 24),
    "yellow": (244, 214, 40),
    "green": (48, 156, 60),
    "blue": (40, 88, 214),
    "purple": (130, 52, 168),
    "pink": (244, 140, 184),
    "brown": (122, 76, 40),
    "black": (22, 22, 24),
    "white": (244, 244, 242),
    "grey": (132, 134, 138),
}
# Colours too alike to tell apart after a video's compression: an object never gets its background's colour or one of these.
ALIKE = {
    ("red", "orange"),
    ("orange", "yellow"),
    ("orange", "brown"),
    ("purple", "blue"),
    ("white", "grey"),
    ("black", "grey"),
    ("red", "pink"),
    ("brown", "black"),
    ("brown", "red"),
}

SHAPES = ("circle", "square", "triangle", "star", "cross", "ring", "diamond", "heart", "moon", "arrow")

# Plain name -> names in the index. Only nouns whose pictures a person would call so without thinking.
NAMES: dict[str, tuple[str, ...]] = {
    "car": ("car", "blue car", "taxi", "police car", "race car"),
    "bus": ("bus", "trolleybus"),
    "truck": ("delivery truck", "articulated lorry", "pickup truck", "fire engine"),
    "plane": ("plane", "airplane", "small plane"),
    "boat": ("motorboat", "speedboat", "ship", "ferry", "cruise ship"),
    "train": ("train", "high-speed train", "bullet train", "steam train", "metro train", "light rail train"),
    "motorcycle": ("motorcycle", "scooter"),
    "spaceship": ("spaceship", "ufo"),
    "dog": ("dog", "dog face", "guide dog", "service dog", "poodle"),
    "cat": ("cat", "cat face", "black cat"),
    "bird": ("bird", "blackbird", "dove", "eagle", "duck", "goose", "parrot", "swan"),
    "fish": ("fish", "tropical fish", "pufferfish"),
    "horse": ("horse", "horse face"),
    "rabbit": ("rabbit", "rabbit face"),
    "cow": ("cow", "cow face", "ox"),
    "pig": ("pig", "pig face"),
    "mouse": ("mouse", "mouse face", "rat"),
    "bear": ("bear", "polar bear", "panda"),
    "monkey": ("monkey", "monkey face"),
    "sheep": ("sheep", "ram"),
    "chicken": ("chicken", "rooster"),
    "frog": ("frog",),
    "elephant": ("elephant",),
    "tiger": ("tiger", "tiger face"),
    "snake": ("snake",),
    "snail": ("snail",),
    "spider": ("spider",),
    "bee": ("bee",),
    "ladybug": ("ladybug",),
    "whale": ("whale",),
    "tree": ("tree", "pine tree", "evergreen tree", "christmas tree"),
    "flower": ("flower", "white flower", "hibiscus", "rose", "lotus", "cherry blossom"),
    "leaf": ("leaf", "green leaf", "maple leaf"),
    "mushroom": ("mushroom", "brown mushroom"),
    "apple": ("red apple", "green apple", "golden delicious apple", "pink lady apple", "granny smith apple", "royal gala apple"),
    "orange": ("orange", "satsuma"),
    "lemon": ("lemon",),
    "lime": ("lime",),
    "banana": ("banana",),
    "peach": ("peach",),
    "melon": ("galia melon", "melon", "cantaloupe", "honeydew melon"),
    "tomato": ("tomato",),
    "grapes": (),
    "cookie": ("cookie",),
    "cake": ("birthday cake", "slice of cake", "cupcake"),
    "lollipop": ("lollipop",),
    "carton": (
        "milk carton",
        "sour cream carton",
        "soy milk carton",
        "yoghurt carton",
        "orange juice carton",
        "blueberry soy yoghurt carton",
        "apple juice carton",
        "vanilla yoghurt carton",
        "vanilla soy yoghurt carton",
        "grapefruit juice carton",
        "mandarin juice carton",
        "sour milk carton",
    ),
    "person": (
        "person",
        "man",
        "woman",
        "boy",
        "girl",
        "child",
        "standing person",
        "walking person",
        "runner",
        "old man",
        "old woman",
        "man in a suit",
        "student",
        "doctor",
        "cook",
        "blond person",
        "bearded person",
        "police officer",
        "dancing man",
        "dancing woman",
    ),
    "face": (
        "grinning face",
        "smiling face",
        "laughing face",
        "sad face",
        "neutral face",
        "winking face",
        "surprised face",
        "crying face",
        "worried face",
        "angry face",
        "sleeping face",
    ),
    "hand": ("hand", "waving hand", "victory hand", "ok hand"),
    "shirt": ("t-shirt", "long-sleeved shirt", "shirt", "polo shirt", "undershirt", "blouse", "top"),
    "dress": ("dress",),
    "trousers": ("pants", "jeans"),
    "shorts": ("shorts",),
    "jacket": ("jacket", "blazer", "coat"),
    "shoe": ("shoe", "shoes", "sneaker", "flat shoe"),
    "hat": ("hat", "sun hat", "top hat", "cap"),
    "bag": ("handbag", "purse", "clutch bag", "backpack"),
    "ball": ("soccer ball", "basketball", "volleyball", "baseball", "softball"),
    "cup": ("tea cup", "cup of coffee"),
    "bottle": ("baby bottle", "champagne bottle", "lotion bottle"),
    "book": ("blue book", "green book", "orange book", "red book"),
    "house": ("house", "house with garden", "hut"),
    "key": ("key", "old key"),
    "clock": ("clock", "alarm clock", "timer clock"),
    "phone": ("mobile phone", "telephone"),
    "camera": ("camera", "camera with flash"),
    "coin": ("coin",),
    "medal": ("medal", "gold medal", "silver medal", "bronze medal"),
    "flag": ("flag", "red flag"),
    "die": ("dice",),
    "rock": ("rock", "asteroid"),
    "cloud": ("cloud",),
    "sun": ("sun", "sun with face"),
    "alien": ("alien",),
    "ghost": ("ghost",),
    "robot": ("robot",),
    "sword": ("sword",),
    "star": ("star", "glowing star"),
    "heart": ("heart",),
}
NAMES = {name: fine for name, fine in NAMES.items() if fine}
# Held out: no picture, word or label of these is in the training split.
NOVEL: dict[str, tuple[str, ...]] = {
    "zebra": ("zebra",),
    "crown": ("crown",),
    "teapot": ("teapot",),
    "rocket": ("rocket",),
    "snowman": ("snowman",),
    "pear": ("pear",),
    "camel": ("camel",),
    "drum": ("drum",),
    "bicycle": ("bicycle",),  # its only picture is in val
}

# Colours that may be stated of a name; others are matters of opinion there (a peach, an emoji's skin).
STATED: dict[str, tuple[str, ...]] = {
    "lemon": ("yellow",),
    "lime": ("green",),
    "orange": ("orange",),
    "apple": ("red", "green"),
    "tree": ("green",),
    "flag": ("red", "green", "blue"),
    **dict.fromkeys(
        (
            "melon",
            "peach",
            "person",
            "face",
            "hand",
            "carton",
            "medal",
            "snail",
            "pig",
            "horse",
            "dog",
            "cow",
            "cookie",
            "cake",
            "tiger",
            "ladybug",
            "truck",
            "bottle",
            "cup",
            "camel",
            "rabbit",
            "coin",
            "rock",
            "spaceship",
        ),
        (),
    ),
}
KNOWN_COLOURS = {"black cat": "black", "blackbird": "black", "pig": "pink", "pig face": "pink", "horse": "brown", "horse face": "brown"}
# (name, source) whose drawings do not look like the name at 40 px.
UNLIKE = {
    ("cookie", "iwenzhou/kenney"),
    ("spider", "iwenzhou/kenney"),
    ("mouse", "iwenzhou/kenney"),
    ("ladybug", "iwenzhou/kenney"),
}

# Whole photos: name in the index -> what a person would say the photo shows.
PHOTOS: dict[str, str] = {
    "banana": "bananas",
    "lemon": "lemons",
    "lime": "limes",
    "orange": "oranges",
    "satsuma": "oranges",
    "peach": "peaches",
    "nectarine": "peaches",
    "tomato": "tomatoes",
    "vine tomato": "tomatoes",
    "beef tomato": "tomatoes",
    "potato": "potatoes",
    "yellow onion": "onions",
    "cucumber": "cucumbers",
    "avocado": "avocados",
    "mango": "mangoes",
    "watermelon": "watermelons",
    "cabbage": "cabbages",
    "asparagus": "asparagus",
    "ginger": "ginger",
    "brown mushroom": "mushrooms",
    "brown cap mushroom": "mushrooms",
    "red bell pepper": "red peppers",
    "green bell pepper": "green peppers",
    "yellow bell pepper": "yellow peppers",
    "orange bell pepper": "orange peppers",
    "golden delicious apple": "apples",
    "granny smith apple": "green apples",
    "pink lady apple": "apples",
    "royal gala apple": "apples",
    "red delicious apple": "red apples",
    "galia melon": "melons",
    "honeydew melon": "melons",
    "cantaloupe": "melons",
    "milk carton": "milk cartons",
    "orange juice carton": "juice cartons",
    "apple juice carton": "juice cartons",
    "yoghurt carton": "yoghurt cartons",
    "dress": "a dress",
    "hat": "a hat",
    "jacket": "a jacket",
    "blazer": "a jacket",
    "pants": "a pair of trousers",
    "shorts": "a pair of shorts",
    "shirt": "a shirt",
    "t-shirt": "a shirt",
    "long-sleeved shirt": "a shirt",
    "polo shirt": "a shirt",
    "shoes": "a pair of shoes",
}

# Backgrounds: name in the index -> what it is called; others stay unnamed.
GROUNDS: dict[str, str] = {
    "brick wall": "a brick wall",
    "concrete": "a grey wall",
    "fabric": "fabric",
    "gravel": "gravel",
    "rocks": "rocks",
    "roof tiles": "a roof",
    "soil": "soil",
    "tiles": "tiles",
    "wood": "wood",
    "wooden floor": "a wooden floor",
    "wooden planks": "a wooden floor",
    "snow": "snow",
    "snowy ground": "snow",
    "outer space": "space",
    "carpet": "a carpet",
    "water surface": "water",
    "grass": "grass",
    "meadow": "grass",
    "road": "a road",
    "asphalt": "a road",
    "forest": "a forest",
    "autumn forest": "a forest",
    "red forest": "a forest",
    "desert": "a desert",
    "sunrise sky": "the sky",
    "metal": "metal",
}


def colour_names(rgb: np.ndarray) -> np.ndarray:
    """Index into COLOURS of every pixel, rgb [N, 3] in 0..255 -> int [N]: by hue where there is one, by lightness where not."""
    value = rgb.astype(np.float32)
    high, low = value.max(1), value.min(1)
    spread = high - low
    saturation = spread / np.maximum(high, 1)
    r, g, b = value.T
    safe = np.maximum(spread, 1)
    hue = np.where(high == r, (g - b) / safe % 6, np.where(high == g, (b - r) / safe + 2, (r - g) / safe + 4)) * 60
    order = list(COLOURS)
    name = np.select(
        [hue < 14, hue < 40, hue < 68, hue < 165, hue < 258, hue < 300, hue < 342],
        [order.index(c) for c in ("red", "orange", "yellow", "green", "blue", "purple", "pink")],
        order.index("red"),
    )
    pinkish = ((hue < 20) | (hue > 330)) & (saturation < 0.5) & (high > 190)
    name = np.where(pinkish, order.index("pink"), name)
    brownish = (hue >= 8) & (hue < 50) & (high < 165)
    name = np.where(brownish, order.index("brown"), name)
    plain = np.where(high < 62, order.index("black"), np.where(high > 208, order.index("white"), order.index("grey")))
    grey = (saturation < 0.17) | (high < 48)
    return np.where(grey, plain, name)


def shares(rgb: np.ndarray) -> tuple[str, float]:
    """The commonest colour of the pixels [N, 3] and its share of them."""
    counts = np.bincount(colour_names(rgb), minlength=len(COLOURS))
    best = int(counts.argmax())
    return list(COLOURS)[best], float(counts[best] / len(rgb))


@dataclass
class Picture:
    """A cut-out (RGBa, that is with colours multiplied by alpha) or a background or photo (RGB); colour: stated only where beyond doubt."""

    name: str
    pixels: Image.Image
    colour: str | None


@dataclass
class Assets:
    cut_outs: dict[str, list[Picture]] = field(default_factory=dict)
    photos: list[Picture] = field(default_factory=list)
    grounds: list[Picture] = field(default_factory=list)
    masks: dict[str, Image.Image] = field(default_factory=dict)  # shape -> "L" image, 72 px


def shape_mask(shape: str, side: int = 72) -> Image.Image:
    """Alpha of a procedural shape, drawn large and scaled down for smooth edges."""
    n = side * 4
    image = Image.new("L", (n, n))
    draw = ImageDraw.Draw(image)

    def points(*xy: tuple[float, float]) -> None:
        draw.polygon([(x * n, y * n) for x, y in xy], fill=255)

    def round_(x0: float, y0: float, x1: float, y1: float, fill: int = 255) -> None:
        draw.ellipse((x0 * n, y0 * n, x1 * n, y1 * n), fill=fill)

    if shape in ("circle", "ring"):
        round_(0.02, 0.02, 0.98, 0.98)
        if shape == "ring":
            round_(0.24, 0.24, 0.76, 0.76, 0)
    elif shape == "square":
        points((0.04, 0.04), (0.96, 0.04), (0.96, 0.96), (0.04, 0.96))
    elif shape == "triangle":
        points((0.5, 0.04), (0.98, 0.94), (0.02, 0.94))
    elif shape == "diamond":
        points((0.5, 0.0), (0.88, 0.5), (0.5, 1.0), (0.12, 0.5))
    elif shape == "cross":
        points((0.34, 0.02), (0.66, 0.02), (0.66, 0.98), (0.34, 0.98))
        points((0.02, 0.34), (0.98, 0.34), (0.98, 0.66), (0.02, 0.66))
    elif shape == "star":
        corner = [
            (0.5 + r * math.sin(i * math.pi / 5), 0.53 - r * math.cos(i * math.pi / 5)) for i in range(10) for r in (0.52 if i % 2 == 0 else 0.22,)
        ]
        points(*corner)
    elif shape == "heart":
        curve = [
            (16 * math.sin(t) ** 3, 13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t))
            for t in np.linspace(0, 2 * math.pi, 80)
        ]
        points(*[(0.5 + x / 34, 0.46 - y / 32) for x, y in curve])
    elif shape == "moon":
        round_(0.05, 0.02, 0.98, 0.98)
        round_(0.38, -0.04, 1.2, 0.86, 0)
    else:  # an arrow to the right
        points((0.02, 0.34), (0.52, 0.34), (0.52, 0.1), (0.98, 0.5), (0.52, 0.9), (0.52, 0.66), (0.02, 0.66))
    image = image.resize((side, side), Image.Resampling.BOX)
    box = image.getbbox()
    return image.crop(box) if box else image


def fit(image: Image.Image, side: int) -> Image.Image:
    scale = side / max(image.size)
    return image if scale >= 1 else image.resize((max(1, round(image.width * scale)), max(1, round(image.height * scale))), Image.Resampling.BOX)


def cut_out(entry: dict[str, Any], name: str, image: Image.Image) -> Picture | None:
    """None where the mask has most likely kept the picture's background."""
    image = fit(image.convert("RGBA"), CUT_OUT)
    pixels = np.asarray(image)
    solid = pixels[..., 3] > 160
    if (entry["kind"] == "object" and name != "carton" and solid.mean() > 0.9) or solid.sum() < 60:
        return None
    # Two opinions must agree: the index is weak on photos, and a colour said wrongly teaches the wrong word.
    seen, share = shares(pixels[solid][::3, :3])
    told = entry["dominant_colour"]
    sure = (seen == told and share > 0.5) or (told is None and share > 0.7)
    colour = KNOWN_COLOURS.get(entry["name"], seen if sure and seen in STATED.get(name, (seen,)) else None)
    return Picture(name, image.convert("RGBa"), colour)


@functools.lru_cache(maxsize=2)  # so that worker processes forked later share one copy
def load(train_data: Path | None, split: str) -> Assets:
    """Everything a split may show. Without train_data: shapes only."""
    assets = Assets(masks={shape: shape_mask(shape) for shape in SHAPES})
    if train_data is None:
        return assets
    plain = {fine: name for name, all_fine in NAMES.items() for fine in all_fine}
    novel = {fine: name for name, all_fine in NOVEL.items() for fine in all_fine}
    entries: list[dict[str, Any]] = json.loads((train_data / "index.json").read_text())
    wanted: dict[str, list[tuple[dict[str, Any], str]]] = defaultdict(list)
    kept: dict[tuple[str, str], int] = defaultdict(int)
    # A fixed shuffle, so that a cap on a name keeps pictures of all its kinds.
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
        if kept[kind, name or fine] < limit:
            kept[kind, name or fine] += 1
            wanted[entry["tar"]].append((entry, name))
    cut_outs: dict[str, list[Picture]] = defaultdict(list)
    for tar, chosen in sorted(wanted.items()):
        with tarfile.open(train_data / tar) as file:
            members = {member.name.removeprefix("./"): member for member in file.getmembers()}
            for entry, name in chosen:
                data = file.extractfile(members[entry["member"]])
                assert data is not None
                image = Image.open(io.BytesIO(data.read()))
                if entry["kind"] in ("sprite", "object"):
                    picture = cut_out(entry, name, image)
                    if picture:
                        cut_outs[name].append(picture)
                else:
                    full = image.convert("RGB").resize((BACKDROP, BACKDROP), Image.Resampling.BILINEAR)
                    seen, share = shares(np.asarray(full)[::8, ::8].reshape(-1, 3))
                    found = seen if share > 0.4 else None
                    (assets.photos if entry["kind"] == "photo" else assets.grounds).append(Picture(name, full, found))
    assets.cut_outs = dict(sorted(cut_outs.items()))
    return assets
