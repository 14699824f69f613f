"""Training.

    python -m models.train --config mini --train-data DIR --out runs/mini --minutes 50 [--resume]
    python -m models.train --pack models/packs/tubelet-mini --train-data DIR --out runs/more --minutes 30
    torchrun --nproc-per-node 2 -m models.train --config mini --train-data DIR --out runs/mini --minutes 50

Writes to --out: config.json, tokenizer.json, checkpoint.pt (atomic, every few minutes; averaged weights, live weights, optimiser),
metrics.jsonl and curves.png. With --steps a run that was stopped and resumed ends at the same bits as one that was not.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, distributed, nn
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint as recompute

from models import losses, tokenizer, unpack
from models.batches import Batch, Maker, Pool
from models.config import CONFIGS, Config, Training
from models.curves import draw
from models.layers import CrossBlock, SelfBlock
from models.model import Mammut, save
from models.tokenizer import PROMPTS, Text, pad


def crops(rows: int, rng: torch.Generator) -> Tensor:
    """Random-resized-crop boxes [rows, 4] (x0, y0, x1, y1 in 0..1): area 0.1 to 1, aspect 1/2 to 2 (RO-ViT's cropped positions)."""
    area = torch.empty(rows, device=rng.device).uniform_(0.1, 1, generator=rng)
    root = torch.empty(rows, device=rng.device).uniform_(math.log(0.5), math.log(2), generator=rng).exp().sqrt()
    size = torch.stack((area.sqrt() * root, area.sqrt() / root), dim=1).clamp(max=1)  # [rows, 2]
    first = torch.rand(rows, 2, generator=rng, device=rng.device) * (1 - size)
    return torch.cat((first, first + size), dim=1)


class Learner(nn.Module):
    """One encoder pass, then every loss on its outputs. One module with one forward, as DistributedDataParallel requires."""

    def __init__(self, model: Mammut, recipe: Training, labels: Tensor) -> None:
        """labels [K, L]: ids of the label names, in the order of the indices in `Batch.label`."""
        super().__init__()
        self.model, self.recipe = model, recipe
        self.register_buffer("labels", labels, persistent=False)
        if recipe.recompute:
            for block in model.modules():
                if isinstance(block, SelfBlock | CrossBlock):
                    block.forward = partial(recompute, block.forward, use_reentrant=False)  # type: ignore[method-assign]

    def forward(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """The weighted sum of the losses, and its parts."""
        model, recipe, labels = self.model, self.recipe, self.get_buffer("labels")
        rng = torch.Generator().manual_seed(batch.seed)
        rows = len(batch.text)
        embedding, memory, tokens = model.encode(batch.tubes, crops(rows, rng).to(labels.device) if recipe.cropped else None)
        cross = model.decoder.project(memory)
        told, told_right = generative(model, cross, *batch.told)
        asked, asked_right = generative(model, cross, *batch.asked, group=len(batch.asked[0]) // rows)
        contrast = losses.focal_contrastive if recipe.focal else losses.info_nce
        # Negatives come from all processes. Each computes the whole loss but passes a gradient only to its own rows, and the engine then averages
        # over the W processes: multiplying by W gives the gradient of one process that holds all rows. The temperature gets all of it in each.
        ranks = distributed.get_world_size() if distributed.is_initialized() else 1
        alike = losses.everywhere(batch.alike)
        same = (alike[:, None] == alike[None, :]).any(-1)
        scale = model.log_scale / ranks + model.log_scale.detach() * (1 - 1 / ranks)
        matched = contrast(losses.everywhere(embedding), losses.everywhere(model.decoder.contrast(batch.text)), scale, same)

        boxes, sure, regions = model.detector(tokens)
        there = batch.label >= 0
        # The names in the batch and some that are not: encoding every name at every step would cost more than the clips.
        present = torch.unique(batch.label[there])
        others = torch.randperm(len(labels), generator=rng, device=rng.device)[: recipe.negatives].to(labels.device)
        names = torch.cat((present, others[~torch.isin(others, present)]))
        place = torch.full((len(labels),), -1, device=labels.device).scatter(0, names, torch.arange(len(names), device=labels.device))
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
            "iou": quality[there].mean() if there.any() else quality.sum(),
            "caption_right": told_right,
            "answer_right": asked_right,
        }
        return total, parts


def learning_rate(recipe: Training, step: int, progress: float) -> float:
    """Linear warm-up over steps, then cosine down to 2 % over the share of the run that is done."""
    return recipe.lr * min(1.0, (step + 1) / recipe.warmup) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))


