"""Golden values from the public reference code, which is fetched and run beside this project and is no part of it.

    git clone https://github.com/LAION-AI/open_clip_mammut && git -C open_clip_mammut checkout ed2d1f6
    pip install torchvision timm ftfy regex huggingface_hub          # what it imports
    PYTHONPATH=open_clip_mammut/src python -m models.openmammut.reference

It builds the fork's MaMMUT with the seeded weights of each config and writes golden/values.json: embeddings, logits, and captions decoded from the
reference's own logits. Upstream's model is the same blocks with padding masked and the class token left out; its values come from the fork's
blocks put together so.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from models.openmammut.checkpoint import CLIP_MEAN, CLIP_STD, Floats, sizes
from models.openmammut.clip_bpe import PAD, Text
from models.openmammut.runtime import Decoding, Ids, beam_search
from models.openmammut.seeded import CONFIGS, Config, seeded
from models.openmammut.template import expand, load
from models.tubes import formula_video

GOLDEN = Path(__file__).parent / "golden" / "values.json"
SENTENCES = ["a photo of a dog", "two people on a street, at night!"]
FRAMES = {"tiny": 4, "tiny-no-mlp": 4, "tiny-upstream": 4, "L-14": 1}
BEAMS = [Decoding(1, 1.0, 16), Decoding(3, 1.0, 16), Decoding(5, 0.0, 12)]
SAMPLED = list(range(0, 49408, 771))
"""Of each position's logits."""


class Reference:
    def __init__(self, config: Config) -> None:
        from open_clip.mammut_model import MaMMUT  # type: ignore[import-not-found]

        self.config = config
        settings = config.open_clip()
        # The fork builds the vision encoder of either kind; its decoder's blocks serve both.
        text = {**settings.get("text_cfg", settings.get("multimodal_cfg", {})), "output_tokens": True, "does_full_decoding": True}
        self.model = MaMMUT(embed_dim=settings["embed_dim"], vision_cfg=settings["vision_cfg"], text_cfg=text).eval()
        with torch.no_grad():
            for name, parameter in self.model.named_parameters():
                key = "text.lm_head" if name == "text.text_projection" else name
                parameter.copy_(torch.from_numpy(seeded(key, tuple(parameter.shape))))

    def see(self, frames: int) -> tuple[Tensor, Tensor]:
        """The clip's embedding [E], and what the decoder reads [1, N, D]."""
        size = self.config.size
        video = torch.from_numpy(formula_video((frames, size, size))).float() / 255
        pictures = ((video - torch.tensor(CLIP_MEAN)) / torch.tensor(CLIP_STD)).permute(0, 3, 1, 2)
        embeddings, tokens = self.model._encode_image(pictures)
        return F.normalize(embeddings.mean(0), dim=-1), (tokens @ self.model.map_viz2txt_kv).flatten(0, 1)[None]

    def embed(self, ids: Tensor) -> Tensor:
        """ids [B, 77] -> [B, E]"""
        if not self.config.upstream:
            out: Tensor = self.model.encode_text(ids)
            return out
        text, real = self.model.text, ids != PAD
        mask = torch.zeros(len(ids), 1, 1, ids.shape[1]).masked_fill(~real[:, None, None], -math.inf)
        mask = mask.expand(-1, text.resblocks[0].attn.num_heads, ids.shape[1], -1).flatten(0, 1)
        x = text.token_embedding(ids) + text.positional_embedding[: ids.shape[1]]
        for block in text.resblocks:
            x = block(x, attn_mask=mask)
        x = (text.ln_final(x) * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        if self.config.embed is not None:
            x = x @ torch.from_numpy(seeded("text.text_projection", (self.config.width, self.config.embed)))
        return F.normalize(x, dim=-1)

    def logits(self, ids: Tensor, memory: Tensor) -> Tensor:
        """ids [B, L] -> [B, L, vocab]"""
        out: Tensor = self.model.encode_text(ids, image_embs=memory.expand(len(ids), -1, -1), output_logits=True)
        return out


def _numbers(values: Tensor) -> list[float]:
    return [float(f"{value:.7g}") for value in values.flatten().tolist()]


@torch.no_grad()
def golden(name: str) -> dict[str, Any]:
    config, frames, text = CONFIGS[name], FRAMES[name], Text(77)
    reference = Reference(config)
    embedding, memory = reference.see(frames)
    rows = [text.sentence(sentence) for sentence in SENTENCES]
    ids = torch.tensor([[*row, *[PAD] * (77 - len(row))] for row in rows])
    told = torch.tensor([rows[1][:-1]])

    def read(prefixes: Ids) -> Floats:
        out: Floats = reference.logits(torch.from_numpy(prefixes), memory).numpy()
        return out

    return {
        "frames": frames,
        "embedding": _numbers(embedding),
        "textEmbeddings": [_numbers(row) for row in reference.embed(ids)],
        "logits": [_numbers(row) for row in reference.logits(told, memory)[0][:, SAMPLED]],
        "captions": [{**vars(one), "ids": beam_search(read, one, 77)} for one in BEAMS[: 1 if name == "L-14" else None]],
    }


def main() -> None:
    template = load()
    digests = {}
    for name, config in CONFIGS.items():
        env = sizes(template, config.checkpoint(), template["frames"])
        digests[name] = {precision: [graph.digest() for graph in expand(template, env, precision)] for precision in ("fp32", "fp16", "int8")}
    values = {"sentences": SENTENCES, "sampled": SAMPLED, "graphs": digests, "configs": {name: golden(name) for name in FRAMES}}
    GOLDEN.write_text(json.dumps(values, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
