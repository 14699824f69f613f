"""A checkpoint file, tensor by tensor, and what model it holds. Whatever is no openMaMMUT checkpoint is refused with the reason."""

from __future__ import annotations

import json
import math
import pickle
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open

from models.openmammut.template import Env, expected_keys

Floats = npt.NDArray[np.float32]

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HEAD_WIDTHS = {1280: 80, 1408: 88, 1664: 104}
"""Width of a vision head where it is not 64: no tensor's shape tells it, so without a config the published sizes decide."""


class Refused(Exception):
    """Why a file cannot become a pack, for people."""


class Checkpoint:
    """Tensors by key: fork keys are renamed to upstream's (`text.text_projection`, the fork's LM head, becomes `text.lm_head`)."""

    def __init__(self, shapes: Mapping[str, tuple[int, ...]], read: Callable[[str], torch.Tensor], config: dict[str, Any] | None = None) -> None:
        # A SigLIP-trained model's bias shifts all scores of search alike, so nothing here needs it.
        stripped = {key.removeprefix("module."): key for key in shapes if key.removeprefix("module.") != "logit_bias"}
        self.fork = "text.lm_head" not in stripped
        if self.fork and "map_viz2txt_kv" in stripped and "text.text_projection" in stripped:
            stripped["text.lm_head"] = stripped.pop("text.text_projection")
        self._source, self._read = stripped, read
        self.shapes = {key: tuple(shapes[source]) for key, source in stripped.items()}
        self.config = config or {}

    def get(self, key: str) -> Floats:
        out: Floats = self._read(self._source[key]).to(torch.float32).numpy()
        return out


def open_checkpoint(path: Path) -> Checkpoint:
    """.safetensors, or PyTorch's .pt and .bin, read with weights_only; tensors are read when asked for. @raises Refused"""
    if not path.is_file():
        raise Refused(f"{path} is not a file.")
    beside = path.parent / "open_clip_config.json"
    config = None
    if beside.is_file():
        try:
            config = json.loads(beside.read_text())
        except ValueError as error:
            raise Refused(f"{beside.name} beside the checkpoint is not JSON: {error}") from error
    with path.open("rb") as file:
        head = file.read(9)
    if head[8:9] == b"{":
        try:
            opened: Any = safe_open(path, framework="pt")
            shapes = {key: tuple(opened.get_slice(key).get_shape()) for key in opened.keys()}  # noqa: SIM118 (not a dict)
        except SafetensorError as error:
            raise Refused(f"{path.name} is a damaged or incomplete safetensors file: {error}. Download it again.") from error
        return Checkpoint(shapes, opened.get_tensor, config)
    try:
        try:
            loaded = torch.load(path, map_location="cpu", weights_only=True, mmap=True)
        except RuntimeError as error:
            if "mmap can only be used" not in str(error):
                raise
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        what = "is no checkpoint, or holds more than weights and plain values, and is not run"
        raise Refused(f"{path.name} {what}: {_first_line(error)}") from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        raise Refused(f"{path.name} is no checkpoint, or is damaged or incomplete: {_first_line(error)}") from error
    state = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else None
    if not isinstance(state, dict) or not state or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise Refused(f"{path.name} holds no state dict: neither tensors by name nor a dictionary with 'state_dict'.")
    return Checkpoint({key: tuple(value.shape) for key, value in state.items()}, state.__getitem__, config)


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)


def _other_model(keys: Mapping[str, Any]) -> str | None:
    """What other kind of model the keys belong to, for people; None for an openMaMMUT."""

    def some(pattern: str) -> bool:
        return any(re.match(pattern, key) for key in keys)

    if some(r"text_decoder\."):
        return "It is a CoCa model: its decoder reads the image through text_decoder. Only MaMMUT models can be imported."
    if "map_viz2txt_kv" not in keys:
        if some(r"visual\.|text\.|transformer\.") and "logit_scale" in keys:
            return "It is a plain CLIP model, which has no decoder that writes captions. Only MaMMUT models can be imported."
        return "It has no tensor map_viz2txt_kv, so it is no MaMMUT model."
    if some(r"visual\.trunk\."):
        return "Its vision encoder is one of timm's (NaFlex or another), not open_clip's own ViT; those are not supported."
    if not some(r"text\.positional_embedding$"):
        return "Its text decoder is of the modern kind (no text.positional_embedding), which is not supported; classic decoders are."
    if some(r"visual\.attn_pool"):
        return "Its vision encoder pools with attention (visual.attn_pool), which no published openMaMMUT does."
    return None


