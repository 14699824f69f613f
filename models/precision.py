"""What pycocotools says of boxes made up from a seed, to which the app's own average precision (main/evaluation/measures.ts) is held.

python -m models.precision          # writes main/evaluation/precision.golden.json
"""

from __future__ import annotations

import contextlib
import io
import json
import random
from importlib.metadata import version
from pathlib import Path
from typing import Any

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

GOLDEN = Path(__file__).parent.parent / "main" / "evaluation" / "precision.golden.json"
LABELS, PICTURES = 4, 12


def boxes(draw: random.Random) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Things on pictures of 100 x 100, some of them crowds, and what a poor detector says of them: near, doubled, of another label, or nowhere."""
    truth: list[dict[str, Any]] = []
    said: list[dict[str, Any]] = []

    def say(picture: int, label: int, box: list[float]) -> None:
        said.append({"image_id": picture, "category_id": label, "bbox": [round(side, 2) for side in box], "score": round(draw.random(), 3)})

    for picture in range(1, PICTURES + 1):
        for _ in range(draw.randint(0, 6)):
            label, crowd = draw.randint(1, LABELS), draw.random() < 0.15
            wide, high = draw.uniform(5, 40), draw.uniform(5, 40)
            box = [round(side, 2) for side in (draw.uniform(0, 100 - wide), draw.uniform(0, 100 - high), wide, high)]
            truth.append({"image_id": picture, "category_id": label, "bbox": box, "iscrowd": int(crowd)})
            for _ in range(draw.randint(0, 2)):
                shifted = [side + draw.gauss(0, 0.08 * size) for side, size in zip(box, (wide, high, wide, high), strict=True)]
                say(picture, label if draw.random() < 0.85 else draw.randint(1, LABELS), [*shifted[:2], *(max(1.0, side) for side in shifted[2:])])
        for _ in range(draw.randint(0, 3)):
            say(picture, draw.randint(1, LABELS), [draw.uniform(0, 60), draw.uniform(0, 60), draw.uniform(5, 40), draw.uniform(5, 40)])
    return truth, said


def golden() -> dict[str, Any]:
    truth, said = boxes(random.Random(7))
    rows = [{**one, "id": i, "area": one["bbox"][2] * one["bbox"][3], "segmentation": []} for i, one in enumerate(truth, 1)]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": i, "width": 100, "height": 100} for i in range(1, PICTURES + 1)],
            "categories": [{"id": i, "name": str(i)} for i in range(1, LABELS + 1)],
            "annotations": rows,
        }
        coco.createIndex()
        each = []
        for label in range(1, LABELS + 1):
            run = COCOeval(coco, coco.loadRes([dict(one) for one in said]), "bbox")
            run.params.catIds = [label]
            run.evaluate()
            run.accumulate()
            run.summarize()
            each.append([float(run.stats[0]), float(run.stats[1])])
    return {"pycocotools": version("pycocotools"), "truth": truth, "said": said, "each": each}


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(golden(), separators=(",", ":")) + "\n")
