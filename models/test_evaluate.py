"""What evaluation makes of a model's answers: its rows and its calibration."""

from __future__ import annotations

import numpy as np
import torch

from models import familiar, tokenizer
from models.config import CONFIGS, Config
from models.data.generator import World
from models.evaluate import Scores, encode_all, evaluate
from models.model import Mammut


def test_novelty_is_told_apart_by_what_was_held_out() -> None:
    scores = Scores("here")
    shown = [frozenset[str](), frozenset({"colour"}), frozenset({"name", "motion"}), frozenset({"motion", "colour"}), frozenset[str]()]
    scores.add_novelty("answer", "exact match", np.array([1.0, 0, 1, 1, 0]), shown)
    assert {row["metric"]: (row["value"], row["n"]) for row in scores.rows} == {
        "exact match: nothing held out": (0.5, 2),
        "exact match: held-out pair": (0.5, 2),
        "exact match: held-out name": (1.0, 1),
    }
    scores.add_novelty("search", "R@1", np.zeros(1), [frozenset()])
    assert [row["metric"] for row in scores.rows[3:]] == ["R@1: nothing held out"]


def test_rows_of_novelty_add_up_to_the_whole() -> None:
    world = World(None, "val")
    clips = world.samples([np.random.default_rng((7, i)) for i in range(24)])
    words = tokenizer.train(["a red circle", *tokenizer.PROMPTS.values()], 300)
    torch.manual_seed(0)
    model = Mammut(Config.from_json({**CONFIGS["tiny"].to_json(), "vocab": words.get_vocab_size()}))
    known = [name for name in world.labels if name not in world.novel]
    rows = evaluate(model, tokenizer.Text(words, 48), clips, known, "0.0.1", world.novel)["scores"]
    for task, metric in (("answer", "exact match"), ("caption", "words right (F1)"), ("search", "R@1 among 24")):
        whole = next(row for row in rows if (row["task"], row["metric"]) == (task, metric))
        parts = [row for row in rows if row["task"] == task and row["metric"].startswith(f"{metric}: ") and "held" in row["metric"]]
        assert len(parts) == 3 and sum(part["n"] for part in parts) == whole["n"]
        assert abs(sum(part["value"] * part["n"] for part in parts) / whole["n"] - whole["value"]) < 1e-3


def test_a_bank_of_learnt_clips_tells_what_is_familiar() -> None:
    world = World(None, "val")
    clips = world.samples([np.random.default_rng((7, i)) for i in range(12)])
    words = tokenizer.train(["a red circle", *tokenizer.PROMPTS.values()], 300)
    torch.manual_seed(0)
    model = Mammut(Config.from_json({**CONFIGS["tiny"].to_json(), "vocab": words.get_vocab_size()})).eval()
    bank = encode_all(model, [clip.video for clip in clips]).embedding
    report = evaluate(model, tokenizer.Text(words, 48), clips, world.labels, "0.0.1", bank=bank)
    near = familiar.nearness(bank, bank)
    assert report["calibration"]["familiar"] == {"neighbours": 5, "threshold": float(np.median(near[:6]))}
    passed = next(row["value"] for row in report["scores"] if row["task"] == "familiar")
    assert passed == round(float((near[6:] >= np.median(near[:6])).mean()), 4)
