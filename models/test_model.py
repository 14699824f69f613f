from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models.config import CONFIGS
from models.decoder import PAD
from models.encoder import Encoder, crop_positions
from models.export import example
from models.layers import attend
from models.model import Mammut
from models.tubes import Tube

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
def test_a_clip_and_a_text_are_the_means_of_their_tokens(model: Mammut) -> None:
    embedding, memory, tokens = model.encode(example(CONFIG, "vision", 2))
    mean = torch.stack([tokens[0, i] for i in range(tokens.shape[1])]).mean(0)
    assert torch.allclose(embedding[0], F.normalize(model.to_text(model.pool_norm(mean)), dim=-1), atol=1e-5)
    assert torch.allclose(memory, model.to_text(tokens), atol=1e-5)
    states: list[torch.Tensor] = []
    hook = model.decoder.norm.register_forward_hook(lambda _module, _input, out: states.append(out))
    got = model.decoder.contrast(torch.tensor([[1, 7, 8, 9, 2, PAD, PAD]]))
    hook.remove()
    assert torch.allclose(got[0], F.normalize(sum(states[0][0, i] for i in range(5)), dim=-1), atol=1e-5)  # type: ignore[arg-type]


@torch.no_grad()
def test_voxels_are_normalised_by_channel() -> None:
    """(value / 255 - mean) / std, channel by channel, before the projection."""
    encoder = Encoder(replace(CONFIG, vision_layers=0)).eval()
    encoder.norm_in = encoder.norm_out = torch.nn.Identity()  # type: ignore[assignment]
    for parameter in (*encoder.gate.parameters(), encoder.learned, encoder.alpha):
        parameter.zero_()
    tubes = example(CONFIG, "vision", 1)
    pixels = (tubes[0][0, 5].reshape(256, 3) / 255 - torch.tensor(CONFIG.mean)) / torch.tensor(CONFIG.std)
    assert torch.allclose(encoder(tubes)[0, 5], encoder.project[0](pixels.reshape(-1)), atol=1e-4)


@torch.no_grad()
def test_the_order_of_frames_matters(model: Mammut) -> None:
    """The same patches at other times are another clip: positions carry time."""
    tubes = list(example(CONFIG, "vision", 1))
    tubes[0] = torch.cat([tubes[0][:, 36:], tubes[0][:, :36]], dim=1)
    first, _, _ = model.encode(example(CONFIG, "vision", 1))
    assert not torch.allclose(first, model.encode(tubes)[0], atol=1e-4)


@torch.no_grad()
def test_a_frame_alone_is_an_image(model: Mammut) -> None:
    """A video of one frame has the first key frame's patches, no tubes, and positions and boxes as in a clip."""
    tubes = example(CONFIG, "vision", 2)
    alone = [tubes[0][:, :36], *(kind[:, :0] for kind in tubes[1:])]
    embedding, memory, tokens = model.encode(alone)
    assert embedding.shape == (2, 48) and memory.shape == (2, 36, 48)
    boxes, objectness, regions = model.detector(tokens)
    assert boxes.shape == (2, 36, 4) and objectness.shape == (2, 36) and regions.shape == (2, 36, 48)
    assert torch.allclose(model.detector.get_buffer("anchor")[:36], model.detector.get_buffer("anchor")[36:72])
    turned = [tubes[0][:, :36].flip(1), *alone[1:]]
    assert not torch.allclose(embedding, model.encode(turned)[0], atol=1e-4)
    image = Tube("cube", (8, 8, 8), (8, 32, 32), (0, 0, 0)).cut(np.zeros((1, 96, 96, 3), np.uint8))
    assert image.shape == (0, 1536)  # what the tubes of an image are cut to


@torch.no_grad()
def test_space_to_depth_joins_channels() -> None:
    """A token is the concatenation of its kernels' projections: each sees only its own voxels."""
    halves = Tube("halves", (4, 8, 8), (8, 32, 32), (0, 0, 0), (2, 1, 1))
    encoder = Encoder(replace(CONFIG, tubes=(CONFIG.tubes[0], halves), vision_layers=0)).eval()
    encoder.norm_in = encoder.norm_out = torch.nn.Identity()  # type: ignore[assignment]
    voxels = torch.randint(0, 256, (1, halves.count(CONFIG.clip_shape), halves.voxels), dtype=torch.uint8)
    patches = torch.zeros(1, 144, 768, dtype=torch.uint8)
    token = encoder([patches, voxels])[:, 144:] - encoder.get_buffer("fixed_1")
    mean, scale = encoder.get_buffer("mean_1"), encoder.get_buffer("scale_1")
    for part in (0, 1):
        one, channels = (voxels[..., part * 768 : (part + 1) * 768].float() - mean) * scale, slice(part * 24, part * 24 + 24)
        expected = encoder.project[1](one) + encoder.gate[1](one) * encoder.places[1][:, channels]
        assert torch.allclose(token[..., channels], expected, atol=1e-4)


