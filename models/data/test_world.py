"""The world as a whole: its form, what training never sees, its balance and variety, and where its pictures come from."""

import itertools
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from models.data import assets
from models.data.claims import HAVE, PICTURES
from models.data.facts import Facts
from models.data.generator import Sample, World
from models.data.grammar import EXIT, NUMBERS, PAIRS, SOURCE, captions, plural
from models.data.names import COLOURS, GROUNDS, NAMES, NOVEL, NOVEL_SHAPES, PHOTOS, SCREENS, SHAPES, held_colour, held_motion
from models.data.questions import ACTS, TYPES
from models.data.scene import DIRECTIONS

# The largest share that the commonest answer of a type may have.
COMMONEST = {"what": 0.2, "colour": 0.25, "count": 0.48, "direction": 0.2, "speed": 0.6, "size": 0.45, "where": 0.25, "camera": 0.3}
COMMONEST |= {"before-after": 0.25, "yesno": 0.5}
HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def train() -> World:
    return World(None, "train")


@pytest.fixture(scope="module")
def samples(train: World) -> list[Sample]:
    return [each for k in range(16) for each in train.samples([np.random.default_rng((k, i)) for i in range(32)])]


def lines(sample: Sample) -> Iterator[str]:
    """All words of a clip."""
    yield from sample.captions
    yield from (f"{question} {answer}".replace("color", "colour").replace("gray", "grey") for question, answer, _ in sample.qa)


def test_form(samples: list[Sample], train: World) -> None:
    for sample in samples:
        assert sample.video.shape == (16, 96, 96, 3) and sample.video.dtype == np.uint8
        assert sample.captions[0] == sample.caption and len({*sample.captions}) == len(sample.captions) >= 1
        assert all(len(c.split()) <= 24 and c == c.lower() for c in sample.captions), sample.captions
        assert 1 <= len(sample.qa) <= 10 and {kind for _, _, kind in sample.qa} <= {*TYPES}
        assert list(sample.boxes) == list(range(16))
        assert all(box[0] in train.labels for boxes in sample.boxes.values() for box in boxes)
        assert not sample.novel


def test_other_sizes_and_lengths() -> None:
    (sample,) = World(None, "val", frames=8, size=64).samples([np.random.default_rng(1)])
    assert sample.video.shape == (8, 64, 64, 3)
    with pytest.raises(ValueError, match="multiple of 4"):
        World(None, "train", size=50)
    with pytest.raises(ValueError, match="no split"):
        World(None, "test")


def answer_words() -> set[str]:
    """Every word that an answer may contain, besides labels and the names of photos and backgrounds."""
    words = {*COLOURS, *SHAPES, *SCREENS, *NOVEL_SHAPES, *NUMBERS, "yes", "no", "still", "fast", "slowly", "big", "small", "bigger", "smaller"}
    words |= {"middle", "top", "bottom", "before", "after", "behind", "the", "pair", "of"} | {w for d in DIRECTIONS for w in d.split()}
    words |= {word for each in (*ACTS.values(), *SOURCE.values(), *EXIT.values()) for word in each.split()}
    return words | {*["moves", "comes", "leaves", "pans", "tilts", "zooms", "shakes", "cuts", "in", "out"]}


def test_no_answer_is_a_good_guess(samples: list[Sample]) -> None:
    by_type: dict[str, Counter[str]] = {kind: Counter() for kind in TYPES}
    by_form: dict[str, Counter[str]] = {}
    known = answer_words() | {word for what in (*PHOTOS.values(), *GROUNDS.values()) for word in what.split()}
    for sample in samples:
        for question, answer, kind in sample.qa:
            by_type[kind][answer] += 1
            assert len(answer.split()) <= 5 and {*answer.split()} <= known, answer
            assert (kind == "yesno") == (answer in ("yes", "no"))
            if kind == "yesno":
                by_form.setdefault(" ".join(question.split()[:2]), Counter())[answer] += 1
    for kind, counts in by_type.items():
        assert counts.total() > 60, kind
        assert max(counts.values()) <= (COMMONEST[kind] + 0.02) * counts.total(), (kind, counts.most_common(3))
    # No wording may give the answer away.
    for form, counts in by_form.items():
        if counts.total() > 80:
            assert 0.4 < counts["yes"] / counts.total() < 0.6, (form, counts)


