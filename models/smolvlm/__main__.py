"""Command line: `python -m models.smolvlm CONFIG FOLDER` writes a checkpoint of seeded random weights as its makers publish one, for measurements."""

from __future__ import annotations

import argparse
from pathlib import Path

from models.smolvlm.seeded import CONFIGS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m models.smolvlm")
    parser.add_argument("config", choices=CONFIGS)
    parser.add_argument("folder", type=Path)
    args = parser.parse_args()
    CONFIGS[args.config].write(args.folder)


if __name__ == "__main__":
    main()
