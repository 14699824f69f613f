"""A pack learns from its user's corrections.

    python -m models.finetune --pack PACK --annotations EXPORT.jsonl [MORE.jsonl ...] --videos DIR --out NEWPACK [--train-data DIR] [--steps 300]

Exports come from the app (JSONL); videos are found by name anywhere below DIR. Captions, answers and boxes that a person accepted or edited
are learnt; what nobody looked at is not. Every fourth clip is held out: the new pack's scores begin with those of the new and the old pack on
these clips. Between the corrections it also learns from composed video (drawn shapes without --train-data), so that it forgets little; how
much it forgot is scored as well. Afterwards the pack is calibrated and measured on composed video like every other, but it is sure of an answer
or a caption only above the confidence at which most of those on the held-out clips are right too.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models import familiar, losses
from models.batches import anchors, collate, digest, make_item, mirrored, teach
from models.config import Config, Training
from models.corrections import Taught, read
from models.evaluate import ON, Scores, answer_all, answer_logits, confidence, detections, embed, encode_all, evaluate, propose
from models.export import write_pack
from models.metrics import Truth, average_precision, normalise, not_sure_below, recall, vqa_accuracy, word_f1
from models.model import Mammut
from models.tokenizer import PROMPTS, Text, lexicon, pad
from models.train import Learner, descend, generative, label_ids, learning_rate, optimisers
from models.tubes import cut
from models.unpack import read as unpack

HELD_OUT = 4  # one clip in this many
# With 23 real clips and 200 steps, lr 3e-4 brought the captions of those held out to an F1 of 0.24, 1e-3 to 0.80, which costs 3 % of the answers
# on composed video.
RECIPE = Training(batch=8, questions=4, lr=1e-3, warmup=20)
CAPTION_RIGHT = 0.7  # F1 of its words, as in models.evaluate
USERS = 8  # corrected clips a step
ON_USERS = "corrected clips held out"


def divide(clips: Sequence[Taught]) -> tuple[list[Taught], list[Taught]]:
    """The clips to learn from, and those held out. ValueError where there are too few for both."""
    if len(clips) < 2:
        raise ValueError(f"there are corrections of {len(clips)} clip(s); at least 2 are needed, one of them to judge by")
    every = min(HELD_OUT, len(clips))
    held = [clip for i, clip in enumerate(clips) if i % every == every - 1]
    return [clip for clip in clips if not any(clip is each for each in held)], held


def texts(clips: Sequence[Taught]) -> list[str]:
    """All captions, questions, answers and labels of the clips."""
    told = [clip.caption for clip in clips if clip.caption is not None]
    asked = [said for clip in clips for pair in clip.qa for said in pair]
    return told + asked + [name for clip in clips for boxes in clip.boxes.values() for name, *_ in boxes]


@dataclass
class Pupil:
    """A corrected clip, ready to learn: ids of its captions and questions, and for each patch the box and the label (-1: none)."""

    tubes: list[Any]
    caption: str | None
    told: tuple[list[int], int] | None
    asked: list[tuple[list[int], int]]
    box: Tensor  # [Q, 4]
    label: Tensor  # [Q]


def pupil(clip: Taught, config: Config, text: Text, labels: dict[str, int]) -> Pupil:
    centres, key_frames = anchors(config)
    box, label = [], []
    for frame in key_frames:
        there = clip.boxes.get(frame, [])
        owner = losses.assign(centres, torch.tensor([each[1:] for each in there]).reshape(-1, 4))
        box.append(torch.cat((torch.tensor([each[1:] for each in there]).reshape(-1, 4), torch.zeros(1, 4)))[owner])
        label.append(torch.tensor([labels[each[0]] for each in there] + [-1])[owner])
    return Pupil(
        cut(clip.video, config.tubes),
        clip.caption,
        text.pair(PROMPTS["caption"], clip.caption) if clip.caption is not None else None,
        [text.pair(PROMPTS["question"].format(question=q), a) for q, a in clip.qa],
        torch.cat(box),
        torch.cat(label),
    )


def lesson(model: Mammut, text: Text, pupils: Sequence[Pupil], labels: Tensor, recipe: Training) -> Tensor:
    """The loss on what people said about these clips. Objects without a box may be present too, so only patches with a box count."""
    tubes = [torch.from_numpy(np.stack(kind)) for kind in zip(*(each.tubes for each in pupils), strict=True)]
    embedding, memory, tokens = model.encode(tubes)
    cross_k, cross_v = model.decoder.project(memory)
    total = embedding.sum() * 0

    def said_of(of: list[int], pairs: list[tuple[list[int], int]]) -> Tensor:
        loss, _ = generative(model, (cross_k[of], cross_v[of]), *teach(pairs))
        return loss

    told = [(i, each.told) for i, each in enumerate(pupils) if each.told is not None]
    if told:
        total = total + recipe.caption_weight * said_of([i for i, _ in told], [pair for _, pair in told])
    asked = [(i, pair) for i, each in enumerate(pupils) for pair in each.asked]
    if asked:
        total = total + recipe.answer_weight * said_of([i for i, _ in asked], [pair for _, pair in asked])
    said = [(i, each.caption) for i, each in enumerate(pupils) if each.caption is not None]
    if len(said) > 1:
        keys = torch.tensor([digest(caption) for _, caption in said])
        texts = model.decoder.contrast(torch.tensor(pad([text.sentence(caption) for _, caption in said])))
        same = keys[:, None] == keys[None, :]
        total = total + recipe.contrastive_weight * losses.info_nce(embedding[[i for i, _ in said]], texts, model.log_scale, same)
    boxes, sure, regions = model.detector(tokens)
    box, label = torch.stack([each.box for each in pupils]), torch.stack([each.label for each in pupils])
    there = label >= 0
    if there.any():
        quality = losses.iou_giou(boxes[there], box[there])[0].detach().clamp(min=0.05)
        names = model.decoder.contrast(labels)
        placed = losses.boxes(boxes[there], box[there]) + losses.objectness(sure[there], quality)
        total = total + recipe.detection_weight * (placed + 0.5 * losses.region_text(regions[there], names, label[there], model.log_region_scale))
    return total


def learn(model: Mammut, text: Text, taught: Sequence[Taught], world: Any, recipe: Training, steps: int) -> None:
    """Trains the model in place: per step one batch of corrections and one of composed clips, the latter also mirrored."""
    config, names = model.config, list(dict.fromkeys([*world.labels, *(box[0] for clip in taught for boxes in clip.boxes.values() for box in boxes)]))
    labels = label_ids(text, names)
    index = {name: i for i, name in enumerate(names)}
    pupils = [pupil(clip, config, text, index) for clip in taught]
    learner, optimizers = Learner(model.train(), recipe, labels), optimisers(model, recipe)
    torch.manual_seed(recipe.seed)
    for step in range(steps):
        rng = np.random.default_rng((recipe.seed, step))
        made = [world.sample(rng) for _ in range(recipe.batch // 2)]
        items = [make_item(each, config, text, index) for sample in made for each in (sample, mirrored(sample))]
        replay, _ = learner(collate(items, rng, recipe.questions))
        total = replay + lesson(model, text, [pupils[i] for i in rng.permutation(len(pupils))[:USERS]], labels, recipe)
        descend(model, optimizers, total, learning_rate(recipe, step, step / steps))
        if step % 20 == 0 or step == steps - 1:
            print(f"step {step + 1} of {steps}: loss {float(total.detach()):.3f}", file=sys.stderr, flush=True)
    model.eval()


@dataclass
class Written:
    """Texts of corrected clips: whether each is right, [n] of 0..1, and the logits [ids, vocab] under which it was chosen."""

    right: np.ndarray
    logits: list[Tensor]

    def operating_point(self, composed: float, temperature: float) -> float:
        """The confidence from which a text is shown as sure. composed: that confidence on composed video, which has nothing of the user's."""
        return max(composed, not_sure_below(confidence(self.logits, temperature), self.right))


