"""Draws the curves of a run."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib

matplotlib.use("agg")  # there is no screen
from matplotlib import pyplot

PANELS = (("caption", "answer"), ("contrastive", "region"), ("box", "objectness"), ("caption_right", "answer_right", "iou"))


def draw(run: Path) -> None:
    """Reads metrics.jsonl of a run and writes curves.png beside it: losses and accuracies over the steps."""
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    figure, axes = pyplot.subplots(2, 2, figsize=(11, 7), constrained_layout=True)
    for axis, names in zip(axes.flat, PANELS, strict=True):
        for name in names:
            axis.plot([row["step"] for row in rows], [row[name] for row in rows], label=name)
        axis.set_xlabel("step")
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle(f"{run.name}: step {rows[-1]['step']}, {rows[-1]['seconds'] / 60:.0f} min")
    figure.savefig(run / "curves.png", dpi=110)
    pyplot.close(figure)
