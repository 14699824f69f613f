"""Command line: `python -m models.openmammut convert CHECKPOINT --out FILE.safetensors`. See docs/openmammut.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.openmammut.checkpoint import Refused, convert
from models.openmammut.clip_bpe import FOLDER, build
from models.openmammut.seeded import CONFIGS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.openmammut")
    commands = parser.add_subparsers(dest="command", required=True)
    pickled = commands.add_parser("convert", help="make a .safetensors file, which the app imports, of PyTorch's .pt or .bin")
    pickled.add_argument("checkpoint", type=Path, help=".pt or .bin; open_clip_config.json beside it is copied beside the new file")
    pickled.add_argument("--out", type=Path, required=True, help="a new .safetensors file")
    vocabulary = commands.add_parser("tokenizer", help="make packs/openmammut/tokenizer.json from CLIP's vocabulary")
    vocabulary.add_argument("file", type=Path, help="bpe_simple_vocab_16e6.txt.gz, as open_clip_torch ships it")
    random = commands.add_parser("random", help="write a checkpoint of seeded random weights, for tests and measurements")
    random.add_argument("config", choices=CONFIGS)
    random.add_argument("file", type=Path, help=".safetensors; open_clip_config.json is written beside it")
    args = parser.parse_args()
    try:
        if args.command == "tokenizer":
            (FOLDER / "tokenizer.json").write_text(build(args.file))
        elif args.command == "random":
            CONFIGS[args.config].write(args.file)
        else:
            print(f"{args.out}: {convert(args.checkpoint, args.out)} tensors. Drop it on the window, or give it to `tubelet packs import`.")
    except Refused as refusal:
        sys.exit(f"Not converted. {refusal}")


if __name__ == "__main__":
    main()
