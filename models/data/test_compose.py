"""The drawn clip matches the scene graph: pixels, boxes, visibility and recording faults."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.data.claims import Clip, clear, clips
from models.data.compose import compose, mix, pack, unpack
from models.data.faults import soften
from models.data.generator import World, boxes_of
from models.data.scene import Look, Scene

KINDS = ("still", "move", "stop", "start", "bend", "enter", "leave", "grow", "shrink", "turn", "appear", "disappear", "bounce", "pass", "hide")


@pytest.fixture(scope="module")
def world() -> World:
    return World(None, "train")


@pytest.fixture(scope="module")
def quiet(world: World) -> list[Clip]:
    """Clips of every motion, seen by a camera at rest."""
    out: list[Clip] = []
    for i, kind in enumerate(KINDS):

        def fits(scene: Scene, kind: str = kind) -> bool:
            return scene.kind == "things" and scene.camera.motion == "still" and any(t.motion == kind for t in scene.things)

        out += clips(world, 100 + i, 4, fits)
    return out


def test_packed_pixels_mix_byte_by_byte() -> None:
    rng = np.random.default_rng(0)
    a, b = (torch.from_numpy(rng.integers(0, 256, (4, 500))).int() for _ in range(2))
    part = torch.from_numpy(rng.integers(0, 257, 500)).int()
    got = torch.stack(unpack(mix(pack(*a.unbind()), pack(*b.unbind()), part)))
    assert torch.equal(got, (a * (256 - part) + b * part) // 256)
    pixels = pack(*a.unbind()).reshape(1, 20, 25)
    before, after = torch.stack(unpack(pixels.clone())).float(), pixels.clone()
    soften(after, np.array([4]))
    softer = torch.stack(unpack(after)).float()
    assert softer[:, 0, 4:-4, 4:-4].std() < 0.6 * before[:, 0, 4:-4, 4:-4].std() and (softer.mean() - before.mean()).abs() < 6


def test_a_clip_has_the_same_bits_in_any_company(world: World) -> None:
    def rngs(*seeds: int) -> list[np.random.Generator]:
        return [np.random.default_rng(seed) for seed in seeds]

    together = world.samples(rngs(*range(24)))
    for seed in (3, 11, 17, 23):
        (alone,) = world.samples(rngs(seed))
        np.testing.assert_array_equal(alone.video, together[seed].video)
        assert (alone.captions, alone.qa, alone.boxes) == tuple(getattr(together[seed], n) for n in ("captions", "qa", "boxes"))
    assert world.corpus(300, np.random.default_rng(2)) == world.corpus(300, np.random.default_rng(2))


def test_nothing_is_made_on_another_device(world: World) -> None:
    """Every tensor is created on the pictures' device: one that is not would have no data here, and could not be combined with them."""
    scenes = [world.scene(np.random.default_rng(seed)) for seed in range(40)]
    expected = compose(scenes, world.assets, 64)
    with torch.device("meta"):
        got = compose(scenes, world.assets, 64)
    assert all(torch.equal(a, b) for (a, _), (b, _) in zip(expected, got, strict=True))


def test_boxes_end_where_the_thing_ends(quiet: list[Clip]) -> None:
    checked = dict.fromkeys(KINDS, 0)
    for clip in quiet:
        for i, track in enumerate(clip.tracks):
            for t in range(0, 16, 3):
                if track.shown[t] < 0.2 or clip.area(i, t) < 60:
                    continue
                x0, y0, x1, y1 = (round(float(v) * 96) for v in track.box[t])
                inside = np.zeros((96, 96), bool)
                inside[y0:y1, x0:x1] = True
                mask = clip.masks[i][t]
                assert (mask & inside).sum() > 0.96 * mask.sum()
                if track.shown[t] > 0.99:  # where something is in front the box is that of the whole thing, and the mask is not
                    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
                    tight = (columns[-1] + 1 - columns[0]) * (rows[-1] + 1 - rows[0])
                    assert tight > 0.7 * (x1 - x0) * (y1 - y0), (clip.scene.things[i], t)
                    checked[clip.scene.things[i].motion] += 1
    assert all(n > 0 for n in checked.values()), checked


def test_shown_is_the_share_of_pixels_that_can_be_seen(world: World, quiet: list[Clip]) -> None:
    """Compared with the thing drawn alone and whole; covering things and the edge of the frame reduce the share."""
    covered = 0
    for clip in quiet:
        for i, thing in enumerate(clip.scene.things):
            alone = replace(clip.scene, things=[thing])
            middle = replace(thing, x=np.full(16, 0.5), y=np.full(16, 0.5), there=np.ones(16, bool))
            drawn = compose([alone, replace(alone, things=[middle]), replace(alone, things=[])], world.assets, 96)
            one, whole, ground = (video.numpy().astype(int) for video, _ in drawn)
            full = (np.abs(whole - ground).max(-1) > 24).sum((1, 2))
            for t in range(0, 16, 5):
                if full[t] > 120 and (np.abs(one[t] - ground[t]).max(-1) > 24).any():
                    share = clip.area(i, t) / full[t]
                    assert abs(share - clip.tracks[i].shown[t]) < 0.2, (thing.label, thing.motion, t)
                    covered += clip.tracks[i].shown[t] < 0.6
    assert covered > 3


def test_what_is_covered_or_gone_has_no_box(quiet: list[Clip]) -> None:
    seen = hidden = 0
    for clip in quiet:
        boxes = boxes_of(clip.tracks, 16)
        for i, thing in enumerate(clip.scene.things):
            if thing.motion in ("hide", "disappear", "leave"):
                assert clip.area(i, 15) < 0.3 * max(clip.area(i, t) for t in range(16)) or clip.tracks[i].shown[15] > 0.25
                hidden += all(box[0] != thing.label for box in boxes[15]) and clip.tracks[i].shown[15] <= 0.25
                seen += any(box[0] == thing.label for box in boxes[0])
    assert seen >= 10 and hidden >= 10


