"""Checkpoints to packs: against values of the public reference code, and what is refused and why."""

from __future__ import annotations

import gc
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from models.openmammut.checkpoint import Checkpoint, Floats, Refused, open_checkpoint, sizes
from models.openmammut.clip_bpe import Text
from models.openmammut.graphs import write_graphs
from models.openmammut.pack import write_pack
from models.openmammut.runtime import Decoding, Runtime, beam_search
from models.openmammut.seeded import CONFIGS
from models.openmammut.template import Env, expand, load
from models.tubes import formula_video

GOLDEN: dict[str, Any] = json.loads((Path(__file__).parent / "golden" / "values.json").read_text())
TOLERANCE = 1e-5
"""Relative to the largest value. The product promises 1e-4; rounding alone makes 2e-6, and at 1e-4 a wrong epsilon of a norm would pass."""


def difference(got: Floats, expected: list[Any]) -> float:
    values = np.array(expected, np.float32)
    return float(np.abs(got - values).max() / np.abs(values).max())


def differences(name: str, env: Env, prepare: Callable[..., Runtime]) -> dict[str, float]:
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
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("openmammut")


@pytest.fixture(scope="module")
def files(folder: Path) -> dict[str, Path]:
    """A checkpoint file of each tiny config, its config beside it."""
    paths = {name: folder / name / "open_clip_model.safetensors" for name in TINY}
    for name, path in paths.items():
        path.parent.mkdir()
        CONFIGS[name].write(path)
    return paths


@pytest.mark.parametrize("name", TINY)
def test_says_what_the_reference_says(name: str, files: dict[str, Path], tmp_path: Path) -> None:
    env = write_pack(open_checkpoint(files[name]), tmp_path / "pack", file="x")
    runtime = Runtime(tmp_path / "pack", env)
    found = differences(name, env, lambda *_: runtime)
    assert all(value < TOLERANCE for value in found.values()), found


