"""Captions from facts, by a grammar: nouns, verbs, clauses and frames of sentences that combine freely. Lower case, British spelling.

Every word for a side is "left" or "right", so that the text of a mirrored clip is made by swapping the two (models.batches.mirrored).
"""

from __future__ import annotations

import numpy as np

from models.data.facts import Act, Facts
from models.data.scene import Scene, Thing, pick

NUMBERS = ("none", "one", "two", "three", "four")
PAIRS = ("trousers", "shorts")
PLURALS = {
    "bus": "buses",
    "fish": "fish",
    "mouse": "mice",
    "person": "people",
    "sheep": "sheep",
    "die": "dice",
    "dress": "dresses",
    "peach": "peaches",
    "cross": "crosses",
    "leaf": "leaves",
}
LIMIT = 24  # words in a caption


def noun(label: str, colour: str | None = None) -> str:
    words = f"{colour} {label}" if colour else label
    return f"pair of {words}" if label in PAIRS else words


def a(label: str, colour: str | None = None) -> str:
    words = noun(label, colour)
    return ("an " if words[0] in "aeiou" else "a ") + words


def plural(label: str) -> str:
    return f"pairs of {label}" if label in PAIRS else PLURALS.get(label, label + "s")


def toward(direction: str) -> str:
    """left -> "to the left"; "up and left" -> "up and to the left"."""
    return direction.replace("left", "to the left").replace("right", "to the right")


SOURCE = {"left": "from the right", "right": "from the left", "up": "from below", "down": "from above"}
EXIT = {"left": "to the left", "right": "to the right", "up": "at the top", "down": "at the bottom"}


def verbs(thing: Thing, act: Act) -> list[str]:
    """Wordings of one act in the third person, the plain one first."""
    way = toward(act.direction or "")
    if act.kind == "move":
        how, other = {"slow": ("slowly ", ["drifts", "creeps"]), "fast": ("quickly ", ["rushes", "races"])}.get(thing.speed or "", ("", []))
        late = [f"moves {way} {how.strip()}"] if how else []
        return [f"moves {how}{way}", f"moves {way}", f"goes {way}", f"slides {way}", f"travels {way}", *late, *(f"{v} {way}" for v in other)]
    behind = a(thing.behind.label, thing.behind.colour) if thing.behind else ""
    return {
        "still": ["stays still", "does not move", "stands still", "stays where it is"],
        "grow": ["grows bigger", "gets bigger", "grows", "comes closer"],
        "shrink": ["gets smaller", "shrinks", "becomes smaller"],
        "turn": ["turns around", "turns", "rotates", "spins"],
        "appear": ["appears", "shows up", "comes into view"],
        "disappear": ["disappears", "vanishes", "is gone"],
        "bounce": [f"bounces {act.direction}", f"moves {act.direction}", "bounces"],
        "enter": [f"comes into view {SOURCE.get(act.direction or '', '')}", f"enters {SOURCE.get(act.direction or '', '')}"],
        "leave": [f"leaves {EXIT.get(act.direction or '', '')}", f"goes out of view {EXIT.get(act.direction or '', '')}"],
        "pass": [f"passes behind {behind}", f"moves {way} behind {behind}", f"goes behind {behind} and comes out again"],
        "hide": [f"goes behind {behind}", f"disappears behind {behind}", f"hides behind {behind}"],
    }[act.kind]


ING = {
    "is": "being",
    "does": "not",
    "stays": "staying",
    "stands": "standing",
    "gets": "getting",
    "grows": "growing",
    "goes": "going",
    "comes": "coming",
}
DOUBLED = {"stops": "stopping", "spins": "spinning", "travels": "travelling"}