def test_camera_moves_show_in_the_ground() -> None:
    """Each frame is located in the first by trying every shift; when the camera pans right, the ground moves left."""
    world = World(None, "val")

    def filmed(motion: str, direction: str | None) -> list[Clip]:
        def fits(scene: Scene) -> bool:
            return scene.camera.motion == motion and direction in (None, scene.camera.direction)

        return list(clips(world, 5, 3, fits))

    def shift(video: np.ndarray, axis: int) -> int:
        grey = video.mean(-1)
        near, far = grey[0, 20:76, 20:76], grey[4]
        options = range(-18, 19)
        moved = [np.abs(np.roll(far, -d, axis)[20:76, 20:76] - near).mean() for d in options]
        return list(options)[int(np.argmin(moved))]

    for motion, direction, axis, sign in (("pan", "right", 1, -1), ("pan", "left", 1, 1), ("tilt", "down", 0, -1), ("tilt", "up", 0, 1)):
        ground = [compose([replace(c.scene, things=[])], world.assets, 96)[0][0].numpy() for c in filmed(motion, direction)]
        assert all(np.sign(shift(video, axis)) == sign for video in ground), (motion, direction)
    for direction in ("in", "out"):
        for clip in filmed("zoom", direction):
            first, last = (torch.from_numpy(clip.video[t]).permute(2, 0, 1)[None].float() for t in ((0, -1) if direction == "in" else (-1, 0)))
            ratio = max(clip.scene.camera.zoom)
            half = round(48 / ratio)
            grown = torch.nn.functional.interpolate(first[..., 48 - half : 48 + half, 48 - half : 48 + half], (96, 96), mode="bilinear")
            assert (grown - last).abs().mean() < 0.7 * (first - last).abs().mean()
    for clip in filmed("cut", None):
        steps = np.abs(np.diff(clip.video.astype(int), axis=0)).mean((1, 2, 3))
        assert int(steps.argmax()) + 1 == clip.scene.camera.at
    for clip in filmed("shake", None):
        assert all(np.abs(np.diff(axis)).max() > 0.01 for axis in (clip.scene.camera.x, clip.scene.camera.y))


def one(world: World, seed: int, **look: object) -> tuple[np.ndarray, np.ndarray]:
    """The same scene without faults and with some."""
    scene = next(s for s in (world.scene(np.random.default_rng((seed, i))) for i in range(99)) if s.camera.motion == "still" and s.things)
    scene = clear(scene)
    plain, faulty = compose([scene, replace(scene, look=Look(**look))], world.assets, 96)  # type: ignore[arg-type]
    return plain[0].numpy().astype(int), faulty[0].numpy().astype(int)


def test_faults_of_a_recording(world: World) -> None:
    plain, got = one(world, 1, noise=10.0)
    grain = (got - plain)[(plain > 40) & (plain < 215)]
    assert 8 < grain.std() < 12 and abs(grain.mean()) < 0.5 and not (got[0] == got[1]).all()

    plain, got = one(world, 2, hold=3)
    assert all((got[t] == plain[t // 3 * 3]).all() for t in range(16))

    plain, got = one(world, 3, bars=(0.0, 0.25))
    assert (got[:, :12] == 0).all() and (got[:, -12:] == 0).all() and got[:, 14:-14].mean() > 5
    assert np.abs(got[:, 12:84].mean((1, 2)) - plain.mean((1, 2))).max() < 4

    plain, got = one(world, 4, gain=0.8, tint=(1.1, 1.0, 0.9))
    assert np.allclose(got.mean((0, 1, 2)) / plain.mean((0, 1, 2)), [0.88, 0.8, 0.72], atol=0.04)

    plain, got = one(world, 5, grey=1.0)
    assert (got.max(-1) - got.min(-1)).max() <= 3

    plain, got = one(world, 6, compress=4.0)
    light = (got @ np.array([77, 151, 28]) / 256).reshape(16, 12, 8, 12, 8).transpose(0, 1, 3, 2, 4)
    sharp = (plain @ np.array([77, 151, 28]) / 256).reshape(16, 12, 8, 12, 8).transpose(0, 1, 3, 2, 4)
    assert light.var((-1, -2)).mean() < sharp.var((-1, -2)).mean() and np.abs(light.mean((-1, -2)) - sharp.mean((-1, -2))).max() < 12

    plain, got = one(world, 7, blocky=True)
    assert (got[:, ::2, ::2] == got[:, 1::2, 1::2]).all()


def test_boxes_are_squeezed_with_the_picture(world: World) -> None:
    def fits(scene: Scene) -> bool:
        return len(scene.things) == 1 and scene.camera.motion == "still" and scene.things[0].motion == "still"

    for clip in clips(world, 12, 4, fits):
        narrow = replace(clip.scene, look=Look(bars=(0.3, 0.0)))
        (video, tracks), (empty, _) = compose([narrow, replace(narrow, things=[])], world.assets, 96)
        rows, columns = (np.abs(video[0].numpy().astype(int) - empty[0].numpy()).max(-1) > 24).nonzero()
        x0, y0, x1, y1 = tracks[0].box[0] * 96
        assert abs(int(columns.min()) - x0) < 3 and abs(int(columns.max()) + 1 - x1) < 3
        assert abs(int(rows.min()) - y0) < 3 and abs(int(rows.max()) + 1 - y1) < 3
