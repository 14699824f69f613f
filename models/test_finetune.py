"""A pack learns from an export of the app and the video that it is about."""

import copy
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from models import finetune, unpack
from models.config import Training
from models.corrections import Taught, read
from models.test_corrections import TICKS, annotation, record
from models.toy import ToyWorld

CLIPS = 8


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, random_pack: Path) -> Path:
    """A pack of random weights, one video of toy clips joined, and its export: corrected captions, answers and boxes."""
    folder = tmp_path_factory.mktemp("finetune")
    world = ToyWorld()
    made = [world.sample(np.random.default_rng(i)) for i in range(CLIPS)]
    (folder / "videos" / "deep").mkdir(parents=True)
    record(folder / "videos" / "deep" / "toy.mkv", np.concatenate([clip.video for clip in made]))
    probe = {"width": 96, "height": 96, "rotation": 0, "videoStream": 0}
    lines: list[dict[str, Any]] = [
        {"schema": "tubelet-reviewed/1", "type": "source", "source": {"name": "toy.mkv", "path": "/films/toy.mkv", "probe": probe}},
        {"schema": "tubelet-reviewed/1", "type": "frames", "pts": [TICKS * i for i in range(16 * CLIPS)]},
    ]
    for i, clip in enumerate(made):
        lines.append({"type": "clip", "clip": {"index": i, "startFrame": 16 * i, "endFrame": 16 * i + 16}})
        lines.append(annotation({"kind": "caption", "text": clip.caption}, "edited"))
        lines += [annotation({"kind": "answer", "question": q, "text": a}, "accepted") for q, a, _ in clip.qa]
        lines.append(annotation({"kind": "answer", "question": "is it wrong?", "text": "yes"}, "rejected"))
        lines.append(annotation({"kind": "answer", "question": "did anybody look?", "text": "no"}, "machine"))
        keys = []
        for t in (0, 15):
            label, cx, cy, w, h = clip.boxes[t][0]
            corners = {"x1": 96 * (cx - w / 2), "y1": 96 * (cy - h / 2), "x2": 96 * (cx + w / 2), "y2": 96 * (cy + h / 2)}
            keys.append({"ordinal": 16 * i + t, "pts": TICKS * (16 * i + t), "box": corners, "score": None})
        lines.append(annotation({"kind": "track", "label": label, "boxes": keys}, "accepted"))
    (folder / "toy.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    shutil.copytree(random_pack, folder / "pack")
    return folder


def test_corrections_are_read_with_their_pictures(place: Path) -> None:
    config = unpack.read(place / "pack")[0].config
    clips = read([place / "toy.jsonl"], place / "videos", config)
    world = ToyWorld()
    assert len(clips) == CLIPS
    for i, clip in enumerate(clips):
        truth = world.sample(np.random.default_rng(i))
        assert np.array_equal(clip.video, truth.video) and clip.caption == truth.caption
        assert clip.qa == [(q, a) for q, a, _ in truth.qa]  # neither rejected annotations nor those that nobody looked at
        assert [*clip.boxes] == [0, 4, 8, 12]  # what the detector learns from
        for t in (0, 8):
            assert np.allclose(clip.boxes[t][0][1:], truth.boxes[t][0][1:], atol=0.01)


def test_nothing_that_is_held_out_is_learnt() -> None:
    clips: list[Any] = [*"abcdefghi"]
    learnt, held = finetune.divide(clips)
    assert "".join(map(str, held)) == "dh" and "".join(map(str, learnt)) == "abcefgi"
    assert [len(part) for part in finetune.divide(clips[:2])] == [1, 1]
    with pytest.raises(ValueError, match="at least 2"):
        finetune.divide(clips[:1])


def test_what_people_corrected_is_learnt(place: Path) -> None:
    model, text = unpack.read(place / "pack")
    taught = read([place / "toy.jsonl"], place / "videos", model.config)
    before, _ = finetune.judge(model, text, taught)
    learnt = copy.deepcopy(model)
    recipe = Training(batch=2, questions=1, lr=3e-3, warmup=5)
    torch.manual_seed(0)
    finetune.learn(learnt, text, taught, ToyWorld(), recipe, 90)
    after, _ = finetune.judge(learnt, text, taught)
    assert set(after) == set(before)
    assert after["answer", "exact match"][0] > before["answer", "exact match"][0] + 0.4
    assert after["caption", "words right (F1)"][0] > before["caption", "words right (F1)"][0] + 0.3


def test_a_caption_finds_any_clip_that_it_is_true_of(place: Path) -> None:
    model, text = unpack.read(place / "pack")
    videos = np.random.default_rng(0).integers(0, 255, (4, 16, 96, 96, 3), np.uint8)
    held = [Taught(str(i), video, said, [], {}) for i, (video, said) in enumerate(zip(videos, ("A ball.", "a ball", "ball", "a ball"), strict=True))]
    scores, _ = finetune.judge(model, text, held)
    assert scores["search", "R@1 among 4"] == (1.0, 4)


def test_a_score_is_of_something(place: Path) -> None:
    model, text = unpack.read(place / "pack")
    video = np.zeros((16, 96, 96, 3), np.uint8)
    scores, written = finetune.judge(model, text, [Taught("a", video, None, [("what is it?", "ball")], {})])
    assert [*scores] == [("answer", "exact match")] and not written["caption"].logits


def test_a_pack_is_sure_only_of_what_is_mostly_right_on_held_out_clips() -> None:
    def logits(probability: float) -> torch.Tensor:
        return torch.tensor([[probability, 1 - probability]]).log()

    written = finetune.Written(np.array([1.0] * 8 + [0.0] * 8), [logits(0.9)] * 8 + [logits(0.6)] * 8)
    assert 0.6 < written.operating_point(0.3, 1.0) <= 0.9
    assert written.operating_point(0.95, 1.0) == 0.95  # the limit of composed video still holds
    assert finetune.Written(np.zeros(8), [logits(0.9)] * 8).operating_point(0.3, 1.0) == 1
    assert finetune.Written(np.ones(4), [logits(0.9)] * 4).operating_point(0.3, 1.0) == 1  # too few to tell
    assert finetune.Written(np.zeros(0), []).operating_point(0.3, 1.0) == 1


def test_a_long_question_leaves_an_answer_to_learn(place: Path) -> None:
    model, text = unpack.read(place / "pack")
    clip = Taught("a", np.zeros((16, 96, 96, 3), np.uint8), None, [("why " * 99, "so")], {})
    loss = finetune.lesson(model, text, [finetune.pupil(clip, model.config, text, {})], torch.tensor([[1, 3, 2]]), finetune.RECIPE)
    assert torch.isfinite(loss) and loss > 0


def test_the_command_writes_a_pack_with_scores_before_and_after(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    told = json.loads((place / "pack" / "pack.json").read_text())
    (place / "pack" / "pack.json").write_text(json.dumps({**told, "words": ["zebra"]}))
    command = [sys.executable, "-m", "models.finetune", "--pack", str(place / "pack"), "--videos", str(place / "videos")]
    done = subprocess.run(
        [*command, "--annotations", str(place / "toy.jsonl"), "--out", str(place / "new"), "--steps", "2", "--clips", "4"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    manifest = json.loads((place / "new" / "pack.json").read_text())
    on_users = {row["metric"]: row["n"] for row in manifest["scores"] if row["on"] == finetune.ON_USERS}
    # Two clips held out, three questions each. After two steps none is right, so none is sure.
    assert on_users["exact match"] == on_users["exact match, before"] == on_users["share where sure"] == 6
    assert 0 not in on_users.values() and manifest["calibration"]["answer"]["notSureBelow"] == manifest["calibration"]["caption"]["notSureBelow"] == 1
    assert manifest["id"].endswith("-tuned") and manifest["data"][-1]["licence"] == "private"
    # Rejected annotations, and those that nobody looked at, are not learnt.
    assert {"zebra", "what", "moves"} < set(manifest["words"]) and not {"wrong", "anybody"} & set(manifest["words"])
    old, new = unpack.read(place / "pack")[0], unpack.read(place / "new")[0]
    assert not torch.allclose(old.decoder.head.weight, new.decoder.head.weight)

    for arguments, reason in (
        (["--annotations", str(place / "pack" / "pack.json"), "--out", str(place / "no")], "no JSONL export"),
        (["--annotations", str(place), "--out", str(place / "no")], "--annotations"),
        (["--annotations", str(place / "toy.jsonl"), "--out", str(place / "new")], "not empty"),
    ):
        monkeypatch.setattr(sys, "argv", [*command[2:], *arguments])
        with pytest.raises(SystemExit) as ended:
            finetune.main()
        assert ended.value.code == 2 and reason in capsys.readouterr().err
