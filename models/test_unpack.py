"""The pack that ships, back in PyTorch."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer

from models import export
from models.model import load
from models.reference import steps
from models.tokenizer import PROMPTS
from models.unpack import read

SHIPPED = Path(__file__).parent / "packs" / "tubelet-mini"


def test_each_graph_that_ships_is_within_the_tolerance_of_pytorch() -> None:
    model, _ = read(SHIPPED)
    worst = export.check_graphs(model, SHIPPED)
    assert worst.keys() == {"vision", "text", "cross", "decoder", "detector"}
    assert max(worst.values()) <= 1e-4, worst


@torch.no_grad()
def test_the_steps_are_the_choices_of_generate() -> None:
    model, text = read(SHIPPED)
    tubes = export.example(model.config, "vision", 1)
    cross = model.decoder.project(model.encode(tubes)[1])
    taken = steps(model, text.prompt(PROMPTS["caption"]), *cross)
    ids, _ = model.generate(torch.tensor([text.prompt(PROMPTS["caption"])]), *cross, limit=99)
    assert [step["id"] for step in taken if step["id"] != 2] == ids[0]
    assert all(step["margin"] > 0 and step["second"] != step["id"] for step in taken)


def test_training_goes_on_from_a_pack(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "models.train", "--pack", str(SHIPPED), "--out", str(tmp_path), "--steps", "1", "--lr", "0", "--batch", "2"]
    done = subprocess.run([*command, "--weight-decay", "0"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, (after, _) = read(SHIPPED)[0], load(tmp_path / "checkpoint.pt")
    for name, value in before.state_dict().items():
        assert torch.allclose(after.state_dict()[name], value, atol=1e-6), name
    assert (tmp_path / "tokenizer.json").read_text() == Tokenizer.from_file(str(SHIPPED / "tokenizer.json")).to_str(pretty=True)


def test_graphs_of_another_architecture_are_refused(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "pack")
    shutil.copy(SHIPPED / "text.onnx", tmp_path / "pack" / "vision.onnx")
    with pytest.raises(ValueError, match="hold no"):
        read(tmp_path / "pack")


def test_a_pack_without_a_detector_is_refused(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "pack")
    manifest = json.loads((SHIPPED / "pack.json").read_text())
    del manifest["graphs"]["detector"]
    (tmp_path / "pack" / "pack.json").write_text(json.dumps(manifest))
    with pytest.raises(ValueError, match=r"pack.json lacks the graphs detector: give a pack"):
        read(tmp_path / "pack")
