#!/usr/bin/env bash
# Finding: pycocotools 2.0.11 does not count some points of recall that a detector reaches exactly. Average precision is the mean of the best precision at
# 101 recalls, 0.00 to 1.00. Of 10 things 7 are found, each perfectly and nothing else: recall is 0.70, so 71 of the 101 points are reached and AP50 should be
# 71/101. It is 70/101, because the points are made by numpy's linspace, whose 0.70 is a bit more than 7/10. The same happens with 0.35, 0.41, 0.47, 0.57, 0.69,
# 0.82, 0.83, 0.94 and 0.95 where the number of things gives such a recall: 7 of 20 things lose a point, 9 of 25 lose none. One label then differs by 0.0099.
# So a program that is to agree with pycocotools to more than two digits must take its floating-point points, and AP of few things is no finer than a hundredth.
#
#   findings/pycocotools-misses-recalls-that-are-reached-exactly.sh
#
# Needs bash, Python 3.11 with venv, and a way for pip to get the packages. Everything is in a temporary folder that is removed at the end.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check pycocotools==2.0.11 numpy==2.4.6
} || exit 2

"$folder/venv/bin/python" - <<'PY'
import contextlib
import io
import sys
from importlib.metadata import version

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def points(things, found):
    """How many of the 101 points of recall count at an overlap of 0.5, when so many of the things are found perfectly and nothing else is."""
    boxes = [[i % 10 * 20.0, i // 10 * 20.0, 10.0, 10.0] for i in range(things)]
    with contextlib.redirect_stdout(io.StringIO()):
        coco = COCO()
        coco.dataset = {
            "images": [{"id": 1, "width": 400, "height": 400}],
            "categories": [{"id": 1, "name": "thing"}],
            "annotations": [
                {"id": i, "image_id": 1, "category_id": 1, "bbox": box, "area": 100.0, "iscrowd": 0} for i, box in enumerate(boxes, 1)
            ],
        }
        coco.createIndex()
        said = [{"image_id": 1, "category_id": 1, "bbox": box, "score": 0.9} for box in boxes[:found]]
        run = COCOeval(coco, coco.loadRes(said), "bbox")
        run.evaluate()
        run.accumulate()
        run.summarize()
    return round(float(run.stats[1]) * 101)


print(f"pycocotools {version('pycocotools')}, numpy {version('numpy')}")
missed = {}
for things in (10, 20, 25, 50, 100):
    missed[things] = [found for found in range(1, things + 1) if points(things, found) != found * 100 // things + 1]
    print(f"of {things} things: a point is missing where {missed[things] or 'no number of them'} are found")
print(f"7 of 10 things found: AP50 = {points(10, 7)}/101; points of recall up to 7/10: 71")
sys.exit(0 if missed[10] == [7] and missed[20] == [7, 14, 19] and missed[25] == [] else 3)
PY
