"""The simulation of one host with many workers: where nothing is shared it follows the workers, and where something is full it stays below that."""

import pytest

from models.scale import Measured, simulate


def test_few_workers_are_bound_by_themselves_and_many_by_the_fullest_part() -> None:
    at = Measured(redis=0.0, host_video=0.0, host_clip=0.01, host_tell=0.0, analyse=1.0, clips=10)
    assert simulate(2, at, fetched=False, speed=1.0)["clips"] == pytest.approx(2.0, rel=0.1)
    full = simulate(300, at, fetched=False, speed=1.0)
    # A clip takes a hundredth of a second of the host's thread.
    assert full["clips"] == pytest.approx(100.0, rel=0.05) and full["host"] > 0.9
    # 60 MB over 125 MB/s are 0.48 s for ten clips.
    assert simulate(300, at, fetched=True, speed=1.0)["clips"] == pytest.approx(10 / 0.48, rel=0.05)
