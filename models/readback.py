"""Tubelet's annotation files, read by readers that share no code with it.

    python -m models.readback coco|cvat|mot|viame|vtt|webvtt|srt|csv|pandas|frames FILE

prints one JSON object and ends with 1 when the file breaks a rule of its format. Needs pycocotools (coco), webvtt-py (webvtt), pysrt (srt) and
pandas (pandas).
"""

from __future__ import annotations

import configparser
import contextlib
import csv
import html
import io
import itertools
import json
import re
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from pathlib import Path
from typing import Any

Seen = dict[str, Any]


def read_coco(path: Path) -> Seen:
    """Open with pycocotools and evaluate the file's own boxes against it: a sound file scores 1."""
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(path))
        boxes = truth.loadAnns(truth.getAnnIds())
        # Scores differ, so that the order of equal boxes is defined.
        found = [{key: box[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1 / (1 + i)} for i, box in enumerate(boxes)]
        precision = None
        if found:
            evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
            precision = float(evaluation.stats[0])
    images = {image["id"]: image for image in truth.loadImgs(truth.getImgIds())}
    for box in boxes:
        x, y, width, height = box["bbox"]
        image = images[box["image_id"]]
        require(box["id"] >= 1 and width > 0 and height > 0, f"annotation {box['id']} has no area")
        inside = x >= 0 and y >= 0 and x + width <= image["width"] + 1e-6 and y + height <= image["height"] + 1e-6
        require(inside, f"annotation {box['id']} leaves the frame")
        require(box["track_id"] == box["attributes"]["track_id"], f"annotation {box['id']} has two tracks")
    return {
        "categories": [{key: category[key] for key in ("name", "color")} for category in truth.loadCats(truth.getCatIds())],
        "boxes": [
            {
                "frame": images[box["image_id"]]["frame_index"],
                "video": box["video_id"],
                "track": box["track_id"],
                "label": truth.cats[box["category_id"]]["name"],
                "bbox": box["bbox"],
            }
            for box in boxes
        ],
        "self_precision": precision,
    }


def read_cvat(path: Path) -> Seen:
    """Read by CVAT's documented rules: meta before tracks, declared labels and attributes, 0-based frames, at most one box of a track on a frame."""
    root = ElementTree.parse(path).getroot()
    require([child.tag for child in root][:2] == ["version", "meta"] and root.findtext("version") == "1.1", "version 1.1, then meta, must come first")
    size = int(root.findtext("meta/task/size", ""))
    require(root.find("meta/task/labels") is None or root.find("meta/task/labels/label") is not None, "an empty list of labels stops readers")
    labels = list(root.iterfind("meta/task/labels/label"))
    colours = {label.findtext("name", ""): label.findtext("color", "") for label in labels}
    require(all(re.fullmatch("#[0-9a-f]{6}", colour) for colour in colours.values()), "a label needs a colour of six digits")
    declared = {label.findtext("name", ""): {a.findtext("name") for a in label.iterfind("attributes/attribute")} for label in labels}
    numbers = {a.findtext("name") for a in root.iterfind("meta/task/labels/label/attributes/attribute") if a.findtext("input_type") == "number"}
    for attribute in root.iterfind("track/box/attribute"):
        require(attribute.attrib["name"] not in numbers or is_number(attribute.text), "an attribute that is a number needs one")
    tracks = []
    for track in root.iterfind("track"):
        label, boxes = track.attrib["label"], [read_cvat_box(box) for box in track.iterfind("box")]
        frames = [box["frame"] for box in boxes]
        require(label in declared, f"the label {label!r} is not declared")
        require(frames == sorted(set(frames)), f"track {track.attrib['id']} is twice on one frame")
        require(all(0 <= frame < size for frame in frames), f"track {track.attrib['id']} leaves the video")
        require(all(set(box["attributes"]) <= declared[label] for box in boxes), f"track {track.attrib['id']} has an attribute that is not declared")
        require(boxes[0]["keyframe"], f"track {track.attrib['id']} starts without a keyframe")
        require(boxes[-1]["outside"] or frames[-1] == size - 1, f"track {track.attrib['id']} never ends")
        for before, box in itertools.pairwise(boxes):
            ends_well = box["keyframe"] and box["box"] == before["box"]
            require(not box["outside"] or ends_well, "an outside box must be a keyframe with the last coordinates")
            require(not before["outside"] or box["keyframe"], "a track must come back with a keyframe")
            require(before["outside"] or box["frame"] == before["frame"] + 1, "a visible track may not skip a frame")
        tracks.append({"id": int(track.attrib["id"]), "label": label, "source": track.attrib["source"], "boxes": boxes})
    return {"size": size, "labels": [{"name": name, "colour": colour} for name, colour in colours.items()], "tracks": tracks}


def read_cvat_box(box: ElementTree.Element) -> Seen:
    return {
        "frame": int(box.attrib["frame"]),
        "box": [float(box.attrib[key]) for key in ("xtl", "ytl", "xbr", "ybr")],
        "outside": box.attrib["outside"] == "1",
        "keyframe": box.attrib["keyframe"] == "1",
        "attributes": {a.attrib["name"]: a.text or "" for a in box.iterfind("attribute")},
    }


def read_mot(path: Path) -> Seen:
    """Read the folder of a sequence by the rules that TrackEval and Datumaro keep."""
    information = configparser.ConfigParser()
    information.read(path / "seqinfo.ini", encoding="utf-8")
    facts = dict(information["Sequence"])
    wanted = {"name", "imdir", "framerate", "seqlength", "imwidth", "imheight", "imext"}
    require(set(facts) == wanted, f"seqinfo.ini must have the keys {sorted(wanted)}")
    size = int(facts["seqlength"])
    require(int(facts["framerate"]) > 0 and int(facts["imwidth"]) > 0 and int(facts["imheight"]) > 0, "numbers must be whole and above 0")
    labels = (path / "gt" / "labels.txt").read_text(encoding="utf-8").splitlines()
    boxes = []
    held = set()
    truth, detections = ([row.split(",") for row in (path / name).read_text().splitlines()] for name in ("gt/gt.txt", "det/det.txt"))
    for row in truth:
        require(len(row) == 9, "a row of ground truth needs nine columns")
        frame, track, considered, kind = (int(row[at]) for at in (0, 1, 6, 7))
        require(1 <= frame <= size and track >= 1 and considered == 1, "frames and tracks count from 1, and each box counts")
        require((frame, track) not in held, f"track {track} is twice on frame {frame}")
        require(float(row[4]) > 0 and float(row[5]) > 0 and 0 <= float(row[8]) <= 1, "a box needs an area and a visibility")
        held.add((frame, track))
        boxes.append({"frame": frame - 1, "track": track, "x1": float(row[2]), "label": labels[kind - 1]})
    require([row[:6] for row in truth] == [row[:6] for row in detections], "detections must be of the same boxes")
    require(all(len(row) == 10 and 0 <= float(row[6]) <= 1 and row[7:] == ["-1", "-1", "-1"] for row in detections), "a detection needs ten columns")
    return {"frames": size, "boxes": boxes}


def read_viame(path: Path) -> Seen:
    """Read as DIVE does: with Python's csv, comments passed over, the first label that is no attribute."""
    rows = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.reader(line for line in file if not line.startswith("#")):
            pairs = [cell for cell in row[9:] if not cell.startswith("(")]
            require(len(pairs) == 2 and float(pairs[1]) == float(row[7]), "a row needs one label with its score")
            require(float(row[3]) < float(row[5]) and float(row[4]) < float(row[6]), "a box needs an area")
            rows.append({"track": int(row[0]), "frame": int(row[2]), "x1": float(row[3]), "label": pairs[0]})
    return {"rows": rows}


def read_srt(path: Path) -> Seen:
    import pysrt  # type: ignore[import-untyped]

    cues = pysrt.open(str(path), encoding="utf-8", error_handling=pysrt.SubRipFile.ERROR_RAISE)
    require([cue.index for cue in cues] == list(range(1, len(cues) + 1)), "cues must count from 1")
    return {"cues": [{"start": cue.start.ordinal, "end": cue.end.ordinal, "text": cue.text} for cue in cues]}


VTT_CUE = re.compile(r"(?:(?P<id>[^\n]*)\n)?(?P<start>\d\d+:\d\d:\d\d\.\d{3}) --> (?P<end>\d\d+:\d\d:\d\d\.\d{3})\n(?P<text>.+)", re.DOTALL)


def read_vtt(path: Path) -> Seen:
    head, *blocks = [block for block in path.read_text(encoding="utf-8").strip("\n").split("\n\n") if block]
    require(head == "WEBVTT", "the file must start with WEBVTT")
    cues = []
    for block in blocks:
        if block.startswith("NOTE"):
            require("-->" not in block, "a note may not hold an arrow")
            continue
        found = VTT_CUE.fullmatch(block)
        if found is None:
            raise ValueError(f"not a cue: {block}")
        require("-->" not in found["text"], "a text may not hold an arrow")
        cues.append({**found.groupdict(), "start": milliseconds(found["start"]), "end": milliseconds(found["end"])})
    return {"cues": cues}


def read_webvtt(path: Path) -> Seen:
    """By webvtt-py, which leaves entities as they are."""
    import webvtt  # type: ignore[import-untyped]

    cues = [
        {"start": milliseconds(cue.start), "end": milliseconds(cue.end), "text": html.unescape(cue.text)} for cue in webvtt.read(str(path)).captions
    ]
    return {"cues": cues}


def milliseconds(timestamp: str) -> int:
    hours, minutes, seconds = timestamp.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000 + int(seconds.replace(".", ""))


def read_csv(path: Path) -> Seen:
    with path.open(encoding="utf-8", newline="") as file:
        header, *rows = list(csv.reader(file, strict=True))
    require(all(len(row) == len(header) for row in rows), "every row must have a cell for each column")
    return {"rows": [dict(zip(header, row, strict=True)) for row in rows]}


def read_pandas(path: Path) -> Seen:
    """Read a table as docs/exports.md recommends."""
    import pandas  # type: ignore[import-untyped]

    table = pandas.read_csv(path, keep_default_na=False, na_values=[""])
    labels = table.get("label", [])
    return {"types": {column: str(kind) for column, kind in table.dtypes.items()}, "labels": [str(label) for label in labels]}


def is_number(text: str | None) -> bool:
    try:
        float(text or "")
    except ValueError:
        return False
    return True


def read_frames(path: Path) -> Seen:
    rows = [{"frame": int(row["frame"]), "pts": int(row["pts"]), "time_s": float(row["time_s"])} for row in read_csv(path)["rows"]]
    require([row["frame"] for row in rows] == list(range(len(rows))), "frames must count from 0")
    return {"rows": rows}


def require(holds: bool, rule: str) -> None:
    if not holds:
        raise ValueError(rule)


READERS: dict[str, Callable[[Path], Seen]] = {
    "coco": read_coco,
    "cvat": read_cvat,
    "vtt": read_vtt,
    "webvtt": read_webvtt,
    "mot": read_mot,
    "viame": read_viame,
    "srt": read_srt,
    "csv": read_csv,
    "pandas": read_pandas,
    "frames": read_frames,
}


def main(arguments: list[str]) -> int:
    if len(arguments) != 2 or arguments[0] not in READERS:
        print(f"usage: python -m models.readback {'|'.join(READERS)} FILE", file=sys.stderr)
        return 2
    try:
        print(json.dumps(READERS[arguments[0]](Path(arguments[1])), ensure_ascii=False))
    except (ValueError, KeyError) as error:
        print(f"{arguments[1]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
