"""The expanded graphs as ONNX files whose tensors lie in one file, `weights.bin`: graphs that need the same tensor name the same bytes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper

from models.openmammut.checkpoint import Floats
from models.openmammut.template import Graph

WEIGHTS = "weights.bin"
Array = npt.NDArray[np.generic]

_TYPES = {"uint8": TensorProto.UINT8, "int64": TensorProto.INT64, "float32": TensorProto.FLOAT}
_STORED = {"float32": TensorProto.FLOAT, "float16": TensorProto.FLOAT16, "int8": TensorProto.INT8}
_PAGE, _PAGED_FROM, _ALIGN = 4096, 65536, 64


def transform(tensor: Floats, steps: list[list[str]]) -> Array:
    """The template's transforms, in order."""
    out: Array = tensor
    for step, *numbers in steps:
        if step == "rows":
            k, n = map(int, numbers)
            rows = len(out) // n
            out = out[k * rows : (k + 1) * rows]
        elif step == "perm":
            out = np.ascontiguousarray(out.transpose([int(i) for i in numbers]))
            out = out.reshape(-1, out.shape[-1])
        elif step == "fp16":
            if np.abs(out.astype(np.float32)).max(initial=0) > np.finfo(np.float16).max:
                raise OverflowError("a weight is too large for half precision")
            out = out.astype(np.float16)
        elif step in ("int8", "scale"):
            scale = np.abs(out.astype(np.float32)).max(axis=0) / np.float32(127)
            scale[scale == 0] = 1
            out = scale if step == "scale" else np.rint(out / scale).astype(np.int8)
        else:
            raise ValueError(f"unknown transform {step}")
    return np.ascontiguousarray(out)


class _Weights:
    """Appends tensors to weights.bin, each once."""

    def __init__(self, path: Path) -> None:
        self.file, self.hash, self.at = path.open("wb"), hashlib.sha256(), 0
        self.places: dict[str, tuple[int, int, TensorProto.DataType, tuple[int, ...]]] = {}

    def write(self, data: bytes) -> None:
        self.file.write(data)
        self.hash.update(data)
        self.at += len(data)

    def add(self, name: str, make: Callable[[], Array]) -> TensorProto:
        if name not in self.places:
            tensor = make()
            align = _PAGE if tensor.nbytes >= _PAGED_FROM else _ALIGN
            self.write(bytes(-self.at % align))
            self.places[name] = (self.at, tensor.nbytes, _STORED[tensor.dtype.name], tensor.shape)
            self.write(tensor.tobytes())
        offset, length, kind, shape = self.places[name]
        proto = TensorProto(name=name, data_type=kind, dims=shape, data_location=TensorProto.EXTERNAL)
        for key, value in (("location", WEIGHTS), ("offset", offset), ("length", length)):
            entry = proto.external_data.add()
            entry.key, entry.value = key, str(value)
        return proto


def write_graphs(graphs: list[Graph], read: Callable[[str], Floats], folder: Path, *, opset: int, ir: int) -> str:
    """Writes `<name>.onnx` for each graph, and weights.bin. Returns the SHA-256 of weights.bin."""
    weights = _Weights(folder / WEIGHTS)
    with weights.file:
        for graph in graphs:
            initializers = [
                weights.add(name, lambda key=key, steps=steps: transform(read(key), steps))  # type: ignore[misc]
                for name, (key, steps) in graph.weights.items()
            ]
            for name, (kind, value) in graph.constants.items():
                array = np.array(value, np.int64 if kind == "int64" else np.float32)
                initializers.append(onnx.numpy_helper.from_array(array, name))
            nodes = []
            for n in graph.nodes:
                attributes = {key: json.loads(value) for key, value in n.attributes.items()}
                nodes.append(helper.make_node(n.op, n.inputs, n.outputs, name=n.outputs[0], **attributes))
            inputs, outputs = (
                [helper.make_tensor_value_info(name, _TYPES[kind], shape) for name, kind, shape in values] for values in (graph.inputs, graph.outputs)
            )
            made = helper.make_graph(nodes, graph.name, inputs, outputs, initializers)
            model = helper.make_model(made, opset_imports=[helper.make_opsetid("", opset)], ir_version=ir, producer_name="tubelet")
            (folder / f"{graph.name}.onnx").write_bytes(model.SerializeToString())
    return weights.hash.hexdigest()
