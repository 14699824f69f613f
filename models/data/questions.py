"""Questions and answers from facts: open ones by type. Yes and no are in models.data.yes_no."""

from __future__ import annotations

import numpy as np

from models.data.facts import Facts
from models.data.grammar import EXIT, NUMBERS, SOURCE, noun, plural, position, size_word, toward, verbs
from models.data.names import Holdout
from models.data.scene import alike, pick
from models.data.yes_no import pairs

Asked = tuple[str, str, str]  # question, answer, type
TYPES = ("what", "colour", "count", "direction", "speed", "size", "where", "camera", "before-after", "yesno")
# Share kept of (type, answer): questions with a common answer are asked less often, or that answer would be a good guess.
KEPT = {
    ("count", "one"): 0.36,
    ("count", "none"): 0.7,
    ("camera", "still"): 0.12,
    ("direction", "stays still"): 0.35,
    ("direction", "still"): 0.35,
    ("where", "middle"): 0.6,
}

ACTS = {"still": "stays still", "grow": "grows", "shrink": "shrinks", "turn": "turns", "appear": "appears", "disappear": "disappears"}
ACTS |= {"bounce": "bounces", "pass": "passes behind", "hide": "hides"}


class Asker:
    """Questions that one clip answers. `names`: the things that can be asked about unambiguously, with what to call them after "the"."""

    def __init__(self, facts: Facts, rng: np.random.Generator, labels: list[str]) -> None:
        self.facts, self.rng, self.labels, self.scene = facts, rng, labels, facts.scene
        self.out: list[Asked] = []
        things = facts.things
        alone = [sum(t.label == each.label for t in things) == 1 for each in things]
        called = [noun(t.label, None if single else t.colour) for t, single in zip(things, alone, strict=True)]
        self.names = {i: name for i, name in enumerate(called) if alone[i] or things[i].colour} if facts.whole else {}
        self.still_view = self.scene.camera.motion in ("still", "shake")
        self.single_shot = len(self.scene.shots) == 1

    def ask(self, kind: str, answer: str, *forms: str) -> None:
        share = KEPT.get((kind, answer), 1.0)
        if share == 1 or self.rng.random() < share:
            self.out.append((pick(self.rng, forms), answer, kind))

    def all(self) -> list[Asked]:
        """Every question that the clip answers, one wording each."""
        if not self.scene.picture:
            self.camera()
        if self.scene.kind != "things" or not self.facts.things:
            self.empty()
            return self.out
        if self.single_shot:
            if self.facts.whole:
                self.count()
                self.alone()
        else:
            self.cut()
        for i, name in self.names.items():
            self.colour(i, name)
            if not self.scene.picture and self.still_view and self.single_shot:
                self.motion(i, name)
                self.where(i, name)
                self.phases(i, name)
            elif self.scene.picture:
                self.where(i, name)
            side = size_word(self.facts.things[i])
            if side and self.scene.camera.motion != "zoom":
                self.ask("size", side, f"is the {name} big or small?", f"how big is the {name}?", f"what size is the {name}?")
        if len(self.names) > 1 and self.single_shot:
            self.pair()
        return self.out

    def camera(self) -> None:
        view = self.scene.camera
        moved = {
            "pan": f"pans {view.direction}",
            "tilt": f"tilts {view.direction}",
            "zoom": f"zooms {view.direction}",
            "shake": "shakes",
            "cut": "cuts",
        }
        answer = moved.get(view.motion, "still")
        self.ask("camera", answer, "what does the camera do?", "what is the camera doing?", "how does the camera move?")

    def empty(self) -> None:
        """Questions about a whole photo, or about a background with nothing on it."""
        where = self.scene.shots[0].name
        name = (where or "").removeprefix("a pair of ").removeprefix("a ")
        if self.scene.kind == "photo":
            self.ask("what", name, "what is in the photo?", "what is this?", "what can you see?", "what is in the picture?")
            self.ask("what", name, "what is shown?", "what do you see?", "what is this a photo of?")
            return
        self.ask("count", "none", "how many objects are there?", "how many things are there?", "how many objects can you see?")
        if name:
            self.ask("what", name, "what is in the background?", "what is this?", "what can you see?")

    def count(self) -> None:
        things = self.facts.things
        forms = "how many objects are there?", "how many things are there?", "how many objects can you see?", "count the objects"
        self.ask("count", NUMBERS[len(things)], *forms)
        some = pick(self.rng, things).label if self.rng.random() < 0.75 else pick(self.rng, self.labels)
        many = plural(some)
        forms = f"how many {many} are there?", f"how many {many} can you see?", f"number of {many}", f"count the {many}"
        self.ask("count", NUMBERS[sum(t.label == some for t in things)], *forms)
        hues = [t.colour for t in things]
        hue = pick(self.rng, hues)
        if hue and None not in hues and not any(each != hue and alike(each, hue) for each in hues):
            self.ask("count", NUMBERS[hues.count(hue)], f"how many {hue} objects are there?", f"how many things are {hue}?")
        where = self.scene.shots[0].name
        if where and self.rng.random() < 0.5:
            ground = "what is behind the objects?" if len(things) > 1 else "what is the background?"
            self.ask("what", where.removeprefix("a "), "what is in the background?", ground)

    def alone(self) -> None:
        things = self.facts.things
        if len(things) > 1:
            return
        label, colour = things[0].label, things[0].colour
        seen = "what is in the picture?" if self.scene.picture else "what is in the video?"
        self.ask("what", label, seen, "what is this?", "what can you see?", "what object is shown?", "what is it?")
        if colour:
            self.ask("colour", colour, "what colour is it?", "what is the main colour?", "which colour is the object?", "what colour is the object?")
            self.ask("what", f"{colour} {label}", "describe the object", f"{seen[:-1]} and what colour is it?", "what kind of object is there?")

    def colour(self, i: int, name: str) -> None:
        things, item = self.facts.things, self.facts.things[i]
        if not item.colour:
            return
        if name == noun(item.label):
            forms = (
                f"what colour is the {name}?",
                f"which colour is the {name}?",
                f"what is the colour of the {name}?",
                f"what colour does the {name} have?",
            )
            self.ask("colour", item.colour, *forms)
        if not any(alike(t.colour, item.colour) or t.colour is None for t in things if t is not item):
            hue = item.colour
            self.ask("what", item.label, f"what is {hue}?", f"which object is {hue}?", f"what is the {hue} object?")

    def motion(self, i: int, name: str) -> None:
        things, item, acts = self.facts.things, self.facts.things[i], self.facts.acts[i]
        others = [t for t in things if t is not item]
        kind, way = acts[0].kind, item.direction
        if len(acts) == 1 and kind in ("move", "still", "enter", "leave", "pass", "hide"):
            forms = f"which way does the {name} move?", f"which direction does the {name} go?", f"in which direction is the {name} moving?"
            self.ask("direction", way or "still", *forms, f"where is the {name} going?")
        if item.motion == "move" and item.speed:
            forms = f"is the {name} moving fast or slowly?", f"does the {name} move fast or slowly?", f"how fast is the {name}?"
            self.ask("speed", "fast" if item.speed == "fast" else "slowly", *forms, f"how fast does the {name} move?")
        if (
            item.motion in ("move", "stop", "start")
            and way
            and not any(way in f"{t.direction} {t.then}" for t in others)
            and way not in (item.then or "")
        ):
            to = toward(way)
            if not any((t.direction or "") in way for t in others if t.direction):
                self.ask("what", item.label, f"what moves {to}?", f"what is moving {to}?", f"which object moves {to}?", f"what goes {to}?")
        if kind in ACTS and kind != "still" and len(acts) == 1 and not any(t.motion == item.motion for t in others):
            word, other = verbs(item, acts[0])[0], pick(self.rng, verbs(item, acts[0]))
            self.ask("what", item.label, f"what {word}?", f"which object {word}?", f"what {other}?")
        if item.motion in ("move", "bounce", "turn") and others and all(t.motion == "still" for t in others):
            self.ask("what", item.label, "what moves?", "what is moving?", "which object moves?", "what thing is moving?")
        if kind in ("grow", "shrink"):
            forms = f"does the {name} get bigger or smaller?", f"is the {name} getting bigger or smaller?", f"how does the size of the {name} change?"
            self.ask("size", "bigger" if kind == "grow" else "smaller", *forms)
        if len(acts) == 1:
            edge = {"move": f"moves {way}", "enter": f"comes in {SOURCE.get(way or '')}", "leave": f"leaves {EXIT.get(way or '')}"}
            said = edge.get(kind) or ACTS[kind]
            self.ask("direction", said, f"what does the {name} do?", f"what is the {name} doing?")
        if self.facts.hidden_behind(i):
            behind = item.behind.label if item.behind else ""
            self.ask("what", behind, f"what does the {name} go behind?", f"what is in front of the {name}?", f"behind what does the {name} go?")

    def where(self, i: int, name: str) -> None:
        """Where a thing is: its place in the first and in the last frame in which it is wholly visible."""
        item, acts = self.facts.things[i], self.facts.acts[i]
        if self.scene.camera.motion != "still":
            return
        if self.scene.picture or item.motion in ("still", "grow", "shrink", "turn"):
            spot = position(float(item.x[0]), float(item.y[0]))
            timed = () if self.scene.picture else (f"where is the {name} at the start?", f"where is the {name} at the end?")
            if spot:
                forms = f"where is the {name}?", f"where can you see the {name}?", f"in which part of the picture is the {name}?", *timed
                self.ask("where", spot, *forms)
        elif item.motion in ("move", "stop", "start", "bend", "pass"):
            first, last = position(float(item.x[0]), float(item.y[0])), position(float(item.x[-1]), float(item.y[-1]))
            if first:
                self.ask(
                    "where", first, f"where is the {name} at the start?", f"where does the {name} start?", f"where is the {name} at the beginning?"
                )
            if last:
                self.ask("where", last, f"where is the {name} at the end?", f"where does the {name} end up?", f"where does the {name} stop?")
        elif acts[0].kind == "hide":
            self.ask(
                "where",
                f"behind the {item.behind.label if item.behind else None}",
                f"where is the {name} at the end?",
                f"where does the {name} end up?",
                f"where does the {name} hide?",
            )

    def phases(self, i: int, name: str) -> None:
        """Questions about the order of what one thing does."""
        item, acts = self.facts.things[i], self.facts.acts[i]
        if len(acts) < 2:
            return
        before, after = (f"moves {act.direction}" if act.kind == "move" else "stays still" for act in acts)
        if item.motion == "bend":
            to, then = toward(item.direction or ""), toward(item.then or "")
            forms = f"which way does the {name} move first?", f"where does the {name} move before it moves {then}?"
            self.ask("before-after", item.direction or "", *forms)
            self.ask(
                "before-after", item.then or "", f"which way does the {name} move at the end?", f"where does the {name} move after it moves {to}?"
            )
        elif item.motion == "stop":
            self.ask("before-after", before, f"what does the {name} do before it stops?", f"what does the {name} do first?")
            if self.rng.random() < 0.5:
                self.ask("before-after", after, f"what does the {name} do after it moves?", f"what does the {name} do at the end?")
        else:
            if self.rng.random() < 0.5:
                self.ask("before-after", before, f"what does the {name} do before it moves?", f"what does the {name} do first?")
            self.ask("before-after", after, f"what does the {name} do after it waits?", f"what does the {name} do at the end?")

    def pair(self) -> None:
        """Questions that compare two things."""
        facts, view = self.facts, self.scene.camera
        i, j = (list(self.names)[int(k)] for k in self.rng.permutation(len(self.names))[:2])
        p, q, pn, qn = facts.things[i], facts.things[j], self.names[i], self.names[j]
        if pn == noun(p.label) and qn == noun(q.label):
            ratio = p.size[0] * p.size[1] / (q.size[0] * q.size[1])
            if not {p.motion, q.motion} & {"grow", "shrink"} and not 0.55 < ratio < 1.8:
                forms = f"which is bigger, the {pn} or the {qn}?", f"what is bigger, the {pn} or the {qn}?", f"which is larger, the {pn} or the {qn}?"
                self.ask("size", (p if ratio > 1 else q).label, *forms)
            apart = p.x - q.x
            together = p.there & q.there
            if together.all() and (np.abs(apart) > 0.2).all() and view.motion in ("still", "shake", "zoom") and len({*np.sign(apart)}) == 1:
                sides = f"which is further left, the {pn} or the {qn}?", f"what is on the left, the {pn} or the {qn}?"
                self.ask("where", (q if apart[0] > 0 else p).label, *sides)
        if self.scene.picture or not self.still_view:
            return
        starts, ends = (facts.first_seen(i), facts.first_seen(j)), (facts.last_seen(i), facts.last_seen(j))
        if abs(starts[0] - starts[1]) >= 3 and p.motion != "enter" and q.motion != "enter":
            early = pn if starts[0] < starts[1] else qn
            order = "before" if starts[0] < starts[1] else "after"
            self.ask("before-after", early, f"what is seen first, the {pn} or the {qn}?", f"which is there first, the {pn} or the {qn}?")
            self.ask("before-after", order, f"is the {pn} seen before or after the {qn}?", f"does the {pn} come before or after the {qn}?")
        elif abs(ends[0] - ends[1]) >= 3 and "disappear" in (p.motion, q.motion) and not {p.motion, q.motion} & {"leave", "hide"}:
            gone = pn if ends[0] < ends[1] else qn
            self.ask("before-after", gone, f"what goes first, the {pn} or the {qn}?", f"which is gone first, the {pn} or the {qn}?")

    def cut(self) -> None:
        """What is seen before and after a cut."""
        things = self.facts.things
        for shot, when in ((0, "before"), (1, "after")):
            some = [t for t in things if t.shot == shot]
            if not self.facts.whole or not some:
                return
            self.ask("count", NUMBERS[len(some)], f"how many objects are there {when} the cut?", f"how many things are shown {when} the cut?")
            if len(some) == 1:
                time = "at the start" if shot == 0 else "at the end"
                forms = f"what is shown {when} the cut?", f"what can you see {when} the cut?", f"what is in the video {time}?"
                self.ask("before-after", some[0].label, *forms)
        i = pick(self.rng, list(self.names) or [0])
        if i in self.names:
            name, when = self.names[i], ("before", "after")[things[i].shot]
            self.ask("before-after", when, f"is the {name} shown before or after the cut?", f"does the {name} come before or after the cut?")


