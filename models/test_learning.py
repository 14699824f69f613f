"""A short real training run on composed video: a simplified world with the generator's own pictures, captions and questions."""

import math
from dataclasses import replace
from pathlib import Path

import numpy as np

from models import tokenizer
from models.config import CONFIGS, Config, Training
from models.data.generator import World
from models.data.scene import MAIN, Look, Scene
from models.evaluate import evaluate
from models.model import load
from models.train import train

COLOURS, SHAPES = ("red", "green", "blue", "yellow"), ("square", "star", "heart")
GREY = ((120, 120, 120), (150, 150, 150))


class Few(World):
    """One thing of few shapes and colours, clearly filmed by a camera at rest over six grey textures: captions of a batch distinguish its clips."""

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
                if thing.motion in ("move", "grow", "shrink") and thing.direction in (None, *MAIN) and thing.colour in COLOURS:
                    grey = [replace(shot, colours=GREY) for shot in scene.shots]
                    return replace(scene, shots=grey, look=Look(), light=None, gains=None)


def test_a_minute_on_composed_video_beats_guessing(tmp_path: Path) -> None:
    """All losses fall, and on unseen clips questions are answered and captions matched far better than by chance.

    Over the seeds 1 to 4 this gave: contrastive loss 1.2 to 1.5, colours 100 %, names 56 to 60 %, yes or no 66 to 71 %, R@5 55 to 66 %."""
    world = Few()
    lines = [*world.corpus(2000, np.random.default_rng(1)), *world.labels, *tokenizer.PROMPTS.values()]
    tokenizer.train(lines, 512).save(str(tmp_path / "tokenizer.json"))
    text = tokenizer.Text.load(tmp_path / "tokenizer.json", 48)
    config = Config.from_json({**CONFIGS["tiny"].to_json(), "vocab": text.tokenizer.get_vocab_size()})
    recipe = Training(batch=12, questions=4, lr=3e-3, warmup=20, pool=1200, negatives=8, contrastive_weight=1.0)
    history = train(lambda: world, config, recipe, tmp_path, steps=240, labels=world.labels, warm=64)
    first, last = history[0], history[-1]
    assert last["caption"] < 0.25 * first["caption"] and last["answer"] < 0.25 * first["answer"], last
    assert last["contrastive"] < 0.75 * math.log(recipe.batch), last  # that of guessing

    model, _ = load(tmp_path / "checkpoint.pt")
    clips = world.samples([np.random.default_rng((99, i)) for i in range(80)])
    scores = {(row["task"], row["metric"]): row["value"] for row in evaluate(model, text, clips, world.labels, "0.0.1")["scores"]}
    for kind, margin in (("colour", 0.4), ("what", 0.12), ("yesno", 0.08)):
        assert scores["answer", f"exact match: {kind}"] > scores["answer", f"commonest answer: {kind}"] + margin, scores
    among = len({clip.caption for clip in clips})
    for way in ("", "clip to text "):
        assert scores["search", f"{way}R@5 among {among}"] > 3 * 5 / among, scores
