"""Measures a run on validation video and calibrates what the app shows as a probability.

    python -m models.evaluate --run runs/mini --train-data DIR [--clips 300]

Writes scores.json into the run: the scores and the calibration that models.export puts into pack.json. The first half of the clips
calibrates, so temperatures and thresholds are not fitted on the clips that they are judged on.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import io
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models import tokenizer
from models.losses import iou_giou
from models.model import Mammut, load
from models.tokenizer import PROMPTS, Text, pad
from models.tubes import cut

ON = "generated validation video"


def normalise(text: str) -> str:
    """Lower case, no punctuation, no articles: VQA's usual exact match."""
    words = "".join(c if c.isalnum() else " " for c in text.lower()).split()
    return " ".join(word for word in words if word not in ("a", "an", "the"))


def fit_logistic(cosine: np.ndarray, right: np.ndarray) -> tuple[float, float]:
    """Platt scaling by Newton: probability = sigmoid(scale * cosine + bias). Both [n]."""
    x = np.stack([cosine, np.ones_like(cosine)], 1)
    w = np.zeros(2)
    for _ in range(50):
        p = 1 / (1 + np.exp(-np.clip(x @ w, -30, 30)))
        hessian = (x * (p * (1 - p))[:, None]).T @ x + np.diag([1e-4, 1e-4])
        w -= np.clip(np.linalg.solve(hessian, x.T @ (p - right) + 1e-4 * w), -5, 5)
    return float(w[0]), float(w[1])


def best_threshold(probability: np.ndarray, right: np.ndarray) -> float:
    """The threshold with the highest F1 (ties: the middle), [n] each."""
    grid = np.quantile(probability, np.linspace(0, 1, 201))
    hits = [(np.sum((probability >= t) & (right > 0)), np.sum(probability >= t)) for t in grid]
    f1 = np.array([2 * tp / max(1, n + right.sum()) for tp, n in hits])
    return float(grid[np.flatnonzero(f1 >= f1.max() - 1e-9)].mean())


