"""What captions, questions and times state is true of the pixels, checked without the code that states it."""

import colorsys
import re
from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest

from models.batches import mirrored
from models.data.claims import HAVE, PICTURES, Clip, clear, clips
from models.data.compose import compose
from models.data.facts import Facts
from models.data.generator import Sample, World, boxes_of
from models.data.grammar import captions, verbs
from models.data.names import Holdout
from models.data.questions import questions
from models.data.scene import DIRECTIONS, Scene


@pytest.fixture(scope="module")
def world() -> World:
    return World(None, "val")


@pytest.fixture(scope="module")
def still(world: World) -> list[Clip]:
    """Clips of any kind from a camera at rest, without recording faults."""
    return list(clips(world, 3, 150, lambda s: s.kind == "things" and s.camera.motion == "still"))


def asked(clip: Clip, world: World, seed: int = 0) -> Iterator[tuple[str, str, str]]:
    """Many questions about one clip."""
    rng = np.random.default_rng(seed)
    for _ in range(6):
        yield from questions(clip.facts, rng, world.labels, Holdout(False))


def named(clip: Clip, name: str) -> int:
    """The index of the thing with this name in a question, with or without its colour."""
    words = name.removeprefix("pair of ").split()
    fits = [i for i, t in enumerate(clip.scene.things) if t.label == words[-1] and (len(words) == 1 or t.colour == words[0])]
    assert len(fits) == 1, (name, [(t.colour, t.label) for t in clip.scene.things])
    return fits[0]


def seen(clip: Clip, i: int) -> np.ndarray:
    """bool [T]: where at least a quarter of its largest visible area can be seen."""
    areas = clip.masks[i].sum((1, 2))
    out: np.ndarray = areas > 0.25 * areas.max()
    return out


def test_acts_are_what_the_pixels_do(still: list[Clip]) -> None:
    """Compares centres and areas of the changed pixels over the frames of each act."""
    checked: Counter[str] = Counter()
    for clip in still:
        facts = clip.facts
        for i, thing in enumerate(facts.things):
            at = next(j for j, t in enumerate(clip.scene.things) if t is thing)
            if any(clip.tracks[at].shown[t] < 0.9 for t in range(16)) and thing.motion in (
                "still",
                "move",
                "stop",
                "start",
                "bend",
                "grow",
                "shrink",
            ):
                continue  # the centre of the visible part is not the centre of the thing
            for act in facts.acts[i]:
                first, last = act.first, act.end - 1
                if act.kind in ("move", "still"):
                    gone = clip.centre(at, last) - clip.centre(at, first if act.kind == "move" else min(first + 1, last))
                    way = np.array(DIRECTIONS[act.direction]) if act.direction else np.zeros(2)
                    assert act.kind == "still" or float(gone @ way) > 0.08, (thing, act)
                    assert np.abs(gone[way == 0]).max(initial=0) < 0.035, (thing, act, gone)
                elif act.kind in ("grow", "shrink"):
                    ratio = clip.area(at, last) / clip.area(at, first)
                    assert ratio > 1.4 if act.kind == "grow" else ratio < 1 / 1.4
                elif act.kind == "appear":
                    assert not clip.masks[at][: act.first].any() and clip.masks[at][act.first :].any((1, 2)).all()
                elif act.kind == "disappear":
                    assert clip.masks[at][: act.first].any((1, 2)).all() and not clip.masks[at][act.first :].any()
                elif act.kind in ("enter", "leave"):
                    outside, inside = (0, 15) if act.kind == "enter" else (15, 0)
                    assert clip.area(at, outside) == 0 and clip.area(at, inside) > 60
                    track = clip.tracks[at].box
                    t = next(t for t in (range(16) if act.kind == "enter" else range(15, -1, -1)) if clip.area(at, t) > 60)
                    edge = {"left": 2, "right": 0, "up": 3, "down": 1}[act.direction or ""]  # it comes from the side opposite to its direction
                    if act.kind == "leave":
                        edge = {2: 0, 0: 2, 3: 1, 1: 3}[edge]
                    assert abs(track[t][edge] - (1 if edge > 1 else 0)) < 0.05
                elif act.kind in ("pass", "hide"):
                    visible = seen(clip, at)
                    assert visible[0] and not visible.all() and visible[15] == (act.kind == "pass")
                    assert act.kind == "hide" or float((clip.centre(at, 15) - clip.centre(at, 0)) @ np.array(DIRECTIONS[act.direction or ""])) > 0.3
                elif act.kind == "bounce":
                    axis = 1 if act.direction == "up and down" else 0
                    path = np.array([clip.centre(at, t) for t in range(16) if clip.area(at, t)])
                    assert len({*np.sign(np.diff(path[:, axis])[np.abs(np.diff(path[:, axis])) > 0.01])}) == 2 or np.ptp(path[:, axis]) < 0.1
                elif act.kind == "turn":
                    assert (clip.masks[at][0] ^ clip.masks[at][8]).sum() > 0.02 * clip.area(at, 0)
                checked[act.kind] += 1
    assert all(checked[kind] >= 3 for kind in ("move", "still", "grow", "shrink", "appear", "disappear", "enter", "leave", "pass", "hide", "turn"))


