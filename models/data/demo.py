"""The clip that a new user can try: a few shots of the pack's own world, from pictures that it has not trained on.

    python -m models.data.demo --train-data DIR --out models/packs/sample.mp4

Needs ffmpeg. The scenes are picked for what they show, never for what a pack says about them.
"""

from __future__ import annotations

import argparse
import subprocess
from pathlib import Path

import numpy as np

from models.data.compose import compose
from models.data.facts import Facts
from models.data.generator import World
from models.data.grammar import captions
from models.data.scene import Look

SEEDS = (52, 49, 96, 94)
FRAMES, RATE = 84, 24
SIDE = 480  # composed as a square, shown as 4:3


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train-data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, nargs="+", default=SEEDS)
    args = parser.parse_args()
    world = World(args.train_data, "val", frames=FRAMES, size=SIDE)
    command = ["ffmpeg", "-v", "error", "-y", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{SIDE}x{SIDE}", "-r", str(RATE), "-i", "-"]
    command += ["-vf", "scale=640:480", "-c:v", "libx264", "-preset", "slow", "-crf", "27", "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
    with subprocess.Popen([*command, str(args.out)], stdin=subprocess.PIPE) as ffmpeg:
        assert ffmpeg.stdin is not None
        for seed in args.seeds:
            rng = np.random.default_rng(seed)
            scene = world.scene(rng)
            scene.look = Look()
            video, tracks = compose([scene], world.assets, SIDE)[0]
            print(seed, captions(Facts(scene, tracks), rng)[0], flush=True)
            ffmpeg.stdin.write(video.numpy().tobytes())
    if ffmpeg.returncode != 0:
        raise SystemExit(f"ffmpeg ended with {ffmpeg.returncode}")


if __name__ == "__main__":
    main()
