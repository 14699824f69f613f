"""Golden values from the public reference code, which is fetched and run beside this project and is no part of it: LAION's fork and open_clip.

    git clone https://github.com/LAION-AI/open_clip_mammut && git -C open_clip_mammut checkout ed2d1f6
    git clone https://github.com/mlfoundations/open_clip && git -C open_clip checkout 75bf22c
    pip install torchvision timm ftfy regex huggingface_hub          # what they import
    for code in open_clip_mammut open_clip; do PYTHONPATH=$code/src python -m models.openmammut.reference; done

Each builds MaMMUT with the seeded weights of the configs of its layout and writes their values into golden/values.json: embeddings, logits, and
captions decoded from the reference's own logits. open_clip also reads the fork's layout (where every block has an MLP); there it must give the
fork's values. The digests of graphs in that file belong to main/packs/parity.test.ts and are left unchanged.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from models.openmammut.clip_bpe import PAD, Text
from models.openmammut.runtime import Decoding, Ids, beam_search
from models.openmammut.seeded import CONFIGS, Config, Floats, seeded
from models.tubes import formula_video

CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
GOLDEN = Path(__file__).parent / "golden" / "values.json"
SENTENCES = ["a photo of a dog", "two people on a street, at night!"]
FRAMES = {"tiny": 4, "tiny-no-mlp": 4, "tiny-upstream": 4, "tiny-resaved": 4, "L-14": 1}
BEAMS = [Decoding(1, 1.0, 16), Decoding(3, 1.0, 16), Decoding(5, 0.0, 12)]
SAMPLED = list(range(0, 49408, 771))
"""Of each position's logits."""


class Reference:
    """A model from the reference code that is on the Python path."""

    def __init__(self, config: Config) -> None:
        import open_clip  # type: ignore[import-not-found]
        from open_clip.mammut_model import MaMMUT  # type: ignore[import-not-found]

        self.config, settings = config, config.open_clip()
        self.newer = hasattr(open_clip.transformer, "MultimodalDecoder")
        if self.newer:
            settings = open_clip.factory._convert_legacy_mammut_cfg(settings)
        settings.pop("custom_text", None)
        self.model = MaMMUT(**settings).eval()
        state = {name: torch.from_numpy(seeded(key, shape)) for name, (key, shape) in config.tensors().items()}
        if self.newer:
            state = open_clip.convert.convert_state_dict(self.model, state)
        self.model.load_state_dict(state)

    def see(self, frames: int) -> tuple[Tensor, Tensor]:
        """The clip's embedding [E], and what the decoder reads [1, N, D]."""
        size = self.config.size
        video = torch.from_numpy(formula_video((frames, size, size))).float() / 255
        pictures = ((video - torch.tensor(CLIP_MEAN)) / torch.tensor(CLIP_STD)).permute(0, 3, 1, 2)
        embeddings, tokens, *_ = self.model._encode_image(pictures)
        return F.normalize(embeddings.mean(0), dim=-1), (tokens @ self.model.map_viz2txt_kv).flatten(0, 1)[None]

    def embed(self, ids: Tensor) -> Tensor:
        """ids [B, 77] -> [B, E]"""
        out: Tensor = self.model.encode_text(ids)
        return out

    def logits(self, ids: Tensor, memory: Tensor) -> Tensor:
        """ids [B, L] -> [B, L, vocab]"""
        memory = memory.expand(len(ids), -1, -1)
        if self.newer:
            out: Tensor = self.model.text(ids, context=memory, mode="caption")
        else:
            out = self.model.encode_text(ids, image_embs=memory, output_logits=True)
        return out


def _numbers(values: Tensor) -> list[float]:
    return [float(f"{value:.7g}") for value in values.flatten().tolist()]


@torch.no_grad()
def golden(name: str) -> dict[str, Any]:
    frames, text = FRAMES[name], Text(77)
    reference = Reference(CONFIGS[name])
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


def furthest(got: Any, expected: Any) -> float:
    """The largest difference, relative to the largest value; infinite where the captions differ."""
    if [one["ids"] for one in got["captions"]] != [one["ids"] for one in expected["captions"]]:
        return float("inf")
    pairs = [(torch.tensor(got[key]), torch.tensor(expected[key])) for key in ("embedding", "textEmbeddings", "logits")]
    return max(float((a - b).abs().max() / b.abs().max()) for a, b in pairs)


def main() -> None:
    from open_clip import transformer

    newer, values = hasattr(transformer, "MultimodalDecoder"), json.loads(GOLDEN.read_text())
    values |= {"sentences": SENTENCES, "sampled": SAMPLED}
    for name in FRAMES:
        if CONFIGS[name].upstream == newer:
            values["configs"][name] = golden(name)
        elif newer and CONFIGS[name].has_mlp:
            print(f"{name}: furthest from the fork {furthest(golden(name), values['configs'][name]):.1e}")
    GOLDEN.write_text(json.dumps(values, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
