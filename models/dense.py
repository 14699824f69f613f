"""Are boxes from patch tokens alone of any use, for packs that have no detection head? The shipped pack has one, so there it can be measured:

    python -m models.dense --train-data DIR --clips 150

Each patch token is brought into the space of clip embeddings by the pack's own pooling (normalise, project) and compared with each label. Where a
label stands out from the rest of its frame, the box around those neighbouring patches is a detection. Against that stand the detection head on the
same tokens, a box around the whole frame, and the true boxes snapped to the grid of patches, about the best that such a map could give.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime

from models import tokenizer as tok
from models.data.generator import World
from models.metrics import Found, Truth, average_precision, suppress
from models.tubes import Tube, cut

Floats = npt.NDArray[np.float32]


def components(mask: npt.NDArray[np.bool_]) -> Iterator[list[tuple[int, int]]]:
    """The connected components (up, down, left, right) of a mask [rows, columns], each as its cells."""
    left = {(int(row), int(column)) for row, column in np.argwhere(mask)}
    while left:
        grown, edge = list[tuple[int, int]](), [left.pop()]
        while edge:
            row, column = edge.pop()
            grown.append((row, column))
            near = {(row + 1, column), (row - 1, column), (row, column + 1), (row, column - 1)} & left
            left -= near
            edge += near
        yield grown


def around(cells: list[tuple[int, int]], rows: int, columns: int) -> list[float]:
    """The box around cells, cxcywh in 0..1."""
    (top, left), (bottom, right) = np.min(cells, axis=0), np.max(cells, axis=0) + 1
    return [(left + right) / 2 / columns, (top + bottom) / 2 / rows, (right - left) / columns, (bottom - top) / rows]


def dense(score: Floats, deviations: float) -> Found:
    """score [rows, columns, K] of one frame -> boxes where a label's score is more than `deviations` standard deviations above its mean."""
    found: Found = []
    rows, columns, labels = score.shape
    flat = score.reshape(-1, labels)
    limit = flat.mean(0) + deviations * flat.std(0)
    # Labels far below the best cost time and change nothing.
    for label in np.argsort(-flat.max(0))[:20]:
        for cells in components(score[..., label] > limit[label]):
            found.append((int(label), around(cells, rows, columns), float(max(score[cell][label] for cell in cells))))
    return found


def pooled(tokens: Floats, weights: Mapping[str, Floats]) -> Floats:
    """tokens [..., D] -> [..., E], as the pack pools them: normalised, projected, L2-normalised."""
    centred = tokens - tokens.mean(-1, keepdims=True)
    normal = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5) * weights["model.pool_norm.weight"] + weights["model.pool_norm.bias"]
    out = normal @ weights["model.to_text.weight"].T + weights["model.to_text.bias"]
    unit: Floats = out / np.linalg.norm(out, axis=-1, keepdims=True)
    return unit


def softmax(x: Floats) -> Floats:
    e = np.exp(x - x.max(-1, keepdims=True))
    out: Floats = e / e.sum(-1, keepdims=True)
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, default=Path(__file__).parent / "packs" / "tubelet-mini")
    parser.add_argument("--train-data", type=Path)
    parser.add_argument("--clips", type=int, default=150)
    args = parser.parse_args()
    manifest = json.loads((args.pack / "pack.json").read_text())
    run = {name: onnxruntime.InferenceSession(str(args.pack / f"{name}.onnx")) for name in ("vision", "text", "detector")}
    weights = {i.name: onnx.numpy_helper.to_array(i) for i in onnx.load(args.pack / "vision.onnx").graph.initializer}
    kinds = [Tube(t["name"], *(tuple(t[axis]) for axis in ("kernel", "stride", "offset"))) for t in manifest["input"]["tubes"]]
    world = World(args.train_data, "val", frames=manifest["input"]["frames"], size=manifest["input"]["width"])
    text = tok.Text.load(args.pack / "tokenizer.json", manifest["dims"]["context"])
    names = [tok.PROMPTS["label"].format(label=name) for name in world.labels]
    labels = np.concatenate([run["text"].run(None, {"ids": np.array([text.sentence(name)])})[0] for name in names])
    index = {name: i for i, name in enumerate(world.labels)}
    times, rows, columns = kinds[0].grid((world.frames, world.size, world.size))
    every = kinds[0].stride[0]

    truth: list[Truth] = []
    ways: dict[str, list[Found]] = defaultdict(list)
    rng = np.random.default_rng(23)
    scale, detect = manifest["calibration"]["search"]["scale"], manifest["calibration"]["detect"]
    for _ in range(args.clips):
        sample = world.sample(rng)
        parts = {f"tubes_{i}": part[None] for i, part in enumerate(cut(sample.video, kinds))}
        embedding, _, tokens = run["vision"].run(None, parts)
        if not np.allclose(pooled(tokens.mean(1), weights), embedding, atol=1e-4):
            raise RuntimeError("the pack pools in another way than this script does")
        boxes, objectness, regions, _ = (output[0] for output in run["detector"].run(None, {"tokens": tokens}))
        likely = objectness[:, None] / (1 + np.exp(-(detect["scale"] * regions @ labels.T + detect["bias"])))
        patches = tokens[0, : times * rows * columns].reshape(times, rows, columns, -1)
        cosine = pooled(patches, weights) @ labels.T
        for at in range(times):
            there: Truth = [(index[name], list(box)) for name, *box in sample.boxes[at * every] if name in index]
            truth.append(there)
            here = slice(at * rows * columns, (at + 1) * rows * columns)
            head: Found = []
            for label in np.argsort(-likely[here].max(0))[:20]:
                score = likely[here, label]
                head += [(int(label), boxes[here][j].tolist(), float(score[j])) for j in suppress(boxes[here], score)[:10]]
            snapped: Found = [(label, snap(box, rows, columns), 1.0) for label, box in there]
            frame: Found = [(int(label), [0.5, 0.5, 1.0, 1.0], float(embedding[0] @ labels[label])) for label in range(len(labels))]
            ways["detection head"].append(head)
            ways["whole frame"].append(frame)
            ways["true boxes, snapped to patches"].append(snapped)
            for deviations in (0.5, 1.0, 1.5, 2.0):
                ways[f"patches, cosine, {deviations} deviations"].append(dense(cosine[at], deviations))
                ways[f"patches, softmax over labels, {deviations} deviations"].append(dense(softmax(cosine[at] * scale), deviations))
    groups = {"all": range(len(world.labels))}
    for name, found in ways.items():
        precision = average_precision(truth, found, groups)
        print(f"{name:45} AP50 {precision['AP50, all']:.4f}   AP {precision['AP, all']:.4f}")
    print(f"{len(truth)} frames, {sum(map(len, truth))} boxes, {len(world.labels)} labels")


def snap(box: list[float], rows: int, columns: int) -> list[float]:
    """The box with its edges moved to the nearest edges of patches, at least one patch wide and high."""
    cx, cy, w, h = box

    def edges(middle: float, length: float, patches: int) -> tuple[int, int]:
        near = min(round((middle - length / 2) * patches), patches - 1)
        return near, max(round((middle + length / 2) * patches), near + 1)

    (left, right), (top, bottom) = edges(cx, w, columns), edges(cy, h, rows)
    return [(left + right) / 2 / columns, (top + bottom) / 2 / rows, (right - left) / columns, (bottom - top) / rows]


if __name__ == "__main__":
    main()
