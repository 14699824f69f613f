"""Lower-casing byte-level BPE. Ids 0, 1, 2 are [PAD], [SOT], [EOT]; any text can be written, unknown words in pieces."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from models.decoder import END, PAD, START

PROMPTS = {"caption": "caption:", "question": "question: {question} answer:", "label": "a {label}", "search": "{query}"}
AFTER_QUESTION = PROMPTS["question"].partition("{question}")[2]
ANSWER_SHARE = 1 / 3  # of the context: a prompt leaves at least that to the answer


def train(lines: Iterable[str], vocab: int) -> Tokenizer:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Lowercase()])
    # A space before the first word: "red" alone and " red" after a prompt are then the same token.
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=True)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=["[PAD]", "[SOT]", "[EOT]"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(lines, trainer)
    return tokenizer


def lexicon(lines: Iterable[str]) -> list[str]:
    """The distinct words of some texts, split as the app does: the words that a model trained on them can know."""
    return sorted({word for line in lines for word in re.findall(r"[^\W_]+", line.lower())})


class Text:
    """Text to ids and back. Every sequence is [SOT] ... [EOT]; a prompt is [SOT] ... without an end."""

    def __init__(self, tokenizer: Tokenizer, context: int) -> None:
        self.tokenizer, self.context = tokenizer, context

    @staticmethod
    def load(path: Path, context: int) -> Text:
        return Text(Tokenizer.from_file(str(path)), context)

    def words(self, text: str) -> list[int]:
        """The ids of a text, without special tokens: a person may type "[EOT]", but it is not a word."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
        return [i for i in ids if i not in (PAD, START, END)]

    def prompt(self, text: str) -> list[int]:
        """[SOT] and one of PROMPTS, filled in, as the app does it. A question that is too long loses its own end, never the "answer:" after it:
        without that the decoder would continue the question."""
        ids, room = self.words(text), self.context - 1 - math.ceil(self.context * ANSWER_SHARE)
        if len(ids) <= room:
            return [START, *ids]
        kept = len(self.words(AFTER_QUESTION.strip())) if text.endswith(AFTER_QUESTION) else 0
        return [START, *ids[: room - kept], *ids[len(ids) - kept :]]

    def sentence(self, text: str) -> list[int]:
        """[SOT] text [EOT], cut to the context with the end kept: what the contrastive pass reads."""
        return [START, *self.words(text)[: self.context - 2], END]

    def pair(self, prompt: str, answer: str) -> tuple[list[int], int]:
        """[SOT] prompt answer [EOT] and the length of [SOT] prompt, where the loss begins. An answer that is too long loses its end."""
        head = self.prompt(prompt)
        return [*(head + self.words(answer))[: self.context - 1], END], len(head)

    def read(self, ids: Sequence[int]) -> str:
        text: str = self.tokenizer.decode([i for i in ids if i not in (PAD, START, END)], skip_special_tokens=False)
        return text.strip()


def pad(rows: Sequence[Sequence[int]]) -> list[list[int]]:
    longest = max(len(row) for row in rows)
    return [[*row, *([PAD] * (longest - len(row)))] for row in rows]
