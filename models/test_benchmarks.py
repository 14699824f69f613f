"""A small version of each public set in its published layout: read, run and scored from end to end by an untrained model."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch
from PIL import Image

from models import benchmarks, tokenizer
from models.config import CONFIGS, Config
from models.evaluate import run_benchmark
from models.model import Mammut


def video(path: Path, frames: int) -> None:
    """Grey that grows brighter by 10 a frame."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for i in range(frames):
            frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 10 * i, np.uint8), "rgb24")
            file.mux(stream.encode(frame))
        file.mux(stream.encode())


def picture(path: Path, width: int = 40, height: int = 20) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, height), (200, 30, 40)).save(path)


def write(path: Path, data: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data))


def qa(number: int, question: str, answer: str) -> dict[str, Any]:
    return {"id": number, "video_id": number, "question": question, "answer": answer, "category_id": 3}


def msrvtt(root: Path) -> None:
    video(root / "TestVideo" / "video7010.mp4", 20)
    video(root / "TestVideo" / "video7011.mp4", 5)
    write(root / "test_qa.json", [qa(7010, "what is a man doing?", "sing"), qa(7011, "who is there?", "dog"), qa(7010, "what moves?", "car")])


def msvd(root: Path) -> None:
    video(root / "YouTubeClips" / "-4wsuPCjDBc_5_15.avi", 20)
    video(root / "YouTubeClips" / "vid2.avi", 20)
    (root / "youtube_mapping.txt").write_text("-4wsuPCjDBc_5_15 vid1\nother_1_2 vid2\n")
    write(root / "test_qa.json", [qa(1, "what is eating?", "animal"), qa(2, "how many run?", "two")])


def karpathy(file: str) -> Callable[[Path], None]:
    def make(root: Path) -> None:
        rows = []
        for i, split in enumerate(("test", "train", "test")):
            picture(root / "val2014" / f"picture_{i}.jpg")
            sentences = [{"raw": f"A red thing, number {i}.", "tokens": []}, {"raw": f"Red {i}", "tokens": []}]
            rows.append({"split": split, "filename": f"picture_{i}.jpg", "filepath": "val2014", "imgid": i, "sentences": sentences})
        write(root / file, {"images": rows, "dataset": "x"})

    return make


def vqa(root: Path) -> None:
    picture(root / "val2014" / "COCO_val2014_000000000042.jpg")
    questions = [{"image_id": 42, "question": "What colour?", "question_id": 420}, {"image_id": 42, "question": "Is it red?", "question_id": 421}]
    answers = []
    for number, kind, said in ((420, "other", "red"), (421, "yes/no", "yes")):
        people = [{"answer": said, "answer_confidence": "yes", "answer_id": i} for i in range(10)]
        answers.append({"question_id": number, "image_id": 42, "answer_type": kind, "answers": people})
    write(root / "v2_OpenEnded_mscoco_val2014_questions.json", {"questions": questions})
    write(root / "v2_mscoco_val2014_annotations.json", {"annotations": answers})


def lvis(root: Path) -> None:
    picture(root / "val2017" / "000000000139.jpg", 80, 40)
    image = {"id": 139, "width": 80, "height": 40, "coco_url": "anywhere/val2017/000000000139.jpg"}
    image |= {"neg_category_ids": [2], "not_exhaustive_category_ids": [3]}
    categories = [{"id": i, "name": name, "frequency": f} for i, name, f in ((1, "red_ball", "f"), (2, "cat", "c"), (3, "yak", "r"), (4, "pen", "r"))]
    boxes = [
        {"id": 1, "image_id": 139, "category_id": 1, "bbox": [20, 10, 40, 20]},
        {"id": 2, "image_id": 139, "category_id": 3, "bbox": [0, 0, 8, 4]},
    ]
    write(root / "lvis_v1_val.json", {"images": [image], "annotations": boxes, "categories": categories})


MAKERS: dict[str, Callable[[Path], None]] = {
    "msrvtt-qa": msrvtt,
    "msvd-qa": msvd,
    "coco": karpathy("dataset_coco.json"),
    "flickr30k": karpathy("dataset_flickr30k.json"),
    "vqav2": vqa,
    "lvis": lvis,
}


@pytest.fixture(scope="module")
def model() -> tuple[Mammut, tokenizer.Text]:
    words = tokenizer.train(["what is a man doing? a red thing", "caption:"], 400)
    torch.manual_seed(0)
    config = Config.from_json({**CONFIGS["tiny"].to_json(), "vocab": words.get_vocab_size()})
    return Mammut(config).eval(), tokenizer.Text(words, 48)


@pytest.mark.parametrize("name", sorted(benchmarks.LOADERS))
def test_a_set_is_read_run_and_scored(name: str, model: tuple[Mammut, tokenizer.Text], tmp_path: Path) -> None:
    MAKERS[name](tmp_path)
    examples = benchmarks.LOADERS[name](tmp_path)
    metrics = {row["metric"]: (row["value"], row["n"]) for row in run_benchmark(*model, examples, name).rows}
    if name in ("coco", "flickr30k"):
        assert [example.captions for example in examples] == [["A red thing, number 0.", "Red 0"], ["A red thing, number 2.", "Red 2"]]
        assert metrics["R@10 among 2"] == (1.0, 4) and metrics["clip to text R@10 among 4"] == (1.0, 2) and metrics["CIDEr"][1] == 2
    elif name == "lvis":
        assert examples[0].boxes == [("red ball", [0.5, 0.5, 0.5, 0.5]), ("yak", [0.05, 0.05, 0.1, 0.1])]
        assert examples[0].judged == {"red ball", "cat", "yak"} and examples[0].incomplete == {"yak"}
        assert dict(benchmarks.vocabulary(examples)) == {"red ball": False, "cat": False, "yak": True, "pen": True}
        assert set(metrics) == {f"{ap}, {group}" for ap in ("AP", "AP50") for group in ("base", "novel", "all")}
    else:
        questions = [question for example in examples for question in example.questions]
        assert metrics["accuracy"][1] == len(questions) == {"msrvtt-qa": 3, "msvd-qa": 2, "vqav2": 2}[name]
        assert {f"accuracy: {question.kind}" for question in questions} < set(metrics)


def test_a_video_is_sampled_evenly(tmp_path: Path) -> None:
    video(tmp_path / "long.mp4", 24)
    got = benchmarks.Example(tmp_path / "long.mp4").read(CONFIGS["tiny"])
    assert got.shape == (16, 96, 96, 3)
    wanted = [10 * int((i + 0.5) * 24 / 16) for i in range(16)]
    assert np.abs(got.mean((1, 2, 3)) - wanted).max() < 6
    video(tmp_path / "short.mp4", 4)
    assert np.abs(benchmarks.Example(tmp_path / "short.mp4").read(CONFIGS["tiny"]).mean((1, 2, 3)) - np.repeat([0, 10, 20, 30], 4)).max() < 6


def test_what_is_missing_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"test_qa\.json is not in"):
        benchmarks.msrvtt_qa(tmp_path)
    msvd(tmp_path)
    (tmp_path / "YouTubeClips" / "vid2.avi").unlink()
    with pytest.raises(FileNotFoundError, match=r"vid2\.avi or other_1_2\.avi"):
        benchmarks.msvd_qa(tmp_path)