def expected_calibration_error(probability: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over equal bins, [n] each."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    return float(sum(abs(probability[which == b].mean() - right[which == b].mean()) * (which == b).mean() for b in range(bins) if (which == b).any()))


@torch.no_grad()
def answer_all(model: Mammut, text: Text, prompts: Sequence[str], cross_k: Tensor, cross_v: Tensor) -> list[tuple[str, list[int], list[int]]]:
    """Greedy answers of prompts, one for each row of cross_k: (text, prompt ids, new ids). Equal lengths go together: a cache has no padding."""
    ids = [text.prompt(prompt) for prompt in prompts]
    groups: dict[int, list[int]] = defaultdict(list)
    for i, row in enumerate(ids):
        groups[len(row)].append(i)
    out: list[tuple[str, list[int], list[int]]] = [("", [], [])] * len(prompts)
    for rows in groups.values():
        for start in range(0, len(rows), 64):
            part = rows[start : start + 64]
            new, _ = model.generate(torch.tensor([ids[i] for i in part]), cross_k[part], cross_v[part])
            for i, answer in zip(part, new, strict=True):
                out[i] = (text.read(answer), ids[i], answer)
    return out


@torch.no_grad()
def answer_logits(model: Mammut, done: Sequence[tuple[str, list[int], list[int]]], cross_k: Tensor, cross_v: Tensor) -> list[Tensor]:
    """The logits [answer + EOT, vocab] under which each greedy answer was chosen, by teacher forcing."""
    out = []
    for start in range(0, len(done), 64):
        part = done[start : start + 64]
        rows = torch.tensor(pad([[*prompt, *new] for _, prompt, new in part]))
        x, _, _, _ = model.decoder.hidden(rows, cross_k[start : start + 64], cross_v[start : start + 64])
        for row, (_, prompt, new) in zip(x, part, strict=True):
            out.append(model.decoder.head(row[len(prompt) - 1 : len(prompt) + len(new)]))
    return out


def confidence(logits: Sequence[Tensor], temperature: float) -> np.ndarray:
    """exp(mean log-probability of the chosen ids, [EOT] included) with logits / temperature: the app's confidence of a text."""
    return np.array([(row / temperature).log_softmax(-1).max(-1).values.mean().exp().item() for row in logits])


def suppress(boxes: np.ndarray, scores: np.ndarray, limit: float = 0.5) -> list[int]:
    """Greedy non-maximum suppression, boxes [n, 4] cxcywh."""
    overlap = iou_giou(torch.tensor(boxes)[:, None], torch.tensor(boxes)[None])[0].numpy()
    keep: list[int] = []
    for i in np.argsort(-scores):
        if all(overlap[i, j] < limit for j in keep):
            keep.append(int(i))
    return keep


def average_precision(truth: list[list[tuple[int, list[float]]]], found: list[list[tuple[int, list[float], float]]], labels: int) -> dict[str, float]:
    """COCO AP50 and AP by pycocotools. One list for each frame; boxes cxcywh in 0..1, drawn on a 1000 x 1000 frame."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def box(b: list[float]) -> list[float]:
        return [1000 * (b[0] - b[2] / 2), 1000 * (b[1] - b[3] / 2), 1000 * b[2], 1000 * b[3]]

    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    for image, objects in enumerate(truth, 1):
        for label, b in objects:
            entry = {"id": len(annotations) + 1, "image_id": image, "category_id": label + 1, "bbox": box(b), "area": 1e6 * b[2] * b[3], "iscrowd": 0}
            annotations.append(entry)
    for image, detections in enumerate(found, 1):
        results += [{"image_id": image, "category_id": label + 1, "bbox": box(b), "score": score} for label, b, score in detections]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": i + 1, "width": 1000, "height": 1000} for i in range(len(truth))],
            "annotations": annotations,
            "categories": [{"id": i + 1, "name": str(i)} for i in range(labels)],
        }
        coco.createIndex()
        if not results or not annotations:
            return {"AP50": 0.0, "AP": 0.0}
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return {"AP50": float(evaluation.stats[1]), "AP": float(evaluation.stats[0])}


@torch.no_grad()
def evaluate(model: Mammut, text: Text, samples: Sequence[Any], known: Sequence[str], version: str) -> dict[str, Any]:
    """samples: clips of the validation split; known: object names seen in training. Returns {version, scores, calibration}."""
    model.eval()
    config, clips, half = model.config, len(samples), len(samples) // 2
    encoded = []
    for start in range(0, clips, 32):
        voxels = zip(*(cut(s.video, config.tubes) for s in samples[start : start + 32]), strict=True)
        encoded.append(model.encode([torch.from_numpy(np.stack(kind)) for kind in voxels]))
    embedding, memory, tokens = (torch.cat(part) for part in zip(*encoded, strict=True))
    cross_k, cross_v = model.decoder.project(memory)
    scores: list[dict[str, Any]] = []

    def score(task: str, metric: str, value: float, n: int) -> None:
        scores.append({"task": task, "metric": metric, "value": round(value, 4), "n": n, "on": ON, "date": datetime.date.today().isoformat()})

    # Answers
    asked = [(i, q, a, kind) for i, s in enumerate(samples) for q, a, kind in s.qa]
    of = [i for i, _, _, _ in asked]
    done = answer_all(model, text, [PROMPTS["question"].format(question=q) for _, q, _, _ in asked], cross_k[of], cross_v[of])
    right = np.array([normalise(got) == normalise(a) for (got, _, _), (_, _, a, _) in zip(done, asked, strict=True)], float)
    kinds: dict[str, list[int]] = defaultdict(list)
    for row, (_, _, _, kind) in enumerate(asked):
        kinds[kind].append(row)
    score("answer", "exact match", right.mean(), len(right))
    for kind, rows in sorted(kinds.items()):
        score("answer", f"exact match: {kind}", right[rows].mean(), len(rows))
        # What saying the commonest answer of each kind would score: without it the line above says little.
        counts: dict[str, int] = defaultdict(int)
        for row in rows:
            counts[normalise(asked[row][2])] += 1
        score("answer", f"commonest answer: {kind}", max(counts.values()) / len(rows), len(rows))
    logits = answer_logits(model, done, cross_k[of], cross_v[of])
    fit, judge = np.array([i < half for i in of]), np.array([i >= half for i in of])
    choices = np.exp(np.linspace(math.log(0.5), math.log(4), 25))
    fitted = [logits[i] for i in np.flatnonzero(fit)]
    temperature = float(min(choices, key=lambda t: expected_calibration_error(confidence(fitted, t), right[fit])))
    sure = confidence(logits, temperature)
    score("answer", "calibration error", expected_calibration_error(sure[judge], right[judge]), int(judge.sum()))
    unsure = not_sure_below(sure[fit], right[fit])
    shown = judge & (sure >= unsure)
    score("answer", "exact match where sure", right[shown].mean() if shown.any() else 0.0, int(shown.sum()))
    score("answer", "share where sure", shown.sum() / judge.sum(), int(judge.sum()))

    # Captions
    told = answer_all(model, text, [PROMPTS["caption"]] * clips, cross_k, cross_v)
    pairs = [({*normalise(got).split()}, {*normalise(s.caption).split()}) for (got, _, _), s in zip(told, samples, strict=True)]
    score("caption", "words right (F1)", float(np.mean([2 * len(a & b) / max(1, len(a) + len(b)) for a, b in pairs])), clips)
    exact = np.array([any(normalise(got) == normalise(c) for c in s.captions) for (got, _, _), s in zip(told, samples, strict=True)], float)
    score("caption", "exact", exact.mean(), clips)
    for topic, rows in sorted(kinds.items()):
        if topic in ("colour", "what", "direction"):
            # The answers to these questions are the words that a caption of the clip must hold.
            pairs_of = [(normalise(asked[r][2]), normalise(samples[of[r]].caption), normalise(told[of[r]][0])) for r in rows]
            held = [f" {a} " in f" {got} " for a, true, got in pairs_of if f" {a} " in f" {true} "]
            if held:
                score("caption", f"{topic} right", float(np.mean(held)), len(held))
    told_sure = confidence(answer_logits(model, told, cross_k, cross_v), temperature)
    f1 = np.array([2 * len(a & b) / max(1, len(a) + len(b)) for a, b in pairs])

    # Search: one query for each clip, its caption, among clips whose captions differ
    distinct = list({s.caption: i for i, s in reversed(list(enumerate(samples)))}.values())
    queries = embed(model, text, [samples[i].caption for i in distinct])
    cosine = (queries @ embedding[distinct].T).numpy()
    rank = (cosine > np.diag(cosine)[:, None]).sum(1)
    for k in (1, 5, 10):
        score("search", f"R@{k} among {len(distinct)}", float((rank < k).mean()), len(distinct))
    captions = {i: normalise(samples[i].caption) for i in distinct}
    rows_a = [j for j, i in enumerate(distinct) if i < half]
    same = np.array([[captions[a] == captions[b] for b in distinct] for a in distinct])
    positive, negative = np.diag(cosine)[rows_a], cosine[rows_a][~same[rows_a]]
    # As many wrong as right pairs in weight: the threshold must not depend on how large the library is.
    negative = np.random.default_rng(0).choice(negative, size=min(len(negative), 4 * len(positive)), replace=False)
    scale, bias = fit_logistic(np.concatenate([positive, negative]), np.concatenate([np.ones(len(positive)), np.zeros(len(negative))]))
    probability = 1 / (1 + np.exp(-(scale * np.concatenate([positive, negative]) + bias)))
    threshold = best_threshold(probability, np.concatenate([np.ones(len(positive)), np.zeros(len(negative))]))
    held_out = [j for j in range(len(distinct)) if j not in set(rows_a)]
    if held_out:
        match = 1 / (1 + np.exp(-(scale * cosine[held_out] + bias))) >= threshold
        true = np.eye(len(distinct), dtype=bool)[held_out]
        score("search", "true pairs kept", float(match[true].mean()), len(held_out))
        score("search", "wrong pairs refused", float(1 - match[~same[held_out]].mean()), int((~same[held_out]).sum()))

    # Detection on the key frames, known names only
    boxes, sure_there, regions = model.detector(tokens)
    names = embed(model, text, [PROMPTS["label"].format(label=name) for name in known])
    there, near, frames = sure_there.sigmoid().numpy(), (regions @ names.T).numpy(), model.detector.get_buffer("frame").numpy()
    index = {name: i for i, name in enumerate(known)}
    xs, ys = [], []
    for i, s in enumerate(samples[:half]):
        for q in range(len(frames)):
            placed = [(index[o[0]], torch.tensor(o[1:])) for o in s.boxes[int(frames[q])] if o[0] in index]
            for label, b in placed:
                if float(iou_giou(boxes[i, q], b)[0]) > 0.5:
                    xs += near[i, q].tolist()
                    ys += [float(j == label) for j in range(len(known))]
    det_scale, det_bias = fit_logistic(np.array(xs), np.array(ys)) if sum(ys) else (10.0, -5.0)
    truth, found, rows, hits, scored = [], [], [], [], []
    for i, s in enumerate(samples):
        for frame in sorted(set(frames.tolist())):
            queries_here = np.flatnonzero(frames == frame)
            objects = [(index[o[0]], list(o[1:])) for o in s.boxes[int(frame)] if o[0] in index]
            value = there[i, queries_here, None] / (1 + np.exp(-(det_scale * near[i, queries_here] + det_bias)))
            detections = []
            likely = value >= np.sort(value, axis=1)[:, -3:-2]  # the three best names of each box: the rest only costs time
            for label in range(len(known)):
                picked = np.flatnonzero(likely[:, label] & (value[:, label] > 1e-3))
                if len(picked):
                    some = boxes[i, queries_here[picked]].numpy()
                    detections += [(label, some[j].tolist(), float(value[picked[j], label])) for j in suppress(some, value[picked, label])]
            rows.append(i)
            truth.append(objects)
            found.append(detections)
            for label, b, v in detections:
                hits.append(any(label == o and float(iou_giou(torch.tensor(b), torch.tensor(t))[0]) > 0.5 for o, t in objects))
                scored.append((i, v))
    later = [j for j, i in enumerate(rows) if i >= half]
    for metric, value_ in average_precision([truth[j] for j in later], [found[j] for j in later], len(known)).items():
        score("detect", f"{metric}, known names", value_, len(later))
    early = np.array([i < half for i, _ in scored], bool)
    det_threshold = best_threshold(np.array([v for _, v in scored])[early], np.array(hits, float)[early]) if early.any() else 0.3

    return {
        "version": version,
        "scores": scores,
        "calibration": {
            "search": {"scale": scale, "bias": bias, "threshold": threshold},
            "answer": {"temperature": temperature, "notSureBelow": unsure},
            "caption": {"notSureBelow": not_sure_below(told_sure[:half], (f1[:half] > 0.7).astype(float))},
            "detect": {"scale": det_scale, "bias": det_bias, "threshold": det_threshold},
        },
        "examples": [{"caption": s.caption, "got": got} for (got, _, _), s in zip(told[:20], samples, strict=False)]
        + [
            {"question": asked[r][1], "answer": asked[r][2], "got": done[r][0], "confidence": round(float(sure[r]), 3)}
            for r in range(min(40, len(done)))
        ],
    }


def not_sure_below(sure: np.ndarray, right: np.ndarray, wanted: float = 0.8) -> float:
    """The lowest confidence above which at least `wanted` are right; 1, which is never sure, where there is none. [n] each."""
    for t in np.linspace(0.2, 0.95, 76):
        if (sure >= t).sum() >= max(5, len(sure) // 20) and right[sure >= t].mean() >= wanted:
            return float(t)
    return 1.0


def embed(model: Mammut, text: Text, lines: Sequence[str]) -> Tensor:
    """[n] texts -> [n, E]."""
    ids = torch.tensor(pad([text.sentence(line) for line in lines]))
    return torch.cat([model.decoder.contrast(part) for part in torch.split(ids, 128)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--train-data", type=Path)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--version", default="0.1.0")
    args = parser.parse_args()
    from models.data.generator import World

    model, state = load(args.run / "checkpoint.pt")
    text = tokenizer.Text.load(args.run / "tokenizer.json", model.config.context)
    rng = np.random.default_rng(11)
    world = World(args.train_data, "val", frames=model.config.frames, size=model.config.size)
    report = evaluate(model, text, [world.sample(rng) for _ in range(args.clips)], state["labels"], args.version)
    report["step"], report["seconds"] = state["step"], state["seconds"]
    (args.run / "scores.json").write_text(json.dumps(report, indent=1) + "\n")
    for row in report["scores"]:
        print(f"{row['task']:8} {row['metric']:34} {row['value']:.3f}  n={row['n']}")
    print(json.dumps(report["calibration"]))


if __name__ == "__main__":
    main()
