"""Command line: `python -m models.openmammut import CHECKPOINT --out PACK`. See docs/openmammut.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from models.openmammut.checkpoint import Refused, open_checkpoint
from models.openmammut.clip_bpe import build
from models.openmammut.pack import write_pack
from models.openmammut.seeded import CONFIGS
from models.openmammut.template import FOLDER


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.openmammut")
    commands = parser.add_subparsers(dest="command", required=True)
    imported = commands.add_parser("import", help="make a pack from a checkpoint")
    imported.add_argument("checkpoint", type=Path, help=".safetensors, .pt or .bin; open_clip_config.json beside it is read too")
    imported.add_argument("--out", type=Path, required=True, help="a new folder")
    imported.add_argument("--precision", choices=("fp32", "fp16", "int8"), default="fp32", help="of the weights in the pack")
    vocabulary = commands.add_parser("tokenizer", help="make packs/openmammut/tokenizer.json from CLIP's vocabulary")
    vocabulary.add_argument("file", type=Path, help="bpe_simple_vocab_16e6.txt.gz, as open_clip_torch ships it")
    random = commands.add_parser("random", help="write a checkpoint of seeded random weights, for tests and measurements")
    random.add_argument("config", choices=CONFIGS)
    random.add_argument("file", type=Path, help=".safetensors; open_clip_config.json is written beside it")
    args = parser.parse_args()
    try:
        if args.command == "tokenizer":
            (FOLDER / "tokenizer.json").write_text(build(args.file))
            return
        if args.command == "random":
            CONFIGS[args.config].write(args.file)
            return
        env = write_pack(open_checkpoint(args.checkpoint), args.out, file=args.checkpoint.name, precision=args.precision)
        print(f"{args.out}: vision {env['visionWidth']} x {env['visionLayers']}, text {env['width']} x {env['layers']}, pictures of {env['size']}")
    except Refused as refusal:
        sys.exit(f"Not imported. {refusal}")


if __name__ == "__main__":
    main()
