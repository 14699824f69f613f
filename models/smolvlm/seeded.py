"""Checkpoints of seeded random weights, as models/openmammut/seeded makes them: the same values in any language, so that parity needs no large file.

main/packs/checkpoint.testing.ts makes the same ones for the app's tests.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.openmammut.seeded import Floats, hashed

TOKENIZER = Path(__file__).parent / "golden" / "tokenizer.json"
"""A byte-level BPE of 960 entries, trained on this repository's papers, with the marks of SmolVLM2 at the places of the config "tiny"."""
MARKS = ("<fake_token_around_image>", "<image>", "<global-img>", "<end_of_utterance>")


@dataclass(frozen=True)
class Config:
    """Sizes of a model."""

    width: int
    inner: int
    layers: int
    heads: int
    kv_heads: int
    vocab: int
    marks: tuple[int, int, int, int]
    """Ids of MARKS."""
    vision_width: int = 768
    vision_inner: int = 3072
    vision_layers: int = 12
    vision_heads: int = 12
    size: int = 512
    patch: int = 16

    def json(self) -> dict[str, Any]:
        """As in config.json."""
        return {
            "model_type": "smolvlm",
            "architectures": ["SmolVLMForConditionalGeneration"],
            "image_token_id": self.marks[1],
            "scale_factor": 4,
            "tie_word_embeddings": False,
            "text_config": {
                "model_type": "llama",
                "hidden_size": self.width,
                "intermediate_size": self.inner,
                "num_hidden_layers": self.layers,
                "num_attention_heads": self.heads,
                "num_key_value_heads": self.kv_heads,
                "head_dim": self.width // self.heads,
                "vocab_size": self.vocab,
                "max_position_embeddings": 8192,
                "rope_theta": 100000.0,
                "rms_norm_eps": 1e-05,
                "hidden_act": "silu",
                "pad_token_id": 2,
            },
            "vision_config": {
                "model_type": "smolvlm_vision",
                "hidden_size": self.vision_width,
                "intermediate_size": self.vision_inner,
                "num_hidden_layers": self.vision_layers,
                "num_attention_heads": self.vision_heads,
                "image_size": self.size,
                "patch_size": self.patch,
                "layer_norm_eps": 1e-06,
                "hidden_act": "gelu_pytorch_tanh",
            },
        }

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Every tensor, in the order of the file."""
        return dict(self._tensors())

    def _tensors(self) -> Iterator[tuple[str, tuple[int, ...]]]:
        vision, text, w, d = "model.vision_model", "model.text_model", self.vision_width, self.width
        yield f"{vision}.embeddings.patch_embedding.weight", (w, 3, self.patch, self.patch)
        yield f"{vision}.embeddings.patch_embedding.bias", (w,)
        yield f"{vision}.embeddings.position_embedding.weight", ((self.size // self.patch) ** 2, w)
        for i in range(self.vision_layers):
            layer = f"{vision}.encoder.layers.{i}"
            for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
                yield f"{layer}.self_attn.{name}.weight", (w, w)
                yield f"{layer}.self_attn.{name}.bias", (w,)
            for name, shape in (("fc1", (self.vision_inner, w)), ("fc2", (w, self.vision_inner))):
                yield f"{layer}.mlp.{name}.weight", shape
                yield f"{layer}.mlp.{name}.bias", shape[:1]
            for name in ("layer_norm1", "layer_norm2"):
                yield f"{layer}.{name}.weight", (w,)
                yield f"{layer}.{name}.bias", (w,)
        yield f"{vision}.post_layernorm.weight", (w,)
        yield f"{vision}.post_layernorm.bias", (w,)
        yield "model.connector.modality_projection.proj.weight", (d, 16 * w)
        yield f"{text}.embed_tokens.weight", (self.vocab, d)
        head = d // self.heads
        for i in range(self.layers):
            layer = f"{text}.layers.{i}"
            yield f"{layer}.self_attn.q_proj.weight", (self.heads * head, d)
            yield f"{layer}.self_attn.k_proj.weight", (self.kv_heads * head, d)
            yield f"{layer}.self_attn.v_proj.weight", (self.kv_heads * head, d)
            yield f"{layer}.self_attn.o_proj.weight", (d, self.heads * head)
            yield f"{layer}.mlp.gate_proj.weight", (self.inner, d)
            yield f"{layer}.mlp.up_proj.weight", (self.inner, d)
            yield f"{layer}.mlp.down_proj.weight", (d, self.inner)
            yield f"{layer}.input_layernorm.weight", (d,)
            yield f"{layer}.post_attention_layernorm.weight", (d,)
        yield f"{text}.norm.weight", (d,)
        yield "lm_head.weight", (self.vocab, d)

    def tokenizer(self) -> dict[str, Any]:
        """As in tokenizer.json: the words of TOKENIZER, the marks where this config has them."""
        content: dict[str, Any] = json.loads(TOKENIZER.read_text())
        ids = dict(zip(MARKS, self.marks, strict=True))
        content["model"]["vocab"] |= ids
        for token in content["added_tokens"]:
            token["id"] = ids.get(token["content"], token["id"])
        return content

    def write(self, folder: Path) -> None:
        """model.safetensors, tensor by tensor, and the files that a published model has beside it."""
        folder.mkdir(parents=True, exist_ok=True)
        header, at = {}, 0
        for key, shape in self.shapes().items():
            end = at + 4 * math.prod(shape)
            header[key] = {"dtype": "F32", "shape": list(shape), "data_offsets": [at, end]}
            at = end
        text = json.dumps(header).encode()
        with (folder / "model.safetensors").open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for key, shape in self.shapes().items():
                file.write(seeded(key, shape).tobytes())
        (folder / "config.json").write_text(json.dumps(self.json(), indent=2) + "\n")
        (folder / "tokenizer.json").write_text(json.dumps(self.tokenizer(), ensure_ascii=False))


def recipe(key: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """(bound, offset) of a tensor's values: activations stay of the order of 1, and logits differ enough for greedy answers with clear winners."""
    if "norm" in key:
        return 0.2, 1.0 if key.endswith("weight") else 0.0
    if key.endswith("bias"):
        return 0.05, 0.0
    if "position_embedding" in key:
        return 0.1, 0.0
    if "embed_tokens" in key:
        return 1.7, 0.0
    return math.sqrt(3 / math.prod(shape[1:])) * (2 if key == "lm_head.weight" else 1), 0.0


def seeded(key: str, shape: tuple[int, ...]) -> Floats:
    bound, offset = recipe(key, shape)
    out: Floats = (hashed(key, math.prod(shape)) * np.float32(bound) + np.float32(offset)).reshape(shape)
    return out


CONFIGS = {
    "tiny": Config(
        width=96,
        inner=192,
        layers=3,
        heads=6,
        kv_heads=2,
        vocab=1024,
        marks=(1001, 1000, 1002, 1003),
        vision_width=64,
        vision_inner=128,
        vision_layers=2,
        vision_heads=4,
        size=64,
        patch=8,
    ),
    "256M": Config(width=576, inner=1536, layers=30, heads=9, kv_heads=3, vocab=49280, marks=(49189, 49190, 49152, 49279)),
    "500M": Config(width=960, inner=2560, layers=32, heads=15, kv_heads=5, vocab=49280, marks=(49189, 49190, 49152, 49279)),
}
