#!/usr/bin/env bash
# Finding: OpenCV 5.0.0 cannot go back to the beginning of an MPEG transport stream. Read from its start, a file of 60 pictures gives all 60; after
# set(CAP_PROP_POS_FRAMES, 0), which returns True and sets the position to 0.0, the next picture is the 17th, and every index below 17 leads
# to the 17th or the 18th. A program that rewinds such a file, or jumps near its beginning, shows other pictures than it read there the first time.
# The same pictures in MP4, in the same run, are found at every index.
#
#   findings/opencv-cannot-rewind-a-transport-stream.sh
#
# Needs bash, Python 3.11 with venv on Linux x86-64, and a way for pip to get the packages (ffmpeg comes with one). All in a temporary folder.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or MP4 is read wrongly too).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check opencv-python-headless==5.0.0.93 numpy==2.2.6 imageio-ffmpeg==0.6.0
} || exit 2

OPENCV_FFMPEG_LOGLEVEL=-8 "$folder/venv/bin/python" -W ignore - "$folder" <<'PY'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

try:
    import cv2
    from imageio_ffmpeg import get_ffmpeg_exe
except ImportError as error:
    print(f"cannot judge: {error}")
    sys.exit(2)

folder, ffmpeg, count = Path(sys.argv[1]), get_ffmpeg_exe(), 60
print(f"opencv-python-headless {version('opencv-python-headless')}, files written with imageio-ffmpeg {version('imageio-ffmpeg')}")
# Each picture shows its number: eight blocks side by side, white for a bit that is set.
bits = np.array([[(n >> b) & 1 for b in range(8)] for n in range(count)], np.uint8)
pictures = np.repeat(np.repeat(bits[:, None, :], 120, 1), 40, 2) * 219 + 16


def write(name, *options):
    source = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "320x120", "-r", "25", "-i", "-"]
    codec = ["-pix_fmt", "yuv420p", "-c:v", "libx264", "-bf", "3", "-g", "20", *options]
    subprocess.run([ffmpeg, "-v", "error", "-y", *source, *codec, str(folder / name)], input=pictures.tobytes(), check=True)
    return str(folder / name)


def number(picture):
    return sum(1 << b for b in range(8) if picture[40:80, b * 40 + 10 : b * 40 + 30].mean() > 120)


def compared(file):
    """Which numbers are read in order, and where a jump to an index by a fresh reader leads: index, position told, number read."""
    reader = cv2.VideoCapture(file)
    in_order = []
    while (read := reader.read())[0]:
        in_order.append(number(read[1]))
    jumps = []
    for index in range(count):
        reader = cv2.VideoCapture(file)
        reader.set(cv2.CAP_PROP_POS_FRAMES, index)
        told = reader.get(cv2.CAP_PROP_POS_FRAMES)
        ok, picture = reader.read()
        jumps.append((index, told, number(picture) if ok else None))
    return in_order, [jump for jump in jumps if jump[2] != jump[0]]


results = {}
for name in ("stream.ts", "film.mp4"):
    in_order, wrong = results[name] = compared(write(name))
    some = "; ".join(f"index {index} (position {told}) gives {got}" for index, told, got in wrong[:3])
    print(f"{name}: read in order {len(in_order)} pictures, right: {in_order == list(range(count))}; jumps wrong {len(wrong)}{': ' + some if some else ''}")

if any(in_order != list(range(count)) for in_order, _ in results.values()) or results["film.mp4"][1]:
    print("cannot judge: pictures are not read in order, or MP4 is not found right either")
    sys.exit(2)
there = any(index == 0 for index, _, _ in results["stream.ts"][1])
print("the beginning is not found again" if there else "the behaviour is not there (any more)")
sys.exit(0 if there else 3)
PY