def optimisers(model: Mammut, recipe: Training) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, whose updates it makes orthogonal, AdamW for everything else; weight decay on matrices only."""
    blocks = [block for block in model.modules() if isinstance(block, SelfBlock | CrossBlock)]
    inner = {id(layer.weight) for block in blocks for layer in block.modules() if isinstance(layer, nn.Linear)}
    hidden = [p for p in model.parameters() if id(p) in inner]
    matrices = [p for p in model.parameters() if p.ndim > 1 and id(p) not in inner]
    rest = [p for p in model.parameters() if p.ndim <= 1]
    groups = [{"params": matrices, "weight_decay": recipe.weight_decay}, {"params": rest, "weight_decay": 0.0}]
    return [
        torch.optim.Muon(hidden, lr=recipe.lr, weight_decay=recipe.weight_decay, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(groups, lr=recipe.lr, betas=(0.9, 0.98), fused=True),
    ]


def descend(model: Mammut, optimizers: Sequence[torch.optim.Optimizer], total: Tensor, lr: float) -> None:
    """One optimiser step on `total`, with the gradient clipped to a norm of 1, at the learning rate `lr`."""
    for group in (group for optimizer in optimizers for group in optimizer.param_groups):
        group["lr"] = lr
    model.zero_grad()
    torch.autograd.backward(total)
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    for optimizer in optimizers:
        optimizer.step()


def generative(model: Mammut, cross: tuple[Tensor, Tensor], ids: Tensor, targets: Tensor, group: int = 1) -> tuple[Tensor, Tensor]:
    """The loss on texts about clips, and the share of their ids that greedy decoding would choose.

    cross: keys and values of the clips, as `Decoder.project` gives them; ids, targets [clips * group, L], -100 where there is no loss."""
    x, _, _, _ = model.decoder.hidden(ids, *cross, group=group)
    counts = targets != -100
    logits = model.decoder.head(x[counts])
    return losses.next_token(logits, targets[counts]), (logits.argmax(-1) == targets[counts]).float().mean()


def label_ids(text: Text, labels: list[str]) -> Tensor:
    return torch.tensor(pad([text.sentence(PROMPTS["label"].format(label=name)) for name in labels]))


@dataclass
class Run:
    """The state of a run: everything that a checkpoint stores."""

    model: Mammut
    optimizers: list[torch.optim.Optimizer]
    average: list[Tensor]
    """Running average of the parameters: what is evaluated and exported."""
    recipe: Training
    labels: list[str]
    step: int = 0
    seconds: float = 0.0

    def resume(self, checkpoint: Path, device: torch.device) -> None:
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        self.model.load_state_dict(state["live"])
        for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
            optimizer.load_state_dict(kept)
        self.step, self.seconds = state["step"], state["seconds"]
        self.average = [state["model"][name] for name in self.model.state_dict()]

    def write(self, checkpoint: Path) -> None:
        live = self.model.state_dict()
        kept = [optimizer.state_dict() for optimizer in self.optimizers]
        body = {"step": self.step, "seconds": self.seconds, "live": live, "optimizers": kept, "recipe": asdict(self.recipe), "labels": self.labels}
        mirror = Mammut(self.model.config)
        mirror.load_state_dict(dict(zip(live, self.average, strict=True)))
        save(checkpoint, mirror, **body)

    def advance(self, learner: nn.Module, batch: Batch, lr: float, device: torch.device) -> dict[str, Tensor]:
        """One step on one batch. Returns the parts of the loss."""
        with torch.autocast(device.type, torch.bfloat16, enabled=self.recipe.bf16):
            total, parts = learner(batch)
        descend(self.model, self.optimizers, total, lr)
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self.model.parameters()), 1 - min(0.99, self.step / (self.step + 10)))
        self.step += 1
        out: dict[str, Tensor] = parts
        return out


class Clips:
    """The batches of a run: clips, and single pictures in a share of the steps. Which of the two a step gets depends only on its number."""

    def __init__(self, make: Maker, make_image: Maker | None, images: float, step: int, pool: Callable[[Maker, int, int], Pool]) -> None:
        """pool: makes the pool of a source, given the step to begin at and a number that makes its seed differ from others."""
        self.images = images
        self.clips = pool(make, step - self.pictures(step), 0)
        self.pool = pool(make_image, self.pictures(step), 104729) if make_image and images else None

    def pictures(self, before: int) -> int:
        """How many steps before this one learnt from images: evenly spread, and the same in every process."""
        return math.floor(before * self.images)

    def batch(self, step: int) -> Batch:
        seen = self.pictures(step)
        return self.pool.batch(seen) if self.pool and self.pictures(step + 1) > seen else self.clips.batch(step - seen)

    def close(self) -> None:
        for each in (self.clips, self.pool):
            if each:
                each.close()


@dataclass
class Log:
    """metrics.jsonl: the means of the parts of the loss since the row before."""

    file: Path
    clips: int
    """Learnt from in a step, by all processes."""
    rows: list[dict[str, Any]] = field(default_factory=list)
    at: float = field(default_factory=time.monotonic)
    sums: dict[str, Tensor | float] = field(default_factory=dict)
    since: int = 0

    def add(self, parts: dict[str, Tensor]) -> None:
        for name, value in parts.items():
            self.sums[name] = self.sums.get(name, 0.0) + value.detach()  # stays a tensor until it is logged: reading the number waits for the GPU
        self.since += 1

    def write(self, run: Run, now: float, lr: float, made: int) -> None:
        """@raises RuntimeError where the loss is not finite"""
        since = self.since
        row = {"step": run.step, "seconds": round(run.seconds, 1), "clips_per_second": round(since * self.clips / (now - self.at), 1), "lr": lr}
        row |= {"made": made} | {name: round(float(value) / since, 4) for name, value in self.sums.items()}
        if not math.isfinite(row["caption"]):
            raise RuntimeError(f"the loss is not finite: {row}")
        self.rows.append(row)
        with self.file.open("a") as file:
            file.write(json.dumps(row) + "\n")
        print(json.dumps(row), flush=True)
        self.sums, self.since, self.at = {}, 0, now


class StopSignals:
    """Context manager in which SIGTERM and SIGINT end a run after the current step."""

    def __enter__(self) -> StopSignals:
        self.told = False
        self.previous = [signal.signal(s, self.stop) for s in (signal.SIGTERM, signal.SIGINT)]
        return self

    def stop(self, *_: Any) -> None:
        self.told = True

    def __exit__(self, *_: Any) -> None:
        for s, handler in zip((signal.SIGTERM, signal.SIGINT), self.previous, strict=True):
            signal.signal(s, handler)


def train(
    make: Maker,
    config: Config,
    recipe: Training,
    out: Path,
    *,
    labels: list[str],
    make_image: Maker | None = None,
    start: Mammut | None = None,
    minutes: float = math.inf,
    steps: int | None = None,
    resume: bool = False,
    workers: int = 1,
    warm: int = 160,
    save_every: float = 180.0,
) -> list[dict[str, Any]]:
    """`make` builds the source inside each worker, `make_image` that of single pictures; tokenizer.json must be in `out`; `start` has the
    initial weights, else they are random. Returns the metrics that it logged.

    Ends after `steps`, or after `minutes`. With torch.distributed started each process takes its own batches, and the first one keeps time,
    logs and saves. On a busy CPU processes of one thread are faster than several threads, which wait for each other at every operation."""
    torch.manual_seed(recipe.seed)
    rank, ranks = (distributed.get_rank(), distributed.get_world_size()) if distributed.is_initialized() else (0, 1)
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if torch.cuda.is_available() else torch.device("cpu")
    text = Text.load(out / "tokenizer.json", config.context)
    checkpoint = out / "checkpoint.pt"
    model = Mammut(config).to(device)
    if start is not None:
        model.load_state_dict(start.state_dict())
    run = Run(model, optimisers(model, recipe), [p.detach().clone() for p in model.parameters()], recipe, labels)
    if resume and checkpoint.exists():
        run.resume(checkpoint, device)
    learner: nn.Module = Learner(model, recipe, label_ids(text, labels).to(device))
    if ranks > 1:
        learner = DistributedDataParallel(learner, forward_sync_buffers=False, gradient_as_bucket_view=True)

    def pool(source: Maker, at: int, apart: int) -> Pool:
        seed = recipe.seed + 7919 * rank + apart
        return Pool(source, config, out / "tokenizer.json", recipe, workers=workers, warm=warm, seed=seed, step=at)

    def share_done() -> float:
        return run.step / steps if steps else run.seconds / (minutes * 60)

    clips = Clips(make, make_image, recipe.images, run.step, pool)
    log = Log(out / "metrics.jsonl", recipe.batch * ranks)
    last_save = last = log.at
    progress = share_done()
    try:
        with StopSignals() as stopping:
            while progress < 1:
                batch = clips.batch(run.step).to(device)
                lr = learning_rate(recipe, run.step, progress)
                log.add(run.advance(learner, batch, lr, device))
                now = time.monotonic()
                run.seconds, last = run.seconds + min(now - last, 30.0), now  # time in which the machine was suspended is not training time
                told = torch.tensor([0.0 if rank else share_done(), float(stopping.told)], dtype=torch.float64, device=device)
                if ranks > 1:
                    distributed.all_reduce(told)  # all processes must agree on when to stop, and on the learning rate
                progress = float(told[0]) if told[1] == 0 else 1.0
                if rank == 0 and (now - log.at > 10 or run.step == 1 or progress >= 1):
                    log.write(run, now, lr, clips.clips.made)
                if rank == 0 and now - last_save > save_every:
                    run.write(checkpoint)
                    last_save = now
    finally:
        clips.close()
    if rank == 0:
        run.write(checkpoint)
        draw(out)
    return log.rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--config", default="mini", choices=sorted(CONFIGS))
    shape.add_argument("--pack", type=Path, help="go on from this pack, with its shapes, weights and tokenizer")
    parser.add_argument("--train-data", type=Path, help="folder of pictures; without it shapes alone are composed")
    parser.add_argument("--out", type=Path, required=True)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=50.0)
    length.add_argument("--steps", type=int)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--workers", type=int, default=1, help="processes that compose clips, for each process that trains")
    recipe = parser.add_argument_group("the recipe")
    for one in fields(Training):
        kind: Any = {"action": argparse.BooleanOptionalAction} if isinstance(one.default, bool) else {"type": type(one.default)}
        recipe.add_argument(f"--{one.name.replace('_', '-')}", default=one.default, **kind)
    args = parser.parse_args()
    from models.data.generator import World

    if not torch.cuda.is_available():
        torch.set_num_threads(1)  # before anything is forked
    elif "LOCAL_RANK" in os.environ:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    if "RANK" in os.environ:  # under torchrun
        distributed.init_process_group("nccl" if torch.cuda.is_available() else "gloo")
    first = not distributed.is_initialized() or distributed.get_rank() == 0
    chosen = Training(**{one.name: getattr(args, one.name) for one in fields(Training)})
    start, text = unpack.read(args.pack) if args.pack else (None, None)
    config = start.config if start else CONFIGS[args.config]
    args.out.mkdir(parents=True, exist_ok=True)

    # Forked workers inherit the pictures, which are read once; on a GPU each worker reads them itself, and composes there.
    where = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0))) if torch.cuda.is_available() else torch.device("cpu")
    world = World(args.train_data, "train", frames=config.frames, size=config.size)
    file = args.out / "tokenizer.json"
    if first and text:
        text.tokenizer.save(str(file))
    elif first and not (args.resume and file.exists()):
        tokenizer.train([*world.corpus(20000, np.random.default_rng(chosen.seed)), *world.labels, *PROMPTS.values()], config.vocab).save(str(file))
    if distributed.is_initialized():
        distributed.barrier()
    config = Config.from_json({**config.to_json(), "vocab": Text.load(file, config.context).tokenizer.get_vocab_size()})
    about = {"config": config.to_json(), "recipe": asdict(chosen), "labels": len(world.labels), "torch": torch.__version__}
    if first:
        (args.out / "config.json").write_text(json.dumps(about, indent=2) + "\n")
        print(json.dumps(about), flush=True)
    train(
        partial(World, args.train_data, "train", config.frames, config.size, where),
        config,
        chosen,
        args.out,
        labels=list(world.labels),
        make_image=partial(World, args.train_data, "train", 1, config.size, where),
        start=start,
        minutes=args.minutes,
        steps=args.steps,
        resume=args.resume,
        workers=args.workers,
    )
    if distributed.is_initialized():
        distributed.destroy_process_group()


if __name__ == "__main__":
    main()
