"""The pack that ships, back in PyTorch."""

import shutil
from pathlib import Path

import pytest
import torch

from models import export
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


def test_graphs_of_another_architecture_are_refused(tmp_path: Path) -> None:
    shutil.copytree(SHIPPED, tmp_path / "pack")
    shutil.copy(SHIPPED / "text.onnx", tmp_path / "pack" / "vision.onnx")
    with pytest.raises(ValueError, match="hold no"):
        read(tmp_path / "pack")
