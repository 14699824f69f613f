"""Clips for training: workers compose them, cut them to tubes and ids, and a growing pool in memory hands each out several times, so that
composing video never holds the training up."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import queue
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from models import losses
from models.config import Config
from models.tokenizer import PROMPTS, Text, pad
from models.tubes import Bytes, Floats, cut


class Sample(Protocol):
    """What models.data gives for one clip; see there."""

    video: Bytes
    caption: str
    captions: list[str]
    qa: list[tuple[str, str, str]]
    boxes: dict[int, list[tuple[str, float, float, float, float]]]


class Source(Protocol):
    labels: list[str]

    def sample(self, rng: np.random.Generator) -> Sample: ...


Maker = Callable[[], Source]


@dataclass
class Item:
    """One clip, ready to batch: tubes [n_i, voxels_i]; texts as ids; for each patch the box and label that it answers for (-1: none)."""

    tubes: list[Bytes]
    key: str
    captions: list[list[int]]  # [SOT] text [EOT] of each paraphrase
    told: list[tuple[list[int], int]]  # the same with the caption prompt, and where the loss begins
    asked: list[tuple[list[int], int]]
    box: Floats  # [Q, 4]
    label: np.ndarray  # [Q]


def anchors(config: Config) -> tuple[Tensor, list[int]]:
    """Centres (x, y) of the patches of one frame, [q, 2] in 0..1, and the key frames."""
    patch, shape = config.tubes[0], config.clip_shape
    per_frame = patch.count(shape) // patch.grid(shape)[0]
    centres = torch.from_numpy(patch.centres(shape)[:per_frame, [2, 1]]) / config.size
    return centres, patch.corners(shape)[::per_frame, 0].tolist()


def make_item(sample: Sample, config: Config, text: Text, labels: dict[str, int]) -> Item:
    centres, frames = anchors(config)
    box, label = [], []
    for frame in frames:
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


def work(make: Maker, config: Config, tokenizer: Path, seed: int, out: Any) -> None:
    """A worker process: compose, cut, hand over, for ever."""
    torch.set_num_threads(1)
    os.nice(5)  # training goes first
    source, text, rng = make(), Text.load(tokenizer, config.context), np.random.default_rng(seed)
    labels = {name: i for i, name in enumerate(source.labels)}
    while True:
        out.put(make_item(source.sample(rng), config, text, labels))


@dataclass
class Batch:
    tubes: list[Tensor]  # uint8 [B, n_i, voxels_i]
    text: Tensor  # [B, L] for the contrastive pass
    alike: Tensor  # int64 [B, 2]: digests of the caption and of the wording that was drawn; clips that share either are no negatives
    told: tuple[Tensor, Tensor]  # ids [B, L], targets [B, L] (-100: no loss)
    asked: tuple[Tensor, Tensor]  # ids [B*G, L], targets
    box: Tensor  # [B, Q, 4]
    label: Tensor  # [B, Q]


def digest(text: str) -> int:
    """63 bits that are the same in every process (hash() is not)."""
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
        # The first wording most of the time when telling, so that greedy captions come out plain; any wording when matching.
        told.append(item.told[0 if rng.random() < 0.9 else pick(len(item.told))])
        text.append(item.captions[pick(len(item.captions))])
        asked += [item.asked[i] for i in rng.permutation(np.resize(np.arange(len(item.asked)), max(questions, len(item.asked))))[:questions]]
    alike = [[digest(item.key), digest(str(ids))] for item, ids in zip(items, text, strict=True)]
    return Batch(
        [torch.from_numpy(np.stack(kind)) for kind in zip(*(item.tubes for item in items), strict=True)],
        torch.tensor(pad(text)),
        torch.tensor(alike),
        teach(told),
        teach(asked),
        torch.from_numpy(np.stack([item.box for item in items])),
        torch.from_numpy(np.stack([item.label for item in items])),
    )


class Pool:
    """A ring of items, filled by workers while training draws from it."""

    def __init__(self, make: Maker, config: Config, tokenizer: Path, *, workers: int, capacity: int, reuse: float, seed: int) -> None:
        context = multiprocessing.get_context("fork")
        self.queue: Any = context.Queue(maxsize=64)
        self.workers = [
            context.Process(target=work, args=(make, config, tokenizer, seed * 1000 + i, self.queue), daemon=True) for i in range(workers)
        ]
        for worker in self.workers:
            worker.start()
        self.items: list[Item] = []
        self.capacity, self.reuse, self.made, self.drawn = capacity, reuse, 0, 0
        self.rng = np.random.default_rng(seed)

    def take(self, wait: bool) -> bool:
        try:
            item = self.queue.get(timeout=60) if wait else self.queue.get_nowait()
        except queue.Empty:
            if wait:
                raise RuntimeError("no clip came from the workers for a minute") from None
            return False
        if len(self.items) < self.capacity:
            self.items.append(item)
        else:
            self.items[self.made % self.capacity] = item
        self.made += 1
        return True

    def batch(self, size: int, questions: int, warm: int = 512) -> Batch:
        while self.made < warm:
            self.take(wait=True)
        # Workers stop at a full queue. Taking no more than is needed leaves them asleep and the processor to the training.
        while self.made < self.drawn / self.reuse + 4 * warm and self.take(wait=False):
            pass
        self.drawn += size
        return collate([self.items[i] for i in self.rng.integers(len(self.items), size=size)], self.rng, questions)

    def close(self) -> None:
        for worker in self.workers:
            worker.terminate()
