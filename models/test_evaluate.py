"""Evaluation of a model's answers: score rows and calibration."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models import tokenizer, unpack
from models.config import CONFIGS, Config
from models.data.generator import World
from models.decoder import END
from models.evaluate import Scores, answer_all, answer_logits, confidence, detections, embed, encode_all, evaluate, propose
from models.metrics import cover
from models.model import Mammut
from models.toy import ToyWorld


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


def untrained(vocab: tokenizer.Text) -> Mammut:
    torch.manual_seed(0)
    return Mammut(Config.from_json({**CONFIGS["tiny"].to_json(), "vocab": vocab.tokenizer.get_vocab_size()})).eval()


WORDS = tokenizer.Text(tokenizer.train(["a red circle moves left", *tokenizer.PROMPTS.values()], 300), 48)


@torch.no_grad()
def test_confidence_is_the_mean_chance_of_what_greedy_decoding_chose() -> None:
    """Teacher forcing, [EOT] included, gives what the decoder had step by step; and a temperature makes it less sure."""
    model = untrained(WORDS)
    model.decoder.head.weight.mul_(10)  # otherwise all words would be about equally likely
    seen = encode_all(model, [ToyWorld().sample(np.random.default_rng(i)).video for i in range(4)])
    prompts = ["caption:", "what?", "caption:", "a red one"]
    # [EOT] becomes the likeliest after three words of the first caption.
    start = WORDS.prompt(prompts[0])
    new, _ = model.generate(torch.tensor([start]), seen.cross_k[:1], seen.cross_v[:1], limit=3)
    state = model.decoder.hidden(torch.tensor([start + new[0]]), seen.cross_k[:1], seen.cross_v[:1])[0][0, -1]
    model.decoder.head.weight[END] = state * (model.decoder.head(state).max() + 0.5) / state.square().sum()
    done = answer_all(model, WORDS, prompts, seen.cross_k, seen.cross_v)
    assert 0 < len(done[0][2]) <= 3
    sure = confidence(answer_logits(model, done, seen.cross_k, seen.cross_v), 1.0)
    for i, (said, prompt, ids) in enumerate(done):
        same, chance = model.generate(torch.tensor([WORDS.prompt(prompts[i])]), seen.cross_k[i : i + 1], seen.cross_v[i : i + 1])
        assert prompt == WORDS.prompt(prompts[i]) and ids == same[0] and said == WORDS.read(ids)
        if len(ids) < 32:  # what ran out of room has no [EOT]
            assert sure[i] == pytest.approx(float(chance.exp()), rel=1e-3) and sure[i] < 0.9
    assert (confidence(answer_logits(model, done, seen.cross_k, seen.cross_v), 2.0) < sure).all()
    # In a batch, a row that has ended does not count ids that are decoded afterwards for the others.
    of = (torch.cat((seen.cross_k[:1], -seen.cross_k[:1])), torch.cat((seen.cross_v[:1], -4 * seen.cross_v[:1])))
    ids_of, chances = model.generate(torch.tensor([start, start]), *of)
    assert len(ids_of[0]) < len(ids_of[1]) and float(chances[0].exp()) == pytest.approx(sure[0], rel=1e-3)


def test_search_goes_both_ways() -> None:
    similarity = np.array([[0.9, 0.8, 0.1], [0.8, 0.1, 0.7], [0.2, 0.9, 0.8]])  # rows: texts; columns: clips
    scores = Scores("here")
    scores.add_search(similarity, np.eye(3, dtype=bool), 3)
    got = {row["metric"]: row["value"] for row in scores.rows}
    assert got["R@1 among 3"] == pytest.approx(1 / 3, abs=1e-4)  # the first text alone finds its clip first
    assert got["clip to text R@1 among 3"] == pytest.approx(2 / 3, abs=1e-4)  # the first and the last clip find their text
    assert got["R@5 among 3"] == 1


def test_a_label_is_suppressed_by_itself_alone_and_a_box_has_its_three_best() -> None:
    boxes = np.array([[0.3, 0.3, 0.2, 0.2], [0.31, 0.3, 0.2, 0.2], [0.8, 0.8, 0.1, 0.1]])
    score = np.array([[0.9, 0.1, 0.05, 0.01], [0.8, 0.3, 0.05, 0.01], [0.0, 0.0, 0.0, 0.7]])
    found = sorted((label, round(value, 3), box[0]) for label, box, value in detections(boxes, score))
    assert found == [(0, 0.9, 0.3), (1, 0.3, 0.31), (2, 0.05, 0.3), (3, 0.7, 0.8)]


@torch.no_grad()
def test_a_box_is_scored_by_its_region_and_by_the_tokens_under_it() -> None:
    model, names = untrained(WORDS), ["circle", "red"]
    seen = encode_all(model, [ToyWorld().sample(np.random.default_rng(i)).video for i in range(2)])
    got = propose(model, WORDS, seen.tokens, names)
    boxes, _, regions = model.detector(seen.tokens)
    labels = embed(model, WORDS, ["a circle", "a red"])
    assert got.frame[[0, 36, 143]].tolist() == [0, 4, 12]
    for query in (0, 50, 143):  # one query per key frame
        head = (regions[1, query] @ labels.T * model.log_region_scale.exp()).softmax(-1)
        frame = seen.tokens[1, query // 36 * 36 :][:36]
        under = torch.from_numpy(cover(boxes[1, query : query + 1].numpy(), 6, 6)).float() @ frame
        z = F.normalize(model.to_text(model.pool_norm(under[0])), dim=-1)
        encoder = (z @ labels.T * model.log_scale.exp()).softmax(-1)
        assert np.allclose(got.head[1, query], head.numpy(), atol=1e-5) and np.allclose(got.encoder[1, query], encoder.numpy(), atol=1e-4)


def test_rows_of_novelty_add_up_to_the_whole() -> None:
    world = World(None, "val")
    clips = world.samples([np.random.default_rng((7, i)) for i in range(24)])
    model = untrained(WORDS)
    known = [name for name in world.labels if name not in world.novel]
    rows = evaluate(model, WORDS, clips, known, "0.0.1", world.novel)["scores"]
    for task, metric in (("answer", "exact match"), ("caption", "words right (F1)"), ("search", "R@1 among 24")):
        whole = next(row for row in rows if (row["task"], row["metric"]) == (task, metric))
        parts = [row for row in rows if row["task"] == task and row["metric"].startswith(f"{metric}: ") and "held" in row["metric"]]
        assert len(parts) == 3 and sum(part["n"] for part in parts) == whole["n"]
        assert abs(sum(part["value"] * part["n"] for part in parts) / whole["n"] - whole["value"]) < 1e-3
    assert next(row["n"] for row in rows if row["metric"] == "true pairs kept") == 12  # judged on the half that did not calibrate


@torch.no_grad()
def test_what_is_judged_did_not_calibrate() -> None:
    """Other clips in the second half change no temperature and no threshold of answers and boxes, and answers are judged on that half alone."""
    model, text = unpack.read(Path(__file__).parent / "packs" / "tubelet-mini")
    world = World(None, "val")
    clips = world.samples([np.random.default_rng((8, i)) for i in range(36)])
    known = [name for name in world.labels if name not in world.novel]
    reports = [evaluate(model, text, [*clips[:12], *half], known, "0.0.1") for half in (clips[12:24], clips[24:])]
    first, second = (report["calibration"] for report in reports)
    assert first["answer"] == second["answer"] and first["detect"] == second["detect"] and first["caption"] == second["caption"]
    assert first["detect"]["scale"] != 10.0  # that of a detector that has found nothing

    seen = encode_all(model, [clip.video for clip in clips[12:24]])
    asked = [(i, question) for i, clip in enumerate(clips[12:24]) for question, _, _ in clip.qa]
    of = [i for i, _ in asked]
    done = answer_all(model, text, [tokenizer.PROMPTS["question"].format(question=q) for _, q in asked], seen.cross_k[of], seen.cross_v[of])
    sure = confidence(answer_logits(model, done, seen.cross_k[of], seen.cross_v[of]), first["answer"]["temperature"])
    rows = {row["metric"]: row for row in reports[0]["scores"] if row["task"] == "answer"}
    assert rows["exact match where sure"]["n"] == (sure >= first["answer"]["notSureBelow"]).sum()
    assert rows["share where sure"]["n"] == rows["calibration error"]["n"] == len(asked)
