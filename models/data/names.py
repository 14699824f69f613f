"""Names in composed video: colours, shapes, the plain names of pictures, and which of them training never sees.

Training never sees the names of NOVEL and NOVEL_SHAPES, nor the pairs that `Holdout` holds out: a colour with a noun, or a motion with a noun,
which it sees separately but never together. A digest of the words decides which pairs, so they need no list.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

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
SCREENS = ("pillar", "wall")  # drawn slabs that other things pass behind
NOVEL_SHAPES = ("hexagon", "drop")

# Plain name -> names in the index. Only names that anybody would give these pictures.
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

# Colours that may be stated for a name; for others people disagree (a peach, an emoji's skin).
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


# Motions from one place to another. Holding a direction out for one of them, with a noun, holds it out for all of them.
TRAVELS = ("move", "stop", "start", "bend", "enter", "leave", "pass", "hide")


@dataclass(frozen=True)
class Holdout:
    """Which pairs must not occur, in pictures or in words; none if `active` is false."""

    active: bool

    def colour(self, colour: str | None, label: str) -> bool:
        """Whether this colour of this noun is held out: about one in eight, none of a noun whose colour is always the same."""
        return self.active and colour is not None and held_colour(colour, label)

    def motion(self, motion: str, direction: str | None, label: str) -> bool:
        return self.active and held_motion(motion, direction, label)


def eighth(*words: str) -> bool:
    return hashlib.blake2b(" ".join(words).encode(), digest_size=4).digest()[0] % 8 == 0


def held_colour(colour: str, label: str) -> bool:
    return len(STATED.get(label, COLOURS)) > 1 and eighth("colour", colour, label)


def held_motion(motion: str, direction: str | None, label: str) -> bool:
    """Whether this motion of this noun is held out. Left and right count as one direction, because each clip is also seen mirrored. Standing still is
    never held out."""
    way = (direction or "").replace("left", "sideways").replace("right", "sideways")
    return motion != "still" and eighth("motion", "move" if motion in TRAVELS else motion, way, label)
