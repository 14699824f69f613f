"""Public sets in their published layouts, for `python -m models.evaluate --benchmark`. The sets are not included.

| name | files in the folder (anywhere below it) |
|---|---|
| msrvtt-qa | test_qa.json; video{id}.mp4 |
| msvd-qa | test_qa.json, youtube_mapping.txt ("name vid1"); name.avi or vid1.avi |
| coco, flickr30k | dataset_coco.json or dataset_flickr30k.json (Karpathy's splits; test); the pictures |
| vqav2 | v2_OpenEnded_mscoco_val2014_questions.json, v2_mscoco_val2014_annotations.json; COCO_val2014_000000000001.jpg |
| lvis | lvis_v1_val.json; 000000000001.jpg |

LVIS is scored by pycocotools instead of its own unmaintained package, with that package's rules: in a picture only those categories count that
were looked for in it, and extra detections of a category that was not annotated exhaustively are no errors. Rare categories are the novel ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import numpy as np
from PIL import Image

from models.config import Config
from models.tubes import Bytes

PICTURES = (".jpg", ".jpeg", ".png", ".webp")


@dataclass
class Question:
    text: str
    answers: list[str]  # one answer, or the answers of ten people
    kind: str


@dataclass
class Example:
    """One clip or picture with its ground truth. boxes: (name, [cx, cy, w, h] in 0..1)."""

    media: Path
    captions: list[str] = field(default_factory=list)
    questions: list[Question] = field(default_factory=list)
    boxes: list[tuple[str, list[float]]] = field(default_factory=list)
    judged: set[str] = field(default_factory=set)  # names that were looked for in this picture
    incomplete: set[str] = field(default_factory=set)  # of these, those not annotated exhaustively
    names: dict[str, bool] = field(default_factory=dict)  # the set's vocabulary, shared by all examples: name -> novel

    def read(self, config: Config) -> Bytes:
        """[T, size, size, 3] of a video, evenly spread over its length; [1, size, size, 3] of a picture. Squeezed to a square, as the app does."""
        if self.media.suffix.lower() in PICTURES:
            return np.asarray(Image.open(self.media).convert("RGB").resize((config.size, config.size), Image.Resampling.BICUBIC))[None]
        with av.open(str(self.media)) as file:
            total = sum(1 for packet in file.demux(video=0) if packet.size)
        wanted = np.floor((np.arange(config.frames) + 0.5) * total / config.frames).astype(int)
        frames: list[Bytes] = []
        with av.open(str(self.media)) as file:
            for i, frame in enumerate(file.decode(video=0)):
                count = int((wanted == i).sum())  # a clip shorter than the input shows frames more than once
                if count:
                    frames += [frame.reformat(config.size, config.size, "rgb24").to_ndarray().astype(np.uint8, copy=False)] * count
        if not frames:
            raise ValueError(f"{self.media}: no frame of this video could be decoded")
        return np.stack(frames + [frames[-1]] * (config.frames - len(frames)))


class Folder:
    """The files of a set by name, wherever they lie below its folder."""

    def __init__(self, root: Path) -> None:
        self.root, self.files = root, {path.name: path for path in sorted(root.rglob("*")) if path.is_file()}

    def find(self, *names: str) -> Path:
        """The first of the names that is there. Raises FileNotFoundError."""
        for name in names:
            if name in self.files:
                return self.files[name]
        raise FileNotFoundError(f"{' or '.join(names)} is not in {self.root}")

    def json(self, *names: str) -> Any:
        return json.loads(self.find(*names).read_text())


def video_qa(folder: Folder, media: Callable[[int], Path]) -> list[Example]:
    """MSRVTT-QA and MSVD-QA (Xu et al. 2017): one answer each; the kind is the question's first word."""
    examples: dict[int, Example] = {}
    for row in folder.json("test_qa.json"):
        if row["video_id"] not in examples:
            examples[row["video_id"]] = Example(media(row["video_id"]))
        examples[row["video_id"]].questions.append(Question(row["question"], [row["answer"]], row["question"].split()[0].lower()))
    return list(examples.values())


def msrvtt_qa(root: Path) -> list[Example]:
    folder = Folder(root)
    return video_qa(folder, lambda number: folder.find(f"video{number}.mp4"))


def msvd_qa(root: Path) -> list[Example]:
    folder = Folder(root)
    lines = [line.split() for line in folder.find("youtube_mapping.txt").read_text().splitlines() if line.strip()]
    names = {number: name for name, number in lines}
    return video_qa(folder, lambda number: folder.find(f"vid{number}.avi", f"{names.get(f'vid{number}', f'vid{number}')}.avi"))


def karpathy(file: str) -> Callable[[Path], list[Example]]:
    def load(root: Path) -> list[Example]:
        folder = Folder(root)
        rows = [row for row in folder.json(file)["images"] if row["split"] == "test"]
        return [Example(folder.find(row["filename"]), [sentence["raw"] for sentence in row["sentences"]]) for row in rows]

    return load


def vqav2(root: Path) -> list[Example]:
    folder = Folder(root)
    answers = {row["question_id"]: row for row in folder.json("v2_mscoco_val2014_annotations.json")["annotations"]}
    examples: dict[int, Example] = {}
    for row in folder.json("v2_OpenEnded_mscoco_val2014_questions.json")["questions"]:
        number, truth = row["image_id"], answers[row["question_id"]]
        if number not in examples:
            examples[number] = Example(folder.find(f"COCO_val2014_{number:012d}.jpg"))
        people = [answer["answer"] for answer in truth["answers"]]
        examples[number].questions.append(Question(row["question"], people, truth["answer_type"]))
    return list(examples.values())


def lvis(root: Path) -> list[Example]:
    folder = Folder(root)
    data = folder.json("lvis_v1_val.json")
    names = {row["id"]: row["name"].replace("_", " ") for row in data["categories"]}
    vocabulary = {names[row["id"]]: row["frequency"] == "r" for row in data["categories"]}
    examples: dict[int, Example] = {}
    sizes: dict[int, tuple[float, float]] = {}
    for row in data["images"]:
        incomplete = {names[number] for number in row["not_exhaustive_category_ids"]}
        judged = {names[number] for number in row["neg_category_ids"]} | incomplete
        media = folder.find(Path(row["coco_url"]).name)
        examples[row["id"]] = Example(media, judged=judged, incomplete=incomplete, names=vocabulary)
        sizes[row["id"]] = row["width"], row["height"]
    for row in data["annotations"]:
        (width, height), (x, y, w, h) = sizes[row["image_id"]], row["bbox"]
        name, example = names[row["category_id"]], examples[row["image_id"]]
        example.boxes.append((name, [(x + w / 2) / width, (y + h / 2) / height, w / width, h / height]))
        example.judged.add(name)
    return list(examples.values())


def vocabulary(examples: Sequence[Example]) -> list[tuple[str, bool]]:
    """Every name of a detection set, and whether it is novel; empty for other sets."""
    return sorted(examples[0].names.items()) if examples else []


LOADERS: dict[str, Callable[[Path], list[Example]]] = {
    "msrvtt-qa": msrvtt_qa,
    "msvd-qa": msvd_qa,
    "coco": karpathy("dataset_coco.json"),
    "flickr30k": karpathy("dataset_flickr30k.json"),
    "vqav2": vqav2,
    "lvis": lvis,
}
