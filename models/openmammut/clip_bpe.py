"""CLIP's tokenizer (byte pairs with word ends, 49408 entries) in the form that the tokenizers library reads, and the cleaning of text before it.

packs/openmammut/tokenizer.json was made from the vocabulary file that open_clip_torch 3.3.0 (PyPI, MIT) ships:

    python -m models.openmammut tokenizer bpe_simple_vocab_16e6.txt.gz
"""

from __future__ import annotations

import gzip
import html
import json
from pathlib import Path

import ftfy
from tokenizers import Regex as Pattern
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

FOLDER = Path(__file__).parent.parent / "packs" / "openmammut"

START, END, PAD = 49406, 49407, 0
"""PAD is also the ordinary token "!" inside of a word, as in CLIP."""
WORDS = r"'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+"
_MERGES = 49152 - 256 - 2


def build(vocabulary: Path) -> str:
    """tokenizer.json from `bpe_simple_vocab_16e6.txt.gz`: a comment, then one merge a line, of which CLIP uses the first 48894."""
    lines = gzip.decompress(vocabulary.read_bytes()).decode().split("\n")
    merges = [(left, right) for left, right in (line.split() for line in lines[1 : _MERGES + 1])]
    printable = [*range(ord("!"), ord("~") + 1), *range(ord("¡"), ord("¬") + 1), *range(ord("®"), ord("ÿ") + 1)]
    others = [256 + i for i in range(256 - len(printable))]
    letters = [chr(code) for code in printable + others]
    entries = [*letters, *(letter + "</w>" for letter in letters), *(left + right for left, right in merges)]
    tokenizer = Tokenizer(models.BPE(vocab={entry: i for i, entry in enumerate(entries)}, merges=merges, end_of_word_suffix="</w>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Pattern(WORDS), behavior="removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)]
    )
    # The byte-level alphabet writes a space as Ġ.
    tokenizer.decoder = decoders.Sequence([decoders.Replace("</w>", "Ġ"), decoders.ByteLevel()])
    tokenizer.add_special_tokens(["<start_of_text>", "<end_of_text>"])
    return json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")) + "\n"


def clean(text: str) -> str:
    """As open_clip's SimpleTokenizer: repaired, entities resolved, single spaces, lower case."""
    text = html.unescape(html.unescape(ftfy.fix_text(text)))
    return " ".join(text.split()).lower()


class Text:
    """Text to CLIP's ids, and back."""

    def __init__(self, context: int, path: Path = FOLDER / "tokenizer.json") -> None:
        self.tokenizer, self.context = Tokenizer.from_file(str(path)), context

    def sentence(self, text: str) -> list[int]:
        """[SOT] text [EOT], cut to the context with [EOT] kept."""
        ids: list[int] = self.tokenizer.encode(clean(text), add_special_tokens=False).ids
        return [START, *ids[: self.context - 2], END]

    def read(self, ids: list[int]) -> str:
        out: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        return out.strip()
