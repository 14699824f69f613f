"""python -m unittest models.data.test_generator; parts that need the training pictures say so loudly when there are none."""

from __future__ import annotations

import os
import unittest
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np

from models.data.assets import NAMES, NOVEL, PHOTOS, SHAPES, load
from models.data.generator import Sample, World
from models.data.language import answer_words, captions, questions
from models.data.render import render
from models.data.scene import DIRECTIONS, Look, Scene, sample_scene

PICTURES = Path(os.environ.get("TUBELET_TRAIN_DATA", "") or Path(__file__).parents[3] / "shared" / "train-data")
HAVE = (PICTURES / "index.json").is_file()
if not HAVE:
    print(f"\n*** NO TRAINING PICTURES at {PICTURES}: tests with cut-outs, photos and the held-out names are SKIPPED ***\n", flush=True)


def clean(scene: Scene) -> Scene:
    scene.look = Look()
    return scene


class Shapes(unittest.TestCase):
    """Without any training pictures."""

    world: World
    samples: list[Sample]

    @classmethod
    def setUpClass(cls) -> None:
        cls.world = World(None, "train")
        rng = np.random.default_rng(3)
        cls.samples = [cls.world.sample(rng) for _ in range(60)]

    def test_form(self) -> None:
        for sample in self.samples:
            self.assertEqual((sample.video.shape, sample.video.dtype), ((16, 96, 96, 3), np.uint8))
            self.assertEqual(sample.captions[0], sample.caption)
            self.assertEqual(len(set(sample.captions)), len(sample.captions))
            self.assertTrue(all(len(c.split()) <= 26 and c == c.lower() for c in sample.captions), sample.captions)
            self.assertLessEqual(len(sample.caption.split()), 24, sample.caption)
            self.assertTrue(6 <= len(sample.qa) <= 10, sample.qa)
            self.assertEqual(sorted(sample.boxes), list(range(16)))
            for boxes in sample.boxes.values():
                for label, cx, cy, w, h in boxes:
                    self.assertIn(label, self.world.labels)
                    self.assertTrue(min(w, h) > 0 and min(cx - w / 2, cy - h / 2) > -1e-6 and max(cx + w / 2, cy + h / 2) < 1 + 1e-6)

    def test_size_and_frames(self) -> None:
        sample = World(None, "val", frames=8, size=64).sample(np.random.default_rng(1))
        self.assertEqual(sample.video.shape, (8, 64, 64, 3))

    def test_same_numbers_same_clip(self) -> None:
        one, two = (self.world.sample(np.random.default_rng(5)) for _ in range(2))
        np.testing.assert_array_equal(one.video, two.video)
        self.assertEqual((one.captions, one.qa, one.boxes), (two.captions, two.qa, two.boxes))
        self.assertEqual(self.world.corpus(300, np.random.default_rng(2)), self.world.corpus(300, np.random.default_rng(2)))

    def test_boxes_cover_what_is_drawn(self) -> None:
        rng = np.random.default_rng(11)
        seen = 0
        while seen < 25:
            scene = clean(sample_scene(rng, self.world.assets, 16))
            if len(scene.things) != 1:
                continue
            video, boxes = render(scene, self.world.assets, 96)
            empty, _ = render(scene, self.world.assets, 96, things=False)
            for t in (0, 7, 15):
                changed = np.abs(video[t].astype(int) - empty[t]).max(-1) > 40
                if not boxes[t] or changed.sum() < 60:
                    continue
                _, cx, cy, w, h = boxes[t][0]
                x0, y0, x1, y1 = (round(v * 96) for v in (cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2))
                inside = np.zeros_like(changed)
                inside[y0:y1, x0:x1] = True
                self.assertGreater((changed & inside).sum() / changed.sum(), 0.97)
                rows, columns = np.flatnonzero(changed.any(1)), np.flatnonzero(changed.any(0))
                tight = (columns[-1] + 1 - columns[0]) * (rows[-1] + 1 - rows[0])
                self.assertGreater(tight, 0.75 * (x1 - x0) * (y1 - y0))
                seen += 1

    def test_said_directions_are_those_of_the_boxes(self) -> None:
        rng = np.random.default_rng(4)
        checked = 0
        while checked < 40:
            scene = clean(sample_scene(rng, self.world.assets, 16))
            if len(scene.things) != 1 or scene.camera.motion != "still" or scene.things[0].motion not in ("move", "still"):
                continue
            _, boxes = render(scene, self.world.assets, 96)
            if not boxes[0] or not boxes[15]:
                continue
            gone = np.array(boxes[15][0][1:3]) - np.array(boxes[0][0][1:3])
            said, direction = captions(scene, rng)[0], scene.things[0].direction
            if direction is None:
                self.assertIn("stays still", said)
                self.assertLess(np.abs(gone).max(), 0.01)
            else:
                self.assertIn(direction.replace("left", "to the left").replace("right", "to the right"), said)
                wanted = np.array(DIRECTIONS[direction])
                self.assertGreater(float(gone @ wanted), 0.1 * float(wanted @ wanted), said)
                self.assertLess(np.abs(gone[wanted == 0]).max(initial=0), 0.03, said)
            checked += 1

    def test_as_many_yes_as_no(self) -> None:
        rng = np.random.default_rng(6)
        answers: Counter[str] = Counter()
        by_form: dict[str, Counter[str]] = {}
        for _ in range(450):
            for question, answer, kind in questions(sample_scene(rng, self.world.assets, 16), rng, self.world.labels):
                if kind == "yesno":
                    answers[answer] += 1
                    by_form.setdefault(" ".join(question.split()[:2]), Counter())[answer] += 1
                else:
                    self.assertNotIn(answer, ("yes", "no"))
        self.assertLess(abs(answers["yes"] - answers["no"]), 0.05 * answers.total(), answers)
        # No wording may give the answer away.
        for form, counts in by_form.items():
            if counts.total() > 80:
                self.assertTrue(0.3 < counts["yes"] / counts.total() < 0.7, (form, counts))

    def test_answers_are_short_and_known(self) -> None:
        rng = np.random.default_rng(8)
        known = answer_words() | set(SHAPES)
        for _ in range(300):
            for _, answer, kind in questions(sample_scene(rng, self.world.assets, 16), rng, self.world.labels):
                self.assertLessEqual(len(answer.split()), 4, answer)
                self.assertTrue(set(answer.split()) <= known, answer)
                self.assertIn(kind, ("colour", "what", "count", "direction", "speed", "size", "where", "camera", "yesno"))


