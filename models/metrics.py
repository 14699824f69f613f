"""Standard evaluation measures: arrays in, numbers out, independent of the model."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from nltk.translate.meteor_score import meteor_score
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider

from models.losses import iou_giou

# The VQA evaluation's answer processing (Antol et al. 2015, vqaEval.py): punctuation, then digits and articles, then contractions.
PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
DIGITS = {word: str(i) for i, word in enumerate(("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"))}
DIGITS["none"] = "0"
CONTRACTED = (
    "ain't aren't can't could've couldn't didn't doesn't don't hadn't hasn't haven't he'd he's how'd how'll how's i'm i've isn't it'd it'll let's "
    "ma'am mightn't might've mustn't must've needn't o'clock oughtn't shan't should've shouldn't somebody'd somebody's someone's that's there'd "
    "there's they'd they'll they're they've 'twas wasn't we've weren't what'll what're what's what've when's where'd where's where've who'd "
    "who'll who's who've why'll why're why's won't would've wouldn't y'all you'd you'll you're you've"
)
CONTRACTIONS = {word.replace("'", ""): word for word in CONTRACTED.split()}


def normalise(answer: str) -> str:
    """An answer as the VQA evaluation compares it: "Two red cars!" -> "2 red cars"."""
    said = text = answer.lower().replace("\n", " ").replace("\t", " ").strip()
    joined = re.search(r"\d,\d", said) is not None
    for mark in PUNCTUATION:
        text = text.replace(mark, "" if f"{mark} " in said or f" {mark}" in said or joined else " ")
    # The published (?!<=\d)(\.)(?!\d) does the same: its first part, meant as a look-behind, never excludes anything.
    text = re.sub(r"\.(?!\d)", "", text)
    words = [DIGITS.get(word, word) for word in text.split()]
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in ("a", "an", "the"))


def word_f1(said: str, truth: str) -> float:
    """Harmonic mean of the precision and the recall of the words of `said`, each counted once: 0..1."""
    a, b = {*normalise(said).split()}, {*normalise(truth).split()}
    return 2 * len(a & b) / max(1, len(a) + len(b))


def vqa_accuracy(answer: str, people: Sequence[str]) -> float:
    """VQA's accuracy against ten people: min(people who gave it / 3, 1), averaged over leaving each of them out; with one answer, exact match."""
    said, truth = normalise(answer), [normalise(person) for person in people]
    if len(truth) == 1:
        return float(said == truth[0])
    return float(np.mean([min(sum(said == other for j, other in enumerate(truth) if j != i) / 3, 1) for i in range(len(truth))]))


class NoSynonyms:
    """Replaces METEOR's last stage, which looks up synonyms in WordNet, whose data is not in any package: only words and stems are matched."""

    def synsets(self, *_: Any) -> list[Any]:
        return []