def test_words_before_the_picture_do_not_answer(samples: list[Sample]) -> None:
    """A guesser that knows the whole question, but not the clip, is about as often wrong as right on yes and no."""
    seen: dict[str, Counter[str]] = {}
    half = len(samples) // 2
    for sample in samples[:half]:
        for question, answer, kind in sample.qa:
            if kind == "yesno":
                seen.setdefault(question.removesuffix("?"), Counter())[answer] += 1
    tried = [
        (seen[q.removesuffix("?")].most_common(1)[0][0], a)
        for s in samples[half:]
        for q, a, _ in s.qa
        if q.removesuffix("?") in seen and a in ("yes", "no")
    ]
    assert len(tried) > 150 and sum(guess == truth for guess, truth in tried) < 0.62 * len(tried)


def test_the_grammar_says_one_scene_in_many_ways(train: World) -> None:
    rng = np.random.default_rng(3)
    scene = next(s for s in (train.scene(rng) for _ in range(200)) if [t.motion for t in s.things] == ["move", "move"] and s.camera.motion == "still")
    said = [line for _ in range(250) for line in captions(Facts(scene, None), rng)]
    assert len({*said}) > 250
    frames = Counter(re.sub(r"\b(" + "|".join((*COLOURS, *SHAPES, "left", "right", "up", "down")) + r")\b", "_", line) for line in said)
    assert len(frames) > 150


def pairs(sample: Sample) -> Iterator[tuple[str, str]]:
    """(colour, noun) wherever the one directly precedes the other in the texts."""
    nouns = {plural(n).removeprefix("pairs of "): n for n in (*SHAPES, *SCREENS, *NAMES)} | {n: n for n in (*SHAPES, *SCREENS, *NAMES)}
    for line in lines(sample):
        words = re.findall(r"[a-z]+", line)
        yield from ((a, nouns[b]) for a, b in itertools.pairwise(words) if a in COLOURS and b in nouns)
        found = re.search(r"is the (?:colour of the )?(?:pair of )?([a-z]+) ([a-z]+)", line)
        if found and found[2] in COLOURS and found[1] in nouns:
            yield found[2], nouns[found[1]]


def test_held_out_pairs_are_in_no_training_clip_and_in_validation(samples: list[Sample], train: World) -> None:
    """In pictures and in words; and both parts of a held-out pair are common in other pairs."""
    colours: set[tuple[str, str]] = set()
    motions: set[tuple[str, str, str]] = set()
    for sample in samples:
        colours |= {*pairs(sample)} | {(t.colour, t.label) for t in sample.tracks if t.colour}
    rng = np.random.default_rng(9)
    for _ in range(1500):
        for t in train.scene(rng).things:
            motions |= {(t.motion, t.direction or "", t.label)} | ({("move", t.then, t.label)} if t.then else set())
            assert not (t.colour and held_colour(t.colour, t.label))
    assert not {pair for pair in colours if held_colour(*pair)}
    assert not {each for each in motions if held_motion(*each)}
    assert {colour for colour, _ in colours} == {*COLOURS}
    assert {label for _, label in colours} >= {*SHAPES} and {label for _, _, label in motions} >= {*SHAPES}
    assert sum(held_colour(c, n) for c in COLOURS for n in SHAPES) > 5

    val = World(None, "val")
    shown = val.samples([np.random.default_rng((7, i)) for i in range(200)])
    assert {"name", "colour", "motion"} == frozenset().union(*(sample.novel for sample in shown))
    assert any(held_colour(*pair) for sample in shown for pair in pairs(sample))
    assert {box[0] for sample in shown for boxes in sample.boxes.values() for box in boxes} & {*NOVEL_SHAPES}


