"""The same network in fewer passes over memory: linear nodes are folded into the weights of the convolution beside them, hard swish becomes one node.

Every step is exact up to rounding. A shift in front of a convolution that pads with zeros is not folded: it would change the padding.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Array = np.ndarray[Any, Any]
# The first operator set with HardSwish. The operators of these networks mean the same in it as in 11, for which they are written.
OPSET = 14
HARD_SWISH = 1 / 6


class Folding:
    """A model's graph while it is rewritten."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.model = model
        self.nodes: list[onnx.NodeProto] = list(model.graph.node)
        self.held: dict[str, Array] = {one.name: numpy_helper.to_array(one) for one in model.graph.initializer}
        self.kept = {one.name for one in model.graph.output}

    def users(self, tensor: str) -> list[onnx.NodeProto]:
        return [node for node in self.nodes if tensor in node.input]

    def maker(self, tensor: str) -> onnx.NodeProto | None:
        return next((node for node in self.nodes if tensor in node.output), None)

    def alone(self, tensor: str) -> bool:
        """Whether exactly one node reads a tensor."""
        return tensor not in self.kept and len(self.users(tensor)) == 1

    def replace(self, old: str, new: str) -> None:
        for node in self.nodes:
            node.input[:] = [new if name == old else name for name in node.input]

    def put(self, old: onnx.NodeProto, new: onnx.NodeProto) -> None:
        self.nodes[self.nodes.index(old)] = new

    def affine(self, node: onnx.NodeProto) -> tuple[Array, Array, str] | None:
        """Scale and shift (a single value or one per channel) and the tensor they apply to, if that is all the node does; else None."""
        if node.op_type == "BatchNormalization":
            scale, shift, mean, variance = (self.held[name].astype(np.float64) for name in node.input[1:])
            factor = scale / np.sqrt(variance + value_of(node, "epsilon", 1e-5))
            return factor, shift - mean * factor, node.input[0]
        if node.op_type not in ("Add", "Mul"):
            return None
        given = [name for name in node.input if name in self.held]
        moving = [name for name in node.input if name not in self.held]
        if len(given) != 1 or len(moving) != 1:
            return None
        held = self.held[given[0]].astype(np.float64)
        if held.size > 1 and not (held.ndim == 4 and held.size == held.shape[1]):
            return None
        one = held.reshape(-1)
        return (one, np.zeros(1), moving[0]) if node.op_type == "Mul" else (np.ones(1), one, moving[0])

    def weights(self, node: onnx.NodeProto) -> tuple[Array, Array]:
        weights = self.held[node.input[1]].astype(np.float64)
        count = weights.shape[0] if node.op_type == "Conv" else weights.shape[1]
        return weights, self.held[node.input[2]].astype(np.float64) if len(node.input) > 2 else np.zeros(count)

    def weigh(self, node: onnx.NodeProto, weights: Array, bias: Array) -> None:
        """Give a convolution new weights that no other node uses."""
        names = [f"{node.output[0]}.weights", f"{node.output[0]}.bias"]
        self.held[names[0]], self.held[names[1]] = weights.astype(np.float32), bias.astype(np.float32)
        node.input[:] = [node.input[0], *names]

    def finish(self) -> None:
        """Write the rewritten graph into the model."""
        read = {name for node in self.nodes for name in node.input}
        graph = self.model.graph
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self.nodes)
        graph.initializer.extend(numpy_helper.from_array(np.ascontiguousarray(value), name) for name, value in self.held.items() if name in read)
        self.model.opset_import[0].version = OPSET


def value_of(node: onnx.NodeProto, name: str, otherwise: Any) -> Any:
    return next((helper.get_attribute_value(one) for one in node.attribute if one.name == name), otherwise)


def folded(model: onnx.ModelProto) -> None:
    """Rewrite a network of convolutions in place."""
    graph = Folding(model)
    drop_copies(graph)
    hard_swish(graph)
    gates(graph)
    while behind(graph):
        pass
    while in_front(graph):
        pass
    shifts(graph)
    graph.finish()


def drop_copies(graph: Folding) -> None:
    for node in list(graph.nodes):
        copy = node.op_type == "Identity" or (node.op_type == "Cast" and value_of(node, "to", 0) == TensorProto.FLOAT)
        if copy and node.output[0] not in graph.kept:
            graph.nodes.remove(node)
            graph.replace(node.output[0], node.input[0])


