"""Clips for training: workers compose them, cut them to tubes and ids, and a growing pool in memory hands each out several times, so that
composing video never holds the training up."""

from __future__ import annotations

import copy
import hashlib
import itertools
import math
import multiprocessing
import os
import queue
import re
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from models import losses
from models.config import Config, Training
from models.tokenizer import PROMPTS, Text, pad
from models.tubes import Bytes, Floats, cut


class Sample(Protocol):
    """One clip, as models.data.generator.Sample describes it."""

    video: Bytes
    caption: str
    captions: list[str]
    qa: list[tuple[str, str, str]]
    boxes: dict[int, list[tuple[str, float, float, float, float]]]


class Source(Protocol):
    labels: list[str]

    def samples(self, rngs: Sequence[np.random.Generator]) -> Sequence[Sample]:
        """One clip from each generator; it does not depend on the other generators."""
        ...


Maker = Callable[[], Source]
TOGETHER = 16  # clips that are composed at once


@dataclass
class Item:
    """One clip, ready to batch: tubes [n_i, voxels_i]; texts as ids; for each patch the box and label assigned to it (-1: none)."""

    tubes: list[Bytes]
    key: str
    captions: list[list[int]]  # [SOT] text [EOT] of each paraphrase
    told: list[tuple[list[int], int]]  # the same with the caption prompt, and where the loss begins
    asked: list[tuple[list[int], int]]
    box: Floats  # [Q, 4]
    label: np.ndarray  # [Q]


def anchors(config: Config) -> tuple[Tensor, list[int]]:
    """Centres (x, y) of the patches of one frame, [q, 2] in 0..1, and the key frames. An image has only the first key frame."""
    patch, shape = config.tubes[0], config.clip_shape
    per_frame = patch.count(shape) // patch.grid(shape)[0]
    centres = torch.from_numpy(patch.centres(shape)[:per_frame, [2, 1]]) / config.size
    return centres, patch.corners(shape)[::per_frame, 0].tolist()


def make_item(sample: Sample, config: Config, text: Text, labels: dict[str, int]) -> Item:
    centres, frames = anchors(config)
    box, label = [], []
    for frame in frames[: 1 if len(sample.video) == 1 else None]:
        objects = sample.boxes.get(frame, [])
        truth = torch.tensor([o[1:] for o in objects], dtype=torch.float32).reshape(-1, 4)
        owner = losses.assign(centres, truth)
        names = torch.tensor([labels.get(o[0], -1) for o in objects] + [-1])
        box.append(torch.cat((truth, torch.zeros(1, 4)))[owner])
        label.append(names[owner])
    return Item(
        cut(sample.video, config.tubes),
        sample.caption,
        [text.sentence(caption) for caption in sample.captions],
        [text.pair(PROMPTS["caption"], caption) for caption in sample.captions],
        [text.pair(PROMPTS["question"].format(question=q), a) for q, a, _ in sample.qa],
        torch.cat(box).numpy(),
        torch.cat(label).numpy(),
    )


def mirrored(sample: Sample) -> Sample:
    """The mirrored clip: left and right are swapped in the picture, in the boxes and in every sentence."""

    def turned(text: str) -> str:
        # Both sides together ("left and right") stay the same when mirrored.
        swapped = {"left": "right", "right": "left"}
        return re.sub(r"\bleft and right\b|\b(?:left|right)\b", lambda word: swapped.get(word[0], word[0]), text)

    out = copy.copy(sample)
    out.video = np.ascontiguousarray(sample.video[:, :, ::-1])
    out.caption, out.captions = turned(sample.caption), [turned(caption) for caption in sample.captions]
    out.qa = [(turned(question), turned(answer), kind) for question, answer, kind in sample.qa]
    out.boxes = {frame: [(label, 1 - cx, cy, w, h) for label, cx, cy, w, h in boxes] for frame, boxes in sample.boxes.items()}
    return out


def work(make: Maker, config: Config, tokenizer: Path, seed: int, indices: Iterable[int], out: Any) -> None:
    """A worker process: composes clips, cuts them and hands them over, in the order of the indices; each clip with its mirror image, which costs
    next to nothing and differs only in the words that are hardest to learn. Clip `i` of a seed is always the same."""
    torch.set_num_threads(1)
    os.nice(5)  # training goes first
    source, text = make(), Text.load(tokenizer, config.context)
    labels = {name: i for i, name in enumerate(source.labels)}
    rest = iter(indices)
    while some := list(itertools.islice(rest, TOGETHER)):
        for sample in source.samples([np.random.default_rng((seed, 0, index)) for index in some]):
            out.put([make_item(each, config, text, labels) for each in (sample, mirrored(sample))])


