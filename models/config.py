"""Everything that fixes a model's shape. A checkpoint carries its config, so that it can be rebuilt from the file alone."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from models.tubes import Tube


@dataclass(frozen=True)
class Config:
    """Shapes: video [frames, size, size, 3]; N tokens of `width`; text of at most `context` ids."""

    name: str
    tubes: tuple[Tube, ...]  # tubes[0] is the 2D patch (kernel length 1): the detector's queries
    frames: int = 16
    size: int = 96
    width: int = 96  # of vision, of text and of the shared embedding space: no projection is needed (paper, ablation N/N)
    heads: int = 3
    vision_layers: int = 4
    text_layers: int = 2
    cross_every: int = 1  # the paper has 2, in a decoder many times deeper
    context: int = 48
    vocab: int = 2048
    mean: tuple[float, float, float] = (0.48, 0.46, 0.42)
    std: tuple[float, float, float] = (0.27, 0.26, 0.27)
    # Switches for models.ablate.
    fixed_positions: bool = True  # 3D sines and cosines at the tubes' centres
    causal_contrast: bool = False  # the contrastive pass sees only earlier tokens, like the generative one

    @property
    def cross_layers(self) -> int:
        return (self.text_layers + self.cross_every - 1) // self.cross_every

    @property
    def clip_shape(self) -> tuple[int, int, int]:
        return (self.frames, self.size, self.size)

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(data: dict[str, Any]) -> Config:
        def triple(v: Any) -> tuple[Any, Any, Any]:
            return (v[0], v[1], v[2])

        tubes = tuple(
            Tube(t["name"], triple(t["kernel"]), triple(t["stride"]), triple(t["offset"]), triple(t.get("depth", (1, 1, 1)))) for t in data["tubes"]
        )
        return Config(**{**data, "tubes": tubes, "mean": triple(data["mean"]), "std": triple(data["std"])})


@dataclass(frozen=True)
class Training:
    """The recipe. Weights of the two main losses are 1 (paper, Table 8)."""

    batch: int = 24  # clips a step, of each process
    questions: int = 4  # a clip is encoded once and asked this many questions: the encoder is the main cost
    lr: float = 2e-3
    weight_decay: float = 0.05
    warmup: int = 150
    pool: int = 16000  # clips kept in memory by each process; a clip is drawn several times before it is overwritten
    reuse: float = 4.0  # draws of each generated clip, on average
    images: float = 0.0  # share of the steps that learn from single pictures
    caption_weight: float = 1.0
    answer_weight: float = 1.0
    contrastive_weight: float = 0.5
    detection_weight: float = 1.0
    negatives: int = 48  # label names that are in no clip of the batch, for the region-text loss
    focal: bool = False  # sigmoid focal contrastive loss instead of InfoNCE
    cropped: bool = False  # cropped positional embedding: the localisation stage (paper, section 3.2)
    bf16: bool = True
    recompute: bool = False  # activations are computed again in the backward pass instead of kept: less memory, a third more time
    seed: int = 1


PATCH = Tube("patch", (1, 16, 16), (4, 16, 16), (0, 0, 0))

CONFIGS: dict[str, Config] = {
    # 144 + 18 + 36 + 18 = 216 tokens: patches of frames 0, 4, 8, 12; three tube shapes for the motion in between.
    "mini": Config(
        "mini",
        (
            PATCH,
            Tube("cube", (8, 8, 8), (8, 32, 32), (0, 0, 0)),
            Tube("long", (16, 4, 4), (16, 16, 16), (0, 6, 6)),
            Tube("wide", (4, 12, 12), (8, 32, 32), (0, 16, 16)),
        ),
    ),
    # For a GPU: 22.9 M parameters. TubeViT's tubes with its space-to-depth, at half its size: 256 + 32 + 50 + 32 = 370 tokens.
    "base": Config(
        "base",
        (
            Tube("patch", (1, 16, 16), (4, 16, 16), (0, 0, 0)),
            Tube("cube", (8, 8, 8), (8, 32, 32), (0, 0, 0), (2, 1, 1)),
            Tube("long", (16, 4, 4), (16, 24, 24), (0, 4, 4), (1, 2, 2)),
            Tube("wide", (4, 12, 12), (8, 32, 32), (0, 10, 10)),
        ),
        size=128,
        width=320,
        heads=5,
        vision_layers=8,
        text_layers=4,
        cross_every=2,
        vocab=4096,
    ),
    "tiny": Config("tiny", (PATCH, Tube("cube", (8, 8, 8), (8, 32, 32), (0, 0, 0))), width=48, heads=2, vision_layers=2, vocab=512),
}
