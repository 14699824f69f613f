"""Outputs of PyTorch for composed clips with the weights of a pack, as a reference for other implementations.

    python -m models.reference --pack models/packs/tubelet-mini --clips 50 --out DIR

Writes clips.u8, the clips one after the other as the pack takes them, [n, T, H, W, 3], and reference.json: for each clip the SHA-256 of each
kind of tube, its greedy caption with the confidence that the pack's temperature gives it, and how near every step of it was to another choice.
The clips are of shapes alone, so they need no pictures.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from models.decoder import END
from models.model import Mammut
from models.tokenizer import PROMPTS, Text
from models.tubes import Bytes, cut
from models.unpack import read


@torch.no_grad()
def steps(model: Mammut, prompt: list[int], cross_k: Tensor, cross_v: Tensor, temperature: float = 1.0) -> list[dict[str, Any]]:
    """Greedy decoding without a cache, [EOT] included: each step's id, its log-probability, the runner-up, and by how much its logit was less."""
    ids, out = list(prompt), list[dict[str, Any]]()
    while len(ids) < model.config.context:
        x, _, _, _ = model.decoder.hidden(torch.tensor([ids]), cross_k, cross_v)
        logits = model.decoder.head(x[0, -1])
        best = logits.topk(2)
        out.append(
            {
                "id": int(best.indices[0]),
                "logProb": float((logits / temperature).log_softmax(-1)[best.indices[0]]),
                "second": int(best.indices[1]),
                "margin": float(best.values[0] - best.values[1]),
            }
        )
        if out[-1]["id"] == END:
            break
        ids.append(out[-1]["id"])
    return out


@torch.no_grad()
def describe(model: Mammut, text: Text, clip: Bytes, temperature: float = 1.0) -> dict[str, Any]:
    tubes = cut(clip, model.config.tubes)
    _, memory, _ = model.encode([torch.from_numpy(part[None]) for part in tubes])
    taken = steps(model, text.prompt(PROMPTS["caption"]), *model.decoder.project(memory), temperature)
    caption = text.read([step["id"] for step in taken if step["id"] != END])
    return {
        "tubes": [hashlib.sha256(np.ascontiguousarray(part).tobytes()).hexdigest() for part in tubes],
        "caption": caption,
        "confidence": math.exp(sum(step["logProb"] for step in taken) / len(taken)),
        "steps": taken,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--clips", type=int, default=50)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    from models.data.generator import World

    torch.set_num_threads(1)  # so many small products are faster on one core than on several that wait for each other
    model, text = read(args.pack)
    temperature = json.loads((args.pack / "pack.json").read_text())["calibration"].get("answer", {}).get("temperature", 1.0)
    world, rng = World(None, "val", frames=model.config.frames, size=model.config.size), np.random.default_rng(50)
    clips = [world.sample(rng).video for _ in range(args.clips)]
    args.out.mkdir(parents=True, exist_ok=True)
    with (args.out / "clips.u8").open("wb") as file:
        for clip in clips:
            file.write(np.ascontiguousarray(clip).tobytes())
    (args.out / "reference.json").write_text(json.dumps({"clips": [describe(model, text, clip, temperature) for clip in clips]}) + "\n")


if __name__ == "__main__":
    main()