def test_what_is_told_are_the_acts(still: list[Clip]) -> None:
    """The plain caption names each thing with its colour; a direction in any wording is that of some act."""
    rng = np.random.default_rng(0)
    for clip in still:
        facts = clip.facts
        said = captions(facts, rng)
        for thing in facts.things:
            assert thing.label in said[0] and (thing.colour is None or thing.colour in said[0])
        for line in said[1:]:
            for way in ("to the left", "to the right"):
                if way in line:
                    whole = " ".join(verb for t, acts in zip(facts.things, facts.acts, strict=True) for act in acts for verb in verbs(t, act))
                    assert way in whole, (line, whole)


def test_answers_hold_in_the_frames(still: list[Clip], world: World) -> None:
    checked: Counter[str] = Counter()

    def ask(pattern: str, question: str) -> tuple[str, ...] | None:
        found = re.fullmatch(pattern, question.replace("color", "colour").replace("gray", "grey").rstrip("?"))
        return found.groups() if found else None

    for clip in still:
        things = [i for i in range(len(clip.scene.things)) if clip.masks[i].any()]
        starts = {i: int(seen(clip, i).argmax()) for i in things}
        for question, answer, kind in asked(clip, world):
            if ask(r"(how many (objects|things) (are there|can you see)|count the objects)", question):
                assert answer == ("none", "one", "two", "three")[len(things)], question
                checked["count"] += 1
            elif got := ask(r"(?:which is bigger|what is bigger|which is larger), the (.+) or the (.+)", question):
                wide = {}
                for name in got:
                    box = clip.tracks[named(clip, name)].box
                    wide[name] = np.nanmax((box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1]))
                one, two = got
                assert answer == max(wide, key=lambda name: float(wide[name])) or max(wide.values()) < 1.25 * min(wide.values()), (one, two, wide)
                checked["size"] += 1
            elif got := ask(r"(?:which is further left|what is on the left), the (.+) or the (.+)", question):
                middles = {name: clip.centre(named(clip, name), 0)[0] for name in got if clip.area(named(clip, name), 0)}
                assert len(middles) < 2 or answer == min(middles, key=lambda name: float(middles[name]))
                checked["left"] += 1
            elif got := ask(r"(?:what is seen first|which is there first), the (.+) or the (.+)", question):
                first, second = (starts[named(clip, name)] for name in got)
                assert answer == (got[0] if first < second else got[1]), (question, answer, first, second)
                checked["first"] += 1
            elif got := ask(r"(?:is the (.+) seen|does the (.+) come) before or after the (.+)", question):
                first, second = starts[named(clip, got[0] or got[1])], starts[named(clip, got[2])]
                assert answer == ("before" if first < second else "after")
                checked["order"] += 1
            elif got := ask(r"where (?:is the (.+) at the (?:start|beginning)|does the (.+) start)", question):
                x, y = clip.centre(named(clip, got[0] or got[1]), 0)
                whole = clip.tracks[named(clip, got[0] or got[1])].shown[0] > 0.95
                for word, value in (("left", x), ("top", y)) if whole else ():
                    assert (word in answer) <= (value < 0.42) and ({"left": "right", "top": "bottom"}[word] in answer) <= (value > 0.58), (
                        question,
                        answer,
                    )
                checked["where"] += 1
            elif got := ask(r"is the (.+) (?:on|at) the (left|right|top|bottom) at the start", question):
                x, y = clip.centre(named(clip, got[0]), 0)
                value = x if got[1] in ("left", "right") else y
                yes = value < 0.45 if got[1] in ("left", "top") else value > 0.55
                assert (answer == "yes") == yes or clip.tracks[named(clip, got[0])].shown[0] < 0.95
                checked["placed"] += 1
            elif (got := ask(r"(?:is|does) the (.+) (?:moving|move|go) (to the left|to the right|up|down)", question)) and kind == "yesno":
                i = named(clip, got[0])
                visible = np.flatnonzero(clip.masks[i].any((1, 2)))
                gone = clip.centre(i, visible[-1]) - clip.centre(i, visible[0])
                way = np.array(DIRECTIONS[got[1].removeprefix("to the ")])
                assert (answer == "yes") == (float(gone @ way) > 0.12), (question, answer, gone, clip.scene.things[i].motion)
                checked["moves"] += 1
            elif got := ask(r"(?:does the (.+) go behind|is the (.+) hidden by) the (.+)", question):
                assert (answer == "yes") == (not seen(clip, named(clip, got[0] or got[1])).all())
                checked["behind"] += 1
    assert all(checked[name] >= 5 for name in ("count", "size", "left", "first", "order", "where", "placed", "moves", "behind")), checked


