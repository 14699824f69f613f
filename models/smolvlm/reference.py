"""Golden values from the public reference code, transformers' SmolVLM, which is fetched and run beside this project and is no part of it:

    pip install transformers==5.23.0 num2words
    python -m models.smolvlm.reference            # tiny and 256M; some minutes, 5 GB of memory

With the seeded weights of each config: image features, the logits after a prompt, 24 greedy tokens. Of the processor: prompts byte for byte. Of the
tokenizers library, which transformers uses: the ids of random strings. `python -m models.smolvlm.reference tokenizer` trains golden/tokenizer.json.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, trainers

from models.smolvlm.seeded import CONFIGS, MARKS, TOKENIZER, Config, seeded
from models.tubes import formula_video

GOLDEN = Path(__file__).parent / "golden"
PROMPTS: list[dict[str, Any]] = [
    {"question": "What is on the table?", "times": [0.5, 1.5, 2.5], "seconds": 3.4},
    {"question": "How many people are there", "times": [0.0], "seconds": 0.4},
    {"question": "\n so?", "times": [3.2, 59.99, 60.01, 61.5], "seconds": 3725.9},
    {"question": "Describe what happens in this video in one sentence.", "times": [i + 0.5 for i in range(21)], "seconds": 21.0},
    {"question": "  wie heißt das Café? 你好 🙂", "times": [i * 1.1 for i in range(40)], "seconds": 44.0},
    {"question": "x", "times": [i * 9.7 for i in range(64)], "seconds": 620.0},
    {"question": "Is it 12:45 or 1,000.5?", "times": [0.5, 1.5], "seconds": 2.0},
]
FRAMES = {"tiny": 3, "256M": 2}
PROMPT_OF = {"tiny": 0, "256M": 6}
"""Which of PROMPTS; it has that many frames."""
TOKENS = 24
EVERY = {"tiny": (1, 1), "256M": (97, 61)}
"""Of the features and of the logits, one in so many is kept."""


def train() -> None:
    """Byte-level BPE with single digits, as SmolLM2's; its special entries and marks stand where SmolVLM2's do, in the vocabulary of "tiny"."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    trainer = trainers.BpeTrainer(vocab_size=960, special_tokens=special, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False)
    papers = [path.read_text() for path in sorted((Path(__file__).parents[2] / "docs").glob("*.md"))]
    tokenizer.train_from_iterator(papers, trainer)
    content = json.loads(tokenizer.to_str())
    marks = dict(zip(MARKS, CONFIGS["tiny"].marks, strict=True))
    content["model"]["vocab"] |= marks
    content["added_tokens"] += [
        {"id": id, "content": mark, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
        for mark, id in marks.items()
    ]
    TOKENIZER.write_text(json.dumps(content, ensure_ascii=False, separators=(",", ":")) + "\n")


def tokenizer_of(config: Config) -> Tokenizer:
    content = config.tokenizer()
    tokenizer = Tokenizer.from_str(json.dumps(content))
    for mark, id in zip(MARKS, config.marks, strict=True):
        assert tokenizer.token_to_id(mark) == id, mark
    tokenizer.add_special_tokens([AddedToken(mark, normalized=False, special=True) for mark in MARKS])
    return tokenizer


def prompt(question: str, times: list[float], seconds: float, image_tokens: int) -> str:
    """What the reference's processor and its chat template for videos make of a question about a video."""
    import jinja2
    from transformers.models.smolvlm.processing_smolvlm import DEFAULT_CHAT_TEMPLATE, SmolVLMProcessor  # type: ignore[import-not-found]

    of = SimpleNamespace(
        image_seq_len=image_tokens, image_token="<image>", fake_image_token="<fake_token_around_image>", global_image_token="<global-img>"
    )
    video = {
        "pixel_values": torch.zeros(1, len(times), 1),
        "video_metadata": [SimpleNamespace(fps=1, timestamps=times, duration=seconds)],
    }
    told = [{"role": "user", "content": [{"type": "video"}, {"type": "text", "text": question}]}]
    text: str = jinja2.Template(DEFAULT_CHAT_TEMPLATE).render(messages=told, add_generation_prompt=True)
    return text.replace("<video>", SmolVLMProcessor.replace_video_token(of, video, 0))


def strings() -> list[str]:
    """Random ones: of letters, of marks' pieces, of other scripts, of this repository's words."""
    draw = random.Random(19)
    words = [word for path in sorted((Path(__file__).parents[2] / "docs").glob("*.md")) for word in path.read_text().split()]
    other = ["é", "ß", "你好", "🙂", "\u200d", "<", "<image", "|>", "\t", "\n", "  ", "0123", "Ω", "'s", "\u00a0", "ﬁ", "e\u0301"]
    return ["".join(draw.choice([draw.choice(words), " ", " ", draw.choice(other)]) for _ in range(draw.randint(1, 12))) for _ in range(1000)]


SIZES = [(96, 54), (54, 96), (40, 40), (200, 31), (31, 200), (64, 64), (7, 5), (301, 299)]
"""Of pictures, (width, height)."""


def picture(width: int, height: int) -> dict[str, Any]:
    """The SHA-256 of a picture of formula_video as the processor prepares it for the config "tiny": its two steps by Pillow."""
    from PIL import Image
    from transformers.models.smolvlm.image_processing_pil_smolvlm import get_resize_output_image_size  # type: ignore[import-not-found]

    side = CONFIGS["tiny"].size
    pixels = formula_video((1, height, width))[0]
    first_height, first_width = get_resize_output_image_size(pixels.transpose(2, 0, 1), side)
    lanczos = Image.Resampling.LANCZOS
    made = Image.fromarray(pixels).resize((first_width, first_height), lanczos).resize((side, side), lanczos)
    return {"width": width, "height": height, "sha256": hashlib.sha256(made.tobytes()).hexdigest()}


@torch.no_grad()
def golden(name: str) -> dict[str, Any]:
    from transformers import SmolVLMConfig, SmolVLMForConditionalGeneration  # type: ignore[import-not-found]

    config, frames = CONFIGS[name], FRAMES[name]
    settings = config.json()
    settings.pop("architectures")
    with torch.device("meta"):
        model = SmolVLMForConditionalGeneration(SmolVLMConfig(**settings))
    state = {key: torch.from_numpy(seeded(key, shape)) for key, shape in config.shapes().items()}
    assert model.state_dict().keys() == state.keys(), model.state_dict().keys() ^ state.keys()
    model = SmolVLMForConditionalGeneration(SmolVLMConfig(**settings))
    model.load_state_dict(state)
    model.eval()
    pictures = (torch.from_numpy(formula_video((frames, config.size, config.size))).float() / 255 - 0.5) / 0.5
    pictures = pictures.permute(0, 3, 1, 2)[None]
    features = torch.cat(list(model.model.get_image_features(pictures).pooler_output))
    tokens = (config.size // config.patch // 4) ** 2
    ids = tokenizer_of(config).encode(prompt(**PROMPTS[PROMPT_OF[name]], image_tokens=tokens), add_special_tokens=False).ids
    out = model(input_ids=torch.tensor([ids]), pixel_values=pictures, logits_to_keep=1)
    logits = out.logits[0, -1]
    chosen: list[int] = []
    for _ in range(TOKENS):
        chosen.append(int(out.logits[0, -1].argmax()))
        out = model(input_ids=torch.tensor([chosen[-1:]]), past_key_values=out.past_key_values)
    kept_features, kept_logits = EVERY[name]
    return {
        "frames": frames,
        **PROMPTS[PROMPT_OF[name]],
        "every": {"features": kept_features, "logits": kept_logits},
        "features": _numbers(features.flatten()[::kept_features]),
        "logits": _numbers(logits[::kept_logits]),
        "tokens": chosen,
    }


def _numbers(values: torch.Tensor) -> list[float]:
    return [float(f"{value:.8g}") for value in values.flatten().tolist()]


def main() -> None:
    if sys.argv[1:] == ["tokenizer"]:
        train()
        return
    tiny = tokenizer_of(CONFIGS["tiny"])
    texts = [prompt(**one, image_tokens=4) for one in PROMPTS]
    prompts = [{**one, "text": text, "ids": tiny.encode(text, add_special_tokens=False).ids} for one, text in zip(PROMPTS, texts, strict=True)]
    configs = {name: golden(name) for name in FRAMES}
    values = {"prompts": prompts, "pictures": [picture(*size) for size in SIZES], "configs": configs}
    (GOLDEN / "values.json").write_text(json.dumps(values, separators=(",", ":")) + "\n")
    pairs = [[text, tiny.encode(text, add_special_tokens=False).ids] for text in strings()]
    (GOLDEN / "tokens.json.gz").write_bytes(gzip.compress(json.dumps(pairs, ensure_ascii=False, separators=(",", ":")).encode(), 9, mtime=0))


if __name__ == "__main__":
    main()
