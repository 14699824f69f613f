"""Yes-or-no questions. Each form asks one of each about the same clip, so that neither the form nor its wording gives the answer away."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.data.facts import Facts
from models.data.grammar import NUMBERS, a, noun, plural, position, toward
from models.data.names import COLOURS, NOVEL_SHAPES, SCREENS, SHAPES, Holdout
from models.data.scene import MAIN, OPPOSITE, Thing, alike, pick

Pair = tuple[str, str] | None  # answered with yes, answered with no
COMMON = {1: 0.46, 2: 0.36, 3: 0.18}  # share of the clips with this many things
CHANGES = {"grow": "get bigger", "shrink": "get smaller", "turn": "turn", "appear": "appear", "disappear": "disappear", "bounce": "bounce"}
CHANGES |= {"enter": "come into view", "leave": "leave", "stop": "stop", "hide": "hide"}
SIDES = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}
SHOWN = ("bananas", "lemons", "apples", "tomatoes", "oranges", "mushrooms", "potatoes", "a dress", "a hat", "a shirt", "milk cartons", "melons")


class Forms:
    """names: which things can be asked about, and what to call them."""

    def __init__(self, facts: Facts, rng: np.random.Generator, names: dict[int, str], labels: list[str], holdout: Holdout) -> None:
        self.facts, self.rng, self.names, self.labels, self.holdout = facts, rng, names, labels, holdout
        self.scene, self.things = facts.scene, facts.things
        self.here = {t.label for t in self.scene.things}
        self.still_view = self.scene.camera.motion in ("still", "shake") and not self.scene.picture

    def all(self) -> list[Callable[[], Pair]]:
        always = [self.exists, self.exists, self.exists_coloured, self.coloured_so, self.placed, self.several, self.shown]
        moving = [self.moves_so, self.moves_so, self.moves, self.filmed, self.filmed_so, self.changes, self.goes_behind, self.lit]
        return always if self.scene.picture else [*always, *moving]

    def one(self, options: list[int]) -> tuple[Thing, str] | None:
        if not options:
            return None
        i = pick(self.rng, options)
        return self.things[i], self.names[i]

    def both(self, yes: str, no: str, *forms: str) -> Pair:
        form = pick(self.rng, forms)
        return form.format(yes), form.format(no)

    def absent(self) -> str:
        """A label that is absent, drawn as often as it occurs when present: a shape where there are shapes, a name where there are names."""
        drawn, behind, how = [*SHAPES, *NOVEL_SHAPES], [*SCREENS], self.rng.random()
        wanted = behind if how < 0.03 else drawn if how < 0.45 else [n for n in self.labels if n not in (*drawn, *behind)] or drawn
        absent = [n for n in self.labels if n not in self.here]
        return pick(self.rng, [n for n in absent if n in wanted] or absent)

    def wrong_colour(self, item: Thing) -> str | None:
        """A colour that is neither the thing's nor like it, preferably one of something else in the clip. None where the pair is held out."""
        options = [c for c in COLOURS if not alike(c, item.colour) and not self.holdout.colour(c, item.label)]
        near = [t.colour for t in self.things if t.colour in options]
        return pick(self.rng, [c for c in near if c]) if near and self.rng.random() < 0.6 else pick(self.rng, options) if options else None

    def exists(self) -> Pair:
        if not self.things:
            return None
        yes, no, rng = pick(self.rng, self.things).label, self.absent(), self.rng
        if rng.random() < 0.2:
            return f"are there any {plural(yes)}?", f"are there any {plural(no)}?"
        return self.both(a(yes), a(no), "is there {}?", "can you see {}?", "do you see {}?")

    def exists_coloured(self) -> Pair:
        coloured = [t for t in self.things if t.colour]
        if not coloured or not self.facts.whole:
            return None
        item = pick(self.rng, coloured)
        colour = self.wrong_colour(item)
        label = item.label
        if self.rng.random() < 0.5 or colour is None or any(t.label == label and (t.colour is None or alike(t.colour, colour)) for t in self.things):
            colour, label = item.colour, self.absent()
            if self.holdout.colour(colour, label):
                return None
        return self.both(a(item.label, item.colour), a(label, colour), "is there {}?", "can you see {}?")

    def coloured_so(self) -> Pair:
        got = self.one([i for i, name in self.names.items() if self.things[i].colour and name == noun(self.things[i].label)])
        wrong = self.wrong_colour(got[0]) if got else None
        if not got or not wrong:
            return None
        return self.both(str(got[0].colour), wrong, f"is the {got[1]} {{}}?", f"is the colour of the {got[1]} {{}}?")

    def moves_so(self) -> Pair:
        got = self.one([i for i in self.names if self.things[i].motion in ("move", "pass", "hide", "enter", "leave")]) if self.still_view else None
        if not got:
            return None
        item, name = got
        way = item.direction or ""
        wrong = [d for d in MAIN if d not in way and not self.holdout.motion("move", d, item.label)]
        if not wrong:
            return None
        others = [d for d in wrong if any(t.direction == d for t in self.things)]
        opposite = [d for d in wrong if d == OPPOSITE.get(way)]
        no = pick(self.rng, others if others and self.rng.random() < 0.5 else opposite or wrong)
        forms = f"does the {name} move {{}}?", f"is the {name} moving {{}}?", f"does the {name} go {{}}?"
        return self.both(toward(way), toward(no), *forms)

    def moves(self) -> Pair:
        """The same question about a thing that moves and about one that does not."""
        if not self.still_view or len(self.scene.shots) > 1:
            return None
        going = self.one([i for i in self.names if self.things[i].motion in ("move", "turn", "bounce", "bend")])
        rests = self.one([i for i in self.names if self.things[i].motion == "still"])
        if not going or not rests:
            return None
        if self.rng.random() < 0.5:
            going, rests = rests, going
            return self.both(going[1], rests[1], "is the {} still?", "does the {} stay still?")
        return self.both(going[1], rests[1], "does the {} move?", "is the {} moving?")

    def filmed(self) -> Pair:
        view = self.scene.camera
        if view.motion == "cut" or (view.motion == "still" and self.rng.random() > 0.36):
            return None
        moved = pick(self.rng, ("does the camera move?", "is the camera moving?"))
        still = pick(self.rng, ("is the camera still?", "does the camera stay still?", "is the camera fixed?"))
        return (still, moved) if view.motion == "still" else (moved, still)

    def filmed_so(self) -> Pair:
        view = self.scene.camera
        if view.direction is None:
            return None
        return self.both(view.direction, OPPOSITE[view.direction], f"does the camera {view.motion} {{}}?")

    def changes(self) -> Pair:
        options = [i for i in self.names if self.facts.acts[i][0].kind in CHANGES or self.things[i].motion == "stop"] if self.still_view else []
        got = self.one(options)
        if not got:
            return None
        item, name = got
        unlike = {
            "appear": ("enter",),
            "enter": ("appear",),
            "disappear": ("leave", "hide"),
            "leave": ("disappear", "hide"),
            "hide": ("leave", "disappear"),
        }
        others = [kind for kind in CHANGES if kind != item.motion and kind not in unlike.get(item.motion, ())]
        others = [kind for kind in others if not self.holdout.motion(kind, None, item.label)]
        wrong = {"enter": ["leave", "disappear", "turn"], "leave": ["appear", "grow"], "hide": ["appear", "bounce", "grow"]}.get(item.motion, others)
        wrong = [kind for kind in wrong if kind in others]
        if not wrong:
            return None
        return self.both(CHANGES[item.motion], CHANGES[pick(self.rng, wrong)], f"does the {name} {{}}?")

    def goes_behind(self) -> Pair:
        got = [i for i in self.names if self.facts.hidden_behind(i)]
        if not got or len(self.names) < 2:
            return None
        front = next((j for j in self.names if self.things[j] is self.things[got[0]].behind), None)
        if front is None:
            return None
        one, two = self.names[got[0]], self.names[front]
        form = pick(self.rng, ("does the {} go behind the {}?", "is the {} hidden by the {}?"))
        return form.format(one, two), form.format(two, one)

    def lit(self) -> Pair:
        if not self.scene.light:
            return None
        words = ("darker", "brighter") if self.scene.light == "darker" else ("brighter", "darker")
        return self.both(*words, "does it get {}?", "does the picture get {}?", "is it getting {}?")

    def placed(self) -> Pair:
        options = []
        for i, name in self.names.items() if self.scene.camera.motion == "still" else ():
            item = self.things[i]
            spot = position(float(item.x[0]), float(item.y[0])) if self.facts.seen[i][0] and item.motion != "enter" else None
            if spot in SIDES:
                options.append((name, spot))
        if not options:
            return None
        name, spot = pick(self.rng, options)
        at, when = "at" if spot in ("top", "bottom") else "on", "" if self.scene.picture else " at the start"
        return self.both(spot, SIDES[spot], f"is the {name} {at} the {{}}{when}?")

    def several(self) -> Pair:
        n = len(self.things)
        if n not in COMMON or not self.facts.whole or len(self.scene.shots) > 1:
            return None
        others = [k for k in COMMON if k != n]
        wrong = pick(self.rng, others, [COMMON[k] for k in others])
        yes, no = ("is there only one object?" if k == 1 else f"are there {NUMBERS[k]} objects?" for k in (n, wrong))
        return yes, no

    def shown(self) -> Pair:
        if self.scene.kind == "photo":
            name = self.scene.shots[0].name or ""
            other = pick(self.rng, [n for n in SHOWN if n.split()[-1] != name.split()[-1]])
            return self.both(name, other, "is this a photo of {}?", "does the picture show {}?")
        if self.scene.kind == "ground":
            return pick(self.rng, ("is the scene empty?", "are there no objects?")), pick(self.rng, ("are there any objects?", "is there an object?"))
        return None


def pairs(facts: Facts, rng: np.random.Generator, names: dict[int, str], labels: list[str], holdout: Holdout, wanted: int) -> list[tuple[str, str]]:
    """Up to `wanted` pairs of different questions, the first answered with yes and the second with no."""
    forms = Forms(facts, rng, names, labels, holdout).all()
    out: list[tuple[str, str]] = []
    for _ in range(30):
        if len(out) == wanted:
            break
        got = pick(rng, forms)()
        if got and got[0] != got[1] and not any(question in pair for pair in out for question in got):
            out.append(got)
    return out