def doing(phrase: str) -> str:
    """A verb phrase as a participle: "moves to the left" -> "moving to the left"."""
    first, _, rest = phrase.partition(" ")
    if phrase == "does not move":
        return "not moving"
    if first == "is":
        return rest
    rest = rest.replace(" and comes", " and coming")
    root = ING.get(first) or DOUBLED.get(first)
    if not root:
        stem = first[:-2] if first.endswith(("shes", "sses")) else first[:-1]
        root = (stem[:-1] if stem.endswith("e") else stem) + "ing"
    return f"{root} {rest}".strip()


def listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def position(x: float, y: float) -> str | None:
    """left, right, top, bottom, middle or a corner; None where two of them would be right."""

    def side(v: float, low: str, high: str) -> str | None:
        d = v - 0.5
        return "" if abs(d) < 0.09 else (low if d < 0 else high) if abs(d) > 0.16 else None

    across, down = side(x, "left", "right"), side(y, "top", "bottom")
    return None if across is None or down is None else f"{down} {across}".strip() or "middle"


def size_word(thing: Thing) -> str | None:
    side = float(np.sqrt(thing.size[0] * thing.size[1]))
    return None if thing.motion in ("grow", "shrink") else "big" if side > 0.4 else "small" if side < 0.22 else None


def filming(scene: Scene) -> list[str]:
    view = scene.camera
    way = toward(view.direction or "")
    return {
        "pan": [f"the camera pans {way}", f"the camera moves {way}", f"the view moves {way}", f"the camera turns {way}"],
        "tilt": [f"the camera tilts {way}", f"the camera moves {way}", f"the view moves {way}"],
        "zoom": [f"the camera zooms {view.direction}", f"the view zooms {view.direction}", f"the shot zooms {view.direction}"],
        "shake": ["the camera shakes", "the camera is shaky", "the view shakes"],
        "cut": ["the scene changes", "there is a cut"],
        "still": ["the camera is still", "the camera does not move", "the camera stays still"],
    }[view.motion]


LIGHT = {
    "darker": ["it gets darker", "the light fades", "the picture gets darker"],
    "brighter": ["it gets brighter", "the light comes up", "the picture gets brighter"],
}


