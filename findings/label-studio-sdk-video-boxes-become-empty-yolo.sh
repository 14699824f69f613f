#!/usr/bin/env bash
# Finding: the converter of label-studio-sdk 2.1.2, asked for YOLO of a video task with tracked boxes, succeeds and writes an empty label file,
# which every YOLO trainer reads as "no objects here"; asked for COCO it writes no image and no annotation, with one line in the
# log. Names of time spans (TimelineLabels) become classes of the YOLO and COCO files although no box has them. The converter's own list
# of formats for this labelling config leaves out YOLO and COCO, but it converts to them anyway. In the same run an image task with one box is converted correctly.
# So do not take video boxes from Label Studio in these formats: its JSON has them.
#
#   findings/label-studio-sdk-video-boxes-become-empty-yolo.sh
#
# Needs bash, Python 3.11 with venv, and a way for pip to get the packages. Everything is in a temporary folder that is removed at the end.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or the image task is not converted either).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check label-studio-sdk==2.1.2
} || exit 2

"$folder/venv/bin/python" -W ignore - "$folder" <<'PY'
import json
import sys
from importlib.metadata import version
from pathlib import Path

try:
    from label_studio_sdk.converter import Converter
except ImportError as error:
    print(f"cannot judge: {error}")
    sys.exit(2)

folder = Path(sys.argv[1])
print(f"label-studio-sdk {version('label-studio-sdk')}")
VIDEO = """<View><Video name="video" value="$video" framerate="25"/><VideoRectangle name="box" toName="video"/>
<Labels name="names" toName="video"><Label value="dog"/><Label value="cat"/></Labels>
<TimelineLabels name="spans" toName="video"><Label value="run"/></TimelineLabels></View>"""
IMAGE = """<View><Image name="image" value="$image"/>
<RectangleLabels name="box" toName="image"><Label value="dog"/><Label value="cat"/></RectangleLabels></View>"""


def at(frame, x, enabled):
    return {"frame": frame, "time": frame / 25, "enabled": enabled, "rotation": 0, "x": x, "y": 10, "width": 20, "height": 20}


track = {"framesCount": 50, "duration": 2, "labels": ["dog"], "sequence": [at(1, 10, True), at(10, 30, False)]}
still = {"x": 10, "y": 10, "width": 20, "height": 20, "rotation": 0, "rectanglelabels": ["dog"]}
video = [
    {"id": "a", "from_name": "box", "to_name": "video", "type": "videorectangle", "value": track},
    {"id": "b", "from_name": "spans", "to_name": "video", "type": "timelinelabels",
     "value": {"ranges": [{"start": 3, "end": 9}], "timelinelabels": ["run"]}},
]
image = [{"id": "a", "from_name": "box", "to_name": "image", "type": "rectanglelabels", "original_width": 100, "original_height": 100, "value": still}]


def convert(kind, config, data, result, form):
    """The files that a conversion leaves: name, text. Also whether the converter says that it can do this format."""
    tasks, out = folder / f"{kind}.json", folder / f"{kind}-{form}"
    when = "2026-01-01T00:00:00Z"
    done = {"id": 1, "result": result, "completed_by": 1, "was_cancelled": False, "created_at": when, "updated_at": when, "lead_time": 1.0}
    tasks.write_text(json.dumps([{"id": 1, "data": data, "annotations": [done]}]))
    converter = Converter(config, str(folder), download_resources=False)
    converter.convert(str(tasks), str(out), form, is_dir=False)
    return {str(one.relative_to(out)): one.read_text() for one in sorted(out.rglob("*")) if one.is_file()}, form in converter.supported_formats


def look(kind, *task):
    """Prints what comes out of one task; returns rows of YOLO, boxes of COCO, YOLO's classes, and what the converter says that it can do."""
    yolo, able_yolo = convert(kind, *task, "YOLO")
    coco, able_coco = convert(kind, *task, "COCO")
    rows = [(name, text.splitlines()) for name, text in yolo.items() if name.startswith("labels/")]
    boxes = json.loads(coco["result.json"])
    print(f"{kind} task: the list of what it can do {'has' if able_yolo else 'lacks'} YOLO and {'has' if able_coco else 'lacks'} COCO")
    for name, lines in rows:
        print(f"  YOLO: {name[:7]}… with {len(lines)} lines {lines}; classes {yolo['classes.txt'].split()}")
    print(f"  COCO: {len(boxes['images'])} images, {len(boxes['annotations'])} boxes, categories {[one['name'] for one in boxes['categories']]}")
    return rows, boxes["annotations"], yolo["classes.txt"].split(), able_yolo or able_coco


rows, boxes, _, able = look("image", IMAGE, {"image": "/data/a.jpg"}, image)
if not able or len(boxes) != 1 or [len(lines) for _, lines in rows] != [1]:
    print("cannot judge: a box on an image is not converted either")
    sys.exit(2)
rows, boxes, classes, able = look("video", VIDEO, {"video": "/data/a.mp4"}, video)
holds = [len(lines) for _, lines in rows] == [0] and boxes == [] and "run" in classes and not able
print("boxes on video become an empty YOLO file and an empty COCO file, without an error" if holds else "it is not so (any more)")
sys.exit(0 if holds else 3)
PY
