"""Training.

    python -m models.train --config mini --train-data DIR --out runs/mini --minutes 50 [--resume]

Writes to --out: tokenizer.json, checkpoint.pt (atomic, every few minutes; averaged weights, live weights, optimiser), metrics.jsonl.
"""

from __future__ import annotations

import argparse
import json
import math
import multiprocessing
import signal
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed

from models import losses, tokenizer
from models.batches import Batch, Maker, Pool
from models.config import CONFIGS, Config, Training
from models.model import Mammut, save
from models.tokenizer import PROMPTS, Text, pad


def step_losses(model: Mammut, batch: Batch, labels: Tensor, recipe: Training) -> tuple[Tensor, dict[str, Tensor]]:
    """One encoder pass, then every loss on what it left. labels [K, L]: ids of the label names. Returns the weighted sum and its parts."""
    embedding, memory, tokens = model.encode(batch.tubes)
    cross_k, cross_v = model.decoder.project(memory)

    def generative(ids: Tensor, targets: Tensor, group: int) -> tuple[Tensor, Tensor]:
        x, _, _, _ = model.decoder.hidden(ids, cross_k, cross_v, group=group)
        counts = targets != -100
        logits = model.decoder.head(x[counts])
        return losses.next_token(logits, targets[counts]), (logits.argmax(-1) == targets[counts]).float().mean()

    told, told_right = generative(*batch.told, 1)
    asked, asked_right = generative(*batch.asked, len(batch.asked[0]) // len(embedding))
    contrast = losses.focal_contrastive if recipe.focal else losses.info_nce
    # Negatives come from all processes. Each computes the whole loss and passes a gradient to its own rows alone, and `share` then takes the
    # mean over the W processes: times W makes that the gradient of one process that holds all rows. The temperature has it whole everywhere.
    ranks = distributed.get_world_size() if distributed.is_initialized() else 1
    alike = losses.everywhere(batch.alike)
    same = (alike[:, None] == alike[None, :]).any(-1)
    scale = model.log_scale / ranks + model.log_scale.detach() * (1 - 1 / ranks)
    matched = contrast(losses.everywhere(embedding), losses.everywhere(model.decoder.contrast(batch.text)), scale, same)

    boxes, sure, regions = model.detector(tokens)
    there = batch.label >= 0
    # The names in the batch and some that are not: encoding every name at every step would cost more than the clips.
    present = torch.unique(batch.label[there])
    others = torch.randperm(len(labels))[: recipe.negatives]
    names = torch.cat((present, others[~torch.isin(others, present)]))
    place = torch.full((len(labels),), -1).scatter(0, names, torch.arange(len(names)))
    quality = torch.zeros_like(sure)
    with torch.no_grad():
        quality[there] = losses.iou_giou(boxes[there], batch.box[there])[0].clamp(min=0.05)
    placed = losses.boxes(boxes[there], batch.box[there])
    found = losses.objectness(sure, quality)
    named = losses.region_text(regions[there], model.decoder.contrast(labels[names]), place[batch.label[there]], model.log_region_scale)

    total = (
        recipe.caption_weight * told
        + recipe.answer_weight * asked
        + recipe.contrastive_weight * ranks * matched
        + recipe.detection_weight * (placed + found + 0.5 * named)
    )
    parts = {
        "caption": told,
        "answer": asked,
        "contrastive": matched,
        "box": placed,
        "objectness": found,
        "region": named,
        "iou": quality[there].mean() if there.any() else torch.zeros(()),
        "caption_right": told_right,
        "answer_right": asked_right,
    }
    return total, parts


def learning_rate(recipe: Training, step: int, progress: float) -> float:
    """Linear warm-up by steps, cosine to 2 % by the share of the time that is used."""
    return recipe.lr * min(1.0, (step + 1) / recipe.warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def optimiser(model: Mammut, recipe: Training) -> torch.optim.AdamW:
    """Weight decay on matrices only."""
    matrices = [p for p in model.parameters() if p.ndim > 1]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98), fused=True)


def share(model: Mammut, told: Tensor) -> Tensor:
    """Averages the gradients over the processes of this run, and sums `told` [k] over them, in one message."""
    grads = [p.grad for p in model.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads] + [told])
    distributed.all_reduce(flat)
    start = 0
    for g in grads:
        g.copy_(flat[start : start + g.numel()].view_as(g) / distributed.get_world_size())
        start += g.numel()
    return flat[start:]


def label_ids(text: Text, labels: list[str]) -> Tensor:
    return torch.tensor(pad([text.sentence(PROMPTS["label"].format(label=name)) for name in labels]))