def test_novel_names_are_in_no_training_word(samples: list[Sample], train: World) -> None:
    fine = {name for names in NAMES.values() for name in names}
    assert not fine & {name for names in NOVEL.values() for name in names}
    assert not {*NOVEL, *NOVEL_SHAPES} & {*NAMES, *SHAPES, *SCREENS}
    assert not any(name in what.split() for name in NOVEL for what in PHOTOS.values())
    words = {word for sample in samples for line in lines(sample) for word in re.findall(r"[a-z]+", line)}
    assert not words & {*NOVEL, *NOVEL_SHAPES} and not {*NOVEL, *NOVEL_SHAPES} & {*train.labels}


@pytest.mark.skipif(not HAVE, reason="no training pictures")
def test_no_picture_is_in_both_splits() -> None:
    """By the index, and by the pixels that were kept."""
    index = json.loads((PICTURES / "index.json").read_text())
    members = {split: {(e["tar"], e["member"]) for e, _, _ in assets.chosen(PICTURES, split)} for split in ("train", "val")}
    assert not members["train"] & members["val"] and min(map(len, members.values())) > 300
    names = {(e["tar"], e["member"]): e["name"] for e in index}
    novel = {fine for all_fine in NOVEL.values() for fine in all_fine}
    assert not {names[m] for m in members["train"]} & novel and {names[m] for m in members["val"]} & novel
    train, val = (assets.load(PICTURES, split) for split in ("train", "val"))
    # Entirely black ones are not pictures.
    of = {split: {p.numpy().tobytes() for p in loaded.bank if len(p.unique()) > 9} for split, loaded in (("train", train), ("val", val))}
    assert not of["train"] & of["val"]
    assert {*NOVEL} <= {*val.cut_outs} and not {*NOVEL} & {*train.cut_outs}
    for name, pictures in train.cut_outs.items():
        assert not any(p.colour and held_colour(p.colour, name) for p in pictures), name
    world = World(PICTURES, "val")
    assert {*NOVEL} <= {*world.novel} <= {*world.labels}
    shown = {box[0] for s in world.samples([np.random.default_rng((2, i)) for i in range(150)]) for boxes in s.boxes.values() for box in boxes}
    assert shown & {*NOVEL} and shown & {*NAMES} and shown & {*SHAPES}


FREE = {"Apache-2.0", "CC0-1.0", "MIT", "CC-BY-4.0"}  # no licence that forbids commercial use or is share-alike


def test_every_source_has_a_licence_that_allows_what_is_done() -> None:
    sources = json.loads((HERE / "sources.json").read_text())
    assert {source["licence"] for source in sources} <= FREE
    told, notice = (HERE / "SOURCES.md").read_text(), (HERE.parent / "packs" / "NOTICE").read_text()
    for source in sources:
        assert re.fullmatch(r"[0-9a-f]{40}", source["commit"]) and source["attribution"] and source["used for"]
        for text in (told, notice):
            assert source["repository"] in text and source["commit"] in text, source["repository"]
    in_packs = {entry["licence"] for entry in json.loads((HERE.parent / "packs" / "data.json").read_text())}
    assert {source["licence"] for source in sources} <= in_packs <= FREE


def test_a_picture_of_unknown_source_is_refused(tmp_path: Path) -> None:
    entry = {"tar": "a.tar", "member": "x.webp", "kind": "sprite", "name": "dog", "split": "train", "dominant_colour": None}
    entry |= {"source_repo": "some/body", "source_commit": "0" * 40, "licence": "CC-BY-NC-4.0"}
    (tmp_path / "index.json").write_text(json.dumps([entry]))
    with pytest.raises(ValueError, match=r"no source in sources\.json"):
        assets.load(tmp_path, "train")


def test_words_have_their_plural() -> None:
    assert plural("mouse") == "mice" and plural("star") == "stars" and all(plural(n) == f"pairs of {n}" for n in PAIRS)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_draws_the_same_pictures() -> None:
    rngs = [[np.random.default_rng(i) for i in range(8)] for _ in range(2)]
    one, two = World(None, "val").samples(rngs[0]), World(None, "val", device="cuda").samples(rngs[1])
    for a, b in zip(one, two, strict=True):
        assert np.abs(a.video.astype(int) - b.video).max() <= 2 and a.captions == b.captions
