"""A pack back to PyTorch: loads the weights of its ONNX graphs into the model.

Training can then go on from a pack alone, and what the app computes can be compared with PyTorch on the very weights that ship.
The exporter folds many of them into nameless tensors, but notes at each node of a graph from which module it came.
Two numbers are in no graph, because inference does not need them: the temperatures of the contrastive losses, which begin anew.
"""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper

from models.config import Config
from models.model import Mammut
from models.tokenizer import Text

Arrays = dict[str, np.ndarray[Any, np.dtype[np.float32]]]
# graph -> name of its module inside the model
MODULES = {"vision": "", "text": "decoder.", "cross": "decoder.", "decoder": "decoder.", "detector": "detector."}
NOT_IN_GRAPHS = {"log_scale", "log_region_scale"}


def scope(node: onnx.NodeProto) -> str:
    """The module that a node came from, as the exporter noted it: "model.encoder.blocks.0.qkv"."""
    noted = next((each.value for each in node.metadata_props if each.key == "pkg.torch.onnx.name_scopes"), "['', '']")
    return str(ast.literal_eval(noted)[-2])


def named_weights(graph: onnx.GraphProto) -> Arrays:
    """Parameters and buffers of one graph, as the exported module names them; "patch places" is what is added to the 2D patches."""
    held = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    made = {name: node for node in graph.node for name in node.output}
    out = {name: value for name, value in held.items() if "." in name}
    for node in graph.node:
        module = scope(node)
        inside, fixed = f"{module}." if module else "", [held.get(name) for name in node.input]
        sources = [made.get(name) for name in node.input]
        if node.op_type == "MatMul" and fixed[1] is not None:
            out[f"{inside}weight"] = fixed[1].T  # x @ W', where PyTorch keeps W
            if module.endswith(".kv") and sources[0]:  # equal norms of the same clip, as in a new model, are exported as one node
                norm = module.removesuffix("kv") + "norm_memory."
                out |= {norm + name: held[source] for name, source in zip(("weight", "bias"), sources[0].input[1:], strict=True)}
        elif node.op_type == "Add" and fixed[1] is not None and sources[0] and sources[0].op_type == "MatMul":
            out[f"{inside}bias"] = fixed[1]
        elif node.op_type == "LayerNormalization":
            out |= {f"{inside}{name}": value for name, value in zip(("weight", "bias"), fixed[1:], strict=True) if value is not None}
        elif node.op_type == "GatherND" and fixed[0] is not None and sources[1] and "ids" in sources[1].input:
            out[f"{inside}embed.weight"] = fixed[0]
        elif node.op_type == "Mul" and fixed[1] is not None and sources[0] and (kind := gate_before(sources[0], made)) is not None:
            out[f"{inside}places.{kind}"] = fixed[1]
            if kind == 0:
                after = next(each for each in graph.node if each.op_type == "Add" and places_after(each, node, made))
                out["patch places"] = constant(after.input[1], held, made)
    return out


def gate_before(node: onnx.NodeProto, made: dict[str, onnx.NodeProto]) -> int | None:
    """The kind of tube whose gated projection a value is; None if it is none."""
    while node.op_type == "Reshape":
        node = made[node.input[0]]
    found = re.fullmatch(r"(?:model\.)?encoder\.gate\.(\d+)", scope(node))
    return int(found[1]) if found else None


def places_after(add: onnx.NodeProto, product: onnx.NodeProto, made: dict[str, onnx.NodeProto]) -> bool:
    """Whether `add` adds positions to projection + product."""
    before = made.get(add.input[0])
    return before is not None and before.op_type == "Add" and product.output[0] in before.input


def constant(name: str, held: Arrays, made: dict[str, onnx.NodeProto]) -> np.ndarray[Any, np.dtype[np.float32]]:
    """A value that depends only on weights: the exporter leaves large ones as sums and products, which are computed here."""
    if name in held:
        return held[name]
    one, two = (constant(each, held, made) for each in made[name].input)
    return one + two if made[name].op_type == "Add" else one * two


def config_of(manifest: dict[str, Any], mean: np.ndarray, std: np.ndarray, found: Arrays) -> Config:
    dims, given = manifest["dims"], manifest["input"]
    shapes = {
        "name": manifest["id"],
        "tubes": given["tubes"],
        "frames": given["frames"],
        "size": given["width"],
        "width": dims["embedding"],
        "heads": dims["heads"],
        "vision_layers": sum(name.startswith("encoder.blocks.") and name.endswith(".qkv.bias") for name in found),
        "text_layers": dims["layers"],
        "cross_every": -(-dims["layers"] // dims["crossLayers"]),
        "context": dims["context"],
        "vocab": dims["vocab"],
        "mean": [round(float(v), 6) for v in mean],
        "std": [round(float(v), 6) for v in std],
    }
    return Config.from_json(shapes)


def read(folder: Path) -> tuple[Mammut, Text]:
    """The model of a pack, whose weights are float32, and its text. ValueError where the graphs are not those of `models.export`."""
    manifest = json.loads((folder / "pack.json").read_text())
    without = [graph for graph in MODULES if graph not in manifest["graphs"]]
    if without:
        raise ValueError(f"{folder / 'pack.json'} lacks the graphs {', '.join(without)}: give a pack that models.export or models.finetune wrote")
    found: Arrays = {}
    for graph, module in MODULES.items():
        for name, value in named_weights(onnx.load(str(folder / manifest["graphs"][graph]["file"])).graph).items():
            inner = name.removeprefix("model.")
            found[inner if inner.startswith(module) else module + inner] = value
    try:
        places, scale = found.pop("patch places"), found["encoder.scale_0"]
        config = config_of(manifest, found["encoder.mean_0"][:3] / 255, 1 / (scale[:3] * 255), found)
    except KeyError as missing:
        raise ValueError(f"the graphs of {folder} hold no {missing}") from None
    model = Mammut(config)
    # places = the learned ones, repeated for each key frame, + tanh(alpha) * the fixed ones: frames differ only by the second term.
    of_frames = places.reshape(model.encoder.grid[0], -1, config.width)
    fixed = model.encoder.get_buffer("fixed_0").numpy().reshape(of_frames.shape)
    apart, apart_fixed = of_frames - of_frames[:1], fixed - fixed[:1]
    opening = float((apart * apart_fixed).sum() / np.square(apart_fixed).sum())
    found |= {"encoder.learned": of_frames[0] - opening * fixed[0], "encoder.alpha": np.array(np.arctanh(opening), np.float32)}
    wanted = model.state_dict()
    lacking = wanted.keys() - NOT_IN_GRAPHS - found.keys()
    if lacking:
        raise ValueError(f"the graphs of {folder} hold no {', '.join(sorted(lacking))}")
    kept = {name: torch.tensor(found[name], dtype=torch.float32).reshape(value.shape) if name in found else value for name, value in wanted.items()}
    model.load_state_dict(kept)
    return model.eval(), Text.load(folder / manifest["tokenizer"]["file"], config.context)
