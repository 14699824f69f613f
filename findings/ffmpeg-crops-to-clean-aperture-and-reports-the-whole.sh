#!/usr/bin/env bash
# Finding: for an MP4 with a clean aperture (box `clap` of ISO/IEC 14496-12) ffmpeg 7.0.2 returns the whole coded picture, but 9.0.2 returns
# one cropped to the aperture while it still reports the whole size for the stream. A program that asks for the size and then
# reads raw pictures of that size from a pipe gets pictures that are too small: it reads parts of two at once. `-apply_cropping codec` gives the
# whole picture again; older versions have an option of that name without this value and refuse it, so use it only where `-h long` lists it.
#
#   findings/ffmpeg-crops-to-clean-aperture-and-reports-the-whole.sh
#
# Needs bash, Python 3.11 with venv, and a way for pip to get the packages, which hold static builds of ffmpeg for Linux on x86-64. Everything
# is in a temporary folder that is removed at the end.
# Exit 0: the behaviour is there. 3: it is not (any more). Other: cannot be judged (2: an install failed, or the file is not as intended).
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
for version in 0.6.0 0.8.1; do
  {
    python3 -m venv "$folder/$version"
    "$folder/$version/bin/pip" install --quiet --disable-pip-version-check "imageio-ffmpeg==$version"
  } || exit 2
done

python3 - "$folder" <<'PY'
import struct
import subprocess
import sys
from pathlib import Path

folder = Path(sys.argv[1])
old, new = (next(folder.glob(f"{version}/lib/python*/site-packages/imageio_ffmpeg/binaries/ffmpeg-*")) for version in ("0.6.0", "0.8.1"))
WHOLE, CLEAN = (160, 120), (120, 80)  # width, height


def cannot(reason: str) -> None:
    """End the run: nothing can be said of the behaviour."""
    print(f"cannot judge: {reason}")
    sys.exit(2)


def run(tool: Path, *args: str) -> subprocess.CompletedProcess[bytes]:
    """ffmpeg to its end."""
    return subprocess.run([tool, "-hide_banner", "-nostdin", *args], capture_output=True)


def with_clap(boxes: bytes, path: tuple[bytes, ...]) -> bytes:
    """The boxes with `clap`, 120 by 80 in the middle, at the end of the last one of `path`. `moov` lies behind the pictures: no offset changes."""
    out, at = b"", 0
    while at < len(boxes):
        size, kind = struct.unpack(">I4s", boxes[at : at + 8])
        body = boxes[at + 8 : at + size]
        at += size
        if kind == path[0]:
            if len(path) == 1:
                body += struct.pack(">I4s8I", 40, b"clap", CLEAN[0], 1, CLEAN[1], 1, 0, 1, 0, 1)
            else:
                own = 8 if kind == b"stsd" else 0
                body = body[:own] + with_clap(body[own:], path[1:])
        out += struct.pack(">I4s", len(body) + 8, kind) + body
    return out


plain, file = folder / "plain.mp4", folder / "clap.mp4"
if run(old, "-f", "lavfi", "-i", "testsrc=s=160x120:r=10:d=1", "-pix_fmt", "yuv420p", str(plain)).returncode != 0:
    cannot("ffmpeg made no file")
file.write_bytes(with_clap(plain.read_bytes(), (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd", b"avc1")))


def first_picture(tool: Path, *options: str) -> int | None:
    """Bytes of the first picture in grey, one a pixel; None where ffmpeg refuses the options."""
    done = run(tool, "-v", "error", *options, "-i", str(file), "-frames:v", "1", "-pix_fmt", "gray", "-f", "rawvideo", "-")
    return len(done.stdout) if done.returncode == 0 else None


def reported(tool: Path) -> bool:
    """Whether the stream is said to be as large as the whole."""
    return b"160x120" in run(tool, "-i", str(file)).stderr


rows = {}
for name, tool in (("0.6.0", old), ("0.8.1", new)):
    banner = run(tool, "-version").stdout.decode().splitlines()[0]
    listed = b"-apply_cropping" in run(tool, "-h", "long").stdout
    rows[name] = (reported(tool), first_picture(tool), first_picture(tool, "-apply_cropping", "codec"), listed)
    print(f"imageio-ffmpeg {name}: {banner}")
    print(f"  says 160x120: {rows[name][0]}; bytes of a grey picture: {rows[name][1]}, with -apply_cropping codec: {rows[name][2]}; `-h long` lists it: {listed}")

whole, clean = WHOLE[0] * WHOLE[1], CLEAN[0] * CLEAN[1]
if not (rows["0.6.0"][0] and rows["0.8.1"][0]):
    cannot("the file does not say 160x120")
held = rows["0.6.0"][1:] == (whole, None, False) and rows["0.8.1"][1:] == (clean, whole, True)
print("The behaviour is there: the newer one crops and reports the whole size." if held else "The behaviour is NOT there.")
sys.exit(0 if held else 3)
PY
