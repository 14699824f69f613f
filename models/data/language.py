"""Captions, questions and answers from a scene graph. Lower case, plain English, British spelling in what the model says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from models.data.assets import COLOURS, SHAPES
from models.data.scene import DIRECTIONS, MAIN, Scene, Thing, alike, pick

Asked = tuple[str, str, str]  # question, answer, type
NUMBERS = ("none", "one", "two", "three")
PAIRS = ("trousers", "shorts")
PLURALS = {
    "bus": "buses",
    "box": "boxes",
    "fish": "fish",
    "mouse": "mice",
    "person": "people",
    "sheep": "sheep",
    "cherry": "cherries",
    "die": "dice",
    "dress": "dresses",
    "peach": "peaches",
    "cross": "crosses",
    "leaf": "leaves",
    "bush": "bushes",
}
OPPOSITE = {"left": "right", "right": "left", "up": "down", "down": "up", "in": "out", "out": "in"}
LIMIT = 22  # words of a caption


def noun(label: str, colour: str | None = None) -> str:
    words = f"{colour} {label}" if colour else label
    return f"pair of {words}" if label in PAIRS else words


def a(label: str, colour: str | None = None) -> str:
    words = noun(label, colour)
    return ("an " if words[0] in "aeiou" else "a ") + words


def plural(label: str) -> str:
    if label in PAIRS:
        return f"pairs of {label}"
    return PLURALS.get(label, label + "s")


def toward(direction: str) -> str:
    """left -> "to the left"; "up and left" -> "up and to the left"."""
    return direction.replace("left", "to the left").replace("right", "to the right")


# What a thing does, as "a dog moves ..."; the first of each is the plain wording.
def verbs(thing: Thing, with_speed: bool = True) -> list[str]:
    if thing.motion == "move":
        assert thing.direction
        way = toward(thing.direction)
        if not with_speed:
            return [f"moves {way}", f"goes {way}"]
        how = "slowly" if thing.speed == "slow" else "quickly"
        other = ["drifts"] if thing.speed == "slow" else ["rushes", "races"]
        return [f"moves {how} {way}", f"moves {way}", f"goes {way}", f"slides {way}", f"moves {way} {how}", *(f"{v} {way}" for v in other)]
    return {
        "still": ["stays still", "does not move", "is still"],
        "grow": ["grows bigger", "gets bigger", "grows", "comes closer"],
        "shrink": ["gets smaller", "shrinks", "becomes smaller"],
        "turn": ["turns around", "turns", "rotates", "spins"],
        "appear": ["appears", "shows up", "comes into view"],
        "disappear": ["disappears", "vanishes", "goes away"],
        "bounce": [f"bounces {thing.direction}", f"moves {thing.direction}", "bounces"],
    }[thing.motion]


def doing(thing: Thing) -> str:
    """As in "a dog moving left"."""
    return {
        "still": "standing still", "move": f"moving {toward(thing.direction or '')}", "grow": "getting bigger", "shrink": "getting smaller",
        "turn": "turning", "appear": "appearing", "disappear": "disappearing", "bounce": f"bouncing {thing.direction}",
    }[thing.motion]  # fmt: skip


def filming(scene: Scene) -> list[str]:
    view = scene.camera
    if view.motion in ("pan", "tilt"):
        assert view.direction
        way = toward(view.direction)
        return [f"the camera {view.motion}s {way}", f"the camera moves {way}", f"the view moves {way}"]
    if view.motion == "zoom":
        return [f"the camera zooms {view.direction}", f"the camera zooms {view.direction}", f"the view zooms {view.direction}"]
    if view.motion == "shake":
        return ["the camera shakes", "the camera is shaky", "the view shakes"]
    return ["the camera is still", "the camera does not move", "the camera stays still"]


def listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def ground_name(scene: Scene) -> str | None:
    return (scene.ground.name or None) if scene.ground is not None and scene.blur == 0 else None


def captions(scene: Scene, rng: np.random.Generator) -> list[str]:
    """The plain caption first, then other wordings, some of them short as in a search."""
    moved = scene.camera.motion != "still"
    shot = filming(scene)
    where = ground_name(scene)
    if scene.kind != "things":
        if scene.kind == "photo":
            heads = [f"a photo of {where}", f"{where}", f"a picture of {where}", f"there is a photo of {where}"]
        elif where:
            heads = [f"a view of {where} with nothing on it", f"only {where}", f"{where} and nothing else", f"an empty view of {where}"]
        else:
            heads = ["an empty textured surface", "an empty surface", "a textured background with no objects", "nothing but a plain surface"]
        out = [f"{heads[0]}, {shot[0]}" if moved else heads[0]]
        for head in heads[1:]:
            out.append(f"{head}, {pick(rng, shot)}" if rng.random() < (0.7 if moved else 0.3) else head)
        return out
    things = scene.things
    names = [a(t.label, t.colour) for t in things]

    def plain(with_speed: bool) -> str:
        if moved and not any(t.motion != "still" for t in things):
            return f"{listed(names)}, {shot[0]}"
        acts = [verbs(t, with_speed)[0] for t in things]
        if len(things) > 1 and all(t.motion == "still" for t in things):
            said = f"{listed(names)} stay still"
        else:
            said = listed([f"{n} {v}" for n, v in zip(names, acts, strict=True)])
        return f"{said}, {shot[0]}" if moved else said

    first = plain(True)
    out = [first if len(first.split()) <= LIMIT else plain(False)]
    order = [int(i) for i in rng.permutation(len(things))]
    # Another wording of everything.
    if moved and not any(t.motion != "still" for t in things):
        said = listed([names[i] for i in order])
        out.append(f"{pick(rng, shot)} over {said}" if scene.camera.motion in ("pan", "tilt") else f"{said}, {pick(rng, shot)}")
    else:
        said = listed([f"{names[i]} {pick(rng, verbs(things[i]))}" for i in order])
        tail = f", {pick(rng, shot)}" if moved or rng.random() < 0.3 else ""
        out.append(said + tail)
    # "there is ..."; the background where it has a name.
    over = f" over {where}" if where else ""
    acts2 = [names[i] if moved and things[i].motion == "still" else f"{names[i]} {doing(things[i])}" for i in order]
    out.append(pick(rng, ("there is ", "a video of ", "this is ", "")) + listed(acts2) + over)
    # Without colours, as a person would search.
    out.append(listed([f"{a(things[i].label)} {doing(things[i])}" if not moved else a(things[i].label) for i in order]))
    # One thing alone, short.
    one = things[order[0]]
    out.append(
        pick(
            rng,
            (
                names[order[0]],
                noun(one.label, one.colour),
                f"{noun(one.label, one.colour)} {doing(one)}" if not moved else noun(one.label, one.colour),
            ),
        )
    )
    out = [" ".join(line.split()[:LIMIT]) if len(line.split()) > LIMIT + 4 else line for line in out]
    return [out[0], *(line for i, line in enumerate(out[1:], 1) if line not in out[:i])]


def shorter(rng: np.random.Generator, question: str) -> str:
    """How people type: with or without the question mark, either spelling, a few words more."""
    if rng.random() < 0.12 and not question.endswith("video?") and question[0] != "d" and "camera" not in question:
        question = question.removesuffix("?") + " in the video?"
    if rng.random() < 0.4:
        question = question.replace("colour", "color")
    if rng.random() < 0.15:
        question = question.replace("grey", "gray")
    return question.removesuffix("?") if rng.random() < 0.2 else question


def position(x: float, y: float) -> str | None:
    """left, right, top, bottom, middle or a corner; None where a person could say either of two."""

    def side(v: float, low: str, high: str) -> str | None:
        d = v - 0.5
        return "" if abs(d) < 0.09 else (low if d < 0 else high) if abs(d) > 0.16 else None

    across, down = side(x, "left", "right"), side(y, "top", "bottom")
    if across is None or down is None:
        return None
    return f"{down} {across}".strip() or "middle"


def size_word(thing: Thing) -> str | None:
    if thing.motion in ("grow", "shrink"):
        return None
    side = float(np.sqrt(thing.size[0] * thing.size[1]))
    return "big" if side > 0.4 else "small" if side < 0.22 else None


def called(scene: Scene) -> list[tuple[Thing, str]]:
    """Things that can be asked about without doubt, with what to call them after "the"."""
    out = []
    for item in scene.things:
        if sum(t.label == item.label for t in scene.things) == 1:
            out.append((item, noun(item.label)))
        elif item.colour:
            out.append((item, noun(item.label, item.colour)))
    return out


def open_questions(scene: Scene, rng: np.random.Generator, labels: list[str]) -> list[Asked]:
    """Everything that the scene answers, one wording each."""
    out: list[Asked] = []

    def ask(kind: str, answer: str, *forms: str) -> None:
        out.append((pick(rng, forms), answer, kind))

    view, things = scene.camera, scene.things
    shot = (
        "still"
        if view.motion == "still"
        else {"pan": f"pans {view.direction}", "tilt": f"tilts {view.direction}", "zoom": f"zooms {view.direction}", "shake": "shakes"}[view.motion]
    )
    ask("camera", shot, "what does the camera do?", "what is the camera doing?", "how does the camera move?")
    where = ground_name(scene)
    if scene.kind != "things":
        if scene.kind == "photo":
            assert where
            name = where.removeprefix("a pair of ").removeprefix("a ")
            ask("what", name, "what is in the photo?", "what is in the video?", "what is this?", "what can you see?", "what does the video show?")
            ask("what", name, "what is shown?", "what do you see?", "what is this a photo of?")
        else:
            ask("count", "none", "how many objects are there?", "how many things are there?", "how many objects can you see?")
            if where:
                ask("what", where.removeprefix("a "), "what is in the background?", "what is this?", "what can you see?")
        return out
    known = called(scene)
    ask(
        "count",
        NUMBERS[len(things)],
        "how many objects are there?",
        "how many things are there?",
        "how many objects can you see?",
        "count the objects",
    )
    some = pick(rng, things).label if rng.random() < 0.6 else pick(rng, labels)
    ask(
        "count",
        NUMBERS[sum(t.label == some for t in things)],
        f"how many {plural(some)} are there?",
        f"how many {plural(some)} can you see?",
        f"number of {plural(some)}",
    )
    if where and rng.random() < 0.5:
        ask(
            "what",
            where.removeprefix("a "),
            "what is in the background?",
            "what is behind the objects?" if len(things) > 1 else "what is the background?",
        )
    if len(things) == 1:
        ask("what", things[0].label, "what is in the video?", "what is this?", "what can you see?", "what object is shown?", "what is it?")
        if things[0].colour:
            ask(
                "colour",
                things[0].colour,
                "what colour is it?",
                "what is the main colour?",
                "describe the main colour",
                "what colour is the object?",
                "which colour is the object?",
            )
            ask(
                "what",
                noun(things[0].label, things[0].colour).removeprefix("pair of "),
                "describe the object",
                "what is in the video and what colour is it?",
                "what kind of object is there?",
            )
    still_view = view.motion in ("still", "shake")
    for item, name in known:
        unique_name = name == noun(item.label)
        if item.colour and unique_name:
            ask(
                "colour",
                item.colour,
                f"what colour is the {name}?",
                f"which colour is the {name}?",
                f"what is the colour of the {name}?",
                f"what colour does the {name} have?",
            )
        if item.colour and not any(alike(t.colour, item.colour) or t.colour is None for t in things if t is not item):
            ask("what", item.label, f"what is {item.colour}?", f"which object is {item.colour}?", f"what is the {item.colour} object?")
        if still_view:
            if item.motion in ("move", "still"):
                ask(
                    "direction",
                    item.direction or "still",
                    f"which way does the {name} move?",
                    f"where does the {name} move?",
                    f"which direction does the {name} go?",
                    f"in which direction is the {name} moving?",
                    f"where is the {name} going?",
                )
            if item.motion == "move":
                assert item.direction
                ask(
                    "speed",
                    "fast" if item.speed == "fast" else "slowly",
                    f"is the {name} moving fast or slowly?",
                    f"does the {name} move fast or slowly?",
                    f"how fast does the {name} move?",
                    f"how fast is the {name}?",
                )
                if not any(
                    t is not item
                    and (t.motion == "bounce" or item.direction in (t.direction or "") or (t.direction and t.direction in item.direction))
                    for t in things
                ):
                    way = toward(item.direction)
                    ask("what", item.label, f"what moves {way}?", f"what is moving {way}?", f"which object moves {way}?", f"what goes {way}?")
            if item.motion != "move" and item.motion != "still" and not any(t.motion == item.motion for t in things if t is not item):
                word = verbs(item)[0]
                ask("what", item.label, f"what {word}?", f"which object {word}?", f"what {pick(rng, verbs(item))}?")
            if (
                item.motion != "still"
                and not any(t.motion != "still" for t in things if t is not item)
                and item.motion in ("move", "bounce", "turn")
                and len(things) > 1
            ):
                ask("what", item.label, "what moves?", "what is moving?", "which object moves?", "what thing is moving?")
            if item.motion in ("grow", "shrink"):
                ask(
                    "size",
                    "bigger" if item.motion == "grow" else "smaller",
                    f"does the {name} get bigger or smaller?",
                    f"is the {name} getting bigger or smaller?",
                    f"how does the size of the {name} change?",
                )
            act = {
                "still": "stays still",
                "move": f"moves {item.direction}",
                "grow": "grows",
                "shrink": "shrinks",
                "turn": "turns",
                "appear": "appears",
                "disappear": "disappears",
                "bounce": "bounces",
            }[item.motion]
            ask(
                "direction",
                act,
                f"what does the {name} do?",
                f"what is the {name} doing?",
                f"how does the {name} move?" if item.motion != "move" else f"what does the {name} do?",
            )
            if item.motion in ("still", "grow", "shrink", "turn"):
                spot = position(float(item.x[0]), float(item.y[0]))
                if spot and view.motion == "still":
                    ask(
                        "where",
                        spot,
                        f"where is the {name}?",
                        f"where can you see the {name}?",
                        f"where is the {name} at the start?",
                        f"where is the {name} at the end?",
                        f"in which part of the picture is the {name}?",
                    )
            elif item.motion == "move" and view.motion == "still":
                first, last = position(float(item.x[0]), float(item.y[0])), position(float(item.x[-1]), float(item.y[-1]))
                if first:
                    ask(
                        "where",
                        first,
                        f"where is the {name} at the start?",
                        f"where does the {name} start?",
                        f"where is the {name} at the beginning?",
                    )
                if last:
                    ask("where", last, f"where is the {name} at the end?", f"where does the {name} end up?", f"where does the {name} stop?")
        if view.motion != "zoom":
            side = size_word(item)
            if side:
                ask(
                    "size",
                    side,
                    f"is the {name} big or small?",
                    f"how big is the {name}?",
                    f"what size is the {name}?",
                    f"is the {name} large or small?",
                )
    if len(known) > 1:
        (p, pn), (q, qn) = (known[int(i)] for i in rng.permutation(len(known))[:2])
        ratio = p.size[0] * p.size[1] / (q.size[0] * q.size[1])
        if not {p.motion, q.motion} & {"grow", "shrink"} and not 0.55 < ratio < 1.8 and pn == noun(p.label) and qn == noun(q.label):
            ask(
                "size",
                p.label if ratio > 1 else q.label,
                f"which is bigger, the {pn} or the {qn}?",
                f"what is bigger, the {pn} or the {qn}?",
                f"which is larger, the {pn} or the {qn}?",
            )
        xs = p.x - q.x
        if (
            p.there.all()
            and q.there.all()
            and (np.abs(xs) > 0.2).all()
            and view.motion in ("still", "shake", "zoom")
            and (xs > 0).all() != (xs < 0).all()
            and pn == noun(p.label)
            and qn == noun(q.label)
        ):
            ask(
                "where",
                q.label if xs[0] > 0 else p.label,
                f"which is further left, the {pn} or the {qn}?",
                f"what is on the left, the {pn} or the {qn}?",
            )
    return out


def yes_no_forms(scene: Scene, rng: np.random.Generator, labels: list[str]) -> list[Callable[[bool], str | None]]:
    """Each asks for a yes or for a no, or gives None where the scene has no such question. Half of the noes are near misses."""
    things, view = scene.things, scene.camera
    known = called(scene)
    here = {t.label for t in things}
    hues = [t.colour for t in things if t.colour]
    still_view = view.motion in ("still", "shake")

    def absent() -> str:
        options = [n for n in labels if n not in here]
        # A near miss: a shape among shapes, a named thing among named things.
        if things and rng.random() < 0.5:
            options = [n for n in options if (n in SHAPES) == (things[0].label in SHAPES)] or options
        return pick(rng, options)

    def wrong_colour(item: Thing) -> str:
        others = [h for h in hues if not alike(h, item.colour)]
        if others and rng.random() < 0.6:
            return pick(rng, others)
        return pick(rng, [c for c in COLOURS if not alike(c, item.colour)])

    def exists(yes: bool) -> str | None:
        if scene.kind == "photo":
            return None
        if yes and not things:
            return None
        what = pick(rng, things).label if yes else absent()
        return pick(
            rng,
            (
                f"is there {a(what)}?",
                f"can you see {a(what)}?",
                f"is there {a(what)} in the video?",
                f"do you see {a(what)}?",
                f"are there any {plural(what)}?",
            ),
        )

    def exists_coloured(yes: bool) -> str | None:
        coloured = [t for t in things if t.colour]
        if not coloured:
            return None
        item = pick(rng, coloured)
        if yes:
            return pick(rng, (f"is there {a(item.label, item.colour)}?", f"can you see {a(item.label, item.colour)}?"))
        if rng.random() < 0.5:
            colour = wrong_colour(item)
            if any(t.label == item.label and (t.colour is None or alike(t.colour, colour)) for t in things):
                return None
            return f"is there {a(item.label, colour)}?"
        return f"is there {a(absent(), item.colour)}?"

    def coloured_so(yes: bool) -> str | None:
        options = [(t, n) for t, n in known if t.colour and n == noun(t.label)]
        if not options:
            return None
        item, name = pick(rng, options)
        return pick(rng, ("is the {} {}?", "is the colour of the {} {}?")).format(name, item.colour if yes else wrong_colour(item))

    def moves_so(yes: bool) -> str | None:
        options = [(t, n) for t, n in known if t.motion in ("move", "still")] if still_view else []
        if yes:
            options = [(t, n) for t, n in options if t.motion == "move"]
        if not options:
            return None
        item, name = pick(rng, options)
        if yes:
            direction = item.direction or ""
        else:
            others = [t.direction for t in things if t.motion == "move" and t.direction in MAIN and t.direction not in (item.direction or "")]
            wrong = [d for d in MAIN if d not in (item.direction or "")]
            direction = (
                pick(rng, [d for d in others if d] or wrong)
                if rng.random() < 0.5
                else OPPOSITE[item.direction]
                if item.direction in OPPOSITE
                else pick(rng, wrong)
            )
        return pick(
            rng,
            (f"does the {name} move {toward(direction)}?", f"is the {name} moving {toward(direction)}?", f"does the {name} go {toward(direction)}?"),
        )

    def moves(yes: bool) -> str | None:
        options = [(t, n) for t, n in known if t.motion in ("move", "turn", "bounce", "still")] if still_view else []
        asks_still = rng.random() < 0.4
        options = [(t, n) for t, n in options if (t.motion == "still") == (yes == asks_still)]
        if not options:
            return None
        name = pick(rng, options)[1]
        return pick(
            rng, (f"is the {name} still?", f"does the {name} stay still?") if asks_still else (f"does the {name} move?", f"is the {name} moving?")
        )

    def anything(yes: bool) -> str | None:
        if view.motion != "still":
            return None
        moving = any(t.motion in ("move", "turn", "bounce") for t in things)
        if not moving and any(t.motion != "still" for t in things):
            return None
        if moving == yes:
            return pick(rng, ("is anything moving?", "does anything move?", "is something moving?"))
        return pick(rng, ("is everything still?", "does everything stay still?", "is nothing moving?"))

    def filmed(yes: bool) -> str | None:
        if yes == (view.motion != "still"):
            return pick(rng, ("does the camera move?", "is the camera moving?"))
        return pick(rng, ("is the camera still?", "does the camera stay still?", "is the camera fixed?"))

    def filmed_so(yes: bool) -> str | None:
        if view.direction is None:
            return None
        verb = {"pan": "pan", "tilt": "tilt", "zoom": "zoom"}[view.motion]
        return f"does the camera {verb} {view.direction if yes else OPPOSITE[view.direction]}?"

    def changes(yes: bool) -> str | None:
        words = {"grow": "get bigger", "shrink": "get smaller", "turn": "turn", "appear": "appear", "disappear": "disappear", "bounce": "bounce"}
        options = [(t, n) for t, n in known if t.motion in words] if view.motion == "still" else []
        if not options:
            return None
        item, name = pick(rng, options)
        other = {"grow": "shrink", "shrink": "grow", "appear": "disappear", "disappear": "appear", "turn": "grow", "bounce": "turn"}
        return f"does the {name} {words[item.motion if yes else other[item.motion]]}?"

    def placed(yes: bool) -> str | None:
        options = []
        for item, name in known if view.motion == "still" else []:
            spot = position(float(item.x[0]), float(item.y[0])) if item.there[0] else None
            if spot in ("left", "right", "top", "bottom"):
                options.append((name, spot))
        if not options:
            return None
        name, spot = pick(rng, options)
        other = {"left": "right", "right": "left", "top": "bottom", "bottom": "top"}[spot]
        return (
            f"is the {name} at the {spot if yes else other} at the start?"
            if spot in ("top", "bottom")
            else f"is the {name} on the {spot if yes else other} at the start?"
        )

    def several(yes: bool) -> str | None:
        if not things:
            return None
        number = len(things) if yes else pick(rng, [n for n in (1, 2, 3) if n != len(things)])
        return "is there only one object?" if number == 1 else f"are there {NUMBERS[number]} objects?"

    def shown(yes: bool) -> str | None:
        if scene.kind == "photo":
            name = ground_name(scene) or ""
            if not yes:
                name = pick(rng, [n for n in SHOWN if n.split()[-1] != name.split()[-1]])
            return pick(rng, (f"is this a photo of {name}?", f"does the video show {name}?"))
        if scene.kind == "ground":
            return (
                pick(rng, ("is the scene empty?", "are there no objects?")) if yes else pick(rng, ("are there any objects?", "is there an object?"))
            )
        return None

    return [exists, exists, exists_coloured, coloured_so, moves_so, moves, anything, filmed, filmed_so, changes, placed, several, shown]


SHOWN = (
    "bananas",
    "lemons",
    "apples",
    "tomatoes",
    "oranges",
    "mushrooms",
    "potatoes",
    "a dress",
    "a hat",
    "a shirt",
    "milk cartons",
    "a pair of shoes",
    "melons",
    "avocados",
)


def questions(scene: Scene, rng: np.random.Generator, labels: list[str]) -> list[Asked]:
    """6 to 10 of them; as many yes as no."""
    pool = open_questions(scene, rng, labels)
    by_kind: dict[str, list[Asked]] = {}
    for i in rng.permutation(len(pool)):
        by_kind.setdefault(pool[i][2], []).append(pool[i])
    out: list[Asked] = []
    wanted = int(rng.integers(4, 7))
    # One of each type in turn: a clip with three things would otherwise be asked for colours only.
    kinds = [list(by_kind)[int(i)] for i in rng.permutation(len(by_kind))]
    if scene.camera.motion == "still" and "camera" in kinds and rng.random() < 0.6:
        kinds.remove("camera")  # else "still" would be most of what the model says of cameras
    while len(out) < wanted and any(by_kind[k] for k in kinds):
        for kind in kinds:
            if by_kind[kind] and len(out) < wanted:
                out.append(by_kind[kind].pop())
    forms = yes_no_forms(scene, rng, labels)
    asked: set[str] = set()
    pairs = 2 if len(out) > 3 and rng.random() < 0.6 else 1 if len(out) > 3 else max(2, (7 - len(out)) // 2)
    for _ in range(pairs):
        for yes in (True, False):
            for _ in range(40):
                question = forms[int(rng.integers(len(forms)))](yes)
                if question and question not in asked:
                    asked.add(question)
                    out.append((question, "yes" if yes else "no", "yesno"))
                    break
    return [(shorter(rng, q), answer, kind) for q, answer, kind in (out[int(i)] for i in rng.permutation(len(out)))]


def answer_words() -> set[str]:
    """Every word an answer may hold, besides labels and what photos and backgrounds are called."""
    words = {*COLOURS, *SHAPES, *NUMBERS, "yes", "no", "still", "fast", "slowly", "big", "small", "bigger", "smaller", "middle", "top", "bottom"}
    words |= {w for d in DIRECTIONS for w in d.split()}
    words |= {"pans", "tilts", "zooms", "shakes", "in", "out", "moves", "stays", "grows", "shrinks", "turns", "appears", "disappears", "bounces"}
    return words
