"""Measures a run and calibrates what the app shows as a probability.

    python -m models.evaluate --run runs/mini --train-data DIR [--clips 300]
    python -m models.evaluate --pack models/packs/tubelet-mini --train-data DIR --version 0.3.1
    python -m models.evaluate --run runs/mini --benchmark msrvtt-qa --data DIR [--limit 1000]

The first writes scores.json into the run: the scores on composed validation video and the calibration that models.export puts into pack.json.
The second measures a pack that is no run any more, and puts both into its pack.json. The first half of the clips calibrates, so temperatures
and thresholds are not fitted on the clips that they are judged on. The third writes scores-msrvtt-qa.json: see models.benchmarks for the sets
and their layouts.
"""

from __future__ import annotations

import argparse
import datetime
import json
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models import benchmarks, tokenizer, unpack
from models.losses import iou_giou
from models.metrics import (
    Found,
    Truth,
    average_precision,
    best_threshold,
    caption_scores,
    combined,
    cover,
    expected_calibration_error,
    fit_logistic,
    hits_at,
    normalise,
    not_sure_below,
    recall,
    suppress,
    vqa_accuracy,
    word_f1,
)
from models.model import Mammut, load
from models.tokenizer import PROMPTS, Text, pad
from models.tubes import Bytes, cut

ON = "generated validation video"


class Scores:
    """Rows in the form of pack.json."""

    def __init__(self, on: str) -> None:
        self.on, self.rows = on, list[dict[str, Any]]()

    def add(self, task: str, metric: str, value: float, n: int) -> None:
        row = {"task": task, "metric": metric, "value": round(float(value), 4), "n": n, "on": self.on, "date": datetime.date.today().isoformat()}
        self.rows.append(row)

    def add_search(self, similarity: np.ndarray, own: np.ndarray, among: int) -> None:
        """Retrieval both ways. similarity [texts, clips], own bool [texts, clips]."""
        for k in (1, 5, 10):
            self.add("search", f"R@{k} among {among}", recall(similarity, own, k), len(similarity))
        for k in (1, 5, 10):
            self.add("search", f"clip to text R@{k} among {len(own)}", recall(similarity.T, own.T, k), similarity.shape[1])

    def add_novelty(self, task: str, metric: str, values: np.ndarray, shown: Sequence[frozenset[str]]) -> None:
        """The mean of `values`, separately for clips with nothing held out, and for clips with something that training never shows: a held-out name,
        or a held-out pair of a noun with a colour or a motion. values [n]; shown: `Sample.novel` of the clip of each."""
        groups = {
            "nothing held out": [not novel for novel in shown],
            "held-out pair": ["name" not in novel and bool(novel) for novel in shown],
            "held-out name": ["name" in novel for novel in shown],
        }
        for group, mine in groups.items():
            if any(mine):
                self.add(task, f"{metric}: {group}", values[mine].mean(), sum(mine))

    def add_captions(self, said: Sequence[str], references: Sequence[Sequence[str]]) -> None:
        for metric, value in caption_scores(said, references).items():
            self.add("caption", metric, value, len(said))

    def add_precision(self, precision: dict[str, float], frames: int, how: str = "") -> None:
        for metric, value in precision.items():
            self.add("detect", metric + how, value, frames)

    def show(self) -> None:
        for row in self.rows:
            print(f"{row['task']:8} {row['metric']:50} {row['value']:.3f}  n={row['n']}")


@dataclass
class Encoded:
    """The encoder's outputs for n clips: embedding [n, E], tokens [n, N, D], cross_k and cross_v [n, M, heads, N, d]."""

    embedding: Tensor
    tokens: Tensor
    cross_k: Tensor
    cross_v: Tensor


@torch.no_grad()
def encode_all(model: Mammut, videos: Sequence[Bytes]) -> Encoded:
    """videos [T, H, W, 3], all clips or all single pictures."""
    parts = []
    for start in range(0, len(videos), 32):
        voxels = zip(*(cut(video, model.config.tubes) for video in videos[start : start + 32]), strict=True)
        parts.append(model.encode([torch.from_numpy(np.stack(kind)) for kind in voxels]))
    embedding, memory, tokens = (torch.cat(part) for part in zip(*parts, strict=True))
    return Encoded(embedding, tokens, *model.decoder.project(memory))


