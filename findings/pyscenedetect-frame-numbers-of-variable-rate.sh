#!/usr/bin/env bash
# Finding: on a video with a variable rate the frame numbers of PySceneDetect 0.7.2 are not frames of the file. They are the cut's time multiplied
# by one rate, and its two readers use different rates: for one file, in which the first blue picture is the 20th (counted from
# 0), its OpenCV reader says 46 and its PyAV reader says 60. The times of the cuts are right with both. The length of the file is wrong by up
# to a quarter, and the last scene ends after the file's end with the OpenCV reader. With a constant rate both readers are entirely right.
# So join cuts of PySceneDetect to other tools' frames by their time, never by frame number.
#
#   findings/pyscenedetect-frame-numbers-of-variable-rate.sh
#
# Needs bash, ffmpeg, Python 3.11 with venv, and a way for pip to get the packages. Everything is in a temporary folder that is removed at the end.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or ffmpeg made another file than intended).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
{
  python3 -m venv "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
    scenedetect==0.7.2 opencv-python-headless==5.0.0.93 av==18.1.0 numpy==2.4.6
} || exit 2

# Two seconds of red, of blue and of green. VARIABLE: red at 10 pictures a second, the others at 30. CONSTANT: all at 30.
colours=()
for colour in red blue green; do colours+=(-f lavfi -i "color=$colour:s=160x120:r=30:d=2"); done
make() { ffmpeg -v error "${colours[@]}" -filter_complex "[0][1][2]concat=n=3,select='$2'" -fps_mode vfr -g 1000 "$folder/$1.mp4"; }
make variable 'if(lt(t,2),not(mod(n,3)),1)' || exit 2
make constant 1 || exit 2

"$folder/venv/bin/python" -W ignore - "$folder" <<'PY'
import sys
from importlib.metadata import version

try:
    import av
    from scenedetect import ContentDetector, SceneManager, open_video
except ImportError as error:
    print(f"cannot judge: {error}")
    sys.exit(2)

folder = sys.argv[1]
print(f"scenedetect {version('scenedetect')}, opencv-python-headless {version('opencv-python-headless')}, av {version('av')}")


def pictures(path):
    """Times in seconds of all pictures, and the number of the first blue one, as the decoder gives them."""
    with av.open(path) as file:
        found = [(float(one.pts * one.time_base), one.to_ndarray(format="rgb24")[60, 80]) for one in file.decode(video=0)]
    return [time for time, _ in found], next(n for n, (_, (red, _, blue)) in enumerate(found) if blue > red)


def cuts(path, reader):
    video = open_video(path, backend=reader)
    manager = SceneManager()
    manager.add_detector(ContentDetector(min_scene_len=5))
    manager.detect_scenes(video)
    return [(start.seconds, start.frame_num, end.seconds) for start, end in manager.get_scene_list()], video.duration.seconds


holds = True
for name in ("variable", "constant"):
    path = f"{folder}/{name}.mp4"
    times, blue = pictures(path)
    if blue != {"variable": 20, "constant": 60}[name] or abs(times[blue] - 2) > 0.001:
        print("cannot judge: ffmpeg made another file")
        sys.exit(2)
    print(f"{name}: {len(times)} pictures, 6 s; the first blue one has number {blue} and time {times[blue]:.3f}")
    for reader in ("opencv", "pyav"):
        scenes, length = cuts(path, reader)
        start, number, _ = scenes[1]
        print(f"  {reader}: second scene at {start:.3f} s, frame {number}; the last one ends at {scenes[-1][2]:.3f} s; length {length:.3f} s")
        holds &= abs(start - 2) < 0.001 and (number != blue) == (name == "variable") and (abs(length - 6) > 0.05) == (name == "variable")
print("the frame numbers of the variable file name no such picture, and differ by reader" if holds else "it is not so (any more)")
sys.exit(0 if holds else 3)
PY