def train(
    make: Maker,
    config: Config,
    recipe: Training,
    out: Path,
    *,
    minutes: float = math.inf,
    steps: int | None = None,
    labels: list[str],
    resume: bool = False,
    workers: int = 1,
    warm: int = 160,
    save_every: float = 180.0,
    half: bool = True,
    rank: int = 0,
) -> list[dict[str, Any]]:
    """`make` builds the source inside each worker; tokenizer.json must be in `out`. Returns the metrics that it logged.

    Ends after `minutes`, or after `steps` if they are given. With torch.distributed started, `rank` is this process's number: each takes its
    own batch, and the first one keeps time, logs and saves. On a busy machine processes of one thread beat threads, which spend what they get
    waiting for each other at every operation."""
    torch.manual_seed(recipe.seed)
    together = distributed.is_initialized()
    text = Text.load(out / "tokenizer.json", config.context)
    checkpoint, log = out / "checkpoint.pt", out / "metrics.jsonl"
    model = Mammut(config)
    optimizer = optimiser(model, recipe)
    average = [p.detach().clone() for p in model.parameters()]
    step, used = 0, 0.0
    if resume and checkpoint.exists():
        state = torch.load(checkpoint, map_location="cpu", weights_only=True)
        model.load_state_dict(state["live"])
        optimizer.load_state_dict(state["optimizer"])
        step, used = state["step"], state["seconds"]
        average = [state["model"][name] for name, _ in model.named_parameters()]
    seed = recipe.seed + step + 7919 * rank
    pool = Pool(make, config, out / "tokenizer.json", workers=workers, capacity=recipe.pool, reuse=recipe.reuse, seed=seed)
    torch.manual_seed(seed)
    names = label_ids(text, labels)

    def write() -> None:
        averaged = dict(zip((name for name, _ in model.named_parameters()), average, strict=True))
        live = model.state_dict()
        body = {"step": step, "seconds": used, "live": live, "optimizer": optimizer.state_dict(), "recipe": asdict(recipe), "labels": labels}
        mirror = Mammut(config)
        mirror.load_state_dict(averaged)
        save(checkpoint, mirror, **body)

    stopping = False

    def stop(*_: Any) -> None:
        nonlocal stopping
        stopping = True

    previous = [signal.signal(s, stop) for s in (signal.SIGTERM, signal.SIGINT)]
    history: list[dict[str, Any]] = []
    sums: dict[str, float] = {}
    logged = last_save = last = time.monotonic()
    clips = recipe.batch * (distributed.get_world_size() if together else 1)

    def share_done(after: int) -> float:
        return after / steps if steps else used / (minutes * 60)

    since, progress = 0, share_done(step)
    try:
        while progress < 1:
            batch = pool.batch(recipe.batch, recipe.questions, warm)
            lr = learning_rate(recipe, step, progress)
            for group in optimizer.param_groups:
                group["lr"] = lr
            with torch.autocast("cpu", torch.bfloat16, enabled=half):
                total, parts = step_losses(model, batch, names, recipe)
            optimizer.zero_grad()
            torch.autograd.backward(total)
            told = torch.tensor([0.0 if rank else share_done(step + 1), float(stopping)])
            if together:
                told = share(model, told)
            progress = float(told[0]) if told[1] == 0 else 1.0  # all processes must agree on when to stop
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            with torch.no_grad():  # averaged weights: what is evaluated and exported
                torch._foreach_lerp_(average, list(model.parameters()), 1 - min(0.99, step / (step + 10)))
            for name, value in parts.items():
                sums[name] = sums.get(name, 0.0) + float(value.detach())
            step, since, now = step + 1, since + 1, time.monotonic()
            used, last = used + min(now - last, 30.0), now  # a machine that slept has not trained
            if rank == 0 and (now - logged > 10 or step == 1 or progress >= 1):
                row = {"step": step, "seconds": round(used, 1), "clips_per_second": round(since * clips / (now - logged), 1), "lr": lr}
                row |= {"made": pool.made} | {name: round(value / since, 4) for name, value in sums.items()}
                if not math.isfinite(row["caption"]):
                    raise RuntimeError(f"the loss is not finite: {row}")
                history.append(row)
                with log.open("a") as file:
                    file.write(json.dumps(row) + "\n")
                print(json.dumps(row), flush=True)
                sums, since, logged = {}, 0, now
            if rank == 0 and now - last_save > save_every:
                write()
                last_save = now
    finally:
        pool.close()
        for s, handler in zip((signal.SIGTERM, signal.SIGINT), previous, strict=True):
            signal.signal(s, handler)
    if rank == 0:
        write()
    return history


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--config", default="mini", choices=sorted(CONFIGS))
    parser.add_argument("--train-data", type=Path, help="folder of pictures; without it shapes alone are composed")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=50.0)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, help="each of one thread, each with its own workers")
    for name in ("batch", "questions", "pool"):
        parser.add_argument(f"--{name}", type=int)
    for name in ("lr", "reuse"):
        parser.add_argument(f"--{name}", type=float)
    parser.add_argument("--focal", action="store_true", help="sigmoid focal contrastive loss")
    args = parser.parse_args()
    from models.data.generator import World

    torch.set_num_threads(1)  # before anything is forked
    config = CONFIGS[args.config]
    chosen = {name: value for name in ("batch", "questions", "pool", "lr", "reuse") if (value := getattr(args, name)) is not None}
    recipe = replace(Training(), focal=args.focal, **chosen)
    args.out.mkdir(parents=True, exist_ok=True)

    world = World(args.train_data, "train", frames=config.frames, size=config.size)  # read once: workers inherit its pictures by forking
    file = args.out / "tokenizer.json"
    if not (args.resume and file.exists()):
        tokenizer.train([*world.corpus(20000, np.random.default_rng(recipe.seed)), *world.labels, *PROMPTS.values()], config.vocab).save(str(file))
    size = Text.load(file, config.context).tokenizer.get_vocab_size()
    config = Config.from_json({**config.to_json(), "vocab": size})
    print(json.dumps({"config": config.to_json(), "recipe": asdict(recipe), "labels": len(world.labels)}), flush=True)
    meeting = tempfile.mktemp(prefix="tubelet-train-")
    labels = list(world.labels)

    def run(rank: int) -> None:
        if args.processes > 1:
            distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=args.processes)
        mine = replace(recipe, batch=max(2, recipe.batch // args.processes), pool=recipe.pool // args.processes)
        train(lambda: world, config, mine, args.out, minutes=args.minutes, labels=labels, resume=args.resume, workers=args.workers, rank=rank)

    others = [multiprocessing.get_context("fork").Process(target=run, args=(rank,)) for rank in range(1, args.processes)]
    for process in others:
        process.start()
    run(0)
    for process in others:
        process.join()


if __name__ == "__main__":
    main()
