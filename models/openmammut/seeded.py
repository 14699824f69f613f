"""Random weights that come out the same in any language, so that parity needs no large file: each value is a hash of its tensor's key and its index.

Value i of key k is `offset + bound * (2 h / 2^32 - 1)` with h = mix((fnv1a(k) + i * 0x9E3779B9) mod 2^32), mix being murmur3's 32-bit finaliser, and
bound and offset as `recipe` says: activations stay of the order of 1, and logits differ enough for a greedy caption to have clear winners.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.openmammut.clip_bpe import FOLDER

Floats = npt.NDArray[np.float32]
Env = dict[str, Any]


def hashed(key: str, count: int) -> Floats:
    seed = 0x811C9DC5
    for byte in key.encode():
        seed = (seed ^ byte) * 0x01000193 & 0xFFFFFFFF
    h = (np.arange(count, dtype=np.uint32) * np.uint32(0x9E3779B9)) + np.uint32(seed)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    out: Floats = (h.astype(np.float64) * (2 / 2**32) - 1).astype(np.float32)
    return out


def recipe(key: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """(bound, offset) of a tensor's values."""
    if key == "logit_scale":
        return 0.0, math.log(1 / 0.07)
    if ".ln_" in key:
        return 0.2, 1.0 if key.endswith("weight") else 0.0
    if key.endswith("bias"):
        return 0.05, 0.0
    if "embedding" in key:
        return 0.5, 0.0
    # The fork computes x @ W with these, so their rows are the inputs; all other matrices belong to an nn.Linear or a convolution.
    fan_in = shape[0] if key in ("map_viz2txt_kv", "visual.proj", "text.lm_head", "text.text_projection") else math.prod(shape[1:])
    return math.sqrt(3 / fan_in) * (4 if key == "text.lm_head" else 1), 0.0


def seeded(key: str, shape: tuple[int, ...]) -> Floats:
    bound, offset = recipe(key, shape)
    out: Floats = (hashed(key, math.prod(shape)) * np.float32(bound) + np.float32(offset)).reshape(shape)
    return out


def evaluate(expression: str, env: Env) -> Any:
    """An integer, a name, name[i], or a product of them."""
    product: Any = None
    for factor in expression.strip().split("*"):
        found = re.fullmatch(r"(-?\d+)|(\w+)(?:\[(\w+)\])?", factor.strip())
        if not found:
            raise ValueError(f"not an expression: {expression}")
        literal, name, index = found.groups()
        value: Any = int(literal) if literal else env[name]
        if index:
            value = value[env[index]]
        product = value if product is None else product * value
    return product


def expected_keys(env: Env, folder: Path = FOLDER) -> dict[str, tuple[int, ...]]:
    """Every tensor that a checkpoint of these sizes has: `keys` of the template that the app expands (main/packs/template.ts says how)."""
    found: dict[str, tuple[int, ...]] = {}

    def walk(items: list[Any], env: Env) -> None:
        for item in items:
            if isinstance(item, list):
                key, shape = item
                filled = re.sub(r"\{([^}]+)\}", lambda m: str(evaluate(m[1], env)), key)
                found[filled] = tuple(evaluate(str(dim), env) for dim in shape)
            elif "if" in item:
                flag: str = item["if"]
                chosen = bool(evaluate(flag.removeprefix("!"), env)) != flag.startswith("!")
                walk(item["do"] if chosen else item.get("else", []), env)
            else:
                for i in range(evaluate(item["in"], env)):
                    walk(item["do"], {**env, item["for"]: i})

    walk(json.loads((folder / "template.json").read_text())["keys"], env)
    return found


def write_safetensors(path: Path, tensors: Mapping[str, tuple[tuple[int, ...], Callable[[], Floats]]]) -> None:
    """A `.safetensors` file, tensor by tensor: each has a shape, and what makes its values."""
    header, at = {}, 0
    for name, (shape, _) in tensors.items():
        end = at + 4 * math.prod(shape)
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with path.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for _, values in tensors.values():
            file.write(values().tobytes())


