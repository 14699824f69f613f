"""Golden values from transformers 5.23.0, which is no dependency of this project and is run beside it, in an environment of its own:

    pip install -r models/requirements.txt transformers==5.23.0 scipy
    python -m models.owl.reference            # writes golden/values.json; with the true shapes of OWL-ViT B/32: half a minute, 2 GB

Each model has the seeded weights of models/owl/seeded.py and sees pictures of noise (models/resampling.py) through transformers' own Pillow
preprocessing. Per config: queries, and for each picture the prepared picture (sampled), logits, boxes and objectness, and what OWL-ViT finds
instead of a text where the box in question is the whole picture.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.openmammut.clip_bpe import Text
from models.owl.seeded import CONFIGS, seeded
from models.resampling import noise

GOLDEN = Path(__file__).parent / "golden" / "values.json"
TEXTS = ["a photo of a cat", "a photo of a remote control", "dog", "a photo of a red bicycle", "two people on a street, at night!"]
CONTEXT = 16
# (width, height): wider than the model's square, lower than it, and one that is filtered before it shrinks.
PICTURES = {
    "tiny-owlvit": [(90, 50), (40, 70)],
    "tiny-owlv2": [(150, 100), (40, 52), (70, 200)],
    "base-32": [(640, 360)],
}
STEP = {"tiny-owlvit": (41, 1), "tiny-owlv2": (41, 1), "base-32": (20_011, 9)}
"""Every how many-th number is kept: of the prepared picture, and of the cells."""


def _numbers(values: Tensor) -> list[float]:
    return [float(f"{value:.8g}") for value in values.flatten().tolist()]


def _processor(kind: str, size: int) -> Any:
    from transformers.models.owlv2.image_processing_pil_owlv2 import Owlv2ImageProcessorPil  # type: ignore[import-not-found]
    from transformers.models.owlvit.image_processing_pil_owlvit import OwlViTImageProcessorPil  # type: ignore[import-not-found]

    return {"owlvit": OwlViTImageProcessorPil, "owlv2": Owlv2ImageProcessorPil}[kind](size={"height": size, "width": size})


@torch.no_grad()
def golden(name: str) -> dict[str, Any]:
    from transformers import (  # type: ignore[import-not-found]
        Owlv2Config,
        Owlv2ForObjectDetection,
        OwlViTConfig,
        OwlViTForObjectDetection,
    )

    config = CONFIGS[name]
    settings, build = {"owlvit": (OwlViTConfig, OwlViTForObjectDetection), "owlv2": (Owlv2Config, Owlv2ForObjectDetection)}[config.kind]
    model = build(settings(**config.transformers())).eval()
    state = {key: torch.from_numpy(np.array(seeded(of, shape))) for key, (of, shape) in config.tensors().items()}
    model.load_state_dict(state)
    rows = [Text(CONTEXT).sentence(text) for text in TEXTS]
    ids = torch.tensor([[*row, *[0] * (CONTEXT - len(row))] for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (CONTEXT - len(row)) for row in rows])
    every, cells = STEP[name]
    pictures = []
    for seed, (width, height) in enumerate(PICTURES[name]):
        pixels = _processor(config.kind, config.size)(noise(width, height, seed), return_tensors="pt")["pixel_values"]
        out = model(input_ids=ids, attention_mask=mask, pixel_values=pixels)
        guided = model.image_guided_detection(pixel_values=pixels, query_pixel_values=pixels)
        pictures.append(
            {
                "size": [width, height],
                "pixels": _numbers(pixels.flatten()[::every]),
                "logits": _numbers(out.logits[0, ::cells]),
                "boxes": _numbers(out.pred_boxes[0, ::cells]),
                **({"objectness": _numbers(torch.sigmoid(out.objectness_logits[0, ::cells]))} if config.kind == "owlv2" else {}),
                **({"guided": _numbers(guided.logits[0, ::cells, 0])} if config.kind == "owlvit" else {}),
            }
        )
    embeds = out.text_embeds.reshape(len(TEXTS), -1)
    return {"queries": _numbers(embeds), "pixelStep": every, "cellStep": cells, "pictures": pictures}


def main() -> None:
    import transformers

    values = {"transformers": transformers.__version__, "texts": TEXTS, "ids": [Text(CONTEXT).sentence(text) for text in TEXTS]}
    GOLDEN.write_text(json.dumps({**values, "configs": {name: golden(name) for name in PICTURES}}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
