"""The pack objects-80: its graph, and the reading of the published files. Equality with TensorFlow is checked during conversion."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import numpy_helper
from PIL import Image

from models import objects80
from models.objects80 import Refused, boxes_of, graph_of, halved, known_answers, mosaics, overlap, quantised, read_tensors

PACK = Path(__file__).parent / "packs" / "objects-80"
Array = np.ndarray[Any, Any]


@pytest.fixture(scope="module")
def graph() -> bytes:
    return (PACK / "detector.onnx").read_bytes()


@pytest.fixture(scope="module")
def picture() -> Array:
    return np.frombuffer(gzip.decompress((PACK / "selftest.u8.gz").read_bytes()), np.uint8).reshape(*objects80.PICTURE, 3)


def run(graph: bytes, picture: Array) -> list[Array]:
    out: list[Array] = onnxruntime.InferenceSession(graph, providers=["CPUExecutionProvider"]).run(None, {"picture": picture})
    return out


def bordered(picture: Array, height: int, width: int, top: int, left: int) -> Array:
    out = np.zeros((1, height, width, 3), np.uint8)
    out[0, top : top + picture.shape[0], left : left + picture.shape[1]] = picture
    return out


def test_the_pack_is_what_its_manifest_says(graph: bytes, picture: Array) -> None:
    manifest = json.loads((PACK / "pack.json").read_text())
    answers = json.loads((PACK / "selftest.json").read_text())
    for ref in (manifest["graphs"]["detector"], manifest["selfTest"], answers["picture"]):
        assert hashlib.sha256((PACK / ref["file"]).read_bytes()).hexdigest() == ref["sha256"]
    assert len(graph) <= 8_000_000
    assert manifest["classes"] == list(objects80.CLASSES)
    assert len(set(manifest["classes"])) == 80
    assert {key: answers[key] for key in ("least", "boxes", "tolerance")} == known_answers(graph, picture)


def test_weights_are_half_floats_or_bytes_and_arithmetic_of_halves_is_not(graph: bytes) -> None:
    model = onnx.load_from_string(graph)
    kinds = {tensor.name: tensor.data_type for tensor in model.graph.initializer if np.prod(tensor.dims) > objects80.HALVED_ABOVE}
    assert set(kinds.values()) == {onnx.TensorProto.FLOAT16, onnx.TensorProto.INT8}
    halves = {name for name, kind in kinds.items() if kind == onnx.TensorProto.FLOAT16}
    assert {node.input[0] for node in model.graph.node if node.op_type == "Cast"} == {"picture", *halves}
    assert all(each.type.tensor_type.elem_type == onnx.TensorProto.FLOAT for each in model.graph.output)


def test_a_rectangle_shows_the_same_things_as_the_square_of_training(graph: bytes, picture: Array) -> None:
    found = []
    # The rectangle is 96 pixels lower in the square: a multiple of every stride, so that the cells are the same except for their surroundings.
    for height, width, top, left in ((224, 288, 2, 0), (416, 416, 98, 64)):
        scores, distances = run(graph, bordered(picture, height, width, top, left))
        assert scores.shape == (1, sum(height * width // stride**2 for stride in objects80.STRIDES), 80)
        boxes = boxes_of(scores[0], distances[0], height, width, 0.4)
        found.append(sorted(((index, score, box - [left, top, left, top]) for index, score, box in boxes), key=lambda each: each[0]))
    assert [index for index, _, _ in found[0]] == [index for index, _, _ in found[1]] == [0, 41]
    for (_, score, box), (_, other, there) in zip(*found, strict=True):
        assert abs(score - other) < 0.1
        assert overlap(box, there) > 0.9


def test_the_order_of_colours_matters(graph: bytes, picture: Array) -> None:
    right, wrong = (run(graph, bordered(each, 224, 288, 2, 0))[0] for each in (picture, picture[..., ::-1]))
    assert np.abs(right - wrong).max() > 5 * objects80.TOLERANCE


def test_boxes_stand_around_the_centres_of_their_cells() -> None:
    cells = 8 * 12 + 4 * 6 + 2 * 3  # of a picture 64 high and 96 wide
    scores, distances = np.zeros((cells, 80)), np.full((cells, 4), [1.0, 2.0, 3.0, 4.0])
    scores[12 * 3 + 5, 7] = 0.9  # row 3, column 5 of the finest grid
    scores[8 * 12 + 6 + 2, 7] = 0.8  # row 1, column 2 of the middle one
    scores[8 * 12 + 4 * 6 + 5, 2] = 0.2
    (first, second), low = boxes_of(scores, distances, 64, 96, 0.5), boxes_of(scores, distances, 64, 96, 0.1)[2]
    assert first[0] == 7 and np.allclose(first[2], [43.5 - 1, 27.5 - 2, 43.5 + 3, 27.5 + 4])
    assert np.allclose(second[2], [39.5 - 1, 23.5 - 2, 39.5 + 3, 23.5 + 4])
    assert low[0] == 2 and np.allclose(low[2], [79.5 - 1, 47.5 - 2, 79.5 + 3, 47.5 + 4])


def test_published_tensors_are_read_to_the_last_byte() -> None:
    weights = [
        {"name": "a", "shape": [2, 1], "dtype": "float32", "quantization": {"dtype": "float16", "original_dtype": "float32"}},
        {"name": "nothing", "shape": [0, 1], "dtype": "int32"},
        {"name": "b", "shape": [], "dtype": "int32"},
    ]
    data = np.array([0.5, -2], np.float16).tobytes() + np.array(7, np.int32).tobytes()
    out = read_tensors([{"weights": weights}], data)
    assert out["a"].dtype == np.float32 and out["a"].tolist() == [[0.5], [-2.0]]
    assert out["nothing"].shape == (0, 1) and int(out["b"]) == 7
    with pytest.raises(Refused, match="1 bytes"):
        read_tensors([{"weights": weights}], data + b"x")
    with pytest.raises(Refused, match="uint8"):
        read_tensors([{"weights": [{"name": "q", "shape": [1], "dtype": "float32", "quantization": {"dtype": "uint8", "scale": 1, "min": 0}}]}], b"x")


def test_another_file_than_the_published_one_is_refused() -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        entry = tarfile.TarInfo(objects80.TOPOLOGY[0])
        entry.size = 2
        archive.addfile(entry, io.BytesIO(b"{}"))
    packed.seek(0)
    with tarfile.open(fileobj=packed) as archive, pytest.raises(Refused, match=r"nanodet\.json"):
        objects80.checked(archive, *objects80.TOPOLOGY)


def tiny() -> tuple[dict[str, Any], dict[str, Array]]:
    """A graph like the published one: padding, convolution with bias, leaky unit, pooling, resizing, sum, three levels."""
    generator = np.random.default_rng(1)
    tensors: dict[str, Array] = {
        "kernel": generator.normal(size=(3, 3, 3, 8)).astype(np.float32),
        "bias": generator.normal(size=8).astype(np.float32),
        "pads": np.array([[0, 0], [0, 0], [1, 1], [1, 1]], np.int32),
        "channels last": np.array([0, 2, 3, 1], np.int32),
        "parts": np.array([80, 44], np.int32),
        "axis": np.array(1, np.int32),
    }
    strided = {"strides": {"list": {"i": ["1", "2", "2", "1"]}}}
    nodes: list[dict[str, Any]] = [
        {"name": "input_1", "op": "Placeholder"},
        {"name": "padded", "op": "Pad", "input": ["input_1", "pads"]},
        {"name": "last", "op": "Transpose", "input": ["padded", "channels last"]},
        {"name": "conv", "op": "Conv2D", "input": ["last", "kernel"], "attr": strided},
        {"name": "biased", "op": "Add", "input": ["conv", "bias"]},
        {"name": "leaky", "op": "LeakyRelu", "input": ["biased"], "attr": {"alpha": {"f": 0.1}}},
        {"name": "pooled", "op": "MaxPool", "input": ["leaky"], "attr": {**strided, "ksize": {"list": {"i": ["1", "2", "2", "1"]}}}},
    ]
    outputs: dict[str, Any] = {}
    for stride in objects80.STRIDES:
        side, name = objects80.SIDE // stride, str(stride)
        tensors[f"to {name}"] = np.array([side, side], np.int32)
        tensors[f"head {name}"] = generator.normal(size=(1, 1, 8, 124)).astype(np.float32)
        plain = {"strides": {"list": {"i": ["1", "1", "1", "1"]}}}
        nodes += [
            {"name": f"resized {name}", "op": "ResizeBilinear", "input": ["pooled", f"to {name}"]},
            {"name": f"all {name}", "op": "Conv2D", "input": [f"resized {name}", f"head {name}"], "attr": plain},
            {"name": f"split {name}", "op": "SplitV", "input": [f"all {name}", "parts", "axis"]},
            {"name": f"scores {name}", "op": "Sigmoid", "input": [f"split {name}"]},
            {"name": f"bins {name}", "op": "Reshape", "input": [f"split {name}:1"]},
        ]
        for width, made in ((80, f"scores {name}"), (44, f"bins {name}")):
            outputs[made] = {"tensorShape": {"dim": [{"size": "1"}, {"size": str(side * side)}, {"size": str(width)}]}}
    return {"modelTopology": {"node": nodes}, "signature": {"outputs": outputs}}, tensors


def test_nodes_are_translated_and_sizes_become_free() -> None:
    topology, tensors = tiny()
    model = graph_of(topology, tensors)
    picture = np.random.default_rng(2).integers(0, 256, (1, 64, 96, 3), np.uint8)
    scores, distances = run(model.SerializeToString(), picture)
    # The first convolution and the pooling by hand, at the cell of the middle grid in row 0, column 1; levels of stride 16 are four times smaller.
    normal = (picture[0, ..., ::-1] - np.array(objects80.MEAN)) / np.array(objects80.DEVIATION)
    padded = np.pad(normal, ((1, 1), (1, 1), (0, 0)))
    under = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), (0, 1))[::2, ::2]  # [32, 48, channel, 3, 3]
    conv = np.einsum("yxcij,ijco->yxo", under, tensors["kernel"]) + tensors["bias"]
    pooled = np.where(conv > 0, conv, 0.1 * conv).reshape(16, 2, 24, 2, 8).max((1, 3))
    # Bilinear at half-pixel centres, a quarter of the size: the mean of the two middle pixels of four, each way.
    small = pooled.reshape(4, 4, 6, 4, 8)[:, 1:3, :, 1:3].mean((1, 3))
    logits = small @ tensors["head 16"][0, 0]
    at = 8 * 12 + 1
    assert np.allclose(scores[0, at], 1 / (1 + np.exp(-logits[0, 1, :80])), atol=1e-4)
    bins = np.exp(logits[0, 1, 80:].reshape(4, 11))
    assert np.allclose(distances[0, at], bins @ np.arange(11) / bins.sum(1) * 16, rtol=1e-3)


def test_wide_convolutions_work_in_seven_bits_and_give_nearly_the_same() -> None:
    topology, tensors = tiny()
    # One more convolution, as wide as those that are quantised, between the pool and the levels.
    tensors["wide"] = np.random.default_rng(3).normal(size=(3, 3, 8, objects80.WIDE)).astype(np.float32)
    tensors["narrow"] = np.random.default_rng(4).normal(size=(1, 1, objects80.WIDE, 8)).astype(np.float32) / objects80.WIDE
    plain = {"strides": {"list": {"i": ["1", "1", "1", "1"]}}}
    nodes = topology["modelTopology"]["node"]
    at = next(i for i, each in enumerate(nodes) if each["name"] == "pooled") + 1
    nodes[at:at] = [
        {"name": "around", "op": "Pad", "input": ["pooled", "pads"]},
        {"name": "last of it", "op": "Transpose", "input": ["around", "channels last"]},
        {"name": "broad", "op": "Conv2D", "input": ["last of it", "wide"], "attr": plain},
        {"name": "small", "op": "Conv2D", "input": ["broad", "narrow"], "attr": plain},
    ]
    for each in nodes:
        if each["op"] == "ResizeBilinear":
            each["input"][0] = "small"
    model = graph_of(topology, tensors)
    random = np.random.default_rng(6)
    pictures = [random.integers(0, 256, (1, 64, 96, 3), np.uint8) for _ in range(4)]
    made = quantised(model, iter(pictures))
    bits = {
        tensor.name: numpy_helper.to_array(tensor) for tensor in made.graph.initializer if tensor.data_type == onnx.TensorProto.INT8 and tensor.dims
    }
    weights = {name: values for name, values in bits.items() if values.ndim == 4}
    assert {name.split("_weight")[0] for name in weights} == {"broad", "small"}
    assert all(64 >= np.abs(values.astype(int)).max() > 32 for values in weights.values())
    for before, after in zip(run(model.SerializeToString(), pictures[0]), run(made.SerializeToString(), pictures[0]), strict=True):
        assert 0 < np.abs(before - after).mean() < 0.03 * (before.max() - before.min())


def test_pictures_for_calibration_are_composed_of_photographs_the_same_every_time(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "photos.tar", "w") as archive:
        for level in (50, 200):
            photo = io.BytesIO()
            Image.new("RGB", (20, 30), (level, 0, 0)).save(photo, "PNG")
            entry = tarfile.TarInfo(f"{level}.png")
            entry.size = photo.tell()
            photo.seek(0)
            archive.addfile(entry, photo)
        archive.addfile(tarfile.TarInfo("index.txt"))
    first, second = (list(mosaics([tmp_path / "photos.tar"], 6)) for _ in range(2))
    assert all(each.shape == (1, *objects80.MOSAIC, 3) for each in first)
    assert all(np.array_equal(a, b) for a, b in zip(first, second, strict=True))
    assert {0, 50, 200} >= set(np.unique(np.stack(first)[..., 0])) > {50}


def test_an_unknown_kind_of_node_is_refused() -> None:
    topology, tensors = tiny()
    topology["modelTopology"]["node"][5]["op"] = "Softplus"
    with pytest.raises(Refused, match="Softplus"):
        graph_of(topology, tensors)


def test_halving_refuses_weights_that_would_change() -> None:
    topology, tensors = tiny()
    model = graph_of(topology, tensors)
    with pytest.raises(Refused, match="not float16"):
        halved(model)
    exact = {name: value.astype(np.float16).astype(np.float32) if value.dtype == np.float32 else value for name, value in tensors.items()}
    kinds = {tensor.name: str(numpy_helper.to_array(tensor).dtype) for tensor in halved(graph_of(topology, exact)).graph.initializer}
    assert kinds["conv_bias"] == "float32"
    assert kinds["all 8_weight_half"] == "float16"
