"""A trained run (or random weights) to a pack: five ONNX graphs, tokenizer, pack.json and a known-answer self-test (design, section 4).

    python -m models.export --run runs/mini --train-data DIR --out models/packs/tubelet-mini
    python -m models.export --random --out /tmp/random-pack

Every graph is compared with PyTorch at batch sizes, text lengths and cache lengths that it was not traced with.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import logging
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import torch
from torch import Tensor, nn

from models import familiar
from models import tokenizer as tok
from models.config import CONFIGS, Config
from models.decoder import END, PAD, START
from models.model import Mammut, load
from models.tubes import Bytes, cut, formula_video

TOLERANCE = 1e-4
# The exporter looks for torchvision each time and logs that it is not installed. The model uses none of its operators.
logging.getLogger("torch.onnx._internal.exporter._registration").addFilter(lambda record: "torchvision is not installed" not in record.getMessage())


class Vision(nn.Module):
    def __init__(self, model: Mammut) -> None:
        super().__init__()
        self.model = model

    def forward(self, *tubes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return self.model.encode(tubes)


class Words(nn.Module):
    def __init__(self, model: Mammut) -> None:
        super().__init__()
        self.decoder = model.decoder

    def forward(self, ids: Tensor) -> Tensor:
        out: Tensor = self.decoder.contrast(ids)
        return out


class Cross(nn.Module):
    def __init__(self, model: Mammut) -> None:
        super().__init__()
        self.decoder = model.decoder

    def forward(self, memory: Tensor) -> tuple[Tensor, Tensor]:
        k, v = self.decoder.project(memory)
        return k, v


class Boxes(nn.Module):
    """As models.detector, but objectness is a probability and the frame of each query is an output."""

    def __init__(self, model: Mammut) -> None:
        super().__init__()
        self.detector = model.detector

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        boxes, objectness, regions = self.detector(tokens)
        return boxes, objectness.sigmoid(), regions, self.detector.get_buffer("frame").clone()


B, L, T = "batch", "length", "past"
Axes = tuple[dict[int, str], ...]


def graphs(model: Mammut) -> dict[str, tuple[nn.Module, list[str], list[str], Axes, Axes]]:
    """name -> module, inputs, outputs, dynamic axes of the inputs and of the outputs."""
    kinds = [f"tubes_{i}" for i in range(len(model.config.tubes))]
    b: dict[int, str] = {0: B}
    past: dict[int, str] = {0: B, 3: T}
    text: dict[int, str] = {0: B, 1: L}
    return {
        "vision": (Vision(model), kinds, ["embedding", "memory", "tokens"], tuple(b for _ in kinds), (b, b, b)),
        "text": (Words(model), ["ids"], ["embedding"], (text,), (b,)),
        "cross": (Cross(model), ["memory"], ["cross_k", "cross_v"], (b,), (b, b)),
        "decoder": (
            model.decoder,
            ["ids", "cross_k", "cross_v", "past_k", "past_v"],
            ["logits", "present_k", "present_v", "attention"],
            (text, b, b, past, past),
            (text, {0: B, 3: "total"}, {0: B, 3: "total"}, b),
        ),
        "detector": (Boxes(model), ["tokens"], ["boxes", "objectness", "regions", "frame"], (b,), (b, b, b, {})),
    }


def example(config: Config, graph: str, batch: int, length: int = 5, past: int = 3) -> tuple[Tensor, ...]:
    """Random inputs of one graph. Tracing needs every dynamic size to be at least 2, or it is fixed in the graph."""
    d, n = config.width // config.heads, sum(tube.count(config.clip_shape) for tube in config.tubes)
    ids = torch.randint(3, config.vocab, (batch, length))
    if graph == "vision":
        return tuple(torch.randint(0, 256, (batch, tube.count(config.clip_shape), tube.voxels), dtype=torch.uint8) for tube in config.tubes)
    if graph == "text":
        ids[0, length - length // 3 :] = PAD
        return (ids,)
    if graph in ("cross", "detector"):
        return (torch.randn(batch, n, config.width),)
    cross = (batch, config.cross_layers, config.heads, n, d)
    cache = (batch, config.text_layers, config.heads, past, d)
    return ids, torch.randn(cross), torch.randn(cross), torch.randn(cache), torch.randn(cache)


def export_graphs(model: Mammut, out: Path) -> None:
    model.eval()
    for name, (module, inputs, outputs, axes_in, _) in graphs(model).items():
        module.eval()
        shapes: Any = tuple(dict.fromkeys(axes, torch.export.Dim.DYNAMIC) for axes in axes_in)
        if name == "vision":  # *tubes is one argument
            shapes = (shapes,)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            torch.onnx.export(
                module,
                example(model.config, name, batch=3),
                str(out / f"{name}.onnx"),
                input_names=inputs,
                output_names=outputs,
                dynamic_shapes=shapes,
                opset_version=20,
                dynamo=True,
                external_data=False,
                verbose=False,
                report=False,
            )


def session(path: Path) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 2
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


@torch.no_grad()
def check_graphs(model: Mammut, out: Path) -> dict[str, float]:
    """Largest difference from PyTorch of each graph, over sizes that were not traced; fails above the tolerance."""
    model.eval()
    worst: dict[str, float] = {}
    for name, (module, inputs, outputs, _, _) in graphs(model).items():
        run = session(out / f"{name}.onnx")
        if [i.name for i in run.get_inputs()] != inputs or [o.name for o in run.get_outputs()] != outputs:
            raise RuntimeError(f"{name}.onnx: wrong names")
        for batch, length, past in ((1, 1, 4), (1, 7, 0), (2, 1, 9), (4, 6, 0), (2, 11, 5), (1, 1, 0)):
            sample = example(model.config, name, batch, length, past)
            expected = module(*sample)
            expected = expected if isinstance(expected, tuple) else (expected,)
            got = run.run(None, {key: value.numpy() for key, value in zip(inputs, sample, strict=True)})
            for label, a, b in zip(outputs, expected, got, strict=True):
                if tuple(a.shape) != b.shape:
                    raise RuntimeError(f"{name}.{label}: shape {b.shape}, not {tuple(a.shape)}")
                worst[name] = max(worst.get(name, 0.0), float(np.abs(a.numpy() - b).max(initial=0)))
        if not worst[name] <= TOLERANCE:
            raise RuntimeError(f"{name}.onnx differs from PyTorch by {worst[name]:.2g}")
    return worst


class Pack:
    """The graphs of a pack as the app runs them. The self-test's expected values come from here."""

    def __init__(self, folder: Path, config: Config) -> None:
        self.config = config
        self.run = {name: session(folder / f"{name}.onnx") for name in ("vision", "text", "cross", "decoder", "detector")}
        self.text = tok.Text.load(folder / "tokenizer.json", config.context)

    def encode(self, video: Bytes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        feed = {f"tubes_{i}": part[None] for i, part in enumerate(cut(video, self.config.tubes))}
        embedding, memory, tokens = self.run["vision"].run(None, feed)
        return embedding, memory, tokens

    def embed(self, text: str) -> np.ndarray:
        out: np.ndarray = self.run["text"].run(None, {"ids": np.array([self.text.sentence(text)], np.int64)})[0]
        return out

    def complete(self, memory: np.ndarray, prompt: str) -> str:
        config = self.config
        cross_k, cross_v = self.run["cross"].run(None, {"memory": memory})
        past_k = past_v = np.zeros((1, config.text_layers, config.heads, 0, config.width // config.heads), np.float32)
        ids, out = self.text.prompt(prompt), list[int]()
        while len(out) + len(ids) < config.context:
            feed = {"ids": np.array([ids], np.int64), "cross_k": cross_k, "cross_v": cross_v, "past_k": past_k, "past_v": past_v}
            logits, past_k, past_v, _ = self.run["decoder"].run(None, feed)
            best = int(logits[0, -1].argmax())
            if best == END or past_k.shape[3] >= config.context:
                break
            out.append(best)
            ids = [best]
        return self.text.read(out)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def write_self_test(folder: Path, config: Config, clips: Sequence[Bytes], texts: Sequence[str]) -> None:
    pack = Pack(folder, config)
    files, embeddings, memories = [], [], []
    for i, clip in enumerate(clips):
        path = folder / f"selftest_{i}.u8.gz"
        path.write_bytes(gzip.compress(np.ascontiguousarray(clip).tobytes(), mtime=0))
        files.append({"file": path.name, "sha256": digest(path)})
        embedding, memory, _ = pack.encode(clip)
        embeddings.append(embedding[0].tolist())
        memories.append(memory)
    test = {
        "clips": files,
        "texts": list(texts),
        "embeddings": embeddings,
        "textEmbeddings": [pack.embed(text)[0].tolist() for text in texts],
        "caption": pack.complete(memories[0], tok.PROMPTS["caption"]),
        "tolerance": 1e-3,
    }
    (folder / "selftest.json").write_text(json.dumps(test) + "\n")


UNCALIBRATED: dict[str, Any] = {
    "search": {"scale": 10.0, "bias": -5.0, "threshold": 0.5},
    "answer": {"temperature": 1.0, "notSureBelow": 0.5},
    "caption": {"notSureBelow": 0.5},
    "detect": {"scale": 10.0, "bias": -5.0, "threshold": 0.3},
}


def write_manifest(
    folder: Path,
    config: Config,
    *,
    identity: dict[str, str],
    data: list[dict[str, str]],
    calibration: dict[str, Any],
    scores: list[dict[str, Any]],
    words: list[str] | None = None,
) -> None:
    """words: see `tok.lexicon`; None where the pack lists none."""
    tokens = [tube.count(config.clip_shape) for tube in config.tubes]

    def ref(name: str) -> dict[str, str]:
        return {"file": name, "sha256": digest(folder / name)}

    manifest = {
        "format": 1,
        **identity,
        "licence": "Apache-2.0",
        "data": data,
        "tasks": ["caption", "answer", "search", "detect"],
        "input": {
            "frames": config.frames,
            "width": config.size,
            "height": config.size,
            "fit": "stretch",
            "maxClipSeconds": 8,
            "tubes": [asdict(tube) for tube in config.tubes],
        },
        "dims": {
            "embedding": config.width,
            "memory": config.width,
            "tokens": sum(tokens),
            "token": config.width,
            "layers": config.text_layers,
            "crossLayers": config.cross_layers,
            "heads": config.heads,
            "headDim": config.width // config.heads,
            "vocab": config.vocab,
            "context": config.context,
            "queries": tokens[0],
        },
        "graphs": {name: ref(f"{name}.onnx") for name in ("vision", "text", "cross", "decoder", "detector")},
        "tokenizer": {**ref("tokenizer.json"), "pad": PAD, "start": START, "end": END},
        "prompts": tok.PROMPTS,
        **({} if words is None else {"words": words}),
        "calibration": calibration,
        "selfTest": ref("selftest.json"),
        "scores": scores,
    }
    (folder / "pack.json").write_text(json.dumps(manifest, indent=2) + "\n")


def write_pack(out: Path, model: Mammut, tokenizer_json: str, clips: Sequence[Bytes], texts: Sequence[str], **manifest: Any) -> dict[str, float]:
    out.mkdir(parents=True, exist_ok=True)
    (out / "tokenizer.json").write_text(tokenizer_json)
    export_graphs(model, out)
    worst = check_graphs(model, out)
    write_self_test(out, model.config, clips, texts)
    write_manifest(out, model.config, **manifest)
    return worst


def random_pack(out: Path, config: Config) -> dict[str, float]:
    """Random weights in the true shapes: for tests of the app that need a pack but no meaningful output."""
    torch.manual_seed(0)
    words = ["a red ball moves to the left", "what is moving ?", "a small green car stands", "yes", "no", "two", *tok.PROMPTS.values()]
    tokenizer = tok.train(words, config.vocab)
    size = tokenizer.get_vocab_size()
    model = Mammut(Config.from_json({**config.to_json(), "vocab": size}))
    clip = formula_video(config.clip_shape)
    return write_pack(
        out,
        model,
        tokenizer.to_str(),
        [clip, np.ascontiguousarray(clip[::-1])],
        ["a red ball", "what is moving ?"],
        identity={
            "id": f"random-{config.name}",
            "version": "0.0.0",
            "name": "Random weights",
            "description": "Random weights for tests: it knows nothing.",
        },
        data=[],
        calibration=UNCALIBRATED,
        scores=[],
    )


DESCRIPTION = (
    "A demonstration model that learnt for some hours on a CPU from composed video only (known things in plain colours that move over "
    "pictures): on real footage expect most of its captions and answers to be wrong, and see its scores before you trust any of it."
)


def learnt_words(train_data: Path | None) -> list[str]:
    """The words of the texts used in training, except some of the rarest."""
    from models.data.generator import World

    world = World(train_data, "train")
    return tok.lexicon([*world.corpus(40000, np.random.default_rng(0)), *world.labels])


def trained_pack(run: Path, out: Path, train_data: Path | None) -> dict[str, float]:
    from models.data.generator import World

    model, state = load(run / "checkpoint.pt")
    report = json.loads((run / "scores.json").read_text()) if (run / "scores.json").exists() else {}
    if report and report["step"] != state["step"]:
        raise RuntimeError(f"scores.json measured step {report['step']}, the checkpoint is of step {state['step']}: run models.evaluate again")
    rng = np.random.default_rng(7)
    world = World(train_data, "val", frames=model.config.frames, size=model.config.size)
    samples = [world.sample(rng) for _ in range(2)]
    worst = write_pack(
        out,
        model,
        (run / "tokenizer.json").read_text(),
        [sample.video for sample in samples],
        [sample.caption for sample in samples],
        identity={"id": "tubelet-mini", "version": report.get("version", "0.1.0"), "name": "Tubelet mini", "description": DESCRIPTION},
        data=json.loads((Path(__file__).parent / "packs" / "data.json").read_text()),
        calibration=report.get("calibration", UNCALIBRATED) | {"familiar": familiar.UNTAUGHT},
        scores=report.get("scores", []),
        words=learnt_words(train_data),
    )
    for name in ("LICENSE", "NOTICE"):
        (out / name).write_text((Path(__file__).parent / "packs" / name).read_text())
    return worst


@torch.no_grad()
def rescore(run: Path, out: Path) -> None:
    """Puts the run's scores and calibration into a pack that was exported before; fails if the pack holds other weights."""
    model, state = load(run / "checkpoint.pt")
    report, manifest = json.loads((run / "scores.json").read_text()), json.loads((out / "pack.json").read_text())
    test = json.loads((out / "selftest.json").read_text())
    video = np.frombuffer(gzip.decompress((out / test["clips"][0]["file"]).read_bytes()), np.uint8).reshape(*model.config.clip_shape, 3)
    embedding = model.eval().encode([torch.from_numpy(part[None].copy()) for part in cut(video, model.config.tubes)])[0][0]
    if report["step"] != state["step"] or np.abs(embedding.numpy() - test["embeddings"][0]).max() > TOLERANCE:
        raise RuntimeError("these scores were not measured on the weights in this pack")
    manifest |= {"version": report["version"], "scores": report["scores"], "calibration": manifest["calibration"] | report["calibration"]}
    (out / "pack.json").write_text(json.dumps(manifest, indent=2) + "\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, help="folder of a training run")
    parser.add_argument("--random", action="store_true", help="random weights instead of a run")
    parser.add_argument("--rescore", action="store_true", help="only put the run's new scores into the pack at --out")
    parser.add_argument("--config", default="mini", choices=sorted(CONFIGS), help="with --random: the shapes")
    parser.add_argument("--train-data", type=Path, help="pictures for the self-test's clips")
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if args.rescore:
        rescore(args.run, args.out)
        return
    if args.random:
        worst = random_pack(args.out, CONFIGS[args.config])
    elif args.run:
        worst = trained_pack(args.run, args.out, args.train_data)
    else:
        parser.error("--run or --random is needed")
    size = sum(path.stat().st_size for path in args.out.iterdir())
    print(json.dumps({"out": str(args.out), "bytes": size, "largest difference from PyTorch": worst}))


if __name__ == "__main__":
    main()
