#!/usr/bin/env bash
# Finding: decord 0.6.0 mixes up the pictures of an MP4 that was cut without re-encoding. Such a cut keeps the pictures from the key frame before it and
# marks them by an edit list (ISO/IEC 14496-12, 8.6.6) as not shown. ffmpeg leaves them out: 47 pictures, the first is number 13. decord reports 60,
# the first at -0.52 s. Read in order it gives 13 to 59 and then thirteen times the last one; get_batch of every tenth index gives 13, 23, 20, 30 …: up
# to the next key frame an index counts only shown pictures, from there on hidden ones too, so time jumps back. OpenCV 5.0.0 reads the right 47, but
# its CAP_PROP_FRAME_COUNT says 60. All read the file before the cut correctly, in the same run.
#
#   findings/decord-mixes-up-a-lossless-cut.sh
#
# Needs bash, Python 3.11 with venv on Linux x86-64, and a way for pip to get the packages (ffmpeg comes with one). All in a temporary folder.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or the uncut file is read wrongly too).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check decord==0.6.0 opencv-python-headless==5.0.0.93 numpy==2.2.6 imageio-ffmpeg==0.6.0
} || exit 2

"$folder/venv/bin/python" -W ignore - "$folder" <<'PY'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

try:
    import cv2
    import decord
    from imageio_ffmpeg import get_ffmpeg_exe
except ImportError as error:
    print(f"cannot judge: {error}")
    sys.exit(2)

folder, ffmpeg, count = Path(sys.argv[1]), get_ffmpeg_exe(), 60
print(*(f"{name} {version(name)}" for name in ("decord", "opencv-python-headless", "imageio-ffmpeg")), sep=", ")
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


def by_ffmpeg(file):
    command = [ffmpeg, "-v", "error", "-i", file, "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "gray", "-"]
    raw = subprocess.run(command, capture_output=True, check=True).stdout
    return [number(picture) for picture in np.frombuffer(raw, np.uint8).reshape(-1, 120, 320)]


def by_opencv(file):
    reader, numbers = cv2.VideoCapture(file), []
    while (read := reader.read())[0]:
        numbers.append(number(read[1]))
    return numbers, int(cv2.VideoCapture(file).get(cv2.CAP_PROP_FRAME_COUNT))


def by_decord(file):
    reader = decord.VideoReader(file)
    in_order = [number(reader[i].asnumpy()) for i in range(len(reader))]
    tenth = [number(picture) for picture in decord.VideoReader(file).get_batch(list(range(0, len(reader), 10))).asnumpy()]
    return in_order, tenth, float(reader.get_frame_timestamp(0)[0])


whole = write("whole.mp4")
cut = str(folder / "cut.mp4")
subprocess.run([ffmpeg, "-v", "error", "-y", "-ss", "0.5", "-i", whole, "-c", "copy", cut], check=True)
results = {}
for name, file in (("whole", whole), ("cut", cut)):
    truth, (opencv, said), (decords, tenth, first) = results[name] = by_ffmpeg(file), by_opencv(file), by_decord(file)
    print(f"{name}: ffmpeg shows {len(truth)} from number {truth[0]}; OpenCV reads {len(opencv)} from {opencv[0]} and says {said}")
    print(f"  decord says {len(decords)}, the first at {first:.2f} s; in order {decords[0]} … {decords[-14:]}; every tenth {tenth}")

truth, (opencv, said), (decords, tenth, _) = results["whole"]
if not truth == opencv == decords == list(range(count)) or said != count or tenth != decords[::10]:
    print("cannot judge: the file that is not cut is read wrongly too")
    sys.exit(2)
truth, (opencv, said), (decords, tenth, first) = results["cut"]
there = len(decords) > len(truth) and decords[: len(truth)] == truth and tenth != sorted(tenth) and first < 0 and opencv == truth and said == len(decords)
print("a cut is mixed up" if there else "the behaviour is not there (any more)")
sys.exit(0 if there else 3)
PY