def hue_name(rgb: np.ndarray) -> str:
    h, s, v = colorsys.rgb_to_hsv(*(rgb / 255))
    if s < 0.2:
        return "white" if v > 0.82 else "black" if v < 0.25 else "grey"
    if v < 0.2:
        return "black"
    degrees = h * 360
    if 15 <= degrees < 45 and v < 0.66:
        return "brown"
    name = next(
        (name for end, name in ((15, "red"), (44, "orange"), (70, "yellow"), (170, "green"), (255, "blue"), (305, "purple")) if degrees < end), ""
    )
    return name or ("pink" if degrees < 348 or s < 0.55 else "red")


def test_colours_are_those_of_the_pixels(still: list[Clip], world: World) -> None:
    """The median of what is drawn, named by hue: with the faults of a recording nearly always, without them always."""
    right: Counter[bool] = Counter()
    for clip in still:
        for i, thing in enumerate(clip.scene.things):
            t = int(clip.masks[i].sum((1, 2)).argmax())
            if thing.colour and clip.area(i, t) > 60:
                right[hue_name(np.median(clip.video[t][clip.masks[i][t]], axis=0)) == thing.colour] += 1
    assert right[True] > 0.97 * right.total() and right.total() > 150, right
    faulty: Counter[bool] = Counter()
    for clip in clips(world, 8, 80, lambda s: s.kind == "things" and s.camera.motion == "still", faults=True):
        for i, thing in enumerate(clip.scene.things):
            t = int(clip.masks[i].sum((1, 2)).argmax())
            if thing.colour and clip.area(i, t) > 100:
                faulty[hue_name(np.median(clip.video[t][clip.masks[i][t]], axis=0)) == thing.colour] += 1
    assert faulty[True] > 0.85 * faulty.total() > 60, faulty


@pytest.mark.skipif(not HAVE, reason="no training pictures")
def test_stated_colours_of_pictures_are_seen_in_them() -> None:
    world, right = World(PICTURES, "val"), Counter[bool]()
    for clip in clips(world, 9, 90, lambda s: s.kind == "things" and s.camera.motion == "still"):
        for i, thing in enumerate(clip.scene.things):
            t = int(clip.masks[i].sum((1, 2)).argmax())
            if thing.colour and thing.rgb is None and clip.area(i, t) > 100:
                pixels = clip.video[t][clip.masks[i][t]]
                right[sum(hue_name(rgb) == thing.colour for rgb in pixels[::7]) > 0.25 * len(pixels[::7])] += 1
    assert right[True] > 0.85 * right.total() and right.total() > 25, right