def hard_swish(graph: Folding) -> None:
    """x * HardSigmoid(x)"""
    for node in list(graph.nodes):
        if node.op_type != "HardSigmoid" or abs(value_of(node, "alpha", 0.2) - HARD_SWISH) > 1e-6 or not graph.alone(node.output[0]):
            continue
        (product,) = graph.users(node.output[0])
        if product.op_type == "Mul" and set(product.input) == {node.input[0], node.output[0]}:
            graph.put(product, helper.make_node("HardSwish", [node.input[0]], [product.output[0]]))
            graph.nodes.remove(node)


def gates(graph: Folding) -> None:
    """x + x * gate becomes x * (gate + 1), which is cheaper: a gate is one number per channel."""
    for node in list(graph.nodes):
        if node.op_type != "Add" or any(name in graph.held for name in node.input):
            continue
        x, scaled = node.input
        product = graph.maker(scaled)
        if product is None or product.op_type != "Mul" or x not in product.input or not graph.alone(scaled):
            continue
        (gate,) = (name for name in product.input if name != x)
        graph.held["one"] = np.ones(1, np.float32)
        graph.put(product, helper.make_node("Add", [gate, "one"], [f"{gate}.more"]))
        graph.put(node, helper.make_node("Mul", [x, f"{gate}.more"], [node.output[0]]))


def behind(graph: Folding) -> bool:
    """Fold one scale and shift into the convolution in front of it. Returns whether there was one."""
    for node in graph.nodes:
        affine = graph.affine(node)
        if affine is None:
            continue
        scale, shift, tensor = affine
        source = graph.maker(tensor)
        if source is None or source.op_type not in ("Conv", "ConvTranspose") or not graph.alone(tensor):
            continue
        weights, bias = graph.weights(source)
        across = (-1, 1, 1, 1) if source.op_type == "Conv" else (1, -1, 1, 1)
        graph.weigh(source, weights * np.broadcast_to(scale, bias.shape).reshape(across), bias * scale + shift)
        graph.nodes.remove(node)
        graph.replace(node.output[0], source.output[0])
        if node.output[0] in graph.kept:
            source.output[0] = node.output[0]
        return True
    return False


def in_front(graph: Folding) -> bool:
    """Fold one scale, and its shift where nothing pads, into the convolutions behind it, if nothing else reads it. Returns whether there was one."""
    for node in graph.nodes:
        affine = graph.affine(node)
        if affine is None or node.output[0] in graph.kept:
            continue
        scale, shift, tensor = affine
        users = graph.users(node.output[0])
        if any(user.op_type != "Conv" or (np.any(shift != 0) and any(value_of(user, "pads", [0]))) for user in users):
            continue
        for user in users:
            weights, bias = graph.weights(user)
            grouped = value_of(user, "group", 1) > 1
            if grouped and weights.shape[1] != 1:
                raise ValueError("only depthwise groups are known")
            across = (-1, 1, 1, 1) if grouped else (1, -1, 1, 1)
            moved = (weights * shift.reshape(across)).sum(axis=(1, 2, 3))
            graph.weigh(user, weights * scale.reshape(across), bias + moved)
            user.input[0] = tensor
        graph.nodes.remove(node)
        return True
    return False


def shifts(graph: Folding) -> None:
    """Scales and shifts that stay become normalizations: the runtime keeps those in the layout of convolutions, and joins pairs."""
    for node in list(graph.nodes):
        affine = graph.affine(node)
        if affine is None or node.op_type == "BatchNormalization":
            continue
        scale, shift, tensor = affine
        source = graph.maker(tensor)
        before = graph.affine(source) if source is not None and graph.alone(tensor) else None
        if source is not None and before is not None:
            scale, shift, tensor = before[0] * scale, before[1] * scale + shift, before[2]
            graph.nodes.remove(source)
        count = channels(graph, tensor)
        if count is None:
            continue
        names = [f"{node.output[0]}.{part}" for part in ("scale", "shift", "mean", "variance")]
        for name, value in zip(names, (scale, shift, np.zeros(1), np.ones(1)), strict=True):
            graph.held[name] = np.broadcast_to(value, (count,)).astype(np.float32)
        graph.put(node, helper.make_node("BatchNormalization", [tensor, *names], [node.output[0]], epsilon=0.0))


def channels(graph: Folding, tensor: str) -> int | None:
    """The number of channels of a tensor, as far as the convolutions show it; else None."""
    source = graph.maker(tensor)
    if source is None:
        return None
    if source.op_type == "Conv":
        return int(graph.weights(source)[0].shape[0])
    return channels(graph, source.input[0]) if source.op_type in ("HardSwish", "Relu", "Mul", "Add", "BatchNormalization") else None