@torch.no_grad()
def test_cropped_positions_are_those_of_the_crop() -> None:
    """A ramp shows where each position comes from: cell j of w is at x0 + (j + 1/2) / w of the crop."""
    ramp = ((torch.arange(6) + 0.5) / 6).expand(6, 6)
    learned = torch.stack((ramp, ramp.T), dim=-1)  # channels: x, y
    got = crop_positions(learned, torch.tensor([[0.0, 0.0, 1.0, 1.0], [0.25, 0.5, 0.75, 0.75]]))
    assert torch.allclose(got[0], learned, atol=0.01)
    x, y = 0.25 + 0.5 * (torch.arange(6) + 0.5) / 6, 0.5 + 0.25 * (torch.arange(6) + 0.5) / 6
    assert torch.allclose(got[1, ..., 0], x.expand(6, 6), atol=1e-4) and torch.allclose(got[1, ..., 1], y[:, None].expand(6, 6), atol=1e-4)


@torch.no_grad()
def test_a_crop_changes_the_learned_positions_alone(model: Mammut) -> None:
    tubes, whole = example(CONFIG, "vision", 2), torch.tensor([[0.0, 0.0, 0.5, 0.5]] * 2)
    kept = model.encoder.learned.clone()
    assert not torch.allclose(model.encode(tubes)[2], model.encode(tubes, whole)[2], atol=1e-4)
    model.encoder.learned.zero_()
    assert torch.allclose(model.encode(tubes)[2], model.encode(tubes, whole)[2], atol=1e-6)
    model.encoder.learned.copy_(kept)


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
    """A change at the end must reach the first position, so the embedding is not a mean of causal states; no image is used."""
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


def test_attention_is_what_pytorch_takes_for_it() -> None:
    """On a GPU PyTorch's own kernel runs, on a CPU the formula in models/layers.py; both must agree."""
    torch.manual_seed(1)
    q, k, v = torch.randn(2, 3, 5, 8), torch.randn(2, 3, 7, 8), torch.randn(2, 3, 7, 8)
    mask = torch.where(torch.rand(2, 1, 5, 7) < 0.3, -1e9, 0.0)
    for hidden in (None, mask):
        assert torch.allclose(attend(q, k, v, hidden), F.scaled_dot_product_attention(q, k, v, attn_mask=hidden), atol=1e-5)


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


@torch.no_grad()
def test_positions_of_patches_are_learned_places_and_gated_times() -> None:
    """Equal patches differ only by position: between frames by tanh(alpha) times the fixed position, within a frame also by the learned one."""
    encoder = Encoder(replace(CONFIG, vision_layers=0)).eval()
    encoder.norm_in = encoder.norm_out = torch.nn.Identity()  # type: ignore[assignment]
    for parameter in encoder.gate.parameters():
        parameter.zero_()
    encoder.alpha.fill_(0.7)
    tokens = encoder([torch.full_like(kind, 90) for kind in example(CONFIG, "vision", 1)])[0]
    fixed, learned = encoder.get_buffer("fixed_0"), encoder.learned
    assert torch.allclose(tokens[36 + 5] - tokens[5], torch.tanh(torch.tensor(0.7)) * (fixed[36 + 5] - fixed[5]), atol=1e-4)
    expected = learned[7] - learned[5] + torch.tanh(torch.tensor(0.7)) * (fixed[7] - fixed[5])
    assert torch.allclose(tokens[7] - tokens[5], expected, atol=1e-4)
    tubes = encoder.get_buffer("fixed_1")  # tubes have the fixed one alone, ungated
    assert torch.allclose(tokens[145] - tokens[144], tubes[1] - tubes[0], atol=1e-4)


@torch.no_grad()
def test_cross_attention_follows_every_second_layer(model: Mammut) -> None:
    order: list[str] = []
    decoder = model.decoder
    hooks = [block.register_forward_hook(lambda *_, i=i: order.append(f"self {i}")) for i, block in enumerate(decoder.blocks)]
    hooks += [block.register_forward_hook(lambda *_, i=i: order.append(f"cross {i}")) for i, block in enumerate(decoder.cross)]
    ids, ck, cv, _, _ = example(CONFIG, "decoder", 1, 4)
    decoder.hidden(ids, ck, cv)
    for hook in hooks:
        hook.remove()
    assert order == ["self 0", "cross 0", "self 1", "self 2", "cross 1"]