@dataclass(frozen=True)
class Config:
    """Sizes of a model; the fork's published ones are in CONFIGS."""

    visionWidth: int
    visionLayers: int
    width: int
    layers: int
    patch: int
    size: int = 224
    head: int = 64
    """Width of a head, vision and text."""
    visionHead: int = 64
    has_mlp: bool = True
    """Whether a self-attention block that is followed by a cross-attention block has an MLP."""
    upstream: bool = False
    embed: int | None = None
    """Where text is projected to it (upstream); else the text's width."""
    ratio: int = 2
    """Layers of text from one cross-attention to the next."""
    resaved: bool = False
    """A fork's model under upstream's names: padding seen, class token kept."""

    def open_clip(self) -> dict[str, Any]:
        """As in open_clip_config.json."""
        vision = {
            "image_size": self.size,
            "layers": self.visionLayers,
            "width": self.visionWidth,
            "head_width": self.visionHead,
            "patch_size": self.patch,
            "output_tokens": True,
            "pool_type": "avg" if self.upstream and not self.resaved else "avg_all",
            "final_ln_after_pool": True,
        }
        text: dict[str, Any] = {
            "context_length": 77,
            "vocab_size": 49408,
            "width": self.width,
            "heads": self.width // self.head,
            "layers": self.layers,
            "cross_attn_ratio": self.ratio,
        }
        if self.upstream:
            text["proj_type"] = "none" if self.embed is None else "linear"
            if self.resaved:
                text |= {"pool_type": "avg_all", "use_pad_mask": False}
            return {"embed_dim": self.embed or self.width, "vision_cfg": vision, "multimodal_cfg": text}
        text |= {"output_tokens": True, "does_full_decoding": True, "has_mlp": self.has_mlp}
        return {"embed_dim": self.width, "vision_cfg": vision, "text_cfg": text, "custom_text": True}

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor, under upstream's names."""
        env: Env = {
            "visionWidth": self.visionWidth,
            "visionLayers": self.visionLayers,
            "visionTokens": (self.size // self.patch) ** 2 + 1,
            "visionMlp": 4 * self.visionWidth,
            "patch": self.patch,
            "embed": self.embed or self.width,
            "vocab": 49408,
            "width": self.width,
            "context": 77,
            "mlpWidth": 4 * self.width,
            "layers": self.layers,
            "crossLayers": math.ceil(self.layers / self.ratio),
            "mlp": [self.has_mlp or i % 2 == 1 for i in range(self.layers)],
            "projected": self.embed is not None,
        }
        return expected_keys(env)

    def tensors(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Name in the file -> the key that its values are a hash of, and its shape. The fork has another name for the LM head."""
        renamed = {} if self.upstream else {"text.lm_head": "text.text_projection"}
        return {renamed.get(key, key): (key, shape) for key, shape in self.shapes().items()}

    def write(self, path: Path) -> None:
        """As .safetensors, tensor by tensor, with open_clip_config.json beside it."""
        tensors = {name: (shape, partial(seeded, key, shape)) for name, (key, shape) in self.tensors().items()}
        write_safetensors(path, tensors)
        (path.parent / "open_clip_config.json").write_text(json.dumps({"model_cfg": self.open_clip()}, indent=2) + "\n")


_TEXT = {"S": (384, False), "M": (512, False), "B": (512, False), "L": (768, True), "H": (1024, True)}
_VISION = {"S": (384, 12, 64), "M": (512, 12, 64), "B": (768, 12, 64), "L": (1024, 24, 64), "H": (1280, 32, 80)}
CONFIGS = {
    f"{name}-{patch}": Config(
        visionWidth=_VISION[name][0],
        visionLayers=_VISION[name][1],
        visionHead=_VISION[name][2],
        width=768 if (name, patch) == ("B", 16) else _TEXT[name][0],
        layers=24 if name == "H" else 12,
        has_mlp=_TEXT[name][1] or (name, patch) == ("B", 16),
        patch=patch,
    )
    for name in "SMBLH"
    for patch in (14, 16, 32)
} | {
    # Small enough for every test run, with every peculiarity of the published ones.
    "tiny": Config(visionWidth=64, visionLayers=2, width=64, layers=4, patch=16, size=48, head=32, visionHead=32),
    "tiny-no-mlp": Config(visionWidth=64, visionLayers=2, width=64, layers=4, patch=14, size=32, head=32, visionHead=16, has_mlp=False),
    "tiny-upstream": Config(visionWidth=64, visionLayers=2, width=64, layers=4, patch=16, size=48, head=32, visionHead=32, upstream=True, embed=48),
    "tiny-resaved": Config(
        visionWidth=64, visionLayers=2, width=64, layers=5, patch=16, size=48, head=32, visionHead=32, upstream=True, ratio=3, resaved=True
    ),
}
