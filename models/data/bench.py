"""How fast clips are composed, on one CPU core and on the GPU where there is one.

    python -m models.data.bench [--train-data DIR] [--clips 512] [--together 16] [--against DIR]

`--against` is another checkout of this repository: its generator runs by turns with this one, so that both meet the same moments of a busy
machine. CPU time is counted as well as the clock's, and the median of the rounds is shown.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

ROUNDS = 5
# Run in the other checkout, which may be able to make only one clip at a time.
OTHER = """
import sys, time
from pathlib import Path
import numpy as np, torch
torch.set_num_threads(1)
from models.data.generator import World
data, clips, together = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
world = World(Path(data) if data else None, "train")
def make(n):
    rngs = [np.random.default_rng(i) for i in range(n)]
    if hasattr(world, "samples"):
        for at in range(0, n, together): world.samples(rngs[at : at + together])
    else:
        for rng in rngs: world.sample(rng)
make(together)
began, used = time.perf_counter(), time.process_time()
make(clips)
print(time.perf_counter() - began, time.process_time() - used)
"""


def measured(make: Callable[[int], Any], clips: int) -> tuple[float, float]:
    """Wall seconds and CPU seconds."""
    began, used = time.perf_counter(), time.process_time()
    make(clips)
    return time.perf_counter() - began, time.process_time() - used


def show(name: str, clips: int, rounds: list[tuple[float, float]]) -> None:
    clock, cpu = (statistics.median(each[i] for each in rounds) for i in (0, 1))
    print(f"{name:28} {clips / clock:8.0f} clips/s by the clock   {clips / cpu:8.0f} clips/s of CPU time", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--train-data", type=Path)
    parser.add_argument("--clips", type=int, default=512)
    parser.add_argument("--together", type=int, default=16, help="clips composed at once")
    parser.add_argument("--against", type=Path, help="another checkout to compare with")
    args = parser.parse_args()
    from models.data.generator import World

    torch.set_num_threads(1)

    def maker(device: str, together: int) -> Callable[[int], None]:
        world = World(args.train_data, "train", device=device)

        def make(clips: int) -> None:
            for at in range(0, clips, together):
                world.samples([np.random.default_rng(i) for i in range(at, min(at + together, clips))])

        make(together)
        return make

    here = maker("cpu", args.together)
    rounds: dict[str, list[tuple[float, float]]] = {"this checkout, one core": []}
    data = str(args.train_data.resolve()) if args.train_data else ""
    for _ in range(ROUNDS):
        if args.against:
            command = [sys.executable, "-c", OTHER, data, str(args.clips), str(args.together)]
            said = subprocess.run(command, cwd=args.against, env={**os.environ, "PYTHONPATH": "."}, check=True, capture_output=True, text=True).stdout
            clock, cpu = (float(each) for each in said.split())
            rounds.setdefault(f"{args.against.name}, one core", []).append((clock, cpu))
        rounds["this checkout, one core"].append(measured(here, args.clips))
    for name, some in rounds.items():
        show(name, args.clips, some)
    if torch.cuda.is_available():
        for together in (args.together, 256):
            show(f"GPU, {together} at once", args.clips, [measured(maker("cuda", together), args.clips) for _ in range(3)])


if __name__ == "__main__":
    main()