@torch.no_grad()
def answer_all(model: Mammut, text: Text, prompts: Sequence[str], cross_k: Tensor, cross_v: Tensor) -> list[tuple[str, list[int], list[int]]]:
    """Greedy answers to prompts, one for each row of cross_k: (text, prompt ids, new ids). Equal lengths share a batch: the cache has no padding."""
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


@dataclass
class Proposals:
    """For n clips with Q queries and K labels: boxes [n, Q, 4] cxcywh, objectness [n, Q], cosine [n, Q, K] of region and label, the label's
    probability from the detector, head [n, Q, K], and from the encoder's tokens under the box, encoder [n, Q, K]; frame [Q] of each query."""

    boxes: np.ndarray
    objectness: np.ndarray
    cosine: np.ndarray
    head: np.ndarray
    encoder: np.ndarray
    frame: np.ndarray


@torch.no_grad()
def propose(model: Mammut, text: Text, tokens: Tensor, names: Sequence[str]) -> Proposals:
    labels = embed(model, text, [PROMPTS["label"].format(label=name) for name in names])
    boxes, objectness, regions = model.detector(tokens)
    frame = model.detector.get_buffer("frame").numpy()[: boxes.shape[1]]
    _, rows, columns = model.encoder.grid
    under = []
    for at in range(0, boxes.shape[1], rows * columns):  # a key frame's queries read only the tokens of that frame
        here = slice(at, at + rows * columns)
        weights = np.stack([cover(each, rows, columns) for each in boxes[:, here].numpy()]).astype(np.float32)
        under.append(torch.from_numpy(weights) @ tokens[:, here])
    seen = torch.nn.functional.normalize(model.to_text(model.pool_norm(torch.cat(under, dim=1))).float(), dim=-1)
    cosine = regions @ labels.T
    head = (cosine * model.log_region_scale.exp()).softmax(-1)
    encoder = (seen @ labels.T * model.log_scale.exp()).softmax(-1)
    return Proposals(boxes.numpy(), objectness.sigmoid().numpy(), cosine.numpy(), head.numpy(), encoder.numpy(), frame)


def detections(boxes: np.ndarray, score: np.ndarray) -> Found:
    """One frame's boxes [q, 4] and scores [q, K] to (label, box, score): the three best labels of each box, each label's boxes suppressed."""
    found: Found = []
    likely = score >= np.sort(score, axis=1)[:, -3:][:, :1]  # more labels only cost time
    for label in np.flatnonzero((likely & (score > 1e-3)).any(0)):
        picked = np.flatnonzero(likely[:, label] & (score[:, label] > 1e-3))
        found += [(int(label), boxes[picked[j]].tolist(), float(score[picked[j], label])) for j in suppress(boxes[picked], score[picked, label])]
    return found


@dataclass
class Asked:
    """n questions about clips, with their answers."""

    rows: list[tuple[int, str, str, str]]  # clip, question, true answer, kind
    done: list[tuple[str, list[int], list[int]]]  # as `answer_all` gives them
    right: np.ndarray  # [n] 0..1
    sure: np.ndarray  # [n] confidence at `temperature`
    judged: np.ndarray  # [n] bool: of the second half of the clips
    temperature: float
    not_sure_below: float

    def kinds(self) -> dict[str, list[int]]:
        """Rows of each kind of question."""
        out: dict[str, list[int]] = defaultdict(list)
        for row, (_, _, _, kind) in enumerate(self.rows):
            out[kind].append(row)
        return out