@dataclass
class Batch:
    tubes: list[Tensor]  # uint8 [B, n_i, voxels_i]
    text: Tensor  # [B, L] for the contrastive pass
    alike: Tensor  # int64 [B, 2]: digests of the caption and of the wording that was drawn; clips that share either are not negatives of each other
    told: tuple[Tensor, Tensor]  # ids [B, L], targets [B, L] (-100: no loss)
    asked: tuple[Tensor, Tensor]  # ids [B*G, L], targets
    box: Tensor  # [B, Q, 4]
    label: Tensor  # [B, Q]
    seed: int  # for everything else that a step draws at random

    def to(self, device: torch.device) -> Batch:
        def move(of: Tensor) -> Tensor:
            # A GPU copies from pinned memory while the CPU continues.
            return of.pin_memory().to(device, non_blocking=True) if device.type == "cuda" else of.to(device)

        def pair(of: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
            return move(of[0]), move(of[1])

        rest = move(self.text), move(self.alike), pair(self.told), pair(self.asked), move(self.box), move(self.label)
        return Batch([move(kind) for kind in self.tubes], *rest, self.seed)


def digest(text: str) -> int:
    """A hash of 63 bits that is the same in every process (hash() is not)."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest()) >> 1


def teach(pairs: list[tuple[list[int], int]]) -> tuple[Tensor, Tensor]:
    """Ids and next-token targets; the prompt and the padding carry no loss."""
    rows = torch.tensor(pad([ids for ids, _ in pairs]))
    targets = torch.tensor(pad([[0] * (start - 1) + ids[start:] for ids, start in pairs]))
    return rows[:, :-1], targets.masked_fill(targets == 0, -100)[:, : rows.shape[1] - 1]


def collate(items: list[Item], rng: np.random.Generator, questions: int) -> Batch:
    def pick(n: int) -> int:
        return int(rng.integers(n))

    told, text, asked = [], [], []
    for item in items:
        # Mostly the first wording for captioning, so that greedy captions come out plain; any wording for matching.
        told.append(item.told[0 if rng.random() < 0.9 else pick(len(item.told))])
        text.append(item.captions[pick(len(item.captions))])
        open_ = item.asked or item.told[:1]  # a few clips have no question: their caption is used instead
        asked += [open_[i] for i in rng.permutation(np.resize(np.arange(len(open_)), max(questions, len(open_))))[:questions]]
    alike = [[digest(item.key), digest(str(ids))] for item, ids in zip(items, text, strict=True)]
    return Batch(
        [torch.from_numpy(np.stack(kind)) for kind in zip(*(item.tubes for item in items), strict=True)],
        torch.tensor(pad(text)),
        torch.tensor(alike),
        teach(told),
        teach(asked),
        torch.from_numpy(np.stack([item.box for item in items])),
        torch.from_numpy(np.stack([item.label for item in items])),
        int(rng.integers(2**31)),
    )


class Pool:
    """A window over an endless sequence of clips, filled by workers while training draws from it.

    What step `n` draws depends only on the seed and on `n`, not on the speed of the workers: a run that is resumed from a checkpoint sees
    exactly what it would have seen. It begins by composing the window of that step again."""

    def __init__(
        self,
        make: Maker,
        config: Config,
        tokenizer: Path,
        recipe: Training,
        *,
        workers: int,
        warm: int,
        seed: int,
        step: int = 0,
        start: str | None = None,
    ) -> None:
        """start: how worker processes begin, "fork" or "spawn"; `make` must then survive pickling."""
        self.recipe, self.warm, self.seed = recipe, warm, seed
        self.made = max(0, self.needed(step) - recipe.pool // 2)  # clips handed over so far, those before a resumed run's window included
        self.items: deque[Item] = deque(maxlen=recipe.pool)
        # A forked worker shares the pictures that its parent has read; one that composes on the GPU must be spawned.
        context: Any = multiprocessing.get_context(start or ("spawn" if torch.cuda.is_available() else "fork"))
        # A queue for each worker: the order of the clips must not depend on which one is faster.
        self.queues: list[Any] = [context.Queue(maxsize=max(2, 64 // workers)) for _ in range(workers)]
        self.workers = []
        for i, out in enumerate(self.queues):
            mine = itertools.count(self.made + (i - self.made) % workers, workers)
            self.workers.append(context.Process(target=work, args=(make, config, tokenizer, seed, mine, out), daemon=True))
            self.workers[-1].start()

    def needed(self, step: int) -> int:
        """Clips that exist at a step, each with its mirror image: some to begin with, then as many as keep the draws of each at `reuse`."""
        return self.warm + math.ceil(step * self.recipe.batch / self.recipe.reuse / 2)

    def batch(self, step: int) -> Batch:
        while self.made < self.needed(step):
            try:
                self.items.extend(self.queues[self.made % len(self.queues)].get(timeout=60))
            except queue.Empty:
                raise RuntimeError("no clip came from the workers for a minute") from None
            self.made += 1
        rng = np.random.default_rng((self.seed, 1, step))
        return collate([self.items[i] for i in rng.integers(len(self.items), size=self.recipe.batch)], rng, self.recipe.questions)

    def close(self) -> None:
        for worker in self.workers:
            worker.terminate()
