"""Runs the graphs that the app makes of a checkpoint, as the app does. Beam search has no cache here: the app's, which has one, must agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnxruntime

from models.openmammut.clip_bpe import END, PAD, START
from models.openmammut.seeded import Config, Floats
from models.tubes import Bytes, Tube, cut

Ids = npt.NDArray[np.int64]


def session(path: Path, threads: int = 2) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def tube(patch: int) -> Tube:
    """The only kind of tube: a patch of one frame."""
    return Tube("patch", (1, patch, patch), (1, patch, patch), (0, 0, 0))


class Runtime:
    """Holds one graph in memory at a time: a graph stays open until another one runs."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.folder, self.config = folder, config
        self.opened: tuple[str, onnxruntime.InferenceSession] | None = None

    def run(self, graph: str, **feed: npt.NDArray[np.generic]) -> list[Floats]:
        if self.opened is None or self.opened[0] != graph:
            self.opened = None
            self.opened = (graph, session(self.folder / f"{graph}.onnx"))
        out: list[Floats] = self.opened[1].run(None, feed)
        return out

    def see(self, video: Bytes) -> tuple[Floats, Floats]:
        """Video [frames, size, size, 3] -> embedding [E] and memory [1, N, D]."""
        (tubes,) = cut(video, (tube(self.config.patch),))
        embedding, memory = self.run("vision", tubes_0=tubes[None])
        return embedding[0], memory

    def embed(self, sentences: list[list[int]]) -> Floats:
        """[B, E]"""
        longest = max(map(len, sentences))
        return self.run("text", ids=np.array([[*ids, *[PAD] * (longest - len(ids))] for ids in sentences], np.int64))[0]

    def reader(self, memory: Floats) -> Callable[[Ids], Floats]:
        """A function from texts [B, L] about this memory to logits [B, L, vocab], recomputed from the first token each time."""
        cross_k, cross_v = self.run("cross", memory=memory)
        layers, dim = self.config.layers, self.config.head

        def read(ids: Ids) -> Floats:
            past = np.zeros((len(ids), layers, self.config.width // dim, 0, dim), np.float32)
            return self.run("decoder", ids=ids, cross_k=cross_k, cross_v=cross_v, past_k=past, past_v=past)[0]

        return read


@dataclass(frozen=True)
class Decoding:
    """As in pack.json."""

    beams: int
    lengthPenalty: float
    longest: int


def beam_search(read: Callable[[Ids], Floats], decoding: Decoding, context: int) -> list[int]:
    """Beam search as described in main/engine/beam.ts. Returns ids without [SOT] and [EOT]."""
    most = min(decoding.longest, context - 1)
    growing: list[tuple[float, list[int]]] = [(0.0, [])]
    ended: list[tuple[float, list[int]]] = []
    while growing:
        logits = read(np.array([[START, *ids] for _, ids in growing], np.int64))[:, -1].astype(np.float64)
        peak = logits.max(axis=1, keepdims=True)
        log_probs = logits - peak - np.log(np.exp(logits - peak).sum(axis=1, keepdims=True))
        totals = np.array([[total] for total, _ in growing]) + log_probs
        best = np.argsort(-totals, axis=None, kind="stable")[: decoding.beams - len(ended)]
        rows, columns = np.unravel_index(best, totals.shape)
        longer = [(float(totals[row, column]), [*growing[row][1], int(column)]) for row, column in zip(rows, columns, strict=True)]
        ended += [one for one in longer if one[1][-1] == END or len(one[1]) >= most]
        growing = [one for one in longer if one[1][-1] != END and len(one[1]) < most]
    _, ids = max(ended, key=lambda one: one[0] / len(one[1]) ** decoding.lengthPenalty)
    return [i for i in ids if i != END]