def measure_answers(model: Mammut, text: Text, samples: Sequence[Any], seen: Encoded, scores: Scores) -> Asked:
    """Fits the temperature, and the confidence from which an answer is sure, on the first half of the clips, and scores them on the second half."""
    half = len(samples) // 2
    rows = [(i, q, a, kind) for i, s in enumerate(samples) for q, a, kind in s.qa]
    of = [i for i, _, _, _ in rows]
    cross_k, cross_v = seen.cross_k[of], seen.cross_v[of]
    done = answer_all(model, text, [PROMPTS["question"].format(question=q) for _, q, _, _ in rows], cross_k, cross_v)
    right = np.array([vqa_accuracy(got, [a]) for (got, _, _), (_, _, a, _) in zip(done, rows, strict=True)])
    logits = answer_logits(model, done, cross_k, cross_v)
    fit, judged = np.array([i < half for i in of]), np.array([i >= half for i in of])
    choices = np.exp(np.linspace(math.log(0.5), math.log(4), 25))
    fitted = [logits[i] for i in np.flatnonzero(fit)]
    temperature = float(min(choices, key=lambda t: expected_calibration_error(confidence(fitted, t), right[fit])))
    sure = confidence(logits, temperature)
    asked = Asked(rows, done, right, sure, judged, temperature, not_sure_below(sure[fit], right[fit]))

    scores.add("answer", "exact match", right.mean(), len(right))
    for kind, here in sorted(asked.kinds().items()):
        scores.add("answer", f"exact match: {kind}", right[here].mean(), len(here))
        # The score of always giving the commonest answer of each kind, as a baseline for the line above.
        counts: dict[str, int] = defaultdict(int)
        for row in here:
            counts[normalise(rows[row][2])] += 1
        scores.add("answer", f"commonest answer: {kind}", max(counts.values()) / len(here), len(here))
    scores.add_novelty("answer", "exact match", right, [samples[i].novel for i in of])
    scores.add("answer", "calibration error", expected_calibration_error(sure[judged], right[judged]), int(judged.sum()))
    return asked


def measure_captions(model: Mammut, text: Text, samples: Sequence[Any], seen: Encoded, asked: Asked, scores: Scores) -> tuple[list[str], float]:
    """The caption of each clip, and the confidence from which a caption is sure, fitted on the first half of the clips."""
    clips, half = len(samples), len(samples) // 2
    done = answer_all(model, text, [PROMPTS["caption"]] * clips, seen.cross_k, seen.cross_v)
    told = [got for got, _, _ in done]
    f1 = np.array([word_f1(got, s.caption) for got, s in zip(told, samples, strict=True)])
    scores.add("caption", "words right (F1)", f1.mean(), clips)
    scores.add_novelty("caption", "words right (F1)", f1, [s.novel for s in samples])
    exact = np.array([any(normalise(got) == normalise(c) for c in s.captions) for got, s in zip(told, samples, strict=True)], float)
    scores.add("caption", "exact", exact.mean(), clips)
    scores.add_captions(told, [s.captions for s in samples])
    for topic, here in sorted(asked.kinds().items()):
        if topic in ("colour", "what", "direction"):
            # The answers to these questions are the words that a caption of the clip must contain.
            answers = [(asked.rows[row][0], normalise(asked.rows[row][2])) for row in here]
            due = [(i, answer) for i, answer in answers if f" {answer} " in f" {normalise(samples[i].caption)} "]
            if due:
                held = [f" {answer} " in f" {normalise(told[i])} " for i, answer in due]
                scores.add("caption", f"{topic} right", float(np.mean(held)), len(held))
    sure = confidence(answer_logits(model, done, seen.cross_k, seen.cross_v), asked.temperature)
    return told, not_sure_below(sure[:half], (f1[:half] > 0.7).astype(float))


