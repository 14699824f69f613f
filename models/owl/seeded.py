"""OWL-ViT and OWLv2 checkpoints of random weights that come out the same in any language, as those of models/openmammut/seeded.py do.

python -m models.owl.seeded base-32 FILE.safetensors        # the true shapes of OWL-ViT B/32; config.json is written beside it
"""

from __future__ import annotations

import json
import math
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from models.openmammut.seeded import Floats, expected_keys, hashed, write_safetensors

FOLDER = Path(__file__).parent.parent / "packs" / "owl"


def recipe(key: str, shape: tuple[int, ...]) -> tuple[float, float]:
    """(bound, offset) of a tensor's values: activations stay of the order of 1, and logits differ from cell to cell and from label to label."""
    if "norm" in key:
        return 0.2, 1.0 if key.endswith("weight") else 0.0
    if key.endswith("bias"):
        return 0.05, 0.0
    if "embedding" in key and "patch_embedding" not in key:
        return 0.5, 0.0
    return math.sqrt(3 / math.prod(shape[1:])), 0.0


def seeded(key: str, shape: tuple[int, ...]) -> Floats:
    """Values by the template's key, which has no prefix and is the same for both kinds."""
    bound, offset = recipe(key, shape)
    out: Floats = (hashed(key, math.prod(shape)) * np.float32(bound) + np.float32(offset)).reshape(shape)
    return out


@dataclass(frozen=True)
class Config:
    """Sizes of a model; the vocabulary is CLIP's, and its texts have 16 places."""

    kind: str
    """owlvit or owlv2."""
    visionWidth: int
    visionLayers: int
    visionHeads: int
    visionMlp: int
    patch: int
    size: int
    width: int
    layers: int
    heads: int
    mlpWidth: int
    embed: int

    def transformers(self) -> dict[str, Any]:
        """As in config.json."""
        return {
            "model_type": self.kind,
            "projection_dim": self.embed,
            "vision_config": {
                "model_type": f"{self.kind}_vision_model",
                "hidden_size": self.visionWidth,
                "intermediate_size": self.visionMlp,
                "num_hidden_layers": self.visionLayers,
                "num_attention_heads": self.visionHeads,
                "image_size": self.size,
                "patch_size": self.patch,
                "hidden_act": "quick_gelu",
                "layer_norm_eps": 1e-5,
            },
            "text_config": {
                "model_type": f"{self.kind}_text_model",
                "vocab_size": 49408,
                "hidden_size": self.width,
                "intermediate_size": self.mlpWidth,
                "num_hidden_layers": self.layers,
                "num_attention_heads": self.heads,
                "max_position_embeddings": 16,
                "hidden_act": "quick_gelu",
                "layer_norm_eps": 1e-5,
            },
        }

    def tensors(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Name in the file -> the template's key, and the shape."""
        env = {**vars(self), "vocab": 49408, "context": 16, "visionTokens": (self.size // self.patch) ** 2 + 1, "objectness": self.kind == "owlv2"}
        keys = expected_keys(env, FOLDER)
        towers = ("text_model.", "vision_model.", "text_projection.")
        return {(f"{self.kind}.{key}" if key.startswith(towers) else key): (key, shape) for key, shape in keys.items()} | {
            f"{self.kind}.visual_projection.weight": ("visual_projection.weight", (self.embed, self.visionWidth)),
            f"{self.kind}.logit_scale": ("logit_scale.bias", ()),
        }

    def write(self, path: Path) -> None:
        """As .safetensors, with config.json beside it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_safetensors(path, {name: (shape, partial(seeded, key, shape)) for name, (key, shape) in self.tensors().items()})
        (path.parent / "config.json").write_text(json.dumps(self.transformers(), indent=2) + "\n")


_TINY = {
    "visionWidth": 64,
    "visionLayers": 2,
    "visionHeads": 4,
    "visionMlp": 128,
    "patch": 8,
    "size": 64,
    "width": 32,
    "layers": 2,
    "heads": 4,
    "mlpWidth": 64,
}
_BASE = {
    "visionWidth": 768,
    "visionLayers": 12,
    "visionHeads": 12,
    "visionMlp": 3072,
    "width": 512,
    "layers": 12,
    "heads": 8,
    "mlpWidth": 2048,
    "embed": 512,
}
CONFIGS = {
    "tiny-owlvit": Config(kind="owlvit", embed=32, **_TINY),
    "tiny-owlv2": Config(kind="owlv2", embed=32, **_TINY),
    "base-32": Config(kind="owlvit", patch=32, size=768, **_BASE),
    "base-16": Config(kind="owlv2", patch=16, size=960, **_BASE),
}

if __name__ == "__main__":
    CONFIGS[sys.argv[1]].write(Path(sys.argv[2]))
