"""A short real training run on composed video: a small world of it, but the generator's own pictures, captions and questions."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from models import tokenizer
from models.config import CONFIGS, Config, Training
from models.data.generator import World
from models.data.scene import Scene
from models.evaluate import evaluate
from models.model import load
from models.train import train

COLOURS, SHAPES = ("red", "green", "blue", "yellow"), ("square", "star", "heart")


class Few(World):
    """One thing of few shapes and colours, seen by a camera at rest over six textures."""

    def __init__(self) -> None:
        super().__init__(None, "train")
        shapes = {name: pictures for name, pictures in self.assets.shapes.items() if name in (*SHAPES, "pillar", "wall")}
        self.assets = replace(self.assets, shapes=shapes, textures=self.assets.textures[:6])
        self.labels = [*SHAPES]

    def scene(self, rng: np.random.Generator) -> Scene:
        while True:
            scene = super().scene(rng)
            if len(scene.things) == 1 and scene.camera.motion == "still":
                (thing,) = scene.things
                if thing.motion in ("move", "grow", "shrink") and thing.colour in COLOURS:
                    return scene


def test_a_minute_on_composed_video_beats_guessing(tmp_path: Path) -> None:
    """Captions and answers are learned, and questions on clips never seen are answered better than by the commonest answer of their kind.

    (The contrastive loss needs longer here; that it falls is shown on the toy world, in test_train.)"""
    world = Few()
    lines = [*world.corpus(2000, np.random.default_rng(1)), *world.labels, *tokenizer.PROMPTS.values()]
    tokenizer.train(lines, 512).save(str(tmp_path / "tokenizer.json"))
    text = tokenizer.Text.load(tmp_path / "tokenizer.json", 48)
    config = Config.from_json({**CONFIGS["tiny"].to_json(), "vocab": text.tokenizer.get_vocab_size()})
    recipe = Training(batch=12, questions=4, lr=3e-3, warmup=20, pool=1200, negatives=8)
    history = train(lambda: world, config, recipe, tmp_path, steps=320, labels=world.labels, warm=64)
    assert history[-1]["caption"] < 0.25 * history[0]["caption"] and history[-1]["answer"] < 0.2 * history[0]["answer"]

    model, _ = load(tmp_path / "checkpoint.pt")
    clips = world.samples([np.random.default_rng((99, i)) for i in range(80)])
    scores = {score["metric"]: score["value"] for score in evaluate(model, text, clips, world.labels, "0.0.1")["scores"] if score["task"] == "answer"}
    assert scores["exact match: colour"] > scores["commonest answer: colour"] + 0.04, scores
    assert scores["exact match: yesno"] > 0.56, scores  # half of them are answered with yes