def measure_search(model: Mammut, text: Text, samples: Sequence[Any], seen: Encoded, scores: Scores) -> dict[str, float]:
    """Searches for each clip by its caption, among clips whose captions differ. Returns `calibration.search`."""
    half = len(samples) // 2
    distinct = list({s.caption: i for i, s in reversed(list(enumerate(samples)))}.values())
    queries = embed(model, text, [samples[i].caption for i in distinct])
    cosine = (queries @ seen.embedding[distinct].T).numpy()
    own = np.eye(len(distinct), dtype=bool)
    scores.add_search(cosine, own, len(distinct))
    scores.add_novelty("search", f"R@1 among {len(distinct)}", hits_at(cosine, own, 1), [samples[i].novel for i in distinct])
    captions = {i: normalise(samples[i].caption) for i in distinct}
    same = np.array([[captions[a] == captions[b] for b in distinct] for a in distinct])
    fitted = [j for j, i in enumerate(distinct) if i < half]
    positive, negative = np.diag(cosine)[fitted], cosine[fitted][~same[fitted]]
    # Wrong and right pairs get the same total weight: the threshold must not depend on the size of the library.
    negative = np.random.default_rng(0).choice(negative, size=min(len(negative), 4 * len(positive)), replace=False)
    pairs, truth = np.concatenate([positive, negative]), np.concatenate([np.ones(len(positive)), np.zeros(len(negative))])
    scale, bias = fit_logistic(pairs, truth)
    threshold = best_threshold(1 / (1 + np.exp(-(scale * pairs + bias))), truth)
    held_out = [j for j in range(len(distinct)) if j not in set(fitted)]
    if held_out:
        match = 1 / (1 + np.exp(-(scale * cosine[held_out] + bias)))
        true, other = own[held_out], ~same[held_out]
        scores.add("search", "true pairs kept", (match[true] >= threshold).mean(), len(held_out))
        scores.add("search", "wrong pairs refused", (match[other] < threshold).mean(), int(other.sum()))
        some = np.random.default_rng(0).choice(match[other], size=min(int(other.sum()), 4 * int(true.sum())), replace=False)
        both = np.concatenate([match[true], some]), np.concatenate([np.ones(int(true.sum())), np.zeros(len(some))])
        scores.add("search", "calibration error", expected_calibration_error(*both), len(both[0]))
    return {"scale": scale, "bias": bias, "threshold": threshold}


def covers(box: Sequence[float] | np.ndarray, truth: Sequence[float]) -> bool:
    """Whether a box matches a true one: an IoU above 0.5. Both cxcywh."""
    return float(iou_giou(torch.tensor(box), torch.tensor(truth))[0]) > 0.5


def measure_boxes(
    model: Mammut, text: Text, samples: Sequence[Any], seen: Encoded, known: Sequence[str], novel: Sequence[str], scores: Scores
) -> dict[str, float]:
    """Detection on the key frames: with known names alone, as the app scores them; and together with novel ones where there are any.

    Returns `calibration.detect`, fitted on the first half of the clips and scored on the second half."""
    half, vocabulary = len(samples) // 2, [*known, *novel]
    index = {name: i for i, name in enumerate(vocabulary)}
    got = propose(model, text, seen.tokens, vocabulary)
    key_frames = [(i, int(frame)) for i in range(len(samples)) for frame in sorted({*got.frame.tolist()})]
    objects: list[Truth] = [[(index[o[0]], list(o[1:])) for o in samples[i].boxes[frame] if o[0] in index] for i, frame in key_frames]
    known_truth: list[Truth] = [[(label, b) for label, b in there if label < len(known)] for there in objects]

    def boxes_by(label_score: np.ndarray) -> list[Found]:
        out = []
        for i, frame in key_frames:
            here = got.frame == frame
            out.append(detections(got.boxes[i, here], got.objectness[i, here, None] * label_score[i, here]))
        return out

    xs, ys = [], []
    for (i, frame), there in zip(key_frames, known_truth, strict=True):
        for q in np.flatnonzero(got.frame == frame) if i < half else ():
            for label, b in there:
                if covers(got.boxes[i, q], b):
                    xs += got.cosine[i, q, : len(known)].tolist()
                    ys += [float(j == label) for j in range(len(known))]
    scale, bias = fit_logistic(np.array(xs), np.array(ys)) if sum(ys) else (10.0, -5.0)

    later = [j for j, (i, _) in enumerate(key_frames) if i >= half]
    found = boxes_by(1 / (1 + np.exp(-(scale * got.cosine[:, :, : len(known)] + bias))))
    precision = average_precision([known_truth[j] for j in later], [found[j] for j in later], {"known names": range(len(known))})
    scores.add_precision(precision, len(later))
    hits, values, early = [], [], []
    for (i, _), there, here in zip(key_frames, known_truth, found, strict=True):
        for label, b, value in here:
            hits.append(float(any(label == o and covers(b, t) for o, t in there)))
            values.append(value)
            early.append(i < half)
    first, values_, hits_ = np.array(early, bool), np.array(values), np.array(hits)
    threshold = best_threshold(values_[first], hits_[first]) if first.any() else 0.3
    if (~first).any():
        scores.add("detect", "calibration error", expected_calibration_error(values_[~first], hits_[~first]), int((~first).sum()))
    if novel:
        # All names together, as the open-vocabulary benchmarks ask: base and novel compete for each box.
        groups = {"base": range(len(known)), "novel": range(len(known), len(vocabulary))}
        is_novel = np.arange(len(vocabulary)) >= len(known)
        both = combined(got.head.reshape(-1, len(vocabulary)), got.encoder.reshape(-1, len(vocabulary)), is_novel).reshape(got.head.shape)
        for how, label_score in (("", got.head), (", with the encoder's score", both)):
            scores.add_precision(average_precision(objects, boxes_by(label_score), groups), len(objects), how)
    return {"scale": scale, "bias": bias, "threshold": threshold}