class Teller:
    """Sentences about one clip. Each method picks one wording of its part with `rng`."""

    def __init__(self, facts: Facts, rng: np.random.Generator) -> None:
        self.facts, self.rng, self.scene = facts, rng, facts.scene
        self.moved = self.scene.camera.motion not in ("still", "cut")
        self.twins = len({t.label for t in facts.things}) < len(facts.things)  # told apart by their colours
        self.where = self.scene.shots[0].name if len(self.scene.shots) == 1 else None

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    def name(self, thing: Thing, plain: bool = False) -> str:
        """ "a red circle", now and then "a small red circle" or "a circle"."""
        if plain:
            return a(thing.label, thing.colour)
        words = noun(thing.label, thing.colour if self.twins or self.chance(0.85) else None)
        size = size_word(thing)
        if size and self.chance(0.25) and self.scene.camera.motion != "zoom":
            words = f"{pick(self.rng, ('big', 'large') if size == 'big' else ('small', 'little'))} {words}"
        return ("an " if words[0] in "aeiou" else "a ") + words

    def verb(self, i: int, plain: bool = False, participle: bool = False) -> str:
        """Everything that a thing does: "moves to the left and then stops", or as a participle, "moving to the left and then stopping"."""
        rng, thing, acts = self.rng, self.facts.things[i], self.facts.acts[i]
        said = [verbs(thing, act)[0] if plain else pick(rng, verbs(thing, act)) for act in acts]
        if len(said) == 2 and thing.motion == "stop":
            said[1] = "stops" if plain else pick(rng, ("stops", "comes to a stop", "stays there"))
        elif len(said) == 2 and thing.motion == "start":
            said[0] = "stands still" if plain else pick(rng, ("stands still", "waits", "stays still"))
        if participle:
            said = [doing(each) for each in said]
        if len(said) == 2 and thing.motion == "bend" and (plain or rng.random() < 0.5):
            said[1] = toward(thing.then or "")
        return (" and then " if plain else pick(rng, (" and then ", ", then ", " and "))).join(said) if len(said) > 1 else said[0]

    def participle(self, i: int) -> str:
        return f"{self.name(self.facts.things[i])} {self.verb(i, participle=True)}"

    def clause(self, i: int, plain: bool = False) -> str:
        thing = self.facts.things[i]
        name = self.name(thing, plain)
        if not plain and self.chance(0.12):
            return f"{name} can be seen {self.verb(i, participle=True)}"
        if not plain and self.chance(0.08) and len(self.facts.acts[i]) == 1:
            return f"{name} is {self.verb(i, participle=True)}"
        return f"{name} {self.verb(i, plain)}"

    def joined(self, clauses: list[str]) -> str:
        """Clauses that happen at the same time."""
        if len(clauses) == 2 and self.chance(0.45):
            return clauses[0] + pick(self.rng, (" while ", " as ", ", and ")) + clauses[1]
        return listed(clauses)

    def shots(self) -> list[list[int]]:
        """Which things each shot shows."""
        return [[i for i, t in enumerate(self.facts.things) if t.shot == shot] for shot in range(len(self.scene.shots))]

    def plain(self) -> str:
        """The plainest full sentence, from which greedy captioning is learnt."""
        facts, things = self.facts, self.facts.things
        if self.scene.kind != "things" or not things:
            return self.empty(plain=True)
        names = [self.name(t, plain=True) for t in things]
        shot = filming(self.scene)[0]
        if self.scene.picture:
            return listed(names)
        if len(self.scene.shots) > 1:
            rests = [all(facts.acts[i][0].kind == "still" for i in some) for some in self.shots()]
            parts = [
                listed([names[i] if still else self.clause(i, plain=True) for i in some])
                for some, still in zip(self.shots(), rests, strict=True)
                if some
            ]
            return ", then ".join(parts)
        still = [facts.acts[i][0].kind == "still" and len(facts.acts[i]) == 1 for i in range(len(things))]
        if all(still):
            said = listed(names) if self.moved else f"{listed(names)} {'stays' if len(names) == 1 else 'stay'} still"
        else:
            said = listed([self.clause(i, plain=True) for i in self.told()])
        full = f"{said}, {shot}" if self.moved else said
        return full if len(full.split()) <= LIMIT else f"{listed(names)}, {shot}" if self.moved else listed(names)

    def empty(self, plain: bool = False) -> str:
        """A sentence for a whole photo, or for a background with nothing on it."""
        rng, where, shot = self.rng, self.where, filming(self.scene)
        if self.scene.kind == "photo":
            heads = [f"a photo of {where}", f"{where}", f"a picture of {where}", f"there is a photo of {where}", f"a close view of {where}"]
        elif where:
            heads = [
                f"a view of {where} with nothing on it",
                f"only {where}",
                f"{where} and nothing else",
                f"an empty view of {where}",
                f"just {where}",
            ]
        else:
            heads = ["an empty textured surface", "an empty surface", "a textured background with no objects", "nothing but a plain surface"]
        head = heads[0] if plain else pick(rng, heads)
        if plain:
            return f"{head}, {shot[0]}" if self.moved else head
        return f"{head}, {pick(rng, shot)}" if not self.scene.picture and self.chance(0.7 if self.moved else 0.2) else head

    def told(self) -> list[int]:
        """The things to mention, without those already mentioned as what another thing goes behind."""
        screens = [t.behind for i, t in enumerate(self.facts.things) if self.facts.hidden_behind(i)]
        return [i for i, t in enumerate(self.facts.things) if not any(t is screen for screen in screens)]

    def setting(self) -> str:
        """ " over grass", where the background has a name."""
        return f" {pick(self.rng, ('over', 'in front of', 'against'))} {self.where}" if self.where and self.chance(0.5) else ""

    def sentence(self) -> str:
        """A sentence about the whole clip, in any wording."""
        rng, things = self.rng, self.facts.things
        if self.scene.kind != "things" or not things:
            return self.empty()
        if len(self.scene.shots) > 1:
            whole = self.chance(0.6)
            parts = [listed([self.clause(i) if whole else self.name(things[i]) for i in some]) for some in self.shots() if some]
            return pick(rng, (", then ", ", and after the cut ", ", and then ")).join(parts)
        told = self.told() if self.chance(0.7) else list(range(len(things)))
        order = [told[int(i)] for i in rng.permutation(len(told))]
        if self.scene.picture:
            return (
                pick(rng, ("", "", "a picture of ", "a photo of ", "there is ", "this is "))
                + listed([self.placed(i) for i in order])
                + self.setting()
            )
        still = all(len(acts) == 1 and acts[0].kind == "still" for acts in self.facts.acts)
        names = listed([self.name(things[i]) for i in order])
        if self.moved and still:
            shot = pick(rng, filming(self.scene))
            return pick(rng, (f"{names}, {shot}", f"{names} while {shot}", f"{shot}: {names}", f"{shot} over {names}", f"there is {names}, {shot}"))
        how = rng.random()
        if how < 0.5:
            said = self.joined([self.clause(i) for i in order]) + (self.setting() if len(order) == 1 else "")
        elif how < 0.8:
            lead = pick(rng, ("there is ", "a video of ", "a clip of ", "this is ", "we see ", "footage of ", ""))
            said = lead + listed([self.participle(i) for i in order]) + self.setting()
        elif self.where and how < 0.9:
            said = f"{pick(rng, ('over', 'in front of', 'against'))} {self.where}, {self.joined([self.clause(i) for i in order])}"
        else:
            said = listed([f"{self.name(things[i])} that {self.verb(i)}" for i in order])
        if self.scene.light and self.chance(0.7):
            light = pick(rng, LIGHT[self.scene.light])
            said = pick(rng, (f"{said} and {light}", f"{said} while {light}", f"{light} as {said}" if how < 0.5 else f"{said}, {light}"))
        elif self.moved or self.chance(0.12):
            shot = pick(rng, filming(self.scene))
            said = pick(rng, (f"{said}, {shot}", f"{said} while {shot}", f"{said} and {shot}"))
        return said

    def placed(self, i: int) -> str:
        """A thing in a single picture, now and then with its place."""
        thing = self.facts.things[i]
        spot = position(float(thing.x[0]), float(thing.y[0])) if self.chance(0.35) else None
        if not spot:
            return self.name(thing)
        return f"{self.name(thing)} {'in the middle' if spot == 'middle' else 'at the ' + spot if spot in ('top', 'bottom') else 'on the ' + spot}"

    def short(self) -> str:
        """A phrase as a person would type it to search: one thing, or all of them without colours."""
        rng, things = self.rng, self.facts.things
        if self.scene.kind != "things" or not things:
            return (self.where or "an empty surface").removeprefix("a pair of ").removeprefix("a ")
        i = int(rng.integers(len(things)))
        thing = things[i]
        act = f" {self.verb(i, participle=True)}" if not self.scene.picture and not self.moved and len(self.scene.shots) == 1 else ""
        bare = listed([a(t.label, t.colour if self.twins else None) for t in things])
        return pick(
            rng, (a(thing.label, thing.colour), noun(thing.label, thing.colour), noun(thing.label, thing.colour) + act, a(thing.label) + act, bare)
        )


def captions(facts: Facts, rng: np.random.Generator) -> list[str]:
    """The plain caption first, then other wordings, some of them short as in a search. All different, none longer than LIMIT words."""
    teller = Teller(facts, rng)
    out = [teller.plain()]
    for tell in (teller.sentence, teller.sentence, teller.sentence, teller.short):
        for _ in range(4):
            said = tell()
            if len(said.split()) <= LIMIT:
                if said not in out:
                    out.append(said)
                break
    return out
