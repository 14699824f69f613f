import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from models import tubes
from models.config import CONFIGS
from models.tubes import Tube


def test_each_voxel_is_where_the_order_says() -> None:
    """Written out as loops: tubes t, y, x; inside a tube voxels t, y, x, channel."""
    shape = (9, 31, 45)
    video, tube = tubes.formula_video(shape), Tube("skewed", (2, 5, 3), (3, 7, 4), (1, 2, 5))
    (kt, ky, kx), (st, sy, sx), (ot, oy, ox) = tube.kernel, tube.stride, tube.offset
    rows = []
    for t in range(ot, shape[0] - kt + 1, st):
        for y in range(oy, shape[1] - ky + 1, sy):
            for x in range(ox, shape[2] - kx + 1, sx):
                rows.append([video[t + a, y + b, x + c, d] for a in range(kt) for b in range(ky) for c in range(kx) for d in range(3)])
    assert (tube.cut(video) == np.array(rows)).all()
    assert tube.cut(video).shape == (tube.count(shape), tube.voxels)


def test_space_to_depth_joins_neighbours_at_the_finer_stride() -> None:
    """Written out: token = parts in the order t, y, x, each a whole kernel at stride / depth."""
    video, tube = tubes.formula_video((12, 16, 20)), Tube("joined", (4, 3, 2), (8, 8, 4), (0, 1, 2), (2, 1, 2))
    got = tube.cut(video)
    assert tube.extent == (8, 3, 4) and tube.grid((12, 16, 20)) == (1, 2, 4) and got.shape == (8, 4 * 72)
    t, y, x = tube.corners((12, 16, 20))[6]
    expected = [video[t + 4 * a : t + 4 * a + 4, y : y + 3, x + 2 * b : x + 2 * b + 2].reshape(-1) for a in (0, 1) for b in (0, 1)]
    assert (got[6] == np.concatenate(expected)).all()
    assert tube.centres((12, 16, 20))[6].tolist() == [t + 4.0, y + 1.5, x + 2.0]
    with pytest.raises(ValueError, match="no multiple"):
        Tube("uneven", (1, 1, 1), (3, 1, 1), (0, 0, 0), (2, 1, 1))


def test_mini_has_216_tokens_and_four_key_frames() -> None:
    config = CONFIGS["mini"]
    assert [tube.count(config.clip_shape) for tube in config.tubes] == [144, 18, 36, 18]
    assert sorted({*config.tubes[0].corners(config.clip_shape)[:, 0].tolist()}) == [0, 4, 8, 12]


def test_counts_of_the_paper_by_valid_convolution() -> None:
    """TubeViT's main config at 224 px and 32 frames: 98 + 147 + 98 + 196; at 16 frames its second tube does not fit."""
    kinds = tubes.GOLDEN[1][2]
    assert [k.count((32, 224, 224)) for k in kinds] == [98, 147, 98, 196]
    assert [k.count((16, 224, 224)) for k in kinds] == [49, 0, 49, 196]
    assert kinds[1].cut(np.zeros((16, 64, 80, 3), np.uint8)).shape == (0, 768)


def test_golden_fixture_is_what_this_code_writes() -> None:
    fixture = Path(__file__).parent.parent / "app" / "tubes.golden.json"
    assert json.loads(fixture.read_text()) == json.loads(json.dumps(tubes.golden()))


def test_a_digest_by_hand() -> None:
    """One voxel of each tube of a tiny video, against bytes computed here."""
    video = tubes.formula_video((2, 2, 2))
    got = Tube("dot", (1, 1, 1), (1, 1, 1), (0, 0, 0)).cut(video)
    assert hashlib.sha256(got.tobytes()).hexdigest() == hashlib.sha256(video.tobytes()).hexdigest()


@pytest.mark.parametrize("width", [48, 128, 1024])
def test_positions(width: int) -> None:
    centres = np.array([[0.5, 8, 24], [8, 52, 4]], np.float32)
    got, frequencies = tubes.positions(centres, width), width // 6
    assert got.shape == (2, width)
    assert (got[:, 6 * frequencies :] == 0).all()
    for j in (0, frequencies - 1):
        w = 10000.0 ** (-j / frequencies)
        t, y, x = centres[1]
        expected = [np.sin(t * w), np.cos(t * w), np.sin(x * w), np.cos(x * w), np.sin(y * w), np.cos(y * w)]
        assert np.allclose(got[1, 6 * j : 6 * j + 6], expected, atol=1e-6)


def test_centre_is_corner_plus_half_a_kernel() -> None:
    tube = Tube("long", (16, 4, 4), (16, 16, 16), (0, 6, 6))
    assert tube.centres((16, 96, 96))[1].tolist() == [8.0, 8.0, 24.0]
