"""Classical vision as a baseline: camera, direction, colour and number of moving things without learning, beside the model's answers.

    python -m models.baselines --pack models/packs/tubelet-mini --train-data DIR [--clips 300] [--real FOLDER]

Prints a table: of composed validation video, and of the spans of real clips for which real_clips.json has the truth. A model that
loses to the baseline must not claim the task.
"""

from __future__ import annotations

import argparse
import itertools
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from models import familiar
from models.evaluate import answer_all, answer_logits, confidence, encode_all
from models.metrics import vqa_accuracy
from models.tokenizer import PROMPTS
from models.tubes import Bytes, Floats
from models.videos import span

# Berlin and Kay's basic colours as sRGB; a pixel gets the name of the nearest one in CIELAB.
COLOURS = {
    "black": (15, 15, 15),
    "white": (240, 240, 240),
    "grey": (128, 128, 128),
    "red": (205, 30, 35),
    "orange": (245, 135, 25),
    "yellow": (245, 215, 40),
    "green": (45, 150, 55),
    "blue": (40, 85, 205),
    "purple": (125, 55, 165),
    "pink": (245, 140, 180),
    "brown": (115, 70, 35),
}
STILL = 0.004  # of the frame's side, between neighbouring frames: less is noise
FOREGROUND = 28  # grey levels from the median of all frames
SMALLEST = 0.002  # of the frame's area: smaller patches are noise


def greys(video: Bytes) -> Bytes:
    """[T, H, W, 3] RGB -> [T, H, W]."""
    return np.stack([cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY) for frame in video])


CELLS = 6  # per side: the frame is divided into squares that vote


def camera_steps(video: Bytes) -> Floats:
    """How the ground moves from frame to frame, in pixels: [T-1, 3] of x, y and the growth of half a side, from tracked corners
    (Lucas-Kanade) and the similarity transform that most of them agree on (RANSAC). Zero where too few corners are found, and where that
    transform explains less of the picture than no motion does: then the corners were on a thing that moves."""
    grey = greys(video)
    side = grey.shape[2]
    steps = np.zeros((len(grey) - 1, 3), np.float32)
    for t, (one, two) in enumerate(itertools.pairwise(grey)):
        corners = cv2.goodFeaturesToTrack(one, 200, 0.01, 3)
        if corners is None or len(corners) < 8:
            continue
        moved, found, _ = cv2.calcOpticalFlowPyrLK(one, two, corners, np.empty_like(corners))
        kept = found[:, 0] == 1
        if kept.sum() < 8:
            continue
        matrix, _ = cv2.estimateAffinePartial2D(corners[kept], moved[kept], ransacReprojThreshold=1.0)
        if matrix is None or not explains(one, two, matrix):
            continue
        middle = np.array([side / 2, grey.shape[1] / 2, 1.0])
        shift = matrix @ middle - middle[:2]
        steps[t] = (*shift, (np.hypot(matrix[0, 0], matrix[1, 0]) - 1) * side / 2)
    return steps