def caption_scores(said: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """CIDEr-D and BLEU-4 by pycocoevalcap, METEOR by NLTK (exact and stem matches). References: the captions of each clip, at least one."""
    words = [" ".join(re.findall(r"[\w']+", text.lower())) for text in said]
    truth = [[" ".join(re.findall(r"[\w']+", text.lower())) for text in texts] for texts in references]
    results, wanted = {i: [text] for i, text in enumerate(words)}, dict(enumerate(truth))
    meteor = [meteor_score([text.split() for text in texts], one.split(), wordnet=NoSynonyms()) for one, texts in zip(words, truth, strict=True)]
    with contextlib.redirect_stdout(io.StringIO()):
        bleu, cider = Bleu(4).compute_score(wanted, results, verbose=0)[0][3], Cider().compute_score(wanted, results)[0]
    return {"CIDEr": float(cider), "BLEU-4": float(bleu), "METEOR, no synonyms": float(np.mean(meteor))}


def hits_at(similarity: np.ndarray, own: np.ndarray, k: int) -> np.ndarray:
    """Which queries have one of their own items among the k most similar, bool [q]. similarity [q, n], own bool [q, n]. Ties go against the query."""
    best = np.where(own, similarity, -np.inf).max(1, keepdims=True)
    return np.asarray((~own & (similarity >= best)).sum(1) < k)


def recall(similarity: np.ndarray, own: np.ndarray, k: int) -> float:
    """R@k: the share of the queries that hit."""
    return float(hits_at(similarity, own, k).mean())


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


def not_sure_below(sure: np.ndarray, right: np.ndarray, wanted: float = 0.8) -> float:
    """The lowest confidence above which at least the share `wanted` is right; 1 (never sure) where there is none. [n] each."""
    for t in np.linspace(0.2, 0.95, 76):
        if (sure >= t).sum() >= max(5, len(sure) // 20) and right[sure >= t].mean() >= wanted:
            return float(t)
    return 1.0


def expected_calibration_error(probability: np.ndarray, right: np.ndarray, bins: int = 10) -> float:
    """Mean gap between confidence and accuracy over equal bins (Naeini et al. 2015), [n] each."""
    which = np.minimum((probability * bins).astype(int), bins - 1)
    return float(sum(abs(probability[which == b].mean() - right[which == b].mean()) * (which == b).mean() for b in range(bins) if (which == b).any()))


def suppress(boxes: np.ndarray, scores: np.ndarray, limit: float = 0.5) -> list[int]:
    """Greedy non-maximum suppression, boxes [n, 4] cxcywh."""
    overlap = iou_giou(torch.tensor(boxes)[:, None], torch.tensor(boxes)[None])[0].numpy()
    keep: list[int] = []
    for i in np.argsort(-scores):
        if all(overlap[i, j] < limit for j in keep):
            keep.append(int(i))
    return keep


def cover(boxes: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """How much of each cell of a grid over the frame each box covers, as weights that sum to 1: [n, 4] cxcywh in 0..1 -> [n, rows * columns].

    Multiplied by the tokens of a frame this gives the mean token under the box: RoI pooling on the encoder's own grid."""

    def along(centre: np.ndarray, size: np.ndarray, cells: int) -> np.ndarray:
        edges = np.arange(cells + 1) / cells
        low, high = (centre - size / 2)[:, None], (centre + size / 2)[:, None]
        shared = np.minimum(high, edges[None, 1:]) - np.maximum(low, edges[None, :-1])
        return np.asarray(shared.clip(0))

    weights = (along(boxes[:, 1], boxes[:, 3], rows)[:, :, None] * along(boxes[:, 0], boxes[:, 2], columns)[:, None, :]).reshape(len(boxes), -1)
    return np.asarray(weights / np.maximum(weights.sum(1, keepdims=True), 1e-9))


def combined(head: np.ndarray, encoder: np.ndarray, novel: np.ndarray, base_weight: float = 0.35, novel_weight: float = 0.65) -> np.ndarray:
    """Combines the detector's own probability p with the image-text probability z of the tokens under the box (F-VLM eq. 4-5): base labels
    p^(1-a) z^a, novel ones, which the detector never saw, p^(1-b) z^b; each row scaled to sum to 1. [n, labels] each, novel bool [labels]."""
    weight = np.where(novel, novel_weight, base_weight)
    score = head ** (1 - weight) * encoder**weight
    return np.asarray(score / score.sum(1, keepdims=True))


Truth = list[tuple[int, list[float]]]
Found = list[tuple[int, list[float], float]]


def average_precision(
    truth: Sequence[Truth], found: Sequence[Found], groups: Mapping[str, Sequence[int]], ignore: Sequence[Sequence[int]] | None = None
) -> dict[str, float]:
    """COCO's AP50 and AP by pycocotools for each group of labels. truth (label, box) and found (label, box, score) of each frame, boxes cxcywh
    in 0..1, scaled to a 1000 x 1000 frame. ignore: labels of a frame that were not annotated exhaustively: detections beyond the truth
    are neither right nor wrong. A group without any truth has no score."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    def box(b: list[float]) -> list[float]:
        return [1000 * (b[0] - b[2] / 2), 1000 * (b[1] - b[3] / 2), 1000 * b[2], 1000 * b[3]]

    annotations: list[dict[str, Any]] = []
    results: list[dict[str, Any]] = []
    labels = sorted({label for group in groups.values() for label in group})
    for image, objects in enumerate(truth, 1):
        # A crowd box over the whole frame excludes from the count whatever is found beyond the truth.
        crowds = [(label, [0.5, 0.5, 1.0, 1.0], 1) for label in (ignore[image - 1] if ignore else ())]
        for label, b, crowd in [*((label, b, 0) for label, b in objects), *crowds]:
            entry = {"id": len(annotations) + 1, "image_id": image, "category_id": label + 1, "bbox": box(b), "area": 1e6 * b[2] * b[3]}
            annotations.append({**entry, "iscrowd": crowd})
    for image, detections in enumerate(found, 1):
        results += [{"image_id": image, "category_id": label + 1, "bbox": box(b), "score": score} for label, b, score in detections]
    scores: dict[str, float] = {}
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": i + 1, "width": 1000, "height": 1000} for i in range(len(truth))],
            "annotations": annotations,
            "categories": [{"id": label + 1, "name": str(label)} for label in labels],
        }
        coco.createIndex()
        if not results or not annotations:
            return {f"{metric}, {group}": 0.0 for group in groups for metric in ("AP50", "AP")}
        evaluation = COCOeval(coco, coco.loadRes(results), "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][:, :, :, 0, -1]  # [IoU, recall, label]
    for group, members in groups.items():
        part = precision[:, :, np.searchsorted(labels, sorted(members))]
        for metric, rows in (("AP50", part[:1]), ("AP", part)):
            if (rows > -1).any():
                scores[f"{metric}, {group}"] = float(rows[rows > -1].mean())
    return scores