def _few(names: list[str]) -> str:
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def sizes(template: dict[str, Any], checkpoint: Checkpoint, frames: int) -> Env:
    """Everything that the template needs to know, from the tensors' shapes and the config beside the file. @raises Refused"""
    shapes = checkpoint.shapes
    other = _other_model(shapes)
    if other:
        raise Refused(other)
    env: Env = {"frames": frames}
    for name, (key, axis) in template["dims"].items():
        if len(shapes.get(key, ())) <= axis:
            raise Refused(f"The tensor {key} is missing or not of the right shape.")
        env[name] = shapes[key][axis]
    for name, pattern in template["counts"].items():
        count = 0
        while pattern.replace("{i}", str(count)) in shapes:
            count += 1
        if count == 0:
            raise Refused(f"The tensor {pattern.replace('{i}', '0')} is missing.")
        env[name] = count
    flags = _flags(checkpoint, env)
    env.update(flags)
    expected = expected_keys(template, env)
    shared = [key for key in expected if key in shapes]
    for names, what in (
        ([key for key in expected if key not in shapes], "Tensors are missing"),
        ([key for key in shapes if key not in expected], "There are tensors that no openMaMMUT has"),
        # A scalar may be stored as a vector of one.
        ([f"{k} is {list(shapes[k])}, not {list(expected[k])}" for k in shared if shapes[k] not in (expected[k], expected[k] or (1,))], "Misfits"),
    ):
        if names:
            raise Refused(f"{what}: {_few(names)}.")
    return env