@torch.no_grad()
def evaluate(model: Mammut, text: Text, samples: Sequence[Any], known: Sequence[str], version: str, novel: Sequence[str] = ()) -> dict[str, Any]:
    """samples: clips of the validation split; known: object names seen in training; novel: names that were not.

    Returns {version, scores, calibration, examples}."""
    model.eval()
    seen = encode_all(model, [s.video for s in samples])
    scores = Scores(ON)
    asked = measure_answers(model, text, samples, seen, scores)
    told, caption_not_sure_below = measure_captions(model, text, samples, seen, asked, scores)
    shown = asked.judged & (asked.sure >= asked.not_sure_below)
    scores.add("answer", "exact match where sure", asked.right[shown].mean() if shown.any() else 0.0, int(shown.sum()))
    scores.add("answer", "share where sure", shown.sum() / asked.judged.sum(), int(asked.judged.sum()))
    calibration = {
        "search": measure_search(model, text, samples, seen, scores),
        "answer": {"temperature": asked.temperature, "notSureBelow": asked.not_sure_below},
        "caption": {"notSureBelow": caption_not_sure_below},
        "detect": measure_boxes(model, text, samples, seen, known, novel, scores),
    }
    captions = [{"caption": s.caption, "got": got} for got, s in zip(told[:20], samples, strict=False)]
    answers = [
        {"question": question, "answer": answer, "got": got, "confidence": round(float(sure), 3)}
        for (_, question, answer, _), (got, _, _), sure in zip(asked.rows[:40], asked.done, asked.sure, strict=False)
    ]
    return {"version": version, "scores": scores.rows, "calibration": calibration, "examples": captions + answers}


