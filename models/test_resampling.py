"""The values to which the app's resampling is held are those of the Pillow that models/requirements.txt names."""

from __future__ import annotations

import json

from models.resampling import GOLDEN, golden


def test_the_committed_values_are_pillows() -> None:
    assert json.loads(GOLDEN.read_text()) == json.loads(json.dumps(golden()))
