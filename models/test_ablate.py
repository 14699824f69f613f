"""The switches of the ablations do what their names say."""

from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import torch

from models.ablate import RECIPE, SMALL, judge, learn, prepare, variants
from models.decoder import Decoder
from models.encoder import Encoder


def test_each_variant_differs_from_the_base_in_one_thing() -> None:
    (_, _, base, recipe), *others = variants(SMALL, RECIPE)
    weights = {"caption_weight", "answer_weight", "contrastive_weight"}
    for what, setting, config, training in others:
        changed = {k for k, v in asdict(config).items() if v != asdict(base)[k]} | {k for k, v in asdict(training).items() if v != asdict(recipe)[k]}
        assert changed and (len(changed) == 1 or changed <= weights), (what, setting, changed)


def test_causal_contrast_reads_only_what_stands_before() -> None:
    torch.manual_seed(0)
    ids, other = torch.tensor([[1, 5, 6, 2]]), torch.tensor([[1, 5, 6, 9]])
    seen: dict[bool, list[torch.Tensor]] = {}
    for causal in (False, True):
        decoder = Decoder(replace(SMALL, causal_contrast=causal))
        states: list[torch.Tensor] = []
        decoder.norm.register_forward_hook(lambda _m, _i, out, states=states: states.append(out))
        for row in (ids, other):
            decoder.contrast(row)
        seen[causal] = states
    assert not torch.allclose(seen[False][0][:, :3], seen[False][1][:, :3])
    assert torch.allclose(seen[True][0][:, :3], seen[True][1][:, :3])
    assert not torch.allclose(seen[True][0][:, 3], seen[True][1][:, 3])


def test_without_fixed_positions_tubes_have_none() -> None:
    encoder = Encoder(replace(SMALL, fixed_positions=False))
    assert all(not encoder.get_buffer(f"fixed_{i}").any() for i in range(4))
    assert Encoder(SMALL).get_buffer("fixed_1").any()


def test_a_variant_learns_and_is_judged(tmp_path: Path) -> None:
    items, samples, config, text, labels = prepare(tmp_path, 8, 6)
    patches = replace(config, tubes=config.tubes[:1])
    scores = judge(learn(patches, replace(RECIPE, batch=4), items, labels, 2), text, samples)
    assert 0 < scores["among"] <= 6 and all(np.isfinite(v) for v in scores.values())
    again = prepare(tmp_path, 8, 6)
    assert np.array_equal(again[0][3].tubes[0], items[3].tubes[0])
