from dataclasses import replace

import pytest
import torch

from models.config import CONFIGS
from models.decoder import PAD
from models.export import example
from models.model import Mammut

CONFIG = replace(CONFIGS["tiny"], text_layers=3, cross_every=2)


@pytest.fixture(scope="module")
def model() -> Mammut:
    torch.manual_seed(0)
    return Mammut(CONFIG).eval()


@torch.no_grad()
def test_encode_shapes_and_unit_embedding(model: Mammut) -> None:
    embedding, memory, tokens = model.encode(example(CONFIG, "vision", 2))
    n = sum(tube.count(CONFIG.clip_shape) for tube in CONFIG.tubes)
    assert embedding.shape == (2, 48) and memory.shape == (2, n, 48) and tokens.shape == (2, n, 48)
    assert torch.allclose(embedding.norm(dim=1), torch.ones(2), atol=1e-5)


@torch.no_grad()
def test_the_order_of_frames_matters(model: Mammut) -> None:
    """The same patches at other times are another clip: positions carry time."""
    tubes = list(example(CONFIG, "vision", 1))
    tubes[0] = torch.cat([tubes[0][:, 36:], tubes[0][:, :36]], dim=1)
    first, _, _ = model.encode(example(CONFIG, "vision", 1))
    assert not torch.allclose(first, model.encode(tubes)[0], atol=1e-4)


@torch.no_grad()
def test_causal_pass_cannot_see_the_future(model: Mammut) -> None:
    ids, ck, cv, _, _ = example(CONFIG, "decoder", 2, 7)
    changed = ids.clone()
    changed[:, 4:] = 5
    a, b = model.decoder.hidden(ids, ck, cv)[0], model.decoder.hidden(changed, ck, cv)[0]
    assert torch.allclose(a[:, :4], b[:, :4], atol=1e-6)
    assert not torch.allclose(a[:, 4:], b[:, 4:], atol=1e-3)


@torch.no_grad()
def test_contrastive_pass_is_bidirectional_and_blind(model: Mammut) -> None:
    """A change at the end must reach the first position, so the embedding is no mean of causal states; no image goes in at all."""
    ids = torch.randint(3, CONFIG.vocab, (1, 6))
    changed = ids.clone()
    changed[0, -1] = (ids[0, -1] + 1 - 3) % (CONFIG.vocab - 3) + 3
    seen: list[torch.Tensor] = []
    hook = model.decoder.norm.register_forward_hook(lambda _m, _i, out: seen.append(out))
    model.decoder.contrast(ids)
    model.decoder.contrast(changed)
    hook.remove()
    assert not torch.allclose(seen[0][:, 0], seen[1][:, 0], atol=1e-5)
    for block in model.decoder.cross:
        block.register_forward_hook(lambda *_: pytest.fail("the contrastive pass ran cross-attention"))
    model.decoder.contrast(ids)
    for block in model.decoder.cross:
        block._forward_hooks.clear()


@torch.no_grad()
def test_padding_changes_nothing(model: Mammut) -> None:
    ids = torch.randint(3, CONFIG.vocab, (3, 6))
    padded = torch.cat([ids, torch.full((3, 9), PAD)], dim=1)
    assert torch.allclose(model.decoder.contrast(ids), model.decoder.contrast(padded), atol=1e-6)
    assert model.decoder.contrast(torch.zeros(1, 4, dtype=torch.long)).isfinite().all()


@torch.no_grad()
def test_the_clip_reaches_the_logits(model: Mammut) -> None:
    ids, ck, cv, pk, pv = example(CONFIG, "decoder", 2, 4, 0)
    assert not torch.allclose(model.decoder(ids, ck, cv, pk, pv)[0], model.decoder(ids, -ck, -cv, pk, pv)[0], atol=1e-4)


@torch.no_grad()
def test_cache_equals_full_recompute(model: Mammut) -> None:
    ids, ck, cv, pk, pv = example(CONFIG, "decoder", 2, 9, 0)
    full, full_k, _, look = model.decoder(ids, ck, cv, pk, pv)
    logits = []
    for piece in torch.split(ids, [4, 1, 1, 3], dim=1):
        out, pk, pv, last = model.decoder(piece, ck, cv, pk, pv)
        logits.append(out)
    assert torch.allclose(full, torch.cat(logits, dim=1), atol=1e-5)
    assert torch.allclose(full_k, pk, atol=1e-5) and torch.allclose(look, last, atol=1e-5)
    assert torch.allclose(look.sum(1), torch.ones(2), atol=1e-5)


@torch.no_grad()
def test_a_group_of_questions_equals_one_at_a_time(model: Mammut) -> None:
    ids, ck, cv, _, _ = example(CONFIG, "decoder", 2, 5)
    ids = torch.cat([ids, ids.flip(1)])[[0, 2, 1, 3]]  # two questions for each of two clips, clip by clip
    together = model.decoder.hidden(ids, ck, cv, group=2)[0]
    apart = model.decoder.hidden(ids, ck.repeat_interleave(2, 0), cv.repeat_interleave(2, 0))[0]
    assert torch.allclose(together, apart, atol=1e-5)


@torch.no_grad()
def test_boxes_are_bounded_around_their_patch(model: Mammut) -> None:
    boxes, _, regions = model.detector(10 * torch.randn(2, 162, 48))
    anchor = model.detector.get_buffer("anchor")
    assert (boxes >= 0).all() and (boxes <= 1).all()
    assert ((boxes[..., :2] - anchor).abs() <= 0.25 + 1e-6).all()
    assert anchor[1].tolist() == pytest.approx([24 / 96, 8 / 96])  # the second query is one patch to the right: x comes first
    assert model.detector.get_buffer("frame")[[0, 35, 36, 143]].tolist() == [0, 0, 4, 12]
    assert torch.allclose(regions.norm(dim=-1), torch.ones(2, 144), atol=1e-5)