LARGE = """
import resource, sys, tempfile
from pathlib import Path
from models.openmammut import test_openmammut as test
print(test.large(Path(sys.argv[1])))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def large(folder: Path) -> dict[str, float]:
    """As above with the true shapes of ViT-L/14, the graphs one after the other, so that less than 3 GB of memory are needed."""
    template, checkpoint = load(), CONFIGS["L-14"].checkpoint()
    env = sizes(template, checkpoint, GOLDEN["configs"]["L-14"]["frames"])
    graphs = {graph.name: graph for graph in expand(template, env, "fp32")}

    def prepare(*names: str) -> Runtime:
        gc.collect()
        write_graphs([graphs[name] for name in names], checkpoint.get, folder, opset=template["opset"], ir=template["ir"])
        return Runtime(folder, env)

    return differences("L-14", env, prepare)


def test_says_what_the_reference_says_at_full_size(tmp_path: Path) -> None:
    run = subprocess.run([sys.executable, "-c", LARGE, str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    found, peak = run.stdout.splitlines()
    assert all(float(value) < TOLERANCE for value in json.loads(found.replace("'", '"')).values()), found
    if sys.platform == "linux":  # elsewhere it is counted in bytes
        assert int(peak) < 3_000_000


@pytest.mark.parametrize("name", GOLDEN["graphs"])
def test_graphs_are_expanded_as_in_the_app(name: str) -> None:
    env = sizes(load(), CONFIGS[name].checkpoint(), load()["frames"])
    assert {p: [graph.digest() for graph in expand(load(), env, p)] for p in ("fp32", "fp16", "int8")} == GOLDEN["graphs"][name]


def test_splits_text_as_clip_does() -> None:
    strings = json.loads(gzip.decompress((Path(__file__).parent / "golden" / "tokens.json.gz").read_bytes()))
    text = Text(77)
    assert len(strings) == 1000
    assert [string for string, ids in strings if text.sentence(string) != ids] == []


def test_reads_every_kind_of_file(files: dict[str, Path], tmp_path: Path) -> None:
    state = load_file(files["tiny"])
    packs = []
    trained = {"epoch": 3, "name": "run", "state_dict": {f"module.{key}": value for key, value in state.items()}, "optimizer": {"state": {}}}
    for i, (name, content) in enumerate((("plain.bin", state), ("trainer.pt", trained))):
        shutil.copy(files["tiny"].parent / "open_clip_config.json", tmp_path)
        torch.save(content, tmp_path / name)
        write_pack(open_checkpoint(tmp_path / name), tmp_path / f"pack{i}", file="x")
        packs.append(tmp_path / f"pack{i}")
    torch.save(state, tmp_path / "old.pt", _use_new_zipfile_serialization=False)
    assert open_checkpoint(tmp_path / "old.pt").shapes.keys() == open_checkpoint(files["tiny"]).shapes.keys()
    write_pack(open_checkpoint(files["tiny"]), tmp_path / "pack", file="x")
    expected = (tmp_path / "pack" / "weights.bin").read_bytes()
    assert all((pack / "weights.bin").read_bytes() == expected for pack in packs)


@pytest.mark.parametrize(("precision", "tolerance"), [("fp16", 2e-3), ("int8", 0.1)])
def test_smaller_weights_cost_what_they_should(precision: str, tolerance: float, files: dict[str, Path], tmp_path: Path) -> None:
    env = write_pack(open_checkpoint(files["tiny"]), tmp_path / "pack", file="x", precision=precision)
    golden = GOLDEN["configs"]["tiny"]
    embedding, _ = Runtime(tmp_path / "pack", env).see(formula_video((golden["frames"], 48, 48)))
    assert 1e-6 < difference(embedding, golden["embedding"]) < tolerance


def refusal(checkpoint: Checkpoint) -> str:
    with pytest.raises(Refused) as caught:
        sizes(load(), checkpoint, 4)
    return str(caught.value)


def changed(change: Callable[[dict[str, Any]], None], name: str = "tiny", config: dict[str, Any] | None = None) -> Checkpoint:
    original = CONFIGS[name].checkpoint()
    shapes = {key: shape for key, (_, shape) in CONFIGS[name].tensors().items()}
    change(shapes)
    return Checkpoint(shapes, lambda key: torch.zeros(shapes[key]), original.config if config is None else config)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda s: s.pop("map_viz2txt_kv"), "plain CLIP"),
        (lambda s: s.update({"text_decoder.ln_final.weight": (64,)}), "CoCa"),
        (lambda s: [s.pop(key) for key in list(s)], "no MaMMUT"),
        (lambda s: s.update({"visual.trunk.blocks.0.norm1.weight": (64,)}), "timm"),
        (lambda s: s.pop("text.positional_embedding"), "modern kind"),
        (lambda s: s.update({"visual.attn_pool.query": (1, 64)}), "pools with attention"),
        (lambda s: s.pop("text.resblocks.2.attn.in_proj_bias"), "missing: text.resblocks.2.attn.in_proj_bias"),
        (lambda s: s.update({"text.resblocks.1.ls_1.gamma": (64,)}), "no openMaMMUT has: text.resblocks.1.ls_1.gamma"),
        (lambda s: s.update({"text.cross_attn.0.ln_1.weight": (63,)}), r"text.cross_attn.0.ln_1.weight is \[63\], not \[64\]"),
        (lambda s: s.update({"text.token_embedding.weight": (100, 64)}), "100 entries"),
        (lambda s: s.update({"visual.positional_embedding": (12, 64)}), "not square"),
    ],
)
def test_refuses_what_is_no_openmammut(change: Callable[[dict[str, Any]], None], reason: str) -> None:
    assert re.search(reason, refusal(changed(change)))


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        ({"embed_dim": 64, "multimodal_cfg": {"text_arch": "modern"}}, "modern kind"),
        ({"embed_dim": 512}, "of another model: it says embed_dim 512, the tensors say 64"),
        ({"text_cfg": {"hf_tokenizer_name": "roberta-base"}}, "roberta-base"),
        ({"vision_cfg": {"final_ln_after_pool": True}}, "pools in a way"),
        ({"vision_cfg": {"pool_type": "avg_all"}}, "normalises in another order"),
        ({"vision_cfg": {"pool_type": "avg_all", "final_ln_after_pool": True, "image_size": 224}}, "pictures of 224 do not have 3 x 3"),
        ({"vision_cfg": {"pool_type": "avg_all", "final_ln_after_pool": True, "norm_kwargs": {"eps": 1e-6}}}, "norm_kwargs"),
        ({"text_cfg": {"tokenizer_kwargs": {"clean": "canonicalize"}}}, "another tokenizer (clean)"),
        ({"text_cfg": {"heads": 2, "cross_attn_ratio": 4}}, "2 cross-attention layers do not fit 4 text layers, one after every 4"),
        ({"model_cfg": {}, "preprocess_cfg": {"resize_mode": "longest"}}, "longest"),
    ],
)
def test_refuses_a_config_that_does_not_fit(config: dict[str, Any], reason: str) -> None:
    assert reason in refusal(changed(lambda _: None, config=config))


def test_asks_for_the_config_where_the_tensors_do_not_tell() -> None:
    assert "put the model's open_clip_config.json beside the file" in refusal(changed(lambda _: None, "tiny-upstream", config={}))


def test_what_a_siglip_model_has_besides_is_left_out() -> None:
    assert sizes(load(), changed(lambda shapes: shapes.update({"logit_bias": ()})), 4)["width"] == 64


def test_refuses_files_that_are_no_checkpoints(files: dict[str, Path], tmp_path: Path) -> None:
    def reason(name: str, data: bytes) -> str:
        (tmp_path / name).write_bytes(data)
        with pytest.raises(Refused) as caught:
            open_checkpoint(tmp_path / name)
        return str(caught.value)

    whole = files["tiny"].read_bytes()
    assert "damaged or incomplete" in reason("cut.safetensors", whole[:-1000])
    assert "damaged or incomplete" in reason("short.safetensors", whole[:200])
    assert "is no checkpoint" in reason("picture.pt", b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "is no checkpoint" in reason("empty.bin", b"")
    torch.save({"state_dict": {"a": torch.zeros(100000)}}, tmp_path / "whole.pt")
    assert "damaged or incomplete" in reason("cut.pt", (tmp_path / "whole.pt").read_bytes()[:-5000])
    torch.save({"epoch": 1}, tmp_path / "bare.pt")
    with pytest.raises(Refused, match="no state dict"):
        open_checkpoint(tmp_path / "bare.pt")
    with pytest.raises(Refused, match="not a file"):
        open_checkpoint(tmp_path / "nowhere.pt")


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, ("touch evil",)


def test_runs_nothing_that_a_file_holds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"state_dict": Evil()}, tmp_path / "evil.pt")
    with pytest.raises(Refused, match="is not run"):
        open_checkpoint(tmp_path / "evil.pt")
    assert not (tmp_path / "evil").exists()


def test_a_bfloat16_checkpoint_is_read(files: dict[str, Path], tmp_path: Path) -> None:
    save_file({key: value.to(torch.bfloat16) for key, value in load_file(files["tiny"]).items()}, tmp_path / "half.safetensors")
    got = open_checkpoint(tmp_path / "half.safetensors").get("visual.proj")
    expected = open_checkpoint(files["tiny"]).get("visual.proj")
    assert got.dtype == np.float32
    assert difference(got, expected.tolist()) < 2**-8
