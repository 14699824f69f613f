"""The paper's ablations (MaMMUT Tables 6 to 10) on composed video at small size: each variant learns from the same clips in the same order.

    python -m models.ablate --out runs/ablations [--steps 800] [--clips 2000] [--validation 400]

Writes ablations.json, a row a variant as it is done, and goes on from there when it is started again; prints the table. One drawn shape before a
camera at rest: no folder of pictures is needed, and a few minutes a variant on a CPU are enough for each loss to be learnt. Scores: text to clip
and clip to text R@1 and R@10 among the validation clips of distinct captions, and the share of right answers.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models import tokenizer
from models.batches import Item, collate, make_item, mirrored
from models.config import CONFIGS, Config, Training
from models.data.generator import World
from models.data.scene import Scene
from models.evaluate import answer_all, embed, encode_all
from models.metrics import recall, vqa_accuracy
from models.model import Mammut
from models.tokenizer import PROMPTS, Text
from models.train import Learner, label_ids, learning_rate, optimisers

# Four text layers, so that one, two and four of them can look at the clip.
SMALL = replace(CONFIGS["mini"], name="ablation", width=48, heads=2, vision_layers=2, text_layers=4, cross_every=2)
RECIPE = Training(batch=32, questions=4, lr=3e-3, contrastive_weight=1.0)

SHOWN = ("clip to text R@1", "text to clip R@1", "clip to text R@10", "text to clip R@10", "answers right")

Variant = tuple[str, str, Config, Training]


class Plain(World):
    """Clips of one thing before a camera at rest."""

    def scene(self, rng: np.random.Generator) -> Scene:
        while True:
            scene = super().scene(rng)
            if scene.kind == "things" and len(scene.things) == 1 and scene.camera.motion == "still":
                return scene


def variants(base: Config, recipe: Training) -> list[Variant]:
    """(what, setting, config, recipe). The first is the base; every other row differs from it in one thing."""

    def weights(contrastive: float, generative: float) -> Training:
        return replace(recipe, contrastive_weight=contrastive, caption_weight=generative, answer_weight=generative)

    return [
        ("base", "two cross-attention layers, both losses 1 : 1, bidirectional, tubes, fixed positions", base, recipe),
        ("base", "another seed", base, replace(recipe, seed=2)),
        ("objectives", "contrastive only", base, weights(1, 0)),
        ("objectives", "generative only", base, weights(0, 1)),
        ("cross-attention layers", "1", replace(base, cross_every=4), recipe),
        ("cross-attention layers", "4", replace(base, cross_every=1), recipe),
        ("contrastive text", "causal", replace(base, causal_contrast=True), recipe),
        ("weights contrastive : generative", "2 : 0.5", base, weights(2, 0.5)),
        ("weights contrastive : generative", "2 : 1", base, weights(2, 1)),
        ("weights contrastive : generative", "1 : 2", base, weights(1, 2)),
        ("weights contrastive : generative", "0.5 : 2", base, weights(0.5, 2)),
        ("video", "no tubes", replace(base, tubes=base.tubes[:1]), recipe),
        ("video", "no fixed positions", replace(base, fixed_positions=False), recipe),
    ]


def learn(config: Config, recipe: Training, items: Sequence[Item], labels: torch.Tensor, steps: int) -> Mammut:
    """The model after `steps` batches of `items`, averaged over its last steps. Which clips a step sees follows from the step alone."""
    torch.manual_seed(recipe.seed)
    model = Mammut(config)
    learner, optimizers = Learner(model, recipe, labels), optimisers(model, recipe)
    average = [p.detach().clone() for p in model.parameters()]
    kinds = len(config.tubes)
    for step in range(steps):
        rng = np.random.default_rng((0, step))
        drawn = [items[i] for i in rng.integers(len(items), size=recipe.batch)]
        batch = collate([replace(item, tubes=item.tubes[:kinds]) for item in drawn], rng, recipe.questions)
        for group in (group for optimizer in optimizers for group in optimizer.param_groups):
            group["lr"] = learning_rate(recipe, step, step / steps)
        total, _ = learner(batch)
        model.zero_grad()
        torch.autograd.backward(total)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer in optimizers:
            optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(average, list(model.parameters()), 1 - min(0.99, step / (step + 10)))
    with torch.no_grad():
        for parameter, kept in zip(model.parameters(), average, strict=True):
            parameter.copy_(kept)
    return model.eval()


@torch.no_grad()
def judge(model: Mammut, text: Text, samples: Sequence[Any]) -> dict[str, float]:
    seen = encode_all(model, [s.video for s in samples])
    distinct = list({s.caption: i for i, s in enumerate(samples)}.values())
    similarity = (embed(model, text, [samples[i].caption for i in distinct]) @ seen.embedding[distinct].T).numpy()
    own = np.eye(len(distinct), dtype=bool)
    asked = [(i, q, a) for i, s in enumerate(samples) for q, a, _ in s.qa]
    of = [i for i, _, _ in asked]
    said = answer_all(model, text, [PROMPTS["question"].format(question=q) for _, q, _ in asked], seen.cross_k[of], seen.cross_v[of])
    right = [vqa_accuracy(got, [a]) for (got, _, _), (_, _, a) in zip(said, asked, strict=True)]
    return {
        **{f"text to clip R@{k}": recall(similarity, own, k) for k in (1, 10)},
        **{f"clip to text R@{k}": recall(similarity.T, own.T, k) for k in (1, 10)},
        "answers right": float(np.mean(right)),
        "among": len(distinct),
        "questions": len(right),
    }


def prepare(out: Path, clips: int, validation: int) -> tuple[list[Item], list[Any], Config, Text, torch.Tensor]:
    """The same clips for every variant, composed once and kept in `out`."""
    kept = out / f"clips-{clips}-{validation}.pickle"
    world = Plain(None, "train", frames=SMALL.frames, size=SMALL.size)
    vocabulary = out / "tokenizer.json"
    if not vocabulary.exists():
        tokenizer.train([*world.corpus(10000, np.random.default_rng(0)), *world.labels, *PROMPTS.values()], 1024).save(str(vocabulary))
    text = Text.load(vocabulary, SMALL.context)
    config = replace(SMALL, vocab=text.tokenizer.get_vocab_size())
    if not kept.exists():
        names = {name: i for i, name in enumerate(world.labels)}
        # One at a time: the videos of all clips together would fill the memory.
        made = (world.sample(np.random.default_rng((1, i))) for i in range(clips))
        items = [make_item(each, config, text, names) for sample in made for each in (sample, mirrored(sample))]
        held = Plain(None, "val", frames=SMALL.frames, size=SMALL.size)
        with kept.open("wb") as file:
            pickle.dump((items, [held.sample(np.random.default_rng((2, i))) for i in range(validation)]), file)
    with kept.open("rb") as file:
        items, samples = pickle.load(file)
    return items, samples, config, text, label_ids(text, list(world.labels))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=800)
    parser.add_argument("--clips", type=int, default=2000)
    parser.add_argument("--validation", type=int, default=400)
    args = parser.parse_args()
    torch.set_num_threads(1)
    args.out.mkdir(parents=True, exist_ok=True)
    items, samples, config, text, labels = prepare(args.out, args.clips, args.validation)
    table = args.out / "ablations.json"
    rows: list[dict[str, Any]] = json.loads(table.read_text()) if table.exists() else []
    for what, setting, shape, recipe in variants(config, RECIPE):
        if any((row["what"], row["setting"]) == (what, setting) for row in rows):
            continue
        scores = judge(learn(shape, recipe, items, labels, args.steps), text, samples)
        # There is nothing to score for a loss that was not trained.
        if recipe.contrastive_weight == 0:
            scores |= dict.fromkeys((name for name in scores if "R@" in name), float("nan"))
        if recipe.answer_weight == 0:
            scores["answers right"] = float("nan")
        rows.append({"what": what, "setting": setting, "steps": args.steps, **{k: None if v != v else round(v, 4) for k, v in scores.items()}})
        table.write_text(json.dumps(rows, indent=1) + "\n")
        print(json.dumps(rows[-1]), flush=True)
    for row in rows:
        shown = ["-" if row[k] is None else f"{100 * row[k]:.1f}" for k in SHOWN]
        print(f"| {row['what']} | {row['setting']} | {' | '.join(shown)} |")


if __name__ == "__main__":
    main()