@torch.no_grad()
def judge(model: Mammut, text: Text, held: Sequence[Taught]) -> tuple[dict[tuple[str, str], tuple[float, int]], dict[str, Written]]:
    """What a person would see in the app for corrected clips: (task, metric) -> (value, n), and the texts for "caption" and "answer"."""
    model.eval()
    seen = encode_all(model, [clip.video for clip in held])
    out: dict[tuple[str, str], tuple[float, int]] = {}
    written = {task: Written(np.zeros(0), []) for task in ("caption", "answer")}
    told = [(i, clip.caption) for i, clip in enumerate(held) if clip.caption is not None]
    if told:
        of = [i for i, _ in told]
        said = answer_all(model, text, [PROMPTS["caption"]] * len(told), seen.cross_k[of], seen.cross_v[of])
        f1 = np.array([word_f1(got, truth) for (got, _, _), (_, truth) in zip(said, told, strict=True)])
        out["caption", "words right (F1)"] = float(f1.mean()), len(told)
        written["caption"] = Written((f1 > CAPTION_RIGHT).astype(float), answer_logits(model, said, seen.cross_k[of], seen.cross_v[of]))
        similarity = (embed(model, text, [truth for _, truth in told]) @ seen.embedding[of].T).numpy()
        alike = np.array([normalise(truth) for _, truth in told])
        out["search", f"R@1 among {len(told)}"] = recall(similarity, alike[:, None] == alike, 1), len(told)
    asked = [(i, q, a) for i, clip in enumerate(held) for q, a in clip.qa]
    if asked:
        of = [i for i, _, _ in asked]
        said = answer_all(model, text, [PROMPTS["question"].format(question=q) for _, q, _ in asked], seen.cross_k[of], seen.cross_v[of])
        right = np.array([vqa_accuracy(got, [a]) for (got, _, _), (_, _, a) in zip(said, asked, strict=True)])
        out["answer", "exact match"] = float(right.mean()), len(asked)
        written["answer"] = Written(right, answer_logits(model, said, seen.cross_k[of], seen.cross_v[of]))
    names = sorted({box[0] for clip in held for boxes in clip.boxes.values() for box in boxes})
    if names:
        got, index = propose(model, text, seen.tokens, names), {name: i for i, name in enumerate(names)}
        key_frames = [(i, frame) for i, clip in enumerate(held) for frame in clip.boxes]
        truth: list[Truth] = [[(index[box[0]], list(box[1:])) for box in held[i].boxes[frame]] for i, frame in key_frames]
        sure = got.objectness[..., None] * got.head
        found = [detections(got.boxes[i, got.frame == frame], sure[i, got.frame == frame]) for i, frame in key_frames]
        for metric, value in average_precision(truth, found, {"corrected names": range(len(names))}).items():
            out["detect", metric] = value, len(key_frames)
    return out, written


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--annotations", type=Path, nargs="+", required=True)
    parser.add_argument("--videos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--train-data", type=Path, help="the pictures that composed video is made of; without them shapes alone")
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--clips", type=int, default=200, help="composed clips to measure and calibrate on")
    args = parser.parse_args()
    from models.data.generator import World

    if args.out.exists() and any(args.out.iterdir()):
        parser.error(f"{args.out} is not empty: a new pack needs a folder of its own")
    if not torch.cuda.is_available():
        torch.set_num_threads(1)  # see models.train
    try:
        model, text = unpack(args.pack)
        taught, held = divide(read(args.annotations, args.videos, model.config))
    except (ValueError, OSError) as problem:
        parser.exit(2, f"{problem}\n")
    manifest = json.loads((args.pack / "pack.json").read_text())
    said = sum((clip.caption is not None) + len(clip.qa) + len({box[0] for boxes in clip.boxes.values() for box in boxes}) for clip in taught)
    print(f"{len(taught)} clips to learn from ({said} corrections), {len(held)} held out", file=sys.stderr)

    config = model.config
    validation = World(args.train_data, "val", config.frames, config.size)
    composed = [validation.sample(np.random.default_rng((11, i))) for i in range(args.clips)]

    def right_on_composed() -> float:
        asked = [(i, q, a) for i, sample in enumerate(composed) for q, a, _ in sample.qa]
        seen, of = encode_all(model, [sample.video for sample in composed]), [i for i, _, _ in asked]
        done = answer_all(model, text, [PROMPTS["question"].format(question=q) for _, q, _ in asked], seen.cross_k[of], seen.cross_v[of])
        return float(np.mean([vqa_accuracy(got, [a]) for (got, _, _), (_, _, a) in zip(done, asked, strict=True)]))

    (before, _), composed_before = judge(model, text, held), right_on_composed()
    world = World(args.train_data, "train", config.frames, config.size)
    learn(model, text, taught, world, replace(RECIPE), args.steps)
    after, written = judge(model, text, held)

    scores = Scores(ON_USERS)
    for (task, metric), (value, n) in after.items():
        scores.add(task, metric, value, n)
        scores.add(task, f"{metric}, before", before[task, metric][0], n)
    version = f"{manifest['version']}-tuned"
    report = evaluate(model, text, composed, world.labels, version)
    calibration, answers = report["calibration"], written["answer"]
    temperature = calibration["answer"]["temperature"]
    for task, of_task in written.items():
        calibration[task]["notSureBelow"] = of_task.operating_point(calibration[task]["notSureBelow"], temperature)
    shown = confidence(answers.logits, temperature) >= calibration["answer"]["notSureBelow"]
    if len(shown):
        scores.add("answer", "share where sure", shown.mean(), len(shown))
    if shown.any():
        scores.add("answer", "exact match where sure", answers.right[shown].mean(), int(shown.sum()))
    words = manifest.get("words") and lexicon([*manifest["words"], *texts(taught)])
    args.out.mkdir(parents=True, exist_ok=True)
    known = familiar.teach(args.out, encode_all(model, [clip.video for clip in taught]).embedding)
    scores.on = ON
    scores.add("answer", "exact match, before", composed_before, sum(len(sample.qa) for sample in composed))
    worst = write_pack(
        args.out,
        model,
        text.tokenizer.to_str(),
        [composed[0].video, held[0].video],
        [composed[0].caption, "what is moving ?"],
        identity={
            "id": f"{manifest['id']}-tuned",
            "version": version,
            "name": f"{manifest['name']}, tuned",
            "description": f"{manifest['name']} {manifest['version']} that went on learning from {len(taught)} clips that its user corrected.",
        },
        data=[*manifest["data"], {"name": "its user's own corrected clips", "licence": "private"}],
        calibration=calibration | {"familiar": known},
        scores=[*scores.rows, *report["scores"]],
        words=words,
    )
    scores.show()
    print(json.dumps({"out": str(args.out), "largest difference from PyTorch": worst}))


if __name__ == "__main__":
    main()