def test_light_and_cuts_happen(world: World) -> None:
    for clip in clips(world, 10, 8, lambda s: s.light is not None and s.camera.motion == "still", faults=True):
        mean = clip.video[:, 40:56].mean((1, 2, 3))  # the middle has no bars
        darker = clip.scene.light == "darker"
        assert mean[-1] < 0.85 * mean[0] if darker else mean[0] < 0.85 * mean[-1]
        for question, answer, _ in asked(clip, world):
            if got := re.fullmatch(r"(?:does it get|does the picture get|is it getting) (darker|brighter)\??", question):
                assert (answer == "yes") == (got[1] == clip.scene.light)
    for clip in clips(world, 11, 12, lambda s: s.camera.motion == "cut"):
        at = clip.scene.camera.at
        for question, answer, _ in asked(clip, world):
            if got := re.fullmatch(r"(?:is the (.+) shown|does the (.+) come) before or after the cut\??", question):
                mask = clip.masks[named(clip, got[1] or got[2])]
                assert (answer == "before") == bool(mask[:at].any()) and (answer == "after") == bool(mask[at:].any())


def test_the_mirror_image_is_told_as_it_is(world: World) -> None:
    """Mirrored, the words still agree with how the boxes move, and every word for a side has been swapped."""
    rng, checked = np.random.default_rng(12), 0
    for sample in world.samples([np.random.default_rng((12, i)) for i in range(120)]):
        turned: Sample = mirrored(sample)  # type: ignore[assignment]
        assert (turned.video == sample.video[:, :, ::-1]).all() and mirrored(turned).captions == sample.captions
        for (_, before, kind), (question, after, _) in zip(sample.qa, turned.qa, strict=True):
            plain = re.sub("left and right", "", f"{before} {after}")
            assert ("left" in before.split()) == ("right" in after.split()) or "left" not in plain
            if kind == "direction" and after in ("left", "right"):
                name = re.search(r"the (.+?) (?:move|go|moving|going)", question)
                assert name
                xs = [box[1] for t in range(16) for box in turned.boxes[t] if box[0] == name[1].split()[-1]]
                if len(xs) > 8 and len({box[0] for box in turned.boxes[8]}) == len(turned.boxes[8]):
                    assert (xs[-1] < xs[0]) == (after == "left"), (question, after, xs)
                    checked += 1
    assert checked >= 5 and rng is not None


def test_a_single_picture_does_not_move(world: World) -> None:
    """Nobody could say of a picture that something in it stays still."""
    source = World(PICTURES if HAVE else None, "val", frames=1)
    course = r"\b(still|mov\w+|stays?|stays|stop\w*|camera|video|clip|start|end|turn\w*|grow\w*|appear\w*|bounc\w+|then|darker|brighter|cut|while)\b"
    photos = 0
    for sample in source.samples([np.random.default_rng((1, i)) for i in range(200)]):
        assert sample.video.shape == (1, 96, 96, 3) and list(sample.boxes) == [0]
        for line in [*sample.captions, *(f"{q} {a}" for q, a, _ in sample.qa)]:
            assert not re.search(course, line), line
        assert {kind for _, _, kind in sample.qa} <= {"what", "colour", "count", "size", "where", "yesno"}
        photos += "photo" in sample.caption
    assert photos > 20 or not HAVE
    assert world.frames == 16


def test_boxes_of_a_track_follow_its_thing(still: list[Clip]) -> None:
    placed = 0
    for clip in still[:40]:
        if len(clip.tracks) == 1 and clip.tracks[0].shown[0] > 0.99:
            _, cx, cy, _, _ = boxes_of(clip.tracks, 16)[0][0]
            assert np.abs(clip.centre(0, 0) - (cx, cy)).max() < 0.04  # x first
            placed += abs(cx - cy) > 0.1
        for t, boxes in boxes_of(clip.tracks, 16).items():
            for label, cx, cy, w, h in boxes:
                assert min(w, h) > 0 and min(cx - w / 2, cy - h / 2) > -1e-6 and max(cx + w / 2, cy + h / 2) < 1 + 1e-6
                assert any(track.label == label and track.shown[t] > 0.25 for track in clip.tracks)
    assert placed > 3


def test_the_scene_decides_alone(world: World) -> None:
    """Recording faults change no word."""

    def told(scene: Scene) -> list[str]:
        return captions(Facts(scene, compose([scene], world.assets, 96)[0][1]), np.random.default_rng(0))

    for i in range(20):
        scene = world.scene(np.random.default_rng((4, i)))
        if scene.look.hold == 1 and scene.light is None and not any(scene.look.bars):
            assert told(scene) == told(clear(scene))