def _flags(checkpoint: Checkpoint, env: Env) -> Env:
    config = checkpoint.config
    model, preprocess = config.get("model_cfg", config), config.get("preprocess_cfg", {})
    vision, text = model.get("vision_cfg", {}), model.get("multimodal_cfg", model.get("text_cfg", {}))
    # As open_clip reads configs: the fork's `text_cfg` stands for the fork's maths, whatever the tensors are called.
    legacy = "multimodal_cfg" not in model
    if not checkpoint.fork and not text:
        raise Refused(
            "Its layout is open_clip's newer one, where tensors do not tell how it pools: put the model's open_clip_config.json beside the file."
        )
    n = {key: value for key, value in env.items() if isinstance(value, int)}
    for said, found, what in (
        (model.get("embed_dim"), n["embed"], "embed_dim"),
        (vision.get("width"), n["visionWidth"], "vision width"),
        (vision.get("layers"), n["visionLayers"], "vision layers"),
        (vision.get("patch_size"), n["patch"], "patch size"),
        (text.get("width"), n["width"], "text width"),
        (text.get("layers"), n["layers"], "text layers"),
        (text.get("context_length"), n["context"], "context length"),
    ):
        if said is not None and said != found:
            raise Refused(f"open_clip_config.json is of another model: it says {what} {said}, the tensors say {found}.")
    if text.get("text_arch", "classic") == "modern":
        raise Refused("Its text decoder is of the modern kind, which is not supported; classic decoders are.")
    tokenizer = text.get("hf_tokenizer_name") or text.get("hf_model_name") or ", ".join(text.get("tokenizer_kwargs") or {})
    if tokenizer:
        raise Refused(f"Its text is split by another tokenizer ({tokenizer}); only CLIP's own is supported.")
    if n["vocab"] != 49408:
        raise Refused(f"Its vocabulary has {n['vocab']} entries, so its text is not split by CLIP's tokenizer (49408 entries).")
    # What a config leaves out is open_clip's default for any ViT, which is not openMaMMUT's; without a config the published kind is assumed.
    if not vision.get("final_ln_after_pool", not vision) or vision.get("no_ln_pre", False):
        raise Refused("Its vision encoder normalises in another order (final_ln_after_pool, no_ln_pre) than any published openMaMMUT.")
    odd = [f"{name} {one[name]}" for one in (vision, text) for name in ("norm_kwargs", "act_kwargs", "pad_id") if one.get(name)]
    if odd:
        raise Refused(f"Its config changes how it computes in a way that is not supported: {_few(odd)}.")
    if "text.text_projection" not in checkpoint.shapes and n["embed"] != n["width"]:
        raise Refused(f"Its text embedding is {n['width']} wide and its picture embedding {n['embed']}: they cannot be compared.")
    pool = vision.get("pool_type", "tok" if vision else "avg_all" if legacy else "avg")
    masked = text.get("use_pad_mask", not legacy)
    text_pool = text.get("pool_type", "avg" if masked else "avg_all")
    if pool not in ("avg", "avg_all") or text_pool != ("avg" if masked else "avg_all"):
        padding = "masked" if masked else "seen"
        raise Refused(f"It pools in a way that no published openMaMMUT does (vision {pool}, text {text_pool}, padding {padding}).")
    patches = n["visionTokens"] - 1
    grid = math.isqrt(patches)
    if grid * grid != patches:
        raise Refused(f"Its pictures are not square: {patches} patches.")
    size = vision.get("image_size", grid * n["patch"])
    size = size[0] if isinstance(size, list) and len(set(size)) == 1 else size
    if not isinstance(size, int) or size // n["patch"] != grid:
        raise Refused(f"open_clip_config.json is of another model: pictures of {size} do not have {grid} x {grid} patches of {n['patch']}.")
    resize = preprocess.get("resize_mode", "shortest")
    if resize not in ("shortest", "squash"):
        raise Refused(f"It wants pictures fitted in a way that is not supported ({resize}).")
    vision_head = vision.get("head_width", 64 if vision else HEAD_WIDTHS.get(n["visionWidth"], 64))
    heads = text.get("heads", 8 if text else n["width"] // 64)
    if n["visionWidth"] % vision_head or n["width"] % heads:
        raise Refused("The number of attention heads does not divide the width; put the model's open_clip_config.json beside the file.")
    # A ratio that does not divide leaves a shorter last group, so the number of cross-attention layers alone may not tell it.
    every = text.get("cross_attn_ratio", n["layers"] // n["crossLayers"])
    if not isinstance(every, int) or every < 1 or -(-n["layers"] // every) != n["crossLayers"]:
        raise Refused(f"{n['crossLayers']} cross-attention layers do not fit {n['layers']} text layers, one after every {every}.")
    mean, std = preprocess.get("mean", CLIP_MEAN), preprocess.get("std", CLIP_STD)
    return {
        "size": size,
        "stretch": resize == "squash",
        "patches": patches,
        "patchPixels": n["patch"] ** 2,
        "patchValues": 3 * n["patch"] ** 2,
        "classToken": pool == "avg_all",
        "memoryTokens": patches + (pool == "avg_all"),
        "patchShare": 1 / patches,
        "visionHeads": n["visionWidth"] // vision_head,
        "visionHeadDim": vision_head,
        "visionScale": vision_head**-0.5,
        "heads": heads,
        "headDim": n["width"] // heads,
        "scale": (n["width"] // heads) ** -0.5,
        "pixelScale": [1 / (255 * s) for s in std],
        "pixelBias": [-m / s for m, s in zip(mean, std, strict=True)],
        "quickGelu": bool(model.get("quick_gelu", False)),
        "padMask": masked,
        "projected": "text.text_projection" in checkpoint.shapes,
        "mlp": [f"text.resblocks.{i}.mlp.c_fc.weight" in checkpoint.shapes for i in range(n["layers"])],
        "crossed": [i % every == 0 for i in range(n["layers"])],
        "crossIndex": [i // every for i in range(n["layers"])],
    }
