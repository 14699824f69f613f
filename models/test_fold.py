"""A folded network gives what it gave before, at its edges too, in fewer steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from models.fold import Array, folded

RANDOM = np.random.default_rng(5)


def network() -> onnx.ModelProto:
    """As PP-LCNet is built: bias, scale and shift around hard swish, a depthwise convolution that pads, a gate, a branch, transposed at the end."""
    shapes = {"w0": (8, 3, 3, 3), "b0": (1, 8, 1, 1), "s1": (1,), "t1": (1,), "s2": (1,), "t2": (1,), "w1": (8, 1, 3, 3), "s3": (1,), "t3": (1,)}
    shapes |= {"w2": (6, 8, 1, 1), "wg": (6, 6, 1, 1), "bg": (1, 6, 1, 1), "w3": (6, 8, 1, 1), "w4": (6, 4, 2, 2)}
    held: dict[str, Array] = {name: RANDOM.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    for name in ("gamma", "beta", "mean", "variance"):
        held[name] = RANDOM.uniform(0.5, 2, 4).astype(np.float32)

    def conv(name: str, x: str, weights: str, **more: Any) -> onnx.NodeProto:
        return helper.make_node("Conv", [x, weights], [name], **more)

    def swish(name: str, x: str) -> list[onnx.NodeProto]:
        return [helper.make_node("HardSigmoid", [x], [f"{name}.h"], alpha=1 / 6, beta=0.5), helper.make_node("Mul", [f"{name}.h", x], [name])]

    nodes = [
        conv("c0", "x", "w0", kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2]),
        helper.make_node("Add", ["c0", "b0"], ["a0"]),
        helper.make_node("Identity", ["a0"], ["i0"]),
        helper.make_node("Mul", ["s1", "i0"], ["m1"]),
        helper.make_node("Add", ["m1", "t1"], ["a1"]),
        *swish("h1", "a1"),
        helper.make_node("Mul", ["h1", "s2"], ["m2"]),
        helper.make_node("Add", ["m2", "t2"], ["a2"]),
        conv("c1", "a2", "w1", kernel_shape=[3, 3], pads=[1, 1, 1, 1], group=8),
        *swish("h2", "c1"),
        helper.make_node("Mul", ["h2", "s3"], ["m3"]),
        helper.make_node("Add", ["m3", "t3"], ["a3"]),
        conv("c2", "a3", "w2", kernel_shape=[1, 1]),
        conv("c3", "a3", "w3", kernel_shape=[1, 1]),
        helper.make_node("GlobalAveragePool", ["c2"], ["p"]),
        conv("g0", "p", "wg", kernel_shape=[1, 1]),
        helper.make_node("Add", ["g0", "bg"], ["g1"]),
        helper.make_node("HardSigmoid", ["g1"], ["gate"], alpha=0.2, beta=0.5),
        helper.make_node("Mul", ["c2", "gate"], ["gated"]),
        helper.make_node("Add", ["c2", "gated"], ["more"]),
        helper.make_node("Add", ["more", "c3"], ["sum"]),
        helper.make_node("ConvTranspose", ["sum", "w4"], ["up"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("BatchNormalization", ["up", "gamma", "beta", "mean", "variance"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "network",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3, "H", "W"])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 4, "H", "W"])],
        [numpy_helper.from_array(value, name) for name, value in held.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=8)


def run(model: onnx.ModelProto, x: Array) -> Array:
    result: Array = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    return result


def test_results_stay_and_steps_go() -> None:
    model, x = network(), RANDOM.normal(size=(1, 3, 16, 22)).astype(np.float32)
    before = run(model, x)
    folded(model)
    onnx.checker.check_model(model)
    assert np.abs(run(model, x) - before).max() < 1e-4 * np.abs(before).max()
    kinds = [node.op_type for node in model.graph.node]
    assert kinds.count("HardSwish") == 2
    # Of seven scales, shifts and normalizations only the shift in front of the convolution that pads is left.
    assert kinds.count("BatchNormalization") == 1
    assert kinds.count("Mul") == 1
    assert kinds.count("Add") == 2
    assert "Identity" not in kinds


def test_a_shift_is_not_folded_into_what_pads() -> None:
    model, x = network(), np.ones((1, 3, 8, 8), np.float32)
    before = run(model, x)
    folded(model)
    assert run(model, x)[0, :, 0] == pytest.approx(before[0, :, 0], rel=1e-4, abs=1e-4)