def shorter(rng: np.random.Generator, question: str) -> str:
    """The question as people type it: with or without the question mark, in either spelling, with a few extra words."""
    if rng.random() < 0.4:
        question = question.replace("colour", "color")
    if rng.random() < 0.15:
        question = question.replace("grey", "gray")
    return question.removesuffix("?") if rng.random() < 0.2 else question


def questions(facts: Facts, rng: np.random.Generator, labels: list[str], holdout: Holdout) -> list[Asked]:
    """4 to 10 questions of as many types as possible, with as many yes as no."""
    asker = Asker(facts, rng, labels)
    pool = asker.all()
    by_kind: dict[str, list[Asked]] = {}
    for i in rng.permutation(len(pool)):
        by_kind.setdefault(pool[i][2], []).append(pool[i])
    out: list[Asked] = []
    wanted = int(rng.integers(4, 7))
    # One of each type in turn: otherwise a clip with three things would get only questions about colours.
    kinds = [list(by_kind)[int(i)] for i in rng.permutation(len(by_kind))]
    while len(out) < wanted and any(by_kind.values()):
        for kind in kinds:
            if by_kind[kind] and len(out) < wanted:
                out.append(by_kind[kind].pop())
    wanted = 2 if len(out) > 3 and rng.random() < 0.6 else 1 if len(out) > 3 else max(2, (7 - len(out)) // 2)
    for yes, no in pairs(facts, rng, asker.names, labels, holdout, wanted):
        out += [(yes, "yes", "yesno"), (no, "no", "yesno")]
    return [(shorter(rng, q), answer, kind) for q, answer, kind in (out[int(i)] for i in rng.permutation(len(out)))]