@torch.no_grad()
def run_benchmark(model: Mammut, text: Text, examples: Sequence[benchmarks.Example], name: str) -> Scores:
    """Everything that the examples have truth for: answers, captions, retrieval, boxes."""
    model.eval()
    scores = Scores(name)
    videos = [example.read(model.config) for example in examples]
    seen = encode_all(model, videos)
    asked = [(i, question) for i, example in enumerate(examples) for question in example.questions]
    if asked:
        of = [i for i, _ in asked]
        prompts = [PROMPTS["question"].format(question=question.text) for _, question in asked]
        said = answer_all(model, text, prompts, seen.cross_k[of], seen.cross_v[of])
        right = np.array([vqa_accuracy(got, question.answers) for (got, _, _), (_, question) in zip(said, asked, strict=True)])
        scores.add("answer", "accuracy", right.mean(), len(right))
        for kind in sorted({question.kind for _, question in asked}):
            rows = [row for row, (_, question) in enumerate(asked) if question.kind == kind]
            scores.add("answer", f"accuracy: {kind}", right[rows].mean(), len(rows))
    if all(example.captions for example in examples):
        told = answer_all(model, text, [PROMPTS["caption"]] * len(examples), seen.cross_k, seen.cross_v)
        scores.add_captions([got for got, _, _ in told], [example.captions for example in examples])
        lines = [(i, caption) for i, example in enumerate(examples) for caption in example.captions]
        own = np.array([[i == j for j in range(len(examples))] for i, _ in lines])
        scores.add_search((embed(model, text, [caption for _, caption in lines]) @ seen.embedding.T).numpy(), own, len(examples))
    vocabulary = benchmarks.vocabulary(examples)
    if vocabulary:
        names, novel = [name for name, _ in vocabulary], np.array([rare for _, rare in vocabulary])
        got, index = propose(model, text, seen.tokens, names), {name: i for i, name in enumerate(names)}
        truth: list[Truth] = [[(index[name], box) for name, box in example.boxes] for example in examples]
        groups = {"base": np.flatnonzero(~novel).tolist(), "novel": np.flatnonzero(novel).tolist(), "all": range(len(names))}
        found = []
        for i, example in enumerate(examples):
            label_score = got.objectness[i, :, None] * combined(got.head[i], got.encoder[i], novel)
            judged = {index[name] for name in example.judged}  # nobody looked for the others in this picture
            found.append([hit for hit in detections(got.boxes[i], label_score) if hit[0] in judged])
        ignore = [[index[name] for name in example.incomplete] for example in examples]
        scores.add_precision(average_precision(truth, found, groups, ignore), len(examples))
    return scores


@torch.no_grad()
def embed(model: Mammut, text: Text, lines: Sequence[str]) -> Tensor:
    """[n] texts -> [n, E]."""
    ids = torch.tensor(pad([text.sentence(line) for line in lines]))
    return torch.cat([model.decoder.contrast(part) for part in torch.split(ids, 128)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--run", type=Path)
    what.add_argument("--pack", type=Path)
    parser.add_argument("--train-data", type=Path)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--version", default="0.1.0")
    parser.add_argument("--benchmark", choices=sorted(benchmarks.LOADERS), help="a public set instead of composed video")
    parser.add_argument("--data", type=Path, help="where that set lies")
    parser.add_argument("--limit", type=int, help="only so many of its clips or pictures")
    args = parser.parse_args()
    from models.data.generator import World

    if args.pack:
        model, text = unpack.read(args.pack)
        state: dict[str, Any] = {"step": None, "seconds": None}
    else:
        model, state = load(args.run / "checkpoint.pt")
        text = tokenizer.Text.load(args.run / "tokenizer.json", model.config.context)
    if args.benchmark:
        if args.data is None:
            parser.error("--benchmark needs --data, the folder of the set")
        scores = run_benchmark(model, text, benchmarks.LOADERS[args.benchmark](args.data)[: args.limit], args.benchmark)
        if args.run:
            (args.run / f"scores-{args.benchmark}.json").write_text(json.dumps({"step": state["step"], "scores": scores.rows}, indent=1) + "\n")
        scores.show()
        return
    world = World(args.train_data, "val", frames=model.config.frames, size=model.config.size)
    samples = world.samples([np.random.default_rng((11, i)) for i in range(args.clips)])
    known = state.get("labels") or [name for name in world.labels if name not in world.novel]
    report = evaluate(model, text, samples, known, args.version, world.novel)
    if args.pack:
        file = args.pack / "pack.json"
        manifest = json.loads(file.read_text())
        manifest |= {"version": args.version, "scores": report["scores"], "calibration": manifest["calibration"] | report["calibration"]}
        file.write_text(json.dumps(manifest, indent=2) + "\n")
    else:
        report["step"], report["seconds"] = state["step"], state["seconds"]
        (args.run / "scores.json").write_text(json.dumps(report, indent=1) + "\n")
    shown = Scores(ON)
    shown.rows = report["scores"]
    shown.show()
    print(json.dumps(report["calibration"]))


if __name__ == "__main__":
    main()
