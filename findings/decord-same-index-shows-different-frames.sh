#!/usr/bin/env bash
# Finding: decord 0.6.0 gives a different picture for the same index, depending on what was read before. In HEVC as x265 writes it by default (open
# groups of pictures), in MPEG-4 with B-frames in AVI and in an MPEG-2 program stream, reading all frames in order is right; asked directly for
# frame 19 of a fresh reader it gives frame 22, and so on around key frames (in the other two nearly everywhere), without an error. H.264 in MP4 with
# closed groups, in the same run, is right either way. For the AVI and the program stream its timestamps are meaningless (around -1e14 and -1e17).
# So frames chosen by index with decord, as training code for video models does, may not be the frames that an annotation names.
#
#   findings/decord-same-index-shows-different-frames.sh
#
# Needs bash, Python 3.11 with venv on Linux x86-64, and a way for pip to get the packages (ffmpeg comes with one). All in a temporary folder.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or the closed groups are read wrongly too).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check decord==0.6.0 numpy==2.2.6 imageio-ffmpeg==0.6.0
} || exit 2

"$folder/venv/bin/python" -W ignore - "$folder" <<'PY'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

try:
    import decord
    from imageio_ffmpeg import get_ffmpeg_exe
except ImportError as error:
    print(f"cannot judge: {error}")
    sys.exit(2)

folder, ffmpeg, count = Path(sys.argv[1]), get_ffmpeg_exe(), 60
print(f"decord {version('decord')}, files written with imageio-ffmpeg {version('imageio-ffmpeg')}")
# Each picture shows its number: eight blocks side by side, white for a bit that is set.
bits = np.array([[(n >> b) & 1 for b in range(8)] for n in range(count)], np.uint8)
pictures = np.repeat(np.repeat(bits[:, None, :], 120, 1), 40, 2) * 219 + 16


def write(name, *codec):
    source = ["-f", "rawvideo", "-pix_fmt", "gray", "-s", "320x120", "-r", "25", "-i", "-"]
    command = [ffmpeg, "-v", "error", "-y", *source, "-pix_fmt", "yuv420p", *codec, str(folder / name)]
    subprocess.run(command, input=pictures.tobytes(), check=True)
    return str(folder / name)


def number(picture):
    return sum(1 << b for b in range(8) if picture[40:80, b * 40 + 10 : b * 40 + 30].mean() > 120)


def compared(file):
    """Of how many indices the picture is wrong: read in order, and in another order with a fresh reader; an example; the first timestamps."""
    reader = decord.VideoReader(file)
    order = [number(reader[i].asnumpy()) for i in range(len(reader))]
    fresh = decord.VideoReader(file)
    jumps = [(i * 37) % count for i in range(count)]
    direct = {i: number(fresh[i].asnumpy()) for i in jumps}
    wrong = [(i, direct[i]) for i in jumps if direct[i] != i]
    return sum(got != i for i, got in enumerate(order)), wrong, [float(reader.get_frame_timestamp(i)[0]) for i in (0, 1)]


files = {
    "H.264 in MP4, closed groups": write("closed.mp4", "-c:v", "libx264", "-bf", "3", "-g", "20"),
    "HEVC in MP4, x265's default": write("open.mp4", "-c:v", "libx265", "-x265-params", "log-level=none:keyint=20"),
    "MPEG-4 in AVI, B-frames": write("b.avi", "-c:v", "mpeg4", "-bf", "2", "-g", "20"),
    "MPEG-2 program stream": write("ps.mpg", "-c:v", "mpeg2video", "-bf", "2", "-g", "12"),
}
results = {}
for what, file in files.items():
    in_order, direct, times = results[what] = compared(file)
    some = ", ".join(f"index {i} shows {got}" for i, got in direct[:3])
    print(f"{what}: in order {in_order} of {count} wrong; jumping {len(direct)} wrong{': ' + some if some else ''}; first times {times}")

closed, *others = results.values()
if closed[0] or closed[1]:
    print("cannot judge: closed groups are read wrongly too")
    sys.exit(2)
there = all(in_order == 0 and direct for in_order, direct, _ in others)
print("the same index shows different frames" if there else "the behaviour is not there (any more)")
sys.exit(0 if there else 3)
PY