@unittest.skipUnless(HAVE, "no training pictures")
class Pictures(unittest.TestCase):
    val: World

    @classmethod
    def setUpClass(cls) -> None:
        cls.val = World(PICTURES, "val")

    def test_val_shows_held_out_names(self) -> None:
        self.assertTrue(set(NOVEL) <= set(self.val.labels))
        self.assertTrue(set(NOVEL) <= set(self.val.assets.cut_outs))
        rng = np.random.default_rng(0)
        for _ in range(20):
            sample = self.val.sample(rng)
            self.assertEqual(sample.video.shape, (16, 96, 96, 3))
            self.assertTrue(6 <= len(sample.qa) <= 10, sample.qa)

    def test_train_never_says_or_shows_them(self) -> None:
        fine = {name for names in NAMES.values() for name in names}
        self.assertFalse(fine & {name for names in NOVEL.values() for name in names})
        self.assertFalse(set(NOVEL) & {*NAMES, *SHAPES})
        # The words: val's pictures under the labels of train, which spares reading train's.
        rng = np.random.default_rng(1)
        assets = load(PICTURES, "val")
        known = {name: pictures for name, pictures in assets.cut_outs.items() if name not in NOVEL}
        labels = [*SHAPES, *NAMES]
        shown = replace(assets, cut_outs=known)
        words: set[str] = set()
        for _ in range(300):
            scene = sample_scene(rng, shown, 16)
            for line in [*captions(scene, rng), *(f"{q} {a}" for q, a, _ in questions(scene, rng, labels))]:
                words |= set(line.replace(",", " ").replace("?", " ").split())
        self.assertFalse(words & (set(NOVEL) - {"pear"}) or "pear" in words)
        self.assertFalse(any(name in what.split() for name in NOVEL for what in PHOTOS.values()))


if __name__ == "__main__":
    unittest.main()