def explains(one: Bytes, two: Bytes, matrix: np.ndarray) -> bool:
    """Whether `matrix` brings more parts of frame `one` [H, W] to where they are in `two` than no motion does. Plain parts do not count."""
    size = one.shape[1], one.shape[0]
    inside = cv2.warpAffine(np.ones_like(one), matrix, size, flags=cv2.INTER_NEAREST)
    better = (cv2.absdiff(two, one).astype(np.float32) - cv2.absdiff(two, cv2.warpAffine(one, matrix, size))) * inside
    votes = cv2.resize(better, (CELLS, CELLS), interpolation=cv2.INTER_AREA)  # grey levels that are gained, the mean of each part
    # A thing that moves fills less than a quarter of the picture, as a rule.
    return int((votes > 1).sum()) > max(int((votes < -1).sum()), CELLS**2 // 4)


def camera_moves(video: Bytes) -> bool:
    steps = np.abs(camera_steps(video)).max(1)
    return bool(np.mean(steps > STILL * video.shape[2]) > 0.4)


def foreground(video: Bytes) -> np.ndarray:
    """Where each frame differs from the median of all, bool [T, H, W]: what moves while the camera does not."""
    ground = np.median(video, axis=0)
    far = np.abs(video.astype(np.float32) - ground).max(-1) > FOREGROUND
    kernel = np.ones((3, 3), np.uint8)
    return np.stack([cv2.morphologyEx(frame.astype(np.uint8), cv2.MORPH_CLOSE, kernel) for frame in far]).astype(bool)


def moving_things(video: Bytes) -> int:
    """The usual number of separate patches of foreground."""
    counts = []
    for mask in foreground(video):
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
        counts.append(int((stats[1:, cv2.CC_STAT_AREA] > SMALLEST * mask.size).sum()))
    return int(np.median(counts))


def direction(video: Bytes) -> str | None:
    """left, right, up or down: the mean optical flow (dense inverse search) of what moves relative to the ground; None where nothing does."""
    grey, ground = greys(video), camera_steps(video)
    finder = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    total, weight, edge = np.zeros(2), 0.0, video.shape[2] // 12  # flow is guessed where the camera brings new ground into view
    for t, (one, two) in enumerate(itertools.pairwise(grey)):
        flow = finder.calc(one, two, np.zeros((*one.shape, 2), np.float32)) - ground[t, :2]
        flow = flow[edge:-edge, edge:-edge]
        fast = np.linalg.norm(flow, axis=-1) > 2 * STILL * video.shape[2]
        total += flow[fast].sum(0)
        weight += float(fast.sum())
    if weight < SMALLEST * grey.size:
        return None
    x, y = total
    return ("right" if x > 0 else "left") if abs(x) > abs(y) else ("down" if y > 0 else "up")


def shares(pixels: Bytes) -> Floats:
    """[n, 3] RGB -> the share of each of COLOURS."""
    lab = cv2.cvtColor(pixels[None].astype(np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    known = cv2.cvtColor(np.array([list(COLOURS.values())], np.float32) / 255, cv2.COLOR_RGB2LAB)[0]
    nearest = np.linalg.norm(lab[:, None] - known[None], axis=-1).argmin(1)
    return (np.bincount(nearest, minlength=len(COLOURS)) / len(nearest)).astype(np.float32)


def colour(video: Bytes) -> str:
    """The basic colour that what moves has more of than the ground; the commonest of the whole picture where nothing moves."""
    mask = foreground(video)
    share = shares(video[:, ::2, ::2].reshape(-1, 3))
    if mask.mean() > SMALLEST:
        share = shares(video[mask][::2]) - share
    return list(COLOURS)[int(share.argmax())]


@dataclass
class Task:
    """A question that the baseline and the model can both answer: which questions of composed video it covers, and how it is asked of a real clip."""

    name: str
    asked: re.Pattern[str]
    question: str
    guess: Callable[[Bytes, str], str]
    truth: str  # key of real_clips.json


def said_of_camera(video: Bytes, question: str) -> str:
    moves = camera_moves(video)
    return "yes" if moves == (re.search("mov", question) is not None) else "no"


TASKS = (
    Task("camera still or moving", re.compile(r"camera (still|fixed|moving|move|stay still)\?$"), "does the camera move?", said_of_camera, "camera"),
    Task(
        "main direction",
        re.compile(r"^which (way|direction)"),
        "which way does it move?",
        lambda video, _: direction(video) or "nowhere",
        "direction",
    ),
    Task("colour", re.compile(r"^(what|which) colour is (it|the object)\?$"), "what colour is it?", lambda video, _: colour(video), "colour"),
    Task(
        "how many things",
        re.compile(r"^how many (objects|things) (are there|can you see)\?$"),
        "how many things are there?",
        lambda video, _: str(moving_things(video)),
        "moving",
    ),
)


@dataclass
class Asked:
    video: Bytes
    question: str
    answer: str
    task: Task


def composed(samples: Sequence[tuple[Bytes, Sequence[tuple[str, str, str]]]]) -> list[Asked]:
    """The questions of composed clips, (video, [(question, answer, kind)]), that the baselines can answer too."""
    return [Asked(video, q, a, task) for video, asked in samples for q, a, _ in asked for task in TASKS if task.asked.search(q)]


def real(folder: Path, frames: int, size: int) -> list[Asked]:
    out = []
    for row in json.loads((Path(__file__).parent / "real_clips.json").read_text()):
        video = span(folder / row["file"], row["start"], row["end"], frames, size)
        for task in TASKS:
            if task.truth in row:
                truth = {"still": "no", "moving": "yes"}.get(str(row[task.truth]), str(row[task.truth]))
                out.append(Asked(video, task.question, truth, task))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--train-data", type=Path)
    parser.add_argument("--clips", type=int, default=300)
    parser.add_argument("--real", type=Path, help="the folder with the clips of real_clips.json")
    args = parser.parse_args()
    from models.data.generator import World
    from models.unpack import read

    model, text = read(args.pack)
    calibration = json.loads((args.pack / "pack.json").read_text())["calibration"]
    config, rng = model.config, np.random.default_rng(11)
    world = World(args.train_data, "val", frames=config.frames, size=config.size)
    samples = [world.sample(rng) for _ in range(args.clips)]
    sets = {"composed validation video": composed([(s.video, s.qa) for s in samples])}
    if args.real:
        sets["real clips (development set)"] = real(args.real, config.frames, config.size)

    print("| task | on | n | classical | model |\n|---|---|---|---|---|")
    for name, asked in sets.items():
        seen = encode_all(model, [each.video for each in asked])
        done = answer_all(model, text, [PROMPTS["question"].format(question=each.question) for each in asked], seen.cross_k, seen.cross_v)
        for task in TASKS:
            rows = [i for i, each in enumerate(asked) if each.task is task]
            if rows:
                classical = np.mean([vqa_accuracy(task.guess(asked[i].video, asked[i].question), [asked[i].answer]) for i in rows])
                learnt = np.mean([vqa_accuracy(done[i][0], [asked[i].answer]) for i in rows])
                print(f"| {task.name} | {name} | {len(rows)} | {100 * classical:.0f} % | {100 * learnt:.0f} % |")
        # What the app would show as sure: above the operating point, for a clip like those that the pack was taught.
        sure = confidence(answer_logits(model, done, seen.cross_k, seen.cross_v), calibration["answer"]["temperature"])
        known = familiar.nearness(args.pack, seen.embedding) >= calibration["familiar"]["threshold"]
        shown = known & (sure >= calibration["answer"]["notSureBelow"])
        right = np.array([vqa_accuracy(got, [each.answer]) for (got, _, _), each in zip(done, asked, strict=True)])
        print(f"| of all these: of a familiar clip | {name} | {len(asked)} | - | {100 * known.mean():.0f} % |")
        print(f'| of all these: said without "not sure", right or wrong | {name} | {len(asked)} | - | {100 * shown.mean():.0f} % |')
        print(f'| of all these: wrong, and said without "not sure" | {name} | {len(asked)} | - | {100 * (shown & (right < 1)).mean():.0f} % |')


if __name__ == "__main__":
    main()
