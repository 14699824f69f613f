"""A pack of random weights: what the app's own tests load."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from models import export
from models.config import CONFIGS, Config
from models.data.names import NOVEL_SHAPES
from models.model import Mammut
from models.reference import describe
from models.tubes import cut, formula_video
from models.unpack import NOT_IN_GRAPHS, read


@pytest.fixture
def pack(random_pack: Path) -> Path:
    return random_pack


def test_graphs_agree_with_the_manifest(pack: Path) -> None:
    dims = json.loads((pack / "pack.json").read_text())["dims"]
    inputs = {i.name: i.shape for i in export.session(pack / "decoder.onnx").get_inputs()}
    assert inputs["cross_k"][1:] == [dims["crossLayers"], dims["heads"], dims["tokens"], dims["headDim"]]
    assert [inputs["past_k"][i] for i in (1, 2, 4)] == [dims["layers"], dims["heads"], dims["headDim"]]
    outputs = {o.name: o.shape for o in export.session(pack / "detector.onnx").get_outputs()}
    assert outputs["boxes"][1:] == [dims["queries"], 4] and outputs["frame"] == [dims["queries"]]


def test_known_answers_hold(pack: Path) -> None:
    test = json.loads((pack / "selftest.json").read_text())
    vocab = json.loads((pack / "pack.json").read_text())["dims"]["vocab"]
    run = export.Pack(pack, Config.from_json({**CONFIGS["tiny"].to_json(), "vocab": vocab}))
    for ref, embedding in zip(test["clips"], test["embeddings"], strict=True):
        video = np.frombuffer(gzip.decompress((pack / ref["file"]).read_bytes()), np.uint8).reshape(16, 96, 96, 3)
        assert np.abs(run.encode(video)[0][0] - embedding).max() < test["tolerance"]
    for text, embedding in zip(test["texts"], test["textEmbeddings"], strict=True):
        assert np.abs(run.embed(text)[0] - embedding).max() < test["tolerance"]
    # Greedy decoding with a cache in ONNX gives the same text as PyTorch with the same weights.
    torch.manual_seed(0)
    model = Mammut(run.config).eval()
    with torch.no_grad():
        tubes = [torch.from_numpy(part[None]) for part in cut(formula_video((16, 96, 96)), run.config.tubes)]
        ids, _ = model.generate(torch.tensor([run.text.prompt("caption:")]), *model.decoder.project(model.encode(tubes)[1]), limit=99)
    assert run.text.read(ids[0]) == test["caption"] == run.complete(run.encode(formula_video((16, 96, 96)))[1], "caption:")


def test_the_weights_come_back_from_the_graphs(pack: Path) -> None:
    model, text = read(pack)
    torch.manual_seed(0)
    original = Mammut(model.config).state_dict()
    for name, value in model.state_dict().items():
        if name not in NOT_IN_GRAPHS:
            assert torch.allclose(value, original[name], atol=1e-6), name
    # Decoding without a cache gives the same text as the exported graphs with one.
    said = json.loads((pack / "selftest.json").read_text())["caption"]
    assert describe(model, text, formula_video(model.config.clip_shape))["caption"] == said


def test_each_file_has_its_digest(pack: Path) -> None:
    manifest, test = (json.loads((pack / name).read_text()) for name in ("pack.json", "selftest.json"))
    for ref in (*manifest["graphs"].values(), manifest["tokenizer"], manifest["selfTest"], *test["clips"]):
        assert export.digest(pack / ref["file"]) == ref["sha256"]


def test_a_pack_tells_the_words_that_training_had_and_no_others() -> None:
    words = export.learnt_words(None)
    assert {"circle", "circles", "red", "camera", "yes", "bouncing"} < set(words)
    assert not {*NOVEL_SHAPES, "weather", ""} & set(words)
    assert words == sorted({word.lower() for word in words})
