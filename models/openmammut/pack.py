"""From a checkpoint to a pack that the app opens. main/packs does the same without Python, from the same template."""

from __future__ import annotations

import gzip
import hashlib
import json
import math
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from models.openmammut import template as description
from models.openmammut.checkpoint import Checkpoint, Refused, sizes
from models.openmammut.clip_bpe import END, PAD, START, Text
from models.openmammut.graphs import WEIGHTS, write_graphs
from models.openmammut.runtime import Decoding, Runtime, beam_search, tube
from models.openmammut.template import FOLDER, GRAPHS, Env
from models.tubes import formula_video

SIZES = {384: "S", 512: "M", 768: "B", 1024: "L", 1280: "H"}


def _ref(folder: Path, name: str) -> dict[str, str]:
    return {"file": name, "sha256": hashlib.sha256((folder / name).read_bytes()).hexdigest()}


def write_pack(checkpoint: Checkpoint, out: Path, *, file: str, precision: str = "fp32") -> Env:
    """Writes the folder `out`, which must be new or empty. @raises Refused"""
    if out.exists() and any(out.iterdir()):
        raise Refused(f"{out} is not empty.")
    template = description.load()
    env = sizes(template, checkpoint, template["frames"])
    graphs = description.expand(template, env, precision)
    out.mkdir(parents=True, exist_ok=True)
    try:
        digest = write_graphs(graphs, checkpoint.get, out, opset=template["opset"], ir=template["ir"])
    except OverflowError as error:
        raise Refused(f"It cannot be stored in half precision: {error}.") from error
    for name in ("tokenizer.json", "NOTICE"):
        shutil.copyfile(FOLDER / name, out / name)
    self_test = write_self_test(out, env, template)
    manifest = {
        **_identity(env, file, precision),
        "licence": template["manifest"]["licence"],
        "data": [],
        "tasks": ["caption", "search"],
        "input": {
            "frames": env["frames"],
            "width": env["size"],
            "height": env["size"],
            "fit": "stretch" if env["stretch"] else "crop",
            "maxClipSeconds": template["manifest"]["maxClipSeconds"],
            "tubes": [{"name": "patch", "kernel": tube(env).kernel, "stride": tube(env).stride, "offset": tube(env).offset}],
        },
        "dims": {
            "embedding": env["embed"],
            "memory": env["width"],
            "tokens": description.evaluate("frames*memoryTokens", env),
            "token": 0,
            **{name: env[name] for name in ("layers", "crossLayers", "heads", "headDim", "vocab", "context")},
            "queries": 0,
        },
        "graphs": {name: _ref(out, f"{name}.onnx") for name in GRAPHS},
        "weights": [{"file": WEIGHTS, "sha256": digest}],
        "tokenizer": {**_ref(out, "tokenizer.json"), "pad": PAD, "start": START, "end": END, "clean": "clip"},
        "prompts": template["manifest"]["prompts"],
        "decoding": template["manifest"]["decoding"],
        "calibration": {
            "measured": False,
            "search": {
                "scale": math.exp(float(checkpoint.get("logit_scale").reshape(-1)[0])),
                "background": template["manifest"]["background"],
                "threshold": template["manifest"]["threshold"],
            },
            # Nothing is known of how often it is right, so nothing is called sure.
            "caption": {"notSureBelow": 1.0},
        },
        "selfTest": self_test,
        "scores": [],
        "source": {"file": file, "layout": "fork" if checkpoint.fork else "upstream", "precision": precision},
    }
    (out / "pack.json").write_text(json.dumps(manifest, indent=2) + "\n")
    return env


def _identity(env: Env, file: str, precision: str) -> dict[str, Any]:
    width, patch = env["visionWidth"], env["patch"]
    kind = f"ViT-{SIZES[width] if isinstance(width, int) and width in SIZES else width}/{patch}"
    stored = {"fp32": "", "fp16": ", half precision", "int8": ", 8 bits"}[precision]
    return {
        "format": 1,
        "id": f"openmammut-{kind.lower().replace('/', '-')}-{precision}",
        "version": "1.0.0",
        "name": f"openMaMMUT {kind}{stored}",
        "description": (
            f"Made from {file} on this machine: {env['frames']} frames of a clip, each seen as a picture. It writes captions and finds clips by "
            "words; it answers no questions and finds no boxes. Nothing of it was measured here, so how often it is right is not known."
        ),
    }


def write_self_test(folder: Path, env: Env, template: dict[str, Any]) -> dict[str, str]:
    """The known answers, by the graphs in `folder`. Returns the reference to the file."""
    runtime, text = Runtime(folder, env), Text(int(description.evaluate("context", env)))
    frames, size = description.evaluate("frames", env), description.evaluate("size", env)
    forwards = formula_video((frames, size, size))
    files, embeddings, memories = [], [], []
    for i, clip in enumerate((forwards, np.ascontiguousarray(forwards[::-1, ::-1]))):
        (folder / f"selftest_{i}.u8.gz").write_bytes(gzip.compress(clip.tobytes(), mtime=0))
        files.append(_ref(folder, f"selftest_{i}.u8.gz"))
        embedding, memory = runtime.see(clip)
        embeddings.append(embedding.tolist())
        memories.append(memory)
    texts = template["selfTest"]["texts"]
    caption = beam_search(runtime.reader(memories[0]), Decoding(**template["manifest"]["decoding"]), text.context)
    test = {
        "clips": files,
        "texts": texts,
        "embeddings": embeddings,
        "textEmbeddings": runtime.embed([text.sentence(one) for one in texts]).tolist(),
        "caption": text.read(caption),
        "tolerance": template["selfTest"]["tolerance"],
    }
    (folder / "selftest.json").write_text(json.dumps(test) + "\n")
    return _ref(folder, "selftest.json")
