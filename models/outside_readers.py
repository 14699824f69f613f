"""Reads an export of every format with programs that share no code with Tubelet. One line for each; ends with 1 when one of them fails.

    python models/outside_readers.py EXPORT PACKAGE…

The schema of EAF 3.0 is read from the file that EAF_SCHEMA names, and the context of Web Annotation (anno.jsonld of the W3C) from the one that
ANNO_CONTEXT names; without them these checks are skipped, and say so.
"""

from __future__ import annotations

import contextlib
import csv
import importlib.metadata
import io
import itertools
import json
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path

SKIPPED = "SKIPPED"


def boxes_of(out: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of boxes.csv by the folder of the video: what the others must find too."""
    found = {}
    for file in sorted(out.glob("*/boxes.csv")):
        with file.open(encoding="utf-8", newline="") as text:
            found[file.parent.name] = list(csv.DictReader(text))
    return found


def pycocotools(out: Path) -> str:
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    truth = COCO(str(out / "instances.json"))
    boxes = truth.loadAnns(truth.getAnnIds())
    found = [{key: box[key] for key in ("image_id", "category_id", "bbox")} | {"score": 1 / (1 + i)} for i, box in enumerate(boxes)]
    evaluation = COCOeval(truth, truth.loadRes(found), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    same(float(evaluation.stats[0]), 1.0, "AP")
    same(len(boxes), sum(map(len, boxes_of(out).values())), "boxes")
    return f"{len(boxes)} boxes, AP 1.00 against itself"


def kwcoco(out: Path) -> str:
    import kwcoco

    dataset = kwcoco.CocoDataset(str(out / "instances.json"))
    told = dataset.validate(missing=False, verbose=0)
    same([str(error) for error in told["errors"]], [], "errors")
    same(dataset.n_annots, sum(map(len, boxes_of(out).values())), "boxes")
    return f"valid, {dataset.n_videos} videos, {dataset.n_annots} boxes"


def supervision(out: Path) -> str:
    import supervision

    dataset = supervision.DetectionDataset.from_coco(str(out), str(out / "instances.json"))
    boxes = sum(len(one) for one in dataset.annotations.values())
    same(boxes, sum(map(len, boxes_of(out).values())), "boxes")
    return f"COCO: {boxes} boxes"


def datumaro(out: Path) -> str:
    from datumaro import Dataset

    meant = boxes_of(out)
    coco = Dataset.import_from(str(out), "coco")
    found = [one for item in coco for one in item.annotations]
    same(len(found), sum(map(len, meant.values())), "boxes of COCO")
    same(all("track_id" in one.attributes for one in found), True, "tracks of COCO")
    told = [f"COCO {len(found)}"]
    for folder, rows in meant.items():
        if not rows:
            continue
        mot = Dataset.import_from(str(out / "mot" / folder), "mot_seq")
        boxes = [(item.id, one.attributes["track_id"], one.x) for item in mot for one in item.annotations]
        same(len(boxes), len(rows), f"boxes of MOT in {folder}")
        same(sorted({track for _, track, _ in boxes}), sorted({int(row["track_id"]) for row in rows}), f"tracks of MOT in {folder}")
        with tempfile.TemporaryDirectory() as apart:
            shutil.copy(out / folder / "cvat.xml", apart)
            cvat = Dataset.import_from(apart, "cvat")
            # It takes the box that ends a track for a visible one.
            visible = [one for item in cvat for one in item.annotations if not one.attributes.get("outside")]
            same(len(visible), len(rows), f"boxes of CVAT in {folder}")
    return ", ".join([*told, f"MOT and CVAT {sum(map(len, meant.values()))} boxes"])


def datumaro_own(out: Path) -> str:
    from datumaro import Dataset

    meant = sum(map(len, boxes_of(out).values()))
    items = Dataset.import_from(str(out / "datumaro"), "datumaro")
    found = [one for item in items for one in item.annotations]
    same(len(found), meant, "boxes of Datumaro")
    tracks = {(int(one.attributes["track_id"]), one.label + 1) for one in found}
    coco = json.loads((out / "instances.json").read_text(encoding="utf-8"))
    same(tracks, {(one["id"], one["category_id"]) for one in coco["tracks"]}, "tracks and their labels")
    return f"Datumaro's own: {len(found)} boxes of {len(tracks)} tracks"


def yolo(out: Path) -> str:
    import supervision
    import yaml
    from datumaro import Dataset

    folder = out / "yolo"
    pictures = boxes = 0
    data = yaml.safe_load((folder / "data.yaml").read_text(encoding="utf-8"))
    videos: dict[str, set[str]] = {}
    for split in ("train", "val"):
        labels = folder / "labels" / split
        meant = {file.stem: file.read_text(encoding="utf-8").splitlines() for file in labels.glob("*.txt")}
        videos[split] = {stem.rsplit("_frame_", 1)[0] for stem in meant}
        dataset = supervision.DetectionDataset.from_yolo(str(folder / "images" / split), str(labels), str(folder / "data.yaml"))
        same({Path(file).stem: len(one) for file, one in dataset.annotations.items()}, {k: len(v) for k, v in meant.items()}, f"boxes of {split}")
        same(dataset.classes, list(data["names"].values()), "classes")
        for file, picture, found in dataset:
            height, width = picture.shape[:2]
            for corners, row in zip(found.xyxy, meant[Path(file).stem], strict=True):
                _, x, y, w, h = map(float, row.split())
                expected = ((x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height)
                same(all(abs(a - b) < 0.01 for a, b in zip(corners, expected, strict=True)), True, f"corners on {file}")
        pictures += len(meant)
        boxes += sum(map(len, meant.values()))
    same(videos["train"] & videos["val"], set(), "videos in both folders")
    same(bool(videos["train"]) and bool(videos["val"]), True, "both folders have pictures")
    items = Dataset.import_from(str(folder), "yolo")
    same(sum(len(item.annotations) for item in items), boxes, "boxes by Datumaro")
    return f"YOLO: {pictures} pictures, {boxes} boxes, by Datumaro too; no video in both folders"


def youtube_vis(out: Path) -> str:
    """Ground truth against itself as the result of a tracker: each object is one in its clip, so all is perfect."""
    import trackeval as evaluator
    from pycocotools import mask

    truth = json.loads((out / "youtube-vis.json").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as apart:
        results = Path(apart) / "trackers" / "youtube_vis_all" / "tubelet" / "data"
        given = Path(apart) / "truth" / "youtube_vis_all"
        results.mkdir(parents=True)
        given.mkdir(parents=True)
        # It takes one mask for each frame, as run lengths, and not a list of polygons.
        for one in truth["annotations"]:
            runs = [seg and mask.merge(mask.frPyObjects(seg, one["height"], one["width"])) for seg in one["segmentations"]]
            one["segmentations"] = [run and run | {"counts": run["counts"].decode()} for run in runs]
        found = [{key: one[key] for key in ("video_id", "category_id", "segmentations")} | {"score": 1.0} for one in truth["annotations"]]
        (results / "results.json").write_text(json.dumps(found))
        (given / "truth.json").write_text(json.dumps(truth))
        with_runs = json.loads((given / "truth.json").read_text())
        original, mask.frPyObjects = mask.frPyObjects, lambda seg, _h, _w: seg
        try:
            dataset = evaluator.datasets.YouTubeVIS(
                {"GT_FOLDER": f"{apart}/truth/", "TRACKERS_FOLDER": f"{apart}/trackers/", "SPLIT_TO_EVAL": "all", "PRINT_CONFIG": False}
            )
            quiet = ("PRINT_RESULTS", "PRINT_CONFIG", "TIME_PROGRESS", "OUTPUT_SUMMARY", "OUTPUT_DETAILED", "PLOT_CURVES")
            told, _ = evaluator.Evaluator(dict.fromkeys(quiet, False) | {"BREAK_ON_ERROR": True}).evaluate([dataset], [evaluator.metrics.HOTA()])
        finally:
            mask.frPyObjects = original
    scores = told["YouTubeVIS"]["tubelet"]["COMBINED_SEQ"]["cls_comb_det_av"]["HOTA"]
    same(round(float(scores["HOTA"].mean()), 6), 1.0, "HOTA")
    drawn = sum(box is not None for one in with_runs["annotations"] for box in one["bboxes"])
    same(drawn, sum(map(len, boxes_of(out).values())), "boxes")
    return f"YouTube-VIS: {len(truth['videos'])} clips, {drawn} boxes, HOTA 1.000 against itself"


def pyarrow(out: Path) -> str:
    """The same cells as in CSV."""
    import pyarrow.parquet

    rows = 0
    for table in ("boxes", "spans"):
        for file in sorted(out.glob(f"*/{table}.parquet")):
            found = pyarrow.parquet.read_table(file)
            with file.with_suffix(".csv").open(encoding="utf-8", newline="") as text:
                meant = list(csv.DictReader(text))
            same(found.column_names, list(meant[0]) if meant else found.column_names, "columns")
            same(found.num_rows, len(meant), f"rows of {file}")
            for name in ("frame", "pts", "track_id", "x1", "y2", "score", "start_s", "clip_id") if meant else ():
                if name in found.column_names:
                    cells = [None if row[name] == "" else float(row[name]) for row in meant]
                    same([None if one is None else float(one) for one in found[name].to_pylist()], cells, f"{name} of {file}")
            rows += found.num_rows
    same(rows > 0, True, "rows")
    return f"Parquet: {rows} rows with the numbers of CSV"


def trackeval(out: Path) -> str:
    """Ground truth against the detections, which have the same tracks: all videos are perfect, whatever their classes."""
    import trackeval as evaluator

    meant = {folder: rows for folder, rows in boxes_of(out).items() if rows}
    with tempfile.TemporaryDirectory() as apart:
        results = Path(apart) / "tubelet" / "data"
        results.mkdir(parents=True)
        for folder in meant:
            shutil.copy(out / "mot" / folder / "det" / "det.txt", results / f"{folder}.txt")
        dataset = evaluator.datasets.MotChallenge2DBox(
            {
                "GT_FOLDER": str(out / "mot"),
                "TRACKERS_FOLDER": apart,
                "SKIP_SPLIT_FOL": True,
                "DO_PREPROC": False,
                "SEQ_INFO": dict.fromkeys(meant),
                "PRINT_CONFIG": False,
            }
        )
        quiet = ("PRINT_RESULTS", "PRINT_CONFIG", "TIME_PROGRESS", "OUTPUT_SUMMARY", "OUTPUT_DETAILED", "PLOT_CURVES")
        settings = dict.fromkeys(quiet, False)
        metrics = [evaluator.metrics.HOTA(), evaluator.metrics.CLEAR()]
        found, _ = evaluator.Evaluator(settings | {"BREAK_ON_ERROR": True}).evaluate([dataset], metrics)
    told = found["MotChallenge2DBox"]["tubelet"]["COMBINED_SEQ"]["pedestrian"]
    same(round(float(told["HOTA"]["HOTA"].mean()), 6), 1.0, "HOTA")
    same(int(told["CLEAR"]["CLR_TP"]), sum(map(len, meant.values())), "boxes that count")
    return f"{len(meant)} sequences, HOTA 1.000, {int(told['CLEAR']['CLR_TP'])} boxes count"


def pympi(out: Path) -> str:
    from pympi.Elan import Eaf

    annotations = 0
    for file in sorted(out.glob("*/annotations.eaf")):
        eaf = Eaf(str(file))
        for tier in eaf.get_tier_names():
            own = sorted(eaf.get_annotation_data_for_tier(tier))
            annotations += len(own)
            same(all(start < end for start, end, _ in own), True, f"lengths on {tier}")
            same(all(a[1] <= b[0] for a, b in itertools.pairwise(own)), True, f"no overlap on {tier}")
    same(annotations > 0, True, "annotations")
    return f"{annotations} annotations"


def lxml(out: Path) -> str:
    from lxml import etree

    schema = os.environ.get("EAF_SCHEMA")
    if schema is None:
        return f"{SKIPPED}: EAF_SCHEMA does not name the schema of EAF 3.0"
    judge = etree.XMLSchema(etree.parse(schema))
    files = sorted(out.glob("*/annotations.eaf"))
    for file in files:
        judge.assertValid(etree.parse(str(file)))
    return f"{len(files)} files are valid by the schema of EAF 3.0"


def label_studio_sdk(out: Path) -> str:
    from label_studio_sdk._extensions.label_studio_tools.postprocessing.video import extract_key_frames
    from label_studio_sdk.label_interface import LabelInterface

    interface = LabelInterface((out / "label-studio-config.xml").read_text(encoding="utf-8"))
    tasks = json.loads((out / "label-studio.json").read_text(encoding="utf-8"))
    regions = drawn = 0
    for task in tasks:
        for prediction in task.get("predictions", []):
            same(interface.validate_prediction(prediction, return_errors=True), [], "errors of a prediction")
        for said in task.get("predictions", []) + task.get("annotations", []):
            for region in said["result"]:
                regions += 1
                # It takes the regions of one task and makes boxes on every frame of them.
                drawn += len(extract_key_frames([region])[0]["value"]["sequence"])
    same(len(tasks), len(boxes_of(out)), "tasks")
    same(drawn, sum(map(len, boxes_of(out).values())), "boxes that are seen")
    return f"{len(tasks)} tasks, {regions} regions, {drawn} boxes seen"


def pyld(out: Path) -> str:
    from pyld import jsonld

    place = os.environ.get("ANNO_CONTEXT")
    if place is None:
        return f"{SKIPPED}: ANNO_CONTEXT does not name the context of Web Annotation"
    context = json.loads(Path(place).read_text(encoding="utf-8"))
    address = "http://www.w3.org/ns/anno.jsonld"

    def loader(url: str, _: object) -> dict[str, object]:
        same(url, address, "context")
        return {"contentType": "application/ld+json", "contextUrl": None, "documentUrl": url, "document": context}

    oa = "http://www.w3.org/ns/oa#"
    annotations = targets = 0
    for file in sorted(out.glob("*/annotations.jsonld")):
        page = json.loads(file.read_text(encoding="utf-8"))
        expanded = jsonld.expand(page, {"documentLoader": loader})
        # What the context does not know is dropped on the way: then it does not come back.
        same(single(jsonld.compact(expanded, address, {"documentLoader": loader})), single(page), f"{file.parent.name} there and back")
        items = expanded[0]["http://www.w3.org/ns/activitystreams#items"][0]["@list"]
        for one in items:
            annotations += 1
            same(one["@type"], [f"{oa}Annotation"], "type")
            same([motive["@id"].startswith(oa) for motive in one[f"{oa}motivatedBy"]], [True], "motivation")
            for target in one[f"{oa}hasTarget"]:
                targets += 1
                (selector,) = target[f"{oa}hasSelector"]
                same(selector["@type"], [f"{oa}FragmentSelector"], "selector")
                value = selector["http://www.w3.org/1999/02/22-rdf-syntax-ns#value"][0]["@value"]
                start, end = value.split("&")[0].removeprefix("t=").split(",")
                same(float(start) < float(end), True, f"time of {value}")
    same(annotations > 0, True, "annotations")
    return f"{annotations} annotations with {targets} targets, all terms known"


def single(value: object) -> object:
    """JSON-LD has one thing and a list of it alone for the same."""
    if isinstance(value, dict):
        return {name: single(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return single(value[0]) if len(value) == 1 else [single(inner) for inner in value]
    return value


def same(found: object, meant: object, what: str) -> None:
    if found != meant:
        raise ValueError(f"{what}: found {found}, not {meant}")


READERS: dict[str, tuple[Callable[[Path], str], ...]] = {
    "pycocotools": (pycocotools,),
    "kwcoco": (kwcoco,),
    "supervision": (supervision, yolo),
    "datumaro": (datumaro, datumaro_own),
    "trackeval": (trackeval, youtube_vis),
    "pyarrow": (pyarrow,),
    "pympi-ling": (pympi,),
    "lxml": (lxml,),
    "label-studio-sdk": (label_studio_sdk,),
    "pyld": (pyld,),
}


def main(out: Path, packages: list[str]) -> int:
    failed = 0
    for name, read in ((package, read) for package in packages for read in READERS.get(package, ())):
        noise = io.StringIO()
        version = importlib.metadata.version(name)
        try:
            with contextlib.redirect_stdout(noise), contextlib.redirect_stderr(noise):
                told = read(out)
            print(f"{name} {version}: {told}")
        except Exception:
            failed += 1
            print(f"{name} {version}: FAILED\n{traceback.format_exc()}\n{noise.getvalue()[-2000:]}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
